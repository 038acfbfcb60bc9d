"""4.6  Give a rule a name, alone."""

from workbook.exercises import cells, edits
from workbook.exercises.kinds import Revision

EXERCISE = Revision(
    file="unique.py",
    code="""
def upgrade() -> None:
    op.create_unique_constraint("uq_companies_name", "companies", ["name"])


def downgrade() -> None:
    op.drop_constraint("uq_companies_name", "companies")
""",
    shown="""
def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
""",
    names=True,
    task="write a rule that has a name",
    hints=(
        "op.create_unique_constraint takes three things: the rule's name, the table, the columns.",
        "The columns are a list, even if there is one.",
        "op.drop_constraint takes the name of the rule and the name of its table.",
    ),
    why="With a name of its own the rule can be dropped by that name, on every machine.",
    passed="You can give a rule a name, and take it away by it.",
)

RIGHT_CODE = EXERCISE.filled
WRONG = [
    *edits(
        RIGHT_CODE,
        r"""
no name  | create_unique_constraint("uq_companies_name"  | create_unique_constraint(None  | a guessed constraint name
no name on either side  | "uq_companies_name"  | None  | a constraint without a name, dropped by name
another name  | uq_companies_name  | unique_name  | Missing: the constraint uq_companies_name, UNIQUE (name)
an index in its place  | op.create_unique_constraint("uq_companies_name", "companies", ["name"])  | op.create_index("uq_companies_name", "companies", ["name"], unique=True)  | an index is not a constraint
an index, up and down  | op.create_unique_constraint("uq_companies_name", "companies", ["name"])  | op.create_index("uq_companies_name", "companies", ["name"], unique=True)  | op.drop_constraint("uq_companies_name", "companies")  | op.drop_index("uq_companies_name", "companies")  | Missing: the constraint uq_companies_name
the column without a list  | ["name"]  | "name"  | text in place of a list
on the jobs' titles  | "companies", ["name"]  | "jobs", ["title"]  | "companies")  | "jobs")  | Missing: the constraint uq_companies_name, UNIQUE (name)
table and name swapped  | "uq_companies_name", "companies", [  | "companies", "uq_companies_name", [  | the name comes before the table
swapped on the way back  | constraint("uq_companies_name", "companies")  | constraint("companies", "uq_companies_name")  | the name comes before the table
a column that is not there  | ["name"]  | ["title"]  | title
nothing on the way back  | op.drop_constraint("uq_companies_name", "companies")  | pass  | a downgrade that does nothing
the table goes  | op.drop_constraint("uq_companies_name", "companies")  | op.drop_table("companies")  | a downgrade that takes too much
the column goes with it  | op.drop_constraint("uq_companies_name", "companies")  | op.drop_column("companies", "name")  | Missing: the column companies.name
an argument of alter_column  | op.create_unique_constraint("uq_companies_name", "companies", ["name"])  | op.alter_column("companies", "name", unique=True)  | op.drop_constraint("uq_companies_name", "companies")  | op.alter_column("companies", "name", unique=False)  | an argument that is passed over
one gap left  | ["name"]  | ____  | Not attempted yet
without op.  | op.create  | create  | op. is missing
""",
    ),
    cells(
        "nothing but the cell",
        EXERCISE.header + "\n" + (EXERCISE.shown or ""),
        says="Not attempted yet",
    ),
]
RIGHT = [
    *edits(
        RIGHT_CODE,
        r"""
with its kind  | "uq_companies_name", "companies")  | "uq_companies_name", "companies", type_="unique")
in SQL  | op.create_unique_constraint("uq_companies_name", "companies", ["name"])  | op.execute("ALTER TABLE companies ADD CONSTRAINT uq_companies_name UNIQUE (name)")
through the table  | op.create_unique_constraint("uq_companies_name", "companies", ["name"])  | with op.batch_alter_table("companies") as table:\n        table.create_unique_constraint("uq_companies_name", ["name"])
IF EXISTS  | "uq_companies_name", "companies")  | "uq_companies_name", "companies", if_exists=True)
""",
    ),
]
