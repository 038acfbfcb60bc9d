"""The kinds of exercises. Each is data that can be asked, and knows how to judge."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import sqlalchemy as sa
from psycopg2.errors import LockNotAvailable

from workbook import ROOT, WorkbookError, apart, magics, project
from workbook.contents import AT_INIT, INIT, MODELS, Start
from workbook.exercises import GAP, Exercise, Mistake, Outcome
from workbook.exercises.child import SOURCE, Work
from workbook.exercises.mistakes import MIGRATION, MODEL
from workbook.exercises.trial import (
    IDS,
    PRACTICE,
    Trial,
    answering,
    known,
    lay_out,
    not_yet,
    reference,
    run,
    verdict,
)
from workbook.server import database

ROWS = """
INSERT INTO companies (name) VALUES ('Ada Analytics'), ('Borealis Books');
INSERT INTO jobs (title, description, company_id)
SELECT 'Job ' || n, 'Described.', 1 + mod(n, 2) FROM generate_series(1, 4) AS n;
"""
NOTHING = Start("nothing", rows=ROWS)
TWO_TABLES = Start("companies and jobs, with rows", MODELS, AT_INIT, AT_INIT, ROWS)
DONE = Outcome("done")
FILL_IN = "Fill in the cell above and run it, then run this one again."


def not_attempted(words: str) -> Outcome:
    """Nothing to judge yet, and what to do first."""
    return Outcome("not attempted", (words,))


def unwritten(words: str) -> Outcome:
    """Nothing to judge yet. Without the first cell, or after `cd`, work goes to another folder."""
    with suppress(OSError):
        if Path().samefile(project.workspace()):
            return not_attempted(words)
    return not_attempted(f"Run the notebook's first cell. {words}")


def refused(outcome: Outcome) -> Outcome:
    """The same, unless what is judged is the version before a cell that was not written."""
    said = magics.refusal(revisions())
    return not_yet(*said) if said and outcome.kind != "done" else outcome


# ---- answers that are handed to check() ----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Answered(Exercise):
    """An exercise whose answer is handed to check()."""

    right: str = ""

    @property
    def solution(self) -> str:
        return f'check("{self.id}", "{self.right}")'

    def judge(self, answer: object) -> Outcome:
        if answer is None or GAP in str(answer) or not str(answer).strip():
            return not_attempted(f"Put your answer in place of {GAP} and run the cell again.")
        return self.weigh(answer)

    def weigh(self, answer: object) -> Outcome:
        """The outcome for an answer that is there."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Choose(Answered):
    """Pick one of several explanations; each wrong one has a name and an answer of its own."""

    wrong: Mapping[str, Mistake]

    def named(self) -> tuple[Mistake, ...]:
        return (*self.wrong.values(), *self.mistakes)

    def weigh(self, answer: object) -> Outcome:
        letter = plain(answer).strip("().")
        if letter == self.right:
            return DONE
        if letter in self.wrong:
            return known(self.wrong[letter])
        letters = ", ".join(sorted([self.right, *self.wrong]))
        return not_yet(f"Answer with one of the letters {letters}, in quotes.")


@dataclass(frozen=True, kw_only=True)
class FindOut(Answered):
    """Find something out; the goal is what `question` gives: SQL on the two tables, or a call.

    `form` says what an answer looks like, to those who give another one.
    """

    question: str | Callable[[], object]
    wrong: Mapping[str, Mistake]
    form: str = ""

    def named(self) -> tuple[Mistake, ...]:
        return (*self.wrong.values(), *self.mistakes)

    @property
    def solution(self) -> str:
        value = self.right if self.right.isdigit() else f'"{self.right}"'
        return f'check("{self.id}", {value})'

    def weigh(self, answer: object) -> Outcome:
        goal, given = plain(self._goal()), plain(answer).rstrip(".")
        if given == goal or (goal.isdigit() and re.findall(r"\d+", given) == [goal]):
            return DONE
        for wrong, mistake in self.wrong.items():
            if given == plain(wrong):
                return known(mistake)
        said = f"That is not what comes out: {str(answer).strip()[:60]!r}."
        return not_yet(*filter(None, [said, self.form]))

    def _goal(self) -> object:
        if not isinstance(self.question, str):
            return self.question()
        with built() as connection:
            return connection.exec_driver_sql(self.question).scalar()


@dataclass(frozen=True, kw_only=True)
class Order(Answered):
    """Put lettered lines in order. `try_out` runs them and gives what goes wrong, in words.

    `wrong` finds the well-known ways to get it wrong, which are among `mistakes`.
    """

    lines: Mapping[str, str]  # as the lesson shows them
    try_out: Callable[[list[str]], list[str]]
    wrong: Callable[[list[str]], Mistake | None]

    def weigh(self, answer: object) -> Outcome:
        letters = [each for each in str(answer).lower() if each.isalnum()]
        if sorted(letters) != sorted(self.lines):
            return not_yet(f"Use each of the letters {' '.join(self.lines)} once, in quotes.")
        mistake, found = self.wrong(letters), self.try_out(letters)
        if mistake:
            return known(mistake, *found[:1])
        return not_yet(*found) if found else DONE


# ---- code, which is tried out --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Code(Exercise):
    """A file to write or to repair. «Marks» in `code` are the gaps that the learner fills."""

    code: str
    shown: str | None = None  # what the learner finds, where that is not the code with gaps
    file: str = ""  # in practice/
    names: bool = False  # whether the names of constraints and indexes count
    exact: bool = False  # whether all rows count, and not only those that the reference keeps

    @property
    def header(self) -> str:
        """The cell's first line."""
        return f"%%writefile practice/{self.file}"

    @property
    def filled(self) -> str:
        """The code without its marks."""
        return re.sub("[«»]", "", self.code).strip("\n") + "\n"

    @property
    def cell(self) -> str:
        shown = (
            re.sub("«.*?»", GAP, self.code, flags=re.DOTALL) if self.shown is None else self.shown
        )
        return f"{self.header}\n{shown.strip()}"

    @property
    def solution(self) -> str:
        return f"{self.header}\n{self.filled}"

    def attempted(self, source: str) -> bool:
        """Whether there is anything to judge: code, no gap in it, and not what was there."""
        return bare(source) not in ("", bare(self.cell.partition("\n")[2])) and GAP not in source

    def judge(self, answer: object) -> Outcome:
        if not self.attempted(self.written()):
            place = f" The check reads practice/{self.file}." if self.file else ""
            return unwritten(FILL_IN + place)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            return self.tried(Path(name).resolve())

    def written(self) -> str:
        """What the learner wrote; nothing where there is no such file."""
        return text(project.workspace() / "practice" / self.file)

    def tried(self, folder: Path) -> Outcome:
        """The outcome of the code that is there, laid out in a folder and run."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Models(Code):
    """Write or repair models: their tables, and the probes, words to Python."""

    probes: Mapping[str, str] = field(default_factory=dict)

    def tried(self, folder: Path) -> Outcome:
        return self.judged(self.written(), folder)

    def judged(self, source: str, folder: Path) -> Outcome:
        """The outcome of a source, beside the reference's."""
        for name, code in (("reference", self.filled), ("learner", source)):
            shutil.copytree(project.MODELS, folder / name)
            (folder / name / SOURCE).write_text(code, encoding="utf-8", newline="")
        probes = tuple(self.probes.items())
        wanted = reference("models", Work(folder / "reference", probes=probes))
        mine = run("models", Work(folder / "learner", probes=probes))
        return verdict(Trial(mine, wanted, self.names, free=True), self.mistakes, MODEL)


@dataclass(frozen=True, kw_only=True)
class Revision(Code):
    """Write or repair a migration. It goes up, down and up again, with rows in the tables.

    It stands in practice/`file` and comes after `start`; or it is the project's first revision,
    the one file that `into` matches, and is held to the finished history's first. `then` is SQL of
    the application, which works on between the upgrade and the downgrade. Where there are `also`
    other starts, it is tried on each, and the words of the one where it fails are told.
    """

    into: str = ""
    start: Start = TWO_TABLES
    also: tuple[Start, ...] = ()
    hurdle: tuple[str, str] | None = None  # SQL that stops a first upgrade half-way, and its end
    convention: bool = False  # whether the project has one for names
    then: str = ""
    then_back: str = ""  # and what it does after the downgrade
    down: bool = True
    whole: bool = False  # a whole file with ids of its own, whose place in the history counts
    locks: bool = False  # whether the trial shows what each statement of the upgrade has locked
    counts: Callable[[str], bool] | None = None  # attempted at all, by what the functions do

    @property
    def header(self) -> str:
        return f"%%writerevision {self.into}" if self.into else super().header

    def judge(self, answer: object) -> Outcome:
        return refused(super().judge(answer)) if self.into else super().judge(answer)

    def attempted(self, source: str) -> bool:
        if self.counts:
            return bool(bare(source)) and GAP not in source and self.counts(source)
        return super().attempted(source)

    def written(self) -> str:
        if self.into:
            found = [*project.workspace().glob(self.into)] or revisions()
            return "\n".join(map(text, found))
        return super().written()

    def tried(self, folder: Path) -> Outcome:
        for number, start in enumerate((self.start, *self.also)):
            outcome = replace(self, start=start).laid_out(folder / str(number))
            if outcome.kind != "done":
                where = (f"Tried on {start.words}.",) if self.also else ()
                return replace(outcome, lines=(*where, *outcome.lines))
        return outcome

    def laid_out(self, folder: Path) -> Outcome:
        """The outcome of the code that is there, after this exercise's start."""
        if self.into:
            lay_out(folder / "reference", history(AT_INIT))
            lay_out(folder / "learner", revisions())
        else:
            for name, source in (("reference", self.filled), ("learner", self.written())):
                versions = lay_out(folder / name, history(self.start.heads), source)
                ids = IDS.format(revision="practice", down=self.start.heads or None)
                text = source if self.whole else PRACTICE + ids
                (versions / SOURCE).write_text(text, encoding="utf-8", newline="")
        return self.judged(folder)

    def judged(self, folder: Path) -> Outcome:
        """The outcome of the projects laid out in a folder, the reference's and the learner's."""
        wanted, mine = (
            judge(
                "migrations",
                Work(
                    folder / name,
                    self.start.heads,
                    self.start.rows,
                    self.then,
                    self.then_back,
                    down=self.down,
                    first=bool(self.into),
                    locks=self.locks,
                    convention=self.convention,
                    hurdle=self.hurdle,
                ),
            )
            for judge, name in ((reference, "reference"), (run, "learner"))
        )
        trial = Trial(mine, wanted, self.names, self.exact, free=not self.into)
        return verdict(trial, self.mistakes, MIGRATION)


@dataclass(frozen=True, kw_only=True)
class Reviewed(Revision):
    """Write or repair a migration such that the review has nothing to object, too."""

    def judged(self, folder: Path) -> Outcome:
        outcome = super().judged(folder)
        return outcome if outcome.kind != "done" else self._objections(folder / "learner")

    def _objections(self, folder: Path) -> Outcome:
        from workbook import reviewing  # which imports the pictures, and they take their time

        (folder / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n")
        try:
            with database.scratch() as connection:
                found = reviewing.measured(connection, ("practice",), folder)
        except WorkbookError as stopped:
            return not_yet(str(stopped))
        lines = [line for each in found for line in reviewing.report.objections(each)]
        return not_yet(*lines) if lines else DONE


@dataclass(frozen=True, kw_only=True)
class Probed(Code):
    """A file of any kind, which a function of the exercise's own tries out.

    `probe` is its "module:function". It is called with the file's text, in a process of its own, in
    an empty folder and on the empty scratch database, and gives what is wrong in lines; the first
    may be a mistake's name. Nothing: it is right.
    """

    probe: str

    def tried(self, folder: Path) -> Outcome:
        with database.scratch() as connection:
            try:
                found = apart.on_database(connection, self.probe, self.written(), folder=folder)
            except apart.Stopped as stopped:
                return not_yet(f"It was stopped: {stopped}.")
        for mistake in self.mistakes:
            if found and mistake.name == found[0]:
                return known(mistake, *found[1:])
        return not_yet(*found) if found else DONE


@dataclass(frozen=True, kw_only=True)
class Do(Exercise):
    """Do something with the project's database; `look` looks at the database itself."""

    shown: str  # the cell that the learner finds
    done: str  # the cell, filled in; or several, with an empty line before each % or !
    look: Callable[[sa.Connection], Outcome]

    @property
    def cell(self) -> str:
        return self.shown

    @property
    def solution(self) -> str:
        return self.done

    @property
    def solved(self) -> tuple[str, ...]:
        return tuple(re.split(r"\n\n+(?=[%!])", self.done))

    def judge(self, answer: object) -> Outcome:
        try:
            with database.engine().connect() as connection:
                outcome = self.look(connection)
            return unwritten(*outcome.lines) if outcome.kind == "not attempted" else outcome
        except sa.exc.DBAPIError as error:
            if isinstance(error.orig, LockNotAvailable):
                return not_yet(
                    "Another session holds a lock on the tables, in a terminal or another notebook.",
                    "Let it commit or roll back, then run this again.",
                )
            return not_yet(f"PostgreSQL does not answer the check's questions: {answering(error)}.")


# ---- what they share -----------------------------------------------------------------------------


def plain(value: object) -> str:
    """An answer as it is compared: without spaces around, quotes, or capital letters.

    Of a result of `%sql` it is the only value, where there is only one.
    """
    while isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().strip("'\"").strip().lower()


def history(heads: Iterable[str]) -> list[Path]:
    """The files of the finished history that lead to some revisions."""
    return [Path(each.path) for head in heads for each in project.history("base", head)]


def text(path: Path) -> str:
    """A file's text; nothing where there is no such file."""
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def revisions() -> list[Path]:
    """The files of the project's revisions."""
    versions = project.workspace() / "alembic" / "versions"
    return sorted(each for each in versions.glob("*.py") if each.is_file())


def bare(source: str) -> str:
    """A source without comments and empty lines, to see whether anything was changed in it."""
    lines = [re.sub(r"#.*", "", line).rstrip() for line in source.splitlines()]
    return "\n".join(filter(None, lines))


@contextmanager
def built() -> Iterator[sa.Connection]:
    """The scratch database with the first revision and a few rows."""
    with database.scratch() as connection:
        project.migrate(connection, project.scripts(ROOT), INIT)
        connection.exec_driver_sql(ROWS)
        yield connection
