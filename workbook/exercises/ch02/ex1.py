"""2.1  Pick an address that you would commit."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Choose

EXERCISE = Choose(
    right="b",
    wrong={
        "a": Mistake(
            "a bare postgresql:// means another driver",
            "Since SQLAlchemy 2.1 it asks for psycopg 3. Where that is not installed, nothing runs.",
        ),
        "c": Mistake(
            "a password in version control",
            "Everybody who can read the repository can read it, today and in its history.",
        ),
        "d": Mistake(
            "an old name",
            "postgres:// is what some hosting providers print. SQLAlchemy stopped understanding it"
            " in version 1.4.",
        ),
    },
    task="pick an address that you would commit",
    hints=(
        "Two things count: is there a secret in it, and does it name the driver?",
        "The driver stands behind a plus sign.",
    ),
    why="It names the system and the driver. Host, user and password come from the environment, so"
    " the same file serves on your laptop and in production.",
    passed="You can write a database address that is safe to share.",
)

WRONG = [
    *given("a bare postgresql:// means another driver", "a"),
    *given("a password in version control", "c"),
    *given("an old name", "d"),
    *given("Answer with one of the letters a, b, c, d", "postgresql+psycopg2://"),
]
RIGHT = given("", "B)")
