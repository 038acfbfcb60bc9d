"""Deployments: `alembic upgrade head` in processes of their own, and what they need around them."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import sqlalchemy as sa

from workbook import WorkbookError, project
from workbook.apart import Stopped
from workbook.beside import Beside, Line
from workbook.server import database

ROLE = "jobboard_api"  # what the application serves as
NAME = "deployment"  # of its session; a second one that begins with it is "deployment 2"
PATIENCE = 60  # seconds, for a deployment to come to something
DOOR = "LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"
SESSIONS = f"""
SELECT count(*), count(*) FILTER (WHERE wait_event_type = 'Lock') FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE '{NAME}%%'
"""


@dataclass(frozen=True)
class Deployed:
    """How a deployment ended: its exit code, and all that it said."""

    code: int
    said: str

    @property
    def error(self) -> str:
        """The line that says what went wrong; nothing where it went well."""
        lines = [line.strip() for line in self.said.splitlines()]
        told = [line for line in lines if line.startswith("FAILED:") or "(psycopg2.errors." in line]
        return (told or lines or [""])[-1] if self.code else ""

    def __repr__(self) -> str:
        return f"exit code {self.code}" + (f": {self.error}" if self.code else "")


class Deployment:
    """One that is under way."""

    def __init__(self, name: str, folder: Path, **variables: str) -> None:
        options = f"{os.environ.get('PGOPTIONS', '')} -c lock_timeout={PATIENCE}s"
        variables = {"PGAPPNAME": name, "PGOPTIONS": options, **variables}
        self.process = Beside("workbook.deployments:upgrade", str(folder), **variables)

    def result(self) -> Deployed:
        """Wait for its end, and say how it went. Raises WorkbookError where it does not end."""
        try:
            code, said = self.process.hear(PATIENCE)
        except Stopped as stopped:
            raise WorkbookError(f"The deployment was lost: {stopped}.") from None
        finally:
            self.process.end(seconds=0)
        return Deployed(code, said)


def deploy(number: int = 2, folder: Path | None = None, **variables: str) -> list[Deployed]:
    """Run `alembic upgrade head` so often at the same moment, and wait for all; the best first.

    They are held at alembic_version, which each has to read, until the last of them is there.
    """
    with ExitStack() as stack:
        door = stack.enter_context(_database(variables).connect())
        if sa.inspect(door).has_table("alembic_version"):
            door.exec_driver_sql(DOOR)
        names = [NAME, *(f"{NAME} {each}" for each in range(2, number + 1))]
        begun = [Deployment(name, folder or project.workspace(), **variables) for name in names]
        for each in begun:
            stack.enter_context(each.process)
        _arrived(begun, 0, variables)
        _arrived(begun, 1, variables, seconds=1)  # one that waits its turn never comes to the door
        door.rollback()
        return sorted((each.result() for each in begun), key=lambda each: each.code)


def begin_deployment() -> Deployment:
    """Run `alembic upgrade head` beside the notebook; it is under way when this returns.

    That is when it waits for a lock that another session holds.
    """
    begun = Deployment(NAME, project.workspace())
    _arrived([begun], 1, {})
    return begun


def _database(variables: dict[str, str]) -> sa.Engine:
    return database.engine(variables.get("PGDATABASE"))


def _arrived(
    begun: list[Deployment], column: int, variables: dict[str, str], seconds: float = PATIENCE
) -> None:
    """Wait, at most so long, until all are connected, or wait for a lock, or one has ended."""
    until = time.monotonic() + seconds
    with _database(variables).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        while time.monotonic() < until:
            ended = any(each.process.process.poll() is not None for each in begun)
            if ended or connection.exec_driver_sql(SESSIONS).one()[column] >= len(begun):
                return
            time.sleep(0.02)


def upgrade(line: Line, folder: str) -> tuple[int, str]:
    """In the other process: the command itself, its exit code and what it said."""
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    done = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


# ---- what tests and roles need -------------------------------------------------------------------


def provide_tests() -> None:
    """Lay tests/conftest.py and pytest.ini into the project, where they are missing.

    And let TEST_DATABASE name a second, empty database: the one that exercises are tried on, too.
    """
    with database.scratch() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
    os.environ["TEST_DATABASE"] = name
    for file in ("pytest.ini", "tests/conftest.py"):
        path = project.workspace() / file
        project.make(path.parent)
        if not path.exists():
            shutil.copyfile(project.FILES / "tested" / file, path)
    print("tests/conftest.py is there, and TEST_DATABASE names an empty database.")


def provide_role(quiet: bool = False) -> None:
    """Make the role that the application serves as, without a login, and let us act as it.

    Raises WorkbookError where this role may not: then whoever runs the server makes it.
    """
    with database.engine().connect() as connection:
        own = connection.exec_driver_sql("SELECT quote_ident(current_user)").scalar_one()
        query = f"SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = '{ROLE}'"
        member = connection.exec_driver_sql(query).scalar()
    make = [f"CREATE ROLE {ROLE} NOLOGIN", f"GRANT {ROLE} TO {own}"]
    try:
        if not member:
            ours = database.is_ours() and "WORKBOOK_ROOM" not in os.environ
            with closing(psycopg2.connect("user=postgres" if ours else "")) as server:
                server.autocommit = True
                for statement in make if member is None else make[1:]:
                    server.cursor().execute(statement)
    except psycopg2.Error:
        raise WorkbookError(
            f"Your role may not make others. Skip this section, or let whoever runs the server say:"
            f" {'; '.join(make)};"
        ) from None
    if not quiet:
        print(f"{ROLE} is a role without a login now, and you may act as it.")
