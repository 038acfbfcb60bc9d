"""Exercises of chapter 2: the first revision."""

import ast
import tempfile
from pathlib import Path

from workbook import project
from workbook.exercises.kinds import bare, choose, order, revision
from workbook.exercises.mistakes import Mistake
from workbook.exercises.trial import IDS

JOBS = '''
def upgrade() -> None:
    """Upgrade schema."""
    op.create_table(
        "companies",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(50), nullable=False),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"]),
    )
'''

BACK = '''
def downgrade() -> None:
    """Downgrade schema."""
    op.drop_table("jobs")
    op.drop_table("companies")
'''

PARENT = """    op.create_table(
        "teams",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
    )
"""
CHILD = """    op.create_table(
        "members",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
    )
"""
TEAMS = f"""
def upgrade() -> None:
{PARENT}{CHILD}

def downgrade() -> None:
    op.drop_table("members")
    op.drop_table("teams")
"""
BROKEN = TEAMS.replace(PARENT + CHILD, CHILD + PARENT).replace('    op.drop_table("members")\n', "")


NO_WAY_THERE = Mistake(
    "the way back needs a way there",
    "The upgrade() above it does not make jobs yet, so there is no jobs to undo.",
    "Do exercise 2.3 first: it fills upgrade().",
    lambda t: t.up is not None and "jobs" not in t.up.tables,
)


def statements(source: str, function: str) -> list[str]:
    """What a function does, statement by statement, without its docstring and `pass`.

    What Python cannot read counts as a statement: somebody has written something.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return [source]
    return [
        ast.unparse(each)
        for found in ast.walk(tree)
        if isinstance(found, ast.FunctionDef) and found.name == function
        for each in found.body
        if not isinstance(each, ast.Pass) and not ast.unparse(each).startswith(("'", '"'))
    ]


def has_downgrade(source: str) -> bool:
    """Whether downgrade() does anything."""
    return bool(statements(source, "downgrade"))


def has_jobs(source: str) -> bool:
    """Whether upgrade() does more than the worked example, which creates companies."""
    example = "op.create_table('companies'"
    return any(not each.startswith(example) for each in statements(source, "upgrade"))


PARENTS = {"52d8": "e07c", "1b20": "52d8", "e07c": "93fa", "93fa": None}
CHAIN = dict(zip("abcd", PARENTS, strict=True))
WRONG_CHAINS = {
    "badc": (
        "names are for people",
        "That is the order of the files' names. Alembic does not read it from them: you may rename"
        " the files.",
    ),
    "acdb": (
        "dates are for people",
        "That is the order of the dates. Create Date is a comment: two people can make revisions in"
        " the same minute, and only one of them can come first.",
    ),
    "bacd": (
        "newest first",
        "So alembic history would list them. Applied, they begin at the other end.",
    ),
}


def chain(ids: list[str]) -> list[str]:
    """What is wrong with this order of the revisions, by Alembic itself."""
    with tempfile.TemporaryDirectory() as name:
        versions = Path(name) / "alembic" / "versions"
        versions.mkdir(parents=True)
        for each, down in PARENTS.items():
            (versions / f"{each}.py").write_text(IDS.format(revision=each, down=down))
        walk = [each.revision for each in project.scripts(Path(name)).walk_revisions()]
    for given, right in zip(ids, reversed(walk), strict=True):
        if given != right:
            return [f"When Alembic gets to {given}, the revision before it is not applied yet."]
    return []


EXERCISES = [
    choose(
        "2.1",
        right="b",
        wrong={
            "a": (
                "a bare postgresql:// means another driver",
                "Since SQLAlchemy 2.1 it asks for psycopg 3. Where that is not installed, nothing runs.",
            ),
            "c": (
                "a password in version control",
                "Everybody who can read the repository can read it, today and in its history.",
            ),
            "d": (
                "an old name",
                "postgres:// is what some hosting providers print. SQLAlchemy stopped understanding it"
                " in version 1.4.",
            ),
        },
        task="pick an address that you would commit",
        hints=(
            "Two things count: is there a secret in it, and does it name the driver?",
            "The driver stands behind a plus sign.",
        ),
        solution='check("2.1", "b")',
        why="It names the system and the driver. Host, user and password come from the environment, so"
        " the same file serves on your laptop and in production.",
        passed="You can write a database address that is safe to share.",
    ),
    order(
        "2.2",
        CHAIN,
        chain,
        lambda letters: WRONG_CHAINS.get("".join(letters)),
        task="put revisions in order",
        hints=(
            "Two columns of the table count, and neither the names nor the dates are in them.",
            "Begin with the revision that has none before it. Then look for the one that names it.",
        ),
        solution='check("2.2", "d c a b")',
        why="Each revision names the one before it in down_revision. Like links of a chain, that gives"
        " the order.",
        passed="You know how revisions find their order.",
    ),
    revision(
        "2.3",
        down=False,
        attempted=has_jobs,
        task="create jobs with its foreign key",
        hints=(
            "Go through the table above row by row: one sa.Column for each.",
            "The lengths and nullable=False are written as for companies.name.",
            'The last line is sa.ForeignKeyConstraint(["..."], ["table.column"]).',
        ),
        solution="%%writerevision alembic/versions/*_init.py" + JOBS,
        why="companies comes first because jobs refers to it. The constraint takes lists, since a key"
        " may be made of several columns.",
        passed="You can create tables that depend on each other.",
    ),
    revision(
        "2.4",
        attempted=has_downgrade,
        mistakes=(NO_WAY_THERE,),
        task="write the downgrade",
        hints=(
            "Two tables were made, so two have to go.",
            "Which of them does the other one hold on to?",
            "op.drop_table takes the name of a table. Begin with the one that was created last.",
        ),
        solution="%%writerevision alembic/versions/*_init.py" + BACK,
        why="In reverse order: as long as jobs is there, its foreign key keeps companies from being dropped.",
        passed="You can write the way back, and it was taken: up, down and up again.",
    ),
    revision(
        "2.5",
        file="teams.py",
        reference=TEAMS,
        attempted=lambda source: bare(source) != bare(BROKEN),
        task="repair a colleague's migration",
        hints=(
            "Read upgrade() as PostgreSQL would, statement by statement. Which one refers to something"
            " that is not there yet?",
            "Then compare downgrade() with it: is everything undone, and in which order?",
            "Both functions need two calls, in opposite orders.",
        ),
        solution="%%writefile practice/teams.py" + TEAMS,
        why="The parent is created first and dropped last; every create_table has its drop_table.",
        passed="You can find what is wrong with a migration before it reaches production.",
    ),
]
