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
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from operator import itemgetter
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
ROWS, TABLES, REVISIONS = 120, 30, 20
SOURCE = 90_000  # JupyterLab lets Mermaid have 100,000 characters
# JupyterLab does not draw again when its theme changes: lines and their labels suit both.
LOOK = """\
---
config:
  themeVariables: {lineColor: "#808080"}
  er: {nodeSpacing: 50, rankSpacing: 90}
  flowchart: {nodeSpacing: 25, rankSpacing: 45}
  themeCSS: ".labelBkg, .labelBkg * {background-color: #eeeeee; color: #333333}"
---
"""
NEW, GONE, CHANGED = "+", "\N{MINUS SIGN}", "~"
STYLES = {
    NEW: ("new", "stroke:#2e7d32,stroke-width:3px"),
    GONE: ("gone", "stroke:#c62828,stroke-width:3px,stroke-dasharray:6"),
    CHANGED: ("changed", "stroke:#b26a00,stroke-width:3px"),
}


class Row(NamedTuple):
    """A line of a table: a column, or a rule (a constraint, an index)."""

    name: str
    type: str
    keys: str = ""
    rest: str = ""
    rule: bool = False

    def key(self) -> tuple[bool, str]:
        """What makes it the same line elsewhere. The name of a rule does not count."""
        return self.rule, f"{self.name} {self.type}" if self.rule else self.name

    def words(self) -> str:
        return " ".join(filter(None, [self.type, self.rest]))


@dataclass(frozen=True)
class Link:
    """A foreign key; `definition` is what pg_get_constraintdef says."""

    table: str
    columns: tuple[str, ...]
    target: str
    definition: str
    unique: bool = field(compare=False)
    nullable: bool = field(compare=False)


@dataclass(frozen=True)
class State:
    """The tables of one moment; `of` says in words whose they are."""

    of: str
    content: schema.Schema
    keys: dict[str, tuple[str, tuple[str, ...], bool]]  # index: table, columns, whether primary
    links: tuple[Link, ...]
    comments: dict[tuple[str, str], str]  # of a table's column, or of the table where that is ""

    @property
    def tables(self) -> dict[str, schema.Table]:
        return self.content.tables


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
            display({"text/plain": self.text, **self.rich}, raw=True)  # type: ignore[no-untyped-call]


def show_tables(*only: str, of: Any = "database") -> Picture:
    """The tables with columns, keys and relations; all of them, or `only` some.

    `of` is "database", "models" (jobboard/models.py, read afresh), a `Base` as this Python knows
    it, a revision such as "head", or a picture that was kept. Raises WorkbookError.
    """
    state = _state(of)
    for name in only:
        _must_have(name, [state])
    boxes = {table: _box(state, table) for table in only or state.tables}
    if not boxes:
        return Picture(f"There are no tables in {state.of}.", state=state)
    return _draw(f"The tables of {state.of}", boxes, dict.fromkeys(state.links, ""), state)


def show_changes(before: Any, after: Any = "database") -> Picture:
    """What was added, removed or altered from one state to another, in words and as a picture.

    Each is what `show_tables` takes; `before` is mostly a picture that was kept, as in
    `before = show_tables()`. Raises WorkbookError.
    """
    old, new = _state(before), _state(after)
    title = f"From {old.of} to {new.of}" if old.of != new.of else f"Since then, in {new.of}"
    told = [visible(line) for line in _changes(old, new)]
    if not told:
        return Picture("", words=f"{title}: nothing changed.", state=new)
    words = "\n".join([f"{title}:", *(f"  {line}" for line in told)])
    links = {each: GONE for each in old.links if each not in new.links}
    links |= {each: "" if each in old.links else NEW for each in new.links}
    owners = {each.table for each, sign in links.items() if sign}
    targets = {each.target for each, sign in links.items() if sign}
    boxes = {}
    for table in sorted({*old.tables, *new.tables}):
        if table not in old.tables:
            boxes[table] = _box(new, table)._replace(sign=NEW)
        elif table not in new.tables:
            boxes[table] = _box(old, table)._replace(sign=GONE)
        else:
            rows = _compare(_rows(old, table), _rows(new, table))
            changed = table in owners or any(sign for sign, _ in rows)
            if changed or table in targets:
                sign = CHANGED if changed else ""
                boxes[table] = _box(new, table)._replace(sign=sign, rows=rows)
    picture = _draw(f"{title}: what changed", boxes, links, new) if boxes else Picture("")
    words = "\n".join(filter(None, [words, picture.words]))
    return Picture(picture.text, picture.rich, words, new)


def show_drift(table: str, models: Any = "models") -> Picture:
    """One table three times: what the models, the migrations and the database say.

    The models are those of jobboard/models.py, read by a Python of its own, so that an edit counts
    that came after an import; or pass `Base`. Raises WorkbookError.
    """
    states = [_state(models), _state("heads"), _state("database")]
    _must_have(table, states)
    return _draw_drift(table, states)


def show_history() -> Picture:
    """The revisions from base to heads, and where this database is. Raises WorkbookError."""
    revisions = _revisions()
    if not revisions:
        return Picture('There is no revision yet: `alembic revision -m "..."` makes the first.')
    with _connected() as connection:
        here = set(MigrationContext.configure(connection).get_current_heads()) or {"base"}
    lost = sorted(here - {*revisions, "base"})
    applied = {"base"}
    queue = [each for each in here if each in revisions]
    while queue:
        applied.add(each := queue.pop())
        queue += revisions[each].parents
    waiting = ("?", "perhaps applied") if lost else ("\N{WHITE CIRCLE}", "not applied")
    signs = {
        each: ("\N{BLACK CIRCLE}", "applied") if each in applied else waiting
        for each in ["base", *revisions]
    }
    lines = []
    for lanes, name in _lanes(revisions):
        message = revisions[name].message if name in revisions else ""
        head = " (head)" if name in revisions and revisions[name].head else ""
        place = "  <- the database is here" if name in here else ""
        lines.append(
            [lanes.replace("*", signs[name][0] if name else ""), name, message + head + place]
        )
    legend = "   ".join(" ".join(each) for each in dict.fromkeys(signs.values()))
    text = f"{_aligned(lines)}\n\n{legend}"
    words = [
        f'The database is at "{visible(each)}", and no file in alembic/versions has that id:'
        " bring that file back."
        for each in lost
    ]
    shown = list(revisions)
    if len(shown) > REVISIONS:
        at = max((shown.index(each) for each in here if each in revisions), default=0)
        first = max(0, min(at - REVISIONS // 2, len(shown) - REVISIONS))
        shown = shown[first : first + REVISIONS]
        words.append(
            f"{len(revisions)} revisions are too many to draw: here are the {REVISIONS} around the"
            " database, and print(show_history()) lists all."
        )
    source = _flowchart(revisions, shown, here, signs)
    rich = {"text/vnd.mermaid": _titled(source, "The history of the revisions", text)}
    return Picture(text, rich, "\n".join(words))


# Tables


class Box(NamedTuple):
    """A table as it is drawn: a sign of STYLES, or none, for itself and for each row."""

    sign: str
    title: str
    rows: list[tuple[str, Row]]


def _box(state: State, table: str) -> Box:
    comment = state.comments.get((table, ""), "")
    title = f"{table} -- {comment}" if comment else table
    return Box("", title, [("", row) for row in _rows(state, table)])


def _draw(title: str, boxes: dict[str, Box], links: Mapping[Link, str], state: State) -> Picture:
    """Boxes and the foreign keys between them, as text and as an erDiagram."""
    blocks = []
    for table, box in boxes.items():
        lines = [[sign, row.name, row.type, row.keys, row.rest] for sign, row in box.rows]
        block = [visible(_signed(box.sign, box.title)), _aligned(lines, "  ")]
        for link, sign in links.items():
            if link.table == table:
                many = "at most one" if link.unique else "many"
                one = "one or none" if link.nullable else "one"
                block.append(f"  {visible(f'{sign} {link.definition}'.strip())} ({many} to {one})")
        blocks.append("\n".join(filter(None, block)))
    text = "\n\n".join(blocks)
    rows = [row for box in boxes.values() for _, row in box.rows]
    source = _er_diagram(boxes, links) if len(rows) <= ROWS else ""
    words = ""
    if not 0 < len(source) < SOURCE:
        ties = Counter(name for link in links for name in (link.table, link.target))
        most = sorted(boxes, key=lambda table: (not boxes[table].sign, -ties[table], table))
        few = {table: box for table, box in boxes.items() if table in most[:TABLES]}
        source = _name_chart(few, links)
        words = (
            f"{len(boxes)} tables with {len(rows)} lines are too much for a picture: here are the"
            f" names of {len(few)}, and what refers to what. print() of this lists all,"
            ' show_tables("jobs", ...) draws some in full.'
        )
    return Picture(text, {"text/vnd.mermaid": _titled(source, title, text)}, words, state)


def _draw_drift(table: str, states: Sequence[State]) -> Picture:
    said: dict[tuple[bool, str], list[str]] = {}
    for place, state in enumerate(states):
        for row in [*_columns(state, table), *_rules(state, table)]:
            text = "yes" if row.rule else row.words()
            said.setdefault(row.key(), ["\N{EM DASH}"] * 3)[place] = text
    lines = [
        ["" if len({*said[key]}) == 1 else "\N{NOT EQUAL TO}", key[1], *said[key]]
        for key in sorted(said, key=itemgetter(0))
    ]
    apart = ", ".join(line[1] for line in lines if line[0])
    words = f"{table}: they differ in {apart}." if apart else f"{table}: all three agree."
    head = ["", table, "the models say", "the migrations say", "the database says"]
    html = ""
    for line in [head, *lines]:
        tag = "th" if line is head else "td"
        start, end = ("<b>", "</b>") if line[0] else ("", "")
        cell = f"<{tag} style='text-align: left'>{start}{{}}{end}</{tag}>"
        html += "<tr>" + "".join(cell.format(escape(visible(each))) for each in line) + "</tr>"
    rich = {"text/html": f"<table>{html}</table>"}
    return Picture(_aligned([head, *lines]), rich, visible(words))


def _er_diagram(boxes: Mapping[str, Box], links: Mapping[Link, str]) -> str:
    nodes = {table: f"t{number}" for number, table in enumerate(boxes, 1)}
    letters = [
        max((len("".join(row[:4])) for _, row in box.rows), default=0) for box in boxes.values()
    ]
    abreast = len(boxes) <= 3 and sum(letters) <= 80  # more would be shrunk
    lines = ["erDiagram", f"  direction {'LR' if abreast else 'TB'}"]
    for table, (sign, title, rows) in boxes.items():
        style = f":::{STYLES[sign][0]}" if sign else ""
        lines.append(f'  {nodes[table]}["{mermaid(_signed(sign, title))}"]{style} {{')
        # without a row Mermaid would read Markdown into the title
        for mark, row in rows or [("", Row("no", "columns"))]:
            cells = [_cell(f"{mark} {row.name}" if mark else row.name), _cell(row.type), row.keys]
            cells += [f'"{mermaid(row.rest)}"'] if row.rest else []
            lines.append("    " + " ".join(filter(None, cells)))
        lines.append("  }")
    for link, sign in links.items():
        if link.table in nodes and link.target in nodes:
            ends = f"{'|o' if link.nullable else '||'}--{'o|' if link.unique else 'o{'}"
            label = mermaid(
                f"{sign} {', '.join(link.columns)}" if sign else ", ".join(link.columns)
            )
            lines.append(f'  {nodes[link.target]} {ends} {nodes[link.table]} : "{label}"')
    return "\n".join([*lines, *_styles(boxes)])


def _name_chart(boxes: Mapping[str, Box], links: Mapping[Link, str]) -> str:
    nodes = {table: f"t{number}" for number, table in enumerate(boxes, 1)}
    lines = ["flowchart RL"]
    for table, (sign, title, _) in boxes.items():
        style = f":::{STYLES[sign][0]}" if sign else ""
        lines.append(f'  {nodes[table]}["{mermaid(_signed(sign, title))}"]{style}')
    ties = dict.fromkeys((link.table, link.target) for link in links)
    lines += [
        f"  {nodes[table]} --> {nodes[target]}"
        for table, target in ties
        if table in nodes and target in nodes
    ]
    return "\n".join([*lines, *_styles(boxes)])


def _styles(boxes: Mapping[str, Box]) -> list[str]:
    used = {box.sign for box in boxes.values()}
    return [f"  classDef {' '.join(STYLES[sign])}" for sign in STYLES if sign in used]


def _signed(sign: str, title: str) -> str:
    return f"{sign} {title} ({STYLES[sign][0]})" if sign else title


def _compare(before: Iterable[Row], after: Iterable[Row]) -> list[tuple[str, Row]]:
    """The rows of both, each with its sign."""
    old, new = ({row.key(): row for row in rows} for rows in (before, after))
    rows = []
    for key in sorted({**old, **new}, key=itemgetter(0)):
        if key not in new:
            rows.append((GONE, old[key]))
        elif key not in old:
            rows.append((NEW, new[key]))
        elif old[key] == new[key]:
            rows.append(("", new[key]))
        else:
            was = " ".join(filter(None, [old[key].type, old[key].keys, old[key].rest]))
            rows.append((CHANGED, new[key]._replace(rest=f"{new[key].rest} (was {was})".strip())))
    return rows


def _changes(old: State, new: State) -> Iterator[str]:
    """A sentence for each difference."""
    for table in sorted({*old.tables, *new.tables}):
        if table not in old.tables:
            yield f"{table} is new, with {', '.join(new.tables[table].columns) or 'no columns'}"
        elif table not in new.tables:
            yield f"{table} is gone"
        else:
            before, after = (
                [row._replace(keys="") for row in [*_columns(each, table), *_rules(each, table)]]
                for each in (old, new)
            )
            for sign, row in _compare(before, after):
                text = row.key()[1] if row.rule else f"{row.name} {row.words()}"
                if sign == CHANGED:
                    yield f"{table}.{row.name} becomes {row.words()}"
                elif sign:
                    yield f"{table} {'gains' if sign == NEW else 'loses'} {text}"
    for what, was, now in (
        ("type", old.content.enums, new.content.enums),
        ("view", old.content.views, new.content.views),
    ):
        for name in sorted({*was, *now}):
            if name not in now:
                yield f"the {what} {name} is gone"
            elif was.get(name) != now[name]:
                text = f": {', '.join(now[name])}" if what == "type" else ""
                yield f"the {what} {name} {'changes' if name in was else 'is new'}{text}"


# What a state holds


SERIAL = {"INTEGER": "SERIAL", "BIGINT": "BIGSERIAL", "SMALLINT": "SMALLSERIAL"}
GENERATED = {
    "a": "ALWAYS AS IDENTITY",
    "d": "BY DEFAULT AS IDENTITY",
    "s": "STORED",
    "v": "VIRTUAL",
}


def _rows(state: State, table: str) -> list[Row]:
    return [*_columns(state, table), *_rules(state, table, marked=False)]


def _columns(state: State, table: str) -> Iterator[Row]:
    """The columns of a table in their order, with marks for its keys."""
    keys = [(columns, primary) for name, columns, primary in state.keys.values() if name == table]
    foreign = {name for link in state.links if link.table == table for name in link.columns}
    for name, column in state.tables[table].columns.items() if table in state.tables else ():
        marks = ["PK"] if any(primary and name in columns for columns, primary in keys) else []
        marks += ["FK"] if name in foreign else []
        marks += ["UK"] if ((name,), False) in keys else []
        kind, default = _sql(column.type), column.default
        if default == "serial" and kind in SERIAL:
            kind, default = SERIAL[kind], None
        rest = [] if column.nullable else ["NOT NULL"]
        if column.generated:
            always = f"ALWAYS AS ({default}) " if default else ""
            rest.append(f"GENERATED {always}{GENERATED[column.generated]}")
        elif default:
            rest.append(f"DEFAULT {default}")
        if comment := state.comments.get((table, name)):
            rest.append(f"-- {comment}")
        yield Row(name, kind, ",".join(marks), " ".join(rest))


def _rules(state: State, table: str, marked: bool = True) -> Iterator[Row]:
    """The constraints and indexes of a table, with or without those that a column's mark shows."""
    if table not in state.tables:
        return
    marks = {name for name, (_, columns, first) in state.keys.items() if first or not columns[1:]}
    definitions = [
        each.definition
        for each in state.tables[table].constraints
        if marked or (each.kind != "f" and each.name not in marks)
    ]
    for index in state.tables[table].indexes:
        if marked or index.name not in marks:
            kind = "UNIQUE INDEX" if index.definition.startswith("UNIQUE ") else "INDEX"
            what = index.definition.removeprefix("UNIQUE ")
            definitions.append(f"{kind} {what}" + ("" if index.valid else " INVALID"))
    for definition in definitions:  # PRIMARY KEY (id): words in capitals, then the rest
        found = re.match(r"[A-Z ]+(?= )", definition)
        name = found[0] if found else definition
        yield Row(name, definition[len(name) + 1 :], rule=True)


def _sql(kind: str) -> str:
    """PostgreSQL's format_type as one writes it: VARCHAR(50) for character varying(50)."""
    plain = re.sub(r"\(.*?\)|\[\]", "", kind)
    if plain not in ischema_names or plain.startswith('"'):
        return kind  # somebody's own type
    kind = kind.upper().replace(" WITHOUT TIME ZONE", "")
    return kind.replace("CHARACTER VARYING", "VARCHAR").replace("CHARACTER", "CHAR")


# Reading a state

MODELS = """
import sys
sys.path.insert(0, "")
try:
    from sqlalchemy import create_engine
    from jobboard.models import Base
    Base.metadata.create_all(create_engine("postgresql+psycopg2://"))
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}".splitlines()[0])
"""
# From the indexes, since a unique index need not be a constraint.
KEYS = """
SELECT n.relname, c.relname, ARRAY(
    SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
    WHERE k.place <= i.indnkeyatts ORDER BY k.place), i.indisprimary
FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = 'public'::regnamespace
    AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
"""
# Not from SQLAlchemy's inspector: it takes ("a,b") for two columns.
LINKS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY k.place),
    CASE WHEN f.relnamespace = c.relnamespace THEN f.relname::text ELSE f.oid::regclass::text END,
    pg_get_constraintdef(o.oid), bool_or(NOT a.attnotnull)
FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_class f ON f.oid = o.confrelid
CROSS JOIN unnest(o.conkey) WITH ORDINALITY AS k (number, place)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE c.relnamespace = 'public'::regnamespace AND o.contype = 'f' AND o.conparentid = 0
GROUP BY o.oid, c.oid, f.oid ORDER BY c.relname, o.conname
"""
COMMENTS = """
SELECT c.relname, coalesce(a.attname, ''), d.description
FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
WHERE c.relnamespace = 'public'::regnamespace
"""


def _state(of: Any) -> State:
    """The tables of whatever `show_tables` takes. Raises WorkbookError."""
    if isinstance(of, Picture) and of.state:
        return of.state
    if of == "database":
        with _connected() as connection:
            return _read(connection, "the database")
    metadata = of if isinstance(of, sa.MetaData) else getattr(of, "metadata", None)
    if not isinstance(of, str) and not isinstance(metadata, sa.MetaData):
        raise WorkbookError(
            'Whose tables? Pass "database", "models", your Base, a revision such as "head", or a'
            " picture that you kept."
        )
    words = "the models"
    if isinstance(of, str) and of != "models":
        words = of if of in ("base", "head", "heads") else f"revision {of}"
    database.connect_environment()
    try:
        with database.scratch() as connection, contextlib.redirect_stdout(io.StringIO()):
            connection.exec_driver_sql("SET synchronous_commit = off")  # nothing here has to last
            if isinstance(metadata, sa.MetaData):
                connection.exec_driver_sql("BEGIN")  # rolled back when the connection closes
                metadata.create_all(connection)
            elif of == "models":
                _create_models(connection.exec_driver_sql("SELECT current_database()").scalar_one())
            elif of != "base":
                chapters.migrate(connection, _scripts(), of)
            return _read(connection, words)
    except WorkbookError:
        raise
    except CommandError as error:
        raise WorkbookError(f"{error}. `alembic history` lists the revisions.") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - models and revisions can do anything
        raise WorkbookError(
            f"The tables of {words} cannot be made in an empty database: {_line(error)}"
        ) from None


def _create_models(name: str) -> None:
    """Create the tables of jobboard/models.py in a database, from a Python of its own.

    In this one, what was imported once would count, and not what the file says today.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", MODELS],
            check=False,
            env={**os.environ, "PGDATABASE": name},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
        )
    except subprocess.TimeoutExpired:
        raise WorkbookError("The models do not work: they are not done after 20 seconds.") from None
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise WorkbookError(f"The models do not work: {visible(reason)}")


def _read(connection: sa.Connection, of: str) -> State:
    def rows(query: str) -> list[Any]:
        return list(connection.exec_driver_sql(query).all())

    keys = {index: (table, tuple(columns), first) for index, table, columns, first in rows(KEYS)}
    unique = {(table, columns) for table, columns, _ in keys.values()}
    links = tuple(
        Link(table, tuple(columns), target, definition, (table, tuple(columns)) in unique, nullable)
        for table, columns, target, definition, nullable in rows(LINKS)
    )
    comments = {(table, column): text for table, column, text in rows(COMMENTS)}
    return State(of, schema.read(connection), keys, links, comments)


@contextlib.contextmanager
def _connected() -> Iterator[sa.Connection]:
    """A short connection to the learner's database."""
    database.connect_environment()
    try:
        with database.engine().connect() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        raise WorkbookError(f"The database does not answer: {_line(error.orig)}") from None


def _must_have(table: str, states: Sequence[State]) -> None:
    """Raise WorkbookError if no state has the table."""
    if not isinstance(table, str):
        raise WorkbookError("A table is given by its name; for models, write show_tables(of=Base).")
    there = sorted({name for state in states for name in state.tables})
    if table not in there:
        where = "the models, the migrations or the database" if states[1:] else states[0].of
        names = f"There is {', '.join(there)}." if there else "There is none."
        raise WorkbookError(visible(f'There is no table "{table}" in {where}. {names}'))


def _line(error: BaseException | None) -> str:
    """The first line of an error, with its kind."""
    return visible(f"{type(error).__name__}: {error}".strip(" :\n").splitlines()[0])


# History


class Revision(NamedTuple):
    """A revision file: what it stands on, and its message."""

    id: str
    parents: tuple[str, ...]
    depends: tuple[str, ...]  # those of the parents that depends_on names
    message: str
    head: bool
    order: tuple[str, str, str]


def _scripts() -> ScriptDirectory:
    """The Alembic environment of the folder that this Python works in. Raises WorkbookError."""
    before = sys.path[:]
    try:
        return ScriptDirectory.from_config(Config("alembic.ini"))
    except CommandError:
        raise WorkbookError(
            "There is no Alembic environment here: `alembic init alembic` makes one (chapter 2)."
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever an ini file can hold
        raise WorkbookError(f"alembic.ini cannot be read: {_line(error)}") from None
    finally:
        sys.path[:] = before  # prepend_sys_path adds a "." each time


def _revisions() -> dict[str, Revision]:
    """All revisions by id, each after those that it stands on, branches in order of their messages.

    Ids are random and decide nothing, so that the same history gives the same picture.
    Raises WorkbookError.
    """
    scripts = _scripts()
    found = {}
    try:
        with warnings.catch_warnings():
            # two files with one id, or an id that no file has
            warnings.filterwarnings("error", "Revision ", UserWarning)
            scripts.get_heads()
        for script in scripts.walk_revisions():
            down, depends = (
                tuple(each.revision for each in scripts.get_revisions(ids or ()) if each)
                for ids in (script.down_revision, script.dependencies)
            )
            created = re.search(r"^Create Date: (.*)$", script.longdoc, re.MULTILINE)
            found[script.revision] = Revision(
                script.revision,
                tuple(dict.fromkeys(down + depends)),
                depends,
                script.doc,
                script.is_head,
                (script.doc, created[1] if created else "", script.revision),
            )
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a revision file can do anything
        raise WorkbookError(f"The files in alembic/versions do not work: {_line(error)}") from None
    children: dict[str, list[Revision]] = {each: [] for each in found}
    for each in sorted(found.values(), key=lambda each: each.order):
        for parent in each.parents:
            children[parent].append(each)
    ordered: dict[str, Revision] = {}
    ready = sorted((each for each in found.values() if not each.parents), key=lambda it: it.order)
    while ready:  # depth first, so that a branch stays together
        last = ready.pop(0)
        ordered[last.id] = last
        free = [each for each in children[last.id] if ordered.keys() >= {*each.parents}]
        ready = free + ready
    return ordered


def _lanes(revisions: dict[str, Revision]) -> Iterator[tuple[str, str]]:
    """Lines from the newest revision down to base, as `git log --graph` draws them: lanes and id.

    "*" stands for the revision; a line without an id ties lanes together.
    """
    lanes: list[str] = []

    def tie(at: int, others: Sequence[int], middle: str, end: str) -> str:
        signs = ["│" if lane else " " for lane in lanes]
        for place in range(at + 1, others[-1]):
            signs[place] = middle if place in others else "┼" if lanes[place] else "─"
        signs[at], signs[others[-1]] = "├", end
        return "".join(
            sign + ("─" if at <= place < others[-1] else " ") for place, sign in enumerate(signs)
        )

    for name in [*reversed(revisions), "base"]:
        if name not in lanes:
            lanes.append(name)
        at, *others = [place for place, lane in enumerate(lanes) if lane == name]
        if others:
            yield tie(at, others, "┴", "╯"), ""
        for place in others:
            lanes[place] = ""
        while not lanes[-1]:
            lanes.pop()
        yield " ".join("*" if lane == name else "│" if lane else " " for lane in lanes), name
        if name in revisions:
            lanes[at], *more = revisions[name].parents or ("base",)
            if more:
                lanes += more
                yield tie(at, range(len(lanes) - len(more), len(lanes)), "┬", "╮"), ""


def _flowchart(
    revisions: Mapping[str, Revision],
    shown: Sequence[str],
    here: set[str],
    signs: Mapping[str, tuple[str, str]],
) -> str:
    """Base below, heads above: an upgrade goes up, a downgrade down."""
    every = list(revisions)
    earlier, later = every.index(shown[0]), len(every) - 1 - every.index(shown[-1])
    nodes = {each: f"r{number}" for number, each in enumerate(every, 1) if each in shown}
    lines = ["flowchart BT", f'  base(["{f"{earlier} earlier revisions" if earlier else "base"}"])']
    lines += [f'  later(["{later} later revisions"])'] if later else []
    arrows: dict[str, None] = {}
    for each, revision in revisions.items():
        if each in nodes:
            word = signs[each][1]
            head = " (head)" if revision.head else ""
            label = f"{mermaid(revision.message)}<br/>{mermaid(each)}{head}<br/>{word}"
            lines.append(f'  {nodes[each]}["{label}"]:::{word.split()[0]}')
        for parent in revision.parents or ("base",):
            if each in nodes or parent in nodes:
                arrow = "-. depends on .->" if parent in revision.depends else "-->"
                start, end = nodes.get(parent, "base"), nodes.get(each, "later")
                arrows[f"  {start} {arrow} {end}"] = None
    lines += arrows
    places = [nodes[each] for each in shown if each in here]
    places += ["base"] if "base" in here and not earlier else []
    for number, each in enumerate(sorted(here - {*every, "base"}), 1):
        lines.append(f'  lost{number}["{mermaid(each)}<br/>no file has this id"]:::perhaps')
        places.append(f"lost{number}")
    lines += ['  database[("the database<br/>is here")]'] if places else []
    lines += [f"  database ==> {place}" for place in places]
    lines += ["  classDef applied stroke-width:3px", "  classDef not,perhaps stroke-dasharray:6"]
    return "\n".join(lines)


# Text


def _titled(source: str, title: str, text: str) -> str:
    """A picture with what a screen reader says: JupyterLab makes it `alt` and a caption."""
    kind, rest = source.split("\n", 1)
    said = "; ".join(" ".join(line.split()) for line in text.splitlines() if line)
    return f"{LOOK}{kind}\n  accTitle: {mermaid(title)}\n  accDescr: {mermaid(said, 3000)}\n{rest}"


def _aligned(lines: Sequence[Sequence[str]], indent: str = "") -> str:
    """Lines of cells in columns; a column that is empty throughout is left out."""
    cells = [[visible(cell) for cell in line] for line in lines]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        (
            indent
            + "  ".join(ljust(cell, wide) for cell, wide in zip(line, widths, strict=True) if wide)
        ).rstrip()
        for line in cells
    )


def visible(text: str) -> str:
    r"""The text with a sign for what one does not see: ␊ for a line feed, \u202e for an override."""

    def sign(at: int, each: str) -> str:
        if each.isprintable() or (each == "\u200d" and text[at - 1 : at] > "\u2000"):  # ties emoji
            return each
        return chr(0x2400 + ord(each)) if ord(each) < 0x20 else f"\\u{ord(each):04x}"

    return "".join(sign(at, each) for at, each in enumerate(text))


def mermaid(text: str, longest: int = 200) -> str:
    """The text for a place in quotes, such that Mermaid shows it as it is, whatever it is.

    All but letters, digits and what stands in a word goes as a number (#35; for #), into which
    neither Mermaid's grammars nor its Markdown look.
    """
    text = visible(text)
    text = text if len(text) <= longest else f"{text[:longest]}…"
    # A flowchart resolves numbers early, and then looks for formulas, icons and \n.
    text = re.sub(r"\$(?=\$)|:(?=fa-)|\\(?=n)|ﬂ(?=°)|¶(?=ß)", "\\g<0>\u200b", text)
    text = re.sub(r"^ | $| (?= )|(?<= ) ", "\u00a0", text)
    return re.sub(
        r"(?<![^\W_])_|_(?![^\W_])|(?i:(?<=direction)) |[^ (),0-9A-Za-z_\u0100-\uffff]",
        lambda found: f"#{ord(found[0])};",
        text,
    )


def _cell(text: str) -> str:
    """A word in an erDiagram's table; bare where the grammar lets it."""
    bare = re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*(\(\d+(,\d+)?\))?", text)
    return text if bare and text.upper() not in ("PK", "FK", "UK") else f"`{mermaid(text)}`"
