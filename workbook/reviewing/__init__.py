"""What a migration does to the tables of people who work meanwhile: measured, not looked up.

`watch` sees what each statement locks, reads and rewrites, and whom that makes wait; `fill` makes
rows; `limits` asks env.py; `trial` runs a revision up, down and up again on a scratch database;
`report` says it. This file is what notebooks and the command line ask.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from workbook import WorkbookError, apart, look
from workbook.pictures.picture import Picture
from workbook.reviewing import report
from workbook.reviewing.trial import Job, Review, on_database
from workbook.server import database

ROWS = 1000
PLACE = f"{on_database.__module__}:{on_database.__name__}"
MODELS = "jobboard.models:Base.metadata"
# What a scratch database may be: see workable().
HOLDS = """
SELECT FROM pg_class WHERE relnamespace IN
    (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
UNION ALL SELECT FROM pg_type WHERE typnamespace = to_regnamespace('public')
UNION ALL SELECT FROM pg_proc WHERE pronamespace = to_regnamespace('public')
"""


def review(revision: str = "+1", rows: int = ROWS) -> Picture:
    """What the next revisions do, statement by statement, each tried on the scratch database.

    `revision` is what `alembic upgrade` takes, from where the database is: "+1", "head", an id. An
    id that is applied already is reviewed by itself. `rows` go into each table. Raises WorkbookError.
    """
    scripts = look.scripts()
    with look.connected() as connection:
        here = MigrationContext.configure(connection).get_current_heads()
    revisions = _pending(scripts, revision, here)
    with database.scratch() as connection:
        found = measured(connection, revisions, Path.cwd(), rows, MODELS)
    written = "\n".join(map(report.markdown, found))
    return Picture("\n\n\n".join(map(report.text, found)), {"text/markdown": written})


def measured(
    connection: sa.Connection,
    revisions: tuple[str, ...],
    folder: Path,
    rows: int = ROWS,
    models: str = "",
) -> list[Review]:
    """The reviews of a folder's revisions, in a process of its own, on the scratch database.

    Raises WorkbookError.
    """
    job = Job("alembic.ini", revisions, rows, models=models)
    try:
        found = apart.on_database(connection, PLACE, job, folder=folder)
    except apart.Stopped as stopped:
        raise WorkbookError(f"The review was stopped: {stopped}.") from None
    if isinstance(found, str):
        raise WorkbookError(found)
    return list(found)


def _pending(scripts: ScriptDirectory, revision: str, here: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of the revisions that an upgrade would run; raises WorkbookError for none."""
    done = WorkbookError(
        "There is nothing to review: the database is at the head. An id reviews a revision that is"
        ' applied already: review("7e95d0a2c1b8").'
    )
    if "+" in revision and {*here} == {*scripts.get_heads()}:
        raise done
    try:
        steps = scripts._upgrade_revs(revision, here or None)  # type: ignore[arg-type]
        named = None if "+" in revision else scripts.get_revision(revision)
    except (CommandError, KeyError) as error:
        raise WorkbookError(f"Alembic cannot find {revision!r}: {look.first_line(error)}") from None
    found = tuple(step.revision.revision for step in steps)
    if not found and named and revision not in ("head", "heads"):
        return (named.revision,)
    if not found:
        raise done
    return found


SECONDS = 600  # for a project of one's own: a large one may take minutes
OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


def review_project(
    scratch: str,
    revision: str,
    config: str,
    rows: int,
    sql: str = "",
    models: str = "",
) -> list[Review]:
    """The reviews of revisions of any project, on a scratch database at an address of its own.

    `revision` is an id, "head", or a range, after:upto. The project's env.py applies none of them,
    so it cannot lead to another database (see limits.of_env). Raises WorkbookError.
    """
    if not Path(config).is_file():
        raise WorkbookError(f"There is no {config} here: name your alembic.ini with --config.")
    try:
        scripts = ScriptDirectory.from_config(Config(config))
        first, colon, last = revision.partition(":")
        if colon:
            steps = scripts.iterate_revisions(last or "head", first or "base")
            ids = tuple(reversed([each.revision for each in steps]))
        else:
            ids = tuple(each.revision for each in scripts.get_revisions(revision) if each)
    except Exception as error:  # noqa: BLE001 - a revision's file, or the ini, can raise anything
        raise WorkbookError(f"Alembic cannot find {revision!r}: {look.first_line(error)}") from None
    if rows < 1:
        raise WorkbookError(f"{rows} rows say nothing: give --rows 1 or more.")
    if not ids:
        raise WorkbookError(f"No revision lies in {revision}: name one, or a range as a1:b2.")
    url = _address(scratch)
    try:
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            _workable(connection)
            job = Job(config, ids, rows, sql, models)
            try:
                found = apart.call(PLACE, job, url, seconds=SECONDS, folder=Path.cwd())
            except apart.Stopped as stopped:
                raise WorkbookError(f"The review was stopped: {stopped}.") from None
            finally:
                connection.exec_driver_sql(OTHERS)
                database.empty(connection)
    except (sa.exc.OperationalError, sa.exc.ArgumentError) as error:
        why = getattr(error, "orig", error)
        raise WorkbookError(f"The scratch database does not answer: {why}".strip()) from None
    if isinstance(found, str):
        raise WorkbookError(found)
    return list(found)


def _address(scratch: str) -> sa.URL:
    try:
        url = sa.make_url(scratch)
    except (sa.exc.ArgumentError, ValueError):
        url = sa.URL.create("none")
    if url.get_backend_name() not in ("postgresql", "postgres") or not url.database:
        raise WorkbookError(
            "--scratch takes the address of an empty database:"
            " postgresql://user:password@host/myproject_scratch"
        )
    return url.set(drivername="postgresql+psycopg2")


def _workable(connection: sa.Connection) -> None:
    """Make sure that this database is there to be emptied; raises WorkbookError if not.

    Its name says so, it is empty, and nobody else reviews there.
    """
    name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
    if "scratch" not in name:
        raise WorkbookError(
            f'"{name}" was left alone: the review needs a database of its own whose name says'
            f" scratch, such as {name}_scratch. Make one, empty, and name it with --scratch."
        )
    if not connection.exec_driver_sql("SELECT pg_try_advisory_lock(1)").scalar_one():
        raise WorkbookError(f'Somebody else reviews in "{name}": wait, or name another one.')
    if connection.exec_driver_sql(HOLDS).first() is not None:
        raise WorkbookError(
            f'"{name}" is not empty, and was left alone: the review needs an empty database. If it'
            " is yours to lose, drop it and create it anew."
        )
