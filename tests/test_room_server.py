"""The room's PostgreSQL under attack by its learners, and what a learner's kernel reports to it.

Each attack is something that a server without the defence would let happen.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import errors
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from classroom import ready
from classroom import server as classroom
from classroom.errors import RoomError
from workbook import ROOT, WorkbookError, checking, reports
from workbook.author import contract
from workbook.exercises import Answer, every, load
from workbook.exercises.mistakes import MIGRATION, MODEL
from workbook.server import database, postgres

if os.name != "posix":
    pytest.skip("the server of these tests is reached by a socket", allow_module_level=True)

pytestmark = pytest.mark.author
TRUST = "local all all trust\n"
HBA = "local all postgres peer map=workbook\nlocal all all scram-sha-256\n"
UUID = "00000000-0000-4000-8000-000000000001"
REPORT = f"SELECT room.report('{UUID}', '3.2', 'done', NULL, 0)"


@dataclass
class Room:
    """A server with two rooms: anna, berta and carl with a teacher in one, dora in the other."""

    admin: str
    learners: dict[str, dict[str, str]]
    teacher: dict[str, str]

    def __getattr__(self, name: str) -> dict[str, str]:
        return self.learners[name]


@contextlib.contextmanager
def a_server() -> Iterator[str]:
    """A throwaway server that asks everybody for a password but us; its administrator's address."""
    folder = Path(tempfile.mkdtemp(prefix="room-"))
    home = postgres.cluster_home(folder)
    try:
        address = postgres.start(folder)
        admin = f"host={address['PGHOST']} port={address['PGPORT']} user=postgres dbname=postgres"
        let_in_by(HBA, admin)
        until(lambda: asks_for_passwords(address))
        yield admin
    finally:
        postgres.stop(folder)
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def let_in_by(lines: str, admin: str) -> None:
    """Write pg_hba.conf anew; the server reads it a moment later."""
    postgres._write(Path(ask(admin, "SHOW hba_file")[0][0]), lines)
    ask(admin, "SELECT pg_reload_conf()")


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with a_server() as admin:
        for name in ("room", "other"):
            classroom.prepare_room(admin, name)
        prepare = classroom.prepare_learner
        learners = {name: prepare(admin, name) for name in ("anna", "berta", "carl")}
        learners["dora"] = prepare(admin, "dora", "other")
        yield Room(admin, learners, classroom.prepare_teacher(admin, "prof"))
        for connection in classroom.KEPT.values():
            connection.close()


def asks_for_passwords(address: dict[str, str]) -> bool:
    try:
        psycopg2.connect(host=address["PGHOST"], user="learner", dbname="postgres").close()
    except psycopg2.OperationalError as error:
        return "no password supplied" in str(error)
    return False


def connect(env: dict[str, str], name: str | None = None) -> Connection:
    """A connection with an environment's variables, in autocommit."""
    host, port, user, password = (env[f"PG{each}"] for each in ("HOST", "PORT", "USER", "PASSWORD"))
    connection: Connection = psycopg2.connect(
        host=host,
        port=port,
        user=user,
        password=password,
        dbname=name or env["PGDATABASE"],
        options="",
    )
    connection.autocommit = True
    return connection


def ask(who: str | dict[str, str], query: str, name: str | None = None) -> list[tuple[Any, ...]]:
    """The rows of a query, as a superuser (a connection string) or with an environment."""
    if isinstance(who, str):
        connection = psycopg2.connect(who, dbname=name or "postgres")
        connection.autocommit = True
    else:
        connection = connect(who, name)
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def session(env: dict[str, str], name: str | None = None) -> Iterator[Cursor]:
    """A cursor of a connection of its own."""
    with contextlib.closing(connect(env, name)) as connection, connection.cursor() as cursor:
        yield cursor


def results(room: Room, learner: str) -> list[tuple[Any, ...]]:
    query = "SELECT exercise, outcome, mistake FROM room.results"
    return ask(room.teacher, f"{query} WHERE learner = '{learner}' ORDER BY at")


def make(room: Room, name: str) -> dict[str, str]:
    """A learner of a test's own."""
    room.learners[name] = classroom.prepare_learner(room.admin, name)
    return room.learners[name]


def until(question: Callable[[], object], patience: int = 60) -> None:
    """Wait until something is so; what never becomes so fails."""
    end = time.monotonic() + patience
    while not question():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


# ---- attacks -----------------------------------------------------------------------------------


NOWHERE_ELSE = {
    "anna": "learner_berta learner_berta_scratch learner_dora other postgres template1 template0"
    f" {classroom.TEMPLATE}",
    "teacher": "other postgres learner_anna template1",
}
# What is refused to whom, in which database.
REFUSED = {
    ("anna", "learner_anna"): f"""
drop a neighbour's database | DROP DATABASE learner_berta
drop it by force | DROP DATABASE learner_berta WITH (FORCE)
rename it | ALTER DATABASE learner_berta RENAME TO gone
rename one's own | ALTER DATABASE learner_anna_scratch RENAME TO free
comment on it | COMMENT ON DATABASE learner_berta IS 'mine'
alter it | ALTER DATABASE learner_berta SET search_path = nowhere
close it | ALTER DATABASE learner_berta ALLOW_CONNECTIONS false
take it | ALTER DATABASE learner_berta OWNER TO learner_anna
give one's own away | ALTER DATABASE learner_anna OWNER TO learner_berta
drop the room | DROP DATABASE room
drop the template | DROP DATABASE {classroom.TEMPLATE}
alter the template | ALTER DATABASE {classroom.TEMPLATE} ALLOW_CONNECTIONS true
replace template1 | ALTER DATABASE template1 RENAME TO template2
be a neighbour | SET ROLE learner_berta
be a superuser | SET ROLE postgres
be the room's owner | SET ROLE room_owner
be their group | SET ROLE room_learners
give it all | REASSIGN OWNED BY learner_anna TO room_learners
give it all to whom all may act as | REASSIGN OWNED BY learner_anna TO jobboard_api
give one's database to it | ALTER DATABASE learner_anna OWNER TO jobboard_api
let it log in | SET ROLE jobboard_api; ALTER ROLE jobboard_api LOGIN
let others act as it | GRANT jobboard_api TO room_teachers
have it alone | REVOKE jobboard_api FROM learner_berta
drop it | DROP ROLE jobboard_api
make roles as it | SET ROLE jobboard_api; CREATE ROLE friend
take its rights along | GRANT jobboard_api TO learner_anna WITH INHERIT TRUE
log in as a neighbour | SET SESSION AUTHORIZATION learner_berta
take a neighbour's rights | GRANT learner_berta TO learner_anna
take the teachers' rights | GRANT room_teachers TO learner_anna
take the owner's rights | GRANT room_owner TO learner_anna
read all data | GRANT pg_read_all_data TO learner_anna
create a role | CREATE ROLE friend
create a database | CREATE DATABASE more
copy a neighbour's database | CREATE DATABASE more TEMPLATE learner_berta
drop a role | DROP ROLE learner_berta
become a superuser | ALTER ROLE learner_anna SUPERUSER
be allowed databases | ALTER ROLE learner_anna CREATEDB
take more connections | ALTER ROLE learner_anna CONNECTION LIMIT 1000
set a neighbour's password | ALTER ROLE learner_berta PASSWORD 'known'
set a neighbour's settings | ALTER ROLE learner_berta SET statement_timeout = 1
change the server | ALTER SYSTEM SET max_connections = 1
reload the server | SELECT pg_reload_conf()
run a program | COPY (SELECT 1) TO PROGRAM 'cat'
read from a program | CREATE TABLE t (x text); COPY t FROM PROGRAM 'id'
write a file | COPY (SELECT 1) TO '/tmp/attack'
read a file | CREATE TABLE t (x text); COPY t FROM '/etc/passwd'
read a file by a function | SELECT pg_read_file('/etc/passwd')
list a folder | SELECT pg_ls_dir('.')
import a large object | SELECT lo_import('/etc/passwd')
export a large object | SELECT lo_export(lo_creat(-1), '/tmp/attack')
dblink | CREATE EXTENSION dblink
another server | CREATE EXTENSION postgres_fdw
files as tables | CREATE EXTENSION file_fdw
C | CREATE FUNCTION f() RETURNS int AS 'libc', 'getpid' LANGUAGE c
internal functions | CREATE FUNCTION f() RETURNS int AS 'x' LANGUAGE internal
a tablespace | CREATE TABLESPACE t LOCATION '/tmp'
an event trigger | CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION now()
password hashes | SELECT rolpassword FROM pg_authid
password hashes by another view | SELECT passwd FROM pg_shadow
who may connect | SELECT * FROM pg_hba_file_rules
more temporary files | SET temp_file_limit = -1
more of them for ever | ALTER ROLE learner_anna SET temp_file_limit = -1
fill the log | SET log_min_messages = debug5
fill the log for ever | ALTER DATABASE learner_anna SET log_min_messages = debug5
lock everybody out | LOCK TABLE pg_authid IN ACCESS SHARE MODE
lock the databases | LOCK TABLE pg_database IN ACCESS EXCLUSIVE MODE
lock a row of them | SELECT FROM pg_database FOR UPDATE
change them | UPDATE pg_database SET datallowconn = true
a replication slot | SELECT pg_create_physical_replication_slot('s')
write a checkpoint | CHECKPOINT
""",
    ("anna", "room"): f"""
read reports | SELECT * FROM room.reports
read hands | SELECT * FROM room.hands
read names | SELECT * FROM room.learners
read the teacher's views | SELECT * FROM room.results
read where others are | SELECT * FROM room.whereabouts
read the exercises | SELECT * FROM room.exercises
read hands that are up | SELECT * FROM room.hands_up
read mistakes | SELECT * FROM room.mistakes(5)
write a report | INSERT INTO room.reports VALUES ('learner_berta', '{UUID}', now(), '3.2')
raise another's hand | INSERT INTO room.hands VALUES ('learner_berta', now())
lower all hands | DELETE FROM room.hands
empty the reports | TRUNCATE room.reports
drop them | DROP TABLE room.reports
lock them | BEGIN; LOCK TABLE room.reports IN ACCESS SHARE MODE
lock the learners | BEGIN; LOCK TABLE room.learners
more allowance | UPDATE room.learners SET allowance = 1e9
replace a function | CREATE OR REPLACE FUNCTION room.hand(up boolean) RETURNS void LANGUAGE sql AS ''
call an inner function | SELECT room.spend()
a table | CREATE TABLE public.t ()
a schema | CREATE SCHEMA s
a temporary table | CREATE TEMPORARY TABLE learners (role name)
another owner | ALTER DATABASE room OWNER TO learner_anna
another one in | GRANT CONNECT ON DATABASE room TO learner_dora
""",
    ("teacher", "room"): """
read the reports themselves | SELECT * FROM room.reports
delete them | BEGIN; SET TRANSACTION READ WRITE; DELETE FROM room.reports
make a temporary table | BEGIN; SET TRANSACTION READ WRITE; CREATE TEMPORARY TABLE t ()
raise a hand | SELECT room.hand(true)
be the owner | SET ROLE room_owner
read password hashes | SELECT rolpassword FROM pg_authid
""",
}


@pytest.mark.parametrize(
    ("who", "name"), [(who, name) for who, names in NOWHERE_ELSE.items() for name in names.split()]
)
def test_nobody_connects_elsewhere(room: Room, who: str, name: str) -> None:
    with pytest.raises(
        psycopg2.OperationalError,
        match=r"permission denied for database|not currently accepting connections",
    ):
        connect(room.teacher if who == "teacher" else room.learners[who], name)


def test_learners_connect_to_their_own(room: Room) -> None:
    for name in ("learner_anna", "learner_anna_scratch", "room"):
        assert ask(room.anna, "SELECT current_database()", name) == [(name,)]


@pytest.mark.parametrize(
    ("who", "name", "attack"),
    [
        pytest.param(*place, line.split(" | ")[1], id=f"{place[0]}: {line.split(' | ')[0]}")
        for place, lines in REFUSED.items()
        for line in lines.strip().splitlines()
    ],
)
def test_refused(room: Room, who: str, name: str, attack: str) -> None:
    env = room.teacher if who == "teacher" else room.learners[who]
    with session(env, name) as cursor, pytest.raises(errors.InsufficientPrivilege):
        if name != "room" and not re.search("DATABASE|TABLESPACE|SYSTEM", attack):
            cursor.execute("BEGIN")  # leaves nothing behind
        cursor.execute(attack)
        if any("no privileges were granted" in each for each in cursor.connection.notices):
            raise errors.InsufficientPrivilege  # a GRANT without the right is only a warning


def test_a_learner_is_nothing_else(room: Room) -> None:
    query = """SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls
        FROM pg_roles WHERE rolname LIKE 'learner\\_%' OR rolname LIKE 'teacher\\_%'"""
    assert set(ask(room.admin, query)) == {(False,) * 5}
    query = """SELECT r.rolname FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid
        WHERE member = 'learner_anna'::regrole"""
    assert {*ask(room.admin, query)} == {("room_learners",), ("jobboard_api",)}
    query = "SELECT lanname FROM pg_language WHERE lanpltrusted"
    assert {*ask(room.anna, query)} == {("plpgsql",), ("sql",)}


def test_a_neighbours_session_is_out_of_reach(room: Room) -> None:
    with session(room.berta) as cursor:
        cursor.execute("SELECT 'a secret', pg_backend_pid()")
        [(_, pid)] = cursor.fetchall()
        query = f"SELECT query, client_addr FROM pg_stat_activity WHERE pid = {pid}"
        assert ask(room.anna, query) == [("<insufficient privilege>", None)]
        for function in ("pg_cancel_backend", "pg_terminate_backend"):
            with pytest.raises(errors.InsufficientPrivilege):
                ask(room.anna, f"SELECT {function}({pid})")
        cursor.execute("SELECT 1")


def test_the_role_that_all_may_act_as_leads_to_nobody(room: Room) -> None:
    """Chapter 13's: what anna gives it, berta does not have; nor can anna spoil it for others."""
    with session(room.anna) as cursor:
        for statement in (
            "GRANT CONNECT ON DATABASE learner_anna TO jobboard_api",
            "SET ROLE jobboard_api",
            "DROP OWNED BY jobboard_api",
            "BEGIN; ALTER ROLE jobboard_api PASSWORD 'x'; ALTER ROLE jobboard_api SET role = none",
        ):
            cursor.execute(statement)
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            connect(room.berta, "learner_anna")
        classroom.prepare_room(room.admin)
        berta = make(room, "berta")
        cursor.execute("COMMIT")
        acting = "SET ROLE jobboard_api; SELECT current_user"
        assert ask(berta, acting) == [("jobboard_api",)]
    assert ask(make(room, "anna"), acting) == [("jobboard_api",)]
    with pytest.raises(psycopg2.OperationalError, match="not permitted to log in"):
        connect({**room.anna, "PGUSER": "jobboard_api", "PGPASSWORD": "x"}, "room")


def test_no_report_in_anothers_name(room: Room) -> None:
    env = make(room, "forger")
    with session(env, "room") as cursor:
        for trick in (
            "SET application_name = 'learner_berta'",
            "SET search_path = pg_temp, public",
            "SET search_path = ''",
        ):
            cursor.execute(trick)
            cursor.execute(REPORT)
        cursor.execute("SELECT room.hand(true)")
    assert results(room, "forger") == [("3.2", "done", None)]
    assert results(room, "berta") == []
    assert ask(room.teacher, "SELECT learner FROM room.hands_up") == [("forger",)]
    ask(env, "SELECT room.hand(false)", "room")


def test_the_rooms_functions_are_pinned_and_their_owner_is_weak(room: Room) -> None:
    query = """SELECT proname, proconfig, rolsuper, rolcanlogin,
            has_function_privilege('public', p.oid, 'EXECUTE')
        FROM pg_proc p JOIN pg_roles r ON r.oid = proowner
        WHERE pronamespace = 'room'::regnamespace"""
    found = ask(room.admin, query, "room")
    assert {each[0] for each in found} == {"report", "hand", "spend", "mistakes"}
    for each in found:
        assert each[1:] == (["search_path=pg_catalog, pg_temp"], False, False, False)


def test_a_flood_of_reports_is_stopped(room: Room) -> None:
    env = make(room, "flooder")
    query = "SELECT room.report(gen_random_uuid(), '3.2', 'done', NULL, 0)"

    def flood(_: int) -> None:
        with session(env, "room") as cursor:
            for _ in range(200):
                with contextlib.suppress(errors.ConfigurationLimitExceeded):
                    cursor.execute(query)

    with ThreadPoolExecutor(4) as pool:
        begun = time.monotonic()
        list(pool.map(flood, range(4)))
        allowed = 60 + (time.monotonic() - begun) / 2 + 1
    assert 60 <= len(results(room, "flooder")) <= allowed
    with pytest.raises(errors.ConfigurationLimitExceeded):
        ask(
            env,
            "DO $$ BEGIN FOR i IN 1..99 LOOP PERFORM room.hand(true); END LOOP; END $$",
            "room",
        )
    ask(room.carl, "SELECT room.hand(false)", "room")


@pytest.mark.parametrize(
    "values",
    [
        "'3.2', 'mistake', repeat('x', 10000000), 0",
        "repeat('3', 10000000), 'done', NULL, 0",
        "'3.2', repeat('d', 10000000), NULL, 0",
        "'3.2', 'mistake', repeat('x', 101), 0",
        "'3.2', 'mistake', E'two\\nlines', 0",
        "'3.2', 'mistake', E'two\\u2028lines', 0",
        "'3.2', 'mistake', E'back\\u202ewards', 0",
        "'3.2', 'mistake', E'no\\u200bwidth', 0",
        "'3.2', 'mistake', ' ', 0",
        "'3.2', 'mistake', '', 0",
        "'3.2', 'mistake', NULL, 0",
        "'3.2', 'done', 'a mistake', 0",
        "'3.2', 'excellent', NULL, 0",
        "'all', 'done', NULL, 0",
        "'99.99', 'done', NULL, 0",
        "'3.99', 'done', NULL, 0",
        "NULL, 'done', NULL, 0",
        "'3.2', NULL, NULL, 0",
    ],
)
def test_a_report_has_its_form(room: Room, values: str) -> None:
    with pytest.raises((psycopg2.DataError, psycopg2.IntegrityError)):
        ask(room.carl, f"SELECT room.report(gen_random_uuid(), {values})", "room")
    assert results(room, "carl") == []


@pytest.mark.parametrize("age", ["-1e308", "'infinity'", "'NaN'", "1e308", "NULL"])
def test_a_report_is_neither_from_the_future_nor_from_long_ago(room: Room, age: str) -> None:
    env = make(room, "timetraveller")
    ask(env, f"SELECT room.report(gen_random_uuid(), '3.2', 'done', NULL, {age})", "room")
    query = """SELECT bool_and(at BETWEEN now() - interval '8 days' AND now())
        FROM room.results WHERE learner = 'timetraveller'"""
    assert ask(room.teacher, query) == [(True,)]


def test_every_mistake_that_there_is_can_be_reported(room: Room) -> None:
    [known] = re.findall(r"ALL \('{(.*)}'\)", classroom._layout()[0])
    assert {*known.split(",")} == {exercise.id for exercise in every()}
    env = make(room, "everything")
    odd = ["a bare postgresql:// means another driver", "+1 is one step", "½ “a” → `b` <i> $1…"]
    for name in odd:
        query = f"SELECT room.report(gen_random_uuid(), '3.2', 'mistake', '{name}', 0)"
        ask(env, query, "room")
    assert results(room, "everything") == [("3.2", "mistake", name) for name in odd]
    names = {each.name for exercise in every() for each in exercise.named()}
    names |= {each.name for each in (*MIGRATION, *MODEL)}
    values = ", ".join("($$" + name + "$$)" for name in sorted(names))
    query = f"""INSERT INTO room.reports (role, id, at, exercise, outcome, mistake)
        SELECT 'learner_everything', gen_random_uuid(), now(), '3.2', 'mistake', name
        FROM (VALUES {values}) AS v (name) RETURNING mistake"""
    assert {name for (name,) in ask(room.admin, query, "room")} == names
    assert len(names) > 80


def test_connections_run_out_for_oneself_only(room: Room) -> None:
    env = make(room, "hoarder")
    held: list[Connection] = []
    try:
        with pytest.raises(psycopg2.OperationalError, match="too many connections for role"):
            for _ in range(classroom.CONNECTIONS + 1):
                held.append(connect(env))
        assert len(held) == classroom.CONNECTIONS
        assert ask(room.berta, "SELECT 1") == [(1,)]
        classroom.prepare_learner(room.admin, "hoarder")
    finally:
        for each in held:
            each.close()


def test_temporary_files_end(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    assert classroom.SETTINGS["temp_file_limit"] == "256MB"
    monkeypatch.setitem(classroom.SETTINGS, "temp_file_limit", "1MB")
    env = make(room, "sorter")
    ask(env, "ALTER ROLE learner_sorter RESET ALL")  # which leaves what a superuser has set
    query = "SELECT count(*) FROM (SELECT * FROM generate_series(1, 1000000) n ORDER BY -n) s"
    with pytest.raises(errors.ConfigurationLimitExceeded):
        ask(env, f"SET work_mem = '64kB'; {query}")


def test_opening_ones_own_database_shows_ones_own_only_until_the_next_start(room: Room) -> None:
    env = make(room, "host")
    ask(env, "CREATE TABLE diary (line text)")
    ask(env, "GRANT ALL ON DATABASE learner_host TO PUBLIC, learner_anna")
    with pytest.raises(errors.InsufficientPrivilege):
        ask(room.berta, "SELECT * FROM diary", "learner_host")
    for attack in (
        "DROP SCHEMA public",
        "CREATE TABLE public.mine ()",
        "DROP DATABASE learner_host",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            ask(room.berta, attack, "learner_host")
    make(room, "host")
    for guest in (room.anna, room.berta):
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            connect(guest, "learner_host")


# ---- watch -------------------------------------------------------------------------------------


def background(env: dict[str, str], *statements: str) -> threading.Thread:
    """Run statements as a learner, one after the other, until one fails; wait for their session."""
    connection = connect(env)

    def run() -> None:
        with contextlib.suppress(psycopg2.Error), contextlib.closing(connection):
            for statement in statements:
                connection.cursor().execute(statement)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def ended(room: Room, name: str = "room") -> int:
    return classroom.watch(room.admin, name, 1)


RUNAWAY = {
    "a query": "SELECT pg_sleep(3600)",
    "a loop": "DO $$ BEGIN LOOP END LOOP; END $$",
    "a loop that does not want to be cancelled": """DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(3600);
        EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$""",
}


@pytest.mark.parametrize("statement", RUNAWAY.values(), ids=RUNAWAY.keys())
def test_a_runaway_statement_is_ended(
    room: Room, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classroom, "ENDLESS", 10**6)
    thread = background(room.anna, "SET statement_timeout = 0", statement)
    with session(room.berta) as idle:
        until(lambda: (ended(room), not thread.is_alive())[1])
        idle.execute("SELECT 1")  # a session that does nothing is left alone


def test_an_idle_transaction_is_ended(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classroom, "ENDLESS", 10**6)
    with session(room.anna) as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
        cursor.execute("BEGIN; CREATE TABLE held ()")
        until(lambda: ended(room))
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT 1")


def test_a_transaction_that_is_kept_busy_is_ended(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classroom, "ENDLESS", 2)
    with session(room.anna) as cursor:
        cursor.execute("BEGIN")
        with pytest.raises(psycopg2.OperationalError):
            for _ in range(600):
                cursor.execute("SELECT pg_sleep(0.1)")
                ended(room)


@pytest.mark.parametrize("sessions", [1, 14])
def test_a_hoard_of_locks_is_ended_and_the_second_shuts_out(room: Room, sessions: int) -> None:
    """In one session that is at it, or in many that are idle and hold few each."""
    name = f"hoarder{sessions}"
    env = make(room, name)
    for times in (1, 2):
        classroom.watch(room.admin, "room", 3600)  # as every second
        held = [connect(env) for _ in range(sessions)]
        with pytest.raises(errors.OutOfMemory):  # the table of locks is full, for everybody
            for number in range(70):
                keys = f"generate_series({300 * number}, {300 * number + 299}) n"
                lock = f"SELECT count(pg_advisory_lock(n)) FROM {keys}"
                held[number % sessions].cursor().execute(lock)
        until(lambda: classroom.watch(room.admin, "room", 3600) == 0)
        for each in held:
            with pytest.raises(psycopg2.OperationalError):
                each.cursor().execute("SELECT 1")
        ask(room.berta, "CREATE TABLE many (a int PRIMARY KEY, b int UNIQUE, c int UNIQUE)")
        ask(room.berta, "DROP TABLE many")
        if times == 2:
            with pytest.raises(psycopg2.OperationalError, match="not permitted to log in"):
                connect(env)
    assert ask(make(room, name), "SELECT 1") == [(1,)]


def test_a_database_that_is_too_large_grows_no_further(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classroom, "LARGEST", 10**6)  # an empty one has more
    thread = background(room.anna, "SELECT pg_sleep(3600)")
    until(lambda: (classroom.watch(room.admin, "room", 3600), not thread.is_alive())[1])


def test_a_database_that_grows_in_small_steps_is_stopped_and_can_be_emptied(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = make(room, "collector")
    ask(env, "CREATE TABLE hoard (line text); ALTER TABLE hoard ALTER line SET STORAGE EXTERNAL")
    monkeypatch.setattr(classroom, "LARGEST", 12 * 10**6)  # an empty one has 8 MB
    classroom.watch(room.admin, "room", 3600)
    with session(env) as cursor, pytest.raises(psycopg2.OperationalError):
        for _ in range(200):
            cursor.execute("INSERT INTO hoard SELECT repeat('x', 1000000)")
            classroom.watch(room.admin, "room", 3600)
    [(size,)] = ask(room.admin, "SELECT pg_database_size('learner_collector')")
    assert size < 20 * 10**6
    with session(env) as cursor:  # what is as it was is left alone
        for _ in range(3):
            cursor.execute("SELECT count(*) FROM hoard")
            assert classroom.watch(room.admin, "room", 3600) == 0
        cursor.execute("DROP TABLE hoard")
        assert classroom.watch(room.admin, "room", 3600) == 0
        cursor.execute("SELECT 1")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_processes_that_take_much_memory_are_ended(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = make(room, "large")
    monkeypatch.setattr(classroom, "MEMORY", 100 * 2**20)
    with session(env) as one, session(room.berta) as other:
        one.execute("SELECT length(set_config('large.kept', repeat('x', 200000000), false))")
        assert classroom.watch(room.admin, "room", 3600) == 1
        with pytest.raises(psycopg2.OperationalError):
            one.execute("SELECT 1")
        other.execute("SELECT 1")


def test_watch_leaves_the_other_room_and_the_teacher_alone(room: Room) -> None:
    with session(room.dora) as theirs, session(room.teacher) as teachers:
        for cursor in (theirs, teachers):
            cursor.execute("BEGIN; SELECT 1")
        late = "SELECT count(*) FROM pg_stat_activity WHERE now() - state_change > '2 s'"
        until(lambda: ask(room.admin, f"{late} AND state LIKE 'idle in%'") == [(2,)])
        assert ended(room) == 0
        teachers.execute("SELECT 1")
        assert ended(room, "other") == 1
        with pytest.raises(psycopg2.OperationalError):
            theirs.execute("SELECT 1")


# ---- the front door ----------------------------------------------------------------------------


def test_settings_that_do_not_suit_are_raised_and_none_is_lowered(room: Room) -> None:
    fit = {"max_connections": 80, "authentication_timeout": 10}
    assert (
        fit.items() <= {k: best for k, (_, best) in classroom.unfit(room.admin, 2).items()}.items()
    )
    ask(room.admin, "ALTER SYSTEM SET authentication_timeout = 3")
    ask(room.admin, "SELECT pg_reload_conf()")
    until(lambda: ask(room.admin, "SHOW authentication_timeout") == [("3s",)])
    assert "authentication_timeout" not in classroom.unfit(room.admin, 2)
    assert not any("authentication" in line for line in classroom.set_up(room.admin, 2))
    kept = Path(ask(room.admin, "SHOW data_directory")[0][0]) / "postgresql.auto.conf"
    assert "max_connections = '80'" in kept.read_text()


def test_a_line_that_asks_for_no_password_is_found(room: Room) -> None:
    """For any role, any database: not only for those that a guess is tried with."""
    assert classroom.trusting(room.admin) == []
    look = ready.Look(Path(), {"admin": room.admin, "learners": ["anna"]})
    for line in ("local all all trust", "host room learner_berta ::1/128 trust"):
        let_in_by(HBA + line + "\n", room.admin)
        with pytest.raises(
            RoomError, match=r"no password: (local all all|host room learner_berta)"
        ):
            ready.doors(look)
    let_in_by(HBA, room.admin)


def test_ready_sees_whether_somebody_watches(room: Room) -> None:
    look = ready.Look(Path(), {"admin": room.admin, "room": "room"})
    kept = classroom.KEPT.pop(room.admin, None)
    if kept:
        kept.close()
    until(lambda: not classroom.is_watched(room.admin))
    with pytest.raises(RoomError, match="restart the hub"):
        ready.watch(look)
    classroom.watch(room.admin, "room", 3600)
    assert ready.watch(look).startswith("at work")


def test_ready_tries_the_doors(room: Room) -> None:
    given = {"admin": room.admin, "learners": ["anna"], "python": sys.executable}
    [(place, _)], _ = classroom.doors(room.admin)
    # We own this server: peer lets us in as its superuser, with any password.
    for line, roles in ((TRUST, {"postgres", "learner_anna"}), (HBA, {"postgres"})):
        let_in_by(line, room.admin)
        wanted = {(place, role) for role in roles}
        until(lambda wanted=wanted: {*ready.tried(given, None)[0]} == wanted)  # type: ignore[misc]
    for opened, held, says in (
        ([(place, "postgres")], {}, "any account may be postgres"),
        ([], {"127.0.0.1": ready.MANY}, "nft -f classroom/connections.nft"),
        ([], {place: ready.MANY}, "unix_socket_permissions"),
    ):
        with pytest.raises(RoomError, match=says):
            ready.judged(opened, held)
    assert ready.judged([], {place: 0, "127.0.0.1": 20})


# ---- preparing ---------------------------------------------------------------------------------


def test_preparing_again_keeps_the_data_and_voids_the_password(room: Room) -> None:
    before = make(room, "twice")
    ask(before, "CREATE TABLE kept AS SELECT 42 AS answer")
    ask(before, REPORT, "room")
    classroom.prepare_room(room.admin)
    after = make(room, "twice")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connect(before)
    assert after.pop("PGPASSWORD") != before.pop("PGPASSWORD")
    assert after == before
    assert set(after) == {
        *("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS", "WORKBOOK_ROOM"),
    }
    after = make(room, "twice")
    assert ask(after, "SELECT answer FROM kept") == [(42,)]
    assert results(room, "twice") == [("3.2", "done", None)]
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connect({**after, "PGPASSWORD": "guess"})


def test_preparing_the_room_again_disturbs_nobody_and_a_new_version_keeps_the_reports(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session(room.carl, "room") as cursor:
        cursor.execute(f"BEGIN; {REPORT}")
        classroom.prepare_room(room.admin)
        cursor.execute("ROLLBACK")
        ask(make(room, "early"), REPORT, "room")
        read = Path.read_text
        monkeypatch.setattr(Path, "read_text", lambda path, **how: read(path, **how) + "-- new")
        assert not classroom.is_current(room.admin, "room")
        cursor.execute(f"BEGIN; {REPORT}")
        classroom.prepare_room(room.admin)
    assert results(room, "early") == [("3.2", "done", None)]


def test_no_password_reaches_the_servers_log(room: Room) -> None:
    def setting(value: str) -> None:
        ask(room.admin, f"ALTER SYSTEM SET log_statement = '{value}'")
        ask(room.admin, "SELECT pg_reload_conf()")
        until(lambda: ask(room.admin, "SHOW log_statement") == [(value,)])

    setting("all")
    env = make(room, "logged")
    setting("none")
    log = (Path(env["PGHOST"]).parent / "log").read_text()
    assert "learner_logged" in log
    assert env["PGPASSWORD"] not in log


def test_a_learner_does_not_fill_the_servers_log(room: Room) -> None:
    ask(room.anna, "DO $$ BEGIN RAISE LOG 'flood 1'; RAISE WARNING 'flood 2'; END $$")
    with pytest.raises(errors.UndefinedTable):
        ask(room.anna, "SELECT * FROM flood_3")
    assert "flood" not in (Path(room.anna["PGHOST"]).parent / "log").read_text()


def test_preparing_puts_right_what_the_learner_has_spoilt(room: Room) -> None:
    env = make(room, "clumsy")
    with session(env) as cursor:
        for statement in (
            "ALTER ROLE learner_clumsy SET statement_timeout = 1",
            "ALTER ROLE learner_clumsy SET search_path = nowhere",
            "ALTER ROLE learner_clumsy IN DATABASE learner_clumsy"
            " SET default_transaction_read_only = on",
            "ALTER DATABASE learner_clumsy_scratch ALLOW_CONNECTIONS false",
            "ALTER DATABASE learner_clumsy CONNECTION LIMIT 0",
            "ALTER ROLE learner_clumsy PASSWORD 'forgotten'",
        ):
            cursor.execute(statement)
    env = make(room, "clumsy")
    ask(env, "CREATE TABLE works ()")
    assert ask(env, "SHOW search_path", "learner_clumsy_scratch") == [('"$user", public',)]
    ask(env, "DROP DATABASE learner_clumsy_scratch")
    env = make(room, "clumsy")
    assert ask(env, "SHOW statement_timeout", "learner_clumsy_scratch") == [("2min",)]


def test_a_learners_open_transaction_does_not_keep_them_out(room: Room) -> None:
    env = make(room, "stuck")
    with session(env) as cursor:
        cursor.execute("BEGIN; ALTER ROLE learner_stuck PASSWORD 'x'")
        assert ask(make(room, "stuck"), "SELECT 1") == [(1,)]


@pytest.mark.parametrize(("names", "left"), [(["eager"] * 6, 1), ([*"abcdefgh"], 8)])
def test_preparing_at_once(room: Room, names: list[str], left: int) -> None:
    """One learner, whose last password holds; or many."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda name: classroom.prepare_learner(room.admin, name), names))
    working = 0
    for env in found:
        with contextlib.suppress(psycopg2.OperationalError):
            working += ask(env, "SELECT current_database()") == [(env["PGUSER"],)]
    assert working == left


NAMES = [
    *("Anna", "anna.b", "anna-b", "анна", "安娜", "ß", 'an"na', "{}%s", "anna_scratch", "_", ".."),
    *("anna b", "o'hara; DROP DATABASE room", "x" * 60, "x" * 59 + "y", "anna\n"),
    *("a@b.example", "anna_0123456789abcdef"),
]


def test_names_become_roles_that_nobody_else_has() -> None:
    roles = {name: classroom.role_name(name) for name in [*NAMES, "anna", "a_b"]}
    assert len(set(roles.values())) == len(roles)
    assert roles["anna"] == "learner_anna"
    assert roles["a_b"] == "learner_a_b"
    for role in roles.values():
        assert role.isascii()
        assert role.replace("_", "").isalnum()
        assert role == role.lower()
        assert len(role) <= 50
        assert not role.endswith("_scratch")
    # A name that is made to look like another's role leads elsewhere.
    for role in roles.values():
        forged = role.removeprefix("learner_")
        assert forged in roles or classroom.role_name(forged) not in roles.values()


@pytest.mark.parametrize("name", NAMES)
def test_any_name_can_learn(room: Room, name: str) -> None:
    env = make(room, name)
    assert ask(env, "SELECT current_database()") == [(classroom.role_name(name),)]
    assert ask(env, "SELECT current_database()", env["PGUSER"] + "_scratch")
    known = ask(room.teacher, "SELECT learner FROM room.whereabouts")
    assert (name,) in known


def test_two_people_never_share_a_role(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classroom, "role_name", lambda username: "learner_anna")
    with pytest.raises(RoomError, match="would share a role"):
        classroom.prepare_learner(room.admin, "another")
    assert ask(room.anna, "SELECT 1") == [(1,)]


def test_a_learner_belongs_to_one_room(room: Room) -> None:
    make(room, "mover")
    env = classroom.prepare_learner(room.admin, "mover", "other")
    assert env["WORKBOOK_ROOM"] == "other"
    ask(env, REPORT, "other")
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        connect(env, "room")


@pytest.mark.parametrize(
    "name", ["", "Room", "learner_x", "postgres", "template1", "a-b", "a" * 41]
)
def test_a_room_has_a_good_name(room: Room, name: str) -> None:
    with pytest.raises(RoomError, match="cannot be a room's name"):
        classroom.prepare_room(room.admin, name)


def test_what_goes_wrong_is_one_line(room: Room) -> None:
    asked: list[Callable[[], object]] = [
        lambda: classroom.prepare_room("host=/nowhere"),
        lambda: classroom.prepare_learner(room.admin, "anna", "missing"),
        lambda: classroom.prepare_teacher(room.admin, "prof", "missing"),
        lambda: classroom.watch(room.admin, "missing", 1),
        lambda: classroom.prepare_learner(room.admin, ""),
        lambda: classroom.prepare_teacher(room.admin, ""),
        lambda: classroom.prepare_learner("no connection string", "anna"),
    ]
    for question in asked:
        with pytest.raises(RoomError) as raised:
            question()
        assert "\n" not in str(raised.value)
    password = make(room, "weak")["PGPASSWORD"]
    weak = room.admin.replace("user=postgres", f"user=learner_weak password={password}")
    ask(room.admin, "GRANT CONNECT ON DATABASE postgres TO learner_weak")
    with pytest.raises(RoomError, match="superuser"):
        classroom.prepare_room(weak)
    ask(room.admin, "REVOKE CONNECT ON DATABASE postgres FROM learner_weak")


# ---- the teacher -------------------------------------------------------------------------------


def test_two_rooms_are_two_roles_of_one_teacher(room: Room) -> None:
    other = classroom.prepare_teacher(room.admin, "prof", "other")
    assert other["PGUSER"] != room.teacher["PGUSER"]
    assert ask(room.teacher, "SELECT current_database()") == [("room",)]
    assert ask(other, "SELECT current_database()") == [("other",)]


# ---- the learner's side ------------------------------------------------------------------------


@pytest.fixture
def kernel(room: Room, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A learner's environment in this Python; gives the learner's name."""
    name = re.sub(r"\W", "_", request.node.name.removeprefix("test_"))[-40:].strip("_")
    with database.variables(**make(room, name), WORKBOOK_HOME=str(tmp_path)):
        yield name


def spooled() -> list[Path]:
    return sorted(Path(os.environ["WORKBOOK_HOME"]).glob(".reports/*/*.json"))


def test_a_check_is_on_the_board(room: Room, kernel: str) -> None:
    for answer in ("67", 42, None, 5):
        checking.check("0.1", answer)
    until(lambda: len(results(room, kernel)) == 4 and not spooled())
    assert results(room, kernel) == [
        ("0.1", "mistake", "text, not a product"),
        ("0.1", "done", None),
        ("0.1", "not attempted", None),
        ("0.1", "not yet", None),
    ]


def test_what_cannot_be_delivered_goes_later(
    room: Room, kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = os.environ["PGHOST"]
    monkeypatch.setenv("PGHOST", "/nowhere")
    for exercise in ("3.1", "3.2"):
        reports.report(exercise, "done", None)
    reports._LATEST[0].join()
    assert len(spooled()) == 2
    monkeypatch.setenv("PGHOST", host)
    reports.report("3.3", "done", None)
    until(lambda: not spooled())
    assert [each[0] for each in results(room, kernel)] == ["3.1", "3.2", "3.3"]


@pytest.mark.parametrize("end", ["", "; import os; os._exit(0)"], ids=["ends", "is killed"])
def test_a_kernel_that_ends_delivers_first_or_leaves_its_report(
    room: Room, kernel: str, end: str
) -> None:
    code = f"from workbook import reports; reports.report('3.1', 'done', None){end}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    if not end:
        assert [each[0] for each in results(room, kernel)] == ["3.1"]
    reports.report("3.2", "done", None)
    until(lambda: not spooled())
    assert [each[0] for each in results(room, kernel)] == ["3.1", "3.2"]


def test_a_report_that_arrives_twice_counts_once(room: Room, kernel: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # as if killed before it was deleted
        reports.report("3.1", "done", None)
        until(lambda: results(room, kernel))
        reports._LATEST[0].join()
    assert spooled()
    reports.report("3.2", "done", None)
    until(lambda: not spooled())
    assert len(results(room, kernel)) == 2


def test_a_damaged_report_does_not_hold_up_the_others(room: Room, kernel: str) -> None:
    folder = Path(os.environ["WORKBOOK_HOME"]) / ".reports" / "room"
    folder.mkdir(parents=True)
    bad = {"exercise": "nonsense", "outcome": "done", "mistake": None, "at": 0}
    for number, text in enumerate(
        ["", "[]", "{}", json.dumps(bad), json.dumps({**bad, "at": "x"})]
    ):
        (folder / f"0_{UUID[:-1]}{number}.json").write_text(text)
    (folder / "no-number.json").write_text(json.dumps({**bad, "exercise": "3.1"}))
    reports.report("3.2", "done", None)
    until(lambda: not spooled())
    assert [each[0] for each in results(room, kernel)] == ["3.2"]


def test_a_flood_waits_and_loses_nothing(
    room: Room, kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = os.environ["PGUSER"]
    ask(room.admin, f"UPDATE room.learners SET allowance = 0 WHERE role = '{role}'", "room")
    for _ in range(3):
        reports.report("3.1", "done", None)
    reports._LATEST[0].join()
    assert spooled()
    ask(room.admin, f"UPDATE room.learners SET allowance = 9 WHERE role = '{role}'", "room")
    reports.report("3.1", "done", None)
    until(lambda: not spooled())
    assert len(results(room, kernel)) == 4


def test_nothing_disturbs_a_check(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (Path(os.environ["WORKBOOK_HOME"]) / ".reports").write_text("not a folder")
    assert checking.check("0.1", 42).kind == "done"
    monkeypatch.setattr(reports, "_spool", lambda *_: 1 / 0)
    assert checking.check("0.1", 42).kind == "done"


def test_nothing_is_reported_outside_of_a_room(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBOOK_ROOM")
    checking.check("0.1", 42)
    assert not (Path(os.environ["WORKBOOK_HOME"]) / ".reports").exists()
    with pytest.raises(WorkbookError, match="no teacher's board"):
        reports.raise_hand()


def test_a_hand_is_raised_and_lowered(
    room: Room, kernel: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    query = f"SELECT learner FROM room.hands_up WHERE learner = '{kernel}'"
    reports.raise_hand()
    reports.raise_hand()
    assert ask(room.teacher, query) == [(kernel,)]
    reports.lower_hand()
    assert ask(room.teacher, query) == []
    assert len(capsys.readouterr().out.splitlines()) == 3
    with pytest.raises(WorkbookError, match="often"):
        for _ in range(99):
            reports.raise_hand()
    monkeypatch.setenv("PGHOST", "/nowhere")
    with pytest.raises(WorkbookError, match="does not answer"):
        reports.raise_hand()


LESSON = """
from workbook import aside, starts, check, raise_hand
from workbook.contents import CHAPTERS
for chapter in (*CHAPTERS, *reversed(CHAPTERS)):
    starts.start(chapter, fresh=True)
print(check("0.1", 42))
for line in aside.home().joinpath("put_aside").iterdir():
    last = line.name
aside.restore(last)
starts.start(3, fresh=True)
open("practice/website.py", "w").write('''
def upgrade():
    op.add_column("companies", sa.Column("website", sa.String(200)))

def downgrade():
    pass
''')
print(check("3.5"))
raise_hand()
starts.reset()
"""


def test_starts_and_checks_work_within_a_learners_rights(room: Room, kernel: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LESSON], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "0.1  Done" in done.stdout
    doctor = [sys.executable, "-m", "workbook", "doctor"]
    done = subprocess.run(doctor, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "ok      server" in done.stdout
    assert "ok      scratch" in done.stdout
    assert results(room, kernel)[0] == ("0.1", "done", None)


def test_the_finished_project_leaves_the_learners_database_alone(room: Room, kernel: str) -> None:
    alembic = [sys.executable, "-m", "alembic", "upgrade", "head"]
    done = subprocess.run(alembic, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode
    assert (
        (done.stdout + done.stderr).strip().splitlines()[-1].endswith("run alembic in workspace/.")
    )
    assert ask(room.learners[kernel], "SELECT FROM pg_tables WHERE schemaname = 'public'") == []


@pytest.mark.parametrize("spoilt", ["DROP DATABASE {0}", "ALTER ROLE {0} PASSWORD 'my own'"])
def test_who_shuts_oneself_out_comes_back_with_the_server(
    room: Room, kernel: str, spoilt: str
) -> None:
    own = os.environ["PGDATABASE"]
    ask(room.learners[kernel], spoilt.format(own), f"{own}_scratch")
    with pytest.raises(WorkbookError, match="Stop your server and start it again"):
        database.connect_environment()
    with database.variables(**make(room, kernel)):
        database.connect_environment()


def test_chapter_13_works_within_a_learners_rights(room: Room, kernel: str, tmp_path: Path) -> None:
    """All of it, strictly: roles and backups, sessions and databases are what a room restricts."""
    lesson = shutil.copy(ROOT / "notebooks" / "13_ship.ipynb", tmp_path)
    sanitize = f"--nbval-sanitize-with={ROOT / 'workbook/author/sanitize.cfg'}"
    options = ["--noconftest", f"--rootdir={tmp_path}", "--nbval", "--nbval-current-env", sanitize]
    command = [sys.executable, "-m", "pytest", "--quiet", "-c", os.devnull, *options, lesson]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("number", range(1, 7))
def test_chapter_13_can_be_solved_within_a_learners_rights(
    room: Room, kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PATH", os.environ["PATH"])
    exercise = load(f"13.{number}")
    assert contract.broken_by(exercise, Answer("the solution", cells=exercise.solved)) == []
