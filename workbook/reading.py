"""An error's text taken apart: the kind, the reason, the statement and the place.

Terminals colour, wrap and cut what they show, and logs put their own words before each line. So
messages are looked for with all white space taken out of both, and lines only where they help.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from psycopg2 import errors

LONGEST = 300_000  # characters: of more, the end
BLOCK = 2_000  # characters that may belong to one error's reason
COLOURS = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_()]?|(?<!\w)\[\d{1,2}(?:;\d{1,3})*m"
)
PREFIX = re.compile(  # what a quote, a container's log, a clock or a frame puts before a line
    r"^(?:> ?)+|^[\w.-]+ +\| ?|^\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)? ?|^[ \t]*[│┃] ?",
    re.MULTILINE,
)
QUOTES = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\xbb\xab", '"') | dict.fromkeys("\u2018\u2019", "'")
)
# PostgreSQL's kinds of errors, whose names have no Error at their end
KINDS = "|".join(name for name in dir(errors) if name[0].isupper())
ANCHOR = re.compile(
    rf"""^[ \t]*(?:.*:\d+:[ ])?(?P<kind>FAILED|FATAL|ERROR(?=:[ ]{{1,2}}\S)|ERROR[ ]*\[[\w.]+\]
    |(?:[\w.-]+:[ ])?error(?=:[ ])|\((?:psycopg2?|sqlite3|pymysql|MySQLdb)[\w.]*\)(?=[ ])
    |(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Warning|Interrupt|Exit|{KINDS})
    |(?:[A-Za-z_]\w*\.)+(?:exc|exceptions?|errors|revision)\.[A-Z]\w+)
    (?=:|[ \t]*$|(?<=[\])])[ ])(?P<reason>.*)""",
    re.MULTILINE | re.VERBOSE,
)
WRAPPERS = ("CalledProcessError", "SystemExit", "KeyboardInterrupt", "ExceptionGroup")
CHAINED = ("direct cause of the following", "During handling of the above")
FRAME = re.compile(
    r'File "(?P<file>[^"\n]+)", line (?P<number>\d+)(?:, in (?P<function>[^\n]+))?\n'
    r"|^File (?P<file2>\S+?):(?P<number2>\d+), in (?P<function2>\S+?)\(.*\n",
    re.MULTILINE,
)
LIBRARIES = re.compile(r"site-packages|dist-packages|[/\\]lib[/\\]python3|<frozen|<string>")
RUNNING = re.compile(r"Running (upgrade|downgrade) +(\S*) *-> *(\S*?),? ")
STATEMENT = re.compile(
    r"\[SQL: (?P<sql>.*?)\]\s*(?=\[parameters|\(Background|\[generated|\n\n|\Z)", re.DOTALL
)


@dataclass(frozen=True)
class Place:
    """A line of a file that a traceback names."""

    file: str
    number: int
    function: str
    code: str


@dataclass(frozen=True)
class Reading:
    """What a text says of an error. Empty where it does not say it."""

    text: str
    kind: str = ""
    reason: str = ""
    block: str = ""  # the kind, the reason and what follows, up to the next error
    statement: str = ""
    place: Place | None = None
    running: tuple[str, str, str] = ("", "", "")  # upgrade or downgrade, from, to
    ran: int = 0  # revisions that Alembic had begun with

    @cached_property
    def warnings(self) -> str:
        """The lines of the text that only warn."""
        return "\n".join(each[0] for each in ANCHOR.finditer(self.text) if _warns(each))

    @property
    def speaker(self) -> str:
        """Whose words they are."""
        known = f"{self.kind} {self.reason}"
        for words, speaker in (
            (r"(psycopg2?|asyncpg|pg8000)\b|^(ERROR|FATAL) |^FATAL", "PostgreSQL or its driver"),
            (r"sqlite3|pymysql|MySQLdb|oracledb|pyodbc", "the database or its driver"),
            ("^FAILED|alembic", "Alembic"),
            ("sqlalchemy|^SAWarning", "SQLAlchemy"),
        ):
            if re.search(words, known):
                return speaker
        return "Python"


def clean(text: str) -> str:
    """The text without colours, frames and what stands before its lines."""
    text = COLOURS.sub("", text[-LONGEST:]).replace("\r\n", "\n").replace("\r", "\n")
    return PREFIX.sub("", text.translate(QUOTES)).replace("\0", "")


def read(text: str) -> list[Reading]:
    """The errors of a text: the one that ended it first, then those that it came from."""
    text = clean(text)
    found = [each for each in ANCHOR.finditer(text) if not _warns(each)]
    while len(found) > 1 and found[-1]["kind"].rpartition(".")[2] in WRAPPERS:
        found.pop()
    if not found:
        return [_reading(text, None, len(text), 0)]
    ends = [each.start() for each in found[1:]] + [len(text)]
    begins = [0, *(each.end() for each in found[:-1])]
    readings = [_reading(text, found[-1], ends[-1], begins[-1])]
    for at in range(len(found) - 1, 0, -1):
        between = text[found[at - 1].end() : found[at].start()]
        if not any(words in between for words in CHAINED):
            break
        readings.append(_reading(text, found[at - 1], ends[at - 1], begins[at - 1]))
    return readings


def _warns(anchor: re.Match[str]) -> bool:
    return anchor["kind"].endswith("Warning")


def _reading(text: str, anchor: re.Match[str] | None, end: int, begin: int) -> Reading:
    """The error at an anchor, whose frames stand between `begin` and it."""
    start = anchor.start() if anchor else begin
    part = text[start:end]
    statement = STATEMENT.search(part)
    block = re.split(r"\[SQL: |\n\n(?=\S)", part)[0] if anchor else STATEMENT.sub("", part)
    frames = list(_frames(text[begin:] if not anchor else text[begin : anchor.end() + 1]))
    running = RUNNING.findall(text[:start] if anchor else text)
    return Reading(
        text,
        anchor["kind"] if anchor else "",
        anchor["reason"].lstrip(": ").strip() if anchor else "",
        block[:BLOCK] if anchor else block,
        " ".join(statement["sql"].split()) if statement else "",
        frames[-1] if frames else None,
        running[-1] if running else ("", "", ""),
        len(running),
    )


def _frames(text: str) -> Iterator[Place]:
    """The places in a traceback that are not in a library."""
    for each in FRAME.finditer(text):
        file = each["file"] or each["file2"]
        if not LIBRARIES.search(file):
            code = text[each.end() :].partition("\n")[0].strip()
            function = each["function"] or each["function2"] or ""
            yield Place(file, int(each["number"] or each["number2"]), function, code)


# ---- looking for messages ------------------------------------------------------------------------


def squeezed(text: str) -> str:
    """The text without white space and without the lines of frames."""
    return re.sub(r"[\s│┃╭╮╰╯─]+", "", text)


@cache
def pattern(template: str) -> re.Pattern[str]:
    """What finds a message: `{name}` stands for a name, `…` for anything; at its end, for nothing."""
    parts = re.split(r"(\{\w+\}|…)", re.sub(r"(\{\w+\}|…)$", "", template))
    made, seen = "", set()
    for part in parts:
        if part == "…":
            made += ".{0,300}?"
        elif re.fullmatch(r"\{\w+\}", part):
            made += f"(?P={part[1:-1]})" if part in seen else f"(?P<{part[1:-1]}>.{{1,160}}?)"
            seen.add(part)
        else:
            made += re.escape(squeezed(part))
    return re.compile(made, re.DOTALL)
