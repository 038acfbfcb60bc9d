"""JupyterLab and PostgreSQL from start to end: what the command without a name does."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from types import FrameType

import fasteners
import psutil

from workbook import ROOT, WorkbookError, home, unwritable
from workbook.contents import CHAPTERS

TAKEN = 3  # the guard's exit status when another one is at work


def launch(arguments: list[str]) -> int:
    """Start PostgreSQL and JupyterLab; end both when either this or JupyterLab ends.

    Returns JupyterLab's exit status. Raises WorkbookError.
    """
    lock = alone("launcher")
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
    from workbook import desk  # while the guard starts
    from workbook.server import database

    jupyter = None
    # In a learner's terminal git looks no higher than workspace/: the clone is not theirs to commit.
    authors = f"--ServerApp.root_dir={ROOT}" in arguments
    try:
        if not guard.stdout.readline():
            guard.wait()
            raise WorkbookError(already_open())
        for line in desk.lay():
            print(line, flush=True)
        database.connect_environment()
        jupyter = subprocess.Popen(
            # -P: no file of the learner's own stands before a package
            [sys.executable, "-P", "-m", "jupyterlab", *lab_arguments(arguments), *arguments],
            cwd=home() / "workspace",  # where terminals open
            env=lab_environment() | ({} if authors else {"GIT_CEILING_DIRECTORIES": str(home())}),
            start_new_session=True,  # Ctrl-C is for us; it would ask whether that was meant
        )
        guard.stdin.write(b"%d\n" % jupyter.pid)
        guard.stdin.flush()
        return jupyter.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.suppress(BrokenPipeError):
            guard.stdin.close()
        if guard.wait() not in (0, TAKEN):  # somebody killed it: what it would do is ours, then
            end(psutil.Process(jupyter.pid) if jupyter and jupyter.poll() is None else None)
        if jupyter:
            jupyter.wait()
        lock.release()


def alone(name: str) -> fasteners.InterProcessLock:
    """Hold a lock of this learner's until it is released or this process ends.

    The launcher has one and the guard another, so that there is one as long as either lives.
    Raises WorkbookError.
    """
    folder = home() / ".postgres"
    lock = fasteners.InterProcessLock(folder / name)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if lock.acquire(timeout=5):  # not at once: the other one may be about to end
            return lock
    except (OSError, threading.ThreadError) as error:
        raise unwritable(error) from None
    raise WorkbookError(already_open())


def already_open() -> str:
    """The line for a second start while the first one runs."""
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        if Path(server["root_dir"]) in (home() / "workspace", home(), ROOT):
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
        "--ServerApp.root_dir": str(home() / "workspace"),
        "--LabApp.default_url": f"/lab/tree/{CHAPTERS[0].lesson}",
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
    ours = ROOT / "workbook" / "jupyter"

    def before(name: str, folder: Path) -> dict[str, str]:
        return {name: os.pathsep.join(filter(None, [str(folder), os.environ.get(name)]))}

    return {
        **os.environ,
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")]),
        "VIRTUAL_ENV": sys.prefix,
        **before("JUPYTER_CONFIG_PATH", ours),
        **before("JUPYTER_PATH", ours / "data"),  # its kernel loads our magics
        "JUPYTER_PREFER_ENV_PATH": "1",
    }


def guard() -> int:
    """Wait for the launcher's end, then end JupyterLab, its kernels and the embedded server.

    Says "ready" when it is the only one at work for this learner; returns TAKEN if it is not.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        lock = alone("open")
    except WorkbookError:
        return TAKEN
    print("ready", flush=True)
    pid = sys.stdin.readline().strip()
    lab = psutil.Process(int(pid)) if pid and psutil.pid_exists(int(pid)) else None
    sys.stdin.read()
    end(lab)
    lock.release()
    return 0


def end(lab: psutil.Process | None) -> None:
    """End JupyterLab with its kernels and terminals, and the embedded server."""
    if lab and lab.is_running():
        family = [lab, *lab.children(recursive=True)]
        lab.terminate()
        _, alive = psutil.wait_procs(family, timeout=10)
        for process in alive:
            process.kill()
    from workbook.server import database, postgres

    if database.embedded():
        postgres.stop(home() / ".postgres")
