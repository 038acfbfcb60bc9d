"""9.4  A revision for a column that is missing on some machines only."""

from workbook.contents import Start
from workbook.exercises import Mistake, cells, edits
from workbook.exercises.kinds import ROWS, Revision

MERGED = "7e95d0a2c1b8"
ADD = 'op.add_column("jobs", sa.Column("location", sa.String(100)), if_not_exists=True)'

BOTH = Mistake(
    "right on one machine only",
    "It adds the column where it is missing. Where the column is there, it stops, as it did here when"
    " it ran a second time.",
    "Ask the table first, or let the operation do so.",
    lambda trial: trial.failed("DuplicateColumn", step="upgrade again"),
    step="upgrade again",
)
NOT_ITS_OWN = Mistake(
    "a way back that takes what is not its own",
    "On the machines where the column was there before, the downgrade of this revision would take the"
    " column of an older one, and what is in it.",
    "What this revision cannot know that it made, it leaves alone.",
    lambda trial: (
        trial.down is not None
        and trial.up == trial.goal
        and "jobs" in trial.down.tables
        and "location" not in trial.down.tables["jobs"].columns
    ),
)
DROPPED = Mistake(
    "a column dropped to be made again",
    "On the machines where it is there, the places go with it: the new column is empty.",
    "Change nothing where the column is there.",
    lambda trial: trial.calls("drop_column", "upgrade") or "DROP COLUMN" in trial.source.upper(),
)
ROLLED_BACK = Mistake(
    "a rollback of what is Alembic's",
    "The transaction is Alembic's, and the new id in alembic_version is part of it. Rolled back, the"
    " upgrade prints that it runs, and the database stays below it.",
    "Do not let the error happen.",
    lambda trial: "begin_nested" not in trial.source and trial.calls("rollback"),
)

EXERCISE = Revision(
    file="missing.py",
    exact=True,
    then="UPDATE jobs SET location = 'Hamburg' WHERE location IS NULL",
    start=Start(
        "the merge applied, and no location",
        heads=(MERGED,),
        applied=(MERGED,),
        rows="ALTER TABLE jobs DROP COLUMN location;"
        + ROWS.replace("(name)", "(name, user_id)")
        .replace("Analytics')", "Analytics', 'ada')")
        .replace("Books')", "Books', 'bo')"),
    ),
    code=f"def upgrade() -> None:\n    {ADD}\n\n\ndef downgrade() -> None:\n    pass\n",
    shown="def upgrade() -> None:\n    ...\n\n\ndef downgrade() -> None:\n    ...\n",
    mistakes=(DROPPED, ROLLED_BACK, BOTH, NOT_ITS_OWN),
    task="add a column where it is missing",
    hints=(
        "The check runs the upgrade twice, the second time with the column there.",
        "op.add_column takes if_not_exists=True.",
        "The way back has nothing to do: pass.",
    ),
    why="The older revision stays as it is, whether it ran or not. This one brings all machines to the"
    " same tables, and takes nothing away.",
    passed="You can mend a database that an upgrade has passed by, without touching the others.",
)

CODE = EXERCISE.filled
WRONG = [
    cells("nothing", EXERCISE.header + "\n" + (EXERCISE.shown or ""), says="Not attempted yet"),
    *edits(
        CODE,
        rf"""
pass twice  | {ADD}  | pass  | Missing: the column jobs.location
add_column alone  | , if_not_exists=True  |  | right on one machine only
dropped on the way back  | \s   pass  | \s   op.drop_column("jobs", "location")  | a way back that takes what is not its own
both of these  | , if_not_exists=True  |  | \s   pass  | \s   op.drop_column("jobs", "location")  | a way back that takes what is not its own
dropped where it is there  | pass  | op.drop_column("jobs", "location", if_exists=True)  | a way back that takes what is not its own
dropped first  | {ADD}  | op.execute("ALTER TABLE jobs DROP COLUMN IF EXISTS location")\n    op.add_column("jobs", sa.Column("location", sa.String(100)))  | a column dropped to be made again
required  | (100))  | (100), nullable=False)  | NOT NULL on a table that holds rows
with a default  | (100))  | (100), server_default="")  | jobs.location
another length  | 100  | 50  | another length
Text  | String(100)  | Text()  | jobs.location is TEXT
in companies  | "jobs"  | "companies"  | Missing: the column jobs.location
the error swallowed  | {ADD}  | try:\n        op.add_column("jobs", sa.Column("location", sa.String(100)))\n    except Exception:\n        pass  | an error that is swallowed
the error rolled back  | {ADD}  | try:\n        op.add_column("jobs", sa.Column("location", sa.String(100)))\n    except sa.exc.ProgrammingError:\n        op.get_bind().rollback()  | a rollback of what is Alembic's
emptied on the way back  | \s   pass  | \s   op.execute("UPDATE jobs SET location = NULL")  | After the downgrade, jobs.location
a name among columns  | {ADD}  | if "location" not in sa.inspect(op.get_bind()).get_columns("jobs"):\n        op.add_column("jobs", sa.Column("location", sa.String(100)))  | right on one machine only
a stamp from within  | {ADD}  | op.execute("UPDATE alembic_version SET version_num = '93d7a5e20c4b'")  | alembic_version
a keyword that is not there  | if_not_exists  | if_missing  | if_missing
filled, unasked  | pass  | op.execute("UPDATE jobs SET location = 'Berlin'")  | location
without sa.  | sa.Column  | Column  | sa. is missing
""",
    ),
]
RIGHT = [
    *edits(
        CODE,
        rf"""
nullable said  | (100))  | (100), nullable=True)
in SQL  | {ADD}  | op.execute("ALTER TABLE jobs ADD COLUMN IF NOT EXISTS location varchar(100)")
the table asked  | {ADD}  | columns = sa.inspect(op.get_bind()).get_columns("jobs")\n    if "location" not in [each["name"] for each in columns]:\n        op.add_column("jobs", sa.Column("location", sa.String(100)))
through the table  | op.add_column("jobs", sa.Column("location", sa.String(100)), if_not_exists=True)  | with op.batch_alter_table("jobs") as jobs:\n        jobs.add_column(sa.Column("location", sa.String(100)), if_not_exists=True)
the error kept in a savepoint  | {ADD}  | try:\n        with op.get_bind().begin_nested():\n            op.add_column("jobs", sa.Column("location", sa.String(100)))\n    except sa.exc.ProgrammingError:\n        pass
a word on the way back  | pass  | print("location belongs to an older revision")
""",
    ),
]
