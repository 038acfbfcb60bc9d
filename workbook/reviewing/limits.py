"""Whether a project's env.py limits how long a migration waits for a lock: it is run, and asked."""

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

ASKED = "SELECT current_setting('lock_timeout') <> '0'"
DRIVERS = ("psycopg2", "psycopg")  # both hand over what libpq calls by the same names


def of_env(config: str, scripts: ScriptDirectory, url: sa.URL) -> tuple[bool, bool] | None:
    """Whether there is a limit inside and outside of env.py's transaction; None: it does not say.

    There is no revision to apply, and whatever address env.py has, SQLAlchemy connects it to `url`.
    """
    address = sa.make_url(url).translate_connect_args(username="user", database="dbname")
    address |= dict(url.query)
    found: list[bool] = []

    def lead(dialect: sa.Dialect, record: object, words: object, theirs: dict) -> None:  # type: ignore[type-arg]
        if dialect.driver not in DRIVERS:
            raise LookupError(dialect.driver)
        options = {key: theirs[key] for key in ("options",) if key in theirs}
        theirs.clear()
        theirs.update({**address, **options})

    def look(connection: object, record: object) -> None:
        if connection.info.dbname != url.database:  # type: ignore[attr-defined]
            raise LookupError("env.py connects in a way of its own")

    def ask(heads: object, context: MigrationContext) -> list[object]:
        assert context.connection
        found.append(context.connection.exec_driver_sql(ASKED).scalar_one())
        with context.autocommit_block():
            found.append(context.connection.exec_driver_sql(ASKED).scalar_one())
        return []

    sa.event.listen(sa.Engine, "do_connect", lead)
    sa.event.listen(sa.Pool, "connect", look)
    try:
        with EnvironmentContext(Config(config), scripts, fn=ask):
            scripts.run_env()
    except (Exception, SystemExit):  # noqa: BLE001 - an env.py may raise anything
        return None
    finally:
        sa.event.remove(sa.Engine, "do_connect", lead)
        sa.event.remove(sa.Pool, "connect", look)
    return (found[0], found[1]) if found else None
