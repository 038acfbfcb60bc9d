"""PGlite for Python: the databases that are open in this tab, and a wire message for one of them."""

import pglite_in_tab  # type: ignore[import-not-found]
from pyodide.ffi import to_js  # type: ignore[import-not-found]


def has(database: str) -> bool:
    """Whether there is such a database."""
    return bool(pglite_in_tab.has(database))


def ask(database: str, message: bytes) -> bytes:
    """Send a message of PostgreSQL's protocol; all that is answered."""
    return bytes(pglite_in_tab.ask(database, to_js(message)).to_bytes())
