"""The kinds of exercises: each function makes an Exercise from what is particular to it."""

import json
import os
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa
from psycopg2.errors import LockNotAvailable

from workbook import ROOT, WorkbookError, project, schema
from workbook.exercises import Exercise, Outcome
from workbook.exercises.mistakes import Mistake, Trial, recognise
from workbook.exercises.mistakes_in_migrations import MIGRATION
from workbook.exercises.mistakes_in_models import MODEL
from workbook.exercises.trial import SEED, lay_out
from workbook.server import database

GAP = "____"
MOST_LINES = 4
LONGEST = 240  # of an error's message: some of SQLAlchemy's are a page
SECONDS = 30  # then a learner's code is taken to hang
STATEMENT_SECONDS = 10  # for a single SQL statement
STEPS = {  # of a trial, as a learner would call them
    "read": "Reading the file",
    "before": "A revision before yours",
    "upgrade": "The upgrade",
    "downgrade": "The downgrade",
    "upgrade again": "The second upgrade",
    "import": "Reading the file",
    "configure": "Connecting the models",
    "create": "Creating the tables",
    "probe": "Trying the models out",
}
GOALS: dict[str, str] = {}  # what each reference does, once it has been run in this kernel
FILL_IN = "Fill in the cell above and run it, then run this one again."


class Common(TypedDict):
    """What every exercise has: see Exercise."""

    task: str
    hints: tuple[str, ...]
    solution: str
    why: str
    passed: str


def not_attempted(words: str) -> Outcome:
    """Nothing to judge yet, and what to do first."""
    return Outcome("not attempted", "Not attempted yet", (words,))


def unwritten() -> Outcome:
    """No file to judge yet. Without the first cell, a kernel writes files to the wrong folder."""
    with suppress(OSError):
        if Path().samefile(project.workspace()):
            return not_attempted(FILL_IN)
    return not_attempted(f"Run the notebook's first cell. {FILL_IN}")


def not_yet(*lines: str) -> Outcome:
    """Something differs: the first few lines of it."""
    more = len(lines) - MOST_LINES
    rest = (f"And {more} more.",) if more > 0 else ()
    return Outcome("not yet", "Not there yet", (*lines[:MOST_LINES], *rest))


def known(mistake: Mistake) -> Outcome:
    """A mistake that has a name."""
    return Outcome("mistake", f"Not there yet: {mistake.name}", (mistake.why, mistake.how))


DONE = Outcome("done", "Done")


def choose(
    id: str, right: str, wrong: Mapping[str, tuple[str, str]], **common: Unpack[Common]
) -> Exercise:
    """Pick one of several explanations; each wrong one has a name and an answer of its own."""

    def judge(answer: object) -> Outcome:
        letter = plain(answer).strip("().")
        if letter == right:
            return DONE
        if letter in wrong:
            name, why = wrong[letter]
            return Outcome("mistake", f"Not there yet: {name}", (why,))
        letters = ", ".join(sorted([right, *wrong]))
        return not_yet(f"Answer with one of the letters {letters}, in quotes.")

    return Exercise(id, judge=answered(judge), **common)


def find_out(
    id: str,
    question: str | Callable[[], object],
    mistakes: Mapping[str, tuple[str, str]],
    **common: Unpack[Common],
) -> Exercise:
    """Find something out; the goal is what `question` gives, SQL on the chapter's start or a call."""

    def judge(answer: object) -> Outcome:
        if isinstance(question, str):
            with built() as connection:
                goal = plain(connection.exec_driver_sql(question).scalar())
        else:
            goal = plain(question())
        given = plain(answer)
        if given == goal or (goal.isdigit() and re.findall(r"\d+", given) == [goal]):
            return DONE
        for wrong, (name, why) in mistakes.items():
            if given == plain(wrong):
                return Outcome("mistake", f"Not there yet: {name}", (why,))
        return not_yet(f"That is not what comes out: {str(answer).strip()[:60]!r}.")

    return Exercise(id, judge=answered(judge), **common)


def order(
    id: str,
    lines: Mapping[str, str],
    try_out: Callable[[list[str]], list[str]],
    mistakes: Callable[[list[str]], tuple[str, str] | None],
    **common: Unpack[Common],
) -> Exercise:
    """Put lettered lines in order. `try_out` runs them and gives what is wrong, in words."""

    def judge(answer: object) -> Outcome:
        letters = [each for each in str(answer).lower() if each.isalnum()]
        if sorted(letters) != sorted(lines):
            return not_yet(f"Use each of the letters {' '.join(lines)} once, in quotes.")
        wrong = mistakes(letters)
        if wrong:
            return Outcome("mistake", f"Not there yet: {wrong[0]}", (wrong[1],))
        found = try_out([lines[each] for each in letters])
        return not_yet(*found) if found else DONE

    return Exercise(id, judge=answered(judge), **common)


def revision(
    id: str,
    *,
    file: str | None = None,
    reference: str = "",
    down: bool = True,
    attempted: Callable[[str], bool] = lambda source: True,
    mistakes: tuple[Mistake, ...] = (),
    **common: Unpack[Common],
) -> Exercise:
    """Write or repair a migration, in practice/<file> or, without one, in the project itself.

    It is taken up, down and up again with rows in the tables, and compared with `reference`, which
    is by default the finished history's first revision.
    """

    def judge(answer: object) -> Outcome:
        source = written(file) if file else project_source()
        if blank(source) or not attempted(source):
            return unwritten()
        if file:
            trial = run_trial("revision", source, reference, down=down)
        else:
            trial = run_trial("revision", source, "", own=revisions(), before="base", down=down)
        return judge_trial(trial, (*mistakes, *MIGRATION), down)

    return Exercise(id, judge=judge, **common)


def model(
    id: str,
    *,
    file: str,
    reference: str,
    probes: Mapping[str, str] | None = None,
    attempted: Callable[[str], bool] = lambda source: True,
    mistakes: tuple[Mistake, ...] = (),
    **common: Unpack[Common],
) -> Exercise:
    """Write or repair models in practice/<file>: their tables, and the probes, words to Python."""

    def judge(answer: object) -> Outcome:
        source = written(file)
        if blank(source) or not attempted(source):
            return unwritten()
        trial = run_trial("model", source, reference, probes=probes)
        return judge_trial(trial, (*mistakes, *MODEL), down=False)

    return Exercise(id, judge=judge, **common)


def state(id: str, judge: Callable[[sa.Connection], Outcome], **common: Unpack[Common]) -> Exercise:
    """Do something with the project's database; `judge` looks at the database itself."""

    def look(answer: object) -> Outcome:
        try:
            with database.engine().connect() as connection:
                return judge(connection)
        except sa.exc.DBAPIError as error:
            if isinstance(error.orig, LockNotAvailable):
                return not_yet(
                    "Another session holds a lock on the tables, in a terminal or another notebook.",
                    "Let it commit or roll back, then run this again.",
                )
            first = str(error.orig).strip().splitlines()[0]
            return not_yet(f"PostgreSQL does not answer the check's questions: {first}.")

    return Exercise(id, judge=look, **common)


def answered(judge: Callable[[object], Outcome]) -> Callable[[object], Outcome]:
    """An exercise whose answer is handed to check()."""

    def look(answer: object) -> Outcome:
        if answer is None or GAP in str(answer) or not str(answer).strip():
            return not_attempted(f"Put your answer in place of {GAP} and run the cell again.")
        return judge(answer)

    return look


def plain(value: object) -> str:
    """An answer as it is compared: without spaces around, quotes, or capital letters.

    Of a result of `%sql` it is the only value, where there is only one.
    """
    while isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().strip("'\"").strip().lower()


def written(file: str) -> str:
    """What the learner wrote to practice/<file>; nothing where there is no such file."""
    path = project.workspace() / "practice" / file
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def revisions() -> list[Path]:
    """The files of the project's revisions."""
    versions = project.workspace() / "alembic" / "versions"
    return sorted(each for each in versions.glob("*.py") if each.is_file())


def project_source() -> str:
    """The text of the project's revisions; nothing where there is none."""
    return "\n".join(each.read_text(encoding="utf-8", errors="replace") for each in revisions())


def bare(source: str) -> str:
    """A source without comments and empty lines, to see whether anything was changed in it."""
    lines = [re.sub(r"#.*", "", line).rstrip() for line in source.splitlines()]
    return "\n".join(filter(None, lines))


def blank(source: str) -> bool:
    """Whether there is nothing to judge: no code, or a gap in it."""
    return not bare(source) or GAP in source


@contextmanager
def built() -> Iterator[sa.Connection]:
    """The scratch database with the first revision and a few rows."""
    with database.scratch() as connection:
        project.migrate(connection, project.scripts(ROOT), project.INIT)
        connection.exec_driver_sql(SEED)
        yield connection


def run_trial(
    kind: str,
    source: str,
    reference: str,
    *,
    own: list[Path] | None = None,
    before: str = project.INIT,
    before_files: list[Path] | None = None,
    down: bool = True,
    probes: Mapping[str, str] | None = None,
) -> Trial:
    """Run the learner's code and the reference in the scratch database, in another process.

    The learner's code is `source`, or the revision files `own`; it begins at the revision
    `before`, which `before_files` lead to, by default the finished first revision. Raises
    WorkbookError when not even the reference could be run.
    """
    files = history() if before_files is None else before_files
    goal = json.dumps([kind, reference, before, down, [each.read_text() for each in files]])
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        database.scratch() as connection,
    ):
        folder = Path(name).resolve()
        lay_out(folder / "reference", kind, files, reference, before)
        if own is None:
            lay_out(folder / "learner", kind, files, source, before)
        else:
            lay_out(folder / "learner", kind, own, "", before)
        who = ["learner"] if goal in GOALS else ["reference", "learner"]
        request = {
            "kind": kind,
            "folder": str(folder),
            "who": who,
            "before": before,
            "down": down,
            "seconds": STATEMENT_SECONDS,
            "limit": SECONDS + 5,
            "probes": dict(probes or {}),
        }
        lines, stopped = in_child(request, connection)
    if not stopped and not lines:
        raise WorkbookError("The check itself did not work: python3 -m workbook doctor says why.")
    said = dict(zip(who, lines[1:], strict=False))
    if "reference" in said:
        GOALS[goal] = said["reference"]
    if not stopped and "learner" in said:
        with suppress(KeyError, TypeError, ValueError):  # where code has meddled with the trial's
            return as_trial(source, json.loads(GOALS[goal]), json.loads(said["learner"]))
    empty = schema.Schema({})
    words = stopped or "it ends Python itself"
    error = {"step": "run", "name": "stopped", "message": words, "line": ""}
    return Trial(source, empty, empty, error=error)


def in_child(request: dict[str, Any], connection: sa.Connection) -> tuple[list[str], str]:
    """What the child process wrote, line by line, and why it was stopped, where it was."""
    session = f"trial-{uuid.uuid4().hex}"  # not to end those who wait here for their turn
    try:
        done = subprocess.run(
            [sys.executable, "-m", "workbook.exercises.trial"],
            input=json.dumps(request),
            cwd=request["folder"],
            env={
                **os.environ,
                "PGDATABASE": os.environ["PGDATABASE"] + "_scratch",
                "PGAPPNAME": session,
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return done.stdout.splitlines(), ""
    except subprocess.TimeoutExpired:
        return [], f"it did not come to an end in {SECONDS} seconds"
    finally:  # a statement goes on in the server when its program is gone
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND application_name = '{session}'"
        )


def history() -> list[Path]:
    """The files of the finished history up to its first revision."""
    return [Path(each.path) for each in project.history("base", project.INIT)]


def as_trial(source: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Trial:
    """What the child process said about the reference and the learner, as a Trial."""

    def after(said: dict[str, Any], *names: str) -> schema.Schema | None:
        for step in said["steps"]:
            if step["name"] in names:
                return schema.from_dict(step["schema"])
        return None

    assert not ours["error"], f"the reference solution fails: {ours['error']}"
    goal = after(ours, "upgrade", "create")
    assert goal
    return Trial(
        source,
        goal=goal,
        before=schema.from_dict(theirs["before"]),
        up=after(theirs, "upgrade", "create"),
        down=after(theirs, "downgrade"),
        kept=all(
            their["rows"].get(table, was) == was
            for our, their in zip(ours["steps"], theirs["steps"], strict=False)
            for table, was in theirs["rows"].items()
            if our["rows"].get(table) == ours["rows"].get(table)  # where the reference keeps them
        ),
        error=theirs["error"] or {},
        probe=theirs.get("probe") or {},
        wanted=ours.get("probe") or {},
    )


def judge_trial(trial: Trial, mistakes: tuple[Mistake, ...], down: bool) -> Outcome:
    """What to tell about a trial: a known mistake, an error, a difference, or that it is right."""
    if trial.error.get("message", "").startswith("line "):  # Python's own; PostgreSQL has one too
        return not_yet(f"Python cannot read it: {trial.error['message']}.", *at(trial))
    mistake = recognise(trial, mistakes)
    if mistake:
        return known(mistake)
    if trial.error.get("name") == "QueryCanceled":
        return not_yet(
            f"It was stopped: a statement took longer than {STATEMENT_SECONDS} seconds.",
            *at(trial),
        )
    if trial.error.get("step") == "run":
        return not_yet(f"It was stopped: {trial.error['message']}.")
    if trial.error.get("name") == "SystemExit":
        return not_yet("It was stopped: it ends Python itself.", *at(trial))
    if trial.error.get("name") == "heads":
        return not_yet(
            f"Alembic finds more than one place to begin: {trial.error['message']}.",
            "Each of these revisions says that it comes after nothing. One of the files has to go.",
        )
    if trial.up is not None and trial.up != trial.goal:
        return not_yet(*schema.differences(trial.up, trial.goal))
    if down and trial.down is not None and trial.down != trial.before:
        left = schema.differences(trial.down, trial.before)
        return not_yet("The downgrade does not lead back to where the upgrade began.", *left)
    if trial.error:
        step, name, message = (trial.error[key] for key in ("step", "name", "message"))
        if len(message) > LONGEST:
            message = message[:LONGEST].rsplit(" ", 1)[0] + " ..."
        what = name if message == name else f"{name}: {message}"
        return not_yet(f"{STEPS[step]} stops with {what.rstrip('.')}.", *at(trial))
    if trial.probe != trial.wanted:
        wrong = [words for words, want in trial.wanted.items() if trial.probe.get(words) != want]
        return not_yet(*(f"Tried out, and this does not hold: {words}." for words in wrong))
    return DONE


def at(trial: Trial) -> list[str]:
    """The learner's own line that led to an error, where one did."""
    return [f"The line is: {trial.error['line']}"] if trial.error["line"] else []
