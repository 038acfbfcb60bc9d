"""Cards to print: each learner's name, the room's address, the one-time code, the first steps."""

from html import escape
from typing import Any

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Cards</title><style>
body {{ font: 11pt sans-serif; margin: 0; display: grid; grid-template-columns: 1fr 1fr; }}
section {{ border: 1px dashed #888; padding: 5mm; break-inside: avoid; }}
b {{ font: bold 14pt monospace; }}
@page {{ margin: 10mm; }}
</style></head><body>
{cards}
</body></html>
"""
CARD = """<section><p>Your name: <b>{name}</b><br>Your code: <b>{code}</b></p>
<ol><li>Open <b>{address}</b></li>
<li>Type your name, a password that you choose (8 letters or more), and the code.</li>
<li>From then on, name and password do; the code is used up.</li>
<li>Open <i>00_start_here</i> and press Shift+Enter in each cell.</li></ol>
<p>Forgotten? Your teacher has a new code.</p></section>"""


def page(given: dict[str, Any], names: list[str]) -> str:
    """The cards of these names as one page for a browser to print."""
    return PAGE.format(
        cards="\n".join(
            CARD.format(
                name=escape(name), code=given["codes"][name], address=escape(given["address"])
            )
            for name in names
        )
    )
