"""The one-database rule: every connection finds its server through libpq's own variables."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import errors

from workbook import WorkbookError, home
from workbook.server import postgres

if TYPE_CHECKING:  # the launcher comes through here too, and SQLAlchemy takes its time
    import sqlalchemy as sa

URL = "postgresql+psycopg2://"
MARK = "belongs to a learner of the migrations workbook"
# What may follow the ? of DATABASE_URL; libpq's variable is called PG and the same.
IN_URLS = ["host", "port", "user", "password", "options", "channel_binding"]
IN_URLS += ["sslmode", "sslrootcert", "sslcert", "sslkey"]
LED_AWAY = "A connection led to another server than the workbook's own: restart the kernel."
LOCK_TIMEOUT = "-c lock_timeout=5s"
SCHEMAS = """SELECT quote_ident(nspname) FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"""


def connect_environment(database: str = "jobboard") -> None:
    """Set libpq's variables for this process and its children, and create the database.

    A server that PGHOST or DATABASE_URL names is used as it is, with PGDATABASE where that is
    set; otherwise the embedded server is started and `database` is used, and whatever else libpq
    would read is dropped. Raises WorkbookError when no server answers, when it is not the one that
    was meant, or when the database cannot be made.
    """
    env = os.environ
    if "WORKBOOK_ROOM" in env and database != "jobboard":
        raise WorkbookError(
            "In a room you have one database, and the finished project is there to be read: run"
            " alembic in workspace/."
        )
    if embedded():
        address = {**postgres.start(home() / ".postgres"), "PGDATABASE": database}
        if not env.get("WORKBOOK_EMBEDDED") == _place(env) == _place(address):
            _forget()
        env.update(address, WORKBOOK_EMBEDDED=_place(address))
    elif not _named(env):
        _split_url(env["DATABASE_URL"])
    elif env.get("PGSERVICE"):
        raise WorkbookError("PGHOST and PGSERVICE both name a server: unset one of them.")
    env.setdefault("PGDATABASE", database)
    if "lock_timeout" not in env.get("PGOPTIONS", ""):
        env["PGOPTIONS"] = f"{env.get('PGOPTIONS', '')} {LOCK_TIMEOUT}".strip()
    _create(env["PGDATABASE"])
    if database != "jobboard":  # the finished project; a chapter claims its own
        with engine().begin() as connection:
            claim(connection)


def embedded() -> bool:
    """Whether the embedded server serves: the user names none by PGHOST or DATABASE_URL.

    A PGHOST that this or another workbook has set is not the user's.
    """
    return not _named(os.environ) and not os.environ.get("DATABASE_URL")


def is_ours() -> bool:
    """Whether the server is one that the workbook has made, be it a test's."""
    asked = "SELECT current_setting('workbook.cluster', true)"
    with contextlib.suppress(psycopg2.Error), closing(psycopg2.connect("")) as connection:
        cursor = connection.cursor()
        cursor.execute(asked)
        return bool((cursor.fetchone() or ("",))[0])
    return False


def _named(env: Mapping[str, str]) -> bool:
    return bool(env.get("PGHOST")) and env.get("WORKBOOK_EMBEDDED") != _place(env)


def _forget() -> None:
    """Drop all that libpq reads, up to a password and PGOPTIONS: they are of another server."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def _place(env: Mapping[str, str]) -> str:
    return f"{env.get('PGHOST')}:{env.get('PGPORT')}"


def engine(database: str | None = None) -> sa.Engine:
    """An engine that keeps no idle connection open, on PGDATABASE or the database named."""
    import sqlalchemy as sa

    arguments = {"dbname": database} if database else {}
    return sa.create_engine(URL, poolclass=sa.NullPool, connect_args=arguments)


def claim(connection: sa.Connection) -> None:
    """Make sure that this database is the workbook's to change; raises WorkbookError if not.

    It is ours on the server that proves to be our own, when it carries our mark, or when it is
    empty: then it gets the mark. So no variable left over from other work, PGHOST or one of ours,
    can ever cost anybody a table.
    """
    query = "SELECT datname, shobj_description(oid, 'pg_database'),"
    query += " current_setting('workbook.cluster', true)"
    query += " FROM pg_database WHERE datname = current_database()"
    name, mark, cluster = connection.exec_driver_sql(query).one()
    if cluster == postgres.identity(home() / ".postgres"):
        return
    if embedded():
        raise WorkbookError(LED_AWAY)
    if mark == MARK:
        return
    holds = """SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' UNION ALL
        SELECT FROM pg_type t WHERE typnamespace = to_regnamespace('public')"""
    if connection.exec_driver_sql(holds).first() is not None:
        raise WorkbookError(
            f'The database "{name}" holds tables that are not the workbook\'s: it was left alone.'
            " Set PGDATABASE to the name of an empty or a new database."
        )
    connection.exec_driver_sql(f"COMMENT ON DATABASE {_quoted(name)} IS '{MARK}'")


@contextmanager
def scratch() -> Iterator[sa.Connection]:
    """A connection to an empty database of the learner's that no lesson uses.

    It is `<PGDATABASE>_scratch`: made once, emptied each time, one user at a time. Where the
    role may not create databases (a classroom), it has to be there already.
    """
    import sqlalchemy as sa

    name = os.environ["PGDATABASE"] + "_scratch"
    _create(name)
    with engine(name).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            _take(connection, name)
        except sa.exc.DBAPIError as error:
            raise refused(error.orig) from None
        yield connection


def _take(connection: sa.Connection, name: str) -> None:
    """Wait for our turn in the scratch database, then drop whatever is in it."""
    connection.exec_driver_sql("SET lock_timeout = '60s'")
    connection.exec_driver_sql("SELECT pg_advisory_lock(1)")
    connection.exec_driver_sql("RESET lock_timeout")
    if connection.exec_driver_sql("SELECT current_database()").scalar() != name:
        raise WorkbookError(f'"{name}" is too long a name: PGDATABASE may have 55 letters.')
    claim(connection)
    empty(connection)


def empty(connection: sa.Connection) -> None:
    """Drop whatever is in this database."""
    for (schema,) in connection.exec_driver_sql(SCHEMAS).all():
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    connection.exec_driver_sql("CREATE SCHEMA public")


@contextmanager
def throwaway() -> Iterator[None]:
    """A server of its own for tests and measurements, in a folder that goes at the end.

    A server that PGHOST names is used instead. Changes os.environ for the time being.
    """
    if _named(os.environ):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="workbook-") as folder:
        try:
            address = postgres.start(Path(folder))
            with variables():
                _forget()
                os.environ.update(address, PGDATABASE="postgres")
                yield
        finally:
            postgres.stop(Path(folder))
            shutil.rmtree(postgres.cluster_home(Path(folder)), ignore_errors=True)


@contextmanager
def separate(name: str, folder: Path) -> Iterator[None]:
    """A project and a database of their own, empty, dropped at the end. Changes os.environ."""
    drop(name)
    try:
        with variables(PGDATABASE=name, WORKBOOK_HOME=str(folder)):
            yield
    finally:
        drop(name)


@contextmanager
def variables(**values: str) -> Iterator[None]:
    """Set environment variables, and put libpq's and ours back as they were."""
    before = {key: value for key, value in os.environ.items() if key.startswith(("PG", "WORKBOOK"))}
    os.environ.update(values)
    os.environ.pop("WORKBOOK_EMBEDDED", None)
    try:
        yield
    finally:
        for key in [key for key in os.environ if key.startswith(("PG", "WORKBOOK"))]:
            os.environ.pop(key)
        os.environ.update(before)


def drop(name: str) -> None:
    """Drop a database and its scratch twin, where they exist, though this role be connected.

    Raises WorkbookError where one is somebody else's.
    """
    with engine("postgres").connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        exists = "SELECT datname FROM pg_database WHERE datname IN (%s, %s)"
        for each in connection.exec_driver_sql(exists, (name, name + "_scratch")).scalars().all():
            with engine(each).begin() as inside:
                claim(inside)
            # Not WITH (FORCE): that fails while autovacuum, which is not ours to end, is in there.
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = current_user",
                (each,),
            )
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {_quoted(each)}")


def _split_url(url: str) -> None:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(url)
        if parts.get_backend_name() not in ("postgresql", "postgres"):
            raise ValueError
    except (ArgumentError, ValueError):
        raise WorkbookError(
            "DATABASE_URL is not an address of PostgreSQL:"
            " postgresql+psycopg2://user:password@host/database"
        ) from None
    values: dict[str, Any] = {
        "host": parts.host or "localhost",
        "port": parts.port,
        "user": parts.username,
        "password": parts.password,
        "database": parts.database,
    }
    values |= {key: value for key, value in parts.query.items() if key in IN_URLS}
    for name in ("PGSERVICE", "PGHOSTADDR"):  # they would outdo the address
        os.environ.pop(name, None)
    for key, value in values.items():
        if value:
            os.environ["PG" + key.upper().replace("_", "")] = str(value)


def _create(name: str) -> None:
    """Create the database where it is missing."""
    try:
        _connect(name).close()
        return
    except psycopg2.OperationalError as error:
        first = error
    try:
        maintenance = _connect("postgres")
    except psycopg2.OperationalError:
        raise refused(first) from None
    try:
        with maintenance.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone():
                raise refused(first)
            cursor.execute(f"CREATE DATABASE {_quoted(name)}")
            cursor.execute(f"COMMENT ON DATABASE {_quoted(name)} IS '{MARK}'")
    except (errors.DuplicateDatabase, errors.UniqueViolation):
        pass  # somebody else was quicker
    except errors.InsufficientPrivilege:
        raise WorkbookError(
            f'There is no database "{name}", and the role "{os.environ.get("PGUSER", "")}" may not'
            " create one: ask whoever runs the server to make it."
        ) from None
    except psycopg2.Error as error:
        raise refused(error) from None
    finally:
        maintenance.close()


def _connect(name: str) -> psycopg2.extensions.connection:
    """A connection to a database, on the embedded server only once that has proved to be ours."""
    connection = psycopg2.connect(dbname=name, connect_timeout=10)
    connection.autocommit = True
    if embedded():
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('workbook.cluster', true)")
            if cursor.fetchone() != (postgres.identity(home() / ".postgres"),):
                connection.close()
                raise WorkbookError(LED_AWAY)
    return connection


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def refused(error: Any) -> WorkbookError:
    """The line for what PostgreSQL, or libpq on the way there, answers in place of doing it."""
    words = str(error).strip().partition("\n")[0] or type(error).__name__
    if isinstance(error, errors.DiskFull) or re.search(postgres.FULL, str(error)):
        return WorkbookError(f"The database's disk is full ({words}): make room and try again.")
    if isinstance(error, errors.LockNotAvailable):
        return WorkbookError(
            f"Another notebook is at work here, or a program ({words}): let it finish, or restart"
            " its kernel, and run this again."
        )
    if getattr(error, "pgcode", None):  # we are in
        return WorkbookError(
            f"PostgreSQL refuses it: {words}. If a setting of yours is in the way, take it back:"
            " BEGIN READ WRITE; ALTER ROLE CURRENT_USER RESET ALL; COMMIT;"
        )
    if "WORKBOOK_ROOM" in os.environ:
        next_step = "Stop your server and start it again (menu File, Hub Control Panel)"
    elif embedded():
        next_step = "Run `python3 -m workbook stop` in a terminal and try again"
    else:
        next_step = "Check PGHOST, PGPORT, PGUSER and PGPASSWORD, or unset them all to use the"
        next_step += " workbook's own server"
    return WorkbookError(f"PostgreSQL does not let us in: {words}. {next_step}.")
