"""The command line inside the environment. Each command imports what it needs, when it needs it."""

import argparse
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from types import FrameType

from workbook import ROOT, WorkbookError, home

FIRST = "notebooks/00_start_here.ipynb"


def main(argv: list[str]) -> int:
    """Run one command line; returns the exit status. Raises WorkbookError."""
    argv, jupyter = split(argv)
    if argv == ["_guard"]:
        return guard()
    if argv[:1] == ["test"] and not {"-h", "--help"} & set(argv):
        return test(argv[1:] + jupyter)
    if argv[:1] == ["room"]:
        return room(argv[1:])
    parser = argparse.ArgumentParser(
        prog="python3 -m workbook",
        description="Learn database migrations: sets up what is missing, starts PostgreSQL and"
        " opens JupyterLab on the first notebook.",
        epilog="What follows -- is handed to jupyter lab: python3 -m workbook -- --no-browser",
    )
    commands = parser.add_subparsers(dest="command", metavar="command")

    def command(name: str, words: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")

    command("test", "run every test; arguments are handed to pytest")
    command("doctor", "say whether everything is ready, a line for each check")
    reset = command("reset", "put your work aside and begin again")
    reset.add_argument("chapter", nargs="?", type=int, help="begin at this chapter, not at nothing")
    restore = command("restore", "bring back work that was put aside")
    restore.add_argument("name", nargs="?", help="which; without it, list what there is")
    command("stop", "stop the embedded PostgreSQL; the data stay")
    for name, words in (
        ("present", "show the lessons on a stage, as slides with live cells"),
        ("rehearse", "run a talk from start to end without a browser, and time it"),
    ):
        stage = command(name, words)
        stage.add_argument("chapter", nargs="?", type=int, help="begin at this chapter")
        stage.add_argument(
            "--path",
            choices=("short", "long", "20", "60"),
            default="short",
            help="the core of each chapter (short, the default), every slide (long), or Part I in"
            " 20 or 60 minutes",
        )
        if name == "present":
            stage.add_argument("--dark", action="store_true", help="light type on a dark screen")
            stage.add_argument("--list", action="store_true", help="print the slides and stop")
    refresh = command("refresh", "for authors: run all notebooks, save outputs")
    refresh.add_argument("notebook", nargs="*", type=Path, help="only these")
    command("room", "for teachers: prepare, start and watch a room of learners")
    command("benchmark", "measure the speed that the project promises")
    arguments = parser.parse_args(argv)
    match arguments.command:
        case None:
            return launch(jupyter)
        case "doctor":
            return doctor()
        case "stop":
            from workbook.server import postgres

            print("Stopped." if postgres.stop(home() / ".postgres") else "It was not running.")
        case "reset":
            from workbook import aside, starts

            if arguments.chapter is None:
                starts.reset()
            else:
                starts.start(arguments.chapter, fresh=True)
        case "restore":
            from workbook import aside, starts

            aside.restore(arguments.name)
        case "present" | "rehearse":
            from workbook.author import stage as on_stage

            if arguments.command == "rehearse":
                return on_stage.rehearse(arguments.chapter, arguments.path)
            if arguments.list:
                print(on_stage.table(arguments.chapter, arguments.path))
                return 0
            first = on_stage.prepare(arguments.chapter, arguments.path)
            ours, environment = on_stage.jupyter(first, arguments.dark)
            os.environ.update(environment)
            return launch(ours + jupyter)
        case "refresh":
            from workbook.author import notebooks

            return notebooks.refresh(arguments.notebook)
        case "benchmark":
            from workbook.author import benchmark

            benchmark.main()
    return 0


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Ours before `--`, JupyterLab's after it."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def launch(arguments: list[str]) -> int:
    """Start PostgreSQL and JupyterLab; end both when either this or JupyterLab ends.

    Returns JupyterLab's exit status. Raises WorkbookError.
    """
    from workbook.server import database

    try:
        (home() / ".postgres").mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(error) from None
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop_waiting)
    # The guard holds the other end of a pipe: it notices our end, even a kill that asks nobody.
    guard = subprocess.Popen(
        [sys.executable, "-m", "workbook", "_guard"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert guard.stdin and guard.stdout
    jupyter = None
    try:
        if not guard.stdout.readline():
            raise WorkbookError(already_open())
        database.connect_environment()
        jupyter = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *lab_arguments(arguments), *arguments],
            cwd=ROOT,
            env=lab_environment(),
            start_new_session=True,  # Ctrl-C is for us; it would ask whether that was meant
        )
        guard.stdin.write(b"%d\n" % jupyter.pid)
        guard.stdin.flush()
        return jupyter.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        guard.stdin.close()
        if jupyter:
            jupyter.wait()
        guard.wait()


def unwritable(error: OSError) -> WorkbookError:
    """For a home() that cannot hold the learner's work."""
    return WorkbookError(
        f"Your work cannot be kept in {home()} ({error.strerror}): set WORKBOOK_HOME to a folder of"
        " your own."
    )


def already_open() -> str:
    """The line for a second start while the first one runs."""
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        if Path(server["root_dir"]) == ROOT:
            return f"The workbook is open already: {server['url']}lab?token={server['token']}"
    return "The workbook is open already in another terminal, or about to close there."


def stop_waiting(number: int, frame: FrameType | None) -> None:
    """End `launch` by its finally clause."""
    sys.exit(128 + number)


def lab_arguments(given: list[str]) -> list[str]:
    """How JupyterLab is started: on the first notebook, token kept, nobody phoned.

    Without what is given by the user, because JupyterLab wants each option once.
    """
    from jupyter_core.paths import jupyter_runtime_dir

    ours = {
        "--ServerApp.root_dir": str(ROOT),
        "--LabApp.default_url": f"/lab/tree/{FIRST}",
        "--LabApp.news_url": "None",
        "--LabApp.check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "--LabApp.extension_manager": "readonly",
    }
    if os.name == "posix":  # a login shell would set PATH anew
        shell = shlex.quote(os.environ.get("SHELL") or "sh")
        ours["--ServerApp.terminado_settings"] = f"shell_command={shell}"
    if has_room_for_sockets(Path(jupyter_runtime_dir())):
        ours["--KernelManager.transport"] = "ipc"  # no port that another program may take
    root = ["--allow-root"] if os.name == "posix" and os.geteuid() == 0 else []
    theirs = {argument.partition("=")[0] for argument in given}
    return root + [f"{name}={value}" for name, value in ours.items() if name not in theirs]


def has_room_for_sockets(folder: Path) -> bool:
    """Whether kernels can have sockets here: paths are limited, and not all file systems do it."""
    trial = folder / f"kernel-{uuid.uuid4()}-ipc-10"  # as jupyter_client names them
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(str(trial))
        trial.unlink()
    except (OSError, AttributeError):
        return False
    return True


def lab_environment() -> dict[str, str]:
    """This environment first on PATH, for terminals too; our settings before the user's."""
    scripts = str(Path(sys.executable).parent)
    ours = str(ROOT / "workbook" / "jupyter")
    return {
        **os.environ,
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
        "VIRTUAL_ENV": sys.prefix,
        "JUPYTER_CONFIG_PATH": os.pathsep.join(
            filter(None, [ours, os.environ.get("JUPYTER_CONFIG_PATH")])
        ),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }


def guard() -> int:
    """Wait for the launcher's end, then end JupyterLab, its kernels and the embedded server.

    Says "ready" when it is the only one at work for this learner; returns 1 if it is not.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    import fasteners

    folder = home() / ".postgres"
    lock = fasteners.InterProcessLock(folder / "open")  # held until this process ends
    if not lock.acquire(timeout=5):  # not at once: the other one may be about to end
        return 1
    print("ready", flush=True)
    import psutil

    pid = sys.stdin.readline().strip()
    lab = psutil.Process(int(pid)) if pid and psutil.pid_exists(int(pid)) else None
    sys.stdin.read()
    if lab and lab.is_running():
        family = [lab, *lab.children(recursive=True)]
        lab.terminate()
        _, alive = psutil.wait_procs(family, timeout=10)
        for process in alive:
            process.kill()
    if "WORKBOOK_EMBEDDED" in os.environ or not {"PGHOST", "DATABASE_URL"} & {*os.environ}:
        from workbook.server import postgres

        postgres.stop(folder)
    return 0


def room(argv: list[str]) -> int:
    """The commands for a room of learners; they live with what they configure, in classroom/."""
    sys.path.append(str(ROOT))  # at the end: nothing there may stand before a package
    from classroom import room as commands

    parser = argparse.ArgumentParser(
        prog="python3 -m workbook room",
        description="For teachers: one JupyterHub and one PostgreSQL for a room of learners."
        " docs/teaching.md says what to do when.",
    )
    commands.add_arguments(parser)
    return commands.main(parser.parse_args(argv))


def test(arguments: list[str]) -> int:
    """Run the whole suite, nbval over every notebook included, or what pytest's arguments pick."""
    try:
        import schemathesis  # noqa: F401
    except ImportError:
        raise WorkbookError(
            "The tests need more packages: pip install -r requirements-test.lock"
        ) from None
    return subprocess.call([sys.executable, "-m", "pytest", *arguments], cwd=ROOT)


def doctor() -> int:
    """Check what the workbook stands on; the exit status is the number of checks that failed."""
    import importlib.metadata

    from workbook.server import database

    def python() -> str:
        return sys.version.split()[0]

    def packages() -> str:
        missing = []
        pins = [line.split() for line in (ROOT / "requirements.lock").read_text().splitlines()]
        names = ("alembic", "sqlalchemy", "jupyterlab", "psycopg2-binary", "pandas", "ipython-sql")
        for name, version in (pin[0].split("==") for pin in pins if pin and "==" in pin[0]):
            if name in names and importlib.metadata.version(name) != version:
                missing.append(f"{name} is not {version}")
        if missing:
            raise WorkbookError(", ".join(missing) + ": pip install -r requirements.lock")
        return "as the lock says"

    def folder() -> str:
        try:
            home().mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=home()).close()
        except OSError as error:
            raise unwritable(error) from None
        free = shutil.disk_usage(home()).free // 10**6
        if free < 300:
            raise WorkbookError(f"only {free} MB are free: make room")
        return f"{home()}, {free} MB free"

    def server() -> str:
        database.connect_environment()
        with database.engine().connect() as connection:
            version = connection.exec_driver_sql("SHOW server_version").scalar()
        return f"PostgreSQL {version} answers"

    def scratch() -> str:
        database.connect_environment()
        with database.scratch():
            return "made and emptied"

    failed = 0
    for check in (python, packages, folder, server, scratch):
        try:
            print(f"ok      {check.__name__}: {check()}")
        except (WorkbookError, importlib.metadata.PackageNotFoundError) as error:
            print(f"failed  {check.__name__}: {error}")
            failed += 1
    return failed
