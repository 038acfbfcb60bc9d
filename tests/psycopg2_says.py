"""What psycopg2 answers to all sorts of things, printed: tests/test_lite.py runs it with both."""

import datetime as dt
import decimal
import re
import sys
from collections.abc import Iterator
from typing import Any

import psycopg2
from psycopg2 import errors, extensions, sql

CEST = dt.timezone(dt.timedelta(hours=2))
LONG = (
    "SELECT 1 AS first_of_many_columns, 2 AS second_of_many_columns, 3 AS third, {} FROM pg_class"
)
QUERIES: list[Any] = [
    "SELECT 1, 2::int8, 3::int2, 1.5::float8, 'NaN'::float8, 2.50, 'NaN'::numeric, 1e20::numeric(30,2)",
    "SELECT true, false, NULL, 'a''b', ' c '::char(5), 'd'::name, 'e'::\"char\", E'f\\\\g\\nh'",
    "SELECT DATE '2026-02-03', TIME '04:05:06.7', TIMESTAMP '2026-02-03 04:05:06.78'",
    "SELECT TIMESTAMPTZ '2026-02-03 04:05:06.78+02', TIMETZ '04:05+02', TIMESTAMP '0044-01-02'",
    "SELECT 'infinity'::timestamp, '-infinity'::date, 'infinity'::date",
    "SELECT INTERVAL '1 year 2 mons 3 days 04:05:06.789', INTERVAL '-1 day -00:00:01', INTERVAL '3 mons'",
    "SELECT ARRAY[1,2,NULL], ARRAY['a,b','c\"d','e\\f','NULL',NULL], ARRAY[[1,2],[3,4]], '{}'::text[]",
    "SELECT ARRAY[1.5,2]::numeric[], ARRAY[true], ARRAY[DATE '2026-01-01'], ARRAY[1.5::float8]",
    "SELECT '[2:3]={7,8}'::int[], '{1}'::name[], ARRAY['x'::varchar]",
    "SELECT '\\x00ff10'::bytea, 17::oid, 'pg_class'::regclass, '{\"a\": [1, null]}'::jsonb, '[2]'::json",
    "SELECT '00000000-0000-4000-8000-000000000000'::uuid, '10.0.0.1'::inet, int4range(1,5), '(1,2)'::point",
    "SELECT 1 AS \"Ä name\", 'Grüße, 世界' AS text, '' AS empty",
    "SELECT 1 WHERE false",
    "SELECT 1; SELECT 2, 3",
    "CREATE TEMP TABLE t (id serial PRIMARY KEY, name varchar(5) NOT NULL UNIQUE, n numeric(6,2) CHECK (n > 0))",
    "INSERT INTO t (name, n) VALUES ('a', 1), ('b', 2) RETURNING id, name, n",
    "UPDATE t SET n = n + 1",
    "DELETE FROM t WHERE name = 'nobody'",
    "INSERT INTO t (name) VALUES ('a')",
    "INSERT INTO t (name) VALUES ('too long')",
    "INSERT INTO t (name) VALUES (NULL)",
    "INSERT INTO t (name, n) VALUES ('c', -1)",
    "INSERT INTO t (name, n) VALUES ('c', 'x')",
    "SELECT * FROM missing",
    "SELEC 1",
    "SELECT missing FROM t",
    "SELECT 1\nFROM t\n  WHERE\tnowhere = 1\nORDER BY 1",
    LONG.format("nothing_of_that_name"),
    LONG.format("nothing_of_that_name, oid, relname, relnamespace, reltype, relowner"),
    f"SELECT nothing_of_that_name, {', '.join(['relname'] * 12)} FROM pg_class",
    "SELECT 'Grüße', '世界' FROM t WHERE Grüße = 1",
    "SELECT 1/0",
    "SELECT 'x'::int",
    "SELECT repeat('x', 3) + 1",
    "DROP TABLE missing",
    "DROP TABLE IF EXISTS missing",
    "CREATE TABLE t2 (a missing_type)",
    "CREATE TABLE pg_temp.t (a int)",
    "DO $$ BEGIN RAISE NOTICE 'seen'; RAISE WARNING 'careful' USING HINT = 'look'; END $$",
    "DO $$ BEGIN PERFORM 1/0; END $$",
    "DO $$ BEGIN EXECUTE 'SELEC 1'; END $$",
    "DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = 'P0042', DETAIL = 'd', HINT = 'h'; END $$",
    "SET lock_timeout = '7s'",
    "SHOW lock_timeout",
    "",
    "-- nothing",
    ("SELECT %s, %s, %s, %s", (1, -2, 1.5, -0.5)),
    ("SELECT %s, %s, %s", (float("inf"), decimal.Decimal("-1.50"), decimal.Decimal("NaN"))),
    ("SELECT %s, %s, %s", ("it's", "a\\b", "100%")),
    ("SELECT %s, %s, %s", (None, True, b"\x00\xff")),
    ("SELECT %s, %s", (dt.date(2026, 2, 3), dt.time(4, 5, 6))),
    ("SELECT %s, %s", (dt.datetime(2026, 2, 3, 4, 5), dt.datetime(2026, 2, 3, 4, 5, 6, 7, CEST))),
    ("SELECT %s, %s", (dt.timedelta(1, 2, 3), dt.timedelta(-1, 2))),
    ("SELECT %s, %s::int[]", (["a", "b", None], [])),
    ("SELECT 1 WHERE 1 IN %s", ((1, 2),)),
    ("SELECT %(b)s, %(a)s, '%%'", {"a": 1, "b": "two"}),
    ("SELECT '%'", ()),
    ("SELECT %s", (object(),)),
    ("SELECT %s, %s", (1,)),
    ("SELECT %s", (1, 2)),
    ("SELECT %d", (1,)),
    ("SELECT %(a)s", {"b": 1}),
    (sql.SQL("SELECT {} AS {}").format(sql.Literal("v"), sql.Identifier('a"b')), None),
]


def says(cursor: Any, query: Any) -> Iterator[object]:
    """Everything that is to be seen of a query's answer."""
    text, values = query if isinstance(query, tuple) else (query, None)
    try:
        cursor.execute(text, values)
        yield cursor.description, cursor.rowcount, cursor.statusmessage, cursor.query
        if cursor.description:
            yield [list(each) for each in cursor.description]
            for row in cursor.fetchmany(2) + cursor.fetchall():
                yield [(type(each).__name__, plain(each)) for each in row]
        else:
            cursor.fetchone()
    except Exception as error:  # noqa: BLE001 - whatever it is
        yield (
            [each.__qualname__ for each in type(error).__mro__],
            type(error).__module__,
            str(error),
        )
        if isinstance(error, psycopg2.Error):
            names = "severity sqlstate message_primary message_detail message_hint context"
            names += " statement_position schema_name table_name column_name constraint_name"
            yield error.pgcode, error.pgerror, [getattr(error.diag, each) for each in names.split()]
    connection = cursor.connection
    yield connection.status, connection.info.transaction_status, connection.notices
    connection.notices.clear()


def plain(value: object) -> object:
    """A value that prints the same in every process."""
    return bytes(value) if isinstance(value, memoryview) else value


def whole_session() -> Iterator[object]:
    """Transactions, seen from two sides."""
    one, two = psycopg2.connect(""), psycopg2.connect("")
    two.autocommit = True
    with one, one.cursor() as cursor:
        cursor.execute("CREATE TABLE seen (a int)")
        cursor.executemany("INSERT INTO seen VALUES (%s)", [(1,), (2,)])
        yield cursor.rowcount, one.get_transaction_status()
    cursor = two.cursor()
    cursor.execute("SELECT a FROM seen ORDER BY a")
    yield list(cursor), cursor.fetchone(), two.get_transaction_status()
    for statement in ("INSERT INTO seen VALUES (3)", "SELECT 1/0", "SELECT 1"):
        yield list(says(one.cursor(), statement))
    one.commit()
    cursor.execute("SELECT count(*) FROM seen")
    yield cursor.fetchall(), cursor.rowcount, one.get_transaction_status()
    one.set_isolation_level(extensions.ISOLATION_LEVEL_SERIALIZABLE)
    yield list(says(one.cursor(), "SHOW transaction_isolation"))
    one.rollback()
    cursor.execute("DROP TABLE seen")
    one.close()
    yield list(says(two.cursor(), "SELECT 1"))
    try:
        one.cursor()
    except psycopg2.Error as error:
        yield type(error), str(error)


def everything() -> Iterator[object]:
    """All that is compared."""
    connection = psycopg2.connect("")
    connection.autocommit = True
    for query in QUERIES:
        yield "", query if "object" not in str(query) else "an object"
        yield from says(connection.cursor(), query)
    connection.close()
    yield from whole_session()
    for name in sorted(vars(errors)):
        found = getattr(errors, name)
        if isinstance(found, type):
            yield name, [each.__qualname__ for each in found.__mro__], found.__module__
    for dsn in ("dbname=a user=b", "postgresql://u:p@h:1/d?options=-c%20x%3D1", "nonsense"):
        try:
            yield sorted(extensions.parse_dsn(dsn).items())
        except psycopg2.Error as error:
            yield type(error), str(error)
    yield (
        psycopg2.apilevel,
        psycopg2.paramstyle,
        psycopg2.threadsafety,
        extensions.quote_ident('a"b', psycopg2.connect("")),
    )


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for each in everything():
        print(re.sub(r"pg_temp_\d+", "pg_temp", str(each)))
