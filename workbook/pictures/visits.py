"""What visitors of the served releases were answered, over time."""

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbook.releases import Visitors

STEP = 0.1  # seconds of a bar
AXIS = {"labelExpr": "abs(datum.value)", "tickCount": 3}
WORDS = "The visitors' answers, drawn below: bars go up for right ones and down for errors."


def show_visits(visitors: "Visitors") -> None:
    """Draw it in the cell's output. It comes out different each time, so nobody compares it."""
    from IPython.display import display

    place: Any = display({"text/plain": WORDS}, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    drawn = {"text/plain": told(visitors), "application/vnd.vegalite.v5+json": chart(visitors)}
    if place:
        place.update(drawn, raw=True)


def told(visitors: "Visitors") -> str:
    """A line for each release: how many requests and errors, and what was wrong most often."""
    reasons = visitors.reasons()
    return "\n".join(
        f"{name}: {asked} requests, {visitors.errors[name]} errors. {reasons.get(name, '')}".strip()
        for name, asked in visitors.asked.items()
    )


def chart(visitors: "Visitors") -> dict[str, Any]:
    """A Vega-Lite chart: a row for each release, and a band for the time of the body."""
    bars = Counter(
        (each.release, int(each.second / STEP), bool(each.wrong)) for each in visitors.visits
    )
    rows = [
        {
            "release": release,
            "from": number * STEP,
            "to": (number + 1) * STEP,
            "answers": -count if wrong else count,
            "answer": "error" if wrong else "right",
            "zero": 0,
        }
        for (release, number, wrong), count in bars.items()
    ]
    band = {"from": visitors.began, "to": visitors.ended}
    seconds = {"field": "from", "type": "quantitative", "title": "seconds"}
    colours = {"domain": ["right", "error"], "range": ["#2a78c2", "#d1482b"]}
    answers = {
        "mark": {"type": "rect"},
        "encoding": {
            "x": seconds,
            "x2": {"field": "to"},
            "y": {"field": "answers", "type": "quantitative", "title": None, "axis": AXIS},
            "y2": {"field": "zero"},
            "color": {"field": "answer", "scale": colours, "legend": {"title": None}},
        },
    }
    between = {
        "data": {"values": [band]},
        "mark": {"type": "rect", "color": "#8884"},
        "encoding": {"x": seconds, "x2": {"field": "to"}},
    }
    names = {
        "field": "release",
        "title": None,
        "sort": [*visitors.asked],
        "header": {"labelAngle": 0},
    }
    title = {"text": told(visitors).splitlines(), "anchor": "start", "fontWeight": "normal"}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "config": {"font": "sans-serif", "title": {"fontSize": 14}},
        "title": title,
        "data": {"values": rows},
        "facet": {"row": names},
        "spec": {"width": 600, "height": 60, "layer": [between, answers]},
    }
