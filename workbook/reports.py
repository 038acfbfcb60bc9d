"""In a room: each check's outcome goes to the teacher's board, and so does a raised hand.

What is reported is the exercise, the outcome and the mistake's name; never the learner's code. A
report is first a file in `.reports/`, then it is sent from another thread: no check waits for it,
and what cannot be delivered now goes with the next one.
"""

import atexit
import contextlib
import json
import os
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

from workbook import WorkbookError, home

MOST = 1000  # files that wait; a teacher reads no more of them
TAIL = 1  # seconds that Python's end waits for the last report; its file outlives that
_TURN = threading.Lock()  # one thread at a time sends
_WAITING = threading.Lock()  # and at most one more waits, to send what has come meanwhile
_LATEST: list[threading.Thread] = []


def report(exercise: str, outcome: str, mistake: str | None) -> None:
    """Tell the room how an exercise stands, without waiting and without ever raising.

    `outcome` is one of the four kinds; `mistake` is the name of a well-known one, or None.
    """
    room = os.environ.get("WORKBOOK_ROOM")
    if not room:
        return
    with contextlib.suppress(Exception):  # whatever it is: the check has been made
        told = {"exercise": exercise, "outcome": outcome, "mistake": mistake, "at": time.time()}
        _spool(_folder(room), json.dumps(told))
        if _WAITING.acquire(blocking=False):
            thread = threading.Thread(target=_deliver, args=[room, _address()], daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads, or Python is about to end
                _WAITING.release()
            else:
                _LATEST[:] = [thread]


def raise_hand() -> None:
    """Ask the teacher to come. Raises WorkbookError outside of a room, or when nobody answers."""
    _hand(True)
    print("Your hand is up: the teacher's board shows it.")


def lower_hand() -> None:
    """No more help needed. Raises WorkbookError outside of a room, or when nobody answers."""
    _hand(False)
    print("Your hand is down.")


def _hand(up: bool) -> None:
    room = os.environ.get("WORKBOOK_ROOM")
    if not room:
        raise WorkbookError("There is no teacher's board here: hands are for a classroom.")
    try:
        with (
            contextlib.closing(_connected(room, _address())) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT room.hand(%s)", [up])
    except psycopg2.Error as error:
        if error.pgcode == "53400":
            raise WorkbookError("That was often: wait half a minute.") from None
        raise WorkbookError(
            "The teacher's board does not answer: wave, or try again in a minute."
        ) from None


def _folder(room: str) -> Path:
    return home() / ".reports" / room


def _spool(folder: Path, text: str) -> None:
    """Write a report to a file of its own, whole or not at all; its name says when."""
    folder.mkdir(parents=True, exist_ok=True)
    if sum(1 for _ in folder.iterdir()) < MOST:
        name = f"{time.time_ns():020}_{uuid.uuid4()}"
        (folder / f".{name}").write_text(text, encoding="utf-8")
        (folder / f".{name}").replace(folder / f"{name}.json")


def _deliver(room: str, address: dict[str, Any]) -> None:
    """Send what waits, the oldest first, and delete what has arrived."""
    with _TURN, contextlib.suppress(Exception):
        _WAITING.release()  # before looking: what comes from now on gets a thread of its own
        waiting = sorted(_folder(room).glob("*.json"))
        if waiting:
            with contextlib.closing(_connected(room, address)) as connection:
                now = time.time()  # one for all, so that they stay in order on the server's clock
                for path in waiting:
                    _send(connection, path, now)


@atexit.register
def _finish() -> None:
    for thread in _LATEST:
        thread.join(TAIL)


def _send(connection: Connection, path: Path, now: float) -> None:
    """Send one; raises when it has to wait. One that the room will never take is thrown away."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        values = [path.stem.partition("_")[2], told["exercise"], told["outcome"], told["mistake"]]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT room.report(%s::uuid, %s, %s, %s, %s)", [*values, now - told["at"]]
            )
    except FileNotFoundError:
        return  # another notebook was quicker
    except (ValueError, KeyError, TypeError, psycopg2.DataError, psycopg2.IntegrityError):
        pass
    path.unlink(missing_ok=True)


def _address() -> dict[str, Any]:
    """Where the server is: read now, because checks change libpq's variables for a while."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    return {name: os.environ.get(variable) for name, variable in names.items()}


def _connected(room: str, address: dict[str, Any]) -> Connection:
    """A connection to the room's database that never keeps anybody waiting for long."""
    connection: Connection = psycopg2.connect(
        **address,
        dbname=room,
        connect_timeout=3,
        application_name="workbook room",
        options="-c statement_timeout=5s -c lock_timeout=2s",
    )
    connection.autocommit = True
    return connection
