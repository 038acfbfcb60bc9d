"""A trial: a learner's migration or models and the reference's, run alike, side by side."""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from workbook import apart, schema
from workbook.exercises import ANY, Mistake, Outcome
from workbook.exercises.child import SOURCE, UNREADABLE, Failure, Run, Work, numbered
from workbook.schema import Schema
from workbook.server import database

MOST_LINES = 4
LONGEST = 240  # of an error's message: some of SQLAlchemy's are a page
GOALS: dict[object, Run] = {}
STEPS = {  # of a trial, as a learner would call them
    "read": "Reading the file",
    "before": "A revision before yours",
    "upgrade": "The upgrade",
    "in use": "What the application does after the upgrade",
    "downgrade": "The downgrade",
    "in use again": "What the application does after the downgrade",
    "upgrade again": "The second upgrade",
    "import": "Reading the file",
    "configure": "Connecting the models",
    "create": "Creating the tables",
    "probe": "Trying it out",
}
PLACES = {
    "before": "Before",
    "in use": "After what the application did then",
    "in use again": "After what the application did after the downgrade",
    "upgrade again": "After the second upgrade",
}
IDS = """
revision = "{revision}"
down_revision = {down!r}
branch_labels = None
depends_on = None
"""
# The learner's text is a file of its own, so that line numbers are the learner's; the ids come
# last, so that a text which brings its own is a part of the history all the same.
PRACTICE = f"""
from pathlib import Path
from alembic import op
import sqlalchemy as sa
source = Path(__file__).parents[2] / "{SOURCE}"
exec(compile(source.read_bytes(), source, "exec", dont_inherit=True))
"""


@dataclass(frozen=True)
class Trial:
    """What a learner's code did in the scratch database, beside what the reference does."""

    run: Run
    wanted: Run
    names: bool = False  # whether the names of constraints and indexes count
    exact: bool = False  # whether all rows count, and not only those that the reference keeps
    free: bool = False  # whether what the task leaves open, a length or an identity, may be chosen

    @property
    def source(self) -> str:
        """The very text that was run."""
        return self.run.source

    @property
    def error(self) -> Failure:
        """Where it stopped; false where it did not."""
        return self.run.failure

    @cached_property
    def goal(self) -> Schema:
        """The schema after the reference's upgrade."""
        return self._schema(self.wanted, "upgrade", "create") or Schema({})

    @cached_property
    def before(self) -> Schema:
        """The schema that the upgrade began with."""
        return self._schema(self.run, "before") or Schema({})

    @cached_property
    def up(self) -> Schema | None:
        """The schema after the upgrade, but for what is of no importance; None: it failed.

        A new string that may be of any length is varchar or text, as one likes.
        """
        made = self._schema(self.run, "upgrade", "create")
        return made and schema.settled(made, self.goal, self.before, self.free)

    @cached_property
    def down(self) -> Schema | None:
        """The schema after the downgrade; None: it did not get that far."""
        return self._schema(self.run, "downgrade")

    @cached_property
    def back(self) -> Schema:
        """Where the downgrade has to lead: as a rule, to where the upgrade began.

        Elsewhere only if the reference leaves on purpose what belongs to an older revision.
        """
        began, left = (self._schema(self.wanted, each) for each in ("before", "downgrade"))
        return self.before if left is None or left == began else left

    @staticmethod
    def _schema(run: Run, *steps: str) -> Schema | None:
        step = run.after(*steps)
        return step.schema if step else None

    @cached_property
    def lost(self) -> str:
        """The first table whose rows did not go the way of the reference's; none: "".

        So rows that a migration loses or changes are seen, whatever else it does to the table.
        """
        for name, table in self.before.tables.items():
            ours, theirs = (_followed(run, name, table.columns) for run in (self.wanted, self.run))
            for reference, learner in zip(ours, theirs, strict=False):
                if reference == ours[0] and learner not in (None, theirs[0]):
                    return name
        return ""

    def failed(self, name: str, words: str = "", step: str = "") -> bool:
        """Whether the trial stopped at this error, in this step where one is named."""
        return self.error.name == name and words in self.error.message and step in self.error.step

    def said(self, pattern: str) -> tuple[str, ...]:
        """What the groups of a pattern are in the error's message; empty where it does not fit."""
        found = re.search(pattern, self.error.message)
        return found.groups() if found else ()

    def place(self, found: object) -> str:
        """Where a mistake is, of what its recogniser gives: in words, or a line of the source."""
        first = found[0] if isinstance(found, list | tuple) else found
        if isinstance(first, ast.expr | ast.stmt):
            line = self.source.splitlines()[first.lineno - 1]
            return numbered(self.run.file, first.lineno, line)
        return first if isinstance(first, str) else ""

    @cached_property
    def tree(self) -> ast.Module:
        """The source as Python reads it; empty where it cannot."""
        try:
            return ast.parse(self.source)
        except (SyntaxError, ValueError):
            return ast.Module([], [])

    def calls(self, name: str, function: str = "") -> list[ast.Call]:
        """The calls of a function or method, in the whole source or in one of its functions."""
        places = [
            each
            for each in ast.walk(self.tree)
            if isinstance(each, ast.FunctionDef) and each.name == function
        ]
        return [
            each
            for place in (places if function else [self.tree])
            for each in ast.walk(place)
            if isinstance(each, ast.Call) and called(each) == name
        ]

    def unknown(self) -> str:
        """The name that Python did not know, if that is what stopped the trial."""
        return "".join(self.said(r"^name '(\w+)'") if self.failed("NameError") else ())

    def lacking(self, module: str) -> str:
        """The name that a module does not have, if that is what stopped the trial."""
        return "".join(self.said(rf"^module '{module}' has no attribute '(\w+)'"))


def called(call: ast.Call) -> str:
    """The last name of what is called: `commit` for `op.get_bind().commit()`."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _sorted(rows: Sequence[Mapping[str, object]]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in rows)


def _followed(run: Run, table: str, columns: Iterable[str]) -> list[list[str] | None]:
    """What these columns hold after each step; None where the table or one of them is gone."""
    found: list[list[str] | None] = []
    for step in run.steps:
        rows = step.rows.get(table)
        if rows is None or (rows and not rows[0].keys() >= set(columns)):
            found.append(None)
        else:
            found.append(_sorted([{name: row[name] for name in columns} for row in rows]))
    return found


# ---- running it ----------------------------------------------------------------------------------


def lay_out(folder: Path, revisions: Sequence[Path], source: str = "") -> Path:
    """An Alembic project of these revisions and, where there is a source, one more after them."""
    versions = folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    for path in revisions:
        (versions / path.name).write_bytes(path.read_bytes())
    if source:
        (folder / SOURCE).write_text(source, encoding="utf-8", newline="")
    return versions


def run(function: str, work: Work) -> Run:
    """Run it in the scratch database, in a process of its own; a result in any case."""
    with database.scratch() as connection:
        try:
            place = f"workbook.exercises.child:{function}"
            done = apart.on_database(connection, place, work, folder=work.folder)
            if isinstance(done, Run):
                return done
            reason = "it ends Python itself"
        except apart.Stopped as stopped:
            reason = str(stopped)
    return Run(failure=Failure("run", "stopped", reason))


def reference(function: str, work: Work) -> Run:
    """What the reference in this folder does, found out once in a kernel."""
    files = [path.read_bytes() for path in sorted(work.folder.rglob("*.py"))]
    key = (function, replace(work, folder=Path()), *files)
    if key not in GOALS:
        GOALS[key] = run(function, work)
        assert not GOALS[key].failure, f"the reference fails: {GOALS[key].failure}"
    return GOALS[key]


# ---- judging it ----------------------------------------------------------------------------------


def not_yet(*lines: str) -> Outcome:
    """Something differs: the first few lines of it."""
    more = len(lines) - MOST_LINES
    rest = (f"And {more} more.",) if more > 0 else ()
    return Outcome("not yet", (*lines[:MOST_LINES], *rest))


def known(mistake: Mistake, *places: str) -> Outcome:
    """A mistake that has a name, and where it is."""
    lines = dict.fromkeys(filter(None, [*places, mistake.why, mistake.how]))
    return Outcome("mistake", (*lines,), mistake.name)


def recognised(trial: Trial, own: Sequence[Mistake], others: Sequence[Mistake]) -> Outcome | None:
    """The first of the known mistakes that the trial shows.

    The exercise's own come first, then those of the step that failed, then what shows in the text
    and in what came out. So a new one of a step cannot take the place of another step's.
    """
    for mistake in (*own, *sorted(others, key=lambda each: not each.step)):
        failed = trial.error and (mistake.step == ANY or mistake.step in trial.error.step)
        found = (not mistake.step or failed) and mistake.shown_by and mistake.shown_by(trial)
        if found:
            place = trial.place(found)
            line = "" if not mistake.step or place.startswith("Line ") else trial.error.line
            return known(mistake, place, line)
    return None


def verdict(trial: Trial, own: Sequence[Mistake], others: Sequence[Mistake]) -> Outcome:
    """What to tell about a trial: a known mistake, an error, a difference, or that it is right."""
    error = trial.error
    if error.name == UNREADABLE:
        end = "" if error.message.endswith(("?", ".")) else "."
        return not_yet(f"Python cannot read it: {error.message}{end}", *at(error))
    outcome = recognised(trial, own, others) or _stopped(error)
    if outcome:
        return outcome
    told = schema.named if trial.names else lambda content: content
    if trial.up is not None and told(trial.up) != told(trial.goal):
        return not_yet(*schema.differences(told(trial.up), told(trial.goal)))
    if trial.down is not None and trial.down != trial.back:
        left = schema.differences(trial.down, trial.back)
        return not_yet("The downgrade does not lead back to where the upgrade began.", *left)
    lines = routines_differ(trial)
    if lines:
        return not_yet(*lines)
    if error:
        message = error.message
        if len(message) > LONGEST:
            message = message[:LONGEST].rsplit(" ", 1)[0] + " ..."
        what = error.name if message == error.name else f"{error.name}: {message}"
        return not_yet(f"{STEPS[error.step]} stops with {what.rstrip('.')}.", *at(error))
    if trial.exact:
        lines = rows_differ(trial)
        if lines:
            return not_yet(*lines)
    if trial.run.probe != trial.wanted.probe:
        said = trial.run.probe
        wrong = [words for words, want in trial.wanted.probe.items() if said.get(words) != want]
        return not_yet(*(f"Tried out, and this does not hold: {words}." for words in wrong))
    return Outcome("done")


def routines_differ(trial: Trial) -> list[str]:
    """Triggers and functions that are there after a step, or gone, and should not be, in words.

    An upgrade may make new ones under any name; a downgrade leads back to those before it.
    """
    at_first, up, down = (trial.run.after(name) for name in ("before", "upgrade", "downgrade"))
    wanted = trial.wanted.after("upgrade")
    if not (at_first and up and wanted):
        return []
    began = {*at_first.routines}
    steps = [("upgrade", {*up.routines} & began, {*wanted.routines} & began)]
    if down:
        steps.append(("downgrade", {*down.routines}, began))
    return [
        f"After the {name}, the {each} is {'still there' if each in have else 'gone'}."
        for name, have, want in steps
        for each in sorted(have ^ want, reverse=True)
    ]


def _stopped(error: Failure) -> Outcome | None:
    """What to tell of code that was stopped, or of a history that cannot be run."""
    if error.name == "QueryCanceled":
        return not_yet(
            f"It was stopped: a statement took longer than {apart.STATEMENT_SECONDS} seconds.",
            *at(error),
        )
    if error.step == "run":
        return not_yet(f"It was stopped: {error.message}.")
    if error.name == "SystemExit":
        return not_yet("It was stopped: it ends Python itself.", *at(error))
    if error.name == "bases":
        return not_yet(
            f"Alembic finds more than one place to begin: {error.message}.",
            "Each of these revisions says that it comes after nothing. One of the files has to go.",
        )
    if error.name == "heads":
        return not_yet(f"Alembic finds more than one head: {error.message}.")
    return None


def rows_differ(trial: Trial) -> list[str]:
    """What is lost, left over or of another value among the rows after a step, in words."""
    found = []
    for ours in trial.wanted.steps:
        theirs = trial.run.after(ours.name)
        place = PLACES.get(ours.name, f"After the {ours.name}")
        for table, want in ours.rows.items():
            have = theirs.rows.get(table, []) if theirs else []
            found += [f"{place}, {each}" for each in schema.rows_differ(table, have, want)]
    return found


def at(error: Failure) -> list[str]:
    """The learner's own line that led to an error, where one did."""
    return [error.line] if error.line else []


def answering(error: sa.exc.DBAPIError) -> str:
    """The first line of what PostgreSQL says."""
    with suppress(IndexError):
        return str(error.orig).strip().splitlines()[0]
    return type(error).__name__
