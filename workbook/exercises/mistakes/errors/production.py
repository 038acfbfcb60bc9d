"""Mistakes that meet other people: locks, other processes, code and database of different days."""

import re
from collections.abc import Iterable

from workbook.exercises import Mistake
from workbook.exercises.mistakes.errors import Entry, Seen
from workbook.exercises.mistakes.errors.operations import invalid


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
            "The statement waited for a lock until lock_timeout, and gave up. Nothing was changed. It"
            " is a safety net: without it everybody would have queued behind it.",
            "End the other transaction (commit, rollback, close the session), then run it again.",
        ),
        lines=("(psycopg2.errors.LockNotAvailable) canceling statement due to lock timeout",),
        also=("could not obtain lock on relation", "Lock wait timeout exceeded"),
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
        also=("canceling statement due to user request",),
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
        id="E06",
        mistake=Mistake(
            "old code, new tables",
            "The ORM names every column that it knows, and one of them was dropped or renamed: code that"
            " is still running does not fit any more.",
            "Deploy code that does not use the column, then drop it. For now: bring the column back.",
        ),
        lines=("(psycopg2.errors.UndefinedColumn) column {column} does not exist",),
        when=lambda seen: False if seen.reading.running[0] else None,
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
        when=lambda seen: False if seen.reading.running[0] else None,
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
            "DROP or CREATE DATABASE within a transaction",
            "These commands, VACUUM and some others run alone, and a connection of SQLAlchemy has opened"
            " a transaction.",
            'engine.execution_options(isolation_level="AUTOCOMMIT").',
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
            "The server, or something on the way to it, closed the connection while it was in use or"
            " idle: a restart, a timeout of a proxy, an administrator.",
            "Run it again. What was not committed is gone with the connection.",
        ),
        lines=("server closed the connection unexpectedly",),
        also=(
            "terminating connection due to administrator command",
            "SSL connection has been closed unexpectedly",
            "connection already closed",
            "MySQL server has gone away",
        ),
        prevent="pool_pre_ping=True in the application.",
        chapter=13,
        commands=("python", "upgrade"),
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
        id="E17",
        mistake=Mistake(
            "an async driver in a plain env.py",
            "The address names a driver for asyncio, and this env.py connects without it.",
            "alembic init -t async makes an env.py that can. Or give Alembic an address with psycopg2.",
        ),
        lines=(
            "sqlalchemy.exc.MissingGreenlet: greenlet_spawn has not been called; can't call await_() here.",
        ),
        also=(
            "greenlet_spawn has not been called",
            "The asyncio extension requires an async driver to be used.",
        ),
        prevent="One address for the application and one for migrations.",
        chapter=13,
    ),
)
