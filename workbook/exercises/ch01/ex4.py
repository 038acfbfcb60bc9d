"""1.4  Say why create_all changed nothing."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Choose

EXERCISE = Choose(
    right="c",
    wrong={
        "a": Mistake(
            "create_all never compares",
            "It asks one question only: is there a table of that name? If so, it goes on to the"
            " next table, whatever its columns are.",
        ),
        "b": Mistake(
            "the data are not the reason",
            "The table was empty in this chapter too, and still nothing changed. create_all does not"
            " look at rows, nor at columns.",
        ),
        "d": Mistake(
            "there is nothing to commit",
            "create_all commits what it does. It has done nothing here that could be committed.",
        ),
    },
    task="say why create_all changed nothing",
    hints=(
        "What would create_all have to know in order to add a column?",
        "It checks for the names of tables and for nothing else.",
    ),
    why="create_all makes what is missing, table by table. How an existing table gets from its old"
    " shape to a new one is what a migration says.",
    passed="You can say what create_all is for, and where migrations begin.",
)

WRONG = [
    *given("create_all never compares", "a"),
    *given("the data are not the reason", "b"),
    *given("there is nothing to commit", "d"),
    *given("Answer with one of the letters a, b, c, d", "names"),
]
RIGHT = given("", " (C) ")
