"""psycopg2's C module, in Python: all sessions with a database share PGlite's one.

The rest of psycopg2 is its own. A session that comes after another begins with settings of its own,
as if it were alone. While one has a transaction open nobody else can come in between, not even to
read, and the other is told so at once, as by a lock_timeout.
"""

import contextlib
import os
import re
import shlex
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import pglite  # type: ignore[import-not-found]
from psycopg2 import errors

from . import _tables, _wire
from ._values import *
from ._values import NAMED, ISQLQuote, Type, merged, string_types  # noqa: F401

__version__ = "2.9 (in a browser)"
__libpq_version__ = 180000
apilevel, threadsafety, paramstyle = "2.0", 2, "pyformat"
encodings = {"UTF8": "utf_8", "UNICODE": "utf_8"}
REPLICATION_PHYSICAL, REPLICATION_LOGICAL = 12345678, 87654321

# ---- errors --------------------------------------------------------------------------------------


class Warning(Exception):
    """Not raised by psycopg2 itself."""


class Error(Exception):
    """An error, with PostgreSQL's code and words where it comes from there."""

    pgerror: str | None = None
    pgcode: str | None = None
    cursor: Any = None
    fields: dict[str, str] = {}  # noqa: RUF012

    @property
    def diag(self) -> "Diagnostics":
        return Diagnostics(self)


FIELDS = {
    "severity": "S",
    "sqlstate": "C",
    "message_primary": "M",
    "message_detail": "D",
    "message_hint": "H",
    "statement_position": "P",
    "context": "W",
    "schema_name": "s",
    "table_name": "t",
    "column_name": "c",
    "datatype_name": "d",
    "constraint_name": "n",
}


class Diagnostics:
    """The fields of PostgreSQL's error, by psycopg2's names."""

    def __init__(self, error: Error) -> None:
        self._error = error

    def __getattr__(self, name: str) -> str | None:
        return self._error.fields.get(FIELDS[name])


def _class(name: str, base: type, module: str) -> Any:
    return type(name, (base,), {"__module__": module})


for _error in (Warning, Error):
    _error.__module__ = "psycopg2"
for _name, _base in _tables.CLASSES.items():  # those of DB-API and psycopg2's own
    globals()[_name] = _class(_name, globals()[_base], "psycopg2")
for _name in ("QueryCanceledError", "TransactionRollbackError"):
    globals()[_name].__module__ = "psycopg2.extensions"
sqlstate_errors: dict[str, Any] = {
    code: _class(name, globals()[base], "psycopg2.errors")
    for code, (name, base) in _tables.SQLSTATES.items()
}
_own = [globals()[each] for each in ("Warning", "Error", *_tables.CLASSES)]
vars(errors).update({each.__name__: each for each in [*_own, *sqlstate_errors.values()]})
globals().update(NAMED)
for _name in ("DATE", "TIME", "INTERVAL", "DATETIME", "DATETIMETZ"):
    globals()[f"PY{_name}"] = NAMED[_name]
    globals()[f"PY{_name}ARRAY"] = NAMED[f"{_name}ARRAY"]
BYTES, BYTESARRAY = NAMED["BINARY"], NAMED["BINARYARRAY"]


def _raised(name: str, words: str) -> Error:
    """An error that comes from psycopg2 itself, or from a server that is not there."""
    error: Error = globals()[name](words)
    return error


def _error_of(fields: dict[str, str], sql: str) -> Error:
    code = fields["C"]
    words = _wire.words(fields, sql)
    error: Error = (sqlstate_errors.get(code) or _kind(code))(words.partition(":  ")[2])
    error.pgerror, error.pgcode, error.fields = words, code, fields
    return error


def _kind(code: str) -> Any:
    """What a code is that psycopg2 has no name for: the same as others of its class."""
    bases = [base for each, (_, base) in _tables.SQLSTATES.items() if each[:2] == code[:2]]
    return globals()[bases[0] if bases else "DatabaseError"]


def _refused(code: str, message: str) -> Error:
    return _error_of({"S": "ERROR", "V": "ERROR", "C": code, "M": message}, "")


# ---- sessions ------------------------------------------------------------------------------------

STATUS = {"I": 0, "T": 2, "E": 3}
SETTING = re.compile(r"\s*(SET|RESET)\s+(?!LOCAL|TRANSACTION)", re.IGNORECASE)
ENDING = re.compile(r"\s*(ROLLBACK|COMMIT|END|ABORT)\b(?!\s+TO)", re.IGNORECASE)


class Server:
    """One database, and which of the sessions it has at the moment."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.latest: connection | None = None  # the session whose settings are in force

    def ask(self, sql: str) -> _wire.Answer:
        """Run statements, whoever asks."""
        return _wire.answer(pglite.ask(self.name, _wire.query(sql)))

    def run(self, who: "connection", sql: str) -> _wire.Answer:
        """Run statements for a session. Raises LockNotAvailable while another's is open."""
        other = self.latest
        if other is not who:
            if other and other.state == "E":  # it holds nothing any more
                self.ask("ROLLBACK")
                other.lost = True
            elif other and other.state == "T":
                raise _refused("55P03", "canceling statement due to lock timeout")
            self.ask("DISCARD ALL")
            for each in [f"SET SESSION AUTHORIZATION {who.user}", *who.settings]:
                self.ask(each)
            self.latest = who
        return self.ask(sql)

    def leave(self, who: "connection") -> None:
        """End a session: what it has not committed is gone, and its advisory locks are."""
        if self.latest is who:
            if who.state != "I":
                self.ask("ROLLBACK")
            self.ask("DISCARD ALL")
            self.latest = None


SERVERS: dict[str, Server] = {}


def restarted(database: str) -> None:
    """A database has become another: what a session has not committed is gone."""
    server = SERVERS.get(database)
    if server and server.latest:
        server.latest.lost = server.latest.state != "I"
        server.latest = None


class ConnectionInfo:
    """What SQLAlchemy, and the lessons, ask about a connection."""

    server_version, backend_pid, host, port, password = 180000, 1, "browser", 0, None

    def __init__(self, of: "connection") -> None:
        self._of = of

    dbname = property(lambda self: self._of.dbname)
    user = property(lambda self: self._of.user)
    transaction_status = property(lambda self: STATUS[self._of.state])


class connection:
    """A session with a database."""

    for _name in ("Warning", "Error", *_tables.CLASSES):
        locals()[_name] = globals()[_name]
    server_version, protocol_version, encoding, async_ = 180000, 3, "UTF8", 0
    cursor_factory = readonly = deferrable = None
    isolation_level = 0  # the server's own

    def __init__(self, dsn: str = "", async_: int = 0) -> None:
        asked = parse_dsn(dsn)
        self.dsn, self.closed, self.autocommit, self.state = dsn, 0, False, "I"
        self.lost = False  # its failed transaction was rolled back, for another session to work
        self.notices: list[str] = []
        self.notifies: list[Any] = []
        self.string_types: dict[int, Type] = {}
        self.user = asked.get("user") or os.environ.get("PGUSER") or "learner"
        self.dbname = asked.get("dbname") or os.environ.get("PGDATABASE") or self.user
        if not pglite.has(self.dbname):
            raise _raised(
                "OperationalError",
                "connection to server in this browser failed: FATAL:  database"
                f' "{self.dbname}" does not exist\n',
            )
        self._server = SERVERS.setdefault(self.dbname, Server(self.dbname))
        options = asked.get("options") or os.environ.get("PGOPTIONS", "")
        self.settings = [f"SET {k} = '{v}'" for k, v in re.findall(r"-c\s*(\w+)=(\S+)", options)]
        self.info = ConnectionInfo(self)

    @property
    def status(self) -> int:
        return 1 if self.state == "I" else 2

    def get_transaction_status(self) -> int:
        return STATUS[self.state]

    def get_parameter_status(self, name: str) -> str | None:
        known = {"server_version": "18.0", "standard_conforming_strings": "on"}
        return known.get(name)

    def get_backend_pid(self) -> int:
        return 1

    def set_client_encoding(self, encoding: str) -> None:
        pass

    def set_isolation_level(self, level: int | None) -> None:
        self.rollback()
        self.autocommit, self.isolation_level = level == 0, level or 0

    def set_session(self, isolation_level: Any = None, *_: Any, autocommit: Any = None) -> None:
        if autocommit is not None:
            self.autocommit = autocommit

    def cursor(self, name: str | None = None, cursor_factory: Any = None, **_: Any) -> Any:
        self._alive()
        return (cursor_factory or self.cursor_factory or cursor)(self)

    def run(self, sql: str) -> list[_wire.Result]:
        """Run statements as they are. Raises what PostgreSQL answers."""
        self._alive()
        if self.lost:
            if not ENDING.match(sql):
                words = "current transaction is aborted, commands ignored until end of transaction"
                raise _refused("25P02", f"{words} block")
            self.lost, self.state = False, "I"
            return [_wire.Result("ROLLBACK")]
        found = self._server.run(self, sql)
        self.state = found.state
        self.notices += [_wire.words(each, sql) for each in found.notices]
        if found.error:
            raise _error_of(found.error, sql)
        self.settings += [each for each in sql.split(";") if SETTING.match(each)]
        return found.results

    def begin(self) -> None:
        """Begin the transaction that a statement needs."""
        if not self.autocommit and self.state == "I":
            levels = {1: "READ COMMITTED", 2: "REPEATABLE READ", 3: "SERIALIZABLE"}
            level = levels.get(self.isolation_level)
            self.run(f"BEGIN ISOLATION LEVEL {level}" if level else "BEGIN")

    def commit(self) -> None:
        self._alive()
        if self.state != "I":
            self.run("COMMIT")

    def rollback(self) -> None:
        self._alive()
        if self.state != "I":
            self.run("ROLLBACK")

    def close(self) -> None:
        if not self.closed:
            self._server.leave(self)
            self.closed, self.state = 1, "I"

    def cancel(self) -> None:
        pass

    def _alive(self) -> None:
        if self.closed:
            raise _raised("InterfaceError", "connection already closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind:
            self.rollback()
        else:
            self.commit()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


class Column(tuple[Any, ...]):
    """What a cursor says of a column; psycopg2 leaves out most."""

    def __new__(cls, of: _wire.Column) -> Self:
        size = precision = scale = None
        if of.type == 1700 and of.modifier > 0:
            precision, scale = (of.modifier - 4) >> 16, (of.modifier - 4) & 0xFFFF
            size = precision
        elif of.type == 1700:
            precision = scale = 65535
        if size is None:
            size = of.modifier - 4 if of.size < 0 and of.modifier > 0 else of.size
        return super().__new__(cls, (of.name, of.type, None, size, precision, scale, None))

    name = property(lambda self: self[0])
    type_code = property(lambda self: self[1])

    def __repr__(self) -> str:
        return f"Column(name={self[0]!r}, type_code={self[1]})"


class cursor:
    """Statements and their rows."""

    arraysize, itersize, lastrowid = 1, 2000, 0
    row_factory = tzinfo_factory = name = scrollable = withhold = binary_types = None

    def __init__(self, connection: connection, name: str | None = None) -> None:
        self.connection, self.closed = connection, False
        self.string_types: dict[int, Type] = {}
        self.query: Any = None
        self._forget()

    def _forget(self) -> None:
        self.description: tuple[Column, ...] | None = None
        self.statusmessage: str | None = None
        self.rowcount, self._rows, self.rownumber = -1, None, 0

    _rows: list[tuple[Any, ...]] | None

    def mogrify(self, sql: Any, vars: Any = None) -> Any:
        """A statement with its values, as it would be sent."""
        if hasattr(sql, "as_string"):
            sql = sql.as_string(self.connection)
        text = sql.decode() if isinstance(sql, bytes) else sql
        return (text if vars is None else merged(text, vars, self.connection)).encode()

    def execute(self, sql: Any, vars: Any = None) -> None:
        """Run statements; raises what PostgreSQL answers."""
        if self.closed:
            raise _raised("InterfaceError", "cursor already closed")
        self.query = self.mogrify(sql, vars)
        self._forget()
        try:
            self.connection.begin()
            results = self.connection.run(self.query.decode())
        except Error as error:
            error.cursor = self
            raise
        if not results or not (results[-1].tag or results[-1].columns):
            raise _raised("ProgrammingError", "can't execute an empty query")
        self._take(results[-1])

    def _take(self, result: _wire.Result) -> None:
        self.statusmessage = result.tag
        count = result.tag.rpartition(" ")[2]
        self.rowcount = int(count) if count.isdecimal() else -1
        if result.columns is not None:
            self.description = tuple(map(Column, result.columns))
            casts = [self._type(each.type) for each in result.columns]
            self.rowcount = len(result.rows)
            self._rows = [
                tuple(cast(text, self) for cast, text in zip(casts, row, strict=True))
                for row in result.rows
            ]

    def _type(self, number: int) -> Type:
        places = (self.string_types, self.connection.string_types, string_types)
        return next((each[number] for each in places if number in each), NAMED["STRING"])

    def cast(self, number: int, text: str | None) -> Any:
        """A text as a value of the type with this number."""
        return self._type(number)(text, self)

    def executemany(self, sql: Any, many: Any) -> None:
        count = 0
        for each in many:
            self.execute(sql, each)
            count += max(self.rowcount, 0)
        self._forget()
        self.rowcount = count

    def callproc(self, name: str, arguments: Any = ()) -> None:
        places = ", ".join(["%s"] * len(arguments))
        self.execute(f"SELECT * FROM {name}({places})", arguments)

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(iter(self.fetchmany(1)), None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        if self._rows is None:
            raise _raised("ProgrammingError", "no results to fetch")
        found = self._rows[self.rownumber :][: self.arraysize if size is None else size]
        self.rownumber += len(found)
        return found

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.fetchmany(len(self._rows or ()))

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        while (row := self.fetchone()) is not None:
            yield row

    def close(self) -> None:
        self.closed = True

    def setinputsizes(self, sizes: Any) -> None:
        pass

    def setoutputsize(self, size: Any, column: Any = None) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _connect(dsn: str, connection_factory: Any = None, async_: int = 0, **_: Any) -> Any:
    return (connection_factory or connection)(dsn)


def parse_dsn(dsn: str) -> dict[str, str]:
    """A connection string's parts. Raises ProgrammingError."""
    if dsn.startswith(("postgresql://", "postgres://")):
        url = urlsplit(dsn)
        parts = {"host": url.hostname, "port": url.port, "user": url.username}
        parts |= {"password": url.password, "dbname": url.path[1:], **dict(parse_qsl(url.query))}
        return {key: unquote(str(value)) for key, value in parts.items() if value}
    try:
        return dict(part.split("=", 1) for part in shlex.split(dsn))
    except ValueError:
        raise _raised(
            "ProgrammingError",
            f'invalid dsn: missing "=" after "{dsn}" in connection info string\n',
        ) from None


def quote_ident(name: str, scope: Any = None) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def libpq_version() -> int:
    return __libpq_version__


def set_wait_callback(function: Any) -> None:
    pass


def get_wait_callback() -> None:
    return None


def encrypt_password(*_: Any, **__: Any) -> str:
    raise _raised("NotSupportedError", "no password is needed in a browser")


class _Nothing:
    """What a browser's psycopg2 has no use for."""


lobject = Xid = Notify = ReplicationConnection = ReplicationCursor = ReplicationMessage = _Nothing
Date = Time = Timestamp = DateFromTicks = TimeFromTicks = TimestampFromTicks = _Nothing
