"""Exercises of chapter 3: upgrade."""

import contextlib
import io
from functools import cache

import sqlalchemy as sa

from workbook import project, schema
from workbook.exercises import Outcome
from workbook.exercises.kinds import (
    DONE,
    bare,
    built,
    choose,
    known,
    not_attempted,
    not_yet,
    order,
    revision,
    state,
)
from workbook.exercises.mistakes import Mistake
from workbook.server import database

WEBSITE = """
def upgrade() -> None:
    op.add_column("companies", sa.Column("website", sa.String(200)))


def downgrade() -> None:
    op.drop_column("companies", "website")
"""

EMPTY = """
def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
"""

STATEMENTS = {
    "a": "CREATE TABLE jobs (id serial PRIMARY KEY, company_id integer REFERENCES companies)",
    "b": "COMMIT",
    "c": "INSERT INTO alembic_version VALUES ('1f3a9c5e7b20')",
    "d": "BEGIN",
    "e": "CREATE TABLE companies (id serial PRIMARY KEY)",
    "f": "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
}

UNMANAGED = Mistake(
    "tables without a migration",
    "The tables are there, but Alembic's row is not: they were made in some other way. The next"
    ' upgrade would stop at "already exists".',
    "Let Alembic make them. Run the notebook's first cell for a clean start, then upgrade.",
    lambda trial: False,
)
STAMPED = Mistake(
    "an id without its tables",
    "alembic_version names the revision, and not all of its tables are there. The row was set by stamp"
    " or by hand, or a table was dropped: Alembic believes its row without looking.",
    "Run the notebook's first cell for a clean start, then let the upgrade itself write the row.",
    lambda trial: False,
)
UNKNOWN = Mistake(
    "an id that no file explains",
    "alembic_version names a revision, and alembic/versions has no file for it.",
    "Bring the file back, or run the notebook's first cell for a clean start.",
    lambda trial: False,
)


@cache
def finished() -> schema.Schema:
    """The schema that the finished first revision makes."""
    with built() as connection:
        return schema.read(connection)


def applied(connection: sa.Connection) -> Outcome:
    """Whether the database is where the project's own migrations lead, by its tables and its row."""
    place = project.workspace()
    if not (place / "alembic" / "versions").is_dir():
        return not_attempted("There is no Alembic environment yet: run the notebook's first cell.")
    try:
        scripts = project.scripts(place)
        heads, ids = scripts.get_heads(), {each.revision for each in scripts.walk_revisions()}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a file there can do
        return not_yet(f"Alembic cannot read the revisions: {type(error).__name__}: {error}.")
    found = schema.read(connection)
    row = []
    if sa.inspect(connection).has_table("alembic_version"):
        row = list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())
    if not row:
        if found.tables:
            return known(UNMANAGED)
        return not_attempted("The database has no revision yet. Write the command and run it.")
    if not set(row) <= ids:
        return known(UNKNOWN)
    if len(heads) > 1 or len(scripts.get_bases()) > 1:
        return not_yet(
            f"The history has more than one end: {', '.join(sorted(heads))}.",
            "A revision too many is in alembic/versions: move its file away.",
        )
    if row != heads:
        return not_yet(
            f"The database is at {', '.join(row)}, and the head is {heads[0]}.",
            "A revision waits to be applied.",
        )
    want = finished()
    try:
        with database.scratch() as other, contextlib.redirect_stdout(io.StringIO()):
            project.migrate(other, scripts, scripts.get_bases()[0])
            first = schema.read(other)
            project.migrate(other, scripts, heads[0])
            goal = schema.read(other)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a migration can do
        reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
        return not_yet(
            f"The revisions cannot have made these tables: on an empty database they stop with"
            f" {type(getattr(error, 'orig', None) or error).__name__}: {reason}."
        )
    if first != want:
        left = schema.differences(first, want)
        return not_yet("The first revision does not make what it did in chapter 2.", *left)
    if goal.tables.keys() - found.tables.keys():
        return known(STAMPED)
    left = schema.differences(found, goal)
    return not_yet("The tables are not what the revisions make.", *left) if left else DONE


def run_statements(statements: list[str]) -> list[str]:
    """Run them in order in the scratch database; what goes wrong, in words."""
    with database.scratch() as connection:
        for statement in statements:
            try:
                connection.exec_driver_sql(statement)
            except sa.exc.DBAPIError as error:
                first = str(error.orig).splitlines()[0]
                return [f"PostgreSQL stops: {first}.", f"The statement was: {statement[:50]}..."]
    return []


def statement_mistake(letters: list[str]) -> tuple[str, str] | None:
    """The well-known ways to get this order wrong."""
    if letters[0] != "d" or letters[-1] != "b":
        return (
            "something stands outside the transaction",
            "What runs before BEGIN or after COMMIT is not taken back when the migration fails.",
        )
    if letters.index("c") < letters.index("f"):
        return ("a row for a table that is not there yet", "alembic_version has to be made first.")
    if letters.index("a") < letters.index("e"):
        return (
            "the child comes before the parent",
            "jobs refers to companies, so companies has to be there.",
        )
    return None


EXERCISES = [
    order(
        "3.1",
        STATEMENTS,
        run_statements,
        statement_mistake,
        task="put a migration's statements in order",
        hints=(
            "Which two statements hold all the others between them?",
            "A table has to exist before a row goes into it, and before another one refers to it.",
        ),
        solution='check("3.1", "d f e a c b")',
        why="The transaction holds everything; parents come before children; the row is written into a"
        " table that is there.",
        passed="You can read a migration the way PostgreSQL does.",
    ),
    state(
        "3.2",
        applied,
        task="upgrade the database",
        hints=(
            "The command begins with !alembic, and you have seen it with --sql behind it.",
            "Without --sql, the same command is sent to the database.",
        ),
        solution="!alembic upgrade head",
        why="upgrade applies what is pending, head is where to stop.",
        passed="You can bring a database to the newest revision, and its tables prove it.",
    ),
    choose(
        "3.3",
        right="b",
        wrong={
            "a": (
                "Alembic does not look at your tables",
                "To make jobs again, it would have to notice that it is gone. It reads its one row, and"
                " the row says head.",
            ),
            "c": (
                "nothing is sent, so nothing can fail",
                "An error would need a statement that meets the missing table. With the row at head there"
                " is none.",
            ),
            "d": (
                "the row does not change by itself",
                "Only Alembic writes alembic_version. DROP TABLE knows nothing of it.",
            ),
        },
        task="predict an upgrade after a table was dropped by hand",
        hints=(
            "What does Alembic compare before it does anything?",
            "It compares the id in alembic_version with the ids of the files.",
        ),
        solution='check("3.3", "b")',
        why="The row names the head, so there is nothing to do. Alembic compares ids, not tables.",
        passed="You know what Alembic looks at, and what it never sees.",
    ),
    choose(
        "3.4",
        right="a",
        wrong={
            "b": (
                "one transaction, not three",
                "Alembic can use a transaction for each revision (transaction_per_migration), but by"
                " default all pending ones share one.",
            ),
            "c": (
                "nothing is half there",
                "PostgreSQL takes back a whole transaction or nothing of it.",
            ),
            "d": (
                "a failed migration is not applied",
                "The id is written in the same transaction as the tables, and goes with them.",
            ),
        },
        task="predict what three revisions leave behind when the third fails",
        hints=(
            "How many times does BEGIN stand in the output of upgrade head --sql?",
            "Everything between BEGIN and COMMIT stands or falls together.",
        ),
        solution='check("3.4", "a")',
        why="One upgrade is one transaction, however many revisions it applies.",
        passed="You can say where a failed upgrade leaves a database.",
    ),
    revision(
        "3.5",
        file="website.py",
        reference=WEBSITE,
        attempted=lambda source: bare(source) != bare(EMPTY),
        task="write a migration alone",
        hints=(
            "op.add_column takes the table's name and one sa.Column.",
            "A website may be missing: that is what nullable is about.",
            "The way back is op.drop_column, with the names of the table and of the column.",
        ),
        solution="%%writefile practice/website.py" + WEBSITE,
        why="One operation up, its opposite down. Without nullable=False the column may be empty, so the"
        " rows that are there need no value.",
        passed="You can write a migration alone. It kept the rows, and went up, down and up again.",
    ),
]
