"""Pictures of what is really there: tables, changes, drift and history.

Each is Mermaid, which JupyterLab draws by itself, with the same in plain text for other front ends
and for screen readers. The grammar: https://mermaid.js.org/syntax/entityRelationshipDiagram.html
and https://mermaid.js.org/syntax/flowchart.html.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.dialects.postgresql.base import ischema_names
from wcwidth import ljust, width

from workbook import WorkbookError, chapters, database, schema

# Beyond these a picture is unreadable on a projector: it shows the part that matters, and says so.
TABLES, NAMES, ROWS, REVISIONS, LETTERS = 12, 40, 30, 20, 60
SOURCE = 90_000  # JupyterLab gives Mermaid at most 100,000 characters
GONE = "−"  # wider than a hyphen
STYLES = {
    "+": ("new", "stroke:#2e7d32,stroke-width:3px"),
    GONE: ("gone", "stroke:#c62828,stroke-width:3px,stroke-dasharray:6"),
    "~": ("changed", "stroke:#b26a00,stroke-width:3px"),
}


@dataclass(frozen=True, order=True)
class Link:
    """A foreign key; `definition` is what pg_get_constraintdef says."""

    table: str
    columns: tuple[str, ...]
    target: str
    definition: str
    unique: bool = field(compare=False)
    nullable: bool = field(compare=False)


class Row(NamedTuple):
    """A line in a table's box: a column, or a rule such as CHECK that no column's mark shows."""

    name: str
    type: str
    keys: str = ""
    rest: str = ""
    rule: bool = False


class Box(NamedTuple):
    """A table as it is drawn: a sign of STYLES, or none, for itself and for each row."""

    sign: str
    rows: list[tuple[str, Row]]


@dataclass(frozen=True)
class State:
    """The tables of one moment; `of` says in words whose they are."""

    of: str
    tables: dict[str, schema.Table]
    schema: schema.Schema
    keys: dict[str, tuple[str, tuple[str, ...], bool]]  # index: table, columns, whether primary
    links: tuple[Link, ...]
    comments: dict[tuple[str, str], str]


@dataclass(frozen=True, repr=False)
class Picture:
    """What the functions give. JupyterLab draws it, `print` writes all of it as text."""

    text: str
    rich: dict[str, str] = field(default_factory=dict)  # the same, by MIME type
    words: str = ""  # what stands above it everywhere
    state: State | None = None

    def __str__(self) -> str:
        return "\n\n".join(filter(None, [self.words, self.text]))

    __repr__ = __str__

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if self.words:
            print(self.words)
        if self.text:
            display({"text/plain": self.text, **self.rich}, raw=True)


def show_tables(of: Any = "database", only: str | Sequence[str] = ()) -> Picture:
    """The tables with columns, keys and relations; all of them, or `only` some.

    `of` is "database", "models" (jobboard/models.py, read afresh), a `Base` as this Python knows
    it, a revision such as "head", or a picture that was kept. Raises WorkbookError.
    """
    state = _state(of)
    names = [only] if isinstance(only, str) else list(only)
    for name in names:
        _find(name, [state])
    boxes = {
        table: Box("", [("", row) for row in _rows(state, table)]) for table in names or state.tables
    }
    if not boxes:
        return Picture(f"There are no tables in {state.of}.", state=state)
    return _draw(f"The tables of {state.of}", boxes, dict.fromkeys(state.links, ""), state)


def show_changes(before: Any, after: Any = "database") -> Picture:
    """What was added, removed or altered from one state to another, in words and as a picture.

    Each is what `show_tables` takes; `before` is mostly a picture that was kept, as in
    `before = show_tables()`. Raises WorkbookError.
    """
    old, new = _state(before), _state(after)
    where = f"From {old.of} to {new.of}" if old.of != new.of else f"Since then, in {new.of}"
    told = [_visible(line) for line in _changes(old, new)]
    if not told:
        return Picture("", words=f"{where}: nothing changed.", state=new)
    words = "\n".join([f"{where}:", *(f"  {line}" for line in told)])
    links = {each: GONE for each in old.links if each not in new.links}
    links |= {each: "" if each in old.links else "+" for each in new.links}
    owners = {each.table for each, sign in links.items() if sign}
    targets = {each.target for each, sign in links.items() if sign}
    boxes = {}
    for table in sorted({*old.tables, *new.tables}):
        rows = list(_compare(_rows(old, table), _rows(new, table)))
        if table not in old.tables or table not in new.tables:
            sign = GONE if table in old.tables else "+"
            boxes[table] = Box(sign, [("", row) for _, row in rows])
        elif table in owners or any(sign for sign, _ in rows):
            boxes[table] = Box("~", rows)
        elif table in targets:
            boxes[table] = Box("", rows)
    if not boxes:
        return Picture("", words=words, state=new)
    picture = _draw(f"{where}: what changed", boxes, links, new)
    return Picture(picture.text, picture.rich, f"{words}\n{picture.words}".rstrip(), new)


def show_drift(table: str, models: Any = "models") -> Picture:
    """One table three times: what the models, the migrations and the database say.

    The models are those of jobboard/models.py, read by a Python of its own, so that an edit counts
    that came after an import; or pass `Base`. Raises WorkbookError.
    """
    states = [_state(models), _state("heads"), _state("database")]
    _find(table, states)
    said: dict[str, list[str]] = {}
    for place, state in enumerate(states):
        for row in [*_rows(state, table, rules=False), *_rules(state, table)]:
            label = f"{row.name} {row.type}" if row.rule else row.name
            text = "yes" if row.rule else " ".join(filter(None, [row.type, row.rest]))
            said.setdefault(label, ["—"] * 3)[place] = text
    lines = [["≠" if len(set(each)) > 1 else "", name, *each] for name, each in said.items()]
    apart = ", ".join(line[1] for line in lines if line[0])
    words = f"{table}: they differ in {apart}." if apart else f"{table}: all three agree."
    head = ["", table, "the models say", "the migrations say", "the database says"]
    html = "".join(
        "<tr>" + "".join(f"<{tag}>{escape(_visible(each))}</{tag}>" for each in line) + "</tr>"
        for tag, line in [("th", head), *(("td", line) for line in lines)]
    )
    rich = {"text/html": f"<table>{html}</table>"}
    return Picture(_aligned([head, *lines]), rich, _visible(words))
