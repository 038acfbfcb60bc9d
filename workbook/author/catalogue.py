"""docs/mistakes.md: the catalogue of why() on one page, by message, by command and by chapter."""

import re
from collections.abc import Iterator

from workbook import ROOT
from workbook.contents import CHAPTERS
from workbook.exercises.mistakes.errors import WRAPPED, Entry, entries

PAGE = ROOT / "docs" / "mistakes.md"
ABOUT = (
    "Find what your tool said with the browser's search, or below by message, by command or by"
    " chapter. Here `<name>` stands for a name of yours, and … for what differs. In a notebook of the"
    " workbook `why()` looks the last failure up, and in your project besides; for a text from"
    ' elsewhere, `why("""...""")` or `python3 -m workbook why`.'
)


def page() -> str:
    """The whole page, in Markdown."""
    known = entries()
    parts = [
        "# Mistakes and what they say",
        "`refresh` writes this page from `workbook/exercises/mistakes/errors/`: change that. Each"
        f" mistake is made by a test, and its words are compared, on {versions()}. Words of databases"
        " and packages that are not there are quoted, and their source is named.",
        ABOUT,
        "## By message",
        "\n".join(_by_message(known)),
        "## By command",
        "\n".join(_by_command(known)),
        "## By chapter",
        "\n".join(_by_chapter(known)),
        "## The mistakes",
        *(part for each in known for part in _entry(each, known)),
    ]
    return "\n\n".join(parts) + "\n"


def versions() -> str:
    """The versions in the lock that the words are those of."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    names = {"alembic": "Alembic", "sqlalchemy": "SQLAlchemy", "psycopg2-binary": "psycopg2"}
    found = [re.search(rf"^{name}==(\S+)", lock, re.MULTILINE) for name in names]
    told = [f"{name} {each[1]}" for name, each in zip(names.values(), found, strict=True) if each]
    return f"{', '.join(told)} and PostgreSQL 18"


def words(line: str) -> str:
    """A line of the catalogue as a reader sees it."""
    return re.sub(r"\{(\w+)\}", r"<\1>", line)


def _link(entry: Entry) -> str:
    return f"[{entry.name}](#{entry.id.lower()})"


def _by_message(known: tuple[Entry, ...]) -> Iterator[str]:
    yield from ("| what it says | mistake |", "|---|---|")
    found: dict[str, list[Entry]] = {}
    for each in known:
        for line in each.lines:
            found.setdefault(words(WRAPPED.sub("", line)), []).append(each)
    for line in sorted(found, key=lambda each: re.sub(r"\W", "", each).lower()):
        said = line.replace("|", "\\|")
        yield f"| `` {said} `` | {', '.join(_link(each) for each in found[line])} |"


def _by_command(known: tuple[Entry, ...]) -> Iterator[str]:
    for command in sorted({name for each in known for name in each.commands}):
        title = command if command[0] == "%" or command == "python" else f"alembic {command}"
        links = [_link(each) for each in known if command in each.commands]
        yield f"- `{title}`: {', '.join(links)}"


def _by_chapter(known: tuple[Entry, ...]) -> Iterator[str]:
    for chapter in CHAPTERS.values():
        if links := [_link(each) for each in known if each.chapter == chapter.number]:
            title = f"[{chapter.title}](../notebooks/{chapter.lesson})"
            yield f"- {chapter.number}. {title}: {', '.join(links)}"


def _entry(entry: Entry, known: tuple[Entry, ...]) -> Iterator[str]:
    yield f'<a id="{entry.id.lower()}"></a>\n\n### {entry.name[0].upper()}{entry.name[1:]}'
    yield "\n".join(["```text", *map(words, entry.lines), "```"])
    if entry.quiet:
        yield f"Nothing fails here. {entry.tell}"
    if entry.source:
        yield f"These words were not made here, but read in [{entry.source}]({entry.source})."
    yield f"{entry.why}"
    yield f"**To put it right:** {entry.remedy}"
    yield f"**So that it stays away:** {entry.prevent}"
    lines = {WRAPPED.sub("", each) for each in entry.lines}
    others = [
        f"{_link(each)} ({each.tell.rstrip('.')})" if each.tell else _link(each)
        for each in known
        if each is not entry and lines & {WRAPPED.sub("", line) for line in each.lines}
    ]
    if others:
        yield f"**The same words:** {'; '.join(others)}."
    if chapter := CHAPTERS.get(entry.chapter):
        yield f"Chapter {chapter.number}, [{chapter.title}](../notebooks/{chapter.lesson})"
