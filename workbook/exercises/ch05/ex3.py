"""5.3  Repair a downgrade that forgets something."""

from workbook.exercises import cells, edits
from workbook.exercises.kinds import Revision

CODE = """
def upgrade() -> None:
    op.add_column("jobs", sa.Column("remote", sa.Boolean()))
    op.create_index("ix_jobs_title", "jobs", ["title"])


def downgrade() -> None:
    op.drop_index("ix_jobs_title", "jobs")
    op.drop_column("jobs", "remote")
"""

EXERCISE = Revision(
    file="index.py",
    exact=True,
    code=CODE,
    shown="# Its author does not know yet."
    + CODE.replace('    op.drop_index("ix_jobs_title", "jobs")\n', ""),
    task="repair a downgrade that forgets something",
    hints=(
        "Count: how many operations are there in upgrade(), and how many in downgrade()?",
        "op.drop_index takes the name of the index and the name of its table.",
        "Add op.drop_index for ix_jobs_title to downgrade().",
    ),
    why="Each operation has its opposite. The forgotten one shows at the second upgrade, when nobody"
    " thinks of the first any more.",
    passed="You can test a way back, and mend it.",
)

WRONG = edits(
    EXERCISE.filled,
    r"""
nothing but the comment  | \s   op.drop_index("ix_jobs_title", "jobs")\n  |  | Not attempted yet
IF NOT EXISTS instead  | ["title"]  | ["title"], if_not_exists=True  | \s   op.drop_index("ix_jobs_title", "jobs")\n  |  | an index that stays behind
the index is left out  | \n    op.create_index("ix_jobs_title", "jobs", ["title"])  |  | \s   op.drop_index("ix_jobs_title", "jobs")\n  |  | Missing: the index
another index is dropped  | op.drop_index("ix_jobs_title"  | op.drop_index("ix_jobs_name"  | no index of this name
its column's name  | op.drop_index("ix_jobs_title", "jobs")  | op.drop_index("title")  | no index of this name
table and name swapped  | op.drop_index("ix_jobs_title", "jobs")  | op.drop_index("jobs", "ix_jobs_title")  | the name comes before the table
another table's name  | "ix_jobs_title", "jobs")\n    op.drop  | "ix_jobs_title", "companies")\n    op.drop  | an index of another table
a bracket too few  | ["title"])  | ["title"]  | Line 4 of the cell: op.create_index
dropped as a constraint  | op.drop_index  | op.drop_constraint  | an index is not a constraint
its column is dropped  | op.drop_index("ix_jobs_title", "jobs")  | op.drop_column("jobs", "title")  | Missing: the column jobs.title
the table is dropped  | op.drop_index("ix_jobs_title", "jobs")\n    op.drop_column("jobs", "remote")  | op.drop_table("jobs")  | a downgrade that takes too much
dropped twice  | op.drop_index("ix_jobs_title", "jobs")  | op.drop_index("ix_jobs_title", "jobs")\n    op.drop_index("ix_jobs_title", "jobs")  | no index of this name
the column is forgotten  | \n    op.drop_column("jobs", "remote")  |  | Extra: the column jobs.remote
nothing at all  | op.drop_index("ix_jobs_title", "jobs")\n    op.drop_column("jobs", "remote")  | pass  | a downgrade that does nothing
a unique index  | ["title"]  | ["title"], unique=True  | Extra: the index UNIQUE
an index on another column  | ["title"]  | ["remote"]  | Missing: the index btree (title) on jobs.
a column instead of a list  | ["title"]  | "title"  | text in place of a list
CONCURRENTLY  | ["title"]  | ["title"], postgresql_concurrently=True  | cannot run inside a transaction block
no column name  | op.drop_column("jobs", "remote")  | op.drop_column("jobs")  | drop_column
""",
)
RIGHT = [
    cells("in reverse", EXERCISE.header + CODE),
    *edits(
        EXERCISE.filled,
        r"""
in the same order  | op.drop_index("ix_jobs_title", "jobs")\n    op.drop_column("jobs", "remote")  | op.drop_column("jobs", "remote")\n    op.drop_index("ix_jobs_title", "jobs")
without the table  | op.drop_index("ix_jobs_title", "jobs")  | op.drop_index("ix_jobs_title")
by keyword  | op.drop_index("ix_jobs_title", "jobs")  | op.drop_index("ix_jobs_title", table_name="jobs", if_exists=True)
raw SQL  | op.drop_index("ix_jobs_title", "jobs")  | op.execute("DROP INDEX ix_jobs_title")  | op.drop_column("jobs", "remote")  | op.execute("ALTER TABLE jobs DROP COLUMN remote")
another name  | ix_jobs_title  | by_title
""",
    ),
]
