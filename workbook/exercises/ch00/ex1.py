"""0.1  Ask PostgreSQL for 6 times 7: how exercises work."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import FindOut

EXERCISE = FindOut(
    question="SELECT 6 * 7",
    right="42",
    wrong={
        "67": Mistake("text, not a product", "6 and 7 side by side are text. The star multiplies."),
        "13": Mistake("a sum, not a product", "The star multiplies, the plus adds."),
    },
    task="ask PostgreSQL for 6 times 7",
    hints=(
        "Add a cell and type %sql SELECT into it, then the calculation.",
        "The calculation is 6 * 7. Put the number that comes back in place of the gap.",
    ),
    why="PostgreSQL calculates as well as any calculator: %sql SELECT 6 * 7 gives 42.",
    passed="You can ask the database and hand in an answer.",
)

WRONG = [
    *given("text, not a product", "67"),
    *given("a sum, not a product", 13),
    *given("That is not what comes out: 'forty-two'", "forty-two"),
    *given("Not attempted yet", "  "),
]
RIGHT = given("", 42, " '42' ", [(42,)])
