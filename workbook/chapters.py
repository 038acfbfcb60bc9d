"""Where each chapter starts, and how a learner gets there without losing anything.

A start is a project in workspace/ (files) and a database, both derived from the finished history
at the root. What stands in the way is put aside: the files are copied to put_aside/<name>/, the
database's schema `public` is renamed to `aside_<name>`, which is instant, transactional, needs no
right to create databases and waits for no open session.
"""

import contextlib
import filecmp
import importlib
import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
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
    with _project() as connection, _laid_out(begin) as folder:
        keep = not fresh and _project_stands(begin)
        if keep and _database_stands(connection, begin):
            print(f"You go on with your own project: {begin.words}.")
            return
        aside = first = _put_aside(connection, files=not keep)
        if keep:
            connection.commit()
            # Their migrations may end a transaction of ours, so they get one of their own.
            keep = begin.database == "base" or _apply_own(connection, begin)
            if not keep:
                aside = _put_aside(connection, files=True) or aside
        if not keep:
            if begin.database != "base":
                migrate(connection, scripts(ROOT), begin.database)
            connection.commit()
            _replace_files(aside, folder)
    _enter()
    if first and first != aside:
        print(f'Your database is put aside. To bring it back: restore("{first.name}")')
    if aside:
        what = "Your database is" if keep else "Your earlier work is"
        print(f'{what} put aside. To bring it back: restore("{aside.name}")')
    print(f"Chapter {chapter} starts with {begin.words}.")


def restore(name: str | None = None) -> None:
    """Bring back what was put aside under a name; without one, list what there is.

    What stands there now is put aside in its turn. Raises WorkbookError.
    """
    asides = {path.parent.name: path for path in sorted(_asides().glob("[!.]*/about.json"))}
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
    kept = asides[name].parent / "project"
    with _project() as connection, _draft(workspace().parent) as folder:
        if about["files"]:
            shutil.copytree(kept, folder / "project", symlinks=True)
        old = about["schema"] and connection.scalar(
            sa.select(sa.func.to_regnamespace(about["schema"]))
        )
        gone = about["schema"] and not old
        replaced = _put_aside(connection, files=about["files"] > 0, tables=not gone)
        if old:
            connection.exec_driver_sql("DROP SCHEMA public")
            connection.exec_driver_sql(f"ALTER SCHEMA {old} RENAME TO public")
        connection.commit()
        if about["files"]:
            _replace_files(replaced, folder / "project")
    _enter()
    if replaced:
        print(f'What stood there is put aside. To bring that back: restore("{replaced.name}")')
    if gone:
        print(f'The files of "{name}" are back; its tables are not on this server.')
        return
    shutil.rmtree(asides[name].parent)
    print(f'"{name}" is back.')


def reset() -> None:
    """Put everything of the learner's aside: an empty workspace/ and an empty database.

    Raises WorkbookError.
    """
    database.connect_environment()
    with _project() as connection, _draft(workspace().parent) as empty:
        aside = _put_aside(connection, files=True)
        connection.commit()
        _replace_files(aside, empty)
    if aside:
        print(f'Put aside. To bring it back: restore("{aside.name}")')
    else:
        print("There is nothing yet.")


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
    """The revisions of a project. Raises alembic's CommandError."""
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

    Whatever the database or the disk refuses is one line, a WorkbookError.
    """
    try:
        workspace().mkdir(parents=True, exist_ok=True)
        with database.engine().connect() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_lock(1)")
            database.claim(connection)
            if not connection.scalar(sa.select(sa.func.to_regnamespace("public"))):
                connection.exec_driver_sql("CREATE SCHEMA public")
            connection.commit()
            yield connection
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise WorkbookError(
            f"Another notebook is at work, or a program is in the way ({reason}): let it finish, or"
            " restart its kernel, and run this again."
        ) from None
    except OSError as error:
        raise WorkbookError(
            f"A file could not be written ({_reason(error)}): make room, or mend its rights, and"
            " run this again. What was put aside is listed by restore()."
        ) from None


def _reason(error: OSError) -> str:
    """An error of the file system in a few words; shutil reports a list of them."""
    first = error.args[0] if error.args else ""
    if isinstance(first, list) and first:
        return str(first[0][-1]).strip()[-120:]
    return error.strerror or str(error)


def _occupied(connection: sa.Connection) -> bool:
    """Whether the schema public holds anything at all."""
    query = """SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        OR EXISTS (SELECT FROM pg_type WHERE typnamespace = 'public'::regnamespace)
        OR EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace)"""
    return bool(connection.exec_driver_sql(query).scalar())


def _files() -> list[Path]:
    """The learner's files, without what tools leave behind, relative to workspace/."""
    found = [path.relative_to(workspace()) for path in workspace().rglob("*")]
    return [
        path
        for path in found
        if not NOT_WORK & set(path.parts)
        and ((workspace() / path).is_file() or (workspace() / path).is_symlink())
    ]


def _project_stands(begin: Start) -> bool:
    """Whether the learner's own files are at the start: models and migrations, by what they do."""
    here = workspace()
    if not begin.models:
        return [path.as_posix() for path in _files()] == ["jobboard/__init__.py"]
    if not _same_models():
        return False
    if begin.revision is None:
        return not (here / "alembic").exists() and not (here / "alembic.ini").exists()
    try:
        if not _environment_stands(here):
            return False
        return _built(here, "head") == _built(ROOT, begin.revision)
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
    if all((mine / name).read_bytes() == (MODELS / name).read_bytes() for name in names):
        return True
    made = _tables(workspace())
    return made is not None and made == _tables(MODELS)


def _tables(folder: Path) -> str | None:
    """The DDL of a folder's models, printed by a Python of its own; None if they do not work."""
    code = """
import contextlib, sys, types
from pathlib import Path
from sqlalchemy.orm import configure_mappers
from sqlalchemy.schema import CreateTable
from sqlalchemy.dialects import postgresql
if Path("models.py").exists():
    package = types.ModuleType("jobboard")
    package.__path__ = ["."]
    sys.modules["jobboard"] = package
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


def _database_stands(connection: sa.Connection, begin: Start) -> bool:
    """Whether the database is at the start: at the learner's own head or base, and no rows ever."""
    if begin.database == "base":
        return not _occupied(connection)
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
            return schema.read(connection) == _built(ROOT, begin.database)
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


@dataclass(frozen=True)
class Aside:
    """What was put aside: its name, and where the copies of the files are."""

    name: str

    @property
    def project(self) -> Path:
        """The copy of workspace/."""
        return _asides() / self.name / "project"


def _asides() -> Path:
    return home() / "put_aside"


@contextlib.contextmanager
def _draft(parent: Path) -> Iterator[Path]:
    """A folder in the making, hidden and gone at the end; those of killed programs go too."""
    parent.mkdir(parents=True, exist_ok=True)
    for leftover in parent.glob(".draft-*"):  # one start at a time: nobody needs them any more
        shutil.rmtree(leftover, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=".draft-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_aside(connection: sa.Connection, files: bool, tables: bool = True) -> Aside | None:
    """Copy the files and rename the schema; None if nothing is there. Nothing is removed yet.

    The caller commits, and then replaces the files: a kill or a full disk loses nothing.
    """
    mine = _files() if files else []
    worth = [path for path in mine if path.name != "__init__.py" or _size(path)]
    tables = tables and _occupied(connection)
    if not worth and not tables:
        return None
    name = stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    number = 1
    while (_asides() / name).exists():
        number += 1
        name = f"{stamp}-{number}"
    renamed = "aside_" + name.replace("-", "_") if tables else ""
    about = {"database": os.environ["PGDATABASE"], "schema": renamed, "files": len(mine)}
    try:
        with _draft(_asides()) as folder:
            whole = folder / name
            whole.mkdir()
            if files:
                ignore = shutil.ignore_patterns(*NOT_WORK)
                shutil.copytree(workspace(), whole / "project", ignore=ignore, symlinks=True)
            (whole / "about.json").write_text(json.dumps(about))
            whole.rename(_asides() / name)
    except OSError as error:
        raise WorkbookError(
            f"Your work could not be put aside ({_reason(error)}): it was left as it is."
        ) from None
    if renamed:
        connection.exec_driver_sql(f"ALTER SCHEMA public RENAME TO {renamed}")
        connection.exec_driver_sql("CREATE SCHEMA public")
    return Aside(name)


def _size(path: Path) -> int:
    return (workspace() / path).lstat().st_size


def _replace_files(aside: Aside | None, folder: Path) -> None:
    """Put a folder's content in place of workspace/'s, as far as that is safe in a copy.

    A file that somebody has written since it was copied stays where it is.
    """
    for path in _files():
        mine = workspace() / path
        copy = aside.project / path if aside else None
        empty = not mine.is_symlink() and not mine.stat().st_size
        if empty or (copy and _same(mine, copy)):
            mine.unlink()
    for path in sorted(workspace().rglob("*"), reverse=True):
        if path.name in NOT_WORK:
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):  # not empty
                path.rmdir()
    for path in folder.rglob("*"):
        target = workspace() / path.relative_to(folder)
        if path.is_dir() and not path.is_symlink():
            target.mkdir(parents=True, exist_ok=True)
        elif not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)  # which may be on another disk
    for name in [name for name in sys.modules if name.split(".")[0] == "jobboard"]:
        del sys.modules[name]  # what this Python has imported is not what stands there now
    importlib.invalidate_caches()


def _same(one: Path, other: Path) -> bool:
    """Whether two files, or two links, are the same."""
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return other.is_file() and filecmp.cmp(one, other, shallow=False)


@contextlib.contextmanager
def _laid_out(begin: Start) -> Iterator[Path]:
    """The project as a chapter starts: Alembic's own template, and the history's revisions."""
    with _draft(workspace().parent) as folder:
        (folder / "jobboard").mkdir()
        (folder / "jobboard" / "__init__.py").touch()
        if begin.models:
            for source in MODELS.glob("*.py"):
                shutil.copyfile(source, folder / "jobboard" / source.name)
        if begin.revision:
            ini = folder / "alembic.ini"
            with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
                command.init(Config(str(ini)), "alembic")
            text = ini.read_text(encoding="utf-8")
            text = text.replace("driver://user:pass@localhost/dbname", database.URL)
            ini.write_text(text, encoding="utf-8")
            for revision in history("base", begin.revision):
                shutil.copyfile(
                    revision.path, folder / "alembic" / "versions" / Path(revision.path).name
                )
        yield folder
