"""5.1  Say what a downgrade brings back."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Choose

EXERCISE = Choose(
    right="b",
    wrong={
        "a": Mistake(
            "a downgrade is not a backup",
            "The addresses were deleted with the column. A migration file holds operations, not data.",
        ),
        "c": Mistake(
            "the way back was written in advance",
            "downgrade() adds the column again and asks nothing. It cannot fill it.",
        ),
        "d": Mistake(
            "alembic_version holds one id",
            "It is the whole memory of Alembic, and there is no room in it for anybody's data.",
        ),
    },
    task="say what a downgrade brings back",
    hints=(
        "What did the count of the companies say after down and up?",
        "Shape and data are two things. Which of them does a migration file describe?",
    ),
    why="A downgrade gives the shape back. The data come back from a backup, or not at all.",
    passed="You will not mistake a downgrade for a backup.",
)

WRONG = [
    *given("a downgrade is not a backup", "a"),
    *given("the way back was written in advance", "c"),
    *given("alembic_version holds one id", "d"),
]
RIGHT = given("", "B")
