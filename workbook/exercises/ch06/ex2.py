"""6.2  Write a migration that no draft would hold: a server default."""

import ast

from workbook.exercises import Mistake, cells, edits
from workbook.exercises.ch05 import functions
from workbook.exercises.kinds import Revision
from workbook.exercises.trial import Trial

SET = 'op.alter_column("jobs", "description", server_default="")'
TAKE = 'op.alter_column("jobs", "description", server_default=None)'


def default(trial: Trial, step: str) -> str | None:
    """The default of jobs.description after a step."""
    made = trial.run.after(step)
    jobs = made.schema.tables.get("jobs") if made else None
    column = jobs.columns.get("description") if jobs else None
    return column.default if column else None


def argument(trial: Trial, name: str, value: object) -> list[ast.keyword]:
    """Whether alter_column gets this argument with this value, a constant."""
    return [
        each
        for call in trial.calls("alter_column")
        for each in call.keywords
        if each.arg == name and isinstance(each.value, ast.Constant) and each.value.value == value
    ]


EXERCISE = Revision(
    file="default.py",
    exact=True,
    code=functions(SET, TAKE),
    shown=functions("pass", "pass"),
    mistakes=(
        Mistake(
            "default= is Python's, not the database's",
            "default= is for objects that Python makes. alter_column does not know it, and says nothing.",
            "The argument that stands for the database's own default is called otherwise.",
            lambda t: [
                call
                for call in t.calls("alter_column")
                if "default" in {each.arg for each in call.keywords}
            ],
        ),
        Mistake(
            "quotes within the quotes",
            "A text that is given as server_default is put into quotes for you. With two more in it, new jobs"
            " are described by two quotes.",
            "Give the text as Python holds it, or SQL as sa.text(...).",
            lambda t: (default(t, "upgrade") or "").startswith("''''") and "In the upgrade.",
        ),
        Mistake(
            "NULL is no default",
            "nullable=True lets a description be missing. Asked for is a value that the database fills in, and"
            " a column that always has one.",
            "Leave nullable as it is.",
            lambda t: argument(t, "nullable", True) and "jobs.description may be NULL now.",
        ),
        Mistake(
            "a default that stays behind",
            "After the downgrade, jobs.description still has the default that the upgrade gave it. An argument"
            " that is left out, or False, means: leave it as it is.",
            "There is a value that means none at all.",
            lambda t: (
                t.down is not None
                and default(t, "upgrade") == default(t, "downgrade") != default(t, "before")
                and "It is about jobs.description."
            ),
        ),
    ),
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
        rf"""
a gap in the middle  | ""  | ____  | Not attempted yet
Python's default  | server_default=""  | default=""  | default= is Python's, not the database's
a default of two quotes  | server_default=""  | server_default="''"  | quotes within the quotes
no value at all  | server_default=""  | server_default=None  | Different: jobs.description is VARCHAR NOT NULL
the word for none  | ""  | "NULL"  | Different: jobs.description is VARCHAR NOT NULL DEFAULT 'NULL'
SQL that is no expression  | ""  | sa.text("")  | syntax error at end of input
may be NULL instead  | server_default=""  | nullable=True  | NULL is no default
the default and NULL  | server_default=""  | server_default="", nullable=True  | NULL is no default
the column anew  | {SET}  | op.add_column("jobs", sa.Column("description", sa.String(), server_default=""))  | a column that is there already
dropped and made anew  | {SET}  | op.drop_column("jobs", "description")\n    op.add_column("jobs", sa.Column("description", sa.String(), nullable=False, server_default=""))  | rows that were there are not the same
rows in place of a default  | {SET}  | op.execute("UPDATE jobs SET description = ''")  | {TAKE}  | pass  | Different: jobs.description
rows as well  | {SET}  | {SET}\n    op.execute("UPDATE jobs SET description = ''")  | rows that were there are not the same
another table  | "jobs"  | "companies"  | column "description" of relation "companies" does not exist
the class's name  | "jobs"  | "Job"  | relation "Job" does not exist
another column  | "description"  | "title"  | Different: jobs.description
a function that is not there  | {SET}  | op.set_default("jobs", "description", "")  | an operation that Alembic does not have
a column object  | "description", server_default=""  | sa.Column("description", sa.String(), server_default="")  | asked for is VARCHAR NOT NULL DEFAULT
nothing on the way back  | {TAKE}  | pass  | a default that stays behind
the same on the way back  | {TAKE}  | {SET}  | a default that stays behind
left out on the way back  | {TAKE}  | op.alter_column("jobs", "description")  | a default that stays behind
False on the way back  | server_default=None  | server_default=False  | a default that stays behind
the word for none on the way back  | server_default=None  | server_default="NULL"  | Different: jobs.description
the column goes on the way back  | {TAKE}  | op.drop_column("jobs", "description")  | Missing: the column jobs.description
up and down swapped  | {SET}  | ?  | {TAKE}  | {SET}  | ?  | {TAKE}  | Different: jobs.description is VARCHAR NOT NULL, asked
a bracket too few  | server_default="")  | server_default=""  | Line 3 of the cell
a type nobody asked for  | server_default=""  | server_default="", type_=sa.Text()  | Different: jobs.description
a length nobody asked for  | server_default=""  | server_default="", type_=sa.String(100)  | another length
create_all  | {SET}  | from jobboard.database import Base\n    Base.metadata.create_all(op.get_bind())  | create_all in a migration
""",
    ),
]
RIGHT = [
    *edits(
        CODE,
        rf"""
as the draft of a careful setting  | ", server_default  | ", existing_type=sa.String(), existing_nullable=False, server_default
in SQL  | {SET}  | op.execute("ALTER TABLE jobs ALTER description SET DEFAULT ''")  | {TAKE}  | op.execute("ALTER TABLE jobs ALTER description DROP DEFAULT")
as an expression  | server_default=""  | server_default=sa.text("''")
through the table  | {SET}  | with op.batch_alter_table("jobs") as jobs:\n        jobs.alter_column("description", server_default="")
by keyword  | "jobs", "description"  | table_name="jobs", column_name="description"
""",
    ),
]
