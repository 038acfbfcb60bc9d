"""The command line inside the environment. Each command imports what it needs, when it needs it."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
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
    parser = argparse.ArgumentParser(
        prog="python3 -m workbook",
        description="Learn database migrations: sets up what is missing, starts PostgreSQL and"
        " opens JupyterLab on the first notebook.",
        epilog="What follows -- is handed to jupyter lab: python3 -m workbook -- --no-browser",
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("test", help="run every test; arguments are handed to pytest")
    commands.add_parser("doctor", help="say whether everything is ready, a line for each check")
    reset = commands.add_parser("reset", help="put your work aside and begin again")
    reset.add_argument("chapter", nargs="?", type=int, help="begin at this chapter, not at nothing")
    restore = commands.add_parser("restore", help="bring back work that was put aside")
    restore.add_argument("name", nargs="?", help="which; without it, list what there is")
    commands.add_parser("stop", help="stop the embedded PostgreSQL; the data stay")
    refresh = commands.add_parser("refresh", help="for authors: run all notebooks, save outputs")
    refresh.add_argument("notebook", nargs="*", type=Path, help="only these")
    commands.add_parser("benchmark", help="measure the speed that the project promises")
    arguments = parser.parse_args(argv)
    match arguments.command:
        case None:
            return launch(jupyter)
        case "doctor":
            return doctor()
        case "stop":
            from workbook import postgres

            print("Stopped." if postgres.stop(home() / ".postgres") else "It was not running.")
        case "reset":
            from workbook import chapters

            if arguments.chapter is None:
                chapters.reset()
            else:
                chapters.start(arguments.chapter, fresh=True)
        case "restore":
            from workbook import chapters

            chapters.restore(arguments.name)
        case "refresh":
            from workbook import notebooks

            return notebooks.refresh(arguments.notebook)
        case "benchmark":
            from workbook import benchmark

            benchmark.main()
    return 0


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Ours before `--`, JupyterLab's after it."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def launch(arguments: list[str]) -> int:
    """Start PostgreSQL and JupyterLab; end both when either this or JupyterLab ends."""
    from workbook import database

    database.connect_environment()
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop_waiting)
    # The guard holds the other end of a pipe: it notices our end, even a kill that asks nobody.
    guard = subprocess.Popen(
        [sys.executable, "-m", "workbook", "_guard"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    assert guard.stdin
    try:
        jupyter = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *lab_arguments(), *arguments],
            cwd=ROOT,
            env=lab_environment(),
        )
        guard.stdin.write(b"%d\n" % jupyter.pid)
        guard.stdin.flush()
        return jupyter.wait()
    except KeyboardInterrupt:  # JupyterLab got it too, and ends
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        guard.stdin.close()
        guard.wait()


def stop_waiting(number: int, frame: FrameType | None) -> None:
    """End `launch` by its finally clause."""
    sys.exit(128 + number)


def lab_arguments() -> list[str]:
    """How JupyterLab is started: on the first notebook, token kept, nobody phoned."""
    return [
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        "--ServerApp.answer_yes=True",
        *(["--allow-root"] if os.name == "posix" and os.geteuid() == 0 else []),
    ]


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
    """Wait for the launcher's end, then end JupyterLab, its kernels and the embedded server."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    import psutil

    from workbook import postgres

    pid = sys.stdin.readline().strip()
    lab = psutil.Process(int(pid)) if pid and psutil.pid_exists(int(pid)) else None
    sys.stdin.read()
    if lab and lab.is_running():
        family = [lab, *lab.children(recursive=True)]
        lab.terminate()
        _, alive = psutil.wait_procs(family, timeout=10)
        for process in alive:
            process.kill()
    if "WORKBOOK_EMBEDDED" in os.environ:
        postgres.stop(home() / ".postgres")
    return 0


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

    from workbook import database

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

    def disk() -> str:
        free = shutil.disk_usage(home()).free // 10**6
        if free < 300:
            raise WorkbookError(f"only {free} MB are free: make room")
        return f"{free} MB free"

    def server() -> str:
        database.connect_environment()
        with database.engine().connect() as connection:
            version = connection.exec_driver_sql("SHOW server_version").scalar()
        return f"PostgreSQL {version} answers"

    def scratch() -> str:
        with database.scratch():
            return "made and emptied"

    failed = 0
    for check in (python, packages, disk, server, scratch):
        try:
            print(f"ok      {check.__name__}: {check()}")
        except (WorkbookError, importlib.metadata.PackageNotFoundError) as error:
            print(f"failed  {check.__name__}: {error}")
            failed += 1
    return failed
