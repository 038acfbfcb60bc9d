"""Where each chapter starts, and how a learner gets there without losing anything.

A start is a project in workspace/ (files) and a database, both derived from the finished history
at the root. What stands in the way is put aside: the files are copied to put_aside/<name>/, the
database's schema `public` is renamed to `aside_<name>`, which is instant, transactional, needs no
right to create databases and waits for no open session.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory

from workbook import ROOT, WorkbookError, database, home, magics, schema

MODELS = ROOT / "workbook" / "start"
MARK = "belongs to a learner of the migrations workbook"
NOT_WORK = {"__pycache__", ".ipynb_checkpoints", ".virtual_documents"}


@dataclass(frozen=True)
class Start:
    """The files that a chapter starts with, and the revision that its database is at."""

    words: str
    models: bool = False
    revision: str | None = None  # of the finished history; None: no Alembic environment yet
    database: str = "base"


INIT = "1f3a9c5e7b20"
STARTS = {
    1: Start("an empty project and an empty database"),
    2: Start("your two models and an empty database", models=True),
    3: Start("models, an Alembic environment and the revision init, not applied", True, INIT),
    4: Start("the revision init applied, both tables empty", True, INIT, INIT),
    5: Start("the revision init applied, both tables empty", True, INIT, INIT),
}


def workspace() -> Path:
    """The learner's project folder."""
    return home() / "workspace"


def start(chapter: int, fresh: bool = False) -> None:
    """Bring project, database and this Python to the start of a chapter, and say what was done.

    A project of the learner's that already stands there is kept (unless `fresh`); anything else is
    put aside under a dated name that `restore` takes. Raises WorkbookError.
    """
    if chapter not in {0, *STARTS}:
        raise WorkbookError(f"There is no chapter {chapter}: pick one from 0 to {max(STARTS)}.")
    database.connect_environment()
    _enter()
    if chapter == 0:
        print("PostgreSQL is running, and this notebook is connected to it.")
        return
    begin = STARTS[chapter]
    with _project() as connection:
        keep_files = not fresh and _project_stands(begin)
        keep_database = keep_files and _database_stands(connection, begin)
        if keep_files and keep_database:
            print(f"You go on with your own project: {begin.words}.")
            return
        name = _put_aside(connection, files=not keep_files, tables=not keep_database)
        if begin.database != "base":
            own = keep_files and workspace()
            migrate(connection, scripts(own or ROOT), "head" if own else begin.database)
        connection.commit()
        if not keep_files:
            _empty_workspace()
            _lay_down(begin)
            _enter()
    if name:
        what = "Your database is" if keep_files else "Your earlier work is"
        print(f'{what} put aside. To bring it back: restore("{name}")')
    print(f"Chapter {chapter} starts with {begin.words}.")


def restore(name: str | None = None) -> None:
    """Bring back what was put aside under a name; without one, list what there is.

    What stands there now is put aside in its turn. Raises WorkbookError.
    """
    asides = {path.parent.name: path for path in sorted(_aside().glob("*/about.json"))}
    if name is None:
        for each, path in asides.items():
            print(f"{each}  {json.loads(path.read_text())['files']} files")
        print(f"{len(asides)} put aside." + (" Bring one back by its name." if asides else ""))
        return
    if name not in asides:
        raise WorkbookError(f'Nothing is put aside as "{name}": restore() lists what there is.')
    about = json.loads(asides[name].read_text())
    database.connect_environment()
    _enter()
    if about["schema"] and about["database"] != os.environ["PGDATABASE"]:
        raise WorkbookError(f'"{name}" belongs to the database "{about["database"]}".')
    with _project() as connection:
        old = about["schema"] and connection.scalar(
            sa.select(sa.func.to_regnamespace(about["schema"]))
        )
        replaced = _put_aside(connection, files=about["files"] > 0, tables=bool(old))
        if old:
            connection.exec_driver_sql("DROP SCHEMA public")
            connection.exec_driver_sql(f"ALTER SCHEMA {old} RENAME TO public")
        connection.commit()
        if about["files"]:
            _empty_workspace()
            shutil.copytree(asides[name].parent / "project", workspace(), dirs_exist_ok=True)
    if replaced:
        print(f'What stood there is put aside. To bring that back: restore("{replaced}")')
    if about["schema"] and not old:
        print(f'The files of "{name}" are back; its tables are not on this server.')
        return
    shutil.rmtree(asides[name].parent)
    print(f'"{name}" is back.')


def reset() -> None:
    """Put everything of the learner's aside: an empty workspace/ and an empty database.

    Raises WorkbookError.
    """
    database.connect_environment()
    with _project() as connection:
        name = _put_aside(connection, files=True, tables=True)
        connection.commit()
        _empty_workspace()
    print(f'Put aside. To bring it back: restore("{name}")' if name else "There is nothing yet.")


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


def history(first: str, last: str) -> list[Script]:
    """Revisions of the finished history, newest first."""
    return list(scripts(ROOT).walk_revisions(first, last))


def scripts(project: Path) -> ScriptDirectory:
    return ScriptDirectory(project / "alembic")


def _enter() -> None:
    """Work in workspace/, import from it, and find `alembic` even without an activated venv."""
    if "%" in str(workspace()):  # alembic.ini takes it for the start of a placeholder
        raise WorkbookError(
            f"Alembic cannot work in {workspace()}, because of the percent sign: move the workbook."
        )
    magics.register()
    (workspace() / "practice").mkdir(parents=True, exist_ok=True)
    os.chdir(workspace())
    if str(workspace()) not in sys.path:
        sys.path.insert(0, str(workspace()))
    commands = sysconfig.get_path("scripts")
    if commands not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = commands + os.pathsep + os.environ.get("PATH", "")


@contextlib.contextmanager
def _project() -> Iterator[sa.Connection]:
    """A connection for changing the project: one at a time, and only in a database of ours.

    A database is ours when it is on the embedded server, carries our mark, or is empty (then it
    gets the mark), so that a PGHOST left over from other work can never cost anybody a table.
    """
    workspace().mkdir(parents=True, exist_ok=True)
    with database.engine().connect() as connection:
        try:
            connection.exec_driver_sql("SELECT pg_advisory_lock(1)")
        except sa.exc.OperationalError:
            raise WorkbookError(
                "Another notebook is at work on the project: run this again."
            ) from None
        mark = "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        mark += " WHERE datname = current_database()"
        if (
            "WORKBOOK_EMBEDDED" not in os.environ
            and connection.exec_driver_sql(mark).scalar() != MARK
        ):
            name = os.environ["PGDATABASE"]
            if _occupied(connection):
                raise WorkbookError(
                    f'The database "{name}" holds tables that are not the workbook\'s: it was left'
                    " alone. Set PGDATABASE to the name of an empty or a new database."
                )
            quoted = connection.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql(f"COMMENT ON DATABASE {quoted} IS '{MARK}'")
        yield connection


def _occupied(connection: sa.Connection) -> bool:
    """Whether the schema public holds anything at all."""
    query = """SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        OR EXISTS (SELECT FROM pg_type WHERE typnamespace = 'public'::regnamespace)
        OR EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace)"""
    return bool(connection.exec_driver_sql(query).scalar())


def _files() -> list[Path]:
    """The learner's files, without what tools leave behind."""
    found = workspace().rglob("*")
    return [path for path in found if path.is_file() and not NOT_WORK & set(path.parts)]


def _project_stands(begin: Start) -> bool:
    """Whether the learner's own files are at the start: models and migrations, by what they do."""
    here = workspace()
    has = {path.relative_to(here).parts[0] for path in _files()}
    if "jobboard" not in has or ("alembic" in has) != (begin.revision is not None):
        return False
    if not begin.models:
        return {path.relative_to(here).as_posix() for path in _files()} == {"jobboard/__init__.py"}
    if not _same_models():
        return False
    if begin.revision is None:
        return True
    try:
        return _built(here, "head") == _built(ROOT, begin.revision)
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a half-written migration can do
        return False


def _built(project: Path, revision: str) -> schema.Schema:
    """The schema that a project's migrations give when they are applied to an empty database."""
    with database.scratch() as connection:
        migrate(connection, scripts(project), revision)
        return schema.read(connection)


def _same_models() -> bool:
    """Whether the learner's models make the same tables as the story's."""
    mine = workspace() / "jobboard"
    if not (mine / "models.py").is_file() or not (mine / "database.py").is_file():
        return False
    if (mine / "models.py").read_bytes() == (MODELS / "models.py").read_bytes():
        return True
    return _tables(workspace()) == _tables(MODELS)


def _tables(folder: Path) -> str | None:
    """The DDL of a folder's models, printed by a Python of its own; None if they do not work."""
    code = """
import sys, types
from pathlib import Path
from sqlalchemy.orm import configure_mappers
from sqlalchemy.schema import CreateTable
from sqlalchemy.dialects import postgresql
if Path("models.py").exists():
    package = types.ModuleType("jobboard")
    package.__path__ = ["."]
    sys.modules["jobboard"] = package
sys.path.insert(0, ".")
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
            capture_output=True,
            text=True,
            timeout=20,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def _database_stands(connection: sa.Connection, begin: Start) -> bool:
    """Whether the database is at the start: the learner's own head or base, and no rows."""
    if begin.database == "base":
        return not _occupied(connection)
    inspector = sa.inspect(connection)
    tables = inspector.get_table_names()
    if "alembic_version" not in tables:
        return False
    try:
        with connection.begin_nested():
            versions = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
            if set(versions.scalars()) != set(scripts(workspace()).get_heads()):
                return False
            tables.remove("alembic_version")
            quote = connection.dialect.identifier_preparer.quote
            for table in tables:
                if connection.exec_driver_sql(f"SELECT 1 FROM {quote(table)} LIMIT 1").first():
                    return False
    except sa.exc.DBAPIError:  # locked by another notebook's open transaction
        return False
    return schema.read(connection) == _built(workspace(), "head")


def _aside() -> Path:
    return home() / "put_aside"


def _put_aside(connection: sa.Connection, files: bool, tables: bool) -> str | None:
    """Copy the files and rename the schema; the name that restore() takes, None if nothing is there.

    The copy is complete before the caller removes anything: a kill or a full disk loses nothing.
    """
    mine = _files() if files else []
    mine = [path for path in mine if path.stat().st_size or path.name != "__init__.py"]
    tables = tables and _occupied(connection)
    name = None
    if mine or tables:
        name = stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
        number = 1
        while (_aside() / name).exists():
            number += 1
            name = f"{stamp}-{number}"
        renamed = "aside_" + name.replace("-", "_") if tables else None
        draft = _aside() / f".{name}"
        try:
            draft.mkdir(parents=True)
            if mine:
                ignore = shutil.ignore_patterns(*NOT_WORK)
                shutil.copytree(workspace(), draft / "project", ignore=ignore, symlinks=True)
            about = {"database": os.environ["PGDATABASE"], "schema": renamed, "files": len(mine)}
            (draft / "about.json").write_text(json.dumps(about))
            draft.rename(_aside() / name)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise WorkbookError(
                f"Your work could not be put aside ({error}): it was left as it is."
            ) from None
        if renamed:
            connection.exec_driver_sql(f"ALTER SCHEMA public RENAME TO {renamed}")
            connection.exec_driver_sql("CREATE SCHEMA public")
    return name


def _empty_workspace() -> None:
    for path in workspace().iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _lay_down(begin: Start) -> None:
    """Write the project as the chapter starts: Alembic's own template, the history's revisions."""
    here = workspace()
    (here / "jobboard").mkdir()
    (here / "jobboard" / "__init__.py").touch()
    if begin.models:
        for source in MODELS.glob("*.py"):
            shutil.copyfile(source, here / "jobboard" / source.name)
    if begin.revision is None:
        return
    ini = here / "alembic.ini"
    with contextlib.chdir(here), contextlib.redirect_stdout(io.StringIO()):
        command.init(Config(str(ini)), "alembic")
    text = ini.read_text(encoding="utf-8")
    ini.write_text(
        text.replace("driver://user:pass@localhost/dbname", database.URL), encoding="utf-8"
    )
    for revision in history("base", begin.revision):
        shutil.copy(revision.path, here / "alembic" / "versions")
