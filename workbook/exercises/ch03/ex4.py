"""3.4  Predict what three revisions leave behind when the third fails."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Choose

EXERCISE = Choose(
    right="a",
    wrong={
        "b": Mistake(
            "one transaction, not three",
            "Alembic can use a transaction for each revision (transaction_per_migration), but by"
            " default all pending ones share one.",
        ),
        "c": Mistake(
            "nothing is half there",
            "PostgreSQL takes back a whole transaction or nothing of it.",
        ),
        "d": Mistake(
            "a failed migration is not applied",
            "The id is written in the same transaction as the tables, and goes with them.",
        ),
    },
    task="predict what three revisions leave behind when the third fails",
    hints=(
        "How many times does BEGIN stand in the output of upgrade head --sql?",
        "Everything between BEGIN and COMMIT stands or falls together.",
    ),
    why="Unless it is told otherwise, one upgrade is one transaction, however many revisions it applies.",
    passed="You can say where a failed upgrade leaves a database.",
)

WRONG = [
    *given("one transaction, not three", "b"),
    *given("nothing is half there", "c"),
    *given("a failed migration is not applied", "d"),
]
RIGHT = given("", "a.")
