"""A revision on a scratch database with rows: up, watched; what runs meanwhile; down; up again."""

import importlib
import operator
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import sqlalchemy as sa
from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from workbook import WorkbookError, project, schema
from workbook.reviewing import limits
from workbook.reviewing.fill import fill
from workbook.reviewing.watch import Statement, Watch
from workbook.server import database

BREAKS = 3  # so many statements are tried at most, each with a run of its own
Values = dict[str, dict[str, tuple[int, str]]]  # by table and column: how many, and their sum
KEYS = """
SELECT quote_ident(c.relname), quote_ident(a.attname), coalesce(i.indisprimary, false)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relname <> 'alembic_version' ORDER BY c.oid, a.attnum
"""
OTHERS = """
SELECT 'the trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
UNION SELECT 'the function ' || oid::regprocedure FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
UNION SELECT 'the sequence ' || oid::regclass FROM pg_class
WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
UNION SELECT 'the type ' || oid::regtype FROM pg_type
WHERE typtype = 'd' AND typnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class Job:
    """What to review: some of a project's revisions, each with so many rows in each table."""

    config: str  # alembic.ini
    revisions: tuple[str, ...]
    rows: int
    sql: str = ""  # makes the rows instead
    models: str = ""  # module:metadata, whose naming convention counts


@dataclass(frozen=True)
class Rerun:
    """The upgrade broken off at a statement that is committed at once, and then run again."""

    at: int  # the statement's index
    left: list[str]  # by the first run, but for
    invalid: list[str]  # indexes that it left
    error: str  # the second run's
    differs: list[str]  # from a run that was not broken off


@dataclass
class Review:
    """What a revision did, as far as it got. Errors are one line, empty where there was none."""

    revision: str
    message: str
    rows: int
    counts: dict[str, int] = field(default_factory=dict)  # rows, by table
    statements: list[Statement] = field(default_factory=list)
    unfilled: dict[str, str] = field(default_factory=dict)  # tables without rows, and why
    error: str = ""
    left: list[str] = field(default_factory=list)  # by an upgrade that failed
    broken: list[str] = field(default_factory=list)  # what the application did, and cannot now
    invalid: list[str] = field(default_factory=list)  # indexes
    back: str = ""  # the downgrade's error
    not_back: list[str] = field(default_factory=list)  # what differs after it
    lost: list[str] = field(default_factory=list)  # rows and values that differ after it
    again: str = ""  # the second upgrade's error
    reruns: list[Rerun] = field(default_factory=list)
    unlimited: list[Statement] = field(default_factory=list)  # others wait behind it without end


def on_database(job: Job, url: sa.URL | None = None) -> list[Review] | str:
    """In a process of its own: the reviews, or why there are none.

    On the database at an address, or that which libpq's variables name.
    """
    try:
        return reviewed(job, url or sa.make_url(database.URL))
    except WorkbookError as error:
        return str(error)


def reviewed(job: Job, url: sa.URL) -> list[Review]:
    """The reviews of some revisions, on the database at this address, which is emptied for each.

    Raises WorkbookError where a revision before them cannot be applied.
    """
    scripts = ScriptDirectory.from_config(Config(job.config))
    found = [_Trial(job, url, scripts, each).run() for each in job.revisions]
    unlimited = [(review, each) for review in found for each in review.statements if _queued(each)]
    limited = limits.of_env(job.config, scripts, url) if unlimited else None
    if limited:
        inside, outside = limited
        for review, each in unlimited:
            review.unlimited += [] if (outside if each.committed else inside) else [each]
    return found


def _queued(each: Statement) -> bool:
    """Whether others wait behind a statement that waits for its own lock, as long as it does."""
    return not each.limited and bool(each.locks.keys() & each.waits.keys())


class _Trial:
    """One revision on its way."""

    def __init__(self, job: Job, url: sa.URL, scripts: ScriptDirectory, id: str) -> None:
        self.job, self.url, self.scripts = job, url, scripts
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.script: Script = scripts.get_revision(id)
        self.names = _convention(job.models)
        self.review = Review(self.script.revision, self.script.doc, job.rows)

    def run(self) -> Review:
        """Up, down and up again; stops at the first error."""
        with self.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            database.empty(connection)
            self._before(connection)
            before, values = _Content(connection), _values(connection)
            self.review.counts = {table: columns[""][0] for table, columns in values.items()}
            with closing(self._watch()) as watch:
                self._upgrade(watch)
            after = _Content(connection)
            if self.review.error:
                self.review.left = after.since(before)
                return self.review
            self.review.invalid = after.invalid
            parent = next(iter(_parents(self.script)), "base")
            self.review.back = self._failure(lambda: self._migrate(parent, down=True))
            self.review.not_back = _Content(connection).since(before)
            self.review.lost = _lost(values, _values(connection))
            if not self.review.back:
                again = self._failure(lambda: self._migrate(self.script.revision))
                self.review.again = again
            for at in _commits(self.review.statements):
                self.review.reruns.append(self._rerun(connection, at, before, after))
            return self.review

    def _rerun(
        self, connection: sa.Connection, at: int, before: "_Content", after: "_Content"
    ) -> Rerun:
        database.empty(connection)
        self._before(connection)
        with closing(self._watch(at)) as watch:
            self._failure(lambda: self._migrate(self.script.revision, on=self._watched(watch)))
        broken = _Content(connection)
        error = self._failure(lambda: self._migrate(self.script.revision))
        now = _Content(connection)
        left = [
            line
            for line in broken.since(before)
            if not any(f"the index {name}" in line for name in broken.invalid)
        ]
        return Rerun(at, left, broken.invalid, error, now.since(after))

    def _watch(self, breaks: int | None = None) -> Watch:
        address = self.engine.dialect.create_connect_args(self.url)[1]
        return Watch(address, self.job.rows, breaks)

    def _watched(self, watch: Watch) -> sa.Engine:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        watch.listen(engine)
        return engine

    def _before(self, connection: sa.Connection) -> None:
        """The database as it is when the revision comes. Raises WorkbookError."""
        for each in (*_parents(self.script), *_needs(self.script)):
            error = self._failure(lambda each=each: self._migrate(each))  # type: ignore[misc]
            if error:
                raise WorkbookError(
                    f"What comes before {self.script.revision} does not run on an empty database:"
                    f" {error}"
                )
        if not self.job.sql:
            self.review.unfilled = fill(connection.connection.dbapi_connection, self.job.rows)
            return
        try:
            connection.exec_driver_sql(self.job.sql, execution_options={"no_parameters": True})
        except sa.exc.DBAPIError as error:
            raise WorkbookError(f"Your rows are refused: {_line(error)}") from None

    def _upgrade(self, watch: Watch) -> None:
        could, watched = watch.works(), self._watched(watch)
        self.review.error = self._failure(lambda: self._migrate(self.script.revision, on=watched))
        self.review.statements = watch.statements
        if not self.review.error:
            now = watch.works()
            self.review.broken = [
                f"{what}: {error}" for what, error in now.items() if error and not could[what]
            ]

    def _migrate(self, to: str, down: bool = False, on: sa.Engine | None = None) -> None:
        with (on or self.engine).connect() as connection:
            project.migrate(connection, self.scripts, to, down=down, convention=self.names)

    @staticmethod
    def _failure(act: Callable[[], object]) -> str:
        """What goes wrong, in a line."""
        try:
            act()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a migration may raise anything
            return _line(error)
        return ""


def _convention(models: str) -> Mapping[str, str] | None:
    """The naming convention of module:metadata. Raises WorkbookError."""
    if not models:
        return None
    module, _, name = models.partition(":")
    try:
        metadata = operator.attrgetter(name)(importlib.import_module(module))
        return dict(metadata.naming_convention)
    except Exception as error:  # noqa: BLE001 - models may raise anything
        raise WorkbookError(f"The models cannot be read from {models}: {_line(error)}") from None


def _parents(script: Script) -> tuple[str, ...]:
    down = script.down_revision
    return (down,) if isinstance(down, str) else tuple(down or ())


def _needs(script: Script) -> tuple[str, ...]:
    needs = script.dependencies
    return (needs,) if isinstance(needs, str) else tuple(needs or ())


def _line(error: BaseException) -> str:
    if isinstance(error, sa.exc.DBAPIError) and error.orig:
        error = error.orig
    words = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {words}".rstrip(": ")


def _commits(statements: Sequence[Statement]) -> list[int]:
    """Where an upgrade can be broken off so that a part of it stays, each kind of statement once."""
    at = {each.sql: number for number, each in enumerate(statements) if each.committed}
    return list(at.values())[:BREAKS]


class _Content:
    """What is in the database now."""

    def __init__(self, connection: sa.Connection) -> None:
        self.schema = schema.read(connection)
        self.others = {*connection.exec_driver_sql(OTHERS).scalars()}
        indexes = [each for table in self.schema.tables.values() for each in table.indexes]
        self.invalid = [each.name for each in indexes if not each.valid]

    def since(self, other: "_Content") -> list[str]:
        """What differs from before, in words."""
        found = schema.differences(schema.named(self.schema), schema.named(other.schema))
        found += [f"Missing: {each}." for each in sorted(other.others - self.others)]
        found += [f"Extra: {each}." for each in sorted(self.others - other.others)]
        invalid = [each for each in self.invalid if each not in other.invalid]
        return found + [f"Invalid: the index {each}." for each in invalid]


def _values(connection: sa.Connection) -> Values:
    """How many values each column has, and a sum of them that holds each to its row's key."""
    tables: dict[str, list[tuple[str, bool]]] = {}
    for table, column, key in connection.exec_driver_sql(KEYS).all():
        tables.setdefault(table, []).append((column, key))
    found: Values = {}
    for table, columns in tables.items():
        key = " || '|' || ".join([f"{name}::text" for name, key in columns if key] or ["''"])
        sums = [
            f"count({name}), sum(hashtextextended({key} || {name}::text, 0)::numeric)::text"
            for name, _ in columns
        ]
        query = f"SELECT {', '.join(['count(*)', *sums])} FROM {table}"
        plain = {"no_parameters": True}
        number, *each = connection.exec_driver_sql(query, execution_options=plain).one()
        pairs = zip(each[::2], each[1::2], strict=True)
        found[table] = {"": (number, "")}
        found[table] |= dict(zip([name for name, _ in columns], pairs, strict=True))
    return found


def _lost(before: Values, after: Values) -> list[str]:
    """Whose rows or values are not what they were, in words; tables that are gone are not told."""
    found = []
    for table in [table for table in before if table in after]:
        rows, left = before[table][""][0], after[table][""][0]
        if rows != left:
            found.append(f"{table} had {rows:,} rows, and has {left:,}.")
            continue
        for column, (number, total) in before[table].items():
            count, sum_now = after[table].get(column, (number, total))
            if count < number:
                found.append(f"{table}.{column} had {number:,} values, and has {count:,}.")
            elif (count, sum_now) != (number, total):
                found.append(f"{table}.{column} has other values than before.")
    return found
