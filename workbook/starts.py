"""Where each chapter starts, and how a learner gets there without losing anything.

A start is a project in workspace/ (files) and a database, derived from the finished history at the
root, or a project of its own (workbook.project). What stands in the way is put aside (workbook.aside).
"""

import importlib
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from workbook import WorkbookError, apart, aside, project, schema
from workbook.aside import Rows, draft, held, put_aside, replace_files
from workbook.contents import CHAPTERS, Start
from workbook.project import enter, workspace
from workbook.schema import Schema
from workbook.server import database
from workbook.site import Site


def start(chapter: int, fresh: bool = False) -> None:
    """Bring project, database and this Python to a chapter, and say what was done.

    In the same chapter as before, the learner goes on where they were (unless `fresh`). A project
    of theirs that stands at the chapter's start is kept; anything else is put aside under a dated
    name that `restore` takes. Raises WorkbookError.
    """
    if type(chapter) is not int or chapter not in CHAPTERS:
        raise WorkbookError(f"There is no chapter {chapter!r}: pick one from 0 to {max(CHAPTERS)}.")
    database.connect_environment()
    enter()
    with held() as connection:
        mine = aside.own_files() and not fresh
        on_stage = "WORKBOOK_STAGE" in os.environ  # there, the first cell is the way back
        if mine and not on_stage and aside.chapter(connection) == chapter:
            told = [_where_they_were(chapter)]
        else:
            told = _begin(connection, chapter, CHAPTERS[chapter].start, keep=bool(mine))
    enter()
    print(*told, sep="\n")


def reset() -> None:
    """Put everything of the learner's aside: no project, and an empty database.

    The lessons stay. Raises WorkbookError.
    """
    database.connect_environment()
    with held() as connection, draft(workspace().parent) as empty:
        with put_aside(connection, True, "all was reset") as away:
            pass
        replace_files(away, empty)
    print(away.told() if away else "There is nothing yet.")


def _where_they_were(chapter: int) -> str:
    """What is said to somebody who comes back: Alembic does not go on without a revision's file."""
    anew = f"start({chapter}, fresh=True), or in a terminal python3 -m workbook reset {chapter}"
    if lost := Site(workspace()).lost:
        return (
            f"Your database stands at {' and '.join(lost)}, and no file in alembic/versions that"
            f" Python can read has that id: bring it back, or begin chapter {chapter} anew: {anew}"
        )
    return f"You go on in chapter {chapter} where you were. To begin it anew: {anew}"


def _begin(connection: sa.Connection, chapter: int, begin: Start, keep: bool) -> list[str]:
    """Bring project and database to a start; gives what is to be said."""
    told = []
    again = aside.chapter(connection) == chapter
    why = f"chapter {chapter} was begun anew" if again else f"chapter {chapter} was started"
    with draft(workspace().parent) as folder:
        project.lay_out(folder, begin)
        standing = _standing(folder, begin) if keep else None
        connection.commit()  # looking is over
        if standing and standing.data == _data(connection, standing.own):
            aside.remember(connection, chapter)
            return [f"You go on with your own project: {begin.words}."]
        if begin.own:  # no work of theirs leads there
            standing = None
        if standing:
            # Their migrations may end a transaction of ours, so they get one of their own.
            with put_aside(connection, False, why) as away:
                pass
            told += [away.told()] if away else []
            if not _brought(connection, standing, begin):
                standing = None
        if not standing:
            with put_aside(connection, True, why) as away:
                project.build(connection, begin)
            told += [away.told()] if away else []
            replace_files(away, folder)
        aside.remember(connection, chapter)
    return [*told, f"Chapter {chapter} starts with {begin.words}."]


# ---- whether the learner's own project stands at a start: one fingerprint, of it and of the start -


@dataclass(frozen=True)
class Project:
    """What a project's files do, whatever they say."""

    begun: bool  # whether jobboard/ holds any code
    models: tuple[str, ...]  # the statements that make their tables
    schema: Schema | None = None  # at the heads, from nothing; None: no Alembic environment
    ends: int = 0  # how many heads there are
    idle: int = 0  # revisions that change nothing, and do not merge
    heads: tuple[str, ...] = field(default=(), compare=False)
    steps: dict[str, Schema] = field(default_factory=dict, compare=False)  # after each revision


@dataclass(frozen=True)
class Data:
    """What a database holds, and where it is in its project's history."""

    at: str
    schema: Schema
    objects: tuple[object, ...]  # how many of each kind
    rows: tuple[object, ...]  # of each table: its name, how many, and their sum
    counters: tuple[object, ...]


@dataclass(frozen=True)
class Standing:
    """A project of the learner's that stands at a start, and the data that belong there."""

    own: Project
    data: Data | None


def _standing(folder: Path, begin: Start) -> Standing | None:
    """The learner's project, if it does what the one in `folder` does.

    Both are run on the scratch database, in a process of their own. Raises WorkbookError.
    """
    with database.scratch() as connection:
        try:
            found = _apart(connection, "compared", folder, workspace())
        except apart.Stopped:
            return None
        if not found:
            return None
        wanted, own = found
        with connection.engine.connect() as other:
            other.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            project.build(other, begin)
            return Standing(own, _data(other, wanted))


def _brought(connection: sa.Connection, standing: Standing, begin: Start) -> bool:
    """Bring an empty database to the start by the learner's own migrations; whether that worked."""
    own, data = standing.own, standing.data
    targets = list(own.heads) if begin.applied else []
    if targets and data and data.at != HEADS:
        targets = [id for id, after in own.steps.items() if after == data.schema][-1:]
    try:
        if targets:
            _apart(connection, "upgrade", targets)
    except apart.Stopped:
        return False
    project.build(connection, replace(begin, applied=()))
    connection.commit()
    return _data(connection, own) == data


def _apart(connection: sa.Connection, function: str, *arguments: Any) -> Any:
    """Run a function of the last section. Raises apart.Stopped."""
    name = f"workbook.starts:{function}"
    return apart.on_database(connection, name, *arguments, folder=workspace())


OBJECTS = """
SELECT 'class', relkind::text, count(*) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i' GROUP BY 2
UNION ALL SELECT 'type', typtype::text, count(*) FROM pg_type
WHERE typnamespace = 'public'::regnamespace GROUP BY 2
UNION ALL SELECT 'function', prokind::text, count(*) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace GROUP BY 2 ORDER BY 1, 2
"""
COUNTERS = "SELECT last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
ROWS = "SELECT count(*), sum(hashtextextended(to_jsonb(t)::text, 0)) FROM public.{} AS t"


def _data(connection: sa.Connection, own: Project) -> Data | None:
    """What a database holds; None if a table is locked, or cannot be read at once."""
    try:
        with aside.glimpse(connection) as rows:
            return Data(
                _at(rows, own),
                schema.alike(schema.read(connection)),
                rows(OBJECTS),
                tuple((each, *rows(ROWS.format(each))) for each in aside.tables(rows)),
                rows(COUNTERS),
            )
    except sa.exc.DBAPIError:
        return None


HEADS = "the heads"


def _at(rows: Rows, own: Project) -> str:
    """Where alembic_version says that the database is, whatever the revisions are called."""
    if rows("SELECT to_regclass('public.alembic_version')") == ((None,),):
        return "nowhere"
    found = {version for (version,) in rows("SELECT version_num FROM public.alembic_version")}
    if not found or found == {*own.heads}:
        return HEADS if found else "base"
    return "in between" if found <= {*own.steps} else "unknown"


# ---- in a process of their own: whatever a learner's code does ------------------------------------


def compared(start: Path, own: Path) -> tuple[Project, Project] | None:
    """What a start and the learner's project do on the scratch database; None if they differ."""
    modules = [each.stem for each in (start / "jobboard").glob("*.py") if each.stem != "__init__"]
    wanted, found = (_project(folder, modules) for folder in (start, own))
    return (wanted, found) if found == wanted else None


def _project(folder: Path, modules: list[str]) -> Project:
    """Import the modules of a project, and run its migrations. Raises whatever they raise."""
    from sqlalchemy.orm import configure_mappers  # a quarter of a first cell's time

    os.chdir(folder)
    for name in [name for name in sys.modules if name.split(".")[0] == "jobboard"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    begun = any(path.stat().st_size for path in Path("jobboard").glob("*.py"))
    # sorted: SQLAlchemy keeps a table's indexes in a set
    models = tuple(sorted(project.ddl())) if Path("jobboard/models.py").exists() else ()
    for name in modules:
        importlib.import_module(f"jobboard.{name}")
    configure_mappers()
    if not Path("alembic").exists() and not Path("alembic.ini").exists():
        return Project(begun, models)
    steps, idle, before = {}, 0, Schema({})
    with database.engine().connect() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.commit()
        scripts = _environment(folder)
        for revision in reversed(list(scripts.walk_revisions())):
            upgrade([revision.revision])
            steps[revision.revision] = now = schema.alike(schema.read(connection))
            connection.commit()
            idle += now == before and not revision.is_merge_point
            before = now
    heads = tuple(scripts.get_heads())
    return Project(begun, models, before, len(heads), idle, heads, steps)


def _environment(folder: Path) -> ScriptDirectory:
    """The revisions of a project, if `alembic` works there on the learner's database."""
    config = Config("alembic.ini")
    scripts = ScriptDirectory.from_config(config)
    place, databases = Path(scripts.dir), set()
    sa.event.listen(sa.Pool, "connect", lambda each, _: databases.add(each.info.dbname))
    command.current(config)
    scratch = os.environ["PGDATABASE"]
    elsewhere = databases - {scratch, scratch.removesuffix("_scratch")}
    if elsewhere or place != folder / "alembic" or not (place / "script.py.mako").is_file():
        raise ValueError("not the environment that the lessons work with")
    return scripts


def upgrade(revisions: list[str]) -> None:
    """Apply the migrations of the folder that this process is in, each in a transaction."""
    for revision in revisions:
        with database.engine().connect() as connection:
            project.migrate(connection, project.scripts(Path.cwd()), revision)
