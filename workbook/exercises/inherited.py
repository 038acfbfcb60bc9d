"""How the inherited project of chapter 14 stands: each of the eight things that were wrong with it.

What a revision's file says is not read. The revisions are played on the scratch database, from
nothing and with the rows of the start, and what came out is held against what there was.
"""

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from workbook import apart, project, schema
from workbook.contents import CHAPTERS, HARBOUR
from workbook.exercises import Outcome
from workbook.exercises.applied import versions
from workbook.exercises.child import (
    LOCKS,
    Failure,
    Rows,
    Run,
    Step,
    Stop,
    emptied,
    engine,
    rows,
    step,
)
from workbook.exercises.kinds import Do, not_attempted, revisions
from workbook.exercises.kinds import text as text_of
from workbook.exercises.trial import not_yet
from workbook.schema import Schema, Table
from workbook.server import database
from workbook.theatre import Traffic

START = CHAPTERS[14].start
FILES = project.FILES / "inherited"
TAKEN_OVER = "a9f03e6c8b15"  # where the server says it is when the learner takes the project over
DESK = "desk@harbour.example"
MODELS = "jobboard/models.py"
FILLED = f"{HARBOUR}; UPDATE companies SET contact = '{DESK}' WHERE contact IS NULL"
REPORT = 2  # seconds that the report of the lesson's traffic stays in the way
SENT = 5000  # applications
# Those that are as they were; whatever columns there are, the question can be asked.
INTACT = """
SELECT count(*) FROM (SELECT to_jsonb(t) AS row FROM applications AS t) AS every
WHERE row ->> 'email' = 'applicant' || (row ->> 'id') || '@mail.example'
    AND (row ->> 'job_id')::int = 1 + (row ->> 'id')::int % 120
"""
UNTOUCHED = {"companies": ("name",), "jobs": ("title", "company_id", "deadline")}  # by the release
ADDED = ("kind", "pay_cents", "city")  # to jobs, by the upgrade
MANY = 1000  # rows: of the tables here, only the applications are so many
WAITING = {  # who waits for a lock that a migration holds
    "AccessExclusiveLock": "everybody who reads or writes",
    "ExclusiveLock": "everybody who writes",
    "ShareRowExclusiveLock": "everybody who writes",
    "ShareLock": "everybody who writes",
}
WORK = """
SELECT now()::text, coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)
    + n_tup_ins + n_tup_upd + n_tup_del), 0)::int FROM pg_stat_xact_user_tables
"""


# ---- in a process of its own ---------------------------------------------------------------------


@dataclass(frozen=True)
class Wait:
    """A statement that works through many rows of a table while somebody has to wait."""

    statement: str
    rows: int
    who: str
    table: str


@dataclass(frozen=True)
class Played:
    """What the revisions do, on rows as the server has them, and what they make up to its row.

    Where `stopped` says that a company without a contact stops them, `run` is with contacts.
    """

    run: Run
    waits: tuple[Wait, ...]
    stopped: Failure
    said: Schema | None


def played(folder: Path, row: tuple[str, ...], filled: bool) -> Played:
    """Play the revisions of a project; `row` is where the server is, or is to be taken to be.

    `filled` says that every company there has a contact by now.
    """
    run, waits = _there_and_back(folder, FILLED if filled else HARBOUR)
    stopped = Failure()
    if run.failure.name == "NotNullViolation" and "contact" in run.failure.message:
        stopped = run.failure
        run, waits = _there_and_back(folder, FILLED)
    said, only = None, Run()
    with suppress(Stop), emptied() as connection, step(only, "upgrade", folder):
        for each in row:
            _change(folder, each)
        said = schema.read(connection)
    return Played(run, waits, stopped, said)


def _there_and_back(folder: Path, sql: str) -> tuple[Run, tuple[Wait, ...]]:
    """From where the project was taken over to the end, back, and there again, with rows."""
    run, waits = Run(), list[Wait]()
    with suppress(Stop), emptied() as connection:

        def note(name: str) -> None:
            run.steps.append(Step(name, schema.read(connection), rows(connection)))

        with step(run, "read", folder):
            project.scripts(folder).get_revision(TAKEN_OVER)
        with step(run, "before", folder):
            _change(folder, TAKEN_OVER)
            connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
        note("before")
        with step(run, "upgrade", folder):
            _change(folder, "heads", watch=waits)
        note("upgrade")
        with step(run, "downgrade", folder):
            _change(folder, TAKEN_OVER, down=True)
        note("downgrade")
        with step(run, "upgrade again", folder):
            _change(folder, "heads")
    return run, tuple(waits)


def _change(
    folder: Path, revision: str, down: bool = False, watch: list[Wait] | None = None
) -> None:
    with engine().connect() as connection:
        if watch is not None:
            sa.event.listen(connection, "after_cursor_execute", _watch(watch))
        project.migrate(connection, project.scripts(folder), revision, down=down)


ALONE = re.compile(
    r"(?i)\s*CREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)[^(]*\bapplications\b", re.DOTALL
)


def _watch(waits: list[Wait]) -> Callable[..., None]:
    """A listener that notes which statements work through rows under a lock that others wait for.

    The rows are PostgreSQL's own count of those that this transaction has read and written, so a
    slow machine and a fast one come to the same. Of a statement that commits itself there is no such
    count, so an index that is built like that is known by its text.
    """
    before: dict[str, Any] = {"began": "", "work": 0, "held": {}}

    def listener(connection: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        by_itself = getattr(connection.connection.dbapi_connection, "autocommit", False)
        if by_itself and ALONE.match(statement):
            # committed by now, so there is no lock to be seen any more
            text = " ".join(statement.split())
            waits.append(Wait(text, SENT, "everybody who writes", "applications"))
        own = connection.connection.cursor()
        own.execute(WORK)
        [(began, work)] = own.fetchall()
        own.execute(LOCKS)
        if began != before["began"]:
            before.update(began=began, work=0, held={})
        held = before["held"]
        for table, mode in own.fetchall():
            if mode in WAITING and mode not in held.get(table, {}):
                held.setdefault(table, {})[mode] = before["work"]
        for table, modes in held.items():
            if work - min(modes.values()) >= MANY and table not in [each.table for each in waits]:
                strongest = next(each for each in WAITING if each in modes)
                text = " ".join(statement.split())
                waits.append(Wait(text, work - min(modes.values()), WAITING[strongest], table))
        before["work"] = work

    return listener


# ---- what there is -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """The learner's history and server, and what the revisions do when they are played."""

    heads: tuple[str, ...]
    ids: frozenset[str]
    row: tuple[str, ...]  # of alembic_version
    server: Schema
    kept: Rows  # what the server's tables hold
    applications: int
    play: Played

    @property
    def up(self) -> Step | None:
        return self.play.run.after("upgrade")

    @property
    def down(self) -> Step | None:
        return self.play.run.after("downgrade")

    @property
    def end(self) -> Schema:
        """Where the history leads; nothing where it does not get there."""
        return self.up.schema if self.up else Schema({})

    @property
    def stops(self) -> str:
        """Where playing the revisions stopped, in words."""
        failure = self.play.run.failure
        what = failure.name + f": {failure.message}" * (failure.message != failure.name)
        way = {"downgrade": "way back", "upgrade again": "second upgrade"}
        return f"{way.get(failure.step, 'upgrade')} stops with {what.rstrip('.')}."

    def between(self) -> list[str]:
        """How the server differs from what the revisions make that its row names."""
        return schema.differences(self.server, self.play.said or Schema({}))


@functools.cache
def taken_over() -> tuple[Schema, Rows]:
    """What the server holds when the learner takes the project over."""
    with database.scratch() as connection:
        project.build(connection, START)
        return schema.read(connection), rows(connection)


@functools.cache
def wanted() -> Schema:
    """What the project's models ask for, as they were handed over."""
    statements = apart.call("workbook.project:ddl", seconds=20, folder=FILES)
    with database.scratch() as connection:
        for each in statements:
            connection.exec_driver_sql(each)
        return schema.read(connection)


def has(content: Schema, table: str, column: str) -> bool:
    """Whether there is such a column."""
    return table in content.tables and column in content.tables[table].columns


def changed(kept: Rows, names: dict[str, Callable[[Any], Any]], table: str, old: str) -> int | None:
    """How many rows do not hold what they were given, in the first of these columns that is there.

    Each column has a function from the old value to its own. None: neither column is there. A
    contact may come where there was none; a place or a pay may not.
    """
    have = {row["id"]: row for row in kept.get(table, [])}
    column = next((name for name in names if any(name in row for row in have.values())), "")
    if not column:
        return None
    return sum(
        bool(have.get(row["id"], {}).get(column, ...) != names[column](row[old]))
        for row in taken_over()[1][table]
        if old != "contact" or row[old] is not None or row["id"] not in have
    )


def overwritten(kept: Rows) -> Iterator[str]:
    """What the release has nothing to do with and is not what it was, in words."""
    for table, columns in UNTOUCHED.items():
        have = {row["id"]: row for row in kept.get(table, [])}
        for column in columns:
            n = sum(
                have[row["id"]].get(column) != row[column]
                for row in taken_over()[1][table]
                if row["id"] in have
            )
            if n:
                yield f"{n} {table} have another {column} than before, or none."


PLACE: dict[str, Callable[[Any], Any]] = {"city": lambda old: old, "place": lambda old: old}
PAY: dict[str, Callable[[Any], Any]] = {
    "pay_cents": lambda old: None if old is None else old * 100,
    "pay": lambda old: old,
}
CONTACT: dict[str, Callable[[Any], Any]] = {"contact": lambda old: old}


# ---- how each of the eight stands ----------------------------------------------------------------

DONE, LEFT, WORSE = "done", "left", "made worse"
Found = tuple[str, str]


def heads(seen: Seen) -> Found:
    gone = [
        name
        for table, name in (("jobs", "kind"), ("jobs", "pay_cents"))
        if seen.up and not has(seen.end, table, name)
    ]
    if len(seen.heads) > 2:
        return WORSE, f"The history has {len(seen.heads)} ends now."
    if len(seen.heads) == 2:
        return LEFT, "The history has two ends: the next upgrade to head stops before it begins."
    if gone:
        return WORSE, f"There is one end, and no revision makes jobs.{gone[0]} any more."
    return DONE, "The history has one end, and the work of both developers leads to it."


def stamp(seen: Seen) -> Found:
    unknown = [each for each in seen.row if each not in seen.ids]
    if unknown:
        return WORSE, f"alembic_version names {unknown[0]}, and there is no file for it."
    if not seen.row:
        return WORSE, "alembic_version holds no row: the next upgrade begins with the first table."
    if seen.play.said is None:
        return LEFT, "The revisions up to the server's row cannot be applied to a new database."
    others = ("jobs.remote", "type job_kind", "ix_applications", "(job_id) on applications")
    more = [each for each in seen.between() if not any(word in each for word in others)]
    if [each for each in more if "companies.website" not in each]:
        first = next(each for each in more if "companies.website" not in each)
        return WORSE, f"alembic_version and the tables differ in more than they did. {first}"
    if more:
        return LEFT, "alembic_version says that companies.website is there, and it is not."
    return DONE, "What alembic_version says is true of the tables."


def edited(seen: Seen) -> Found:
    if seen.play.said is None:
        return LEFT, "The revisions up to the server's row cannot be applied to a new database."
    here, there = has(seen.server, "jobs", "remote"), has(seen.play.said, "jobs", "remote")
    if here and not there:
        return WORSE, "The server has jobs.remote, and no revision up to its row has made it."
    if here != there:
        return (
            LEFT,
            "A new machine gets a table that the server does not have: jobs.remote differs.",
        )
    if not seen.up:
        return LEFT, f"Whether jobs.remote comes at all cannot be seen: the {seen.stops}"
    if not has(seen.end, "jobs", "remote"):
        return LEFT, "Server and new machine agree, without the jobs.remote that the site wants."
    return DONE, "A new machine gets what the server has, and jobs.remote belongs to it."


def left_type(seen: Seen) -> Found:
    labels = seen.server.enums.get("job_kind")
    in_use = has(seen.server, "jobs", "kind")
    if seen.up and not has(seen.end, "jobs", "kind"):
        return WORSE, "No revision makes jobs.kind any more."
    if in_use and labels is None:
        return WORSE, "On the server, jobs.kind is not of the type job_kind."
    if in_use and labels and labels != wanted().enums["job_kind"]:
        return (
            WORSE,
            f"On the server, jobs.kind may be {', '.join(labels)}, and nothing else.",
        )
    if not seen.down:
        return LEFT, f"Whether jobs.kind comes and goes cannot be seen: the {seen.stops}"
    if "job_kind" in seen.down.schema.enums and seen.play.run.failure.step != "upgrade again":
        return (
            LEFT,
            "The next upgrade copes, and the way back still leaves the type job_kind behind.",
        )
    if "job_kind" in seen.down.schema.enums:
        return (
            LEFT,
            "After a way back, the type job_kind is still there, and the next upgrade stops.",
        )
    if labels and not in_use:
        return LEFT, "The way back is clean. On the server, the type of an old try is in the way."
    return DONE, "jobs.kind comes, goes without a trace, and comes again."


def contact(seen: Seen) -> Found:
    lost = changed(seen.kept, CONTACT, "companies", "contact")
    if lost or lost is None:
        return (
            WORSE,
            f"On the server, {lost or 'all'} companies have lost their contact, or are gone.",
        )
    if seen.play.stopped:
        return LEFT, "On rows as the server has them, the upgrade stops at companies.contact."
    if seen.up is None:
        return LEFT, f"On rows as the server has them, the {seen.stops}"
    if changed(seen.up.rows, CONTACT, "companies", "contact"):
        return WORSE, "The upgrade changes contacts that were there, or takes companies away."
    if not has(seen.end, "companies", "contact"):
        return WORSE, "No company has a contact any more."
    if seen.end.tables["companies"].columns["contact"].nullable:
        return LEFT, "The upgrade runs through, and a company may still be without a contact."
    given = {each["contact"] for each in _new_contacts(seen.up.rows)}
    given |= {each["contact"] for each in _new_contacts(seen.kept)} - {None}
    if given - {DESK}:
        return LEFT, f"Companies without a contact get {min(given - {DESK})!r}, not what was asked."
    if seen.down and not has(seen.down.schema, "companies", "contact"):
        return WORSE, "After the way back, no company has a contact any more."
    if seen.down and not seen.down.schema.tables["companies"].columns["contact"].nullable:
        return LEFT, (
            "After the way back, companies still have to have a contact, and today's release makes"
            " some without."
        )
    return DONE, "Every company has a contact, and those that had one have kept it."


def _new_contacts(kept: Rows) -> Iterator[dict[str, Any]]:
    """The companies that had no contact."""
    without = {row["id"] for row in taken_over()[1]["companies"] if row["contact"] is None}
    return (row for row in kept.get("companies", []) if row["id"] in without)


def pay(seen: Seen) -> Found:
    lost = changed(seen.kept, PAY, "jobs", "pay")
    if lost or lost is None:
        return (
            WORSE,
            f"On the server, {lost or 'all'} jobs have another pay than before, or are gone.",
        )
    if seen.up and not has(seen.end, "jobs", "pay_cents"):
        return WORSE, "No revision makes jobs.pay_cents any more."
    if seen.up and changed(seen.up.rows, PAY, "jobs", "pay"):
        return WORSE, "After the upgrade, jobs have another pay than before."
    if not seen.down:
        return LEFT, f"The {seen.stops}"
    lost = changed(seen.down.rows, {"pay": PAY["pay"]}, "jobs", "pay")
    if lost or lost is None:
        return (
            LEFT,
            f"After the upgrade and the way back, {lost or 'all'} jobs have another pay than"
            " before, or none.",
        )
    return DONE, "The way back brings every job's pay back."


def place(seen: Seen) -> Found:
    lost = changed(seen.kept, PLACE, "jobs", "place")
    if lost or lost is None:
        return WORSE, f"On the server, {lost or 'all'} jobs have another place, or are gone."
    if not seen.up:
        return LEFT, f"The {seen.stops}"
    if not has(seen.end, "jobs", "city"):
        return WORSE, "No revision makes jobs.city any more."
    lost = changed(seen.up.rows, {"city": PLACE["city"]}, "jobs", "place")
    if lost:
        return LEFT, f"After the upgrade, {lost} jobs are at another place than before, or nowhere."
    back = {"place": PLACE["place"]}
    if not seen.down:
        return LEFT, f"Every job keeps its place on the way up, and the {seen.stops}"
    if changed(seen.down.rows, back, "jobs", "place") != 0:
        return LEFT, "The upgrade keeps every job's place, and the way back does not."
    return DONE, "Every job keeps its place, there and back."


def outage(seen: Seen) -> Found:
    found = (
        seen.server.tables["applications"].indexes if "applications" in seen.server.tables else ()
    )
    if seen.applications < SENT:
        return WORSE, "On the server, applications are gone, or changed."
    if any(not each.valid for each in found):
        return WORSE, "On the server, an index of applications is there and cannot be used."
    if not seen.up:
        return LEFT, f"The {seen.stops}"
    made = seen.end.tables.get("applications", Table({})).indexes
    if not any("(job_id)" in each.definition for each in made):
        return WORSE, "No revision makes the index on applications any more."
    for wait in seen.play.waits:
        words = wait.statement if len(wait.statement) < 60 else f"{wait.statement[:56]} ..."
        return LEFT, (
            f"{wait.who.capitalize()} {wait.table} waits while {wait.rows:,} rows are worked through,"
            f" until {words!r} is over. Your copy is small; the owner's table is not."
        )
    return DONE, "No large table is worked through while the people who use it wait."


EIGHT = (heads, stamp, edited, left_type, contact, pay, place, outage)


@dataclass(frozen=True, kw_only=True)
class Inherited(Do):
    """Put the project in order; check() takes the traffic that the upgrade ran in."""

    steps: tuple[str, ...]  # the solution's cells

    @property
    def solved(self) -> tuple[str, ...]:
        return self.steps

    def judge(self, answer: object) -> Outcome:
        told = super().judge(None)
        if told.kind == "not attempted" or not told.lines[0].startswith(SUMMARY):
            return told
        fine, words = meanwhile(answer)
        done = told.kind == "done" and fine
        return Outcome("done" if done else "not yet", (*told.lines, words))


def look(connection: sa.Connection) -> Outcome:
    """The report: how each of the eight stands, and the server."""
    try:
        scripts = project.scripts(project.workspace())
        ends = tuple(sorted(scripts.get_heads()))
        ids = frozenset(each.revision for each in scripts.walk_revisions())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a file there can do
        return not_yet(f"Alembic cannot read the revisions: {type(error).__name__}: {error}.")
    row = tuple(sorted(versions(connection)))
    server, kept = schema.read(connection), rows(connection)
    untouched = _files(revisions()) == _files(sorted(FILES.glob("alembic/versions/*.py")))
    same = (server, _by_id(kept)) == (taken_over()[0], _by_id(taken_over()[1]))
    if untouched and row == (TAKEN_OVER,) and same:
        return not_attempted("The project is as it was handed over.")
    intact = sa.text(INTACT)
    sent = connection.execute(intact).scalar_one() if "applications" in kept else 0
    try:
        filled = all(each.get("contact") is not None for each in kept.get("companies", []))
        play = _play(row if row and {*row} <= ids else (TAKEN_OVER,), filled)
    except apart.Stopped as stopped:
        return not_yet(f"The revisions were stopped: {stopped}.")
    seen = Seen(ends, ids, row, server, kept, sent, play)
    found = [each(seen) for each in EIGHT]
    lines = [f"{n}  {state}: {words}" for n, (state, words) in enumerate(found, 1)]
    last = at_the_end(seen)
    done = not last and all(state == DONE for state, _ in found)
    lines = [summary([state for state, _ in found]), *lines, *last]
    return Outcome("done" if done else "not yet", tuple(lines))


def _play(row: tuple[str, ...], filled: bool) -> Played:
    """Raises apart.Stopped."""
    folder, name = project.workspace(), "workbook.exercises.inherited:played"
    with database.scratch() as connection:
        done = apart.on_database(connection, name, folder, row, filled, folder=folder)
    if not isinstance(done, Played):
        raise apart.Stopped("they end Python itself")
    return done


SUMMARY = "Of the eight things: "


def summary(states: list[str]) -> str:
    """How many of the eight stand how, by their numbers."""
    told = {
        state: [str(n) for n, each in enumerate(states, 1) if each == state] for state in states
    }
    parts = [f"{state} {', '.join(told[state])}" for state in (DONE, LEFT, WORSE) if state in told]
    return f"{SUMMARY}{'; '.join(parts)}."


def at_the_end(seen: Seen) -> list[str]:
    """What is missing at the end, when all eight are right."""
    found = [f"On the server, {each}" for each in overwritten(seen.kept)]
    for when, then in (("upgrade", seen.up), ("way back", seen.down)):
        found += [f"After the {when}, {each}" for each in overwritten(then.rows if then else {})]
    again = seen.play.run.failure.step == "upgrade again"
    if again and seen.down and "job_kind" not in seen.down.schema.enums:
        found.append(f"There, and back, and there again: the {seen.stops}")
    if _models_changed():
        found.append(f"{MODELS} asks for something else than it did: Ines asked to leave it.")
    return [*found, *_at_head(seen)]


def _models_changed() -> bool:
    """Whether the learner's models make other tables than those that were handed over."""
    here, there = project.workspace(), FILES
    if (text := [text_of(each / MODELS) for each in (here, there)])[0] == text[1]:
        return False
    ask = "workbook.project:ddl_or_reason"
    try:
        made = [apart.call(ask, seconds=20, folder=each) for each in (here, there)]
    except apart.Stopped:
        return True
    return bool(made[0] != made[1])


def _at_head(seen: Seen) -> list[str]:
    """How the server, or a new machine, differs from what the models ask for."""
    if seen.row != tuple(sorted(seen.heads)):
        return [f"The server is at {', '.join(seen.row) or 'no revision'}, not at the head yet."]
    new = "A new machine does not get the tables that the models ask for, as the server has them."
    for where, said, made in (
        ("the server", "The tables are not what the models ask for.", seen.server),
        ("a new machine", new, seen.play.said or seen.server),
    ):
        if left := schema.differences(made, wanted()):
            return [said, *left[:3]]
        if other := _indexes(made) - _indexes(wanted()):
            names = " or ".join(_indexes(wanted()) - _indexes(made))
            return [
                f"On {where}, an index is called {min(other)}. The models ask for {names}: alembic"
                " check would have it dropped, and made anew."
            ]
    return []


def _indexes(content: Schema) -> set[str]:
    """The names of all indexes: by them, Alembic tells one from another."""
    return {each.name for table in content.tables.values() for each in table.indexes}


def meanwhile(watched: object) -> tuple[bool, str]:
    """Whether those who used the site did not notice, and what went through, in words."""
    if not isinstance(watched, Traffic):
        return False, "Meanwhile: nobody has watched. check() takes the traffic, day, as well."
    plan, (before, after) = watched.plan, watched.record.columns
    if plan.table != "jobs" or not (plan.readers and plan.writers) or (plan.report or 0) < REPORT:
        return False, (
            "Meanwhile: others were at work than those of the lesson, traffic("
            f'"jobs", "title", report={REPORT}).'
        )
    early = [each for each in ADDED if each in before]
    if early:
        return False, (
            f"Meanwhile: jobs.{early[0]} was there before they came. Take the upgrade back, and let"
            " all of it run in that traffic."
        )
    if not watched.record.locks and before == after:
        return False, "Meanwhile: no migration was at work in that traffic."
    longest = max(watched.longest("read"), watched.longest("write"))
    if watched.errors:
        kinds = ", ".join(sorted({*watched.errors}))
        return False, f"Meanwhile: {len(watched.errors)} reads and writes failed, {kinds}."
    if longest > REPORT / 2:
        return False, (
            f"Meanwhile: somebody waited for {longest:.1f} seconds to see a job. More than"
            f" {REPORT / 2:.0f} is too long. To try again, take the upgrade back first."
        )
    late = [each for each in ADDED if each not in after]
    if late:
        return False, (
            f"Meanwhile: the upgrade did not get through in that traffic. At its end there was no"
            f" jobs.{late[0]}."
        )
    reads, writes = (len(watched.requests(kind)) for kind in ("read", "write"))
    return True, (
        f"Meanwhile: {reads:,} reads and {writes:,} writes, none failed, and the longest of them"
        f" took {longest:.1f} seconds."
    )


def _by_id(kept: Rows) -> Rows:
    """The companies and jobs; of the applications, there are too many."""
    return {
        name: sorted(kept.get(name, []), key=itemgetter("id")) for name in ("companies", "jobs")
    }


def _files(paths: list[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths}
