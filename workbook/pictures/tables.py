"""Pictures of what is really there: tables, changes and drift (history has a file of its own).

Each is Mermaid, which JupyterLab draws by itself, with the same in plain text for other front ends
and for screen readers. The grammar: https://mermaid.js.org/syntax/entityRelationshipDiagram.html
and https://mermaid.js.org/syntax/flowchart.html.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from operator import itemgetter
from typing import Any, NamedTuple

from wcwidth import ljust, width

from workbook.look import (
    CHANGED,
    GONE,
    NEW,
    Link,
    Row,
    State,
    changes,
    columns,
    compare,
    must_have,
    read_state,
    rows_of,
    rules,
    visible,
)
from workbook.pictures.picture import Picture

# Beyond these a picture is unreadable on a projector: it shows the part that matters, and says so.
ROWS, TABLES = 120, 30
SOURCE = 90_000  # JupyterLab lets Mermaid have 100,000 characters
# JupyterLab does not draw again when its theme changes: lines and their labels suit both.
LOOK = """\
---
config:
  themeVariables: {lineColor: "#808080"}
  er: {nodeSpacing: 50, rankSpacing: 76, diagramPadding: 16}
  flowchart: {nodeSpacing: 25, rankSpacing: 35, wrappingWidth: 400}
  themeCSS: ".labelBkg, .labelBkg * {background-color: #eeeeee; color: #333333; font-size: 16px}"
---
"""
NARROW = LOOK.replace("rankSpacing: 76", "rankSpacing: 44, entityPadding: 8")  # beside a slide
STYLES = {
    NEW: ("new", "stroke:#2e7d32,stroke-width:3px"),
    GONE: ("gone", "stroke:#c62828,stroke-width:3px,stroke-dasharray:6"),
    CHANGED: ("changed", "stroke:#b26a00,stroke-width:3px"),
}


def show_tables(*only: str, of: Any = "database", live: bool = False) -> Picture:
    """The tables with columns, keys and relations; all of them, or `only` some.

    `of` is "database", "models" (jobboard/models.py, read afresh), a `Base` as this Python knows
    it, a revision such as "head", or a picture that was kept. `live`: it is drawn anew after each
    cell that has changed it. Raises WorkbookError.
    """
    picture = _tables(only, of)
    return replace(picture, again=partial(_tables, only, of)) if live else picture


def _tables(only: Sequence[str], of: Any) -> Picture:
    state = read_state(of)
    for name in only:
        must_have(name, [state])
    boxes = {table: _box(state, table) for table in only or state.tables}
    if not boxes:
        return Picture(f"There are no tables in {state.of}.", state=state)
    return _draw(f"The tables of {state.of}", boxes, dict.fromkeys(state.links, ""), state)


def show_changes(before: Any, after: Any = "database") -> Picture:
    """What was added, removed or altered from one state to another, in words and as a picture.

    Each is what `show_tables` takes; `before` is mostly a picture that was kept, as in
    `before = show_tables()`. Raises WorkbookError.
    """
    old, new = read_state(before), read_state(after)
    title = f"From {old.of} to {new.of}" if old.of != new.of else f"Since then, in {new.of}"
    told = [visible(line) for line in changes(old, new)]
    if not told:
        return Picture("", words=f"{title}: nothing changed.", state=new)
    words = "\n".join([f"{title}:", *(f"  {line}" for line in told)])
    boxes, links = _compared(old, new)
    picture = _draw(f"{title}: what changed", boxes, links, new) if boxes else Picture("")
    words = "\n".join(filter(None, [words, picture.words]))
    return Picture(picture.text, picture.rich, words, new)


def all_with_changes(before: State, now: State) -> Picture:
    """All tables of now and those that are gone; what is not as it was before has a sign.

    One above the other, and in full only what has a sign.
    """
    boxes, links = _compared(before, now, unchanged=True)
    if not boxes:
        return Picture(f"There are no tables in {now.of}.", state=now)
    for table, box in boxes.items():
        rows = [(sign, row if sign else row._replace(rest="")) for sign, row in box.rows]
        boxes[table] = box._replace(rows=rows)
    title = f"The tables of {now.of}, with the latest change"
    return _draw(title, boxes, links, now, narrow=True)


def show_drift(table: str, models: Any = "models") -> Picture:
    """One table three times: what the models, the migrations and the database say.

    The models are those of jobboard/models.py, read by a Python of its own, so that an edit counts
    that came after an import; or pass `Base`. Raises WorkbookError.
    """
    states = [read_state(models), read_state("heads"), read_state("database")]
    must_have(table, states)
    return _draw_drift(table, states)


# Tables


class Box(NamedTuple):
    """A table as it is drawn: a sign of STYLES, or none, for itself and for each row."""

    sign: str
    title: str
    rows: list[tuple[str, Row]]


def _box(state: State, table: str) -> Box:
    comment = state.comments.get((table, ""), "")
    title = f"{table} -- {comment}" if comment else table
    return Box("", title, [("", row) for row in rows_of(state, table)])


def _compared(
    old: State, new: State, unchanged: bool = False
) -> tuple[dict[str, Box], dict[Link, str]]:
    """The tables and links of both, with their signs.

    A table that has not changed is there if a link that has refers to it, or with `unchanged`.
    """
    links = {each: GONE for each in old.links if each not in new.links}
    links |= {each: "" if each in old.links else NEW for each in new.links}
    owners = {each.table for each, sign in links.items() if sign}
    targets = {each.target for each, sign in links.items() if sign}
    boxes: dict[str, Box] = {}
    for table in sorted({*old.tables, *new.tables}):
        if table not in old.tables:
            boxes[table] = _box(new, table)._replace(sign=NEW)
        elif table not in new.tables:
            boxes[table] = _box(old, table)._replace(sign=GONE)
        else:
            rows = compare(rows_of(old, table), rows_of(new, table))
            changed = table in owners or any(sign for sign, _ in rows)
            if changed or table in targets or unchanged:
                sign = CHANGED if changed else ""
                boxes[table] = _box(new, table)._replace(sign=sign, rows=rows)
    return boxes, links


def _draw(
    title: str,
    boxes: dict[str, Box],
    links: Mapping[Link, str],
    state: State,
    narrow: bool = False,
) -> Picture:
    """Boxes and the foreign keys between them, as text and as an erDiagram."""
    blocks = []
    for table, box in boxes.items():
        lines = [[sign, row.name, row.type, row.keys, row.rest] for sign, row in box.rows]
        block = [visible(_signed(box.sign, box.title)), aligned(lines, "  ")]
        for link, sign in links.items():
            if link.table == table:
                many = "at most one" if link.unique else "many"
                one = "one or none" if link.nullable else "one"
                block.append(f"  {visible(f'{sign} {link.definition}'.strip())} ({many} to {one})")
        blocks.append("\n".join(filter(None, block)))
    text = "\n\n".join(blocks)
    rows = [row for box in boxes.values() for _, row in box.rows]
    look = NARROW if narrow else LOOK
    source = _er_diagram(boxes, links, narrow) if len(rows) <= ROWS else ""
    words = ""
    if not 0 < len(source) < SOURCE:
        ties = Counter(name for link in links for name in (link.table, link.target))
        most = sorted(boxes, key=lambda table: (not boxes[table].sign, -ties[table], table))
        few = {table: box for table, box in boxes.items() if table in most[:TABLES]}
        source = _name_chart(few, links)
        words = (
            f"{len(boxes)} tables with {len(rows)} lines are too much for a picture: here are the"
            f" names of {len(few)}, and what refers to what. print() of this lists all,"
            ' show_tables("jobs", ...) draws some in full.'
        )
    return Picture(text, {"text/vnd.mermaid": titled(source, title, text, look)}, words, state)


def _draw_drift(table: str, states: Sequence[State]) -> Picture:
    said: dict[tuple[bool, str], list[str]] = {}
    for place, state in enumerate(states):
        for row in [*columns(state, table), *rules(state, table)]:
            text = "yes" if row.rule else row.words()
            said.setdefault(row.key(), ["\N{EM DASH}"] * 3)[place] = text
    lines = [
        ["" if len({*said[key]}) == 1 else "\N{NOT EQUAL TO}", key[1], *said[key]]
        for key in sorted(said, key=itemgetter(0))
    ]
    apart = ", ".join(line[1] for line in lines if line[0])
    words = f"{table}: they differ in {apart}." if apart else f"{table}: all three agree."
    head = ["", table, "the models say", "the migrations say", "the database says"]
    html = ""
    for line in [head, *lines]:
        tag = "th" if line is head else "td"
        start, end = ("<b>", "</b>") if line[0] else ("", "")
        cell = f"<{tag} style='text-align: left'>{start}{{}}{end}</{tag}>"
        html += "<tr>" + "".join(cell.format(escape(visible(each))) for each in line) + "</tr>"
    rich = {"text/html": f"<table>{html}</table>"}
    return Picture(aligned([head, *lines]), rich, visible(words))


def _er_diagram(boxes: Mapping[str, Box], links: Mapping[Link, str], narrow: bool = False) -> str:
    nodes = {table: f"t{number}" for number, table in enumerate(boxes, 1)}
    letters = [
        max((len("".join(row[:4])) for _, row in box.rows), default=0) for box in boxes.values()
    ]
    abreast = not narrow and len(boxes) <= 3 and sum(letters) <= 80  # more would be shrunk
    lines = ["erDiagram", f"  direction {'LR' if abreast else 'TB'}"]
    for table, (sign, title, rows) in boxes.items():
        style = f":::{STYLES[sign][0]}" if sign else ""
        lines.append(f'  {nodes[table]}["{mermaid(_signed(sign, title))}"]{style} {{')
        # without a row Mermaid would read Markdown into the title
        for mark, row in rows or [("", Row("no", "columns"))]:
            cells = [_cell(f"{mark} {row.name}" if mark else row.name), _cell(row.type), row.keys]
            cells += [f'"{mermaid(row.rest)}"'] if row.rest else []
            lines.append("    " + " ".join(filter(None, cells)))
        lines.append("  }")
    for link, sign in links.items():
        if link.table in nodes and link.target in nodes:
            ends = f"{'|o' if link.nullable else '||'}--{'o|' if link.unique else 'o{'}"
            label = mermaid(
                f"{sign} {', '.join(link.columns)}" if sign else ", ".join(link.columns)
            )
            lines.append(f'  {nodes[link.target]} {ends} {nodes[link.table]} : "{label}"')
    return "\n".join([*lines, *_styles(boxes)])


def _name_chart(boxes: Mapping[str, Box], links: Mapping[Link, str]) -> str:
    nodes = {table: f"t{number}" for number, table in enumerate(boxes, 1)}
    lines = ["flowchart RL"]
    for table, (sign, title, _) in boxes.items():
        style = f":::{STYLES[sign][0]}" if sign else ""
        lines.append(f'  {nodes[table]}["{mermaid(_signed(sign, title))}"]{style}')
    ties = dict.fromkeys((link.table, link.target) for link in links)
    lines += [
        f"  {nodes[table]} --> {nodes[target]}"
        for table, target in ties
        if table in nodes and target in nodes
    ]
    return "\n".join([*lines, *_styles(boxes)])


def _styles(boxes: Mapping[str, Box]) -> list[str]:
    used = {box.sign for box in boxes.values()}
    return [f"  classDef {' '.join(STYLES[sign])}" for sign in STYLES if sign in used]


def _signed(sign: str, title: str) -> str:
    return f"{sign} {title} ({STYLES[sign][0]})" if sign else title


# Text


def titled(source: str, title: str, text: str, look: str = LOOK) -> str:
    """A picture with what a screen reader says: JupyterLab makes it `alt` and a caption."""
    kind, rest = source.split("\n", 1)
    said = "; ".join(" ".join(line.split()) for line in text.splitlines() if line)
    return f"{look}{kind}\n  accTitle: {mermaid(title)}\n  accDescr: {mermaid(said, 3000)}\n{rest}"


def aligned(lines: Sequence[Sequence[str]], indent: str = "") -> str:
    """Lines of cells in columns; a column that is empty throughout is left out."""
    cells = [[visible(cell) for cell in line] for line in lines]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        (
            indent
            + "  ".join(ljust(cell, wide) for cell, wide in zip(line, widths, strict=True) if wide)
        ).rstrip()
        for line in cells
    )


def mermaid(text: str, longest: int = 200) -> str:
    """The text for a place in quotes, such that Mermaid shows it as it is, whatever it is.

    All but letters, digits and what stands in a word goes as a number (#35; for #), into which
    neither Mermaid's grammars nor its Markdown look.
    """
    text = visible(text)
    text = text if len(text) <= longest else f"{text[:longest]}…"
    # A flowchart resolves numbers early, and then looks for formulas, icons and \n.
    text = re.sub(r"\$(?=\$)|:(?=fa-)|\\(?=n)|ﬂ(?=°)|¶(?=ß)", "\\g<0>\u200b", text)
    text = re.sub(r"^ | $| (?= )|(?<= ) ", "\u00a0", text)
    return re.sub(
        r"(?<![^\W_])_|_(?![^\W_])|(?i:(?<=direction)) |[^ (),0-9A-Za-z_\u0100-\uffff]",
        lambda found: f"#{ord(found[0])};",
        text,
    )


def _cell(text: str) -> str:
    """A word in an erDiagram's table; bare where the grammar lets it."""
    bare = re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*(\(\d+(,\d+)?\))?", text)
    return text if bare and text.upper() not in ("PK", "FK", "UK") else f"`{mermaid(text)}`"
