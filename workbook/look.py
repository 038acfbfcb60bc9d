"""What tables there are: in the database, in the models, or where a revision leads.

Read from PostgreSQL each time: models and revisions are applied to an empty database and then read
like any other, so that three answers can be held side by side.
"""

import contextlib
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.dialects.postgresql.base import ischema_names

from workbook import WorkbookError, apart, project, schema
from workbook.server import database

NEW, GONE, CHANGED = "+", "\N{MINUS SIGN}", "~"


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


SERIAL = {"INTEGER": "SERIAL", "BIGINT": "BIGSERIAL", "SMALLINT": "SMALLSERIAL"}
GENERATED = {
    "a": "ALWAYS AS IDENTITY",
    "d": "BY DEFAULT AS IDENTITY",
    "s": "STORED",
    "v": "VIRTUAL",
}


def rows_of(state: State, table: str) -> list[Row]:
    return [*columns(state, table), *rules(state, table, marked=False)]


def columns(state: State, table: str) -> Iterator[Row]:
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


def rules(state: State, table: str, marked: bool = True) -> Iterator[Row]:
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


def compare(before: Iterable[Row], after: Iterable[Row]) -> list[tuple[str, Row]]:
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


def changes(old: State, new: State) -> Iterator[str]:
    """A sentence for each difference."""
    for table in sorted({*old.tables, *new.tables}):
        if table not in old.tables:
            yield f"{table} is new, with {', '.join(new.tables[table].columns) or 'no columns'}"
        elif table not in new.tables:
            yield f"{table} is gone"
        else:
            before, after = (
                [row._replace(keys="") for row in [*columns(each, table), *rules(each, table)]]
                for each in (old, new)
            )
            for sign, row in compare(before, after):
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


def read_state(of: Any) -> State:
    """The tables of whatever `show_tables` takes. Raises WorkbookError."""
    kept = of if isinstance(of, State) else getattr(of, "state", None)
    if isinstance(kept, State):
        return kept
    if of == "database":
        with connected() as connection:
            return read(connection, "the database")
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
                for statement in _models():
                    connection.exec_driver_sql(statement)
            elif of != "base":
                project.migrate(connection, scripts(), of)
            return read(connection, words)
    except WorkbookError:
        raise
    except CommandError as error:
        raise WorkbookError(f"{error}. `alembic history` lists the revisions.") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - models and revisions can do anything
        raise WorkbookError(
            f"The tables of {words} cannot be made in an empty database: {first_line(error)}"
        ) from None


def _models() -> list[str]:
    """The statements that make the tables of jobboard/models.py.

    From a Python of its own: in this one, what was imported once would count, and not what the file
    says today. Raises WorkbookError.
    """
    try:
        made = apart.call("workbook.project:ddl_or_reason", seconds=20, folder=Path.cwd())
    except apart.Stopped as stopped:
        made = f"{stopped}."
    if isinstance(made, str):
        raise WorkbookError(f"The models do not work: {visible(made)}")
    return list(made)


def read(connection: sa.Connection, of: str) -> State:
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
def connected() -> Iterator[sa.Connection]:
    """A short connection to the learner's database."""
    database.connect_environment()
    try:
        with database.engine().connect() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        raise WorkbookError(f"The database does not answer: {first_line(error.orig)}") from None


def must_have(table: str, states: Sequence[State]) -> None:
    """Raise WorkbookError if no state has the table."""
    if not isinstance(table, str):
        raise WorkbookError("A table is given by its name; for models, write show_tables(of=Base).")
    there = sorted({name for state in states for name in state.tables})
    if table not in there:
        where = "the models, the migrations or the database" if states[1:] else states[0].of
        names = f"There is {', '.join(there)}." if there else "There is none."
        raise WorkbookError(visible(f'There is no table "{table}" in {where}. {names}'))


def first_line(error: BaseException | None) -> str:
    """The first line of an error, with its kind."""
    return visible(f"{type(error).__name__}: {error}".strip(" :\n").splitlines()[0])


def scripts() -> ScriptDirectory:
    """The Alembic environment of the folder that this Python works in. Raises WorkbookError."""
    before = sys.path[:]
    try:
        return ScriptDirectory.from_config(Config("alembic.ini"))
    except CommandError:
        raise WorkbookError(
            "There is no Alembic environment here: `alembic init alembic` makes one (chapter 2)."
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever an ini file can hold
        raise WorkbookError(f"alembic.ini cannot be read: {first_line(error)}") from None
    finally:
        sys.path[:] = before  # prepend_sys_path adds a "." each time


def visible(text: str) -> str:
    r"""The text with a sign for what one does not see: ␊ for a line feed, \u202e for an override."""

    def sign(at: int, each: str) -> str:
        if each.isprintable() or (each == "\u200d" and text[at - 1 : at] > "\u2000"):  # ties emoji
            return each
        return chr(0x2400 + ord(each)) if ord(each) < 0x20 else f"\\u{ord(each):04x}"

    return "".join(sign(at, each) for at, each in enumerate(text))
