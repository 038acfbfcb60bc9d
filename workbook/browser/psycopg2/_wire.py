"""PostgreSQL's wire protocol, as far as simple queries need it, and libpq's words for an error.

Source: "Message Formats" and "Error and Notice Message Fields" in PostgreSQL's documentation, and
pqBuildErrorMessage3() in src/interfaces/libpq/fe-protocol3.c.
"""

import struct
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

WIDTH, NEAR_END = (
    60,
    10,
)  # libpq's: how much of a line is shown, and what is kept right of its place


@dataclass
class Column:
    """What a result says of one of its columns."""

    name: str
    table: int
    number: int
    type: int
    size: int
    modifier: int


@dataclass
class Result:
    """What one statement gives: rows in PostgreSQL's text form, or a command tag alone."""

    tag: str = ""
    columns: list[Column] | None = None
    rows: list[list[str | None]] = field(default_factory=list)


@dataclass
class Answer:
    """What a query gives, and the state that the session is in then: I, T or E."""

    results: list[Result] = field(default_factory=list)
    notices: list[dict[str, str]] = field(default_factory=list)
    error: dict[str, str] | None = None
    state: str = "I"


def query(sql: str) -> bytes:
    """The message that asks for statements."""
    text = sql.encode() + b"\0"
    return b"Q" + struct.pack("!i", len(text) + 4) + text


def answer(data: bytes) -> Answer:
    """What the server's messages say."""
    found, result = Answer(), Result()
    for kind, body in _messages(data):
        match kind:
            case b"T":
                result.columns = list(_columns(body))
            case b"D":
                result.rows.append(list(_values(body)))
            case b"C" | b"I":
                result.tag = body[:-1].decode() if kind == b"C" else ""
                found.results.append(result)
                result = Result()
            case b"E":
                found.error = _fields(body)
            case b"N":
                found.notices.append(_fields(body))
            case b"Z":
                found.state = body.decode()
    return found


def _messages(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from("!i", data, at + 1)
        yield data[at : at + 1], data[at + 5 : at + 1 + size]
        at += 1 + size


def _columns(body: bytes) -> Iterator[Column]:
    at = 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        end = body.index(b"\0", at)
        table, number, kind, size, modifier, _ = struct.unpack_from("!IhIhih", body, end + 1)
        yield Column(body[at:end].decode(), table, number, kind, size, modifier)
        at = end + 19


def _values(body: bytes) -> Iterator[str | None]:
    at = 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        (size,) = struct.unpack_from("!i", body, at)
        at += 4
        yield None if size < 0 else body[at : at + size].decode()
        at += max(size, 0)


def _fields(body: bytes) -> dict[str, str]:
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


def words(fields: dict[str, str], sql: str) -> str:
    """An error or a notice as libpq writes it."""
    lines = [f"{fields['S']}:  {fields['M']}\n"]
    if "P" in fields:
        lines.append(_place(sql, int(fields["P"]) - 1))
    elif "p" in fields and "q" in fields:
        lines.append(_place(fields["q"], int(fields["p"]) - 1))
    names = {"D": "DETAIL", "H": "HINT", "q": "QUERY", "W": "CONTEXT"}
    if fields["V"] in ("NOTICE", "WARNING", "INFO", "LOG", "DEBUG"):
        del names["W"]
    lines += [f"{name}:  {fields[key]}\n" for key, name in names.items() if key in fields]
    return "".join(lines)


def _place(sql: str, at: int) -> str:
    """The line of a statement that an error points into, cut to libpq's width, and a mark below."""
    first = sql.rfind("\n", 0, at) + 1
    last = sql.find("\n", at)
    begin, end = first, len(sql) if last < 0 else last
    if end - begin > WIDTH:
        if begin + WIDTH >= at + NEAR_END:
            end = begin + WIDTH
        else:
            end = min(end, at + NEAR_END)
            begin = max(begin, end - WIDTH)
    before, after = "..." * (begin > first), "..." * (end < (len(sql) if last < 0 else last))
    head = f"LINE {sql.count(chr(10), 0, at) + 1}: {before}"
    line = sql[begin:end].replace("\t", " ")
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in sql[begin:at])
    return f"{head}{line}{after}\n{' ' * (len(head) + at - begin + wide)}^\n"
