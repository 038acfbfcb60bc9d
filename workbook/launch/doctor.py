"""Whether everything is ready: a check for each thing that the workbook stands on."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import KernelManager
from sqlalchemy.exc import DBAPIError

from workbook import ROOT, WorkbookError, desk, home, unwritable
from workbook.contents import CHAPTERS
from workbook.launch.lab import lab_environment
from workbook.server import database

NAMES = {  # what the lessons show, and the modules that they import
    "alembic": "alembic",
    "sqlalchemy": "sqlalchemy",
    "psycopg2-binary": "psycopg2",
    "pandas": "pandas",
    "ipython-sql": "sql",
    "jupyterlab": "jupyterlab",
}
# Run as a kernel would be, in its folder: what it imports, and what `!alembic` is.
KERNEL = """
import importlib.metadata as metadata, importlib.util as util, json, shutil, subprocess, sys
from pathlib import Path
import workbook
from workbook import WorkbookError, project
try:
    project.enter()
except WorkbookError as error:
    sys.exit(str(error))
places = {}
for name, module in json.loads(sys.argv[1]).items():
    found = util.find_spec(module).origin
    inside = Path(found).is_relative_to(metadata.distribution(name).locate_file(""))
    places[module] = "" if inside else found
said = subprocess.run(["alembic", "--version"], capture_output=True, text=True).stdout.split()
print(json.dumps([str(workbook.ROOT), places, shutil.which("alembic"), said[-1:]]))
"""


def python() -> str:
    """The Python that runs the notebooks."""
    return sys.version.split()[0]


def packages() -> str:
    """What the lessons show is of the version that they were written with."""
    wrong = []
    for name, version in locked().items():
        if importlib.metadata.version(name) != version:
            wrong.append(f"{name} is not {version}")
    if wrong:
        raise WorkbookError(", ".join(wrong) + ": pip install -r requirements.lock")
    return "as the lock says"


def locked() -> dict[str, str]:
    """The versions in the lock of what the lessons show."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line.partition(" ")[0].split("==") for line in lines if "==" in line]
    return {name: version for name, version in pins if name in NAMES}


def kernel() -> str:
    """A kernel imports this workbook and the environment's packages, and `!alembic` is theirs."""
    os.environ.update(lab_environment())
    command = KernelManager(kernel_name="python3").format_kernel_cmd()
    done = subprocess.run(
        [command[0], "-c", KERNEL, json.dumps(NAMES)],
        cwd=home() / "workspace",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WorkbookError((done.stderr.strip().splitlines() or ["it ends at once"])[-1])
    place, places, alembic, version = json.loads(done.stdout.splitlines()[-1])
    if not Path(place).samefile(ROOT):
        raise WorkbookError(f"it works in {place}: run pip install --no-deps -e . in {ROOT}")
    if shadows := [f"{module} ({where})" for module, where in places.items() if where]:
        raise WorkbookError(f"another file hides {', '.join(shadows)}: rename it, unset PYTHONPATH")
    if version != [locked()["alembic"]]:
        raise WorkbookError(f"{alembic or 'alembic'} is not {locked()['alembic']}")
    return f"works with {alembic}"


def folder() -> str:
    """There is a place for the learner's work, and room in it."""
    try:
        home().mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=home()).close()
    except OSError as error:
        raise unwritable(error) from None
    free = shutil.disk_usage(home()).free // 10**6
    if free < 300:
        raise WorkbookError(f"only {free} MB are free: make room")
    return f"{home()}, {free} MB free"


def lessons() -> str:
    """Every lesson is on the desk."""
    said = desk.lay()
    missing = [
        c.lesson for c in CHAPTERS.values() if not (home() / "workspace" / c.lesson).exists()
    ]
    if missing:
        raise WorkbookError(" ".join(said) or f"{missing[0]} is missing")
    return " ".join([f"{len(CHAPTERS)} in {home() / 'workspace'}", *said])


def server() -> str:
    """PostgreSQL answers."""
    database.connect_environment()
    with database.engine().connect() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar()
    return f"PostgreSQL {version} answers"


def scratch() -> str:
    """There is a database for what must not touch the learner's own."""
    database.connect_environment()
    with database.scratch():
        return "made and emptied"


CHECKS = (python, packages, folder, lessons, kernel, server, scratch)


def doctor() -> int:
    """Print a line for each check; the exit status is the number of those that failed."""
    failed = 0
    for check in CHECKS:
        try:
            print(f"ok      {check.__name__}: {check()}")
        except (WorkbookError, OSError, ImportError, NoSuchKernel, psycopg2.Error, DBAPIError) as e:
            words = str(getattr(e, "orig", e)).strip().splitlines() or [type(e).__name__]
            print(f"failed  {check.__name__}: {words[0]}")
            failed += 1
    return failed
