"""11.1  Get a site going again that stands behind a migration."""

import time

import sqlalchemy as sa

from workbook.exercises import Mistake, Outcome, cells
from workbook.exercises.kinds import DONE, Do, not_attempted
from workbook.exercises.trial import known

LINE_UP = """
from workbook import line_up

queue = line_up(
    report="SELECT count(*) FROM jobs",
    migration="ALTER TABLE jobs ADD COLUMN salary INTEGER",
    reader="SELECT title FROM jobs",
)
"""
SESSIONS = """
SELECT application_name, CASE WHEN wait_event_type = 'Lock' THEN 'waits' ELSE state END
FROM pg_stat_activity WHERE datname = current_database()
AND application_name IN ('report', 'migration', 'reader')
"""
IDLE = "idle in transaction"
AGAIN = "Run the cell with line_up again, then yours."
STANDING = {"report": IDLE, "migration": "waits", "reader": "waits"}

REPORT = Mistake(
    "the report has lost its work",
    "Its session is gone, and with it an hour of counting. The migration has its lock now, and keeps it"
    " until it commits: the reader still waits for it.",
    "Look at both who wait. Which of them has done nothing that could be lost?",
)
READER = Mistake(
    "the reader is not in anybody's way",
    "The reader is gone, and the migration still stands there: the next reader will wait like this one.",
    "Ask pg_blocking_pids whom the reader waits for.",
)
BOTH = Mistake(
    "the reader was stopped as well",
    "The reader is the one who is to go on. It did nothing wrong: it stood behind somebody.",
    "Let your WHERE find one session alone.",
)


def standing(connection: sa.Connection) -> dict[str, str]:
    """What each of the three is about."""
    return {name: state for name, state in connection.exec_driver_sql(SESSIONS).all()}


def look(connection: sa.Connection) -> Outcome:
    """Whether the reader has gone on while the report is there still."""
    found: dict[str, str] = {}
    for _ in range(20):  # who was stopped a moment ago may look as before, or be about to go on
        before, found = found, standing(connection)
        if found == before and "active" not in found.values():
            break
        time.sleep(0.2)
    if found == STANDING:
        return not_attempted(
            "They stand as before: the reader waits for the migration, and the migration for the"
            " report. If you have run a statement, look at what it gave. No row: no session is called"
            " what your WHERE says. True: that session is idle, and does nothing that could be"
            " cancelled. An error: that is why nobody was stopped."
        )
    if not found:
        return not_attempted(f"Nobody is there. {AGAIN}")
    if found.get("report") != IDLE:
        return known(REPORT, AGAIN)
    if found.get("reader") != IDLE:
        return known(READER if found.get("migration") == "waits" else BOTH, AGAIN)
    return DONE


EXERCISE = Do(
    shown="# %sql and your statement",
    done="%sql SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'migration'",
    look=look,
    above=(LINE_UP,),
    task="get the site going again",
    hints=(
        "Which of the three has done nothing yet, so that nothing is lost when it is stopped?",
        "SELECT, one of the two functions with pid, and FROM pg_stat_activity.",
        "The application_name in the WHERE says which session is meant.",
    ),
    why="The migration has been granted nothing, so stopping it undoes nothing, and all who stood behind it go"
    " on at once. It can come again when the report is done.",
    passed="You know whom to stop when a database is stuck, and that it is mostly your own migration.",
)

STOP = "%sql SELECT pg_{}_backend(pid) FROM pg_stat_activity WHERE application_name {}"
WRONG = [
    cells(
        "the report ended",
        STOP.format("terminate", "= 'report'"),
        says="the report has lost its work",
    ),
    cells(
        "the report and the migration ended",
        STOP.format("terminate", "IN ('report', 'migration')"),
        says="the report has lost its work",
    ),
    cells(
        "whoever blocks somebody",
        "%sql SELECT pg_terminate_backend(blocker) FROM pg_stat_activity,"
        " unnest(pg_blocking_pids(pid)) AS blocker WHERE application_name = 'migration'",
        says="the report has lost its work",
    ),
    cells(
        "the report cancelled",
        STOP.format("cancel", "= 'report'"),
        says="True: that session is idle",
    ),
    cells(
        "the reader cancelled",
        STOP.format("cancel", "= 'reader'"),
        says="the reader is not in anybody's way",
    ),
    cells(
        "the reader ended",
        STOP.format("terminate", "= 'reader'"),
        says="the reader is not in anybody's way",
    ),
    cells(
        "both who wait",
        "%sql SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        says="the reader was stopped as well",
    ),
    cells("nobody of that name", STOP.format("cancel", "= 'alembic'"), says="No row: no session"),
    cells("a name's quotes", STOP.format("cancel", '= "migration"'), says="An error: that is why"),
    cells("no function", "%sql SELECT pid FROM pg_stat_activity", says="Not attempted yet"),
    cells(
        "everybody",
        STOP.format("terminate", "IN ('report', 'migration', 'reader')"),
        says="Not attempted yet",
    ),
]
RIGHT = [
    cells("the session ended", STOP.format("terminate", "= 'migration'")),
    cells(
        "by what it does",
        "%sql SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
        " WHERE query LIKE 'ALTER TABLE' || chr(37) AND wait_event_type = 'Lock'",
    ),
    cells(
        "whom the reader waits for",
        "%sql SELECT pg_cancel_backend(blocker) FROM pg_stat_activity,"
        " unnest(pg_blocking_pids(pid)) AS blocker WHERE application_name = 'reader'",
    ),
    cells(
        "by its lock",
        "%sql SELECT pg_cancel_backend(pid) FROM pg_locks"
        " WHERE mode = 'AccessExclusiveLock' AND NOT granted",
    ),
]
