"""`python3 -m workbook benchmark`: the speed that the project promises, as ratios in one run.

Machines are noisy, so nothing is measured alone: each command takes turns with what it is compared
with, and the medians of several turns are divided.
"""

import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from workbook import ROOT, WorkbookError
from workbook.author import notebooks
from workbook.server import database, postgres

PYTHON = getattr(sys, "_base_executable", sys.executable)
ROUNDS = 3


def main() -> None:
    """Measure everything and print a table. Takes some minutes."""
    rows = [
        ("second start, until JupyterLab answers", "bare jupyter lab", 1.3, second_start),
        ("first set-up of a fresh clone", "uv installing the lock", 1.4, first_set_up),
        ("a chapter's first cell", "one alembic current", 1.0, first_cell),
        ("check of a state", "one alembic current", 0.5, lambda: check("3.2")),
        ("check up, down and up", "one alembic current", 2.0, lambda: check("3.5")),
        ("all notebooks under nbval", "nbclient, one by one", 0.65, all_notebooks),
    ]
    print(f"{'what':<40} {'against':<24} {'seconds':>16} {'ratio':>6} {'at most':>8}")
    for what, against, limit, measure in rows:
        try:
            ours, theirs = measure()
        except WorkbookError as error:
            print(f"{what:<40} not measured: {error}", flush=True)
            continue
        seconds = f"{ours:.2f} / {theirs:.2f}"
        ratio = f"{ours / theirs:.2f}"
        print(f"{what:<40} {against:<24} {seconds:>16} {ratio:>6} {limit:>8}", flush=True)
    print(f"slowest fresh chapter start in a running kernel: {slowest_start():.2f} s, at most 1 s")
    with contextlib.suppress(WorkbookError):
        print(f"memory of the idle embedded server, PSS: {idle_memory():.1f} MB, at most 30 MB")


def in_turns(ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[float, float]:
    """The medians of several rounds, after one that does not count."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(ROUNDS)]
    mine, other = zip(*pairs, strict=True)
    return statistics.median(mine), statistics.median(other)


def seconds(command: list[str], cwd: Path, **variables: str) -> float:
    """How long a command takes. Raises WorkbookError when it fails."""
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WorkbookError(f"{command[:4]} failed: {(done.stdout + done.stderr).strip()[-200:]}")
    return time.perf_counter() - begun


@contextlib.contextmanager
def own_home() -> Iterator[Path]:
    """A workbook home that is not the learner's, its server stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="workbook-") as name:
        try:
            yield Path(name)
        finally:
            postgres.stop(Path(name) / ".postgres")


def second_start() -> tuple[float, float]:
    """Until the web server answers, with the database stopped before as after a day's work."""

    def until_it_answers(command: list[str], home: Path) -> float:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0"]
        if os.name == "posix" and os.geteuid() == 0:
            options.append("--allow-root")
        begun = time.perf_counter()
        process = subprocess.Popen(
            [*command, *options],
            cwd=ROOT,
            env={**os.environ, "WORKBOOK_HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while time.perf_counter() - begun < 60:
                with contextlib.suppress(urllib.error.URLError, ConnectionError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                    return time.perf_counter() - begun
                time.sleep(0.02)
            raise WorkbookError("JupyterLab did not answer within a minute")
        finally:
            process.terminate()
            process.wait(30)

    with own_home() as home:
        postgres.start(home / ".postgres")
        postgres.stop(home / ".postgres")
        return in_turns(
            lambda: until_it_answers([PYTHON, "-m", "workbook", "--"], home),
            lambda: until_it_answers([sys.executable, "-m", "jupyterlab"], home),
        )


def first_set_up() -> tuple[float, float]:
    """A fresh clone up to a database that answers, with nothing downloaded before, for both."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if not uv:
        raise WorkbookError("uv is not on PATH")
    path = os.pathsep.join([str(Path(uv).parent), os.environ.get("PATH", "")])

    def ours() -> float:
        with own_home() as home:
            clone = home / "clone"
            subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
            command = [PYTHON, "-m", "workbook", "doctor"]
            cache = str(home / "cache")
            return seconds(command, clone, WORKBOOK_HOME=str(home), PATH=path, UV_CACHE_DIR=cache)

    def theirs() -> float:
        with tempfile.TemporaryDirectory() as name:
            made = seconds([uv, "venv", "-q", "--python", PYTHON, name + "/v"], ROOT)
            lock = ["--require-hashes", "-r", str(ROOT / "requirements.lock")]
            install = [uv, "pip", "install", "--python", name + "/v", *lock]
            return made + seconds(install, ROOT, UV_CACHE_DIR=name + "/cache")

    return in_turns(ours, theirs)


def python(code: str, home: Path) -> float:
    """The seconds that a piece of code takes in a fresh Python, which prints them last."""
    program = f"import time; t = time.perf_counter()\n{code}\nprint(time.perf_counter() - t)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "WORKBOOK_HOME": str(home)},
        cwd=ROOT / "notebooks",
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


@contextlib.contextmanager
def project() -> Iterator[tuple[Path, Callable[[], float]]]:
    """A home whose server is up and whose project is at chapter 4, and `alembic current` there."""
    with own_home() as home:
        environment = {
            **postgres.start(home / ".postgres"),
            "WORKBOOK_HOME": str(home),
        }
        python("from workbook import start\nstart(4)", home)
        command = [sys.executable, "-m", "alembic", "current"]
        yield home, lambda: seconds(command, home / "workspace", **environment)


def first_cell() -> tuple[float, float]:
    """Importing and laying down chapter 4's start afresh."""
    with project() as (home, current):
        code = "from workbook import start\nstart(4, fresh=True)"
        return in_turns(lambda: python(code, home), current)


def slowest_start() -> float:
    """The seconds of the slowest `start(n, fresh=True)`, each from the end of another chapter.

    Absolute, because a presenter's audience waits in seconds.
    """
    code = """
from workbook import start
found = []
for chapter in (5, 1, 4, 2, 3, 5):
    began = time.perf_counter()
    start(chapter, fresh=True)
    found.append(time.perf_counter() - began)
print(max(found[1:]))
t = time.perf_counter() - max(found[1:])
"""
    with project() as (home, _):
        return python(code, home)


def check(id: str) -> tuple[float, float]:
    """One check in a kernel that has run its first cell."""
    solution = (
        'Path("practice/website.py").write_text(register()["3.5"].solution.split("\\n", 1)[1])'
    )
    code = f"""
from pathlib import Path
from workbook import check, start
from workbook.exercises import register
start(4)
{solution}
check({id!r})
t = time.perf_counter()
assert check({id!r}).kind == "done"
"""
    with project() as (home, current):
        return in_turns(lambda: python(code, home), current)


def all_notebooks() -> tuple[float, float]:
    """Every notebook, checked by nbval in parallel, and run by nbclient one after another."""
    paths = sorted((ROOT / "notebooks").glob("*.ipynb"))

    def by_nbclient() -> float:
        with database.throwaway():
            begun = time.perf_counter()
            for path in paths:
                notebooks.execute(path, save=False)
            return time.perf_counter() - begun

    command = [sys.executable, "-m", "pytest", "-q", "notebooks"]
    return in_turns(lambda: seconds(command, ROOT), by_nbclient)


def idle_memory() -> float:
    """Megabytes of the embedded server's processes, shared pages counted in proportion."""
    with own_home() as home:
        postgres.start(home / ".postgres")
        time.sleep(2)
        [pid_file] = postgres.cluster_home(home / ".postgres").rglob("postmaster.pid")
        server = psutil.Process(int(pid_file.read_text().split()[0]))
        family = [server, *server.children(recursive=True)]
        try:
            return sum(each.memory_full_info().pss for each in family) / 1e6
        except AttributeError:
            raise WorkbookError("only Linux tells the proportional size") from None
