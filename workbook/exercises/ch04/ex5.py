"""4.5  Delete a company and its jobs."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Choose

EXERCISE = Choose(
    right="b",
    wrong={
        "a": Mistake(
            "the parent cannot go first",
            "While a job refers to the company, the delete is refused, as you have just seen.",
        ),
        "c": Mistake(
            "the rule is not the enemy",
            "Without the constraint the delete works, and leaves jobs of a company that does not"
            " exist. Afterwards the rule can only be put back as NOT VALID, which looks away from them.",
        ),
        "d": Mistake(
            "CASCADE belongs to the constraint",
            "DELETE knows no CASCADE. It is a property of the foreign key, chosen when that is made.",
        ),
    },
    task="delete a company and its jobs",
    hints=("Which rows refer to which?", "As with tables in a downgrade: children first."),
    why="Children first, parent next, and one transaction around both, so that nobody sees a company"
    " without its jobs in between.",
    passed="You can work with a foreign key and not against it.",
)

WRONG = [
    *given("the parent cannot go first", "a"),
    *given("the rule is not the enemy", "c"),
    *given("CASCADE belongs to the constraint", "d"),
]
RIGHT = given("", "B")
