"""What learners call: check, hint, solution and progress, and the card that they print."""

import html
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbook import WorkbookError, database, home
from workbook.exercises import CHAPTERS, Exercise, register

COLOURS = {"done": "success", "mistake": "warn", "not yet": "warn"}


@dataclass(frozen=True)
class Card:
    """A few lines in a quiet frame: HTML in JupyterLab, the same words as text elsewhere."""

    title: str
    lines: tuple[str, ...]
    code: str = ""
    kind: str = ""

    def _repr_html_(self) -> str:
        colour = f"var(--jp-{COLOURS.get(self.kind, 'info')}-color1, #616161)"
        paragraphs = "".join(
            f"<p style='margin:4px 0'>{html.escape(each)}</p>" for each in self.lines
        )
        code = f"<pre style='margin:8px 0'>{html.escape(self.code)}</pre>" if self.code else ""
        return (
            f"<div role='status' style='border-left:4px solid {colour};padding:4px 12px;"
            "max-width:48em;font-family:var(--jp-content-font-family, sans-serif);"
            "font-size:var(--jp-content-font-size1, 14px);line-height:1.5'>"
            f"<p style='margin:4px 0'><strong>{html.escape(self.title)}</strong></p>"
            f"{paragraphs}{code}</div>"
        )

    def __repr__(self) -> str:
        return "\n".join(filter(None, [self.title, *self.lines, self.code]))


def check(id: str, answer: object = None) -> Card:
    """Look at an exercise's state, or at the answer handed in, and say how it stands.

    Raises WorkbookError when there is no such exercise or no database.
    """
    exercise = _exercise(id)
    database.connect_environment()
    outcome = exercise.judge(answer)
    if outcome.kind == "done":
        record = _read()
        if id not in record["done"]:
            record["done"].append(id)
            _write(record)
        return Card(f"{id}  Done", (exercise.passed,), kind="done")
    lines = outcome.lines
    if outcome.kind == "not attempted":
        lines = (*lines, f'hint("{id}") helps.')
    return Card(f"{id}  {outcome.title}", lines, kind=outcome.kind)


def hint(id: str) -> Card:
    """The hints for an exercise: one more each time. Raises WorkbookError for an unknown id."""
    exercise = _exercise(id)
    record = _read()
    shown = min(record["hints"].get(id, 0) + 1, len(exercise.hints))
    record["hints"][id] = shown
    _write(record)
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
    return Card(f"{id}  A solution", (exercise.why,), code=exercise.solution.strip())


def progress() -> Card:
    """What is done in each chapter, and where to go on."""
    done = set(_read()["done"])
    lines, following = [], None
    for chapter in CHAPTERS:
        mine = [each for each in register().values() if each.chapter == chapter]
        if not mine:
            continue
        marks = " ".join("■" if each.id in done else "□" for each in mine)
        count = sum(each.id in done for each in mine)
        lines.append(f"Chapter {chapter}:  {marks}  {count} of {len(mine)} done")
        following = following or next((each for each in mine if each.id not in done), None)
    end = f"Go on with {following.id}: {following.task}." if following else "All of them are done."
    return Card("Your progress", (*lines, end))


def _exercise(id: str) -> Exercise:
    found = register().get(str(id))
    if not found:
        raise WorkbookError(f'There is no exercise "{id}": they are called "1.1" to "5.5".')
    return found


def _path() -> Path:
    return home() / "progress.json"


def _read() -> dict[str, Any]:
    """The record; a damaged one is kept under another name, and a new one begun."""
    empty: dict[str, Any] = {"done": [], "hints": {}}
    try:
        record = json.loads(_path().read_text(encoding="utf-8"))
        if isinstance(record["done"], list) and isinstance(record["hints"], dict):
            return dict(record)
        raise ValueError
    except FileNotFoundError:
        return empty
    except (ValueError, KeyError, TypeError):
        _path().replace(_path().with_suffix(".damaged"))
        return empty


def _write(record: dict[str, Any]) -> None:
    """Replace the record in one step. A disk that is full costs the record, not the check."""
    draft = _path().with_suffix(f".{os.getpid()}")
    try:
        draft.write_text(json.dumps(record, indent=1), encoding="utf-8")
        draft.replace(_path())
    except OSError:
        draft.unlink(missing_ok=True)
