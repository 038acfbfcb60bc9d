"""`python3 -m workbook benchmark`: the speed that the project promises, as ratios in one run.

Machines are noisy, so nothing is measured alone: each command takes turns with what it is compared
with, and the medians of several turns are divided.
"""

import contextlib
import functools
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

from workbook import ROOT, WorkbookError
from workbook.author import notebooks
from workbook.project import workspace
from workbook.server import database, postgres

PYTHON = getattr(sys, "_base_executable", sys.executable)
ROUNDS = 3
Pair = tuple[float, float]  # ours and theirs, in seconds

# What stands in a kernel for `measure`: the project is at the start of chapter 4, where the tables
# are there (3.2) and the revision that made them goes up, down and up (2.3).
FIRST_CELL = "from workbook import check, start\nstart(4, fresh=True)\nprint(seconds())"
FIRST_CHECK = """
from workbook import check, start
start(4)
began = seconds()
assert check("2.3").kind == "done"
print(seconds() - began)
"""
CHECK = """
from workbook import check, start
start(4)
found = []
for _ in range(6):
    began = seconds()
    assert check("{}").kind == "done"
    found.append(seconds() - began)
print(sorted(found[1:])[2])
"""
STARTS = """
from workbook import start
found = []
for chapter in (5, 1, 4, 2, 3, 5):
    began = seconds()
    start(chapter, fresh=True)
    found.append(seconds() - began)
print(max(found[1:]))
"""


def main() -> None:
    """Measure everything and print a table. Takes some minutes."""
    print(f"{'what':<40} {'against':<24} {'seconds':>16} {'ratio':>6} {'at most':>8}")
    row("second start, until JupyterLab answers", "bare jupyter lab", 1.0, second_start)
    row("first set-up of a fresh clone", "uv installing the lock", 1.2, first_set_up)
    with project() as home:
        one = "one alembic current"
        for what, limit, code in (
            ("a chapter's first cell", 1.0, FIRST_CELL),
            ("first check of a kernel", 1.0, FIRST_CHECK),
            ("check of a state", 0.12, CHECK.format("3.2")),
            ("check up, down and up", 0.4, CHECK.format("2.3")),
        ):
            ours = functools.partial(kernel, code, home)
            row(what, one, limit, functools.partial(in_turns, ours, current))
        print(f"slowest fresh start in a running kernel: {kernel(STARTS, home):.2f} s, at most 1 s")
    row("all notebooks under nbval", "nbclient, one by one", 0.6, all_notebooks)


def row(what: str, against: str, limit: float, measure: Callable[[], Pair]) -> None:
    """Print one ratio, or why there is none."""
    try:
        ours, theirs = measure()
    except WorkbookError as error:
        print(f"{what:<40} not measured: {error}", flush=True)
        return
    numbers = f"{f'{ours:.2f} / {theirs:.2f}':>16} {ours / theirs:>6.2f} {limit:>8}"
    print(f"{what:<40} {against:<24} {numbers}", flush=True)


def in_turns(ours: Callable[[], float], theirs: Callable[[], float]) -> Pair:
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


def second_start() -> Pair:
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


def first_set_up() -> Pair:
    """A fresh clone up to a database that answers, with nothing downloaded before, for both."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if not uv:
        raise WorkbookError("uv is not on PATH")
    path = os.pathsep.join([str(Path(uv).parent), os.environ.get("PATH", "")])

    def ours() -> float:
        with own_home() as home:
            clone = home / "clone"
            subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
            command = [PYTHON, "-m", "workbook", "reset"]  # asks the database
            cache = str(home / "cache")
            return seconds(command, clone, WORKBOOK_HOME=str(home), PATH=path, UV_CACHE_DIR=cache)

    def theirs() -> float:
        with tempfile.TemporaryDirectory() as name:
            made = seconds([uv, "venv", "-q", "--python", PYTHON, name + "/v"], ROOT)
            lock = ["--require-hashes", "-r", str(ROOT / "requirements.lock")]
            install = [uv, "pip", "install", "--python", name + "/v", *lock]
            return made + seconds(install, ROOT, UV_CACHE_DIR=name + "/cache")

    return in_turns(ours, theirs)


@contextlib.contextmanager
def project() -> Iterator[Path]:
    """A home whose server is up and whose project is at chapter 4."""
    with own_home() as home:
        found = {**postgres.start(home / ".postgres"), "WORKBOOK_HOME": str(home)}
        with database.variables(**found):
            os.environ["WORKBOOK_EMBEDDED"] = "1"
            kernel(FIRST_CELL, home)
            yield home


def kernel(code: str, home: Path) -> float:
    """What a piece of code prints last in a fresh Python; `seconds()` is the time since its start."""
    clock = "import time; t = time.perf_counter(); seconds = lambda: time.perf_counter() - t\n"
    command = [sys.executable, "-c", clock + code]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorkbookError(done.stderr.strip()[-200:])
    return float(done.stdout.split()[-1])


def current() -> float:
    """One `alembic current` in the learner's project."""
    return seconds([sys.executable, "-m", "alembic", "current"], workspace())


def all_notebooks() -> Pair:
    """Every notebook, checked by nbval in parallel, and run by nbclient one after another."""

    def by_nbclient() -> float:
        with database.throwaway():
            begun = time.perf_counter()
            for path in notebooks.lessons():
                notebooks.execute(path, save=False)
            return time.perf_counter() - begun

    command = [sys.executable, "-m", "pytest", "-q", "notebooks"]
    return in_turns(lambda: seconds(command, ROOT), by_nbclient)
