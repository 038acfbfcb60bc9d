"""An error's text taken apart: the kind, the reason, the statement and the place.

Terminals colour, wrap and cut what they show, and logs put their own words before each line. So
messages are looked for with all white space taken out of both, and lines only where they help.
"""

import itertools
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
# A log in JSON, and a traceback that is quoted as one string, have two signs for the end of a line.
ESCAPED = re.compile(r'^\s*\{"|Traceback \(most recent call last\):\\n|\\n  File ')
SIGNS = {"\\n": "\n", "\\r": "", "\\t": "\t", '\\"': '"', "\\u001b": "\x1b", '": "': '":\n'}
PREFIX = re.compile(  # what a quote, a container's log, a clock, pytest or a frame puts before a line
    r"""^(?:>+(?:[ ]|$))+|^[\w.-]+[ ]+\|[ ]?|^E(?:[ ]{3,7}|$)|^[ \t]*[│┃][ ]?
    |^[A-Z][a-z]{2}[ ]+\d+[ ][\d:]{8}[ ]\S+[ ]\S+[ ]?|^[\w.-]+\[[\w.-]+\]:[ ]
    |^\[?\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?\]?(?:[ ][A-Z]{3,4})?(?:[ ]\[\d+\])?[ ]?""",
    re.MULTILINE | re.VERBOSE,
)
LAYERS = 3  # of them, one before the other
QUOTES = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\xbb\xab", '"') | dict.fromkeys("\u2018\u2019", "'")
)
# PostgreSQL's kinds of errors, whose names have no Error at their end
KINDS = "|".join(name for name in dir(errors) if name[0].isupper())
ANCHOR = re.compile(
    rf"""^[ \t*`]*(?:.*:\d+:[ ])?(?P<kind>FAILED|FATAL|ERROR(?=:[ ]{{1,2}}\S)|ERROR[ ]*\[[\w.]+\]
    |(?:[\w.-]+:[ ])?error(?=:[ ])|\((?:psycopg2?|sqlite3|sqlalchemy|aiosqlite|asyncpg|pymysql|MySQLdb|mysql)\.[\w.]*\)(?=[ ])
    |(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Warning|Interrupt|Exit|{KINDS})
    |(?:[A-Za-z_]\w*\.)+(?:exc|exceptions?|errors|revision)\.[A-Z]\w+)
    (?=:|[ \t]*$|(?<=[\])])[ ])(?P<reason>.*)""",
    re.MULTILINE | re.VERBOSE,
)
# What only says that something before it has failed
WRAPPERS = ("CalledProcessError", "SystemExit", "KeyboardInterrupt", "ExceptionGroup")
EXITED = re.compile(
    r"exit(?:ed)?(?: with)? (?:code|status)|non-zero|did not complete|Command failed|^Service "
)
ANYTHING = ("RuntimeError", "Exception", "ClickException", "Error", "error", "ERROR")
VAGUE = re.compile(r"migrat|databas|alembic|upgrad|schema|initiali|start", re.IGNORECASE)
IGNORED = "Exception ignored in"
MOST = 20  # errors of one text that are looked at, from its end
CHAINED = ("direct cause of the following", "During handling of the above")
FRAME = re.compile(
    r'File "(?P<file>[^"\n]+)", line (?P<number>\d+)(?:, in (?P<function>[^\n]+))?\n'
    r"|^File (?P<file2>\S+?):(?P<number2>\d+), in (?P<function2>\S+?)\(.*\n",
    re.MULTILINE,
)
LIBRARIES = re.compile(
    r"site-packages|dist-packages|[/\\]lib(?:64)?[/\\]python\d|[/\\]Python\d+[/\\]Lib[/\\]|<frozen"
    r"|<string>|\.pyx$|^(?:alembic[/\\](?!env|versions)|sqlalchemy[/\\])"
    r"|[/\\]bin[/\\][\w-]+$|\.exe[/\\]__main__"  # what pip makes to start a program
)
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
    linked: bool = True  # whether the text says that what it ends with came from this

    @property
    def hint(self) -> str:
        """What PostgreSQL proposes itself."""
        found = re.search(r"^[ \t]*HINT: +(\S[^\n]*)", self.block, re.MULTILINE)
        return found[1] if found else ""

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
    text = text[-LONGEST:]
    if ESCAPED.search(text):
        for sign, meant in SIGNS.items():
            text = text.replace(sign, meant)
    text = COLOURS.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    text = text.translate(QUOTES).replace("\0", "")
    for _ in range(LAYERS):
        text = PREFIX.sub("", text)
    return _without_shared(text)


def _without_shared(text: str) -> str:
    """The text without the words that all its lines begin with, such as a container's name."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 3:
        return text
    pairs = zip(min(lines), max(lines), strict=False)
    shared = "".join(one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    shared = shared[: shared.rfind(" ") + 1]
    return (
        re.sub(rf"^{re.escape(shared)}", "", text, flags=re.MULTILINE) if shared.strip() else text
    )


def read(text: str) -> list[Reading]:
    """The errors of a text from its end on; `linked` are those that the last one came from."""
    text = clean(text)
    found = [each for each in ANCHOR.finditer(text) if not _warns(each) and not _ignored(each)]
    while len(found) > 1 and _wraps(found[-1]):
        found.pop()
    if not found:
        return [_reading(text, None, len(text), 0)]
    ends = [each.start() for each in found[1:]] + [len(text)]
    begins = [0, *(each.end() for each in found[:-1])]
    readings: list[Reading] = []
    linked = True
    for at in range(len(found) - 1, max(-1, len(found) - 1 - MOST), -1):
        if readings:
            between = text[found[at].end() : found[at + 1].start()]
            linked = linked and (_led_to(found[at], between) or _says_nothing(found[at + 1]))
        readings.append(_reading(text, found[at], ends[at], begins[at], linked))
    return readings


def _wraps(anchor: re.Match[str]) -> bool:
    if re.fullmatch(r"\S+:\d+: \w+", anchor[0]):
        return True  # pytest's line for the place
    return anchor["kind"].rpartition(".")[2] in WRAPPERS or bool(EXITED.search(anchor["reason"]))


def _led_to(anchor: re.Match[str], between: str) -> bool:
    """Whether the next error came from this one. One of Python's own that was handled did not."""
    cause, handled = (words in between for words in CHAINED)
    return cause or (handled and "." in anchor["kind"])


def _says_nothing(anchor: re.Match[str]) -> bool:
    """Whether an error is a program's own, and tells only that something before it has failed."""
    kind = anchor["kind"]
    own = "." in kind and not re.match(r"\W*(?:sqlalchemy|psycopg|alembic|asyncpg|sqlite3)", kind)
    told = not anchor["reason"].strip(": ") or VAGUE.search(anchor["reason"])
    return bool((own or kind in ANYTHING) and told) or _wraps(anchor)


def _ignored(anchor: re.Match[str]) -> bool:
    """Whether Python has met it while it tidied up, and gone on."""
    before = anchor.string[: anchor.start()].rpartition(IGNORED)
    return bool(before[1]) and not ANCHOR.search(before[2])


def _warns(anchor: re.Match[str]) -> bool:
    return anchor["kind"].endswith("Warning")


def _reading(
    text: str, anchor: re.Match[str] | None, end: int, begin: int, linked: bool = True
) -> Reading:
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
        linked,
    )


def _frames(text: str) -> Iterator[Place]:
    """The places in a traceback that are not in a library."""
    for each in FRAME.finditer(text):
        file = each["file"] or each["file2"]
        function = each["function"] or each["function2"] or ""
        compiled = "." in (each["function"] or "")  # Cython's, with no source to show
        if not compiled and not LIBRARIES.search(file):
            code = text[each.end() :].partition("\n")[0].strip()
            code = code if re.search(r"\w", code) and not ANCHOR.match(code) else ""
            yield Place(file, int(each["number"] or each["number2"]), function, code)


# ---- looking for messages ------------------------------------------------------------------------


def squeezed(text: str) -> str:
    """The text without white space and without the lines of frames."""
    return re.sub(r"[\s│┃╭╮╰╯─]+", "", text)


@cache
def pattern(template: str) -> re.Pattern[str]:
    """What finds a message: `{name}` stands for a name, `…` for anything; at its end, for nothing.

    A name that stands in quotes has none within.
    """
    parts = re.split(r"(\{\w+\}|…)", re.sub(r"(\{\w+\}|…)$", "", template))
    made, seen = "", set()
    for at, part in enumerate(parts):
        if part == "…":
            made += ".{0,300}?"
        elif re.fullmatch(r"\{\w+\}", part):
            quote = parts[at - 1][-1:]
            sign = f"[^{quote}]" if quote in ("'", '"') and parts[at + 1].startswith(quote) else "."
            made += f"(?P={part[1:-1]})" if part in seen else f"(?P<{part[1:-1]}>{sign}{{1,160}}?)"
            seen.add(part)
        else:
            made += re.escape(squeezed(part))
    return re.compile(made, re.DOTALL)
