"""The picture of traffic: what got through in each half second, and who waited and held meanwhile."""

from collections.abc import Callable, Iterable, Iterator
from html import escape

from workbook.pictures.picture import Picture
from workbook.pictures.tables import aligned
from workbook.theatre import Kind, Span, Traffic

Place = Callable[[float], float]  # where a time is drawn
HALF = 0.5  # seconds
LEFT, WIDTH, LANE, BARS = 104, 632, 22, 60  # in the picture's own units
LETTER, NUMBER = 6.5, 26  # the room that a letter takes, and a number of three digits
# Whom a lock keeps out, by its height: all; those who write; nobody from the table as such.
HEIGHTS = {"waits": LANE, "all": LANE, "writers": LANE * 2 // 3, "nobody": LANE // 3}
KEEPS_OUT = {"ACCESS EXCLUSIVE": "all"} | dict.fromkeys(
    ("SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE"), "writers"
)
# The sanitizer knows a picture of traffic by these words: what they begin differs in each run.
BEGINS = "Live traffic, "
SVG = '<svg class="traffic"'
STYLE = """
.traffic { width: 100%; max-width: 56em; }
.traffic text { font: 13px sans-serif; }
.traffic text { fill: var(--jp-ui-font-color1, #222); }
.traffic .bar { fill: var(--jp-brand-color1, #1976d2); }
.traffic .open { fill: #8b949e; }
.traffic .part { fill: none; stroke: #8b949e; }
.traffic .all { fill: #d1242f; }
.traffic .writers { fill: #8250df; }
.traffic .nobody { fill: #1a7f72; }
.traffic .waits { stroke: #d97706; }
"""
PATTERN = """<defs><pattern id="NAME" width="6" height="6" patternUnits="userSpaceOnUse"
patternTransform="rotate(45)"><rect width="3" height="6" fill="#d97706"/></pattern></defs>"""


def draw(traffic: Traffic) -> Picture:
    """What came of it; its text form is a table of the half seconds, and of the parts."""
    told = "\n".join([*_title(traffic), "", aligned(_lines(traffic)), "", *_words(traffic)])
    shown = _words(traffic)[: 1 if traffic.parts else None]  # what the parts were has no room
    caption = "<br>".join(map(escape, shown))
    html = f"{SVG}{_svg(traffic, told)}</svg><p>{caption}</p>"
    return Picture(told, {"text/html": html})


def _title(traffic: Traffic) -> list[str]:
    plan = traffic.plan
    return [f"{BEGINS}{plan.readers} readers and {plan.writers} writers of {plan.table}:"]


def _halves(traffic: Traffic) -> list[Span]:
    """The half seconds that traffic lasted, without the rest at the end."""
    record = traffic.record
    count = int((record.ended - record.began) / HALF)
    return [
        Span(record.began + each * HALF, record.began + (each + 1) * HALF) for each in range(count)
    ]


def _count(traffic: Traffic, kind: Kind, span: Span) -> int:
    """The requests that ended in a span."""
    return sum(
        span.began < each.ended <= span.ended and not each.error for each in traffic.requests(kind)
    )


def _during(spans: Iterable[Span], time: Span) -> str:
    """The words of the spans that overlap a time."""
    words = [each.words for each in spans if each.ended > time.began and each.began < time.ended]
    return ", ".join(dict.fromkeys(words))


def _lines(traffic: Traffic) -> list[list[str]]:
    record = traffic.record
    columns = {"report": record.reports, "part": traffic.parts, "migration": record.locks}
    shown = {name: spans for name, spans in columns.items() if spans}
    lines = [["second", "reads", "writes", *shown]]
    for half in _halves(traffic):
        counts = [str(_count(traffic, kind, half)) for kind in ("read", "write")]
        others = [_during(spans, half) for spans in shown.values()]
        lines.append([f"{half.began - record.began:.1f}", *counts, *others])
    return lines


def _words(traffic: Traffic) -> list[str]:
    """The longest waits, and what got through meanwhile."""
    waits = [f"a {kind} {_seconds(traffic.longest(kind))}" for kind in ("read", "write")]
    lines = [f"The longest wait: {' and '.join(waits)}."]
    names = [part.words for part in traffic.parts] or ([""] if traffic.record.locks else [])
    for name in names:
        share = traffic.of(name)
        who = name or "While the migration was there"
        lines.append(
            f"{who}: {_seconds(share.seconds)}; {share.reads:.0%} of the reads and"
            f" {share.writes:.0%} of the writes got through; longest wait"
            f" {_seconds(share.longest_read)} and {_seconds(share.longest_write)}."
        )
    if traffic.errors:
        kinds = sorted({*traffic.errors})
        lines.append(f"{len(traffic.errors)} failed: {', '.join(kinds)}.")
    return lines


def _seconds(time: float) -> str:
    return f"{time:.1f} s" if time >= 1 else f"{time * 1000:.0f} ms"


def _svg(traffic: Traffic, told: str) -> str:
    record, halves = traffic.record, _halves(traffic)
    began = record.began
    ended = halves[-1].ended if halves else began + HALF
    y, drawn = 4, []

    def x(time: float) -> float:
        return LEFT + WIDTH * (min(max(time, began), ended) - began) / (ended - began)

    for name, spans in {"": traffic.parts, "report": record.reports}.items():
        if spans:
            lane, high = _named(name or "what is done", spans, x, y)
            drawn += lane
            y += high
    if record.locks:
        drawn.append(_text(LEFT - 8, y + 15, "migration", "end"))
        drawn += [_lock(x(each.began), x(each.ended), y, each.words) for each in record.locks]
        y += LANE + 4
    kinds: tuple[Kind, ...] = ("read", "write")
    for kind in kinds:
        y += 18
        drawn.append(_text(LEFT - 8, y + BARS, f"{kind}s in ½ s", "end"))
        drawn += _bars(halves, [_count(traffic, kind, half) for half in halves], x, y)
        y += BARS
    drawn += _seconds_below(len(halves), y + 16)
    y += 22
    used = dict.fromkeys(span.words for span in record.locks)
    for place, words in enumerate(used):  # two in a line
        at = LEFT + place % 2 * WIDTH // 2
        y += LANE if place and not place % 2 else 0
        drawn += [_lock(at, at + 14, y, words), _text(at + 20, y + 15, words, "start")]
    y += LANE + 4 if used else 0
    # A name of its own: what a picture that is out of sight defines is not there for others.
    inside = f"<style>{STYLE}</style>{PATTERN}{''.join(drawn)}"
    inside = inside.replace("NAME", f"waits{began * 1000:.0f}")
    label = escape(told, quote=True)
    size = f' viewBox="0 0 {LEFT + WIDTH + 8} {y}"'
    return f'{size} role="img" aria-label="{label}">{inside}'


def _named(name: str, spans: list[Span], x: Place, y: int) -> tuple[list[str], int]:
    """A lane of blocks and its height. A name that has no room in its block stands below."""
    drawn, below = [_text(LEFT - 8, y + 15, name, "end")], []
    for number, span in enumerate(spans, 1):
        left, right, words = x(span.began), x(span.ended), span.words
        kind = "open" if words == "open" else "part"
        drawn.append(_rectangle(left, y, max(right - left, 3), LANE, kind, words))
        if right - left < LETTER * len(words):
            below.append(f"{number} {words}")
            words = str(number)
        drawn.append(_text((left + right) / 2, y + 15, words, "middle"))
    if below:
        drawn.append(_text(LEFT + WIDTH, y + LANE + 14, " · ".join(below), "end"))
    return drawn, LANE + (22 if below else 4)


def _lock(left: float, right: float, y: int, words: str) -> str:
    """What is waited for or held, the higher the more are kept out."""
    verb, _, mode = words.replace("waits for", "waits").partition(" ")
    kind = verb if verb == "waits" else KEEPS_OUT.get(mode, "nobody")
    high = HEIGHTS[kind]
    return _rectangle(left, y + LANE - high, max(right - left, 3), high, kind, words)


def _bars(halves: list[Span], counts: list[int], x: Place, y: int) -> Iterator[str]:
    """A bar for each half second; with its number, or in a long time that of the highest alone."""
    most = max([*counts, 1])
    wide = WIDTH / max(len(halves), 1)
    gap = 2 if wide > NUMBER else 0.5
    for number, (half, count) in enumerate(zip(halves, counts, strict=True)):
        left, right, high = x(half.began), x(half.ended), BARS * count / most
        yield _rectangle(left + gap, y + BARS - high, right - left - 2 * gap, high, "bar")
        if wide > NUMBER or number == counts.index(max(counts)):
            yield _text((left + right) / 2, y + BARS - high - 3, str(count), "middle")


def _seconds_below(halves: int, y: int) -> list[str]:
    """The time below the bars, in steps that leave room for it."""
    second = WIDTH / max(halves * HALF, HALF)
    step = next((each for each in (1, 2, 5, 10, 20) if each * second > 2 * NUMBER), 60)
    times = range(0, int(halves * HALF) + 1, step)
    return [
        _text(LEFT + time * second, y, f"{time} s", "start")
        for time in times
        if time < halves * HALF
    ]


def _rectangle(x: float, y: float, wide: float, high: float, kind: str, words: str = "") -> str:
    title = f"<title>{escape(words)}</title>" if words else ""
    size = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    fill = ' fill="url(#NAME)"' if kind == "waits" else ""
    return f'<rect class="{kind}" {size}{fill}>{title}</rect>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
