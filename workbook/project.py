"""An Alembic project: where it is, its revisions, and how they and its models are run."""

import contextlib
import functools
import importlib
import io
import os
import re
import runpy
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config, main
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from workbook import ROOT, WorkbookError, home, magics, repository, unwritable
from workbook.contents import Start
from workbook.server import database, postgres

FILES = ROOT / "workbook" / "files"
MODELS = FILES / "models"
CONCURRENTLY = re.compile(r"(?i)^(\s*(?:create(?:\s+unique)?|drop)\s+index)\s+concurrently\b")


def workspace() -> Path:
    """The learner's project folder."""
    return home() / "workspace"


def enter() -> None:
    """Work in workspace/, import from it, and find our own `alembic` and `pg_dump` first.

    Raises WorkbookError.
    """
    if "%" in str(workspace()):  # alembic.ini takes it for the start of a placeholder
        raise WorkbookError(
            f"Alembic cannot work in {workspace()}, because of the percent sign: move the workbook."
        )
    magics.register()
    repository.protect()
    make(workspace() / "practice")
    os.chdir(workspace())
    if str(workspace()) not in sys.path:
        sys.path.insert(0, str(workspace()))
    ours, tools = [sysconfig.get_path("scripts")], []
    with contextlib.suppress(WorkbookError):  # pg_restore should be of its server's version
        tools.append(str(postgres.binaries()))
    parts = os.environ.get("PATH", "").split(os.pathsep)
    others = [each for each in parts if each not in ours + tools]
    placed = [*tools, *others] if database.is_ours() else [*others, *tools]
    os.environ["PATH"] = os.pathsep.join(ours + placed)


def make(folder: Path) -> None:
    """Make a folder where it is missing. Raises WorkbookError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise WorkbookError(
            f"{folder} has to be a folder: move away what stands there, and run this again."
        ) from None
    except OSError as error:
        raise unwritable(error, folder) from None


def scripts(project: Path) -> ScriptDirectory:
    """The revisions of a project. Raises alembic's CommandError."""
    return ScriptDirectory(project / "alembic")


def history(first: str, last: str) -> list[Script]:
    """Revisions of the finished history, newest first."""
    return list(scripts(ROOT).walk_revisions(first, last))


@functools.cache
def convention() -> dict[str, str]:
    """The finished project's naming convention."""
    return dict(runpy.run_path(str(FILES / "named" / "jobboard" / "database.py"))["NAMES"])


def migrate(
    connection: sa.Connection,
    scripts: ScriptDirectory,
    revision: str,
    down: bool = False,
    convention: Mapping[str, str] | None = None,
) -> None:
    """Upgrade or downgrade a connection, without any env.py: only the revision files count.

    And the naming convention, if there is one: Alembic applies it to what they leave unnamed.
    A transaction that the caller has begun is the caller's to end, so all is done inside it.
    """

    def steps(current, context):  # type: ignore[no-untyped-def]
        walk = scripts._downgrade_revs if down else scripts._upgrade_revs
        return walk(revision, current)

    with EnvironmentContext(Config(), scripts, fn=steps, destination_rev=revision) as environment:
        names = sa.MetaData(naming_convention=convention)
        inside = _inside if connection.in_transaction() else contextlib.nullcontext
        environment.configure(connection=connection, target_metadata=names)
        with inside(environment.get_context()), environment.begin_transaction():
            environment.run_migrations()


@contextlib.contextmanager
def _inside(context: MigrationContext) -> Iterator[None]:
    """Let revisions do in a transaction what they do outside of theirs, where others work."""

    def plainly(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
        return CONCURRENTLY.sub(r"\1", statement), parameters

    context.autocommit_block = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    connection = context.connection
    sa.event.listen(connection, "before_cursor_execute", plainly, retval=True)
    try:
        yield
    finally:
        sa.event.remove(connection, "before_cursor_execute", plainly)


def lay_out(folder: Path, start: Start) -> None:
    """Make the project of a start in a folder that is empty or new.

    The environment is Alembic's own template; the revisions are the finished history's, up to the
    start's heads, unless the files bring their own; then come the start's files, a later folder
    over an earlier one.
    """
    folder = folder.absolute()
    (folder / "jobboard").mkdir(parents=True)
    (folder / "jobboard" / "__init__.py").touch()
    if start.heads or start.own:
        ini = folder / "alembic.ini"
        with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
            command.init(Config(str(ini)), "alembic")
        text = ini.read_text(encoding="utf-8").replace(
            "driver://user:pass@localhost/dbname", database.URL
        )
        ini.write_text(text, encoding="utf-8")
        for head in start.heads:
            for revision in history("base", head):
                name = Path(revision.path).name
                shutil.copyfile(revision.path, folder / "alembic" / "versions" / name)
    for name in start.files:
        for source in sorted(FILES.joinpath(name).rglob("*")):
            target = folder / source.relative_to(FILES / name)
            if source.is_file() and source.parent.name != "__pycache__":
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def build(connection: sa.Connection, start: Start) -> None:
    """Bring an empty database to a start: its revisions are applied, then its rows come in."""
    if start.applied:
        with revisions(start) as known:
            for revision in start.applied:
                migrate(connection, known, revision)
    if start.rows:
        connection.exec_driver_sql(start.rows, execution_options={"no_parameters": True})


@contextlib.contextmanager
def revisions(start: Start) -> Iterator[ScriptDirectory]:
    """The revisions of a start: the finished history's, and those that its files bring."""
    own = [name for name in start.files if (FILES / name / "alembic").is_dir()]
    if not own:
        yield scripts(ROOT)
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        lay_out(Path(name) / "project", start)
        yield scripts(Path(name) / "project")


def ddl() -> list[str]:
    """In a Python of its own: the statements that make the tables of jobboard/models.py here."""
    sys.path.insert(0, "")
    made: list[str] = []

    def note(statement: Any, *_: Any, **__: Any) -> None:
        made.append(str(statement.compile(dialect=dialect)))

    engine = sa.create_mock_engine(database.URL, note)
    dialect = engine.dialect
    importlib.import_module("jobboard.models").Base.metadata.create_all(engine, checkfirst=False)
    return made


def ddl_or_reason() -> list[str] | str:
    """The same, or in a line why the models do not work."""
    try:
        return ddl()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - models can raise anything
        return f"{type(error).__name__}: {error}".splitlines()[0]


def alembic(arguments: list[str]) -> None:
    """In a Python of its own: the command `alembic` with these arguments."""
    with contextlib.suppress(SystemExit):
        main(argv=arguments)
