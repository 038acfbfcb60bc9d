"""Putting a learner's work aside, and bringing it back; nothing is ever lost.

The files are copied to put_aside/<name>/, the database's schema `public` is renamed to
`aside_<name>`, which is instant, transactional, needs no right to create databases and waits for no
open session.
"""

import contextlib
import filecmp
import importlib
import json
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from workbook import WorkbookError, home, magics
from workbook.project import workspace
from workbook.server import database

NOT_WORK = {"__pycache__", ".ipynb_checkpoints", ".virtual_documents"}


def restore(name: str | None = None) -> None:
    """Bring back what was put aside under a name; without one, list what there is.

    What stands there now is put aside in its turn. Raises WorkbookError.
    """
    found = {path.parent.name: path for path in sorted(asides().glob("[!.]*/about.json"))}
    if name is None:
        for each, path in found.items():
            print(f"{each}  {json.loads(path.read_text())['files']} files")
        print(f"{len(found)} put aside." + (" Bring one back by its name." if found else ""))
        return
    if name not in found:
        raise WorkbookError(f'Nothing is put aside as "{name}": restore() lists what there is.')
    about = json.loads(found[name].read_text())
    database.connect_environment()
    enter()
    if about["schema"] and about["database"] != os.environ["PGDATABASE"]:
        raise WorkbookError(f'"{name}" belongs to the database "{about["database"]}".')
    kept = found[name].parent / "project"
    with held() as connection, draft(workspace().parent) as folder:
        if about["files"]:
            shutil.copytree(kept, folder / "project", symlinks=True)
        old = about["schema"] and connection.scalar(
            sa.select(sa.func.to_regnamespace(about["schema"]))
        )
        gone = about["schema"] and not old
        replaced = put_aside(connection, files=about["files"] > 0, tables=not gone)
        if old:
            connection.exec_driver_sql("DROP SCHEMA public")
            connection.exec_driver_sql(f"ALTER SCHEMA {old} RENAME TO public")
        connection.commit()
        if about["files"]:
            replace_files(replaced, folder / "project")
    enter()
    if replaced:
        print(f'What stood there is put aside. To bring that back: restore("{replaced.name}")')
    if gone:
        print(f'The files of "{name}" are back; its tables are not on this server.')
        return
    shutil.rmtree(found[name].parent)
    print(f'"{name}" is back.')


@dataclass(frozen=True)
class Aside:
    """What was put aside: its name, and where the copies of the files are."""

    name: str

    @property
    def project(self) -> Path:
        """The copy of workspace/."""
        return asides() / self.name / "project"


def enter() -> None:
    """Work in workspace/, import from it, and find our own `alembic` first."""
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
    others = [
        folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder != commands
    ]
    os.environ["PATH"] = os.pathsep.join([commands, *others])  # first: there may be another alembic


@contextlib.contextmanager
def held() -> Iterator[sa.Connection]:
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
        return str(first[0][-1]).strip()[-120:]
    return error.strerror or str(error)


def occupied(connection: sa.Connection) -> bool:
    """Whether the schema public holds anything at all."""
    query = """SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        OR EXISTS (SELECT FROM pg_type WHERE typnamespace = 'public'::regnamespace)
        OR EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace)"""
    return bool(connection.exec_driver_sql(query).scalar())


def own_files() -> list[Path]:
    """The learner's files, without what tools leave behind, relative to workspace/.

    The notebooks beside them are the desk's: putting aside concerns the project.
    """
    found = [path.relative_to(workspace()) for path in workspace().rglob("*")]
    return [
        path
        for path in found
        if not NOT_WORK & set(path.parts)
        and not (path.suffix == ".ipynb" and path.name == str(path))
        and ((workspace() / path).is_file() or (workspace() / path).is_symlink())
    ]


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


def put_aside(connection: sa.Connection, files: bool, tables: bool = True) -> Aside | None:
    """Copy the files and rename the schema; None if nothing is there. Nothing is removed yet.

    The caller commits, and then replaces the files: a kill or a full disk loses nothing.
    """
    mine = own_files() if files else []
    worth = [path for path in mine if path.name != "__init__.py" or _size(path)]
    tables = tables and occupied(connection)
    if not worth and not tables:
        return None
    name = stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    number = 1
    while (asides() / name).exists():
        number += 1
        name = f"{stamp}-{number}"
    renamed = "aside_" + name.replace("-", "_") if tables else ""
    about = {"database": os.environ["PGDATABASE"], "schema": renamed, "files": len(mine)}
    try:
        with draft(asides()) as folder:
            whole = folder / name
            whole.mkdir()
            if files:
                ignore = shutil.ignore_patterns(*NOT_WORK)
                shutil.copytree(workspace(), whole / "project", ignore=ignore, symlinks=True)
            (whole / "about.json").write_text(json.dumps(about))
            whole.rename(asides() / name)
    except OSError as error:
        raise WorkbookError(
            f"Your work could not be put aside ({in_words(error)}): it was left as it is."
        ) from None
    if renamed:
        connection.exec_driver_sql(f"ALTER SCHEMA public RENAME TO {renamed}")
        connection.exec_driver_sql("CREATE SCHEMA public")
    return Aside(name)


def _size(path: Path) -> int:
    return (workspace() / path).lstat().st_size


def replace_files(aside: Aside | None, folder: Path) -> None:
    """Put a folder's content in place of workspace/'s, as far as that is safe in a copy.

    A file that somebody has written since it was copied stays where it is.
    """
    for path in own_files():
        mine = workspace() / path
        copy = aside.project / path if aside else None
        empty = not mine.is_symlink() and not mine.stat().st_size
        if empty or (copy and same(mine, copy)):
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


def same(one: Path, other: Path) -> bool:
    """Whether two files, or two links, are the same."""
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return other.is_file() and filecmp.cmp(one, other, shallow=False)
