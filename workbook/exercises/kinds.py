"""The kinds of exercises: each function makes an Exercise from what is particular to it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa

from workbook import ROOT, chapters, database, schema
from workbook.exercises import Exercise, Outcome
from workbook.exercises.mistakes import MIGRATION, MODEL, Mistake, Trial, recognise
from workbook.exercises.trial import SEED, lay_out

GAP = "____"
MOST_LINES = 4
SECONDS = 30  # then a learner's code is taken to hang; PostgreSQL's own limits come before


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
        letter = str(answer).strip().strip("().").lower()
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
        if given == goal:
            return DONE
        for wrong, (name, why) in mistakes.items():
            if given == plain(wrong):
                return Outcome("mistake", f"Not there yet: {name}", (why,))
        return not_yet(f"The database says something else than {str(answer).strip()[:60]!r}.")

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
        if source is None or GAP in source or not attempted(source):
            return not_attempted("Fill in the cell above and run it, then run this one again.")
        project = None if file else chapters.workspace()
        trial = run_trial("revision", source, reference, down=down, project=project)
        return judge_trial(trial, (*mistakes, *MIGRATION), down)

    return Exercise(id, judge=judge, **common)


def model(
    id: str,
    *,
    file: str,
    reference: str,
    probes: tuple[str, ...] = (),
    attempted: Callable[[str], bool] = lambda source: True,
    mistakes: tuple[Mistake, ...] = (),
    **common: Unpack[Common],
) -> Exercise:
    """Write or repair models in practice/<file>: their tables, and what the probes give."""

    def judge(answer: object) -> Outcome:
        source = written(file)
        if source is None or GAP in source or not attempted(source):
            return not_attempted("Fill in the cell above and run it, then run this one again.")
        trial = run_trial("model", source, reference, probes=probes)
        return judge_trial(trial, (*mistakes, *MODEL), down=False)

    return Exercise(id, judge=judge, **common)


def state(id: str, judge: Callable[[sa.Connection], Outcome], **common: Unpack[Common]) -> Exercise:
    """Do something with the project's database; `judge` looks at the database itself."""

    def look(answer: object) -> Outcome:
        with database.engine().connect() as connection:
            return judge(connection)

    return Exercise(id, judge=look, **common)


def answered(judge: Callable[[object], Outcome]) -> Callable[[object], Outcome]:
    """An exercise whose answer is handed to check()."""

    def look(answer: object) -> Outcome:
        if answer is None or GAP in str(answer) or not str(answer).strip():
            return not_attempted(f"Put your answer in place of {GAP} and run the cell again.")
        return judge(answer)

    return look


def plain(value: object) -> str:
    """An answer as it is compared: without spaces around, quotes, or capital letters."""
    return str(value).strip().strip("'\"").strip().lower()


def written(file: str) -> str | None:
    """What the learner wrote to practice/<file>."""
    path = chapters.workspace() / "practice" / file
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def project_source() -> str | None:
    """The text of the project's revisions; None where there is none."""
    files = sorted((chapters.workspace() / "alembic" / "versions").glob("*.py"))
    return "\n".join(each.read_text(encoding="utf-8", errors="replace") for each in files) or None


@contextmanager
def built() -> Iterator[sa.Connection]:
    """The scratch database with the first revision and a few rows."""
    with database.scratch() as connection:
        chapters.migrate(connection, chapters.scripts(ROOT), chapters.INIT)
        connection.exec_driver_sql(SEED)
        yield connection


def run_trial(
    kind: str,
    source: str,
    reference: str,
    *,
    down: bool = True,
    probes: tuple[str, ...] = (),
    project: Path | None = None,
    before: str = "base",
) -> Trial:
    """Run the learner's code and the reference in the scratch database, in another process."""
    with tempfile.TemporaryDirectory() as name, database.scratch() as connection:
        folder = Path(name).resolve()
        if project and not reference:  # the goal is the finished first revision itself
            versions = folder / "reference" / "alembic" / "versions"
            versions.mkdir(parents=True)
            for each in chapters.history("base", chapters.INIT):
                versions.joinpath(Path(each.path).name).write_bytes(Path(each.path).read_bytes())
        else:
            lay_out(folder / "reference", reference, kind, None)
        lay_out(folder / "learner", source, kind, project)
        request = {
            "kind": kind,
            "folder": str(folder),
            "before": {
                "reference": chapters.INIT if reference else "base",
                "learner": before if project else chapters.INIT,
            },
            "down": down,
            "probes": probes,
        }
        environment = {
            **os.environ,
            "PGDATABASE": os.environ["PGDATABASE"] + "_scratch",
            "PGAPPNAME": "trial",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        try:
            done = subprocess.run(
                [sys.executable, "-m", "workbook.exercises.trial"],
                input=json.dumps(request),
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            result = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'trial' AND datname = current_database()"
            )
            words = "it ended Python itself"
            if isinstance(error, subprocess.TimeoutExpired):
                words = f"it did not come to an end in {SECONDS} seconds"
            empty = schema.Schema({})
            stopped = {"step": "run", "name": type(error).__name__, "message": words, "line": ""}
            return Trial(source, empty, empty, error=stopped)
    if result["reference"]["error"]:
        raise AssertionError(f"the reference solution fails: {result['reference']['error']}")
    return as_trial(source, result)


def as_trial(source: str, result: dict[str, Any]) -> Trial:
    """The child process's answer as a Trial."""

    def after(who: str, *names: str) -> schema.Schema | None:
        for step in result[who]["steps"]:
            if step["name"] in names:
                return schema.from_dict(step["schema"])
        return None

    goal = after("reference", "upgrade", "create")
    assert goal
    return Trial(
        source,
        goal=goal,
        before=schema.from_dict(result["reference"]["before"]),
        up=after("learner", "upgrade", "create"),
        down=after("learner", "downgrade"),
        error=result["learner"]["error"] or {},
        probe=result["learner"].get("probe") or {},
        wanted=result["reference"].get("probe") or {},
    )


def judge_trial(trial: Trial, mistakes: tuple[Mistake, ...], down: bool) -> Outcome:
    """What to tell about a trial: a known mistake, an error, a difference, or that it is right."""
    if trial.error.get("name") in ("SyntaxError", "IndentationError", "TabError"):
        return not_yet(f"Python cannot read it: {trial.error['message']}.", at(trial))
    mistake = recognise(trial, mistakes)
    if mistake:
        return known(mistake)
    if trial.error.get("name") == "QueryCanceled":
        return not_yet("It was stopped: a statement took longer than ten seconds.", at(trial))
    if trial.error.get("step") == "run":
        return not_yet(f"It was stopped: {trial.error['message']}.")
    if trial.error.get("name") == "heads":
        return not_yet(f"The project has not one head but: {trial.error['message'] or 'none'}.")
    if trial.up is not None and trial.up != trial.goal:
        return not_yet(*schema.differences(trial.up, trial.goal))
    if trial.error:
        step, name, message = (trial.error[key] for key in ("step", "name", "message"))
        return not_yet(f"The {step} stops with {name}: {message}.", at(trial))
    if trial.probe != trial.wanted:
        return not_yet(
            *(
                f"{each} gives {trial.probe.get(each)}, and should give {want}."
                for each, want in trial.wanted.items()
                if trial.probe.get(each) != want
            )
        )
    if down and trial.down != trial.before:
        assert trial.down
        left = schema.differences(trial.down, trial.before)
        return not_yet("The downgrade does not lead back to where the upgrade began.", *left)
    return DONE


def at(trial: Trial) -> str:
    """The learner's own line that led to an error."""
    return f"The line is: {trial.error['line']}" if trial.error["line"] else "Read it from its end."
