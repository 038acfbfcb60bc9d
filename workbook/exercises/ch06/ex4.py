"""6.4  Give a table another name, alone."""

from workbook.exercises import Answer, cells
from workbook.exercises.ch05 import functions
from workbook.exercises.kinds import Revision

UP = 'op.rename_table("jobs", "postings")'
DOWN = 'op.rename_table("postings", "jobs")'

EXERCISE = Revision(
    file="postings.py",
    exact=True,
    code=functions(UP, DOWN),
    shown=functions("pass", "pass"),
    task="give a table another name",
    hints=(
        "Neither create_table nor drop_table: the rows would not come along.",
        "The operation is called what it does: op.rename_table.",
        "It takes the old name and the new one. On the way back they change places.",
    ),
    why="The table keeps its rows, its keys and the ties to companies; only its name changes.",
    passed="You can rename a table without losing a row.",
)

CODE = EXERCISE.filled
WRONG = [
    cells("nothing but the cell", EXERCISE.cell, says="Not attempted yet"),
]
RIGHT: list[Answer] = []
