"""The exercise of notebook 00: how exercises work."""

from workbook.exercises.kinds import find_out

EXERCISES = [
    find_out(
        "0.1",
        "SELECT 6 * 7",
        mistakes={
            "67": ("text, not a product", "6 and 7 side by side are text. The star multiplies."),
            "13": ("a sum, not a product", "The star multiplies, the plus adds."),
        },
        task="ask PostgreSQL for 6 times 7",
        hints=(
            "Add a cell and type %sql SELECT into it, then the calculation.",
            "The calculation is 6 * 7. Put the number that comes back in place of the gap.",
        ),
        solution='check("0.1", 42)',
        why="PostgreSQL calculates as well as any calculator: %sql SELECT 6 * 7 gives 42.",
        passed="You can ask the database and hand in an answer.",
    ),
]
