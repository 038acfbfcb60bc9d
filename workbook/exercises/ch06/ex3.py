"""6.3  Repair a draft that takes a rename for a drop and an add."""

from workbook.exercises import Answer, cells
from workbook.exercises.ch05 import functions
from workbook.exercises.kinds import Revision

UP = 'op.alter_column("companies", "name", new_column_name="legal_name")'
DOWN = 'op.alter_column("companies", "legal_name", new_column_name="name")'


def drafted(new: str, old: str) -> list[str]:
    """What Alembic drafts where a column gets another name."""
    column = f'sa.Column("{new}", sa.String(length=50), nullable=False)'
    return [f'op.add_column("companies", {column})', f'op.drop_column("companies", "{old}")']


EXERCISE = Revision(
    file="legal_name.py",
    exact=True,
    code=functions(UP, DOWN),
    shown=functions(drafted("legal_name", "name"), drafted("name", "legal_name")),
    task="repair the draft of a rename",
    hints=(
        "Two operations that belong together: one operation can say it.",
        "op.alter_column takes the table, the column, and what is to be new about it.",
        "What is to be new is new_column_name. The way back has the two names swapped.",
    ),
    why="PostgreSQL renames the column where it is: every row stays, and so do its type and its constraints.",
    passed="You will not apply a rename as a drop and an add.",
)

CODE = EXERCISE.filled
WRONG = [
    cells("nothing but the cell", EXERCISE.cell, says="Not attempted yet"),
]
RIGHT: list[Answer] = []
