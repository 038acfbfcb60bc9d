"""What the teacher's board is drawn with. Names and mistakes come from outside: all is escaped."""

import re
from collections import Counter
from html import escape
from typing import Any, NamedTuple

import pandas as pd  # type: ignore[import-untyped,unused-ignore]
import sqlalchemy as sa

from workbook import WorkbookError
from workbook.exercises import every
from workbook.look import visible
from workbook.pictures.picture import Picture
from workbook.pictures.tables import aligned
from workbook.server import database

# What the last check said: a sign for it, and a look that repeats it; the furthest last.
NOTHING = "no check yet"
SIGNS = {
    NOTHING: ("○", "border:3px dashed #808080"),
    "not attempted": ("…", "border:3px dashed #808080"),
    "not yet": ("?", "border:3px solid #b26a00"),
    "mistake": ("✗", "border:3px solid #b71c1c;background:#b71c1c;color:white"),
    "done": ("✓", "border:3px solid #2e7d32"),
}
MANY = 3  # held up at one exercise, and a quarter of the room, are a reason to stop
LONGEST = 16  # letters of a name on a tile; the list has all of it
FONT = "font-family:var(--jp-content-font-family, sans-serif)"
BIG = f"{FONT};font-size:20px;line-height:1.4"
LEFT = "text-align:left;font-size:20px"


def open_board() -> None:
    """Let `%sql` show its results as `table` does, on a connection of this run.

    Raises WorkbookError where there is no room to look at.
    """
    try:
        with database.engine().connect() as connection:
            mine = connection.exec_driver_sql(
                "SELECT has_table_privilege(to_regclass('room.whereabouts'), 'SELECT')"
            ).scalar()
    except sa.exc.DBAPIError as error:
        if "permission denied" in str(error.orig):
            mine = False
        else:
            raise WorkbookError(
                "The room's database does not answer: `python3 -m workbook room ready` says more."
            ) from None
    if not mine:
        raise WorkbookError(
            "There is no room to see from here. The board is for a teacher's server: those that"
            " `python3 -m workbook room prepare --teacher` has named."
        )
    from IPython.core.getipython import get_ipython
    from sql.connection import Connection  # type: ignore[import-untyped]
    from sql.run import ResultSet  # type: ignore[import-untyped]

    Connection.connections.clear()  # `%sql` would use one again that has died
    shell = get_ipython()
    if shell and shell.display_formatter:
        formats = shell.display_formatter.formatters
        formats["text/html"].for_type(ResultSet, lambda rows: table(rows).rich["text/html"])
        formats["text/plain"].for_type(ResultSet, lambda rows, out, _: out.text(str(table(rows))))


def tasks() -> dict[str, str]:
    """What each exercise asks for, in a few words, by its number."""
    return {exercise.id: exercise.task for exercise in every()}


def frame(rows: Any) -> pd.DataFrame:
    """What `%sql` gives, with its columns even when there is no row; pandas' own as it is."""
    if rows is None:
        raise WorkbookError("The question above got no answer: run all cells again.")
    if isinstance(rows, pd.DataFrame):
        return rows
    return pd.DataFrame(list(rows), columns=list(rows.keys))


def table(rows: Any) -> Picture:
    """Rows of `%sql`, or of pandas, in big letters. A column without an entry is left out."""
    data = frame(rows)
    if data.empty:
        return Picture("Nothing so far.", {"text/html": f"<p style='{BIG}'>Nothing so far.</p>"})
    cells = [[_word(value) for value in line] for line in data.itertuples(index=False)]
    kept = [at for at in range(len(data.columns)) if any(line[at] for line in cells)]
    head = [str(data.columns[at]) for at in kept]
    lines = [[line[at] for at in kept] for line in cells]
    html = "".join(f"<th style='{LEFT}'>{escape(name)}</th>" for name in head)
    html = f"<tr>{html}</tr>"
    for line in lines:
        html += "<tr>" + "".join(f"<td style='{LEFT}'>{_safe(cell)}</td>" for cell in line)
        html += "</tr>"
    return Picture(aligned([head, *lines]), {"text/html": f"<table style='{BIG}'>{html}</table>"})


def advice(places: Any, mistakes: Any) -> Picture:
    """In a sentence what to do next: explain, walk over, or go on.

    `places` are those of `room_map`, `mistakes` have the columns mistake, exercise and learners.
    """
    here, named = frame(places), frame(mistakes)
    held = Counter(here[here["outcome"].isin(["mistake", "not yet"])]["exercise"])
    up = here["since"].notna().sum()
    at, most = (held.most_common(1) or [("", 0)])[0]
    if here.empty:
        words = "Nobody is here yet."
    elif most >= max(MANY, len(here) / 4):
        found = named[named["exercise"] == at].sort_values(
            "learners", ascending=False, kind="stable"
        )
        why = [
            f", {each.learners} by “{_word(each.mistake)}”" for each in found.head(1).itertuples()
        ]
        task = f" ({tasks()[at]})" if at in tasks() else ""
        words = f"{most} of {len(here)} are held up at {at}{task}{''.join(why)}: stop and explain."
    elif held or up:
        words = f"Held up: {held.total()} of {len(here)}, in different places; hands up: {up}. Walk over."
    else:
        words = f"Nobody of {len(here)} is held up: go on."
    return Picture(words, {"text/html": f"<p style='{BIG}'><strong>{_safe(words)}</strong></p>"})


def over_time(rows: Any, minutes: int) -> Picture:
    """How the room went on, in spans of so many minutes since the first check.

    `rows` are reports, as room.results has them. A bar has a square for each exercise that somebody
    got done, the first time; spans without a check are left out.
    """
    data = frame(rows)
    if data.empty:
        return table(data)
    at = pd.to_datetime(data["at"], utc=True)
    spans = (at - at.min()).dt.total_seconds() // (60 * minutes)
    data = data.assign(span=spans.astype(int)).sort_values("at")
    done = data[data["outcome"] == "done"].drop_duplicates(["learner", "exercise"])["span"]
    most = max(done.value_counts(), default=1)
    lines = []
    for span, now in data.groupby("span"):
        count = int((done == span).sum())
        most_at, _ = Counter(now["exercise"]).most_common(1)[0]
        wrong = int((now["outcome"] == "mistake").sum())
        squares = "■" * -(-count * min(most, 20) // most)
        lines.append(
            [f"{span * minutes} min", now["learner"].nunique(), most_at, wrong, count, squares]
        )
    columns = ["after", "learners", "most at", "mistakes", "done", " "]
    return table(pd.DataFrame(lines, columns=columns))


def by_exercise(rows: Any) -> Picture:
    """How each exercise went, in the order of their numbers, with its most frequent mistake."""
    data = frame(rows)
    data = data[data["outcome"] != "not attempted"]
    lines = []
    for at, tries in data.groupby("exercise"):
        done = tries[tries["outcome"] == "done"]["learner"].nunique()
        made = tries.groupby("mistake")["learner"].nunique().sort_values(kind="stable")
        mistake = f"{made.index[-1]} ({made.iloc[-1]})" if len(made) else ""
        left = tries["learner"].nunique() - done
        lines.append([at, tasks().get(str(at), ""), done, left, len(tries), mistake])
    lines.sort(key=lambda line: [int(part) for part in str(line[0]).split(".")])
    columns = ["exercise", "task", "done", "not yet", "checks", "most frequent mistake"]
    return table(pd.DataFrame(lines, columns=columns))


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>After the lesson</title>
<style>body {{ font-family: sans-serif; margin: 2em; }} td, th {{ padding: 2px 12px 2px 0; }}</style>
</head><body><h1>After the lesson</h1>
<p>{words}</p><h2>How the room went on</h2>{course}<h2>How each exercise went</h2>{exercises}
</body></html>
"""


def page(rows: Any, minutes: int = 15) -> str:
    """A page about the lesson that names nobody and needs nothing else: for the archive, for a printer.

    `rows` are reports, as room.results has them.
    """
    data = frame(rows)
    words = "Nobody has checked anything."
    if not data.empty:
        at = pd.to_datetime(data["at"], utc=True)
        done = len(data[data["outcome"] == "done"].drop_duplicates(["learner", "exercise"]))
        words = (
            f"{at.min():%Y-%m-%d %H:%M} to {at.max():%Y-%m-%d %H:%M} UTC. Learners:"
            f" {data['learner'].nunique()}. Checks: {len(data)}. Exercises done: {done}."
        )
    course, exercises = (
        each.rich["text/html"] for each in (over_time(data, minutes), by_exercise(data))
    )
    return PAGE.format(words=escape(words), course=course, exercises=exercises)


class Tile(NamedTuple):
    """A learner on the map; tiles sort by what they show, and by nothing else."""

    place: tuple[int, ...]
    outcome: int
    hand: bool
    name: str


def room_map(rows: Any, names: bool) -> Picture:
    """A tile for each learner, in the order of the exercises. Without names, none is kept.

    `rows` has the columns learner, exercise, outcome and since (of a hand that is up).
    """
    data = frame(rows)
    kinds = list(SIGNS)
    tiles = sorted(
        Tile(
            tuple(map(int, (_word(each.exercise) or "0").split("."))),
            kinds.index(_word(each.outcome) or NOTHING),
            not pd.isna(each.since),
            visible(str(each.learner)) if names else "",
        )
        for each in data.itertuples()
    )
    if not tiles:
        return table(data)
    said = Counter(tile.outcome for tile in tiles)
    legend = [f"{SIGNS[kind][0]} {kind}: {said[at]}" for at, kind in enumerate(kinds)]
    legend.append(f"hand up: {sum(tile.hand for tile in tiles)}")
    title = f"{len(tiles)} {'learners' if len(tiles) > 1 else 'learner'}"
    size = 40 if len(tiles) <= 40 else 30 if len(tiles) <= 100 else 18
    html = "".join(_tile(tile, size) for tile in tiles)
    lines = []
    for tile, count in Counter(each._replace(name="") for each in tiles).items():
        who = ", ".join(each.name for each in tiles if names and each[:3] == tile[:3])
        hand = "hand up" if tile.hand else ""
        lines.append([_place(tile), kinds[tile.outcome], hand, str(count), who])
    html = (
        f"<div style='{FONT}'><p style='font-size:26px;line-height:1.4'><strong>{title}</strong>."
        f" {escape(', '.join(legend))}</p><div style='line-height:1.1'>{html}</div></div>"
    )
    return Picture(f"{title}. {', '.join(legend)}\n{aligned(lines)}", {"text/html": html})


def _tile(tile: Tile, size: int) -> str:
    words = list(SIGNS)[tile.outcome]
    sign, look = SIGNS[words]
    hand = " <strong>hand</strong>" if tile.hand else ""
    short = tile.name if len(tile.name) <= LONGEST else f"{tile.name[:LONGEST]}…"
    name = f"<br><small>{_safe(short)}</small>" if short else ""
    style = f"{look};display:inline-block;margin:2px;padding:3px 8px;border-radius:6px"
    return (
        f"<span title='{words}' style='{style};text-align:center;font-size:{size}px'>"
        f"<strong>{sign} {_place(tile)}</strong>{hand}{name}</span> "
    )


def _place(tile: Tile) -> str:
    return ".".join(map(str, tile.place)) if any(tile.place) else "start"


def _word(value: Any) -> str:
    return "" if pd.isna(value) else visible(str(value))


def _safe(text: str) -> str:
    """Text for HTML; what could be read as a formula goes where JupyterLab looks for none."""
    if re.search(r"[$\\]", text):
        return f"<code style='font:inherit;color:inherit;background:none'>{escape(text)}</code>"
    return escape(text)
