"""Values: out of PostgreSQL's text into Python, and from Python into SQL, as psycopg2 does it."""

import datetime as dt
import decimal
import re
from collections.abc import Callable
from typing import Any

from ._tables import TYPES  # written at build time

# ---- out of PostgreSQL's text --------------------------------------------------------------------

string_types: dict[int, "Type"] = {}
binary_types: dict[int, "Type"] = {}


class Type:
    """What turns the text of some types into Python; it equals the numbers of these types."""

    def __init__(self, values: Any, name: str, cast: Callable[[Any, Any], Any]) -> None:
        self.values, self.name, self.cast = tuple(values), name, cast

    def __call__(self, value: str | None, cursor: Any = None) -> Any:
        """The value of a text."""
        return self.cast(value, cursor)

    def __eq__(self, other: object) -> bool:
        return other in self.values if isinstance(other, int) else self is other

    def __hash__(self) -> int:
        return id(self)


def new_type(values: Any, name: str, cast: Any) -> Type:
    return Type(values, name, cast)


def new_array_type(values: Any, name: str, base: Type) -> Type:
    def cast(text: str | None, cursor: Any) -> Any:
        return None if text is None else _array(text, lambda word: base(word, cursor))

    return Type(values, name, cast)


def register_type(kind: Type, scope: Any = None) -> None:
    types = string_types if scope is None else scope.string_types
    types.update(dict.fromkeys(kind.values, kind))


WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",{}]+)|([{}])', re.DOTALL)


def _array(text: str, cast: Callable[[str], Any]) -> list[Any]:
    """PostgreSQL's text form of an array, `{1,NULL,"a b"}`, each element cast."""
    open_lists: list[list[Any]] = [[]]
    for quoted, plain, brace in WORD.findall(text[text.index("{") :]):
        if brace == "{":
            open_lists.append([])
        elif brace == "}":
            done = open_lists.pop()
            open_lists[-1].append(done)
        elif plain == "NULL":
            open_lists[-1].append(None)
        else:
            open_lists[-1].append(cast(plain or re.sub(r"\\(.)", r"\1", quoted)))
    return list(open_lists[0][0])


def _moment(kind: type[dt.date]) -> Callable[[str], dt.date]:
    """A date, or a date and time; infinity is where Python's calendar ends."""

    def cast(text: str) -> dt.date:
        ends = {"infinity": kind.max, "-infinity": kind.min}
        if text.endswith(" BC"):
            raise ValueError("year is out of range")
        return ends.get(text) or kind.fromisoformat(text)

    return cast


UNITS = {"year": 365, "mon": 30, "day": 1}  # days, as psycopg2 counts them
CLOCK = re.compile(r"(-?)(\d+):(\d+):(\d+)(?:\.(\d+))?")


def _interval(text: str) -> dt.timedelta:
    days = sum(int(n) * UNITS[unit] for n, unit in re.findall(r"(-?\d+) (year|mon|day)", text))
    span = dt.timedelta()
    if found := CLOCK.search(text):
        sign, hours, minutes, seconds, fraction = found.groups()
        span = dt.timedelta(
            hours=int(hours),
            minutes=int(minutes),
            seconds=int(seconds),
            microseconds=int(f"{fraction or '':0<6}"[:6]),
        ) * (-1 if sign else 1)
    return dt.timedelta(days=days) + span


CASTS: dict[str, Callable[[str], Any]] = {
    "INTEGER": int,
    "LONGINTEGER": int,
    "ROWID": int,
    "FLOAT": float,
    "DECIMAL": decimal.Decimal,
    "BOOLEAN": lambda text: text == "t",
    "STRING": str,
    "UNKNOWN": str,
    "INET": str,
    "CIDR": str,
    "MACADDR": str,
    "BINARY": lambda text: memoryview(bytes.fromhex(text[2:])),
    "DATE": _moment(dt.date),
    "TIME": dt.time.fromisoformat,
    "DATETIME": _moment(dt.datetime),
    "DATETIMETZ": _moment(dt.datetime),
    "INTERVAL": _interval,
}


def _named(name: str) -> Type:
    """The type of this name, for all the numbers that psycopg2 gives to it."""
    values = [number for number, each in TYPES.items() if each == name]
    if name.endswith("ARRAY"):
        base = name.removesuffix("ARRAY")
        return new_array_type(values, name, _named(base))
    cast = CASTS[name]
    return Type(values, name, lambda text, _: None if text is None else cast(text))


NAMED = {name: _named(name) for name in {*TYPES.values(), "INET", "CIDR", "MACADDR"}}
for each in NAMED.values():
    register_type(each)
UNICODE, UNICODEARRAY = NAMED["STRING"], NAMED["STRINGARRAY"]
NUMBER = Type((20, 23, 21, 701, 700, 1700), "NUMBER", NAMED["FLOAT"].cast)

# ---- into SQL ------------------------------------------------------------------------------------


class ISQLQuote:
    """What an adapter is asked to conform to."""


adapters: dict[tuple[type, type], Any] = {}


class Adapter:
    """A value that knows its SQL."""

    def __init__(self, adapted: Any, *_: Any) -> None:
        self.adapted = adapted

    def __conform__(self, protocol: Any) -> "Adapter":
        return self

    def __str__(self) -> str:
        return self.getquoted().decode()

    def getquoted(self) -> bytes:
        """The SQL."""
        return self.text(self.adapted).encode()

    @staticmethod
    def text(value: Any) -> str:
        """The SQL of a value."""
        return str(value)


class AsIs(Adapter):
    """A value that is SQL already."""


def _adapter(name: str, *kinds: type) -> Callable[[Callable[[Any], str]], type[Adapter]]:
    def made(text: Callable[[Any], str]) -> type[Adapter]:
        adapter = type(name, (Adapter,), {"text": staticmethod(text)})
        adapters.update({(kind, ISQLQuote): adapter for kind in kinds})
        return adapter

    return made


@_adapter("QuotedString", str)
def QuotedString(value: str) -> str:
    if "\0" in value:
        raise ValueError("A string literal cannot contain NUL (0x00) characters.")
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _signed(text: str) -> str:
    return f" {text}" if text.startswith("-") else text  # not to make a comment of "- -1"


@_adapter("Boolean", bool)
def Boolean(value: bool) -> str:
    return "true" if value else "false"


@_adapter("Int", int)
def Int(value: int) -> str:
    return _signed(str(int(value)))


@_adapter("Float", float)
def Float(value: float) -> str:
    words = {"nan": "'NaN'::float", "inf": "'Infinity'::float", "-inf": "'-Infinity'::float"}
    return words.get(repr(value)) or _signed(repr(value))


@_adapter("Decimal", decimal.Decimal)
def Decimal(value: decimal.Decimal) -> str:
    return _signed(str(value)) if value.is_finite() else "'NaN'::numeric"


@_adapter("Binary", bytes, bytearray, memoryview)
def Binary(value: Any) -> str:
    return f"'\\x{bytes(value).hex()}'::bytea"


@_adapter("Date", dt.date)
def DateFromPy(value: dt.date) -> str:
    return f"'{value.isoformat()}'::date"


@_adapter("Time", dt.time)
def TimeFromPy(value: dt.time) -> str:
    return f"'{value.isoformat()}'::time"


@_adapter("Timestamp", dt.datetime)
def TimestampFromPy(value: dt.datetime) -> str:
    return f"'{value.isoformat()}'::timestamp" + "tz" * (value.tzinfo is not None)


@_adapter("Interval", dt.timedelta)
def IntervalFromPy(value: dt.timedelta) -> str:
    return f"'{value.days} days {value.seconds}.{value.microseconds:06} seconds'::interval"


@_adapter("List", list)
def List(value: list[Any]) -> str:
    return f"ARRAY[{','.join(map(literal, value))}]" if value else "'{}'"


def adapt(value: Any, protocol: Any = ISQLQuote, alternative: Any = None) -> Any:
    """The adapter of a value; raises psycopg2's ProgrammingError where there is none."""
    for kind in type(value).__mro__:
        if (kind, ISQLQuote) in adapters:
            return adapters[kind, ISQLQuote](value)
    if hasattr(value, "__conform__"):
        return value.__conform__(ISQLQuote)
    from psycopg2 import ProgrammingError

    raise ProgrammingError(f"can't adapt type '{type(value).__name__}'")


def literal(value: Any, connection: Any = None) -> str:
    """A value as SQL."""
    if value is None:
        return "NULL"
    adapter = adapt(value)
    if hasattr(adapter, "prepare"):
        adapter.prepare(connection)
    quoted = adapter.getquoted()
    return str(quoted.decode() if isinstance(quoted, bytes) else quoted)


PLACES = re.compile(r"%(?:\((?P<name>.*?)\))?(?P<kind>.?)", re.DOTALL)


def merged(sql: str, values: Any, connection: Any) -> str:
    """A statement with its values put in the places of %s or %(name)s."""
    by_name = hasattr(values, "keys")
    rest = iter(() if by_name else values)

    def put(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        try:
            value = values[found["name"]] if by_name else next(rest)
        except StopIteration:
            raise IndexError("tuple index out of range") from None
        if found["kind"] != "s":
            kind, at = found["kind"], found.start("kind")
            words = f"unsupported format character '{kind}' ({ord(kind):#x}) at index {at}"
            raise ValueError(words)
        return literal(value, connection)

    whole = PLACES.sub(put, sql)
    if next(rest, rest) is not rest:
        raise TypeError("not all arguments converted during string formatting")
    return whole
