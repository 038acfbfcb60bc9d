"""6.3  Repair a draft that takes a rename for a drop and an add."""

import ast

from workbook.exercises import Answer, Mistake, cells, edits
from workbook.exercises.ch05 import functions
from workbook.exercises.kinds import Revision
from workbook.exercises.trial import Trial

UP = 'op.alter_column("companies", "name", new_column_name="legal_name")'
DOWN = 'op.alter_column("companies", "legal_name", new_column_name="name")'


def drafted(new: str, old: str) -> list[str]:
    """What Alembic drafts where a column gets another name."""
    column = f'sa.Column("{new}", sa.String(length=50), nullable=False)'
    return [f'op.add_column("companies", {column})', f'op.drop_column("companies", "{old}")']


def left_as_drafted(trial: Trial) -> str:
    """The function that drops a column and adds another, and carries nothing over."""
    for name in ("upgrade", "downgrade"):
        carried = any(
            "UPDATE" in ast.unparse(call).upper() for call in trial.calls("execute", name)
        )
        if trial.calls("add_column", name) and trial.calls("drop_column", name) and not carried:
            return f"{name}() drops a column and adds one."
    return ""


EXERCISE = Revision(
    file="legal_name.py",
    exact=True,
    code=functions(UP, DOWN),
    shown=functions(drafted("legal_name", "name"), drafted("name", "legal_name")),
    mistakes=(
        Mistake(
            "a rename is not a drop and an add",
            "A column that is added is empty, and a column that is dropped takes its values with it. Nothing"
            " carries them from the one to the other.",
            "Look for the operation that changes a column which is there.",
            left_as_drafted,
        ),
    ),
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
ADD, DROP = drafted("legal_name", "name")
LOST = "a rename is not a drop and an add"
MAY_BE_NULL = ADD.replace("False", "True")
FILL = 'op.execute("UPDATE companies SET legal_name = name")'


def upgrade(name: str, *lines: str, says: str = "") -> Answer:
    """An upgrade() of these lines."""
    return Answer(name, says, code=CODE.replace(UP, "\n    ".join(lines)))


WRONG = [
    cells("nothing but the cell", EXERCISE.cell, says="Not attempted yet"),
    cells(
        "a comment in the draft",
        EXERCISE.cell.replace("def upgrade", "# looks good\ndef upgrade"),
        says="Not attempted yet",
    ),
    Answer("the upgrade alone", LOST, code=functions(UP, drafted("name", "legal_name"))),
    Answer("the way back alone", LOST, code=functions([ADD, DROP], DOWN)),
    upgrade("may be NULL", MAY_BE_NULL, DROP, says=LOST),
    upgrade(
        "a default of the database",
        ADD.replace("nullable", 'server_default="", nullable'),
        DROP,
        says=LOST,
    ),
    upgrade(
        "a default of Python", ADD.replace("nullable", 'default="", nullable'), DROP, says=LOST
    ),
    upgrade("filled too late", ADD, FILL, DROP, says="NOT NULL on a table that holds rows"),
    upgrade(
        "filled, and NULL for ever",
        MAY_BE_NULL,
        FILL,
        DROP,
        says="a column may be NULL unless you say otherwise",
    ),
    upgrade(
        "the old one stays",
        MAY_BE_NULL,
        FILL,
        'op.alter_column("companies", "legal_name", nullable=False)',
        says="Extra: the column companies.name",
    ),
    upgrade("dropped first", DROP, MAY_BE_NULL, FILL, says='column "name" does not exist'),
    *edits(
        CODE,
        rf"""
a gap  | "legal_name")  | ____)  | Not attempted yet
the old name twice  | new_column_name="legal_name"  | new_column_name="name"  | column "name" of relation "companies" already exists
the names swapped  | {UP}  | ?  | {DOWN}  | {UP}  | ?  | {DOWN}  | column "legal_name" does not exist
new_name  | new_column_name  | new_name  | an argument that is passed over
name  | new_column_name  | name  | got multiple values for keyword argument 'name'
no keyword  | new_column_name=  |  | takes 3 positional arguments but 4 were given
another table  | "companies"  | "jobs"  | Line 3 of the cell: op.alter_column("jobs"
the class's name  | "companies"  | "Company"  | relation "Company" does not exist
the table renamed  | {UP}  | op.rename_table("name", "legal_name")  | relation "name" does not exist
an operation that is not there  | {UP}  | op.rename_column("companies", "name", "legal_name")  | an operation that Alembic does not have
no column  | "name", new  | new  | missing 1 required positional argument: 'column_name'
a space  | name="legal_name"  | name="legal name"  | Extra: the column companies.legal name
a letter  | name="legal_name"  | name="legalname"  | Extra: the column companies.legalname
the length goes  | name="legal_name"  | name="legal_name", type_=sa.String()  | another length
may be NULL, renamed  | name="legal_name"  | name="legal_name", nullable=True  | a column may be NULL unless you say otherwise
nothing on the way back  | {DOWN}  | pass  | a downgrade that does nothing
the column goes on the way back  | {DOWN}  | op.drop_column("companies", "legal_name")  | Missing: the column companies.name
the names go on the way back  | {DOWN}  | {DOWN}\n    op.execute("UPDATE companies SET name = ''")  | rows that were there are not the same
not the way back  | {DOWN}  | {UP}  | column "name" does not exist
""",
    ),
]
RIGHT = [
    upgrade(
        "added, filled, required, dropped",
        MAY_BE_NULL,
        FILL,
        'op.alter_column("companies", "legal_name", nullable=False)',
        DROP,
    ),
    upgrade(
        "a default until it is filled",
        ADD.replace("nullable", 'server_default="", nullable'),
        FILL,
        'op.alter_column("companies", "legal_name", server_default=None)',
        DROP,
    ),
    *edits(
        CODE,
        rf"""
in SQL  | {UP}  | op.execute("ALTER TABLE companies RENAME name TO legal_name")  | {DOWN}  | op.execute("ALTER TABLE companies RENAME COLUMN legal_name TO name")
with what is there  | name="legal_name"  | name="legal_name", existing_type=sa.String(length=50), existing_nullable=False
through the table  | {UP}  | with op.batch_alter_table("companies") as companies:\n        companies.alter_column("name", new_column_name="legal_name")
""",
    ),
]
