"""What one statement does to the others who work on its tables: seen by a second session.

After each statement, while its transaction is open, the watcher asks PostgreSQL which locks it holds
and which of its own counters have moved, and then tries to read and to write those tables itself. A
statement that may not be in a transaction is held up by an open transaction of ours, and looked at
while it waits.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg2
import sqlalchemy as sa
from psycopg2 import errors

from workbook.reviewing.fill import LINKS, Insert, inserts
from workbook.reviewing.limits import ASKED

PATIENCE = "40ms"  # nothing but the migration can hold up the watcher's tries
LOOKS = 0.002  # seconds between two looks at a statement that is running
# From PostgreSQL's documentation, weakest first; only to say which of several is the strongest.
MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
USERS = "NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
LOCKS = f"""
SELECT c.oid::regclass::text, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE l.pid = %s AND c.relkind IN ('r', 'p', 'm', 'v') AND c.relname <> 'alembic_version'
  AND c.relnamespace {USERS} AND c.relnamespace <> 'pg_toast'::regnamespace
"""
# Counters of this very transaction: a statement that reads all rows says so here, DDL too.
COUNTERS = f"""
SELECT oid::regclass::text, pg_relation_filenode(oid), pg_stat_get_xact_tuples_returned(oid),
       pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
       + pg_stat_get_xact_tuples_deleted(oid)
FROM pg_class WHERE relkind IN ('r', 'm') AND relname <> 'alembic_version'
  AND relnamespace {USERS} AND relnamespace <> 'pg_toast'::regnamespace
"""
# What an ORM names when it reads a table: all columns.
MAPPED = f"""
SELECT c.oid::regclass::text, array_agg(quote_ident(attname) ORDER BY attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'
  AND relnamespace {USERS} GROUP BY c.oid ORDER BY c.oid
"""
READERS, WRITERS = "readers", "writers"
NOT_IN_A_TRANSACTION = (errors.ActiveSqlTransaction, errors.InvalidTransactionTermination)


@dataclass(frozen=True)
class Statement:
    """What a statement did. `waits` is who had to wait after it, by its transaction's locks so far."""

    sql: str
    seconds: float = 0.0
    locks: dict[str, str] = field(default_factory=dict)  # those it added, by table
    waits: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by table
    read: dict[str, int] = field(default_factory=dict)  # rows, by table
    changed: dict[str, int] = field(default_factory=dict)  # rows, by table
    rewritten: tuple[str, ...] = ()
    held: dict[str, int] = field(default_factory=dict)  # rows that nobody else can change, by table
    alone: bool = False  # PostgreSQL refuses it in a transaction
    committed: bool = False  # it was committed at once, in an autocommit_block
    limited: bool = False  # its session limits how long it waits for a lock
    error: str = ""


class BrokenOff(Exception):
    """The migration was ended here, as a lost connection would."""


class Watch:
    """A second session that watches what an engine's connections do."""

    def __init__(
        self, address: Mapping[str, Any], rows: int = 0, breaks: int | None = None
    ) -> None:
        """`address` is psycopg2's. Tables that are there now are those that others work on.

        It `breaks` the migration off at the statement of that index, or within it where it is one
        that may not be in a transaction.
        """
        self.address, self.rows, self.breaks = dict(address), rows, breaks
        self.statements: list[Statement] = []
        self.session = self._connect()
        self.session.autocommit = True
        with self.session.cursor() as cursor:
            self.inserts: dict[str, Insert] = {each.table: each for each in inserts(cursor)}
            cursor.execute(LINKS)
            self.links = [(child, parent) for child, parent, *_ in cursor.fetchall()]
            cursor.execute(MAPPED)
            self.columns: dict[str, list[str]] = dict(cursor.fetchall())
        self._forget()

    def _connect(self) -> Any:
        options = f"{self.address.get('options', '')} -c lock_timeout={PATIENCE}"
        return psycopg2.connect(**{**self.address, "options": options.strip()})

    def close(self) -> None:
        """End the watcher's session."""
        self.session.close()

    def listen(self, engine: sa.Engine) -> None:
        """Watch every statement that this engine's connections execute."""
        engine.connect().close()  # what SQLAlchemy asks at the first is none of the migration's

        def execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
            self.run(cursor, statement, lambda: cursor.execute(statement, parameters))
            return True

        def execute_many(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
            many = context.dialect.do_executemany
            self.run(cursor, statement, lambda: many(cursor, statement, parameters, context))
            return True

        def execute_bare(cursor: Any, statement: str, context: Any) -> bool:
            self.run(cursor, statement, lambda: cursor.execute(statement))
            return True

        sa.event.listen(engine, "do_execute", execute)
        sa.event.listen(engine, "do_executemany", execute_many)
        sa.event.listen(engine, "do_execute_no_params", execute_bare)
        sa.event.listen(engine, "commit", lambda connection: self._forget())
        sa.event.listen(engine, "rollback", lambda connection: self._forget())

    def _forget(self) -> None:
        """A transaction is over, and its locks are gone."""
        self.locked: dict[str, set[str]] = {}
        self.waiting: dict[str, tuple[str, ...]] = {}

    def run(self, cursor: Any, sql: str, execute: Callable[[], object]) -> None:
        """Execute a statement and note what it did. Raises what it raises."""
        if "alembic_version" in sql:
            execute()
        elif not cursor.connection.autocommit:
            self._inside(cursor, sql, execute)
        else:
            self._forget()
            cursor.execute("BEGIN")
            try:
                self._inside(cursor, sql, execute, committed=True)
                if self.breaks == len(self.statements) - 1:
                    raise BrokenOff
                cursor.execute("COMMIT")
            except NOT_IN_A_TRANSACTION:
                cursor.execute("ROLLBACK")
                self.statements.pop()
                self._alone(cursor, sql, execute)
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            finally:
                self._forget()

    # ---- in a transaction ------------------------------------------------------------------------

    def _inside(
        self, cursor: Any, sql: str, execute: Callable[[], object], committed: bool = False
    ) -> None:
        own = cursor.connection.cursor()
        limited = self._limited(own)
        before = self._counters(own)
        began = time.perf_counter()
        try:
            execute()
        except psycopg2.Error as error:
            alone = isinstance(error, NOT_IN_A_TRANSACTION)
            words = _first_line(error)
            self.statements.append(Statement(sql, error=words, alone=alone, committed=committed))
            raise
        seconds = time.perf_counter() - began
        after = self._counters(own)
        both = [table for table in before if table in after]
        read = {each: after[each][1] - before[each][1] for each in both}
        changed = {each: after[each][2] - before[each][2] for each in both}
        pid = cursor.connection.info.backend_pid
        held, self.locked = self.locked, self._locks(pid)
        if held != self.locked:
            self.waiting = self._tried(self.locked)
        self.statements.append(
            Statement(
                sql,
                seconds,
                _strongest(
                    {table: modes - held.get(table, set()) for table, modes in self.locked.items()}
                ),
                dict(self.waiting),
                {table: number for table, number in read.items() if number > 0},
                {table: number for table, number in changed.items() if number > 0},
                tuple(each for each in both if before[each][0] != after[each][0]),
                {
                    each: rows
                    for each in self.inserts
                    if changed.get(each, 0) > 0
                    for rows in [self._held(each)]
                    if rows
                },
                committed=committed,
                limited=limited,
            )
        )

    @staticmethod
    def _limited(own: Any) -> bool:
        own.execute(ASKED)
        return bool(own.fetchone()[0])

    def _counters(self, own: Any) -> dict[str, tuple[int, int, int]]:
        own.execute(COUNTERS)
        return {table: tuple(numbers) for table, *numbers in own.fetchall()}

    def _locks(self, pid: int) -> dict[str, set[str]]:
        """The locks that a session has or waits for, by table."""
        with self.session.cursor() as cursor:
            cursor.execute(LOCKS, (pid,))
            found: dict[str, set[str]] = {}
            for table, mode in cursor.fetchall():
                found.setdefault(table, set()).add(mode)
        return found

    def works(self) -> dict[str, str]:
        """What the application as it was asks of each table, and why it fails; empty: it works."""
        one = (self.rows + 1, self.rows + 1)
        found = {}
        for table, columns in self.columns.items():
            names = ", ".join(columns) or "1"
            for what, sql, parameters in (
                (f"reading {table}", f"SELECT {names} FROM {table} LIMIT 1", None),
                (f"adding to {table}", self.inserts[table].sql, one),
            ):
                found[what] = self._failure(sql, parameters)
        return found

    def _failure(self, sql: str, parameters: Any) -> str:
        with self.session.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                cursor.execute(sql, parameters)
            except psycopg2.Error as error:
                return _first_line(error)
            finally:
                cursor.execute("ROLLBACK")
        return ""

    # ---- who waits -------------------------------------------------------------------------------

    def _tried(self, locked: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Who waits, by table: found out by reading and writing what is locked, and its children."""
        tables = set(locked)
        tables |= {child for child, parent in self.links if parent in tables}
        found = {}
        for table in sorted(tables):
            waits = [READERS] if self._waits(f"SELECT 1 FROM {table} LIMIT 1") else []
            if table in self.inserts and self._writer_waits(table):
                waits.append(WRITERS)
            if waits:
                found[table] = tuple(waits)
        return found

    def _writer_waits(self, table: str) -> bool:
        """A row is inserted, and taken back; where none can be, none of the rows is deleted."""
        one = (self.rows + 1, self.rows + 1)
        waits = self._waits(self.inserts[table].sql, one)
        return bool(self._waits(f"DELETE FROM {table} WHERE false") if waits is None else waits)

    def _waits(self, sql: str, parameters: Any = None) -> bool | None:
        """Whether a statement has to wait; None where it fails for another reason."""
        with self.session.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                cursor.execute(sql, parameters)
            except errors.LockNotAvailable:
                return True
            except psycopg2.Error:
                return None
            finally:
                cursor.execute("ROLLBACK")
        return False

    def _held(self, table: str) -> int:
        """How many rows the migration keeps others from changing."""
        skipping = f"SELECT FROM {table} FOR NO KEY UPDATE SKIP LOCKED"
        sql = f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM ({skipping}) AS free)"
        with self.session.cursor() as cursor, suppress(psycopg2.Error):
            cursor.execute(sql)
            present, free = cursor.fetchone()
            return int(present - free)
        return 0

    # ---- what may not be in a transaction --------------------------------------------------------

    def _alone(self, cursor: Any, sql: str, execute: Callable[[], object]) -> None:
        """Hold it up by a transaction that has all tables open, and look at it while it waits."""
        park = self._connect()
        with park.cursor() as holding:
            for table in self.inserts:
                with suppress(psycopg2.Error):
                    holding.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")
        pid, done = cursor.connection.info.backend_pid, threading.Event()
        limited = self._limited(cursor.connection.cursor())
        looking = threading.Thread(target=self._look, args=(pid, park, done), daemon=True)
        began = self.released = time.perf_counter()
        self.waiting = {}
        looking.start()
        error = ""
        try:
            execute()
        except psycopg2.Error as failure:
            error = _first_line(failure)
            raise
        finally:
            ended = time.perf_counter()
            done.set()
            looking.join()
            park.close()
            self.statements.append(
                Statement(
                    sql,
                    ended - max(began, self.released),
                    _strongest(self.locked),
                    dict(self.waiting),
                    alone=True,
                    committed=True,
                    limited=limited,
                    error=error,
                )
            )

    def _look(self, pid: int, park: Any, done: threading.Event) -> None:
        """Until the statement is done: note its locks; once it waits, try, and let it go on."""
        waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        let_go = False
        with self.session.cursor() as cursor:
            while not done.wait(LOOKS):
                for table, modes in self._locks(pid).items():
                    self.locked.setdefault(table, set()).update(modes)
                cursor.execute(waits, (pid,))
                if not let_go and cursor.fetchone() == (True,):
                    self.waiting = self._tried(self.locked)
                    let_go, self.released = True, time.perf_counter()
                    if self.breaks == len(self.statements):
                        cursor.execute("SELECT pg_cancel_backend(%s)", (pid,))
                    park.rollback()


def _strongest(locks: Mapping[str, set[str]]) -> dict[str, str]:
    return {table: max(modes, key=MODES.index) for table, modes in locks.items() if modes}


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def readable(mode: str) -> str:
    """A lock's mode as SQL and the documentation call it: ACCESS EXCLUSIVE."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()
