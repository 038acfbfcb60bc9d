"""9.3  A baseline: the migration that makes what is there."""

from workbook.contents import Start
from workbook.exercises import Mistake, cells, edits
from workbook.exercises.kinds import Revision

STAMPED = Mistake(
    "a baseline that makes nothing",
    "Stamped, it would pass where the table is there already. A new machine runs it, and would have"
    " no table.",
    "Write what makes the table on an empty database.",
    lambda trial: trial.up is not None and not trial.up.tables,
)
TODAY = Mistake(
    "a value in place of an expression",
    "A default in quotes is a value. PostgreSQL reads it once, when the table is made: as one day for"
    " all rows, or not at all.",
    "sa.text(...) hands PostgreSQL an expression, which it works out for each row.",
    lambda trial: (
        trial.failed("InvalidDatetimeFormat")
        or any(
            "::date" in str(column.default)
            for table in (trial.up.tables.values() if trial.up else ())
            for column in table.columns.values()
        )
    ),
)
ANOTHER_COUNTER = Mistake(
    "an identity in place of serial",
    "Both count up, and they are not the same: an identity has no default that calls nextval, and"
    " a later revision alters it in another way. A baseline makes what is there.",
    "An Integer that is the primary key becomes serial by itself.",
    lambda trial: trial.calls("Identity"),
)
EXERCISE = Revision(
    file="baseline.py",
    names=True,
    exact=True,
    start=Start(
        "an empty database", rows="INSERT INTO subscribers (email) VALUES ('ada@b.example')"
    ),
    code="""
def upgrade() -> None:
    op.create_table(
        "subscribers",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("since", sa.Date(), server_default=sa.text("CURRENT_DATE"), nullable=False),
        sa.UniqueConstraint("email", name="one_address"),
    )
    op.create_index("by_date", "subscribers", ["since"])


def downgrade() -> None:
    op.drop_table("subscribers")
""",
    shown="""
def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
""",
    mistakes=(STAMPED, TODAY, ANOTHER_COUNTER),
    task="write a baseline for a table that is there",
    hints=(
        "Three columns, one constraint with a name, one index with a name.",
        "sa.UniqueConstraint takes the column and name=; it stands beside the columns.",
        'server_default takes sa.text("...") for what PostgreSQL is to work out, and the index is an'
        " operation of its own, op.create_index.",
    ),
    why="On an empty database it makes the very table that the old one has, names included, so the old"
    " one can be stamped with it and later revisions fit both.",
    passed="You can bring a table under Alembic that was there before it.",
)

RIGHT_CODE = EXERCISE.filled
UNIQUE = '        sa.UniqueConstraint("email", name="one_address"),\n'
INDEX = '    op.create_index("by_date", "subscribers", ["since"])\n'
WRONG = [
    cells("nothing", EXERCISE.header + "\n" + (EXERCISE.shown or ""), says="Not attempted yet"),
    cells(
        "pass, to be stamped",
        EXERCISE.header + "\ndef upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n"
        '    op.drop_table("subscribers")\n',
        says="a baseline that makes nothing",
    ),
    *edits(
        RIGHT_CODE,
        r"""
no name for the rule  | , name="one_address"  |  | Missing: the constraint one_address, UNIQUE (email)
unique on the column  | nullable=False),\n        sa.Column("since"  | nullable=False, unique=True),\n        sa.Column("since"  | \s       sa.UniqueConstraint("email", name="one_address"),\n  |  | Missing: the constraint one_address, UNIQUE (email)
a unique index in its place  | \s       sa.UniqueConstraint("email", name="one_address"),\n  |  | op.create_index("by  | op.create_index("one_address", "subscribers", ["email"], unique=True)\n    op.create_index("by  | Missing: the constraint one_address, UNIQUE (email)
no index  | \s   op.create_index("by_date", "subscribers", ["since"])\n  |  | Missing: the index by_date
an index with another name  | "by_date"  | "ix_since"  | Missing: the index by_date
index=True on the column  | nullable=False),\n        sa.Un  | nullable=False, index=True),\n        sa.Un  | \s   op.create_index("by_date", "subscribers", ["since"])\n  |  | Missing: the index by_date
the index on the address  | ["since"]  | ["email"]  | Missing: the index by_date
no default  | server_default=sa.text("CURRENT_DATE"),\s  |  | subscribers.since
Python's default  | server_default=sa.text("CURRENT_DATE")  | default=sa.text("CURRENT_DATE")  | subscribers.since
a default in quotes  | sa.text("CURRENT_DATE")  | "CURRENT_DATE"  | a value in place of an expression
now in quotes  | sa.text("CURRENT_DATE")  | "now"  | a value in place of an expression
a moment for a day  | sa.Date()  | sa.DateTime()  | subscribers.since is TIMESTAMP
another length  | 254  | 255  | another length
an address may be missing  | 254), nullable=False  | 254)  | a column may be NULL unless you say otherwise
no key  | , primary_key=True  |  | no primary key
an identity  | sa.Integer(), primary  | sa.Integer(), sa.Identity(), primary  | an identity in place of serial
nothing on the way back  | op.drop_table("subscribers")  | pass  | a downgrade that does nothing
the index alone on the way back  | op.drop_table("subscribers")  | op.drop_index("by_date")  | Extra: the table subscribers
the key by the convention  | , primary_key=True  |  | sa.UniqueC  | sa.PrimaryKeyConstraint("id", name="pk_subscribers"),\n        sa.UniqueC  | subscribers_pkey
the table first on the way back  | op.drop_table("subscribers")  | op.drop_table("subscribers")\n    op.drop_index("by_date")  | no index of this name
a plural of another kind  | subscribers  | subscriber  | Missing: the table subscribers
without sa.  | sa.Date  | Date  | sa. is missing
""",
    ),
]
RIGHT = [
    *edits(
        RIGHT_CODE,
        r"""
the index goes first  | \s   op.drop_table  | \s   op.drop_index("by_date", table_name="subscribers")\n    op.drop_table
the key as a rule  | , primary_key=True  |  | sa.UniqueC  | sa.PrimaryKeyConstraint("id"),\n        sa.UniqueC
the rule afterwards  | \s       sa.UniqueConstraint("email", name="one_address"),\n  |  | op.create_index  | op.create_unique_constraint("one_address", "subscribers", ["email"])\n    op.create_index
the index in the table  | \s   op.create_index("by_date", "subscribers", ["since"])\n  |  | name="one_address"),  | name="one_address"),\n        sa.Index("by_date", "since"),
the index's column by keyword  | ["since"]  | columns=["since"]
""",
    ),
    cells(
        "the statements themselves",
        EXERCISE.header
        + '\ndef upgrade() -> None:\n    op.execute("""\n    CREATE TABLE subscribers (\n'
        "        id serial PRIMARY KEY,\n        email varchar(254) NOT NULL,\n"
        "        since date NOT NULL DEFAULT CURRENT_DATE,\n"
        '        CONSTRAINT one_address UNIQUE (email)\n    )""")\n'
        '    op.execute("CREATE INDEX by_date ON subscribers (since)")\n\n\n'
        'def downgrade() -> None:\n    op.execute("DROP TABLE subscribers")\n',
    ),
]
