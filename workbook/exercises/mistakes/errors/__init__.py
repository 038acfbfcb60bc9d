"""The catalogue: the well-known mistakes by the words that they make the tools say.

One source for why(), docs/mistakes.md and, where an exercise knows the mistake too, its card. Each
was made on the versions in the lock, and tests make it again and compare the words.
"""

import contextlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from workbook.exercises import Mistake, load
from workbook.exercises.mistakes import MIGRATION, MODEL
from workbook.reading import Reading, pattern, squeezed
from workbook.site import Site

# What stands before a message and is not a part of it
WRAPPED = re.compile(
    r"^(?:sqlalchemy\.exc\.\w+: )?\((?:psycopg2\.errors|psycopg2|sqlite3|psycopg\.errors|pymysql\.err)\.\w+\) "
    r"|^FAILED: |^\w*Warning: |^sqlalchemy\.exc\.\w+: "
)
CALL = 6  # lines of a call that a traceback does not show


@dataclass(frozen=True)
class Seen:
    """An error, what its message names, and the project where that may be looked at."""

    reading: Reading
    names: dict[str, str]
    site: Site | None = None
    said: str = ""  # the message, without white space

    def name(self, key: str) -> str:
        """A name out of the message, "" if it has none."""
        return self.names.get(key, "")

    def sends(self, words: str) -> bool:
        """Whether the statement, or the lines of the file that led to it, hold a pattern."""
        place = self.reading.place
        code = [self.reading.statement, place.code if place else ""]
        with contextlib.suppress(OSError):
            if self.site and place:
                lines = Path(place.file).read_text(encoding="utf-8", errors="replace").splitlines()
                code += lines[place.number - 1 : place.number + CALL]
        return bool(re.search(words, "\n".join(code), re.IGNORECASE | re.DOTALL))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A mistake, and the words by which it is known.

    `lines` are the exact words on the versions in the lock, {name} for a name and … for what
    differs; `also` the words of other versions and drivers. `account` says what was seen where an
    exercise's `why` is about its own tables; `cure` is what puts it right, which an exercise's `how`
    does not tell. Where several have the same words, `when` looks closer: true
    is yes, false is no, None is that nobody can tell from here, and `tell` says how to find out.
    `look` finds the place in a project. A `quiet` one is no error: its lines stand in an output
    that tells of success. An `echo` comes after an error and because of it. `source` is where the
    words were read that cannot be provoked here.

    A name says what was seen, in anybody's project. A cause that the words alone do not show is
    weighed in the text (most often, it can also be), or is an entry whose `when` looks for it.
    """

    id: str
    mistake: Mistake
    lines: tuple[str, ...]
    prevent: str
    chapter: int
    commands: tuple[str, ...] = ("upgrade",)
    account: str = ""  # "": the mistake's own `why`
    cure: str = ""  # "": the mistake's own `how`
    also: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # of PostgreSQL's errors: enough in any language
    when: Callable[[Seen], bool | None] | None = field(default=None, repr=False)
    tell: str = ""
    look: Callable[[Seen], Iterable[str]] | None = field(default=None, repr=False)
    quiet: bool = False
    echo: bool = False
    source: str = ""

    @property
    def name(self) -> str:
        return self.mistake.name

    @property
    def why(self) -> str:
        """What was seen, and what it comes from."""
        return self.account or self.mistake.why

    @property
    def remedy(self) -> str:
        """What puts it right."""
        return self.cure or self.mistake.how

    def said(self, text: str) -> re.Match[str] | None:
        """Where squeezed text has the words of this mistake."""
        words = [WRAPPED.sub("", each) for each in self.lines] + list(self.also)
        found = [
            each
            for word in words
            for each in pattern(word).finditer(text)
            # A relation in `column "x" of relation "y"` is not what the sentence is about.
            if not text[: each.start()].endswith(('"of', '"for'))
        ]
        return min(found, key=lambda each: each.start()) if found else None

    def of_kind(self, text: str) -> bool:
        """Whether squeezed text has PostgreSQL's kind of error, as a driver spells it."""
        kinds = "|".join(self.kinds)
        return bool(self.kinds) and bool(
            re.search(rf"(?:errors|exceptions)\.(?:{kinds})(?:Error)?\b", text)
        )


def index_is_made(seen: Seen) -> bool:
    """Whether what is there already is an index: by the statement, the call or the name."""
    named = re.search(r"^(?:ix|idx|uq|uix)_|_(?:idx|index)$", seen.name("table"))
    return seen.sends("CREATE (UNIQUE )?INDEX|create_index") or bool(
        named and not seen.reading.statement
    )


def shared(name: str, exercise: str = "") -> Mistake:
    """The mistake that exercises know by this name. Raises LookupError."""
    known = load(exercise).named() if exercise else (*MIGRATION, *MODEL)
    for each in known:
        if each.name == name:
            return each
    raise LookupError(name)


@cache
def entries() -> tuple[Entry, ...]:
    """The whole catalogue. Of those with the same words, the general one comes first."""
    from workbook.exercises.mistakes.errors import (
        drafts,
        foreign,
        history,
        mapping,
        operations,
        production,
        program,
        setup,
    )

    modules = (setup, program, drafts, history, operations, production, mapping, foreign)
    return tuple(each for module in modules for each in module.ENTRIES)


@dataclass(frozen=True)
class Found:
    """What an error is: the mistake, what else it can be, and what its message names."""

    entry: Entry
    others: tuple[Entry, ...]
    seen: Seen


def recognise(reading: Reading, site: Site | None, quiet: bool = False) -> Found | None:
    """The mistake that an error's words tell of; None where they are not known."""
    text = squeezed(reading.block)
    matches = [(each, each.said(text)) for each in entries() if each.quiet == quiet]
    found = [(each, match) for each, match in matches if match]
    if found:
        # After an error's name the first message counts, in a bare text the last one.
        pick = min if reading.kind else max
        at = pick((match for _, match in found), key=lambda match: match.start()).span()
        found = [(each, m) for each, m in found if m.start() < at[1] and m.end() > at[0]]
        same = [(each, Seen(reading, m.groupdict(), site, m[0])) for each, m in found]
    else:
        kinds = [each for each in entries() if each.quiet == quiet and each.of_kind(text)]
        same = [(each, Seen(reading, {}, site)) for each in kinds]
    verdicts = [(each.when(seen) if each.when else None, each, seen) for each, seen in same]
    possible = [each for each in verdicts if each[0] is not False]
    if not possible:
        return None
    # First one that is sure, then the general one, which needs nothing more than the words.
    possible.sort(key=lambda each: (not each[0], each[1].when is not None))
    _, entry, seen = possible[0]
    others = tuple(each for _, each, _ in possible if each is not entry)
    return Found(entry, others, seen)
