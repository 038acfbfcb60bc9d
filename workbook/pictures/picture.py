"""What the functions of this folder give, and how it keeps up with the project.

Jupyter's own means are enough: an output with an id can be replaced from anywhere in its kernel,
and JupyterLab shows it in a second place with "Create New View for Cell Output".
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from workbook import WorkbookError
from workbook.look import State

WAIT = "-c lock_timeout=100ms"  # no cell waits for a picture


@dataclass(frozen=True, repr=False)
class Picture:
    """JupyterLab draws it, `print` writes all of it as text."""

    text: str
    rich: dict[str, str] = field(default_factory=dict)  # the same, by MIME type
    words: str = ""  # what stands above it everywhere
    state: State | None = None
    again: "Callable[[], Picture] | None" = None  # draws it anew, where it is to keep up

    def __str__(self) -> str:
        return "\n\n".join(filter(None, [self.words, self.text]))

    __repr__ = __str__

    def data(self) -> dict[str, str]:
        """All of it by MIME type."""
        return {"text/plain": str(self), **self.rich}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if self.again:
            _follow(self)
            return
        if self.words:
            print(self.words)
        if self.text:
            display({"text/plain": self.text, **self.rich}, raw=True)  # type: ignore[no-untyped-call]


class _Live:
    """A picture in its place, and what was there when it was drawn."""

    def __init__(self, picture: Picture) -> None:
        from IPython.display import display

        self.again, self.stamp, self.data = picture.again, stamp(), picture.data()
        self.handle: Any = display(self.data, raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def keep_up(self, now: object) -> None:
        if now == self.stamp or not self.again:
            return
        data = self.again().data()
        if data != self.data:
            self.handle.update(data, raw=True)
        self.stamp, self.data = now, data


_shown: dict[str, _Live] = {}  # the latest of each: an older one has lost its place


def _follow(picture: Picture) -> None:
    from IPython.core.getipython import get_ipython

    _shown[repr(picture.again)] = _Live(picture)
    shell = get_ipython()
    if shell:
        shell.events.register("post_run_cell", _keep_up)


def _keep_up(result: object) -> None:
    """After a cell: what goes wrong here is not that cell's business, and the next one tries again."""
    with contextlib.suppress(WorkbookError, psycopg2.Error, OSError), without_waiting():
        now = stamp()
        for each in _shown.values():
            each.keep_up(now)


@contextlib.contextmanager
def without_waiting() -> Iterator[None]:
    """No connection that begins in here waits for a lock."""
    before = os.environ.get("PGOPTIONS", "")
    os.environ["PGOPTIONS"] = f"{before} {WAIT}"
    try:
        yield
    finally:
        os.environ["PGOPTIONS"] = before


def stamp() -> object:
    """What changes with every file of the project, and with every transaction that has written.

    A snapshot names the transactions that are over. Raises psycopg2.Error, and starts no server.
    """
    files = [
        (path.name, path.stat().st_mtime_ns)
        for folder in ("alembic/versions", "jobboard")
        for path in sorted(Path(folder).glob("*.py"))
    ]
    connection = psycopg2.connect("connect_timeout=2")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_snapshot()::text")
            return files, cursor.fetchone()
    finally:
        connection.close()
