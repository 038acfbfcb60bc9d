"""5.2  Predict where two commands lead."""

from workbook.exercises import Mistake, given
from workbook.exercises.ch05 import made_up
from workbook.exercises.kinds import FindOut

FOUR = dict.fromkeys(("r1", "r2", "r3", "r4"), "def upgrade(): pass\ndef downgrade(): pass\n")


def walk() -> object:
    """Where `downgrade r2` and `upgrade +1` lead from r4, by Alembic itself."""
    with made_up(FOUR) as made:
        for command in ("alembic upgrade r4", "alembic downgrade r2", "alembic upgrade +1"):
            made.run(command)
        return made.connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


EXERCISE = FindOut(
    question=walk,
    right="r3",
    wrong={
        "r2": Mistake(
            "an id is a destination, not a victim",
            "downgrade r2 keeps r2 and undoes what comes after it. The step up begins there.",
        ),
        "r1": Mistake(
            "an id is a destination, not a victim",
            "downgrade r2 does not undo r2. And a step up follows.",
        ),
        "3": Mistake(
            "a revision has a name",
            "Look at how the question names its revisions, and write it in the same way.",
        ),
        "r4": Mistake(
            "+1 is one step", "upgrade +1 is not upgrade head: it stops after one revision."
        ),
    },
    task="predict where two commands lead",
    hints=(
        "Take the commands one by one. After the first, which revisions are still applied?",
        "downgrade r2 stops at r2. One step up from there is the answer.",
    ),
    why="downgrade r2 ends at r2, and +1 leads to the next one, r3.",
    passed="You can find your way in a history.",
)

WRONG = [
    *given("an id is a destination, not a victim", "r2", name="the id is the victim"),
    *given("an id is a destination, not a victim", "r1", name="the id is the victim, and no step"),
    *given("+1 is one step", "r4", name="+1 is head"),
    *given("a revision has a name", 3),
    *given("That is not what comes out: 'base'", "base"),
]
RIGHT = given("", " R3", "r3.")
