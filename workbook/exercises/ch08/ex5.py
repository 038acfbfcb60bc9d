"""8.5  One enum in two revisions."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Choose

EXERCISE = Choose(
    right="b",
    wrong={
        "a": Mistake(
            "the same on all versions",
            "Every version that is supported today makes an enum type once and refuses a second one of the same name.",
            "What differs is how many times alembic was started.",
        ),
        "c": Mistake(
            "a type does not go with its table",
            "Dropping a table leaves its enum type where it is: that is what this section is about. And nothing"
            " was dropped on the build server.",
            "How many runs of alembic did each of the two machines see?",
        ),
        "d": Mistake(
            "an applied revision does not run again",
            "Alembic compares ids: a revision that is applied is passed over. The error names the second one.",
            "How many runs of alembic did each of the two machines see?",
        ),
    },
    task="explain a type that exists already",
    hints=(
        "Count the runs of alembic: one on the build server, two in production.",
        "Both times the second revision says create_table with the same enum. Something remembers, and forgets.",
    ),
    why="A run of Alembic keeps a note of the types that it has made, so a second create_table in that run makes"
    " none. The next run starts without the note. In the second revision, postgresql.ENUM(..., create_type=False)"
    " makes none in either case.",
    passed="You can tell why a migration works in one run and fails in two.",
)
WRONG = [
    *given("the same on all versions", "a", "A", "(a)"),
    *given("a type does not go with its table", "c", "C."),
    *given("an applied revision does not run again", "d", " D "),
    *given("Answer with one of the letters", "e", "ab"),
    *given("Not attempted yet", "", "____", None),
]
RIGHT = given("", "B", "(b)", " b. ")
