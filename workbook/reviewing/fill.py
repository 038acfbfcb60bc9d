"""Rows for any tables: made from the catalogue, so that a migration has something to work on."""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2

EMPTY_ONE_IN = 10  # of the values of a column that may be NULL

# A column that PostgreSQL fills by itself (a default, an identity, a computed one) is left to it.
COLUMNS = """
SELECT c.oid::regclass::text, a.attname, quote_ident(a.attname), format_type(b.oid, NULL),
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, b.typtype, b.typcategory, a.attnotnull OR t.typnotnull,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique
               AND a.attnum = ANY (i.indkey))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'alembic_version'
  AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  AND a.attidentity = '' AND NOT a.atthasdef
ORDER BY c.oid, a.attnum
"""
ALL = """
SELECT oid::regclass::text FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'
  AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
ORDER BY oid
"""
LINKS = """
SELECT o.conrelid::regclass::text, o.confrelid::regclass::text,
       ARRAY(SELECT attname::text FROM unnest(o.conkey) WITH ORDINALITY AS k (number, place)
             JOIN pg_attribute ON attrelid = o.conrelid AND attnum = k.number ORDER BY place),
       ARRAY(SELECT quote_ident(attname) FROM unnest(o.confkey) WITH ORDINALITY AS k (number, place)
             JOIN pg_attribute ON attrelid = o.confrelid AND attnum = k.number ORDER BY place)
FROM pg_constraint o WHERE o.contype = 'f' AND o.conparentid = 0
"""
# By what format_type calls them; n is the row's number.
VALUES = {
    "boolean": "n % 2 = 0",
    "uuid": "gen_random_uuid()",
    "json": "json '{}'",
    "jsonb": "jsonb '{}'",
    "bytea": "decode(to_hex(1000000000 + n), 'hex')",
    "inet": "inet '10.0.0.0' + n",
    "date": "DATE '2026-01-01' + n % 365",
    "time without time zone": "TIME '08:00' + (n % 600) * interval '1 minute'",
    "interval": "n * interval '1 minute'",
    "timestamp without time zone": "TIMESTAMP '2026-01-01' + n * interval '1 minute'",
    "timestamp with time zone": "TIMESTAMPTZ '2026-01-01 00:00+00' + n * interval '1 minute'",
    "tsvector": "tsvector ''",
}


@dataclass(frozen=True)
class Insert:
    """How a table is filled: from the row number `%s` to the row number `%s`."""

    table: str
    columns: tuple[str, ...]  # quoted
    values: tuple[str, ...]

    @functools.cached_property
    def sql(self) -> str:
        if not self.columns:
            one = f"INSERT INTO {self.table} DEFAULT VALUES"
            return f"DO $$ BEGIN FOR n IN %s .. %s LOOP {one}; END LOOP; END $$"
        what = (
            f"INSERT INTO {self.table} ({', '.join(self.columns)}) SELECT {', '.join(self.values)}"
        )
        return what.replace("%", "%%") + " FROM generate_series(%s, %s) AS n"


@dataclass(frozen=True)
class Column:
    """A column of COLUMNS."""

    table: str
    name: str
    quoted: str
    type: str
    length: int
    kind: str  # pg_type.typtype
    category: str
    required: bool
    unique: bool


def inserts(cursor: Any) -> list[Insert]:
    """How each table can be filled, those first that others point at."""
    cursor.execute(LINKS)
    links = [tuple(row) for row in cursor.fetchall()]
    cursor.execute(ALL)
    tables = [row[0] for row in cursor.fetchall()]
    cursor.execute(COLUMNS)
    columns = [Column(*row) for row in cursor.fetchall()]
    found = []
    for table in _ordered(tables, [(child, parent) for child, parent, *_ in links]):
        points: dict[str, str] = {}
        for child, parent, names, targets in links:
            if child == table:
                points.update(zip(names, _keys(child, parent, targets), strict=True))
        pairs = [
            (each.quoted, value)
            for each in columns
            if each.table == table and (value := _value(each, points.get(each.name, "")))
        ]
        found.append(Insert(table, tuple(c for c, _ in pairs), tuple(v for _, v in pairs)))
    return found


def fill(connection: Any, rows: int) -> dict[str, str]:
    """Put so many rows into each table; gives the tables that refuse them, and why."""
    refused = {}
    with connection.cursor() as cursor:
        for each in inserts(cursor):
            try:
                cursor.execute(each.sql, (1, rows))
            except psycopg2.Error as error:
                refused[each.table] = str(error).splitlines()[0]
        cursor.execute("ANALYZE")
    return refused


def _ordered(tables: Iterable[str], links: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Parents before children; what points in a circle comes last."""
    waiting = list(tables)
    while waiting:
        free = [
            each
            for each in waiting
            if not any(c == each and p in waiting and p != c for c, p in links)
        ]
        for each in free or waiting:
            waiting = [other for other in waiting if other != each]
            yield each


def _keys(child: str, parent: str, targets: Iterable[str]) -> Iterator[str]:
    """For each column of a foreign key: a value that the parent has, another for each row."""
    for target in targets:
        if child == parent:
            yield "NULL"
        else:
            all_keys = f"ARRAY(SELECT {target} FROM {parent} ORDER BY ctid)"
            yield f"({all_keys})[1 + n % (SELECT greatest(count(*), 1) FROM {parent})::int]"


def _value(column: Column, key: str) -> str:
    """The SQL for a column's value in row n; nothing where there is none to be had."""
    value = key or _made(column)
    if not value:
        return "" if not column.required else "NULL"  # PostgreSQL's refusal names the column
    if column.required or column.unique or value == "NULL":
        return value
    return f"CASE WHEN n % {EMPTY_ONE_IN} > 0 THEN {value} END"


def _made(column: Column) -> str:
    if column.kind == "e":
        labels = f"enum_range(NULL::{column.type})"
        return f"({labels})[1 + n % cardinality({labels})]"
    if column.category == "A":
        return f"'{{}}'::{column.type}"
    if column.category == "S":
        text = f"'{column.name.replace(chr(39), '')} ' || n"
        return f"right({text}, {column.length - 4})" if column.length > 4 else text
    if column.category == "N":
        return "n" if column.unique else "1 + n % 9"
    return VALUES.get(column.type, "")
