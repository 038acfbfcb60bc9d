"""13.5  A deployment that waits for its turn, and not for ever."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from workbook.exercises import Mistake, edits
from workbook.exercises.kinds import Probed
from workbook.server import database

LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database ="
LOCKS += " (SELECT oid FROM pg_database WHERE datname = current_database())"
WAITING = "SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE pid = %s"
SECONDS = 2  # that the second deployment is given

NONE = "nothing is locked"
OPEN = "a transaction that stays open"
LOST = "a lock that goes with a commit"
HELD = "a statement that waits in the server"
BOTH = "two that have their turn"
ENDLESS = "a wait without an end"
HASTY = "no wait at all"
SILENT = "an end that is no error"
STUCK = "a lock that outlives its deployment"
CLOSED = "a connection that is closed"
BUSY = "a question without a pause"
MOST = 100  # questions, in the seconds that the second has


def probe(source: str) -> list[str]:
    """What wait_for_turn does wrong, with two sessions that call it; the first thing alone."""
    names: dict[str, Any] = {}
    try:
        exec(compile(source, "turn.py", "exec"), names)  # noqa: S102
        wait = names["wait_for_turn"]
    except Exception as error:  # noqa: BLE001 - a learner's code may raise anything
        return [f"Reading the file stops with {type(error).__name__}: {error}."]
    with _watched() as watch:
        engine = database.engine()
        with engine.connect() as first, engine.connect() as second:
            for found in _wrong(wait, first, second, watch):
                return found
            first.close()
            try:
                wait(second, seconds=SECONDS)
            except Exception:  # noqa: BLE001
                return [STUCK]
    return []


@contextlib.contextmanager
def _watched() -> Iterator[sa.Connection]:
    with database.engine().connect() as watch:
        yield watch.execution_options(isolation_level="AUTOCOMMIT")


def _wrong(
    wait: Any, first: sa.Connection, second: sa.Connection, watch: sa.Connection
) -> Iterator[list[str]]:
    other = watch.exec_driver_sql(LOCKS).scalar_one()  # the scratch database's own
    try:
        wait(first, seconds=SECONDS)
    except Exception as error:  # noqa: BLE001
        words = str(error).strip().partition("\n")[0].rstrip(".")
        yield [
            f"The first deployment, with no other there, stops with {type(error).__name__}: {words}."
        ]
        return
    if first.closed:
        yield [CLOSED]
        return
    if watch.exec_driver_sql(LOCKS).scalar_one() == other:
        yield [NONE]
        return
    if first.in_transaction():
        yield [OPEN]
        return
    first.exec_driver_sql("SELECT 1")
    first.commit()
    if watch.exec_driver_sql(LOCKS).scalar_one() == other:
        yield [LOST]
        return
    pid = second.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    second.commit()
    ended: list[BaseException | None] = []
    questions: list[object] = []
    sa.event.listen(second, "before_cursor_execute", lambda *_: questions.append(_))
    waited = threading.Thread(target=_try, args=(wait, second, ended), daemon=True)
    begun = time.monotonic()
    waited.start()
    asked = []
    while waited.is_alive() and time.monotonic() < begun + 3 * SECONDS + 2:
        asked.append(tuple(watch.exec_driver_sql(WAITING, (pid,)).one()))
        time.sleep(0.02)
    if ("Lock", "advisory") in asked:
        yield [HELD]
    elif not ended:
        yield [ENDLESS]
    elif ended[0] is None:
        yield [SILENT if time.monotonic() - begun > SECONDS / 2 else BOTH]
    elif isinstance(ended[0], SystemExit) and not ended[0].code:
        yield [SILENT]
    elif isinstance(ended[0], NameError | TypeError | AttributeError):
        what = f"{type(ended[0]).__name__}: {ended[0]}"
        yield [f"The second deployment stops with {what}."]
    if ended and ended[0] is not None and time.monotonic() - begun < SECONDS / 2:
        yield [HASTY]
    if len(questions) > MOST:
        yield [BUSY, f"In {SECONDS} seconds, the second has asked {len(questions):,} times."]


def _try(wait: Any, connection: sa.Connection, ended: list[BaseException | None]) -> None:
    try:
        wait(connection, seconds=SECONDS)
        ended.append(None)
    except (Exception, SystemExit) as error:  # noqa: BLE001
        ended.append(error)


CODE = """
import time

from alembic.util import CommandError
from sqlalchemy import text

TURN = text("SELECT pg_try_advisory_lock(1300)")


def wait_for_turn(connection, seconds=600):
    until = time.monotonic() + seconds
    while not connection.scalar(TURN):
        connection.rollback()
        if time.monotonic() > until:
            raise CommandError("Another deployment has not come to its end.")
        time.sleep(0.5)
    connection.commit()
"""
SHOWN = """
from alembic.util import CommandError
from sqlalchemy import text

TURN = text("SELECT pg_advisory_xact_lock(1300)")


def wait_for_turn(connection, seconds=600):
    connection.execute(TURN)
"""

EXERCISE = Probed(
    file="turn.py",
    probe="workbook.exercises.ch13.ex5:probe",
    code=CODE,
    shown=SHOWN,
    mistakes=(
        Mistake(
            NONE,
            "After wait_for_turn, no advisory lock is held. A connection that was closed, or that"
            " nobody holds any more, takes its locks along.",
            "The lock belongs to the session that migrates.",
        ),
        Mistake(
            CLOSED,
            "wait_for_turn closes the connection that Alembic is about to migrate on, and its locks go.",
            "The end of a transaction is enough.",
        ),
        Mistake(
            BUSY,
            "A deployment may take minutes, and who waits for it should not keep the server at work.",
            "Between two questions there is time.",
        ),
        Mistake(
            OPEN,
            "wait_for_turn leaves a transaction open. Alembic takes it for somebody else's and never"
            " commits it: Running upgrade, exit code 0, and nothing in the database.",
            "A lock of the session stays when its transaction has ended.",
        ),
        Mistake(
            LOST,
            "The lock belongs to the transaction, and autocommit_block() commits that: from then on the"
            " next deployment works beside this one.",
            "PostgreSQL has locks that a session keeps, whatever it commits.",
        ),
        Mistake(
            HELD,
            "The second deployment waits inside a statement, and a statement has a snapshot. CREATE INDEX"
            " CONCURRENTLY waits for old snapshots: each waits for the other, a deadlock.",
            "Ask, and ask again later; no statement may be under way in between.",
        ),
        Mistake(
            BOTH,
            "The first deployment is still at work, and wait_for_turn has let the second one in.",
            "pg_try_advisory_lock does not wait: what it gives says whether the lock is there.",
        ),
        Mistake(
            ENDLESS,
            f"The second was given {SECONDS} seconds, and has not given up. A deployment that hangs"
            " would hold up all others, and nobody would be told.",
            "Note when the wait began.",
        ),
        Mistake(
            HASTY,
            f"The second was given {SECONDS} seconds, and gave up at once. A deployment takes a while,"
            " and the next one only has to wait for it.",
            "Try more than once.",
        ),
        Mistake(
            SILENT,
            "The second has waited, not got the lock, and returned as if it had.",
            "Out of patience is an error: the deployment must not go on.",
        ),
        Mistake(
            STUCK,
            "The first deployment's connection is closed, and the second still does not get its turn.",
            "The lock has to go with the session that migrates, however it ends.",
        ),
    ),
    task="wait for a turn, and not for ever",
    hints=(
        "A lock of the session; a question instead of a wait; a transaction that is over before"
        " Alembic begins.",
        "pg_try_advisory_lock gives true or false at once. Ask in a loop, with time.sleep between.",
        "connection.rollback() between two questions, connection.commit() at the end, and a"
        " CommandError when the time is over.",
    ),
    why="The session holds the lock until its connection closes, whatever it commits. Between two"
    " questions, the one that waits has no snapshot that CONCURRENTLY would wait for.",
    passed="You can let deployments wait for one another.",
)

WRONG = edits(
    EXERCISE.filled,
    r"""
closed  | \n    connection.commit()\n  | \n    connection.close()\n  | a connection that is closed
without a pause  | \s       time.sleep(0.5)\n  |  | a question without a pause
the wrong way round  | while not connection.scalar(TURN)  | while connection.scalar(TURN)  | with no other there
of the transaction  | pg_try_advisory_lock  | pg_try_advisory_xact_lock  | nothing is locked
of the transaction, and no commit  | pg_try_advisory_lock  | pg_try_advisory_xact_lock  | \n    connection.commit()\n  | \n  | a transaction that stays open
no commit  | \n    connection.commit()\n  | \n  | a transaction that stays open
a statement that waits  | pg_try_advisory_lock  | pg_advisory_lock  | while not connection.scalar(TURN):  | connection.execute(TURN)\n    while False:  | a statement that waits in the server
without a loop  | while not connection.scalar(TURN):  | connection.execute(TURN)\n    while False:  | two that have their turn
once alone  | \s       if time.monotonic() > until:\n            raise  | \s       if True:\n            raise  | no wait at all
for ever  | \s       if time.monotonic() > until:\n            raise CommandError("Another deployment has not come to its end.")\n  |  | a wait without an end
in silence  | raise CommandError("Another deployment has not come to its end.")  | return  | an end that is no error
an exit that is a success  | raise CommandError("Another deployment has not come to its end.")  | raise SystemExit(0)  | an end that is no error
a lock for each  | TURN = text("SELECT pg_try_advisory_lock(1300)")  | TURN = text("SELECT pg_try_advisory_lock(pg_backend_pid())")  | two that have their turn
given back at once  | \n    connection.commit()\n  | \n    connection.execute(text("SELECT pg_advisory_unlock_all()"))\n    connection.commit()\n  | nothing is locked
shared  | pg_try_advisory_lock  | pg_try_advisory_lock_shared  | two that have their turn
another function  | def wait_for_turn  | def wait  | wait_for_turn
a name that is not there  | time.sleep(0.5)  | sleep(0.5)  | NameError
the text alone  | text("SELECT pg_try_advisory_lock(1300)")  | "SELECT pg_try_advisory_lock(1300)"  | ObjectNotExecutableError
on a connection of its own  | while not connection.scalar(TURN):  | guard = connection.info["guard"] = connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT")\n    while not guard.scalar(TURN):  | \n    connection.commit()\n  | \n  | a lock that outlives its deployment
""",
)
RIGHT = edits(
    EXERCISE.filled,
    r"""
no rollback in between  | \s       connection.rollback()\n  |
by attempts  | until = time.monotonic() + seconds  | attempts = 0  | if time.monotonic() > until:  | attempts += 1\n        if attempts > 2 * seconds:
by a name  | pg_try_advisory_lock(1300)  | pg_try_advisory_lock(hashtext('alembic'))
another error  | CommandError("  | TimeoutError("
""",
)
