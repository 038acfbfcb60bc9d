"""why(): what an error says, whose well-known mistake it is, and how it is put right."""

import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from workbook import WorkbookError
from workbook.checking import Card
from workbook.contents import CHAPTERS
from workbook.exercises.mistakes import errors
from workbook.exercises.mistakes.errors import Entry, Found, Seen
from workbook.magics import Failure, last_failure
from workbook.reading import Place, Reading, clean, read
from workbook.site import Site

TROUBLE = re.compile(r"Traceback|[Ee]rror|Exception|FAILED|fatal|HINT:|DETAIL:")
SHORT = 300  # of what an error says, in characters
READING = (
    "How to read an error: begin at its last line. The word before the colon is the kind; what"
    " follows is the reason, in the words of whoever stopped. [SQL: ...] below it is the statement."
    " Above it, the last file that is yours and not in site-packages is the place."
)
NOTHING = 'Nothing has failed here yet. For an error from elsewhere: why("""the whole text""").'


def why(error: object = None) -> Card:
    """Explain the last failure of this notebook, an exception, or the text of an error.

    Raises WorkbookError for what is none of these.
    """
    if error is None:
        failure = last_failure() or _last_exception()
        if not failure:
            return survey(Site(Path.cwd()), NOTHING)
        return explain(failure.text, Site(Path.cwd()), failure.what)
    if isinstance(error, BaseException):
        return explain("".join(traceback.format_exception(error)), Site(Path.cwd()))
    if not isinstance(error, str) or not clean(error).strip():
        raise WorkbookError(
            'why() takes the text of an error, all of it: why("""paste it here"""). Without'
            " anything it explains the last failure of this notebook."
        )
    return explain(error)


def from_terminal(text: str, project: Path | None) -> Card:
    """The same for a text, for a project of somebody's own, or for both.

    Raises WorkbookError where there is neither.
    """
    if project and not Site(project).settings:
        raise WorkbookError(
            f"{project} has no alembic.ini, and no [tool.alembic] in a pyproject.toml: name the"
            " folder where you run alembic."
        )
    site = Site(project, own=False) if project else None
    if clean(text).strip():
        return explain(text, site)
    if not site:
        raise WorkbookError(
            "Hand the error in, as in: alembic upgrade head 2>&1 | python3 -m workbook why. Or name a"
            " project's folder, to look at how it stands."
        )
    return survey(site)


def survey(site: Site, first: str = "") -> Card:
    """How a project and its database stand, and which mistakes show in them."""
    known = {each.id: each for each in errors.entries()}
    lines = [first] if first else []
    lines.append(
        f"{len(site.files)} revision{'s' * (len(site.files) != 1)}, head: {', '.join(site.heads)}."
        if site.files
        else "There are no revision files."
    )
    lines += _standing(site)
    if not site.answers and not site.own:
        lines.append("No PostgreSQL answers at the address in alembic.ini or in DATABASE_URL.")
    for id in site.shows():
        entry, seen = known[id], Seen(Reading(""), {}, site)
        places = entry.look(seen) if entry.look else ()
        lines += [f"{entry.name[0].upper()}{entry.name[1:]}: {entry.why}", *places]
        lines.append(f"To put it right: {entry.remedy}")
    return Card("How the project stands", tuple(lines))


def _last_exception() -> Failure | None:
    """What Python keeps of the last one, where no kernel of ours does."""
    error = getattr(sys, "last_value", None)
    return Failure("", "".join(traceback.format_exception(error))) if error else None


def explain(text: str, site: Site | None = None, what: str = "") -> Card:
    """A card for the text of an error; `site` is the project that it comes from."""
    readings = read(text)
    echoes: list[Found] = []
    for at, reading in enumerate(readings):
        # What an error only repeats may stand far before it.
        found = errors.recognise(reading, site) if reading.linked or echoes else None
        if found and not found.entry.echo:
            return _known(found, what, behind=at > 0 and reading.linked)
        echoes += [found] if found else []
    if echoes:
        return _known(echoes[0], what, behind=False)
    reading = readings[0]
    whole = Reading(reading.text, block=reading.text)
    calm = not reading.kind and not TROUBLE.search(reading.text)
    if calm and (found := errors.recognise(whole, site, quiet=True)):
        return _quiet(found)
    return _unknown(reading, site, what)


def _known(found: Found, what: str, behind: bool) -> Card:
    entry, reading = found.entry, found.seen.reading
    lines = [f"It stopped {what}." if what else ""]
    if behind:
        lines.append(f"What the text ends with came from this: {short(reading.reason)}")
    lines += [entry.why, *_where(found), f"To put it right: {entry.remedy}"]
    for other in found.others:
        lines.append(f"It can also be: {other.name}. {other.tell}".rstrip())
    lines += [f"So that it stays away: {entry.prevent}", chapter(entry)]
    return Card(f"Known: {entry.name}", tuple(filter(None, lines)), kind="mistake")


def _quiet(found: Found) -> Card:
    told = [f"{each.name}: {each.tell or each.why}" for each in _all(found)]
    return Card("Nothing failed here", ("What such an output passes over in silence:", *told))


def _all(found: Found) -> tuple[Entry, ...]:
    return (found.entry, *found.others)


def _unknown(reading: Reading, site: Site | None, what: str) -> Card:
    kind = reading.kind or "no line of the text names one"
    lines = [
        f"It stopped {what}." if what else "",
        f"Kind: {kind}. It comes from {reading.speaker}." if reading.kind else f"Kind: {kind}.",
        f"Reason: {short(reading.reason)}" if reading.reason else "",
        f"Statement: {short(reading.statement)}" if reading.statement else "",
        *_place(reading, site),
        *_rolled_back(reading),
        *_standing(site),
        READING,
    ]
    return Card("This error is not one of those that why() knows", tuple(filter(None, lines)))


def _where(found: Found) -> Iterator[str]:
    """The statement, the line, the revision, and what the project shows."""
    reading, site = found.seen.reading, found.seen.site
    yield from _place(reading, site)
    yield from _rolled_back(reading)
    if found.entry.look and site:
        yield from found.entry.look(found.seen)
    if reading.running[0] or "alembic" in reading.text:
        yield from _standing(site)


def _place(reading: Reading, site: Site | None) -> Iterator[str]:
    verb, old, new = reading.running
    if verb:
        revision = new if verb == "upgrade" else old
        file = site.file(revision) if site else None
        where = f" ({site.path(file.path)})" if site and file else ""
        yield f"Alembic was in the {verb} of revision {revision}{where}."
    if reading.place:
        yield _line(reading.place, site)
    if reading.hint:
        yield f"PostgreSQL proposes: {short(reading.hint)}"


def _rolled_back(reading: Reading) -> Iterator[str]:
    """What an error means for the revisions that ran before it."""
    text = reading.text
    if reading.ran > 1 and "PostgresqlImpl" in text and "Will assume transactional DDL" in text:
        entry = next(each for each in errors.entries() if each.id == "D03")
        yield f"{entry.name[0].upper()}{entry.name[1:]}: {entry.tell}"


def _line(place: Place, site: Site | None) -> str:
    name = site.path(Path(place.file)) if site else Path(place.file.replace("\\", "/")).name
    where = f"Line {place.number} of {name}"
    if place.file.startswith("<ipython") or "ipykernel" in place.file:
        where = f"Line {place.number} of the cell"
    return f"{where}: {place.code}" if place.code else f"{where}."


def _standing(site: Site | None) -> Iterator[str]:
    """Where the database stands."""
    if site and site.answers:
        if site.at:
            yield f"The database is at {' and '.join(site.at)}."
        else:
            there = f"It holds {', '.join(site.tables)}." if site.tables else "It holds no tables."
            yield f"The database is at no revision. {there}"


def short(text: str) -> str:
    """The beginning of what an error says."""
    text = " ".join(text.split())
    return text if len(text) <= SHORT else text[:SHORT].rsplit(" ", 1)[0] + " ..."


def chapter(entry: Entry) -> str:
    """Where the workbook explains it; "" for a chapter that is not there yet."""
    found = CHAPTERS.get(entry.chapter)
    return (
        f"Chapter {found.number} has more on it: {found.title} ({found.lesson})." if found else ""
    )
