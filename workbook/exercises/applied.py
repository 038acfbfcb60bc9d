"""Whether a database is where its project's own migrations lead."""

import contextlib
import io
from functools import cache

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from workbook import project, schema
from workbook.exercises import Mistake, Outcome
from workbook.exercises.child import described
from workbook.exercises.kinds import DONE, built, not_attempted
from workbook.exercises.trial import at, known, not_yet
from workbook.server import database

UNMANAGED = Mistake(
    "tables without a migration",
    "The tables are there, but Alembic's row is not: they were made in some other way. The next"
    ' upgrade would stop at "already exists".',
    "Let Alembic make them. The notebook's first cell says how to begin anew; then upgrade.",
)
STAMPED = Mistake(
    "an id without its tables",
    "alembic_version names the revision, and not all of its tables are there. The row was set by stamp"
    " or by hand, or a table was dropped: Alembic believes its row without looking.",
    "The notebook's first cell says how to begin anew; then let the upgrade itself write the row.",
)
UNKNOWN = Mistake(
    "an id that no file explains",
    "alembic_version names a revision, and alembic/versions has no file for it.",
    "Bring the file back, or begin anew: the notebook's first cell says how.",
)
STATES = (UNMANAGED, STAMPED, UNKNOWN)


STOPS = "The upgrade stops"
WAIT = (
    "The database has no revision yet. Write the command and run it. If you did, its output says why"
    " nothing has come of it: where it shows SQL, that was printed (--sql) and not sent."
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
    found, row = schema.read(connection), versions(connection)
    if row and not {*row} <= ids:
        return known(UNKNOWN)
    if len(heads) > 1 or len(scripts.get_bases()) > 1:
        return not_yet(
            f"The history has more than one end: {', '.join(sorted(heads))}.",
            "A revision too many is in alembic/versions: move its file away.",
        )
    if not row:
        if found.tables:
            return known(UNMANAGED)
        tried = _as_made(found, scripts)
        failed = tried.kind == "not yet" and tried.lines[0].startswith(STOPS)
        return tried if failed else not_attempted(WAIT)
    if row != heads:
        return not_yet(
            f"The database is at {', '.join(row)}, and the head is {heads[0]}.",
            "A revision waits to be applied.",
        )
    return _as_made(found, scripts)


def versions(connection: sa.Connection) -> list[str]:
    """The ids in alembic_version; none where there is no such table."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return []
    return list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


def _as_made(found: schema.Schema, scripts: ScriptDirectory) -> Outcome:
    """Whether these are the tables that the revisions make, the first of them as in chapter 2."""
    try:
        with database.scratch() as other, contextlib.redirect_stdout(io.StringIO()):
            project.migrate(other, scripts, scripts.get_bases()[0])
            first = schema.read(other)
            project.migrate(other, scripts, scripts.get_heads()[0])
            goal = schema.read(other)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a migration can do
        failure = described("upgrade", error, project.workspace())
        what = "The revisions cannot have made these tables: on an empty database they stop"
        return not_yet(
            f"{what if found.tables else STOPS} with {failure.name}: {failure.message}.",
            *at(failure),
        )
    first = schema.settled(first, finished(), schema.Schema({}))
    if first != finished():
        left = schema.differences(first, finished())
        return not_yet("The first revision does not make what it did in chapter 2.", *left)
    if goal.tables.keys() - found.tables.keys():
        return known(STAMPED)
    left = schema.differences(found, goal)
    return not_yet("The tables are not what the revisions make.", *left) if left else DONE
