"""2.7  Write a revision for a table that refers to itself."""

from workbook.exercises import Answer, cells, edits
from workbook.exercises.kinds import Revision

EXERCISE = Revision(
    file="departments.py",
    exact=True,
    code="""
def upgrade() -> None:
    op.create_table(
        "departments",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("part_of", sa.Integer()),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"]),
        sa.ForeignKeyConstraint(["part_of"], ["departments.id"]),
    )


def downgrade() -> None:
    op.drop_table("departments")
""",
    shown="def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n",
    task="write a revision for a table that refers to itself",
    hints=(
        "One table, four columns. Which of them may be missing?",
        "There are two foreign keys, and one of them refers to the table that it stands in.",
    ),
    why="A foreign key may refer to its own table. The department at the top is part of none, so the"
    " column may be missing (NULL): with NOT NULL nobody could add the first row.",
    passed="You can write a tree as a table.",
)

CODE = EXERCISE.filled
UPGRADE, _, DOWNGRADE = CODE.partition("\n\n\n")

WRONG = [
    cells("nothing", says="Not attempted yet"),
    *edits(
        CODE,
        r"""
each is part of another  | "part_of", sa.Integer()  | "part_of", sa.Integer(), nullable=False  | a column that must have a value
a department of no company  | "company_id", sa.Integer(), nullable=False  | "company_id", sa.Integer()  | a column may be NULL unless you say otherwise
it may have no name  | (60), nullable=False  | (60)  | a column may be NULL unless you say otherwise
another length  | (60)  | (50)  | another length
no rule for its own table  | \n        sa.ForeignKeyConstraint(["part_of"], ["departments.id"]),  |  | Missing: the constraint FOREIGN KEY (part_of)
no rule for the company  | \n        sa.ForeignKeyConstraint(["company_id"], ["companies.id"]),  |  | Missing: the constraint FOREIGN KEY (company_id)
it refers to the company's id  | ["departments.id"]  | ["companies.id"]  | Extra: the constraint FOREIGN KEY (part_of) REFERENCES companies
the name of the other department  | "part_of", sa.Integer()  | "part_of", sa.String(60)  | a key of another type
a table without its column  | "part_of", sa.Integer()  | "part_of", sa.Integer(), sa.ForeignKey("departments")  | \n        sa.ForeignKeyConstraint(["part_of"], ["departments.id"]),  |  | a foreign key names table and column
the same, in a rule of its own  | ["departments.id"]  | ["departments"]  | a foreign key names table and column
a column of another name  | part_of  | parent_id  | Missing: the column departments.part_of
nothing back  | op.drop_table("departments")  | pass  | a downgrade that does nothing
the company goes, too  | op.drop_table("departments")  | op.drop_table("departments")\n    op.drop_table("companies")  | a downgrade that takes too much
""",
    ),
    Answer("no way back", "a function that Alembic does not find", code=UPGRADE),
]

RIGHT = [
    *edits(
        CODE,
        r"""
the rule in the column  | "part_of", sa.Integer()  | "part_of", sa.Integer(), sa.ForeignKey("departments.id")  | \n        sa.ForeignKeyConstraint(["part_of"], ["departments.id"]),  | 
nullable said  | "part_of", sa.Integer()  | "part_of", sa.Integer(), nullable=True
the rule in a second step  | \n        sa.ForeignKeyConstraint(["part_of"], ["departments.id"]),\n    )  | \n    )\n    op.create_foreign_key(None, "departments", "departments", ["part_of"], ["id"])
""",
    ),
]
