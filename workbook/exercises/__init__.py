"""The exercises: what one is made of, and the register of them all.

Each chapter's file makes its exercises with the functions of `kinds`. An exercise's goal is never
typed in: it is what its own solution really does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

CHAPTERS = range(6)


@dataclass(frozen=True)
class Outcome:
    """What a check says: one of four kinds, a title, and a few lines."""

    kind: str  # "not attempted", "not yet", "mistake" or "done"
    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """One exercise. `judge` gets the answer handed to check(), if any, and gives the outcome."""

    id: str
    task: str  # in a few words, for progress()
    hints: tuple[str, ...]
    solution: str  # the text of the notebook's cell, filled in
    why: str  # why the solution is right
    passed: str  # what the learner has just shown they can do
    judge: Callable[[object], Outcome] = field(repr=False)

    @property
    def chapter(self) -> int:
        """The chapter that the exercise belongs to."""
        return int(self.id.split(".")[0])


@cache
def register() -> dict[str, Exercise]:
    """All exercises by id, in the order of the chapters."""
    found: dict[str, Exercise] = {}
    for chapter in CHAPTERS:
        for exercise in import_module(f"workbook.exercises.chapter_{chapter:02}").EXERCISES:
            assert exercise.id not in found, exercise.id
            found[exercise.id] = exercise
    return found
