"""10.4  A pull request, mended until the review has nothing to object."""

import re

from workbook.contents import MERGED, Start
from workbook.exercises import Mistake, cells, edits
from workbook.exercises.ch10.ex3 import OWNED
from workbook.exercises.kinds import Reviewed

ADD = 'op.add_column("jobs", sa.Column("salary", sa.Integer(){more}))'
GRACE = f"""
def upgrade() -> None:
    {ADD.format(more="")}
    op.execute("UPDATE jobs SET salary = 0")
    op.alter_column("jobs", "salary", nullable=False)


def downgrade() -> None:
    pass
"""
PYTHONS = Mistake(
    "a default that PostgreSQL never hears of",
    "default= is Python's: it fills rows that SQLAlchemy adds. The rows that are there, and an"
    " application that knows nothing of the column, get none.",
    "The default has to be the server's.",
    lambda trial: trial.calls("Column") and bool(re.search(r"\bdefault\s*=\s*0", trial.source)),
    step="upgrade",
)
EXERCISE = Reviewed(
    file="salary.py",
    start=Start("the merge", heads=(MERGED,), applied=(MERGED,), rows=OWNED),
    code=f"""
def upgrade() -> None:
    {ADD.format(more=', server_default="0", nullable=False')}


def downgrade() -> None:
    op.drop_column("jobs", "salary")
""",
    shown=GRACE,
    mistakes=(PYTHONS,),
    task="mend a pull request until the review has nothing to object",
    hints=(
        "Three objections fall with one: no statement has to touch the rows at all.",
        "A new column may be required from the start, if the server has a value for the rows that are"
        " there and for those that the old application adds.",
    ),
    why="PostgreSQL keeps a constant default beside the table and gives it to all rows, old and new:"
    " nothing is read, nothing written, and whoever knows nothing of the column can go on.",
    passed="You have made the slow part disappear, and not only moved it.",
)

CODE = EXERCISE.filled
WRONG = [
    cells("as Grace has it", EXERCISE.header + GRACE, says="Not attempted yet"),
    cells(
        "her upgrade with a way back",
        EXERCISE.header + GRACE.replace("    pass", '    op.drop_column("jobs", "salary")'),
        says="asked for is INTEGER NOT NULL DEFAULT 0",
    ),
    *edits(
        CODE,
        r"""
her three statements and a default  | , server_default="0", nullable=False))  | ))\n    op.execute("UPDATE jobs SET salary = 0")\n    op.alter_column("jobs", "salary", server_default="0", nullable=False)  | Readers and writers of jobs wait since statement 1
required afterwards  | , nullable=False))  | ))\n    op.alter_column("jobs", "salary", nullable=False)  | reads all rows of jobs
the rows once more  | nullable=False))  | nullable=False))\n    op.execute("UPDATE jobs SET salary = 0")  | changes 1,000 rows of jobs
it may be missing  | , nullable=False  |  | a column may be NULL unless you say otherwise
no default  | server_default="0",\s  |  | NOT NULL on a table that holds rows
a number for the server  | server_default="0"  | server_default=0  | a default for the server is SQL
Python's default  | server_default="0"  | default=0  | a default that PostgreSQL never hears of
the default is taken back  | nullable=False))  | nullable=False))\n    op.alter_column("jobs", "salary", server_default=None)  | asked for is INTEGER NOT NULL DEFAULT 0
another default  | "0"  | "1"  | asked for is INTEGER NOT NULL DEFAULT 0
text  | sa.Integer()  | sa.String()  | jobs.salary
money  | sa.Integer()  | sa.Numeric(10, 2)  | jobs.salary
on companies  | "jobs", sa.  | "companies", sa.  | Missing: the column jobs.salary
no way back  | op.drop_column("jobs", "salary")  | pass  | a downgrade that does nothing
with her index  | nullable=False))  | nullable=False))\n    op.create_index("ix_jobs_salary", "jobs", ["salary"])  | Extra: the index
a table lock first  | op.add_column  | op.execute("UPDATE jobs SET title = title")\n    op.add_column  | rows of jobs
""",
    ),
]
RIGHT = [
    *edits(
        CODE,
        r"""
the default as SQL  | "0"  | sa.text("0")
the order of the arguments  | server_default="0", nullable=False  | nullable=False, server_default="0"
a default in both places  | server_default="0"  | default=0, server_default="0"
""",
    ),
    cells(
        "the statements themselves",
        EXERCISE.header
        + '\ndef upgrade() -> None:\n    op.execute("ALTER TABLE jobs ADD salary int NOT NULL DEFAULT 0")'
        '\n\n\ndef downgrade() -> None:\n    op.execute("ALTER TABLE jobs DROP salary")\n',
    ),
]
