"""One PostgreSQL for a room: a role and two databases for each learner, and the room's own.

Who may do what is said here alone, by PostgreSQL's own rights:

    the role learner_<name>         owns the databases of the same name and <name>_scratch
    the database <room>             reports and hands; its schema belongs to <room>_owner
    <room>_learners, <room>_teachers    the groups that may connect to it
    jobboard_api                    what chapter 13's application serves as: every learner may act
                                    as it, in their own databases; it owns and may do nothing else

A superuser acts here and never connects to a learner's database, where the learner could have laid
a trap. Standard library and psycopg2 only: the hub's own environment imports this.
"""

import contextlib
import hashlib
import re
import secrets
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors, sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import encrypt_password, parse_dsn

from classroom.errors import RoomError

HERE = Path(__file__).resolve().parent
TEMPLATE = "workbook_template"
SERVES = "jobboard_api"
# Rights that come with a group, or a role that one may act as and whose rights one does not have.
INHERITED, ACTED_AS = "INHERIT TRUE, SET FALSE", "INHERIT FALSE, SET TRUE"
CONNECTIONS = 15  # five notebooks with one each, and what two checks at once take
TEACHERS_CONNECTIONS = 10
ENDLESS = 10  # times as long as a statement may a transaction last that is kept busy
LARGEST = 10**9  # bytes of a learner's database, which grows no further: a full disk is everybody's
LOCKS = 1000  # of all sessions together: no lesson holds a fifth, and all share one table of locks
MEMORY = 2**30  # bytes of all their processes together, what is shared with others not counted
AT_MOST = ("authentication_timeout", "max_prepared_transactions")
HEAD_ROOM = 50  # connections beside the learners': the hub's, the board's, what is about to log in
SETTINGS = {
    "statement_timeout": "2min",  # longer than the minute that a check waits for the scratch database
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "10min",
    "TimeZone": "UTC",  # as in the notebooks' saved outputs
    # From here on, a learner cannot change it.
    "temp_file_limit": "256MB",
    "log_min_messages": "fatal",  # a loop of warnings would fill the disk; and it is their code
}

# What all look at is functions, not the views upon them: those would need locks of their own.
HOARDERS = """
SELECT usesysid FROM pg_stat_get_activity(NULL)
JOIN (SELECT pid, count(*) AS held FROM pg_lock_status() GROUP BY pid) AS locks USING (pid)
WHERE usesysid = ANY (%(members)s::oid[]) GROUP BY usesysid HAVING sum(held) > %(locks)s"""
END_ALL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_get_activity(NULL)
WHERE usesysid = ANY (%(hoarders)s::oid[])"""
END_LATE = """
WITH sessions AS (
    SELECT pid, state, datid, clock_timestamp() - query_start AS since, %(limit)s * interval '1 s' AS "limit",
        clock_timestamp() - CASE state WHEN 'active' THEN query_start ELSE state_change END AS age,
        clock_timestamp() - xact_start > %(endless)s * interval '1 s' AS endless
    FROM pg_stat_get_activity(NULL) WHERE usesysid = ANY (%(members)s::oid[])
)
SELECT count(CASE WHEN endless OR state LIKE 'idle in%%' OR since > 2 * "limit"
    THEN pg_terminate_backend(pid) ELSE pg_cancel_backend(pid) END)
FROM sessions WHERE endless OR (age > "limit" AND state <> 'idle')
    OR (state = 'active' AND since > interval '1 s' AND pg_database_size(datid) > %(largest)s)"""
# Of the databases that somebody is at work in: to measure all of them each second would take long.
GROWN = """
SELECT datdba, datid, pg_database_size(datid) FROM (
    SELECT DISTINCT datid FROM pg_stat_get_activity(NULL) WHERE usesysid = ANY (%(members)s::oid[])
        AND (state <> 'idle' OR state_change > clock_timestamp() - interval '5 s')
) AS busy JOIN pg_database ON oid = datid WHERE datdba = ANY (%(members)s::oid[])"""
PROCESSES = """
SELECT usesysid, pid FROM pg_stat_get_activity(NULL)
WHERE usesysid = ANY (%(members)s::oid[]) AND datid IS NOT NULL"""
KEPT: dict[str, Connection] = {}  # the connections that `watch` keeps, and whom it watches
WATCHED: dict[tuple[str, str], dict[int, str]] = {}
CAUGHT: set[str] = set()  # the roles that have taken too much before
SIZES: dict[int, int] = {}  # of the databases that are too large, when they were last looked at
WATCHS_NAME = "classroom watch"


def role_name(username: str, kind: str = "learner") -> str:
    """The PostgreSQL role of a JupyterHub user: at most 50 letters, so that `_scratch` fits behind.

    A name that had to be changed gets a hash of the original behind it, and so does one that looks
    as if it had one: no two names give the same role. Raises RoomError for an empty name.
    """
    if not username:
        raise RoomError("A learner without a name cannot be prepared.")
    plain = re.fullmatch(r"[a-z0-9_]{1,40}", username, re.ASCII)
    if kind == "learner" and plain and not re.search(r"_([0-9a-f]{16}|scratch)$", username):
        return f"{kind}_{username}"
    digest = hashlib.sha256(username.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    slug = re.sub(r"[^a-z0-9]+", "_", username.lower(), flags=re.ASCII).strip("_")[:24]
    return f"{kind}_{slug}_{digest}"


def prepare_room(admin: str, room: str = "room") -> None:
    """Make the room's database and the learners' template, or put right what is not as it should.

    `admin` is a libpq connection string of a superuser. Raises RoomError.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", room) or room.startswith(
        ("learner_", "teacher_", "pg_", "postgres", "template", TEMPLATE)
    ):
        raise RoomError(f'"{room}" cannot be a room\'s name: take small letters, digits and _.')
    owner, learners, teachers = (f"{room}_{group}" for group in ("owner", "learners", "teachers"))
    with _connected(admin) as server, _locked(server, "room"), server.cursor() as cursor:
        if server.server_version < 150000:
            raise RoomError("The room needs PostgreSQL 15 or newer.")
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone() != (True,):
            raise RoomError("Preparing a room needs a superuser of PostgreSQL.")
        for database in ("postgres", "template1"):
            _run(cursor, "REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
        for group in (owner, learners, teachers, SERVES):
            if not _exists(cursor, "pg_roles", "rolname", group):
                _run(cursor, "CREATE ROLE {}", group)
            strong = "rolcanlogin OR rolsuper OR rolcreatedb OR rolcreaterole"
            query = f"SELECT 1 FROM pg_roles WHERE rolname = %s AND ({strong})"
            # Not without need: who acts as SERVES can set a password for it, and hold its row.
            if _all(cursor, query, [group]):
                _run(cursor, "ALTER ROLE {} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE", group)
        if not _exists(cursor, "pg_database", "datname", TEMPLATE):
            locale = "LOCALE 'C'"
            if server.server_version >= 170000:  # text sorts as in the workbook's own server
                locale += " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
            how = f"TEMPLATE template0 ENCODING 'UTF8' {locale} ALLOW_CONNECTIONS false"
            _run(cursor, "CREATE DATABASE {} " + how, TEMPLATE)
        if not _exists(cursor, "pg_database", "datname", room):
            how = "TEMPLATE {} ALLOW_CONNECTIONS false"
            _run(cursor, "CREATE DATABASE {} " + how, room, TEMPLATE)
        for database in (TEMPLATE, room):
            _run(cursor, "REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
        _run(cursor, "GRANT CONNECT ON DATABASE {} TO {}, {}", room, learners, teachers)
        _run(cursor, "ALTER DATABASE {} ALLOW_CONNECTIONS true", room)
        _lay_out(admin, room)


def wanted(learners: int) -> dict[str, int]:
    """The least that a server for so many learners has to have; AT_MOST says where it is the most.

    The table of locks has max_connections times max_locks_per_transaction places: twice LOCKS for each.
    """
    return {
        "max_connections": CONNECTIONS * learners + HEAD_ROOM,
        "max_locks_per_transaction": 128,
        "superuser_reserved_connections": 16,  # the hub prepares several learners at once
        "authentication_timeout": 10,  # seconds that a connection may take to log in
        "max_prepared_transactions": 0,  # each would keep its locks without any session
    }


def unfit(admin: str, learners: int) -> dict[str, tuple[int, int]]:
    """The settings that do not suit so many learners: what is, and what should be."""
    wrong = {}
    with _connected(admin) as server, server.cursor() as cursor:
        for name, should in wanted(learners).items():
            cursor.execute("SELECT setting::int FROM pg_settings WHERE name = %s", [name])
            found = int(_one(cursor))
            if found > should if name in AT_MOST else found < should:
                wrong[name] = (found, should)
    return wrong


def doors(admin: str) -> tuple[list[tuple[str, int]], str]:
    """Where PostgreSQL listens, as seen from its own machine, and who its superuser is."""
    with _connected(admin) as server, server.cursor() as cursor:
        host, port, user = server.info.host, server.info.port, server.info.user
        cursor.execute("SHOW unix_socket_directories")
        places = [each.strip() for each in _one(cursor).split(",") if each.strip()]
    loops = ["::1"] if host in ("127.0.0.1", "localhost") else []
    return [(place, port) for place in dict.fromkeys([host, *loops, *places])], user


def addresses(admin: str) -> str:
    """This machine's own addresses and the database's, for a learner's server that reaches no other."""
    host = parse_dsn(admin).get("host", "")
    found: set[str] = set()
    if host and not host.startswith("/"):
        with contextlib.suppress(OSError):
            found = {str(each[4][0]) for each in socket.getaddrinfo(host, None)}
    return " ".join(["localhost", *sorted(found)])


def trusting(admin: str) -> list[str]:
    """The lines of pg_hba.conf that ask for nothing, whoever and wherever they are for."""
    query = """SELECT concat_ws(' ', type, array_to_string(database, ','),
            array_to_string(user_name, ','), address, auth_method) || ' (line ' || line_number || ')'
        FROM pg_hba_file_rules WHERE auth_method = 'trust'"""
    with _connected(admin) as server, server.cursor() as cursor:
        return _all(cursor, query, [])


def set_up(admin: str, learners: int) -> list[str]:
    """Write down the settings that do not suit so many learners; a line for each."""
    wrong = unfit(admin, learners)
    with _connected(admin) as server, server.cursor() as cursor:
        for name, (_, should) in wrong.items():
            _run(cursor, f"ALTER SYSTEM SET {name} = %s", values=[should])
        cursor.execute("SELECT pg_reload_conf()")
    return [
        f"{name} was {found}, it is {should} once PostgreSQL is restarted."
        for name, (found, should) in wrong.items()
    ]


def prepare_learner(admin: str, username: str, room: str = "room") -> dict[str, str]:
    """Make a learner's role and databases, or put right what is not as it should be.

    Gives the environment for the learner's server, with a new password: the one before is void.
    What is in the databases stays. Raises RoomError.
    """
    role = role_name(username)
    password = secrets.token_urlsafe(24)
    with _connected(admin) as server, _locked(server, role), server.cursor() as cursor:
        _check_room(cursor, room)
        _enter_name(admin, room, role, username)
        for attempt in range(3):
            try:
                groups = {f"{room}_learners": INHERITED, SERVES: ACTED_AS}
                _make_role(cursor, role, password, groups, CONNECTIONS, SETTINGS)
                for database in (role, f"{role}_scratch"):
                    _make_database(cursor, database, role)
                break
            except (errors.LockNotAvailable, psycopg2.InternalError) as error:
                # An open transaction of the learner's own is in the way of their own role.
                cursor.execute("ROLLBACK")
                if attempt == 2:
                    raise RoomError(f'"{username}" cannot be prepared: {_line(error)}.') from None
                query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
                cursor.execute(query, [role])
                time.sleep(0.2)
        return _environment(server, role, password, role) | {
            "PGOPTIONS": f"-c lock_timeout={SETTINGS['lock_timeout']}",
            "WORKBOOK_ROOM": room,
        }


def prepare_teacher(admin: str, username: str, room: str = "room") -> dict[str, str]:
    """Make a teacher's role, which reads this room's views and nothing else.

    Gives libpq's variables for it, with a new password. Somebody who teaches two rooms has two
    roles. Raises RoomError.
    """
    role = role_name(f"{username} {room}", "teacher") if username else role_name("")
    password = secrets.token_urlsafe(24)
    settings = {**SETTINGS, "default_transaction_read_only": "on"}
    with _connected(admin) as server, _locked(server, role), server.cursor() as cursor:
        _check_room(cursor, room)
        groups = {f"{room}_teachers": INHERITED}
        _make_role(cursor, role, password, groups, TEACHERS_CONNECTIONS, settings)
        return _environment(server, role, password, room)


def watch(admin: str, room: str, seconds: int) -> int:
    """End what learners of the room have left running for longer than that; gives how many.

    They can switch off every timeout of their own. A statement is cancelled, and its session ended
    when it goes on for twice as long; a transaction without a statement is ended; so is one that is
    kept busy for ten times as long. In a database that has grown too large, a statement that takes
    longer than a second is cancelled. Who holds more locks or memory than any lesson takes, in all
    sessions together, or lets a database grow that is too large, loses these sessions, and the
    second time may not log in until their server is started anew. Meant to be called every second or so, by one process, which keeps a connection
    for it: once a learner has filled the server's table of locks, nobody can connect. Raises
    RoomError.
    """
    with _kept(admin) as server, server.cursor() as cursor:
        known = WATCHED.get((admin, room), {})
        if ended := _end(cursor, known, _hoarders(cursor, known)):
            return ended
        _check_room(cursor, room)
        # With their names, so that this session has looked them up before it needs to.
        query = """SELECT member, pg_get_userbyid(member) FROM pg_auth_members
            WHERE roleid = to_regrole(quote_ident(%s))"""
        cursor.execute(query, [f"{room}_learners"])
        members = WATCHED[admin, room] = dict(cursor.fetchall())
        greedy = {*_hoarders(cursor, members), *_growing(cursor, members), *_large(cursor, members)}
        ended = _end(cursor, members, greedy)
        values = {"limit": seconds, "members": [*members], "largest": LARGEST}
        cursor.execute(END_LATE, {**values, "endless": ENDLESS * seconds})
        return ended + int(_one(cursor))


def is_watched(admin: str) -> bool:
    """Whether another process calls `watch`: its connection has asked something just now."""
    query = """SELECT FROM pg_stat_activity
        WHERE application_name = %s AND clock_timestamp() - query_start < interval '15 s'"""
    with _connected(admin) as server, server.cursor() as cursor:
        cursor.execute(query, [WATCHS_NAME])
        return cursor.fetchone() is not None


def _hoarders(cursor: Cursor, members: dict[int, str]) -> list[int]:
    """Who holds too many locks."""
    return _all(cursor, HOARDERS, {"members": [*members], "locks": LOCKS})


def _growing(cursor: Cursor, members: dict[int, str]) -> list[int]:
    """Whose database is too large and has grown since it was last looked at.

    One that is as it was is left alone, so that its owner can delete something.
    """
    cursor.execute(GROWN, {"members": [*members]})
    found = []
    for owner, database, size in cursor.fetchall():
        if size > LARGEST and size > SIZES.get(database, size):
            found.append(owner)
        SIZES[database] = size
    return found


def _large(cursor: Cursor, members: dict[int, str]) -> list[int]:
    """Whose processes hold too much memory together, where /proc tells: PostgreSQL has no limit."""
    cursor.execute(PROCESSES, {"members": [*members]})
    held: dict[int, int] = {}
    for owner, pid in cursor.fetchall():
        with contextlib.suppress(OSError, IndexError):  # gone, or not of this machine
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            if status.startswith("Name:\tpostgres"):
                kilobytes = int(status.split("RssAnon:")[1].split()[0])
                held[owner] = held.get(owner, 0) + 1024 * kilobytes
    return [owner for owner, size in held.items() if size > MEMORY]


def _end(cursor: Cursor, members: dict[int, str], greedy: Iterable[int]) -> int:
    """End every session of these; how many sessions."""
    greedy = [*greedy]
    if not greedy:
        return 0
    cursor.execute(END_ALL, {"hoarders": greedy})
    ended = int(_one(cursor))
    for role in (members[each] for each in greedy):
        if role in CAUGHT:
            _shut_out(cursor, role)
        CAUGHT.add(role)
    return ended


def _shut_out(cursor: Cursor, role: str) -> None:
    """Let a role log in no more, until prepare_learner allows it again."""
    for _ in range(50):  # until the table of locks is empty enough again
        with contextlib.suppress(psycopg2.OperationalError):
            _run(cursor, "ALTER ROLE {} NOLOGIN", role)
            break
        time.sleep(0.02)
    cursor.execute(END_ALL, {"hoarders": _all(cursor, "SELECT %s::regrole::oid", [role])})


@contextlib.contextmanager
def _kept(admin: str) -> Iterator[Connection]:
    """The connection that this process keeps for `watch`; a broken one is replaced."""
    if admin not in KEPT or KEPT[admin].closed:
        KEPT[admin] = _open(admin, called=WATCHS_NAME)
    try:
        yield KEPT[admin]
    except psycopg2.Error as error:  # "out of shared memory" may pass, without a new connection
        raise RoomError(f"PostgreSQL did not do it: {_line(error)}.") from None


@contextlib.contextmanager
def _connected(admin: str, database: str = "postgres") -> Iterator[Connection]:
    """A superuser's connection, closed at the end. Whatever PostgreSQL refuses is a RoomError."""
    with contextlib.closing(_open(admin, database)) as connection:
        try:
            yield connection
        except psycopg2.Error as error:
            raise RoomError(f"PostgreSQL did not do it: {_line(error)}.") from error


def _open(admin: str, database: str = "postgres", called: str = "classroom") -> Connection:
    """A superuser's connection, in autocommit. Raises RoomError."""
    try:
        connection: Connection = psycopg2.connect(
            admin,
            dbname=database,
            connect_timeout=10,
            application_name=called,
            options="-c search_path=pg_catalog -c lock_timeout=3s -c client_min_messages=warning",
        )
    except psycopg2.Error as error:
        raise RoomError(f"PostgreSQL does not let us in: {_line(error)}.") from None
    connection.autocommit = True
    return connection


@contextlib.contextmanager
def _locked(server: Connection, what: str) -> Iterator[None]:
    """Keep others from preparing the same thing, in a database that no learner can connect to."""
    with server.cursor() as cursor:
        cursor.execute("SET lock_timeout = '60s'")
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 6))", [what])
        cursor.execute("RESET lock_timeout")
    yield  # released with the connection


def _layout() -> tuple[str, str]:
    """What server.sql says, for the exercises that there are; and its version."""
    found = sorted(HERE.parent.glob("workbook/exercises/ch*/ex*.py"))
    exercises = (f"{int(each.parent.name[2:])}.{each.stem[2:]}" for each in found)
    text = (HERE / "server.sql").read_text(encoding="utf-8")
    text = text.replace("{EXERCISES}", f"{{{','.join(exercises)}}}")
    return text, hashlib.sha256(text.encode()).hexdigest()


def is_current(admin: str, room: str) -> bool:
    """Whether the room's database is as this version lays it out. Raises RoomError."""
    with _connected(admin, room) as inside, inside.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regnamespace('room'), 'pg_namespace')")
        return bool(_one(cursor) == _layout()[1])


def _lay_out(admin: str, room: str) -> None:
    """What server.sql says, in the room's database; nothing where it is there already."""
    owner, learners, teachers = (f"{room}_{group}" for group in ("owner", "learners", "teachers"))
    text, version = _layout()
    if is_current(admin, room):
        return
    with _connected(admin, room) as inside, inside.cursor() as cursor:
        # Sessions that report would be in the way; what they cannot deliver now comes later.
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        cursor.execute("BEGIN")
        _run(cursor, "CREATE SCHEMA IF NOT EXISTS room AUTHORIZATION {}", owner)
        _run(cursor, "SET LOCAL ROLE {}", owner)
        cursor.execute(text)
        cursor.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA room FROM PUBLIC")
        _run(cursor, "GRANT USAGE ON SCHEMA room TO {}, {}", learners, teachers)
        _run(cursor, "GRANT EXECUTE ON FUNCTION room.report, room.hand TO {}", learners)
        _run(cursor, "GRANT EXECUTE ON FUNCTION room.mistakes TO {}", teachers)
        views = "room.results, room.whereabouts, room.exercises, room.hands_up"
        _run(cursor, f"GRANT SELECT ON {views} TO {{}}", teachers)
        cursor.execute(f"COMMENT ON SCHEMA room IS '{version}'")
        cursor.execute("COMMIT")


def _check_room(cursor: Cursor, room: str) -> None:
    if not _exists(cursor, "pg_roles", "rolname", f"{room}_learners"):
        raise RoomError(f'There is no room "{room}" on this server: prepare it first.')


def _enter_name(admin: str, room: str, role: str, username: str) -> None:
    """Write down whose role that is; refuse to give one role to two people."""
    with _connected(admin, room) as inside, inside.cursor() as cursor:
        cursor.execute(
            "INSERT INTO room.learners (role, username) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [role, username],
        )
        cursor.execute("SELECT username FROM room.learners WHERE role = %s", [role])
        if _one(cursor) != username:
            raise RoomError(f'"{username}" and another learner would share a role: rename one.')


def _make_role(
    cursor: Cursor,
    role: str,
    password: str,
    groups: dict[str, str],
    connections: int,
    settings: dict[str, str],
) -> None:
    """A role with these rights, whatever it was before, in these groups and in no other.

    With each group stands how: INHERITED or ACTED_AS, which PostgreSQL 15 does not tell apart.
    """
    # A verifier, so that the password itself is in no statement that a log could keep.
    verifier = encrypt_password(password, role, cursor.connection, "scram-sha-256")
    cursor.execute("BEGIN")
    if not _exists(cursor, "pg_roles", "rolname", role):
        _run(cursor, "CREATE ROLE {}", role)
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    more = f" CONNECTION LIMIT {connections} PASSWORD %s"
    _run(cursor, f"ALTER ROLE {{}} {rights}{more}", role, values=[verifier])
    _run(cursor, "ALTER ROLE {} RESET ALL", role)
    query = """SELECT datname FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
        WHERE setrole = to_regrole(quote_ident(%s))"""
    for database in _all(cursor, query, [role]):
        _run(cursor, "ALTER ROLE {} IN DATABASE {} RESET ALL", role, database)
    for name, value in settings.items():
        _run(cursor, f"ALTER ROLE {{}} SET {name} = %s", role, values=[value])
    query = """SELECT rolname FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid
        WHERE member = to_regrole(quote_ident(%s))"""
    found = _all(cursor, query, [role])
    for other in {*found} - {*groups}:
        _run(cursor, "REVOKE {} FROM {}", other, role)
    for group in {*groups} - {*found}:
        how = f" WITH {groups[group]}" if cursor.connection.server_version >= 160000 else ""
        _run(cursor, "GRANT {} TO {}" + how, group, role)
    cursor.execute("COMMIT")


def _make_database(cursor: Cursor, database: str, role: str) -> None:
    """A database that this role owns and that nobody else can connect to."""
    if not _exists(cursor, "pg_database", "datname", database):  # closed, until PUBLIC is out
        how = "OWNER {} TEMPLATE {} ALLOW_CONNECTIONS false"
        _run(cursor, "CREATE DATABASE {} " + how, database, role, TEMPLATE)
    query = "SELECT datname FROM pg_database WHERE datname = %s AND pg_get_userbyid(datdba) <> %s"
    if _all(cursor, query, [database, role]):  # given away
        _run(cursor, "ALTER DATABASE {} OWNER TO {}", database, role)
    query = """SELECT DISTINCT rolname FROM pg_database, aclexplode(datacl)
        JOIN pg_roles r ON r.oid = grantee WHERE datname = %s AND grantee <> datdba"""
    for guest in _all(cursor, query, [database]):
        _run(cursor, "REVOKE ALL ON DATABASE {} FROM {} CASCADE", database, guest)
    _run(cursor, "REVOKE ALL ON DATABASE {} FROM PUBLIC", database)
    open_again = "ALTER DATABASE {} ALLOW_CONNECTIONS true CONNECTION LIMIT -1 IS_TEMPLATE false"
    _run(cursor, open_again, database)


def _environment(server: Connection, role: str, password: str, database: str) -> dict[str, str]:
    """libpq's variables, on the server that the superuser's connection leads to."""
    return {
        "PGHOST": server.info.host,
        "PGPORT": str(server.info.port),
        "PGUSER": role,
        "PGPASSWORD": password,
        "PGDATABASE": database,
    }


def _run(cursor: Cursor, statement: str, *names: str, values: list[Any] | None = None) -> None:
    """Execute a statement with these names, quoted, in place of its braces."""
    cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)), values)


def _exists(cursor: Cursor, catalog: str, column: str, name: str) -> bool:
    return bool(_all(cursor, f"SELECT 1 FROM {catalog} WHERE {column} = %s", [name]))


def _all(cursor: Cursor, query: str, values: list[Any] | dict[str, Any]) -> list[Any]:
    """The first column of what a query gives."""
    cursor.execute(query, values)
    return [row[0] for row in cursor.fetchall()]


def _one(cursor: Cursor) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
