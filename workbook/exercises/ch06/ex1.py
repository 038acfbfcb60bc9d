"""6.1  Say which repair reaches every machine."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Choose

EXERCISE = Choose(
    right="d",
    wrong={
        "a": Mistake(
            "an applied revision is not read again",
            "init is applied, and its id stands in alembic_version: upgrade finds nothing to do and says"
            " so with silence. Only the machine of next year would get the column.",
        ),
        "b": Mistake(
            "create_all changes no table",
            "It makes tables that are missing. companies is there, so it goes on to the next one. On a"
            " machine without tables it is worse: it makes them all, and then init stops at them.",
        ),
        "c": Mistake(
            "a change that no file tells of",
            "It mends the databases that somebody thought of. The one of next year is made by the"
            " migrations, and they still know nothing of the column.",
        ),
    },
    task="say which repair reaches every machine",
    hints=(
        "Go through the machines, one by one: the new one is made by the migrations alone.",
        "On the others, init has been applied. What does upgrade compare: ids, or contents?",
    ),
    why="A new revision runs once on each database, on old ones and on those that are still to be made.",
    passed="You know how a change gets to every database.",
)

WRONG = [
    *given("an applied revision is not read again", "a"),
    *given("create_all changes no table", "b", "(b)"),
    *given("a change that no file tells of", "c", "C"),
    *given("Answer with one of the letters", "e", "a and d", "a new revision"),
    *given("Not attempted yet", "", "____"),
]
RIGHT = given("", "D", "(d)", " d ")
