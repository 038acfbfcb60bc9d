"""PGlite for Python: the databases that are open in this tab, and a wire message for one of them."""

from collections.abc import Callable
from typing import Any

import pglite_in_tab  # type: ignore[import-not-found]
from pyodide.ffi import to_js  # type: ignore[import-not-found]

LEARNERS = "jobboard"  # the one that is kept


def has(database: str) -> bool:
    """Whether there is such a database."""
    return bool(pglite_in_tab.has(database))


def ask(database: str, message: bytes) -> bytes:
    """Send a message of PostgreSQL's protocol; all that is answered."""
    return bytes(pglite_in_tab.ask(database, to_js(message)).to_bytes())


async def in_turn(work: Any, restarted: Callable[[str], None]) -> Any:
    """Do a cell's work while no other kernel of this browser is at work in the learner's database.

    It is as the kernel before has left it, and what changes is kept for the next one. `restarted`
    is told of a database that has become another.
    """
    if await pglite_in_tab.begin():
        restarted(LEARNERS)
    try:
        return await work
    finally:
        pglite_in_tab.end()  # nobody waits for it but the next cell
