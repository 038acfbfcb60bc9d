"""Putting a learner's work aside, and bringing it back; nothing is ever lost.

The files are copied to put_aside/<name>/, the database's schema `public` is renamed to
`aside_<name>`, which is instant, transactional, needs no right to create databases and waits for no
open session. The notebooks beside the project are the desk's (workbook.desk) and stay.
"""

import contextlib
import filecmp
import importlib
import itertools
import json
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from workbook import WorkbookError, home
from workbook.project import enter, make, workspace
from workbook.server import database

NAME = re.compile(r"\d{4}-\d\d-\d\d-\d{6}(-\d+)?")
Rows = Callable[[str], tuple[tuple[Any, ...], ...]]  # of a query
PENDING = ".new-"  # a copy whose transaction is still open: nothing has been taken away yet


@dataclass(frozen=True)
class Aside:
    """What was put aside: in which chapter, why, how much, and whether there are tables."""

    name: str
    database: str
    tables: bool
    files: int
    rows: int | None = None  # None: they could not be counted
    chapter: int | None = None
    why: str = "not recorded"

    @property
    def folder(self) -> Path:
        return asides() / self.name

    @property
    def schema(self) -> str:
        """The one that its tables are in; empty without any."""
        return "aside_" + self.name.replace("-", "_") if self.tables else ""

    def amount(self) -> str:
        """How much it is, in words."""
        words = [counted(self.files, "file")] if self.files else []
        if self.tables:
            words.append(counted(self.rows, "row") if self.rows is not None else "tables")
        return ", ".join(words)

    def __str__(self) -> str:
        where = "in no chapter" if self.chapter is None else f"in chapter {self.chapter}"
        when = datetime.strptime(self.name[:17], "%Y-%m-%d-%H%M%S")
        return f"{self.name}  {when:%d %b %Y, %H:%M}  {where}  {self.amount()}  {self.why}"

    def told(self) -> str:
        """The line that says what was put aside, and how to bring it back."""
        what = "work" if self.files else "database"
        whose = f"Your earlier {what}" if self.chapter is None else f"Your {what} in chapter"
        where = "" if self.chapter is None else f" {self.chapter}"
        back = f'To bring it back: restore("{self.name}")'
        return f"{whose}{where} ({self.amount()}) is put aside. {back}"


def counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


# ---- bringing back -------------------------------------------------------------------------------


def restore(name: str | None = None) -> None:
    """Bring back what was put aside under a name; without one, list what there is.

    What stands there now is put aside in its turn. Raises WorkbookError.
    """
    database.connect_environment()
    with held() as connection:
        found = recorded(connection)
        if name is None:
            for each in found.values():
                print(each)
            print(f"{len(found)} put aside." + (" Bring one back by its name." if found else ""))
            return
        if name not in found:
            raise WorkbookError(f'Nothing is put aside as "{name}": restore() lists what there is.')
        enter()
        _bring_back(connection, found[name])


def _bring_back(connection: sa.Connection, back: Aside) -> None:
    if back.schema and back.database != os.environ["PGDATABASE"]:
        raise WorkbookError(f'"{back.name}" belongs to the database "{back.database}".')
    gone = back.schema and back.schema not in _schemas(connection)
    with draft(workspace().parent) as folder:
        if back.files:
            shutil.copytree(back.folder / "project", folder / "project", symlinks=True)
        why = f"{back.name} was brought back"
        with put_aside(connection, back.files > 0, why, tables=not gone) as replaced:
            if back.schema and not gone:
                connection.exec_driver_sql("DROP SCHEMA public")
                connection.exec_driver_sql(f"ALTER SCHEMA {back.schema} RENAME TO public")
        if back.files:
            replace_files(replaced, folder / "project")
    remember(connection, back.chapter)
    enter()
    if replaced:
        print(f'What stood there is put aside. To bring that back: restore("{replaced.name}")')
    if gone:
        print(f'The files of "{back.name}" are back; its tables are not on this server.')
        return
    shutil.rmtree(back.folder, ignore_errors=True)
    print(f'"{back.name}" is back.')


def recorded(connection: sa.Connection) -> dict[str, Aside]:
    """All that is put aside, the oldest first.

    Where a record is damaged, or tables have none, the name says what belongs to it.
    """
    schemas = _schemas(connection)
    names = {path.name for path in asides().glob("*") if path.is_dir()}
    names |= {each.removeprefix("aside_").replace("_", "-") for each in schemas}
    whole = sorted(name for name in names if NAME.fullmatch(name))
    return {name: _record(asides() / name, schemas) for name in whole}


def _record(folder: Path, schemas: set[str]) -> Aside:
    name = folder.name.removeprefix(PENDING)
    try:
        return Aside(name, **json.loads((folder / "about.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        files = sum(not path.is_dir() for path in (folder / "project").rglob("*"))
        why = "the record is damaged" if folder.exists() else "the files are gone"
        found = Aside(name, os.environ["PGDATABASE"], True, files, why=why)
        return found if found.schema in schemas else replace(found, tables=False)


def _schemas(connection: sa.Connection) -> set[str]:
    query = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^aside_[0-9_]+$'"
    return {*connection.exec_driver_sql(query).scalars()}


# ---- changing the project ------------------------------------------------------------------------


@contextlib.contextmanager
def held() -> Iterator[sa.Connection]:
    """A connection for changing the project: one at a time, and only in a database of ours.

    Whatever the database or the disk refuses is one line, a WorkbookError.
    """
    make(workspace())
    try:
        with database.engine().connect() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_lock(1)")
            database.claim(connection)
            connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS public")
            connection.commit()
            _settle(connection)
            yield connection
    except sa.exc.DBAPIError as error:
        raise database.refused(error.orig) from None
    except OSError as error:
        raise WorkbookError(
            f"A file could not be written ({in_words(error)}): make room, or mend its rights, and"
            " run this again. What was put aside is listed by restore()."
        ) from None


def in_words(error: OSError) -> str:
    """An error of the file system in a few words; shutil reports a list of them."""
    first = error.args[0] if error.args else ""
    if isinstance(first, list) and first:
        return re.sub(r"^\[Errno \d+\] ([^:]*).*", r"\1", str(first[0][-1]))
    return error.strerror or str(error)


def occupied(connection: sa.Connection) -> bool:
    """Whether the schema public holds anything at all."""
    query = """SELECT EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass
        AND refobjid = 'public'::regnamespace)"""
    return bool(connection.exec_driver_sql(query).scalar())


@contextlib.contextmanager
def glimpse(connection: sa.Connection) -> Iterator[Rows]:
    """Questions to the database that wait for nobody, and leave no trace in a transaction."""

    def rows(query: str) -> tuple[tuple[Any, ...], ...]:
        options = {"no_parameters": True}  # a percent sign in a name is one
        return tuple(map(tuple, connection.exec_driver_sql(query, execution_options=options)))

    nested = connection.begin_nested()
    try:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")
        connection.exec_driver_sql("SET LOCAL statement_timeout = '5s'")
        yield rows
    finally:
        nested.rollback()


def tables(rows: Rows) -> list[str]:
    """The tables of the schema public, quoted, but for Alembic's."""
    query = """SELECT quote_ident(relname) FROM pg_class WHERE relkind IN ('r', 'p')
        AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' ORDER BY 1"""
    return [name for (name,) in rows(query)]


def _rows(connection: sa.Connection) -> int | None:
    """How many rows there are; None if that cannot be said at once."""
    try:
        with glimpse(connection) as rows:
            counts = [rows(f"SELECT count(*) FROM public.{each}") for each in tables(rows)]
            return sum(int(count) for ((count,),) in counts)
    except sa.exc.DBAPIError:
        return None


def own_files() -> list[Path]:
    """The learner's files, relative to workspace/: all but what Python compiles, and notebooks.

    The notebooks beside the project, and JupyterLab's checkpoints of them, are the desk's.
    """
    found = []
    for path in workspace().rglob("*"):
        own = path.relative_to(workspace())
        compiled = path.suffix == ".pyc" and path.parent.name == "__pycache__"
        desk = path.suffix == ".ipynb" and str(own.parent) in (".", ".ipynb_checkpoints")
        if not compiled and not desk and (path.is_file() or path.is_symlink()):
            found.append(own)
    return found


def asides() -> Path:
    return home() / "put_aside"


@contextlib.contextmanager
def draft(parent: Path) -> Iterator[Path]:
    """A folder in the making, hidden and gone at the end; those of killed programs go too."""
    parent.mkdir(parents=True, exist_ok=True)
    for leftover in parent.glob(".draft-*"):  # one start at a time: nobody needs them any more
        shutil.rmtree(leftover, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=".draft-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def put_aside(
    connection: sa.Connection, files: bool, why: str, tables: bool = True
) -> Iterator[Aside | None]:
    """Put work aside, and commit at the end what else is done; yields None if nothing is there.

    The files are copied and the schema is renamed; nothing is removed, that is for the caller
    after this. A failure or a kill at any point leaves all as it was, or put aside.
    """
    aside = _copied(connection, files, why, tables)
    pending = asides() / f"{PENDING}{aside.name}" if aside else None
    try:
        if aside and aside.schema:
            connection.exec_driver_sql(f"ALTER SCHEMA public RENAME TO {aside.schema}")
            connection.exec_driver_sql("CREATE SCHEMA public")
        yield aside
        connection.exec_driver_sql("COMMENT ON SCHEMA public IS NULL")
    except BaseException:
        if pending:
            shutil.rmtree(pending, ignore_errors=True)
        raise
    connection.commit()
    if aside and pending:
        pending.rename(aside.folder)
        _to_disk(asides())


def _copied(connection: sa.Connection, files: bool, why: str, tables: bool) -> Aside | None:
    """A copy of the files with its record, still hidden. Raises WorkbookError."""
    mine = own_files() if files else []
    worth = any(path.name != "__init__.py" or _size(path) for path in mine)
    tables = tables and occupied(connection)
    if not worth and not tables:
        return None
    stamp, taken = f"{datetime.now():%Y-%m-%d-%H%M%S}", recorded(connection)
    names = itertools.chain([stamp], (f"{stamp}-{number}" for number in itertools.count(2)))
    name = next(each for each in names if each not in taken)
    aside = Aside(
        name,
        database=os.environ["PGDATABASE"],
        tables=tables,
        files=len(mine),
        rows=_rows(connection) if tables else 0,
        chapter=chapter(connection),
        why=why,
    )
    try:
        with draft(asides()) as folder:
            for path in mine:
                target = folder / "all" / "project" / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(workspace() / path, target, follow_symlinks=False)
                writable(target)
            about = folder / "all" / "about.json"
            about.parent.mkdir(exist_ok=True)
            stored = {key: value for key, value in asdict(aside).items() if key != "name"}
            about.write_text(json.dumps(stored), encoding="utf-8")
            _to_disk(about.parent, *about.parent.rglob("*"))
            about.parent.rename(asides() / f"{PENDING}{name}")
            _to_disk(asides())
    except OSError as error:
        raise WorkbookError(
            f"Your work could not be put aside ({in_words(error)}): it was left as it is."
        ) from None
    return aside


def _settle(connection: sa.Connection) -> None:
    """Finish what was killed: a copy whose transaction came to its end counts, another does not."""
    schemas = _schemas(connection)
    for pending in asides().glob(f"{PENDING}*"):
        record = _record(pending, schemas)
        if record.schema in schemas:
            pending.rename(record.folder)
        elif record.database == os.environ["PGDATABASE"]:
            shutil.rmtree(pending)
    connection.commit()


def _to_disk(*paths: Path) -> None:
    """Wait until what was written is on the disk, as far as the platform lets us."""
    for path in paths:
        if not path.is_symlink():
            with contextlib.suppress(PermissionError):  # Windows: folders, read-only files
                number = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
                try:
                    os.fsync(number)
                finally:
                    os.close(number)


def _size(path: Path) -> int:
    return (workspace() / path).lstat().st_size


def replace_files(aside: Aside | None, folder: Path) -> None:
    """Put a folder's content in place of workspace/'s, as far as that is safe in a copy.

    A file that somebody has written since it was copied stays where it is.
    """
    for path in own_files():
        mine = workspace() / path
        copy = aside.folder / "project" / path if aside else None
        empty = not mine.is_symlink() and not mine.stat().st_size
        if empty or (copy and same(mine, copy)):
            writable(mine)
            mine.unlink()
    for path in sorted(workspace().rglob("*"), reverse=True):
        if path.suffix == ".pyc" and path.parent.name == "__pycache__":
            path.unlink(missing_ok=True)
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


def writable(path: Path) -> None:
    """Let a file be removed on Windows, too, where git's own are read-only."""
    if not path.is_symlink():
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def same(one: Path, other: Path) -> bool:
    """Whether two files, or two links, are the same."""
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return other.is_file() and filecmp.cmp(one, other, shallow=False)


# ---- which chapter project and database are in ---------------------------------------------------


def chapter(connection: sa.Connection) -> int | None:
    """The chapter that project and database are in, if that is known.

    It is a comment on the schema public: a new schema has none, and one that comes back has its own.
    """
    note = connection.exec_driver_sql("SELECT obj_description('public'::regnamespace)").scalar()
    found = re.fullmatch(r"chapter (\d+) of the workbook", note or "")
    return int(found[1]) if found else None


def remember(connection: sa.Connection, chapter: int | None) -> None:
    """Note the chapter, and commit."""
    note = "NULL" if chapter is None else f"'chapter {chapter} of the workbook'"
    connection.exec_driver_sql(f"COMMENT ON SCHEMA public IS {note}")
    connection.commit()
