"""One deployment at a time, whoever begins it: alembic/env.py asks here."""

import time

from alembic.util import CommandError
from sqlalchemy import Connection, text

TURN = text("SELECT pg_try_advisory_lock(1300)")  # any number, the same in every deployment


def wait_for_turn(connection: Connection, seconds: float = 600) -> None:
    """Wait until no other deployment is under way; the lock goes when the connection closes.

    Raises CommandError when that takes longer. It asks again and again: while a statement waited
    in the server, CREATE INDEX CONCURRENTLY of the other deployment would wait for its snapshot.
    """
    until = time.monotonic() + seconds
    while not connection.scalar(TURN):
        connection.rollback()
        if time.monotonic() > until:
            raise CommandError("Another deployment has not come to its end.")
        time.sleep(0.5)
    connection.commit()
