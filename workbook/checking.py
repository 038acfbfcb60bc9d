"""What learners call: check, hint, solution and progress, and the card that they print."""

import contextlib
import html
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fasteners
import sqlalchemy as sa

from workbook import WorkbookError, home, reports
from workbook.contents import CHAPTERS
from workbook.exercises import Exercise, every, ids, load
from workbook.server import database

COLOURS = {"done": "success", "mistake": "warn", "not yet": "warn"}
# What is set in the code's font: a line of the learner's, a call, a magic, an option, a dotted or
# joined name, a command.
CODE = re.compile(
    r"(?<=^Line \d of the cell: ).+|(?<=^Line \d\d of the cell: ).+"
    r"|[A-Za-z_][\w.]*\((?:[^()]|\([^()]*\))*\)|%%?[a-z]\w*|(?<!\w)--[a-z][\w-]*|____"
    r"|\b[A-Za-z]\w+(?:[./]\w+)+|\b[A-Za-z]+_\w+|__\w+__"
    r"|\balembic (?:current|downgrade|heads|history|merge|revision|stamp|upgrade)"
    r"(?: (?:base|heads?|-\d|\+\d|-m|-i))?"
)
COPY = "navigator.clipboard.writeText(this.parentNode.querySelector('pre').innerText.trim())"


@dataclass(frozen=True)
class Fold:
    """What one click shows in JupyterLab, with the next fold inside of it."""

    title: str
    lines: tuple[str, ...]
    code: str = ""
    inside: "Fold | None" = None

    def body(self) -> str:
        """All but the title, in Markdown: HTML up to an empty line, and code, which gets colours."""
        text = "".join(f"<p style='margin:4px 0'>{_marked(each)}</p>" for each in self.lines)
        if self.code:
            button = f'<button style="float:right" onclick="{COPY}">Copy</button>'
            text += f"<div>{button}\n\n```python\n{self.code}\n```\n\n</div>"
        if self.inside:
            text += (
                "<details class='workbook-help' style='margin:4px 0'><summary style='cursor:pointer'>"
                f"{_escaped(self.inside.title)}</summary>{self.inside.body()}</details>"
            )
        return text


@dataclass(frozen=True)
class Card(Fold):
    """A few lines in a quiet frame, and the same words as text where nothing draws one.

    As text it says how to ask for what is folded inside: `else_say`.
    """

    kind: str = ""
    else_say: str = ""

    def _repr_markdown_(self) -> str:
        colour = f"var(--jp-{COLOURS.get(self.kind, 'info')}-color1, #616161)"
        return (
            f"<div role='status' style='border-left:4px solid {colour};padding:4px 12px;max-width:48em'>"
            f"<p style='margin:4px 0'><strong>{_escaped(self.title)}</strong></p>{self.body()}</div>"
        )

    def __repr__(self) -> str:
        return "\n".join(filter(None, [self.title, *self.lines, self.else_say, self.code]))


def _marked(line: str) -> str:
    """A line as HTML, with what is code in it set as code."""
    at, parts = 0, []
    for found in CODE.finditer(line):
        parts += [_escaped(line[at : found.start()]), f"<code>{_escaped(found[0])}</code>"]
        at = found.end()
    return "".join([*parts, _escaped(line[at:])])


def _escaped(text: str) -> str:
    """Text as HTML within Markdown, in which no empty line ends it and no dollar begins a formula."""
    text = html.escape(" ".join(text.split("\n")))
    return text.replace("$", "&#36;").replace("\\", "&#92;")


def check(id: str, answer: object = None) -> Card:
    """Look at an exercise's state, or at the answer handed in, and say how it stands.

    Raises WorkbookError when there is no such exercise, or no database that answers.
    """
    exercise = _exercise(id)
    id = exercise.id
    database.connect_environment()
    try:
        outcome = exercise.judge(answer)
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise WorkbookError(
            f"PostgreSQL stopped the check: {reason}. Wait half a minute and run it again."
        ) from None
    reports.report(id, outcome.kind, outcome.mistake or None)
    if outcome.kind == "done":
        with _record() as record:
            if id not in record["done"]:
                record["done"].append(id)
        return Card(f"{id}  Done", (*outcome.lines, exercise.passed), kind="done")
    return Card(
        f"{id}  {outcome.title}",
        outcome.lines,
        inside=_help(exercise),
        kind=outcome.kind,
        else_say=f'hint("{id}") helps.',
    )


def _help(exercise: Exercise) -> Fold:
    """The hints, one inside of the other, and in the last the solution."""
    fold = Fold("A solution", (exercise.why,), exercise.solution.strip())
    for number, text in reversed([*enumerate(exercise.hints, 1)]):
        fold = Fold(f"Hint {number} of {len(exercise.hints)}", (text,), inside=fold)
    return fold


def hint(id: str) -> Card:
    """The hints for an exercise: one more each time. Raises WorkbookError for an unknown id."""
    exercise = _exercise(id)
    id = exercise.id
    with _record() as record:
        shown = min(record["hints"].get(id, 0) + 1, len(exercise.hints))
        record["hints"][id] = shown
    last = shown == len(exercise.hints)
    end = (
        f'That was the last one. solution("{id}") shows an answer.'
        if last
        else "Run it again for more."
    )
    return Card(f"{id}  Hint {shown} of {len(exercise.hints)}", (*exercise.hints[:shown], end))


def solution(id: str) -> Card:
    """Code that would pass, and why. Raises WorkbookError for an unknown id."""
    exercise = _exercise(id)
    return Card(f"{exercise.id}  A solution", (exercise.why,), code=exercise.solution.strip())


def progress() -> Card:
    """What is done in each chapter that was begun, and where to go on."""
    done = set(_read()["done"])
    lines, more, following = [], 0, None
    for chapter in CHAPTERS:
        mine = every([chapter])
        count = sum(each.id in done for each in mine)
        following = following or next((each for each in mine if each.id not in done), None)
        if count or following in mine:
            marks = " ".join("■" if each.id in done else "□" for each in mine)
            lines.append(f"Chapter {chapter}:  {marks}  {count} of {len(mine)} done")
        else:
            more += len(mine)
    lines += [f"And {more} in other chapters."] * bool(more)
    end = f"Go on with {following.id}: {following.task}." if following else "All of them are done."
    return Card("Your progress", (*lines, end))


def _exercise(id: str) -> Exercise:
    try:
        return load(str(id).strip())
    except KeyError:
        first, *_, last = ids()
        raise WorkbookError(
            f'There is no exercise "{id}": they are called "{first}" to "{last}", in quotes.'
        ) from None


def _path() -> Path:
    return home() / "progress.json"


@contextlib.contextmanager
def _record() -> Iterator[dict[str, Any]]:
    """The record, to change it: one notebook at a time, so that none forgets what another did.

    A disk that is full, or a folder that nobody may write to, costs the record, not the check.
    """
    lock = fasteners.InterProcessLock(_path().with_suffix(".lock"))
    held = False
    with contextlib.suppress(OSError):
        held = lock.acquire(timeout=5)
    try:
        record = _read()
        yield record
        _write(record)
    finally:
        if held:
            lock.release()


def _read() -> dict[str, Any]:
    """The record; a damaged one is kept under another name, and a new one begun."""
    try:
        record = json.loads(_path().read_text(encoding="utf-8"))
        done, hints = record["done"], record["hints"]
        if not all(isinstance(each, str) for each in done):
            raise ValueError
        if not all(type(each) is int for each in hints.values()):
            raise ValueError
        return {"done": list(done), "hints": dict(hints)}
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        with contextlib.suppress(OSError):
            _path().replace(_path().with_suffix(".damaged"))
    return {"done": [], "hints": {}}


def _write(record: dict[str, Any]) -> None:
    """Replace the record in one step."""
    draft = _path().with_suffix(f".{os.getpid()}")
    try:
        draft.write_text(json.dumps(record, indent=1), encoding="utf-8")
        draft.replace(_path())
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
