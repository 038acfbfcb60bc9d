"""Where each chapter starts, and how a learner gets there without losing anything.

A start is a project in workspace/ (files) and a database, both derived from the finished history
at the root. What stands in the way is put aside.
"""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config

from workbook import ROOT, WorkbookError, schema
from workbook.aside import (
    draft,
    enter,
    held,
    occupied,
    own_files,
    put_aside,
    replace_files,
)
from workbook.contents import CHAPTERS, Start
from workbook.project import MODELS, build, lay_out, migrate, models_ddl, scripts, workspace
from workbook.server import database


def start(chapter: int, fresh: bool = False) -> None:
    """Bring project, database and this Python to the start of a chapter, and say what was done.

    A project of the learner's that already stands there is kept (unless `fresh`); anything else is
    put aside under a dated name that `restore` takes. Raises WorkbookError.
    """
    if type(chapter) is not int or chapter not in CHAPTERS:
        raise WorkbookError(f"There is no chapter {chapter!r}: pick one from 0 to {max(CHAPTERS)}.")
    database.connect_environment()
    enter()
    if chapter == 0:
        print("PostgreSQL is running, and this notebook is connected to it.")
        return
    begin = CHAPTERS[chapter].start
    with held() as connection, _laid_out(begin) as folder:
        keep = not fresh and _project_stands(begin)
        if keep and _database_stands(connection, begin):
            print(f"You go on with your own project: {begin.words}.")
            return
        aside = first = put_aside(connection, files=not keep)
        if keep:
            connection.commit()
            # Their migrations may end a transaction of ours, so they get one of their own.
            keep = not begin.applied or _apply_own(connection, begin)
            if not keep:
                aside = put_aside(connection, files=True) or aside
        if not keep:
            build(connection, begin)
            connection.commit()
            replace_files(aside, folder)
    enter()
    if first and first != aside:
        print(f'Your database is put aside. To bring it back: restore("{first.name}")')
    if aside:
        what = "Your database is" if keep else "Your earlier work is"
        print(f'{what} put aside. To bring it back: restore("{aside.name}")')
    print(f"Chapter {chapter} starts with {begin.words}.")


def reset() -> None:
    """Put everything of the learner's aside: an empty workspace/ and an empty database.

    Raises WorkbookError.
    """
    database.connect_environment()
    with held() as connection, draft(workspace().parent) as empty:
        aside = put_aside(connection, files=True)
        connection.commit()
        replace_files(aside, empty)
    if aside:
        print(f'Put aside. To bring it back: restore("{aside.name}")')
    else:
        print("There is nothing yet.")


def _project_stands(begin: Start) -> bool:
    """Whether the learner's own files are at the start: models and migrations, by what they do."""
    here = workspace()
    if not begin.files:
        return [path.as_posix() for path in own_files()] == ["jobboard/__init__.py"]
    if not _same_models():
        return False
    if not begin.heads:
        return not (here / "alembic").exists() and not (here / "alembic.ini").exists()
    try:
        if not _environment_stands(here):
            return False
        return _built(here, "head") == _built(ROOT, *begin.heads)
    except WorkbookError:
        raise
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a half-written migration can do
        return False


def _environment_stands(project: Path) -> bool:
    """Whether `alembic` works in a project, on this database."""
    config = Config(str(project / "alembic.ini"))
    environment = project / "alembic"
    place = Path(config.get_main_option("script_location") or "")
    if not (environment / "script.py.mako").is_file() or place != environment:
        return False
    template = Path(config.get_template_directory()) / "generic" / "env.py"
    as_made = (environment / "env.py").read_bytes() == template.read_bytes()
    if config.get_main_option("sqlalchemy.url") == database.URL and as_made:
        return True
    command = [sys.executable, "-m", "alembic", "current"]  # half a second, for what is their own
    done = subprocess.run(command, cwd=project, capture_output=True, check=False, timeout=20)
    return done.returncode == 0


def _built(project: Path, revision: str) -> schema.Schema:
    """The schema that a project's migrations give when they are applied to an empty database."""
    scratch = os.environ["PGDATABASE"] + "_scratch"
    with database.scratch() as connection, contextlib.redirect_stdout(io.StringIO()):
        # A migration may open a connection of its own: not to the database where rows are.
        with database.variables(PGDATABASE=scratch):
            migrate(connection, scripts(project), revision)
        return schema.read(connection)


def _same_models() -> bool:
    """Whether the learner's models make the same tables as the story's."""
    mine = workspace() / "jobboard"
    names = ("database.py", "models.py")
    if not all((mine / name).is_file() for name in names):
        return False
    if all(
        (mine / name).read_bytes() == (MODELS / "jobboard" / name).read_bytes() for name in names
    ):
        return True
    made = models_ddl(workspace())
    return made is not None and made == models_ddl(MODELS)


def _database_stands(connection: sa.Connection, begin: Start) -> bool:
    """Whether the database is at the start: at the learner's own head or base, and no rows ever."""
    if not begin.applied:
        return not occupied(connection)
    quote = connection.dialect.identifier_preparer.quote
    used = "SELECT 1 FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")
            tables = sa.inspect(connection).get_table_names()
            if "alembic_version" not in tables or connection.exec_driver_sql(used).first():
                return False
            versions = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
            if sorted(versions.scalars()) != sorted(scripts(workspace()).get_heads()):
                return False
            tables.remove("alembic_version")
            for table in tables:
                if connection.exec_driver_sql(f"SELECT 1 FROM {quote(table)} LIMIT 1").first():
                    return False
            return schema.read(connection) == _built(ROOT, *begin.applied)
    except sa.exc.DBAPIError:  # locked by another notebook's open transaction
        return False


def _apply_own(connection: sa.Connection, begin: Start) -> bool:
    """Apply the learner's own migrations; whether that leads to the start."""
    try:
        with database.engine().connect() as own, contextlib.redirect_stdout(io.StringIO()):
            migrate(own, scripts(workspace()), "head")
    except (Exception, SystemExit):  # noqa: BLE001 - a learner's code may raise anything
        return False
    return _database_stands(connection, begin)


@contextlib.contextmanager
def _laid_out(begin: Start) -> Iterator[Path]:
    """The project as a chapter starts: Alembic's own template, and the history's revisions."""
    with draft(workspace().parent) as folder:
        lay_out(folder, begin)
        yield folder
