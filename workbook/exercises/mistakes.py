"""What a trial shows of a learner's code, and what a well-known mistake is.

The mistakes themselves are in mistakes_in_migrations.py and mistakes_in_models.py. Each was made on
the versions in the lock and seen to give what it is recognised by. None gives the answer away.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from workbook.schema import Column, Schema


@dataclass(frozen=True)
class Trial:
    """What a learner's code did in the scratch database."""

    source: str
    goal: Schema  # after the reference's upgrade
    before: Schema
    up: Schema | None = None  # None: the code did not get that far
    down: Schema | None = None
    error: dict[str, str] = field(default_factory=dict)  # step, name, message, line; empty: none
    probe: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)  # what the probe gives for the reference
    kept: bool = True  # whether the rows that were there went the way of the reference's

    def failed(self, name: str, words: str = "", step: str = "") -> bool:
        """Whether the trial stopped at this error, in this step where one is named."""
        return (
            self.error.get("name") == name
            and words in self.error["message"]
            and step in self.error["step"]
        )

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
        found = (
            re.match(r"name '(\w+)'", self.error["message"]) if self.failed("NameError") else None
        )
        return found[1] if found else ""

    def lacking(self, module: str) -> str:
        """The name that a module does not have, if that is what stopped the trial."""
        if not self.failed("AttributeError", f"module '{module}' has no attribute"):
            return ""
        return self.error["message"].split("'")[3]


def called(call: ast.Call) -> str:
    """The last name of what is called: `commit` for `op.get_bind().commit()`."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


@dataclass(frozen=True)
class Mistake:
    """A misconception: its name, why it goes wrong, and how to go on."""

    name: str
    why: str
    how: str
    shown_by: Callable[[Trial], bool]


def differing(trial: Trial) -> list[tuple[Column, Column]]:
    """The columns that differ: have, want. None where a table or a column is missing altogether."""
    if trial.up is None or any(
        table not in trial.up.tables or goal.columns.keys() - trial.up.tables[table].columns.keys()
        for table, goal in trial.goal.tables.items()
    ):
        return []
    return [
        (trial.up.tables[table].columns[name], want)
        for table, goal in trial.goal.tables.items()
        for name, want in goal.columns.items()
        if trial.up.tables[table].columns[name] != want
    ]


def only_null_differs(trial: Trial, allows_too_much: bool) -> bool:
    """Whether the columns that differ have the right types, and nothing but NOT NULL is wrong."""
    found = differing(trial)
    return bool(found) and all(
        have.type == want.type
        and have.nullable is allows_too_much
        and want.nullable is not have.nullable
        for have, want in found
    )


def lengths_differ(trial: Trial) -> bool:
    """Whether a string has another length than the one asked for."""
    found = differing(trial)
    return any(
        have.type.startswith("character varying")
        and want.type.startswith("character varying")
        and have.type != want.type
        for have, want in found
    )


def counts_otherwise(trial: Trial) -> bool:
    """Whether an identity stands where a serial does, and nothing else is wrong with the columns."""
    found = differing(trial)
    return bool(found) and all(
        have.type == want.type and have.generated and want.default == "serial"
        for have, want in found
    )


def lacks(trial: Trial, kind: str) -> bool:
    """Whether a table that is there with its columns lacks any constraint of this contype."""
    return trial.up is not None and any(
        table in trial.up.tables
        and goal.columns.keys() <= trial.up.tables[table].columns.keys()
        and kind in {each.kind for each in goal.constraints}
        and kind not in {each.kind for each in trial.up.tables[table].constraints}
        for table, goal in trial.goal.tables.items()
    )


def without_quotes(trial: Trial) -> bool:
    """Whether the name that Python did not know is the name of a table or a column."""
    tables = {**trial.before.tables, **trial.goal.tables}
    columns = {name for table in tables.values() for name in table.columns}
    return trial.unknown() in tables.keys() | columns


IDENTITY = Mistake(
    "another way to count",
    "An identity column counts up by itself, as SQL's standard has it, and is a good choice for tables of"
    " your own. The tables here use serial, and the chapters that follow count on it.",
    "An integer primary key becomes a serial by itself: nothing has to be said.",
    counts_otherwise,
)


def recognise(trial: Trial, known: tuple[Mistake, ...]) -> Mistake | None:
    """The first of the known mistakes that the trial shows."""
    for mistake in known:
        if mistake.shown_by(trial):
            return mistake
    return None
