"""What runs a learner's migration or models: in a process of its own, on the scratch database.

`workbook.apart` begins that process. It gives back a Run, of the reference or of the learner.
"""

import contextlib
import functools
import importlib
import itertools
import linecache
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from workbook import project, schema
from workbook.server import database

Rows = dict[str, list[dict[str, Any]]]  # by table; a row by its columns
Locks = list[tuple[str, frozenset[tuple[str, str]]]]  # statement; tables and modes that it added
MOST_ROWS = 1000  # of a table: a practice table has a handful
MOST_STOPS = 60  # attempts that are stopped, each a statement later
SOURCE = "practice.py"
UNREADABLE = "unreadable"
FOREIGN = "made_by_another_program"
LOCKS = """
SELECT relation::regclass::text, mode FROM pg_locks JOIN pg_class c ON c.oid = relation
WHERE pid = pg_backend_pid() AND relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""

ROUTINES = """
SELECT 'trigger ' || tgname || ' on ' || relname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal
UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc
WHERE pronamespace = 'public'::regnamespace ORDER BY 1 DESC
"""


@dataclass(frozen=True)
class Work:
    """What to run: a project's folder, from some revisions to its end.

    `first` stops at the first revision instead, whatever has been built upon it. `rows` is the SQL
    that fills the tables before the upgrade, or after it where there are none before; `then` is
    what the application does with them after it, and `then_back` after the downgrade. `hurdle` is
    SQL that stops a first attempt at the upgrade half-way, and SQL that takes the cause away again;
    then come attempts that are stopped between any two of its statements.
    """

    folder: Path
    before: tuple[str, ...] = ()
    rows: str = ""
    then: str = ""
    then_back: str = ""
    down: bool = True
    first: bool = False
    heads: int = 1  # how many ends the project is to have
    locks: bool = False
    convention: bool = False  # for names; the revisions before were applied without one
    probes: tuple[tuple[str, str], ...] = ()
    hurdle: tuple[str, str] | None = None


@dataclass(frozen=True)
class Step:
    """What the database holds after a step, and what each statement of an upgrade has locked."""

    name: str
    schema: schema.Schema
    rows: Rows
    locks: Locks = field(default_factory=list)
    routines: tuple[str, ...] = ()  # triggers and functions


@dataclass(frozen=True)
class Failure:
    """Where it stopped: the step, the error's kind and first line, the learner's own line.

    Python's own syntax errors are called UNREADABLE: PostgreSQL has a SyntaxError, too.
    """

    step: str = ""
    name: str = ""
    message: str = ""
    line: str = ""  # with its number

    def __bool__(self) -> bool:
        return bool(self.name)


@dataclass
class Run:
    """What a migration or a model did, as far as it got."""

    steps: list[Step] = field(default_factory=list)
    failure: Failure = field(default_factory=Failure)
    probe: dict[str, str] = field(default_factory=dict)
    stopped: Step | None = None  # what a first attempt left that was stopped half-way
    harmed: bool = False  # whether the downgrade touched a table that no revision has made
    source: str = ""  # the text that was run
    file: str = ""  # its name

    def after(self, *names: str) -> Step | None:
        """The database after the first of these steps that was taken."""
        return next((step for step in self.steps if step.name in names), None)


class Stop(Exception):
    """A step that failed; its failure is in the run."""


@functools.cache
def engine() -> sa.Engine:
    """The scratch database's; one for all, because SQLAlchemy asks each new one many questions."""
    return database.engine()


@contextlib.contextmanager
def emptied() -> Iterator[sa.Connection]:
    """A connection to the scratch database, with nothing in it."""
    with engine().connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        yield connection


@contextlib.contextmanager
def step(run: Run, name: str, folder: Path) -> Iterator[None]:
    """Note what goes wrong in a step. Raises Stop."""
    try:
        yield
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it may raise anything
        run.failure = described(name, error, folder)
        raise Stop from None


def migrations(work: Work) -> Run:
    """Up, down and up again, with rows; stops at the first error."""
    run = Run()
    with contextlib.suppress(Stop), emptied() as connection:
        _migrations(work, run, connection)
    return run


def _migrations(work: Work, run: Run, connection: sa.Connection) -> None:
    def note(name: str, locks: Locks | None = None) -> None:
        routines = tuple(connection.exec_driver_sql(ROUTINES).scalars())
        found = schema.read(connection), rows(connection)
        run.steps.append(Step(name, *found, locks or [], routines))

    _note_source(run, work.folder)
    with step(run, "read", work.folder):
        known = project.scripts(work.folder)
        targets = known.get_bases() if work.first else known.get_heads()
    _note_source(run, work.folder, known.get_revision(targets[0]).path if targets else "")
    if work.before:
        with step(run, "before", work.folder):
            for revision in work.before:
                change(replace(work, convention=False), revision)
        seed(connection, work.rows)
    note("before")
    if len(targets) != (1 if work.first else work.heads):
        ends = "bases" if work.first else "heads"
        run.failure = Failure("read", ends, ", ".join(sorted(targets)))
        return
    target = targets[0] if work.first else "heads"
    if work.hurdle:
        connection.exec_driver_sql(work.hurdle[0])
        with contextlib.suppress(Exception):
            change(work, target)
        connection.exec_driver_sql(work.hurdle[1])
        run.stopped = Step("stopped", schema.read(connection), rows(connection))
        stop_everywhere(work, target)
    with step(run, "upgrade", work.folder):
        locks = change(work, target)
    note("upgrade", locks)
    if work.then:
        with step(run, "in use", work.folder):
            connection.exec_driver_sql(work.then)
        note("in use")
    if not work.down:
        return
    if not work.before:
        seed(connection, work.rows)
    connection.exec_driver_sql(f"CREATE TABLE {FOREIGN} ()")
    with step(run, "downgrade", work.folder):
        # To one of several heads: what comes after it goes, and the others stay.
        locks = change(work, (*work.before, "base")[0], down=True)
    run.harmed = not sa.inspect(connection).has_table(FOREIGN)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {FOREIGN}")
    note("downgrade", locks)
    if work.then_back:
        with step(run, "in use again", work.folder):
            connection.exec_driver_sql(work.then_back)
        note("in use again")
    with step(run, "upgrade again", work.folder):
        change(work, target)
    note("upgrade again")


def _note_source(run: Run, folder: Path, revision: str = "") -> None:
    """Note the text that the learner has written: a practice file, or the revision itself."""
    path = folder / SOURCE
    if not path.exists():
        path = Path(revision)
    if path.is_file():
        run.file, run.source = path.name, path.read_text(encoding="utf-8", errors="replace")


def seed(connection: sa.Connection, sql: str) -> None:
    """Put rows into the tables; tables of another shape get none."""
    if sql:
        with contextlib.suppress(sa.exc.DBAPIError):
            connection.exec_driver_sql(sql)


def rows(connection: sa.Connection) -> Rows:
    """What each table holds."""
    quote = connection.dialect.identifier_preparer.quote
    found: Rows = {}
    for (table,) in connection.exec_driver_sql(schema.TABLES, {"schema": "public"}).all():
        query = f"SELECT to_jsonb(t) FROM {quote(table)} AS t LIMIT {MOST_ROWS}"
        found[table] = list(connection.exec_driver_sql(query).scalars())
    return found


class Interrupted(Exception):
    """A migration is stopped before a statement."""


def stop_everywhere(work: Work, revision: str) -> None:
    """Stop an attempt before its first statement, another before its second; until one gets through.

    The first that has only Alembic's own row to write is stopped there. One that fails by itself
    will do so again, where it is noted.
    """
    ended: list[str] = []
    for number in range(MOST_STOPS):
        try:
            change(work, revision, functools.partial(_due, number, itertools.count(), ended))
        except Interrupted:
            continue
        except Exception:  # noqa: BLE001 - a migration may raise anything
            return
        return


def _due(number: int, numbers: Iterator[int], ended: list[str], statement: str) -> bool:
    """Whether to stop before a statement: the one of this number, and once the last of all."""
    if re.match("(UPDATE|INSERT INTO) alembic_version", statement):
        ended.append(statement)
    return ended == [statement] or next(numbers) == number


def change(
    work: Work, revision: str, stop: Callable[[str], bool] | None = None, down: bool = False
) -> Locks:
    """Migrate on a connection of its own, in a transaction, as `alembic` does.

    Raises Interrupted before the first statement that `stop` says yes to.
    """
    locks: Locks = []

    def interrupt(connection: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        if stop and stop(statement):
            raise Interrupted

    with engine().connect() as connection:
        sa.event.listen(connection, "before_cursor_execute", interrupt)
        if work.locks:
            sa.event.listen(connection, "after_cursor_execute", _watch(locks))
        scripts = project.scripts(work.folder)
        names = project.convention() if work.convention else None
        project.migrate(connection, scripts, revision, down=down, convention=names)
    return locks


def _watch(locks: Locks) -> Any:
    """A listener that notes which locks on tables each statement adds to its transaction's."""
    held: set[tuple[str, str]] = set()

    def listener(connection: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        own = connection.connection.cursor()
        own.execute(LOCKS)
        now = {(table, mode) for table, mode in own.fetchall()}
        locks.append((statement.strip(), frozenset(now - held)))
        held.update(now)

    return listener


def models(work: Work) -> Run:
    """The tables that a model makes, and what the exercise's probes print."""
    run = Run()
    _note_source(run, work.folder)
    for name in [name for name in sys.modules if name.split(".")[0] == "jobboard"]:
        del sys.modules[name]
    sys.path.insert(0, str(work.folder))
    importlib.invalidate_caches()
    with contextlib.suppress(Stop), emptied() as connection:
        run.steps.append(Step("before", schema.read(connection), {}))
        module = sys.modules["practice"] = types.ModuleType("practice")
        with step(run, "import", work.folder):
            base = importlib.import_module("jobboard.models").Base
            path = work.folder / SOURCE
            exec(compile(path.read_bytes(), path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
        with step(run, "configure", work.folder):
            sa.orm.configure_mappers()
        with step(run, "create", work.folder):
            base.metadata.create_all(connection)
        run.steps.append(Step("create", schema.read(connection), {}))
        with step(run, "probe", work.folder):
            run.probe = {words: repr(eval(probe, module.__dict__)) for words, probe in work.probes}
    sys.path.remove(str(work.folder))
    sa.orm.clear_mappers()
    return run


def described(step: str, error: BaseException, folder: Path) -> Failure:
    """An exception's kind, first line and the learner's own line that led to it."""
    name, message = type(error).__name__, str(error)
    if isinstance(error, sa.exc.DBAPIError) and error.orig:
        name, message = type(error.orig).__name__, str(error.orig)
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno or 0) for frame in frames]
    if isinstance(error, SyntaxError):
        # its own numbers of lines do not count the cell's first one
        name, message = UNREADABLE, re.sub(r" \(detected at line \d+\)| on line \d+", "", error.msg)
        places = [(error.filename or "", error.lineno or 0)]
    elif isinstance(error, ValueError) and "null bytes" in message:
        name, places = UNREADABLE, []  # a SyntaxError only since Python 3.11.4
    line = ""
    for file, number in places:
        if Path(file).is_relative_to(folder):
            line = numbered(Path(file).name, number, linecache.getline(file, number))
    return Failure(step, name, (message.strip().splitlines() or [name])[0], line)


def numbered(file: str, number: int, line: str) -> str:
    """A line of the learner's with its number: in the cell, where %%writefile is the first."""
    where = f"{number + 1} of the cell" if file == SOURCE else f"{number} of {file}"
    return f"Line {where}: {line.strip()}" if number else ""
