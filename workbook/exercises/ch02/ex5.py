"""2.5  Repair a colleague's migration."""

from workbook.exercises import Answer, cells, edits
from workbook.exercises.kinds import Revision

TEAMS = """    op.create_table(
        "teams",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
    )
"""
MEMBERS = """    op.create_table(
        "members",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
    )
"""
BROKEN = f"""def upgrade() -> None:
{MEMBERS}{TEAMS}

def downgrade() -> None:
    op.drop_table("teams")
"""

EXERCISE = Revision(
    file="teams.py",
    exact=True,
    code=f"""
def upgrade() -> None:
{TEAMS}{MEMBERS}

def downgrade() -> None:
    op.drop_table("members")
    op.drop_table("teams")
""",
    shown="# This has never run.\n" + BROKEN,
    task="repair a colleague's migration",
    hints=(
        "Read upgrade() as PostgreSQL would, statement by statement. Which one refers to something"
        " that is not there yet?",
        "Then compare downgrade() with it: is everything undone, and in which order?",
        "Both functions need two calls, in opposite orders.",
    ),
    why="The parent is created first and dropped last; every create_table has its drop_table.",
    passed="You can find what is wrong with a migration before it reaches production.",
)

CODE = EXERCISE.filled

WRONG = [
    Answer("nothing but the comment", "Not attempted yet", code=BROKEN),
    *edits(
        BROKEN,
        r"""
an empty line more  | )\n    op  | )\n\n    op  | Not attempted yet
the downgrade alone  | op.drop  | op.drop_table("members")\n    op.drop  | the child comes before the parent
""",
    ),
    *edits(
        CODE,
        r"""
the upgrade alone  | \n    op.drop_table("members")  |  | the parent is dropped before the child
both in the same order  | \n    op.drop_table("members")  |  | op.drop_table("teams")  | op.drop_table("teams")\n    op.drop_table("members")  | the parent is dropped before the child
the rule is gone  | \n        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),  |  | \n    op.drop_table("members")  |  | op.drop_table("teams")  | op.drop_table("teams")\n    op.drop_table("members")  | an id is not a rule
half a downgrade  | \n    op.drop_table("teams")  |  | Extra: the table teams.
nothing in the downgrade  | op.drop_table("members")\n    op.drop_table("teams")  | pass  | a downgrade that does nothing
everything goes  | op.drop_table("teams")  | op.drop_table("teams")\n    op.drop_table("jobs")\n    op.drop_table("companies")  | a downgrade that takes too much
companies go  | op.drop_table("teams")  | op.drop_table("teams")\n    op.drop_table("companies")  | a downgrade that takes too much
a bracket too few  | ["teams.id"])  | ["teams.id"]  | '(' was never closed
an index of its own, and another table's  | ["teams.id"]),\n    )  | ["teams.id"]),\n    )\n    op.create_index("ix_team", "members", ["team_id"])  | op.drop_table("members")  | op.drop_index("ix_team", "teams")\n    op.drop_table("members")  | an index of another table
an enum type stays  | sa.String(80)  | sa.Enum("red", "blue", name="colour")  | a type that stays behind
an unnamed UNIQUE  | \n\n\n  | \n    op.create_unique_constraint(None, "teams", ["name"])\n\n\n  | op.drop_table("members")  | op.drop_constraint(None, "teams", type_="unique")\n    op.drop_table("members")  | a constraint without a name, dropped by name
a name that is too long  | \n\n\n  | \n    op.create_index("ix_long_long_long_long_long_long_long_long_long_long_long_long_long_", "teams", ["name"])\n\n\n  | exceeds maximum length of 63 characters
a colon in the text  | \n\n\n  | \n    op.execute("INSERT INTO teams (name) VALUES (':red')")\n\n\n  | a colon in SQL text
""",
    ),
    cells(
        "a folder in place of the file",
        "from pathlib import Path\n\nPath('practice/teams.py').mkdir()",
        says="Not attempted yet",
    ),
]

RIGHT = [
    Answer("in order", code=CODE),
    *edits(
        CODE,
        r'''
a Session that commits, within Alembic's transaction  | \n\n\n  | \n    from sqlalchemy.orm import Session\n\n    session = Session(op.get_bind())\n    session.commit()\n\n\n
named, and the comment left in  | upgrade() -> None:\n  | upgrade() -> None:\n    # This has never run.\n  | ["teams.id"]  | ["teams.id"], name="fk"
a whole revision file  | def upgrade  | """teams"""\nfrom alembic import op\nimport sqlalchemy as sa\n\nrevision = "0123456789ab"\ndown_revision = None\n\n\ndef upgrade
''',
    ),
]
