"""10.1  A setting in env.py that lets the upgrade stay."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from workbook import apart, project
from workbook.contents import Start
from workbook.exercises import Mistake, Outcome, cells, edits
from workbook.exercises.child import SOURCE, UNREADABLE, Failure, described
from workbook.exercises.kinds import DONE, Code
from workbook.exercises.trial import IDS, at, known, not_yet
from workbook.server import database

# The other limits are those that the session was told to have.
NOTE = """INSERT INTO limits SELECT '{}', current_setting('lock_timeout'), pg_current_xact_id()::text,
(SELECT min(name) FROM pg_settings WHERE source = 'session' AND name ~ 'timeout' AND name <> 'lock_timeout')"""
FIRST = f'''
from alembic import op

{IDS.format(revision="a1", down=None)}

def upgrade():
    op.execute("CREATE TABLE limits (place text, setting text, transaction text, other text)")
    for _ in range(2):
        op.execute("""{NOTE.format("inside")}""")
'''
SECOND = f'''
from alembic import op

{IDS.format(revision="b2", down="a1")}

def upgrade():
    with op.get_context().autocommit_block():
        op.execute("""{NOTE.format("outside")}""")
'''
FUNCTION = "def run_migrations_online"
REST = "\n\n\nif context.is_offline_mode"
RUN = f'''
from pathlib import Path

source = Path(__file__).parents[1] / "{SOURCE}"
exec(compile(source.read_bytes(), source, "exec", dont_inherit=True))'''

NOBODY = Mistake(
    "a transaction that nobody commits",
    "The upgrade ran to its end, without an error, and the database is as it was. Alembic was handed"
    " a connection that was in a transaction, and left the commit to whoever had begun it.",
    "Either Alembic's own transaction is the first, or yours is over before Alembic looks.",
)
FOREIGN = Mistake(
    "a block that has no transaction to end",
    "The bare AssertionError is autocommit_block's: the transaction is not one of Alembic's, so it"
    " cannot commit it.",
    "Alembic has to begin the transaction itself.",
)
UNSET = Mistake(
    "the limit is gone",
    "The upgrade stays now, and the first revision waits for a lock as long as it would without the line.",
    "The setting has to be made on this connection, before the first revision runs.",
)
AMOUNT = Mistake(
    "another limit",
    "The upgrade stays now. A number without a unit means milliseconds, and 0 means without end.",
    "Take over the value that stands in the line of operations.",
)
ANOTHER = Mistake(
    "a limit for something else",
    "How long a statement runs, or a session does nothing, is not how long it waits for a lock: a quick"
    " one may wait and a slow one need not.",
    "Take over the setting that stands in the line of operations.",
)
LOCAL = Mistake(
    "a setting for one transaction",
    "Inside of the transaction the limit holds. In the autocommit_block, after the commit, it does"
    " not: SET LOCAL ends with its transaction.",
    "Set it for the session.",
)
PIECES = Mistake(
    "a commit after every statement",
    "The upgrade stays, and so would half of one that fails: each statement was a transaction of its"
    " own.",
    "The revisions belong into one transaction, which Alembic begins.",
)


def upgraded(folder: Path) -> Failure:
    """In a process of its own: `alembic upgrade` there, to each revision, and what goes wrong."""
    try:
        with contextlib.chdir(folder):
            command.upgrade(Config("alembic.ini"), "a1")
            command.upgrade(Config("alembic.ini"), "b2")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an env.py may raise anything
        return described("upgrade", error, folder)
    return Failure()


@dataclass(frozen=True, kw_only=True)
class Environment(Code):
    """Write the function of env.py that runs migrations; two revisions note what holds for them."""

    def tried(self, folder: Path) -> Outcome:
        project.lay_out(folder / "project", Start("a template", heads=("1f3a9c5e7b20",)))
        here = folder / "project"
        for each in (here / "alembic" / "versions").glob("*.py"):
            each.unlink()
        for name, text in (("a1", FIRST), ("b2", SECOND)):
            (here / "alembic" / "versions" / f"{name}.py").write_text(text)
        env = here / "alembic" / "env.py"
        start, _, rest = env.read_text().partition(FUNCTION)
        env.write_text(start + RUN + REST + rest.partition(REST)[2])
        (here / SOURCE).write_text(self.written(), encoding="utf-8", newline="")
        with database.scratch() as connection:
            try:
                place = f"{__name__}:{upgraded.__name__}"
                failure = apart.on_database(connection, place, here, folder=here)
            except apart.Stopped as stopped:
                return not_yet(f"It was stopped: {stopped}.")
            stayed = sa.inspect(connection).has_table("limits")
            if failure and (stayed or failure.name != "AssertionError"):
                return _stopped(failure)
            return seen(connection) if stayed else known(NOBODY)


def _stopped(failure: Failure) -> Outcome:
    if failure.name == "AssertionError":
        return known(FOREIGN)
    if failure.name == UNREADABLE:
        return not_yet(f"Python cannot read it: {failure.message}.", *at(failure))
    return not_yet(
        f"env.py stops with {failure.name}: {failure.message.rstrip('.')}.", *at(failure)
    )


def seen(connection: sa.Connection) -> Outcome:
    """What held while the revisions ran."""
    rows = connection.exec_driver_sql("SELECT * FROM limits").all()
    found, other = {place: setting for place, setting, *_ in rows}, rows[0][3]
    inside = found.get("inside")
    if inside == connection.exec_driver_sql("SHOW lock_timeout").scalar():
        return known(ANOTHER, f"It is {other} that is set.") if other else known(UNSET)
    if inside != "3s":
        return known(AMOUNT, f"The first revision found lock_timeout at {inside}.")
    if found.get("outside") != "3s":
        return known(LOCAL)
    return (
        DONE if len({id for place, _, id, _ in rows if place == "inside"}) == 1 else known(PIECES)
    )


BEFORE = """
def run_migrations_online() -> None:
    connectable = engine_from_config(
        config.get_section(config.config_ini_section, {}),
        prefix="sqlalchemy.",
        poolclass=pool.NullPool,
    )

    with connectable.connect() as connection:
        connection.exec_driver_sql("SET lock_timeout = '3s'")
        context.configure(connection=connection, target_metadata=target_metadata)

        with context.begin_transaction():
            context.run_migrations()
"""
SET = "connection.exec_driver_sql(\"SET lock_timeout = '3s'\")"
EXERCISE = Environment(
    file="online.py",
    code=BEFORE.replace(f"        {SET}\n", "").replace(
        "            context.run", f"            {SET}\n            context.run"
    ),
    shown=BEFORE,
    mistakes=(NOBODY, FOREIGN, UNSET, AMOUNT, ANOTHER, LOCAL, PIECES),
    task="keep a setting in env.py, and the upgrade in the database",
    hints=(
        "The first statement on a connection begins a transaction. Who begins it here, and who should?",
        "Alembic's own transaction begins with the line `with context.begin_transaction():`.",
        "The line may also stay where it is, if its transaction is over before Alembic looks.",
    ),
    why="Inside of the block, Alembic has begun the transaction, and commits it. SET holds for the"
    " session, so the autocommit_block has the limit as well.",
    passed="You know whose transaction it is, and who commits it.",
)

CODE = EXERCISE.filled
CONFIGURE = "context.configure(connection=connection, target_metadata=target_metadata)"
WRONG = [
    cells("as it was found", EXERCISE.header + BEFORE, says="Not attempted yet"),
    *edits(
        CODE,
        rf"""
the line is gone  | \s           {SET}\n  |  | the limit is gone
after the migrations  | \s           {SET}\n            context.run_migrations()  | \s           context.run_migrations()\n            {SET}  | the limit is gone
for this transaction only  | SET lock  | SET LOCAL lock  | a setting for one transaction
another limit  | '3s'  | '30s'  | another limit
milliseconds  | '3s'  | 3  | another limit
no limit  | '3s'  | 0  | another limit
for statements  | lock_timeout  | statement_timeout  | a limit for something else
before configure, in a block of its own that goes on  | {CONFIGURE}  | transaction = connection.begin()\n        {CONFIGURE}  | a transaction that nobody commits
a transaction of one's own, committed at the end  | {CONFIGURE}  | transaction = connection.begin()\n        {CONFIGURE}  | \s           context.run_migrations()  | \s           context.run_migrations()\n        transaction.commit()  | a block that has no transaction to end
every statement by itself  | connectable.connect() as  | connectable.connect().execution_options(isolation_level="AUTOCOMMIT") as  | a commit after every statement
a raw string  | exec_driver_sql  | execute  | ObjectNotExecutableError
a word wrong  | lock_timeout  | lock_timout  | unrecognized configuration parameter
the quote is open  | '3s'"  | '3s'  | Python cannot read it
another name  | run_migrations_online  | run_online  | run_migrations_online
text is not there  | exec_driver_sql("SET lock_timeout = '3s'")  | execute(text("SET lock_timeout = '3s'"))  | name 'text' is not defined
on another connection  | \s           {SET}\n  | \s           connectable.connect().exec_driver_sql("SET lock_timeout = '3s'")\n  | the limit is gone
""",
    ),
]
RIGHT = edits(
    CODE,
    rf"""
committed before Alembic looks  | \s           {SET}\n  |  | {CONFIGURE}  | {SET}\n        connection.commit()\n        {CONFIGURE}
between configure and begin  | \s           {SET}\n  |  | {CONFIGURE}  | {CONFIGURE}\n        {SET}
by Alembic's own execute  | {SET}  | context.execute("SET lock_timeout = '3s'")
when it connects  | poolclass=pool.NullPool,  | poolclass=pool.NullPool,\n        connect_args={{"options": "-c lock_timeout=3s"}},  | \s           {SET}\n  |
in milliseconds  | '3s'  | 3000
in a transaction of its own, begun and ended  | \s           {SET}\n  |  | {CONFIGURE}  | with connection.begin():\n            {SET}\n        {CONFIGURE}
""",
)
