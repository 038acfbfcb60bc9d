"""An Alembic project: where it is, its revisions, and how they and its models are run."""

import os
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory

from workbook import ROOT, home

MODELS = ROOT / "workbook" / "files" / "models"
INIT = "1f3a9c5e7b20"


def workspace() -> Path:
    """The learner's project folder."""
    return home() / "workspace"


def scripts(project: Path) -> ScriptDirectory:
    """The revisions of a project. Raises alembic's CommandError."""
    return ScriptDirectory(project / "alembic")


def history(first: str, last: str) -> list[Script]:
    """Revisions of the finished history, newest first."""
    return list(scripts(ROOT).walk_revisions(first, last))


def migrate(
    connection: sa.Connection, scripts: ScriptDirectory, revision: str, down: bool = False
) -> None:
    """Upgrade or downgrade a connection, without any env.py: only the revision files count."""

    def steps(current, context):  # type: ignore[no-untyped-def]
        walk = scripts._downgrade_revs if down else scripts._upgrade_revs
        return walk(revision, current)

    with EnvironmentContext(Config(), scripts, fn=steps, destination_rev=revision) as environment:
        environment.configure(connection=connection)
        with environment.begin_transaction():
            environment.run_migrations()


def models_ddl(folder: Path) -> str | None:
    """The DDL of a folder's models, printed by a Python of its own; None if they do not work."""
    code = """
import contextlib, sys
from sqlalchemy.orm import configure_mappers
from sqlalchemy.schema import CreateTable
from sqlalchemy.dialects import postgresql
sys.path.insert(0, ".")
with contextlib.redirect_stdout(sys.stderr):
    from jobboard.models import Base
    configure_mappers()
for table in Base.metadata.sorted_tables:
    print(CreateTable(table).compile(dialect=postgresql.dialect()))
"""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=False,
            cwd=folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=20,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None
