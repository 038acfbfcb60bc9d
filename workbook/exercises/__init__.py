"""The exercises: one file each, chNN/exM.py for exercise N.M, with everything that belongs to it.

Such a file has EXERCISE, one of the kinds, and WRONG and RIGHT, what learners answer. The goal is
never typed in: it is what the exercise's own solution really does.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbook.exercises.trial import Trial

GAP = "____"
ANY = "any"


@dataclass(frozen=True)
class Mistake:
    """A misconception: its name, why it goes wrong, and how to go on; never the answer.

    `shown_by` looks for it in a trial. It gives whether it is there, or where it is: in words, or
    as a node of the source. A mistake that an exercise finds in its own way, such as a wrong
    letter, has none. One with a `step` is looked for only where a step of that name failed, or any
    step, if it is ANY.
    """

    name: str
    why: str
    how: str = ""
    shown_by: "Callable[[Trial], object] | None" = field(default=None, repr=False)
    step: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a check says: one of four kinds, and a few lines. A mistake goes by its name."""

    kind: str  # "not attempted", "not yet", "mistake" or "done"
    lines: tuple[str, ...] = ()
    mistake: str = ""

    @property
    def title(self) -> str:
        """The first line of the card."""
        words = {"not attempted": "Not attempted yet", "done": "Done"}.get(self.kind)
        return words or " ".join(filter(None, ["Not there yet:", self.mistake])).removesuffix(":")


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """What every kind of exercise has. `judge` looks at an answer or at what was done."""

    task: str  # in a few words, for progress()
    hints: tuple[str, ...]
    why: str  # why the solution is right
    passed: str  # what the learner has just shown they can do
    mistakes: tuple[Mistake, ...] = ()  # its own: they are looked for first
    begins: int | None = None  # the chapter whose start it stands on, if not its own's
    above: tuple[str, ...] = ()  # the lesson's cells above it that it stands on
    id: str = ""  # given by the name of its file

    def named(self) -> tuple[Mistake, ...]:
        """The mistakes of its own that its check can name."""
        return self.mistakes

    @property
    def chapter(self) -> int:
        """The chapter that the exercise belongs to."""
        return int(self.id.split(".")[0])

    @property
    def cell(self) -> str:
        """The cell that the learner finds, without the import in the first of a lesson."""
        return f'check("{self.id}", "{GAP}")'

    @property
    def solution(self) -> str:
        """The same cell, filled in."""
        raise NotImplementedError

    @property
    def solved(self) -> tuple[str, ...]:
        """The cells of the solution."""
        return (self.solution,)

    def judge(self, answer: object) -> Outcome:
        """How it stands, by the answer handed in or by what was done."""
        raise NotImplementedError


@dataclass(frozen=True)
class Answer:
    """One learner's way: the exercise's own code or whole cells, or what is handed to check().

    `says` is the name of the mistake or words of a line that the card must hold; empty: Done.
    """

    name: str  # what this learner did, in a few words
    says: str = ""
    code: str = ""
    cells: tuple[str, ...] = ()
    given: object = None
    hangs: bool = False  # it has to be stopped

    def typed(self, exercise: Exercise) -> tuple[str, ...]:
        """The cells that were run before the check."""
        header, newline, _ = exercise.cell.partition("\n")
        return (header + newline + self.code,) if self.code else self.cells


def edits(code: str, table: str) -> list[Answer]:
    r"""Answers that differ from the right code in a few places, a line of the table each:

        name  | old  | new  [| old  | new ...]  | says

    Two spaces stand before each bar; `\n` and `\s` are a line's end and a space. Without `says`
    it is a right answer. Raises ValueError where `old` is not in the code.
    """
    answers = []
    for line in filter(None, map(str.strip, table.splitlines())):
        name, *parts = [_unescaped(part) for part in re.split(r" {2,}\|(?= |$)", line)]
        says = parts.pop() if len(parts) % 2 else ""
        text = code
        for old, new in zip(parts[::2], parts[1::2], strict=True):
            if not old or old not in text:
                raise ValueError(f"{name}: not in the code: {old!r}")
            text = text.replace(old, new)
        answers.append(Answer(name, says, code=text))
    return answers


def _unescaped(part: str) -> str:
    return part.strip().replace(r"\n", "\n").replace(r"\s", " ")


def cells(name: str, *cells: str, says: str = "", hangs: bool = False) -> Answer:
    """An answer of whole cells."""
    return Answer(name, says, cells=cells, hangs=hangs)


def given(says: str, *answers: object, name: str = "") -> list[Answer]:
    """Answers that are handed to check(), and what they are all told; nothing: Done."""
    return [Answer(name or repr(answer), says, given=answer) for answer in answers]


@cache
def ids() -> tuple[str, ...]:
    """The ids of all exercises, in the order of the chapters."""
    names = [(path.parent.name, path.stem) for path in Path(__file__).parent.glob("ch*/ex*.py")]
    numbers = sorted((int(chapter[2:]), int(name[2:])) for chapter, name in names)
    return tuple(f"{chapter}.{number}" for chapter, number in numbers)


@cache
def load(id: str) -> Exercise:
    """One exercise, from its own file and nobody else's. Raises KeyError for an unknown id."""
    exercise: Exercise = _module(id).EXERCISE
    return replace(exercise, id=id)


def answers(id: str) -> tuple[list[Answer], list[Answer]]:
    """The wrong answers to an exercise, and other right ones."""
    return _module(id).WRONG, _module(id).RIGHT


def every(chapters: Iterable[int] | None = None) -> list[Exercise]:
    """All exercises, or those of some chapters."""
    found = map(load, ids())
    return [each for each in found if chapters is None or each.chapter in chapters]


def path(id: str) -> str:
    """Where an exercise lives, in the clone."""
    chapter, _, number = id.partition(".")
    return f"workbook/exercises/ch{chapter:0>2}/ex{number}.py"


def _module(id: str) -> ModuleType:
    if id not in ids():
        raise KeyError(id)
    return import_module(path(id).removesuffix(".py").replace("/", "."))
