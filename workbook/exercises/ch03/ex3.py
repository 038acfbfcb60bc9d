"""3.3  Predict an upgrade after a table was dropped by hand."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Choose

EXERCISE = Choose(
    right="b",
    wrong={
        "a": Mistake(
            "Alembic does not look at your tables",
            "To make jobs again, it would have to notice that it is gone. It reads its one row, and"
            " the row says head.",
        ),
        "c": Mistake(
            "nothing is sent, so nothing can fail",
            "An error would need a statement that meets the missing table. With the row at head there"
            " is none.",
        ),
        "d": Mistake(
            "the row does not change by itself",
            "Only Alembic writes alembic_version. DROP TABLE knows nothing of it.",
        ),
    },
    task="predict an upgrade after a table was dropped by hand",
    hints=(
        "What does Alembic compare before it does anything?",
        "It compares the id in alembic_version with the ids of the files.",
    ),
    why="The row names the head, so there is nothing to do. Alembic compares ids, not tables.",
    passed="You know what Alembic looks at, and what it never sees.",
)

WRONG = [
    *given("Alembic does not look at your tables", "a"),
    *given("nothing is sent, so nothing can fail", "c"),
    *given("the row does not change by itself", "d"),
]
RIGHT = given("", "B")
