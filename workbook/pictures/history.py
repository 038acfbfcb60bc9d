"""The picture of the history: the revisions from base to heads, and where the database is."""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from alembic.runtime.migration import MigrationContext

from workbook import WorkbookError
from workbook.look import connected, first_line, scripts, visible
from workbook.pictures.picture import Picture
from workbook.pictures.tables import aligned, mermaid, titled

REVISIONS = 20  # more are unreadable on a projector


def show_history(live: bool = False, newest: int = 0) -> Picture:
    """The revisions from base to heads, and where this database is; `live`: after each cell anew.

    With `newest`, only so many of the latest. Raises WorkbookError.
    """
    again = partial(_history, newest)
    return replace(again(), again=again) if live else again()


def _history(newest: int = 0) -> Picture:
    revisions = revisions_in_order()
    if not revisions:
        return Picture('There is no revision yet: `alembic revision -m "..."` makes the first.')
    with connected() as connection:
        here = set(MigrationContext.configure(connection).get_current_heads()) or {"base"}
    lost = sorted(here - {*revisions, "base"})
    applied = {"base"}
    queue = [each for each in here if each in revisions]
    while queue:
        applied.add(each := queue.pop())
        queue += revisions[each].parents
    waiting = ("?", "perhaps applied") if lost else ("\N{WHITE CIRCLE}", "not applied")
    signs = {
        each: ("\N{BLACK CIRCLE}", "applied") if each in applied else waiting
        for each in ["base", *revisions]
    }
    shown = list(revisions)[-newest:]
    earlier = len(revisions) - len(shown)
    lines = []
    for lanes, name in _lanes(revisions):
        message = revisions[name].message if name in revisions else ""
        head = " (head)" if name in revisions and revisions[name].head else ""
        place = "  <- the database is here" if name in here else ""
        lines.append(
            [lanes.replace("*", signs[name][0] if name else ""), name, message + head + place]
        )
        if earlier and name == shown[0]:
            lines.append(["\N{VERTICAL ELLIPSIS}", "", "earlier revisions"])
            break
    legend = "   ".join(" ".join(each) for each in dict.fromkeys(signs.values()))
    text = f"{aligned(lines)}\n\n{legend}"
    words = [
        f'The database is at "{visible(each)}", and no file in alembic/versions has that id:'
        " bring that file back."
        for each in lost
    ]
    if len(shown) > REVISIONS:
        at = max((shown.index(each) for each in here if each in revisions), default=0)
        first = max(0, min(at - REVISIONS // 2, len(shown) - REVISIONS))
        shown = shown[first : first + REVISIONS]
        words.append(
            f"{len(revisions)} revisions are too many to draw: here are the {REVISIONS} around the"
            " database, and print(show_history()) lists all."
        )
    source = _flowchart(revisions, shown, here, signs)
    rich = {"text/vnd.mermaid": titled(source, "The history of the revisions", text)}
    return Picture(text, rich, "\n".join(words))


class Revision(NamedTuple):
    """A revision file: what it stands on, and its message."""

    id: str
    parents: tuple[str, ...]
    depends: tuple[str, ...]  # those of the parents that depends_on names
    message: str
    head: bool
    order: tuple[str, str, str]


def revisions_in_order() -> dict[str, Revision]:
    """All revisions by id, each after those that it stands on, branches in order of their messages.

    Ids are random and decide nothing, so that the same history gives the same picture.
    Raises WorkbookError.
    """
    directory = scripts()
    found = {}
    try:
        with warnings.catch_warnings():
            # two files with one id, or an id that no file has
            warnings.filterwarnings("error", "Revision ", UserWarning)
            directory.get_heads()
        for script in directory.walk_revisions():
            down, depends = (
                tuple(each.revision for each in directory.get_revisions(ids or ()) if each)
                for ids in (script.down_revision, script.dependencies)
            )
            created = re.search(r"^Create Date: (.*)$", script.longdoc, re.MULTILINE)
            found[script.revision] = Revision(
                script.revision,
                tuple(dict.fromkeys(down + depends)),
                depends,
                script.doc,
                script.is_head,
                (script.doc, created[1] if created else "", script.revision),
            )
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a revision file can do anything
        raise WorkbookError(
            f"The files in alembic/versions do not work: {first_line(error)}"
        ) from None
    children: dict[str, list[Revision]] = {each: [] for each in found}
    for each in sorted(found.values(), key=lambda each: each.order):
        for parent in each.parents:
            children[parent].append(each)
    ordered: dict[str, Revision] = {}
    ready = sorted((each for each in found.values() if not each.parents), key=lambda it: it.order)
    while ready:  # depth first, so that a branch stays together
        last = ready.pop(0)
        ordered[last.id] = last
        free = [each for each in children[last.id] if ordered.keys() >= {*each.parents}]
        ready = free + ready
    return ordered


def _lanes(revisions: dict[str, Revision]) -> Iterator[tuple[str, str]]:
    """Lines from the newest revision down to base, as `git log --graph` draws them: lanes and id.

    "*" stands for the revision; a line without an id ties lanes together.
    """
    lanes: list[str] = []

    def tie(at: int, others: Sequence[int], middle: str, end: str) -> str:
        signs = ["│" if lane else " " for lane in lanes]
        for place in range(at + 1, others[-1]):
            signs[place] = middle if place in others else "┼" if lanes[place] else "─"
        signs[at], signs[others[-1]] = "├", end
        return "".join(
            sign + ("─" if at <= place < others[-1] else " ") for place, sign in enumerate(signs)
        )

    for name in [*reversed(revisions), "base"]:
        if name not in lanes:
            lanes.append(name)
        at, *others = [place for place, lane in enumerate(lanes) if lane == name]
        if others:
            yield tie(at, others, "┴", "╯"), ""
        for place in others:
            lanes[place] = ""
        while not lanes[-1]:
            lanes.pop()
        yield " ".join("*" if lane == name else "│" if lane else " " for lane in lanes), name
        if name in revisions:
            lanes[at], *more = revisions[name].parents or ("base",)
            if more:
                lanes += more
                yield tie(at, range(len(lanes) - len(more), len(lanes)), "┬", "╮"), ""


def _flowchart(
    revisions: Mapping[str, Revision],
    shown: Sequence[str],
    here: set[str],
    signs: Mapping[str, tuple[str, str]],
) -> str:
    """Base below, heads above: an upgrade goes up, a downgrade down."""
    every = list(revisions)
    earlier, later = every.index(shown[0]), len(every) - 1 - every.index(shown[-1])
    nodes = {each: f"r{number}" for number, each in enumerate(every, 1) if each in shown}
    places = [nodes[each] for each in shown if each in here]
    places += ["base"] if "base" in here and not earlier else []

    def label(node: str, *lines: str) -> str:
        return "<br/>".join([*lines, *(["the database is here"] if node in places else [])])

    first = label("base", "earlier revisions" if earlier else "base")
    lines = ["flowchart BT", f'  base(["{first}"])']
    lines += [f'  later(["{later} later revisions"])'] if later else []
    arrows: dict[str, None] = {}
    for each, revision in revisions.items():
        if each in nodes:
            word = signs[each][1]
            head = " (head)" if revision.head else ""
            said = (f"{mermaid(revision.message)}{head}", f"{mermaid(each)}, {word}")
            lines.append(f'  {nodes[each]}["{label(nodes[each], *said)}"]:::{word.split()[0]}')
        for parent in revision.parents or ("base",):
            if each in nodes or parent in nodes:
                arrow = "-. depends on .->" if parent in revision.depends else "-->"
                start, end = nodes.get(parent, "base"), nodes.get(each, "later")
                arrows[f"  {start} {arrow} {end}"] = None
    lines += arrows
    for number, each in enumerate(sorted(here - {*every, "base"}), 1):
        places.append(f"lost{number}")
        said = (mermaid(each), "no file has this id")
        lines.append(f'  {places[-1]}["{label(places[-1], *said)}"]:::perhaps')
    lines += [f"  class {','.join(places)} here"] if places else []
    lines += ["  classDef applied stroke-width:3px", "  classDef not,perhaps stroke-dasharray:6"]
    lines += ["  classDef here fill:#ffe082,color:#333333"]
    return "\n".join(lines)
