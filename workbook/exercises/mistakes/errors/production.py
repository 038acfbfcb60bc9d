"""Mistakes that meet other people: locks, other processes, code and database of different days."""

import re
from collections.abc import Iterable

from workbook.exercises import Mistake
from workbook.exercises.mistakes.errors import Entry, Seen
from workbook.exercises.mistakes.errors.operations import invalid, qualified


def _holders(seen: Seen) -> Iterable[str]:
    """Who holds locks now; without one, that it is over."""
    found = seen.site.holders() if seen.site else []
    yield from found
    if seen.site and seen.site.answers and not found:
        yield "Nobody holds a lock on a table now: it may go through this time."


def _sessions(seen: Seen) -> Iterable[str]:
    query = "SELECT pid, usename, state, application_name FROM pg_stat_activity"
    query += " WHERE datname = :name AND pid <> pg_backend_pid()"
    for pid, user, state, program in (
        seen.site.ask(query, name=seen.name("database")) if seen.site else ()
    ):
        yield f"Session {pid}: {user}, {state}{', ' + program if program else ''}."


ENTRIES = (
    Entry(
        id="E05",
        mistake=Mistake(
            "a lock that somebody else holds",
            "The statement waited for a lock for as long as it may (lock_timeout in PostgreSQL), and gave up. Its transaction changed nothing. It is a safety net: without it everybody would have queued behind it.",
            "End the other transaction (commit, rollback, close the session), then run it again.",
        ),
        lines=("(psycopg2.errors.LockNotAvailable) canceling statement due to lock timeout",),
        also=(
            "could not obtain lock on relation",
            "Lock wait timeout exceeded",
            "(sqlite3.OperationalError) database is locked",
            "database is locked",
        ),
        kinds=("LockNotAvailable",),
        prevent="Short transactions, lock_timeout, and a migration that tries again.",
        chapter=11,
        look=_holders,
    ),
    Entry(
        id="E01",
        mistake=Mistake(
            "an open transaction in the way",
            "A session that has read a table and not ended its transaction keeps a lock, and a"
            " migration that alters the table waits for it, and everybody else behind the migration.",
            "session.close() or rollback in the notebook or program that is idle in transaction;"
            " pg_blocking_pids names it.",
        ),
        lines=("(psycopg2.errors.LockNotAvailable) canceling statement due to lock timeout",),
        when=lambda seen: (
            any("idle in transaction" in each for each in seen.site.holders())
            if seen.site
            else None
        ),
        tell="A session that is idle in transaction holds it: a notebook that has read and not ended.",
        prevent="with Session(...) as session: and with engine.begin():, which end by themselves.",
        chapter=11,
        look=_holders,
    ),
    Entry(
        id="E05b",
        mistake=Mistake(
            "a statement that takes too long",
            "statement_timeout ended it. The whole transaction is rolled back.",
            "Do less at once: batches for rows, CONCURRENTLY for indexes, NOT VALID for rules; or give"
            " this one statement more time.",
        ),
        lines=("(psycopg2.errors.QueryCanceled) canceling statement due to statement timeout",),
        prevent="Measure on as many rows as production has.",
        chapter=11,
        look=_holders,
    ),
    Entry(
        id="E05c",
        mistake=Mistake(
            "a statement that somebody broke off",
            "Ctrl-C, a stopped cell or pg_cancel_backend ended the statement. Its transaction is rolled"
            " back.",
            "Look whether it was meant. If it waited for a lock, see who held it (pg_blocking_pids).",
        ),
        lines=("(psycopg2.errors.QueryCanceled) canceling statement due to user request",),
        prevent="lock_timeout, so that nobody has to break a wait off by hand.",
        chapter=11,
        look=_holders,
    ),
    Entry(
        id="E06",
        mistake=Mistake(
            "old code, new tables",
            "The ORM names every column that it knows, and one of them was dropped or renamed: code that"
            " is still running does not fit any more.",
            "Deploy code that does not use the column, then drop it. For now: bring the column back.",
        ),
        lines=("(psycopg2.errors.UndefinedColumn) column {column} does not exist",),
        when=lambda seen: False if seen.reading.running[0] or qualified(seen) else None,
        tell="Was the column dropped or renamed? Then this code is older than the database.",
        prevent="Expand and contract.",
        chapter=12,
        commands=("python",),
    ),
    Entry(
        id="E14",
        mistake=Mistake(
            "a column dropped under a running application",
            "The application maps the column and names it in each INSERT and SELECT.",
            "First deploy a model with unmapped_column() (SQLAlchemy 2.1.5) or without the attribute,"
            " then drop the column.",
        ),
        lines=(
            '(psycopg2.errors.UndefinedColumn) column "{column}" of relation "{table}" does not exist',
        ),
        when=lambda seen: False if seen.reading.running[0] or qualified(seen) else None,
        tell="The application still writes a column that was dropped.",
        prevent="Code first, column later.",
        chapter=12,
        commands=("python",),
    ),
    Entry(
        id="E07",
        mistake=Mistake(
            "a database that others use",
            "A database can be dropped when nobody is connected, and somebody is: often a pool of"
            " connections in this very Python.",
            "engine.dispose(), or DROP DATABASE ... WITH (FORCE).",
        ),
        lines=(
            '(psycopg2.errors.ObjectInUse) database "{database}" is being accessed by other users',
        ),
        also=("is being accessed by other users",),
        prevent="NullPool, or dispose(), in tests that make databases.",
        chapter=13,
        commands=("python", "%sql"),
        look=_sessions,
    ),
    Entry(
        id="E07b",
        mistake=Mistake(
            "a command that cannot run within a transaction",
            "CREATE and DROP DATABASE, VACUUM and some others run alone, and SQLAlchemy or Alembic has opened a transaction.",
            'engine.execution_options(isolation_level="AUTOCOMMIT"); in a revision: with op.get_context().autocommit_block():.',
        ),
        lines=(
            "(psycopg2.errors.ActiveSqlTransaction) DROP DATABASE cannot run inside a transaction block",
        ),
        also=("cannot run inside a transaction block",),
        when=lambda seen: not re.search(r"CONCURRENTLY|ALTER\s+TYPE", seen.reading.block),
        prevent="A connection of its own for such commands.",
        chapter=13,
        commands=("python", "%sql"),
    ),
    Entry(
        id="E08",
        mistake=Mistake(
            "rows changed under an exclusive lock",
            "ALTER TABLE locks the table until the end of the transaction. An UPDATE of many rows in the"
            " same revision keeps everybody out for as long as it takes.",
            "A revision for the ALTER, another for the rows, in batches.",
        ),
        lines=("Running upgrade",),
        tell="An UPDATE of many rows beside an ALTER keeps readers waiting: two revisions.",
        prevent="Shape and data in revisions of their own.",
        chapter=11,
        quiet=True,
    ),
    Entry(
        id="E10",
        mistake=Mistake(
            "a database that is behind",
            "alembic current --check-heads says that not all heads are applied. Without the option,"
            " current prints nothing for a database that knows no revision, and ends well.",
            "alembic upgrade head.",
        ),
        lines=("FAILED: Database is not on all head revisions",),
        prevent="current --check-heads before the application starts.",
        chapter=13,
        commands=("current",),
    ),
    Entry(
        id="E11",
        mistake=Mistake(
            "a statement before Alembic's transaction",
            "A statement in env.py before begin_transaction() opens a transaction that Alembic takes for"
            " somebody else's and does not commit: the upgrade tells of success, and nothing is there.",
            "connection.commit() after the statement, or run it within begin_transaction().",
        ),
        lines=("Running upgrade",),
        tell="Are there no tables now? A statement in env.py before begin_transaction() does that.",
        prevent="alembic current after upgrade, in CI.",
        chapter=13,
        quiet=True,
    ),
    Entry(
        id="E12",
        mistake=Mistake(
            "autocommit_block without a transaction of Alembic's",
            "autocommit_block ends Alembic's transaction and there is none: a statement in env.py ran"
            " before begin_transaction(), or the connection was handed in with one open.",
            "connection.commit() after that statement in env.py.",
        ),
        lines=("AssertionError",),
        when=lambda seen: "autocommit_block" in seen.reading.text,
        prevent="Nothing between connect() and begin_transaction() in env.py.",
        chapter=13,
    ),
    Entry(
        id="E13",
        mistake=Mistake(
            "two that wait for each other",
            "Each of two transactions holds what the other wants, and PostgreSQL ended one of them. With"
            " CREATE INDEX CONCURRENTLY a session that waits for an advisory lock is enough.",
            "Run it again. An index that was being built may be INVALID now: drop it first.",
        ),
        lines=("deadlock detected",),
        also=("Deadlock found when trying to get lock",),
        kinds=("DeadlockDetected",),
        prevent="One that migrates; pg_try_advisory_lock in a loop, never a wait for it.",
        chapter=13,
        look=invalid,
    ),
    Entry(
        id="E15",
        mistake=Mistake(
            "a connection that was cut",
            "The connection was closed while it was in use or idle. It can be a restart or a crash of the server (out of memory, too), an administrator, or a proxy, a pooler or a firewall that ends what is idle or takes too long, such as a backfill in one statement.",
            "Run it again: what was not committed is gone with the connection. If it stops at the same place again, look into the server's log, and do the work in batches that each take seconds.",
        ),
        lines=("server closed the connection unexpectedly",),
        also=(
            "terminating connection due to administrator command",
            "SSL connection has been closed unexpectedly",
            "SSL SYSCALL error",
            "connection already closed",
            "the connection is lost",
            "the connection is closed",
            "connection was closed in the middle of operation",
            "terminating connection due to",
            "could not receive data from server",
            "could not send data to server",
            "Connection reset by peer",
            "MySQL server has gone away",
            "Lost connection to MySQL server during query",
        ),
        when=lambda seen: "bad record mac" not in seen.reading.block,
        prevent="pool_pre_ping=True in the application.",
        chapter=13,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="E15b",
        mistake=Mistake(
            "a connection that two processes share",
            "What came over the encrypted connection made no sense. Most often a connection was opened"
            " before a fork (gunicorn --preload, celery, multiprocessing) and both processes speak on it.",
            "engine.dispose() in each child after the fork, or make the engine there.",
        ),
        lines=("SSL error: decryption failed or bad record mac",),
        also=("bad record mac", "SSL error: sslv3 alert", "SSL error: unexpected eof"),
        prevent="Engines are made in the process that uses them.",
        source="https://github.com/gc3pie/gc3pie/issues/550",
        chapter=13,
        commands=("python",),
    ),
    Entry(
        id="E16",
        mistake=Mistake(
            "no connection left",
            "The server has as many connections as it takes, or the pool has given out all of its own"
            " and nobody gave one back.",
            "Close sessions that are done, and add up pool sizes times processes.",
        ),
        lines=("FATAL:  sorry, too many clients already",),
        also=(
            "remaining connection slots are reserved",
            "QueuePool limit of size",
            "Too many connections",
        ),
        prevent="with blocks around sessions; NullPool for migrations, as env.py has it.",
        chapter=13,
        commands=("python", "upgrade"),
    ),
    Entry(
        id="E17b",
        mistake=Mistake(
            "a query where nobody awaits",
            "With an async driver each query has to be awaited. Most often an attribute that was not"
            " loaded (a relationship, an expired column) was read and sent a query of its own.",
            "Load it beforehand, with selectinload() or await session.refresh(); expire_on_commit=False"
            " keeps what is loaded.",
        ),
        lines=(
            "sqlalchemy.exc.MissingGreenlet: greenlet_spawn has not been called; can't call await_() here.",
        ),
        also=("greenlet_spawn has not been called",),
        when=lambda seen: False if re.search(r"env\.py", seen.reading.text) else None,
        prevent="One address for the application and one for migrations.",
        chapter=13,
        commands=("python",),
    ),
    Entry(
        id="E17",
        mistake=Mistake(
            "an async driver in a plain env.py",
            "A driver for asyncio was asked to work outside of what SQLAlchemy's asyncio extension runs: the address names it, and this env.py connects without await.",
            "alembic init -t async makes an env.py that can. Or give Alembic an address with psycopg2.",
        ),
        lines=(
            "sqlalchemy.exc.MissingGreenlet: greenlet_spawn has not been called; can't call await_() here.",
        ),
        also=("greenlet_spawn has not been called",),
        when=lambda seen: True if re.search(r"env\.py", seen.reading.text) else None,
        tell="Is it Alembic that connects? Then env.py is the plain one: alembic init -t async makes the other.",
        prevent="One address for the application and one for migrations.",
        chapter=13,
    ),
    Entry(
        id="E17c",
        mistake=Mistake(
            "a plain driver where an async driver belongs",
            "create_async_engine was given an address whose driver waits without asyncio, such as psycopg2.",
            "Write postgresql+asyncpg:// (or +psycopg, which can do both) there, or take create_engine and"
            " the plain env.py.",
        ),
        lines=("The asyncio extension requires an async driver to be used.",),
        prevent="One address for the application and one for migrations.",
        chapter=13,
    ),
    Entry(
        id="E17d",
        mistake=Mistake(
            "an asynchronous object in code that does not wait",
            "An AsyncEngine, an AsyncConnection or the coroutine of a call was used as if it were the plain"
            " one: an await is missing, or the function that it was handed to knows no asyncio.",
            "async with engine.connect() as connection: await connection.run_sync(function). For env.py:"
            " alembic init -t async shows how, or give Alembic an address with psycopg2.",
        ),
        lines=(
            "sqlalchemy.exc.NoInspectionAvailable: Inspection on an AsyncEngine is currently not supported.",
            "AttributeError: 'AsyncEngine' object has no attribute '_run_ddl_visitor'",
        ),
        also=(
            "Inspection on an AsyncConnection is currently not supported.",
            "'AsyncEngine' object has no attribute",
            "'AsyncConnection' object has no attribute",
            "'coroutine' object has no attribute",
            "'coroutine' object does not support the context manager protocol",
            "'coroutine' object is not iterable",
        ),
        prevent="A type checker sees it.",
        chapter=13,
        commands=("python", "upgrade"),
    ),
)
