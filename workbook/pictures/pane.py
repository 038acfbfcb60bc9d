"""What a presenter has beside a slide: the history and the tables, with the latest change marked.

The slide view runs `keep_up` in a kernel of its own, which is free while a cell migrates.
"""

import os

import psycopg2

from workbook import WorkbookError, home
from workbook.look import State, read_state
from workbook.pictures.history import show_history
from workbook.pictures.picture import Picture, stamp, without_waiting
from workbook.pictures.tables import all_with_changes

REVISIONS = 5  # more are too small beside a slide

_drawn: dict[str, dict[str, str]] = {}
_states: list[State] = []  # before the latest change, and now
_stamp: object = None


def keep_up(anew: bool = False) -> None:
    """Display what has changed since the last time, or all of it, each with its place in `metadata`."""
    from IPython.display import display

    global _stamp
    os.chdir(home() / "workspace")
    try:
        with without_waiting():
            now = stamp()
            if now == _stamp and not anew:
                return
            for place, draw in (("history", _history), ("tables", _tables)):
                try:
                    picture = draw()
                except WorkbookError as error:  # there is nothing yet
                    picture = Picture(str(error))
                data = picture.data()
                if anew or data != _drawn.get(place):
                    display(data, raw=True, metadata={"place": place})  # type: ignore[no-untyped-call]
                _drawn[place] = data
            _stamp = now
    except (psycopg2.Error, OSError):
        pass  # a lock, or a file that is just being written: the next time


def _history() -> Picture:
    return show_history(newest=REVISIONS)


def _tables() -> Picture:
    now = read_state("database")
    if not _states or now != _states[-1]:
        _states[:] = [*_states[-1:], now]
    return all_with_changes(_states[0], now)
