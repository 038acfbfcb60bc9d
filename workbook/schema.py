"""What a database holds, read from PostgreSQL's catalogue, in a form that can be compared."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import sqlalchemy as sa


@dataclass(frozen=True)
class Column:
    """A column; `default` is PostgreSQL's own text of the expression, "serial" for a sequence."""

    type: str
    nullable: bool
    default: str | None = None
    generated: str = ""  # pg_attribute.attgenerated or attidentity, "" for an ordinary column


@dataclass(frozen=True, order=True)
class Constraint:
    """A constraint; `definition` is what pg_get_constraintdef says. Names are not compared."""

    kind: str  # pg_constraint.contype: p, f, u, c, x
    definition: str
    name: str = field(compare=False)


@dataclass(frozen=True, order=True)
class Index:
    """An index that no constraint owns; its name is not compared."""

    definition: str
    name: str = field(compare=False)
    valid: bool = True


Row = Mapping[str, object]
Rule = TypeVar("Rule", Constraint, Index)


@dataclass(frozen=True)
class Table:
    """A table; the order of columns, constraints and indexes is not compared."""

    columns: dict[str, Column]
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()


@dataclass(frozen=True)
class Schema:
    """The tables (without alembic_version), views and enum types of one PostgreSQL schema."""

    tables: dict[str, Table]
    views: dict[str, str] = field(default_factory=dict)
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)


STRING = "character varying"
COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       CASE WHEN pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%' THEN 'serial'
            ELSE pg_get_expr(d.adbin, d.adrelid) END,
       a.attgenerated::text || a.attidentity::text
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p')
  AND c.relname <> 'alembic_version'
ORDER BY c.relname, a.attnum
"""
# A table without columns is legal, so tables are read on their own.
TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = %(schema)s::regnamespace
  AND relkind IN ('r', 'p') AND relname <> 'alembic_version' ORDER BY relname
"""
# PostgreSQL 18 lists NOT NULL among the constraints, older ones do not: a column says it anyway.
CONSTRAINTS = """
SELECT c.relname, o.contype::text, pg_get_constraintdef(o.oid), o.conname
FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
WHERE o.connamespace = %(schema)s::regnamespace AND o.contype <> 'n' AND o.contype <> 't'
  AND c.relname <> 'alembic_version'
"""
INDEXES = """
SELECT t.relname, CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
       || regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', ''),
       c.relname, i.indisvalid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = %(schema)s::regnamespace AND t.relname <> 'alembic_version'
  AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid
                  AND o.contype IN ('p', 'u', 'x'))
"""
VIEWS = """
SELECT relname, pg_get_viewdef(oid) FROM pg_class
WHERE relnamespace = %(schema)s::regnamespace AND relkind IN ('v', 'm') ORDER BY relname
"""
ENUMS = """
SELECT t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
WHERE t.typnamespace = %(schema)s::regnamespace GROUP BY t.typname ORDER BY t.typname
"""


def read(connection: sa.Connection, schema: str = "public") -> Schema:
    """The tables, views and enum types of one PostgreSQL schema."""

    def rows(query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.exec_driver_sql(query, {"schema": schema})]

    columns: dict[str, dict[str, Column]] = {table: {} for (table,) in rows(TABLES)}
    constraints: dict[str, list[Constraint]] = {table: [] for table in columns}
    indexes: dict[str, list[Index]] = {table: [] for table in columns}
    for table, name, *rest in rows(COLUMNS):
        columns[table][name] = Column(*rest)
    for table, kind, definition, name in rows(CONSTRAINTS):
        constraints[table].append(Constraint(kind, definition, name))
    for table, definition, name, valid in rows(INDEXES):
        indexes.setdefault(table, []).append(Index(definition, name, valid))
    return Schema(
        tables={
            table: Table(
                columns[table], tuple(sorted(constraints[table])), tuple(sorted(indexes[table]))
            )
            for table in columns
        },
        views=dict(rows(VIEWS)),
        enums={name: tuple(labels) for name, labels in rows(ENUMS)},
    )


def differences(actual: Schema, goal: Schema) -> list[str]:
    """What is missing, extra or different in `actual`, in words, the most important first."""
    found: list[str] = []
    kinds: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("table", actual.tables, goal.tables),
        ("view", actual.views, goal.views),
        ("type", actual.enums, goal.enums),
    ]
    for kind, have, want in kinds:
        found += [f"Missing: the {kind} {name}." for name in sorted({*want} - {*have})]
        found += [f"Extra: the {kind} {name}." for name in sorted({*have} - {*want})]
        for name in sorted({*have} & {*want}):
            if kind == "table":
                found += _in_table(name, have[name], want[name])
            elif have[name] != want[name]:
                found.append(f"Different: the {kind} {name}{_values_of(have[name])}.")
    return sorted(found, key=lambda line: not line.startswith(("Missing: the t", "Extra: the t")))


def _values_of(what: str | tuple[str, ...]) -> str:
    return "" if isinstance(what, str) else f" has the values {', '.join(what)}"


def _mapped(content: Schema, change: Callable[[str, str, Column], Column]) -> Schema:
    """The same, with other columns in place of these."""
    tables = {
        table: replace(each, columns={n: change(table, n, c) for n, c in each.columns.items()})
        for table, each in content.tables.items()
    }
    return replace(content, tables=tables)


def _string(column: Column) -> Column:
    """The same column; to PostgreSQL, text and varchar are both strings of any length."""
    return replace(column, type=STRING) if column.type == "text" else column


def alike(content: Schema) -> Schema:
    """The same, where a string of any length has one name."""
    return _mapped(content, lambda table, name, column: _string(column))


def settled(made: Schema, goal: Schema, before: Schema, free: bool = False) -> Schema:
    """The same, but new columns are the goal's where they differ in what nobody has asked for.

    That is varchar or text; and what `free` columns may have beyond that: a length where the goal
    has none, an identity to count up by.
    """

    def change(table: str, name: str, have: Column) -> Column:
        want = goal.tables[table].columns.get(name) if table in goal.tables else None
        if want is None or (table in before.tables and name in before.tables[table].columns):
            return have
        mine, theirs = _string(have), _string(want)
        if free and theirs.type == STRING:
            mine = replace(mine, type=re.sub(r"\(\d+\)$", "", mine.type))
        if free and want.default == "serial" and have.generated:
            mine = replace(mine, default="serial", generated="")
        return want if mine == theirs else have

    return _mapped(made, change)


def words(column: Column) -> str:
    """A column's definition in SQL's words, for instance "VARCHAR(50) NOT NULL"."""
    kind = column.type.replace("character varying", "varchar")
    kind = kind.replace("timestamp with time zone", "timestamptz")
    default = f" DEFAULT {column.default}" if column.default not in (None, "serial") else ""
    null = "" if column.nullable else " NOT NULL"
    serial = ", counting up by itself" if column.default == "serial" else ""
    return f"{kind.upper()}{null}{default}{serial}"


def _in_table(table: str, actual: Table, goal: Table) -> list[str]:
    found = []
    for name, column in goal.columns.items():
        if name not in actual.columns:
            found.append(f"Missing: the column {table}.{name}, {words(column)}.")
        elif actual.columns[name] != column:
            have = words(actual.columns[name])
            found.append(f"Different: {table}.{name} is {have}, asked for is {words(column)}.")
    for name, column in actual.columns.items():
        if name not in goal.columns:
            found.append(f"Extra: the column {table}.{name}, {words(column)}.")
    found += _definitions("constraint", table, actual.constraints, goal.constraints)
    found += _definitions("index", table, actual.indexes, goal.indexes)
    return found


def _definitions(what: str, table: str, actual: Sequence[Rule], goal: Sequence[Rule]) -> list[str]:
    have, want = (Counter(each.definition for each in rules) for rules in (actual, goal))
    found = [f"Missing: the {what} {each} on {table}." for each in (want - have).elements()]
    return found + [f"Extra: the {what} {each} on {table}." for each in (have - want).elements()]


def named(content: Schema) -> Schema:
    """The same, where the names of constraints and indexes are a part of what is compared."""

    def told(rule: Rule) -> Rule:
        return replace(rule, definition=f"{rule.name}, {rule.definition},")

    return replace(
        content,
        tables={
            name: replace(
                table,
                constraints=tuple(map(told, table.constraints)),
                indexes=tuple(map(told, table.indexes)),
            )
            for name, table in content.tables.items()
        },
    )


def rows_differ(table: str, actual: Sequence[Row], goal: Sequence[Row]) -> list[str]:
    """Which of a table's rows are missing, too many or of another value, in words."""
    found = []
    first = sorted(goal[0] if goal else (), key=lambda name: (name != "id", name[-3:] != "_id"))
    key = next(iter(first), "")  # what tells the rows apart, in words
    extra = [row for row in actual if row not in goal]
    for row in goal:
        if row in actual:
            continue
        other = next((each for each in extra if each.get(key) == row[key]), None)
        if other is None:
            found.append(f"a row of {table} is missing: {_values(row)}.")
            continue
        extra.remove(other)
        found += [
            f"{table}.{name} of the row {row[key]} holds {_value(other.get(name))}."
            for name in row
            if other.get(name) != row[name]
        ]
    return found + [f"a row of {table} is too many: {_values(row)}." for row in extra]


def _values(row: Row) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in row.items())


def _value(value: object) -> str:
    return "NULL" if value is None else repr(value)
