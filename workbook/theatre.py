"""The lock theatre: readers and writers at work in the learner's database, and who waits for whom.

They are threads of one process beside the notebook (workbook.beside), each with a connection of its
own. With them a watcher looks, twenty times a second, at what others in this database wait for and
hold. What came of it is drawn by workbook.pictures.traffic.
"""

import contextlib
import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

import psycopg2

from workbook import WorkbookError
from workbook.apart import Stopped
from workbook.beside import Beside, Line

PAUSE = 0.005  # seconds between two requests of one client
LOOK = 0.05  # seconds between two looks of the watcher
CALM = 0.25  # seconds of traffic alone, before the cell's own lines and before each part
AFTER = 0.5  # and after them: a bar of the picture, in which all go on
LAST = 10  # seconds, for those who still wait at the end
Kind = Literal["read", "write"]

# What sessions other than ours wait for, or hold of what keeps others waiting.
WATCH = """
SELECT CASE l.locktype WHEN 'relation' THEN l.mode ELSE 'a transaction' END, l.granted
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_class c ON c.oid = l.relation AND l.locktype = 'relation'
WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> ALL (%s)
AND CASE l.locktype WHEN 'relation' THEN c.relnamespace = 'public'::regnamespace
        AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
        AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')
    ELSE NOT l.granted AND l.locktype IN ('transactionid', 'virtualxid', 'tuple') END
"""
COLUMNS = """
SELECT attname FROM pg_attribute
WHERE attrelid = to_regclass(quote_ident(%s)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
STRENGTH = (
    "a transaction",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)


class Request(NamedTuple):
    """One read or write: when it began and how long it took, in seconds, and what went wrong."""

    kind: Kind
    began: float
    took: float
    error: str = ""

    @property
    def ended(self) -> float:
        return self.began + self.took


class Span(NamedTuple):
    """From when to when something was so, in seconds."""

    began: float
    ended: float
    words: str = ""


@dataclass(frozen=True)
class Plan:
    """Who comes: which table is read and written, by how many; how long a report stays open."""

    table: str
    column: str
    readers: int
    writers: int
    report: float | None


@dataclass
class Record:
    """What came of it; all times are the machine's monotonic clock."""

    began: float = 0
    ended: float = 0
    requests: list[Request] = field(default_factory=list)
    locks: list[Span] = field(default_factory=list)  # "waits for ..." and "holds ..."
    reports: list[Span] = field(default_factory=list)
    columns: tuple[list[str], list[str]] = ([], [])  # of the table, when they came and at the end

    def disturbed(self) -> list[Span]:
        """From the first lock that others waited for or held to the last, and the report's end."""
        if not self.locks:
            return []
        ends = [each.ended for each in (*self.locks, *self.reports)]
        return [Span(self.locks[0].began, max(ends))]


@dataclass(frozen=True)
class Share:
    """What got through in a time: the requests of a second, against those before all began."""

    seconds: float
    reads: float
    writes: float
    longest_read: float
    longest_write: float


class Traffic:
    """Readers and writers for the length of a `with`; after it, what came of them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.record = Record()
        self.parts: list[Span] = []

    def __enter__(self) -> Self:
        self._crowd = Beside("workbook.theatre:crowd", self.plan)
        try:
            ready = self._crowd.hear(30)
        except BaseException as error:
            self._crowd.close()
            if isinstance(error, Stopped):
                raise WorkbookError(f"There is no traffic: {error}.") from None
            raise
        if ready:
            self._crowd.close()
            raise WorkbookError(f"There is no traffic: {ready}.")
        time.sleep(CALM)
        return self

    @contextlib.contextmanager
    def part(self, words: str) -> Iterator[None]:
        """Give a name to what is done inside of it, to be asked for afterwards by `of`."""
        time.sleep(CALM)
        began = time.monotonic()
        try:
            yield
        finally:
            self.parts.append(Span(began, time.monotonic(), words))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            if not kind:
                time.sleep(AFTER)
                self._crowd.ask()
                self.record = self._crowd.hear(LAST + 5)
        except Stopped as stopped:
            raise WorkbookError(f"The traffic was lost: {stopped}.") from None
        finally:
            self._crowd.close()

    # ---- what came of it

    def of(self, words: str = "") -> Share:
        """What got through while a part lasted.

        Without one, from when a migration came to wait for a lock, or to hold one, until it had
        done so for the last time and the report was over. Raises WorkbookError where there is no
        part of that name.
        """
        named = {part.words: part for part in self.parts}
        if words and words not in named:
            raise WorkbookError(
                f'There is no part "{words}": there is {", ".join(named) or "none"}.'
            )
        spans = [named[words]] if words else self.record.disturbed()
        first = min([each.began for each in [*spans, *self.parts]], default=self.record.ended)
        span = Span(*min(spans, default=(first, first))[:2])
        calm = Span(self.record.began, first)
        return Share(
            span.ended - span.began,
            self._share("read", span, calm),
            self._share("write", span, calm),
            self.longest("read", span),
            self.longest("write", span),
        )

    def longest(self, kind: Kind, span: Span | None = None) -> float:
        """The longest that a read or a write took, in seconds; with a span, of those in it."""
        return max((each.took for each in self.requests(kind, span)), default=0.0)

    def requests(self, kind: Kind, span: Span | None = None) -> list[Request]:
        """The reads or the writes; with a span, those that overlap it."""
        return [
            each
            for each in self.record.requests
            if each.kind == kind
            and (not span or (each.ended >= span.began and each.began <= span.ended))
        ]

    @property
    def errors(self) -> list[str]:
        """What went wrong for a reader or a writer."""
        return [each.error for each in self.record.requests if each.error]

    def _share(self, kind: Kind, span: Span, calm: Span) -> float:
        """The requests of a second that ended in a span, against those in calm; 1 without a span."""
        rates = []
        for each in (span, calm):
            ended = [
                request
                for request in self.requests(kind)
                if each.began < request.ended <= each.ended and not request.error
            ]
            rates.append(len(ended) / max(each.ended - each.began, 0.001))
        return rates[0] / max(rates[1], 0.001) if span.ended > span.began else 1.0

    def _ipython_display_(self) -> None:
        from workbook.pictures.traffic import draw

        draw(self)._ipython_display_()

    def __str__(self) -> str:
        from workbook.pictures.traffic import draw

        return str(draw(self))

    __repr__ = __str__


def traffic(
    table: str = "jobs",
    column: str = "description",
    *,
    readers: int = 4,
    writers: int = 2,
    report: float | None = None,
) -> Traffic:
    """Readers and writers of a table for the length of a `with`, each about 5 ms apart.

    A write sets a column to what it holds. With `report`, a transaction has read the table before
    they come, and stays open until that many seconds after somebody has come to wait.
    """
    return Traffic(Plan(table, column, readers, writers, report))


class Queue:
    """Sessions that stand in each other's way, until `end`."""

    def __init__(self, sessions: Beside) -> None:
        self._sessions = sessions

    def end(self) -> None:
        """Roll all of them back, whoever is left."""
        self._sessions.end()


_queue: list[Queue] = []  # the last one


def line_up(**statements: str) -> Queue:
    """Sessions by their names, one after the other, each in a transaction with its statement.

    Who has to wait for another waits, for as long as it takes: `end()` rolls all of them back.
    Raises WorkbookError.
    """
    dismiss()
    sessions = Beside("workbook.theatre:queue", statements)
    try:
        failed = sessions.hear(30)
    except Stopped as stopped:
        failed = stopped
    if failed:
        sessions.close()
        raise WorkbookError(f"They cannot line up: {failed}.")
    _queue.append(Queue(sessions))
    return _queue[0]


def dismiss() -> None:
    """End the queue that stands, where one does."""
    while _queue:
        _queue.pop().end()


# ---- in the other process ------------------------------------------------------------------------


def connect(name: str, patience: str = "30s") -> Any:
    """A connection of the crowd's: the notebook's lock_timeout is for its migrations."""
    options = f"{os.environ.get('PGOPTIONS', '')} -c lock_timeout={patience}"
    connection = psycopg2.connect("", application_name=name, options=options)
    connection.autocommit = True
    return connection


def crowd(line: Line, plan: Plan) -> Record | str:
    """Read, write and watch until the kernel has heard enough; or why that cannot be."""
    record, waited = Record(), threading.Event()
    try:
        with contextlib.closing(connect("watcher")) as connection, connection.cursor() as cursor:
            cursor.execute(f'SELECT max(id) FROM "{plan.table}"')
            [[last]] = cursor.fetchall()
        names = ["reader"] * plan.readers + ["writer"] * plan.writers
        clients = [connect(name) for name in names]
        watcher, reporter = (
            connect("watcher"),
            connect("report") if plan.report is not None else None,
        )
    except psycopg2.Error as error:
        return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    read = f'SELECT * FROM "{plan.table}" WHERE id = %s'
    write = f'UPDATE "{plan.table}" SET "{plan.column}" = "{plan.column}" WHERE id = %s'
    ours = [each.info.backend_pid for each in [*clients, watcher, *filter(None, [reporter])]]
    own: list[list[Request]] = [[] for _ in clients]
    jobs: list[Callable[[], None]] = [
        lambda: _watch(line, watcher, ours, record.locks, waited),
        *(
            _client(line, client, *(("read", read) if reads else ("write", write)), last or 1, done)
            for client, reads, done in zip(clients, map("reader".__eq__, names), own, strict=True)
        ),
    ]
    if reporter:
        opened = threading.Event()
        jobs.append(lambda: _report(line, reporter, plan, record.reports, opened, waited))
    threads = [threading.Thread(target=job, daemon=True) for job in jobs]
    if reporter:
        threads[-1].start()
        opened.wait(10)
    came = _columns(watcher, plan.table)
    record.began = time.monotonic()
    for thread in threads[: len(clients) + 1]:
        thread.start()
    line.say("")
    line.over.wait()
    record.ended = time.monotonic()
    until = time.monotonic() + LAST
    for thread in threads:
        thread.join(max(0, until - time.monotonic()))
    record.requests = [request for each in own for request in each]
    record.columns = (came, _columns(watcher, plan.table))
    return record


def _columns(connection: Any, table: str) -> list[str]:
    """A table's columns, asked for in a way that no lock holds up."""
    with contextlib.suppress(psycopg2.Error), connection.cursor() as cursor:
        cursor.execute(COLUMNS, [table])
        return [name for (name,) in cursor.fetchall()]
    return []


def _client(
    line: Line, connection: Any, kind: Kind, statement: str, last: int, done: list[Request]
) -> Callable[[], None]:
    """One that sends a statement for a row, and the next a little later."""

    def work() -> None:
        with connection.cursor() as cursor:
            while not line.over.is_set():
                began, error = time.monotonic(), ""
                start = time.perf_counter()
                try:
                    cursor.execute(statement, [random.randint(1, last)])
                except psycopg2.Error as raised:
                    error = type(raised).__name__
                done.append(Request(kind, began, time.perf_counter() - start, error))
                time.sleep(PAUSE if not connection.closed else LOOK)

    return work


def _report(
    line: Line,
    connection: Any,
    plan: Plan,
    spans: list[Span],
    opened: threading.Event,
    waited: threading.Event,
) -> None:
    """A transaction that has read, and stays open until somebody has waited for a while."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f'SELECT count(*) FROM "{plan.table}"')
        began = time.monotonic()
        opened.set()
        while not waited.wait(LOOK) and not line.over.is_set():
            pass
        line.over.wait(plan.report if waited.is_set() else 0)
        cursor.execute("COMMIT")
        spans.append(Span(began, time.monotonic(), "open"))


def _watch(
    line: Line, connection: Any, ours: Sequence[int], spans: list[Span], waited: threading.Event
) -> None:
    """Note what others wait for and hold, for as long as it stays the same."""
    words, began = "", time.monotonic()
    with connection.cursor() as cursor:
        while not line.over.is_set():
            cursor.execute(WATCH, [ours])
            found, now = seen(cursor.fetchall()), time.monotonic()
            if found.startswith("waits"):
                waited.set()
            if found != words:
                spans += [Span(began, now, words)] if words else []
                words, began = found, now
            time.sleep(LOOK)
    spans += [Span(began, time.monotonic(), words)] if words else []


def seen(locks: Sequence[tuple[str, bool]]) -> str:
    """In words, what a look at the locks of others has found; of several, the strongest."""
    for verb, granted in (("waits for", False), ("holds", True)):
        modes = [mode_words(mode) for mode, has in locks if has == granted]
        known = [mode for mode in modes if mode in STRENGTH]
        if known:
            return f"{verb} {max(known, key=STRENGTH.index)}"
    return ""


def mode_words(mode: str) -> str:
    """A lock's mode as PostgreSQL's documentation writes it: ACCESS EXCLUSIVE."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", mode.removesuffix("Lock"))
    return words.upper() if words != mode else mode


WAITING = "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted"


def queue(line: Line, statements: dict[str, str]) -> str:
    """Begin a transaction in each session, until the kernel asks for their end; or what failed."""
    failed: list[str] = []
    held: list[tuple[Any, threading.Thread]] = []

    def work(connection: Any, statement: str) -> None:
        try:
            connection.cursor().execute(statement)
        except psycopg2.Error as error:
            failed.append(str(error).splitlines()[0])

    try:
        with contextlib.closing(connect("watcher")) as watcher, watcher.cursor() as cursor:
            for name, statement in statements.items():
                connection = connect(name, "0")
                connection.autocommit = False
                thread = threading.Thread(target=work, args=(connection, statement), daemon=True)
                held.append((connection, thread))
                thread.start()
                waits = False
                while thread.is_alive() and not waits:
                    thread.join(LOOK)
                    cursor.execute(WAITING, [connection.info.backend_pid])
                    waits = cursor.fetchone() != (0,)
                if failed:
                    return failed[0]
    except psycopg2.Error as error:
        return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    line.say("")
    line.over.wait()
    for connection, thread in held:
        connection.cancel()
        thread.join(LAST)
        connection.close()
    return ""
