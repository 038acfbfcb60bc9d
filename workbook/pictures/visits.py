"""What visitors of the served releases were answered, over time."""

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbook.releases import Visitors

STEP = 0.1  # seconds of a bar
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
    """A Vega-Lite chart: a row for each release, and a band for the time between."""
    bars = Counter(
        (each.release, int(each.second / STEP) * STEP, bool(each.wrong)) for each in visitors.visits
    )
    rows = [
        {
            "release": release,
            "second": round(second, 1),
            "answers": -count if wrong else count,
            "end": round(second + STEP, 1),
            "answer": "error" if wrong else "right",
        }
        for (release, second, wrong), count in bars.items()
    ]
    band = {"from": visitors.began, "to": visitors.ended}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": told(visitors).splitlines(), "anchor": "start", "fontWeight": "normal"},
        "data": {"values": rows},
        "facet": {"row": {"field": "release", "title": None, "sort": None}},
        "spec": {
            "width": 560,
            "height": 60,
            "layer": [
                {
                    "data": {"values": [band]},
                    "mark": {"type": "rect", "color": "#8884"},
                    "encoding": {
                        "x": {"field": "from", "type": "quantitative"},
                        "x2": {"field": "to"},
                    },
                },
                {
                    "mark": {"type": "bar"},
                    "encoding": {
                        "x": {"field": "second", "type": "quantitative", "title": "seconds"},
                        "x2": {"field": "end"},
                        "y": {
                            "field": "answers",
                            "type": "quantitative",
                            "title": None,
                            "axis": {"labelExpr": "abs(datum.value)"},
                        },
                        "color": {
                            "field": "answer",
                            "scale": {
                                "domain": ["right", "error"],
                                "range": ["#2a78c2", "#d1482b"],
                            },
                            "title": "answer",
                        },
                    },
                },
            ],
        },
    }
