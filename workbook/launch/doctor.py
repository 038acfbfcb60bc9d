"""Whether everything is ready: a check for each thing that the workbook stands on."""

import importlib.metadata
import shutil
import sys
import tempfile

from workbook import ROOT, WorkbookError, desk, home
from workbook.contents import CHAPTERS
from workbook.launch.lab import unwritable
from workbook.server import database


def python() -> str:
    """The Python that runs the notebooks."""
    return sys.version.split()[0]


def packages() -> str:
    """What the lessons show is of the version that they were written with."""
    wrong = []
    names = ("alembic", "sqlalchemy", "jupyterlab", "psycopg2-binary", "pandas", "ipython-sql")
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        name, found, version = line.partition(" ")[0].partition("==")
        if found and name in names and importlib.metadata.version(name) != version:
            wrong.append(f"{name} is not {version}")
    if wrong:
        raise WorkbookError(", ".join(wrong) + ": pip install -r requirements.lock")
    return "as the lock says"


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


def doctor() -> int:
    """Print a line for each check; the exit status is the number of those that failed."""
    failed = 0
    for check in (python, packages, folder, lessons, server, scratch):
        try:
            print(f"ok      {check.__name__}: {check()}")
        except (WorkbookError, importlib.metadata.PackageNotFoundError) as error:
            print(f"failed  {check.__name__}: {error}")
            failed += 1
    return failed
