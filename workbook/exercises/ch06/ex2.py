"""6.2  Write a migration that no draft would hold: a server default."""

from workbook.exercises import cells, edits
from workbook.exercises.ch05 import functions
from workbook.exercises.kinds import Revision

SET = 'op.alter_column("jobs", "description", server_default="")'
TAKE = 'op.alter_column("jobs", "description", server_default=None)'

EXERCISE = Revision(
    file="default.py",
    exact=True,
    code=functions(SET, TAKE),
    shown=functions("pass", "pass"),
    task="write a migration for a server default",
    hints=(
        "The column is there. op.alter_column takes the table, the column, and what is to be new.",
        "What is to be new is server_default, an empty text in quotes.",
        "On the way back the same operation takes the default away: its value is None.",
    ),
    why="None takes the default away. Left out, server_default stays as it is.",
    passed="You can write by hand what no draft would hold.",
)

CODE = EXERCISE.filled
WRONG = [
    cells("nothing but the cell", EXERCISE.cell, says="Not attempted yet"),
    *edits(
        CODE,
        r"""
""",
    ),
]
RIGHT = [
    *edits(
        CODE,
        r"""
""",
    ),
]
