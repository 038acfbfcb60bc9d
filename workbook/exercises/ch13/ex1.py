"""13.1  A migration that can be stopped anywhere and run again."""

from dataclasses import replace

from workbook.contents import RENAMED, Start
from workbook.exercises import Answer, Mistake, edits
from workbook.exercises.kinds import Revision
from workbook.exercises.trial import Trial

ROWS = """
INSERT INTO companies (user_id, name) VALUES ('ada', 'Ada Analytics');
INSERT INTO jobs (title, description, company_id, hours)
SELECT 'Job ' || n, 'Described.', 1, nullif(28 + 4 * n, 48) FROM generate_series(1, 8) AS n;
"""
# Whoever changes the sixth job's row is stopped, as by pg_cancel_backend; and whoever changes the
# fourth a second time, between the value and its mark. A setting of the session counts, since it
# outlives a commit and not a rollback.
HURDLE = """
CREATE FUNCTION public.hurdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF old.id = 6 OR current_setting('hurdle.met', true) = 'yes' THEN
        RAISE EXCEPTION 'canceling statement due to user request';
    END IF;
    PERFORM set_config('hurdle.met', 'yes', false);
    RETURN new;
END $$;
CREATE TRIGGER hurdle BEFORE UPDATE ON jobs FOR EACH ROW WHEN (old.id IN (4, 6))
EXECUTE FUNCTION public.hurdle();
"""
CLEARED = "DROP TRIGGER hurdle ON jobs; DROP FUNCTION public.hurdle();"


def jobs(trial: Trial, step: str) -> dict[object, object]:
    """The hours of each job after a step; what the first attempt left is "stopped"."""
    done = trial.run.stopped if step == "stopped" else trial.run.after(step)
    rows = done.rows.get("jobs", []) if done else []
    return {row["id"]: row.get("hours") for row in rows}


def twice(trial: Trial) -> str:
    """The first job whose hours went down more than once."""
    before, after = jobs(trial, "before"), jobs(trial, "upgrade")
    pairs = [(id, old, after.get(id)) for id, old in before.items() if isinstance(old, int)]
    if any(now not in range(old - 2, 0, -2) for _, old, now in pairs):
        return ""
    more = [each for each in pairs if each[2] != each[1] - 2]
    told = (f"the job {id} has gone from {old} to {now}." for id, old, now in more)
    return f"After the last attempt, {next(told)}" if more else ""


def other(trial: Trial) -> str:
    """The first job whose hours are not what they should be after the upgrade, or the way back."""
    for step in ("upgrade", "downgrade"):
        if trial.run.after(step):
            wanted, found = (
                jobs(replace(trial, run=run), step) for run in (trial.wanted, trial.run)
            )
            for id, hours in wanted.items():
                if found.get(id) != hours:
                    was = jobs(trial, "before").get(id)
                    return (
                        f"After the {step}, the job {id} has {found.get(id)} hours; it had {was}."
                    )
    return ""


def at_once(trial: Trial) -> bool:
    """Whether nothing was kept of an attempt that got half of the way."""
    before, stopped = trial.run.after("before"), trial.run.stopped
    if not before or not stopped or trial.error:
        return False
    if jobs(trial, "before") != jobs(trial, "stopped"):
        return False
    rows = stopped.rows.get("jobs") or before.rows["jobs"]
    new = {*rows[0]} - {*before.rows["jobs"][0]}
    return len({tuple(row[name] for name in sorted(new)) for row in rows}) == 1


TWICE = Mistake(
    "a batch that is done twice",
    "Attempts were stopped, one at the sixth job and others between two statements. What had been"
    " committed stayed, and a later one did those rows again.",
    "A batch has to see which rows are done, until the revision counts as applied. The values cannot"
    " tell, so a mark must, set in the same statement.",
    twice,
)
OTHER = Mistake(
    "hours that are not two less",
    "Each job has to have two hours less after the upgrade, however often it was stopped, and its old"
    " hours after the downgrade.",
    "Which of the two does that row miss?",
    other,
)
AT_ONCE = Mistake(
    "nothing left of the work that was done",
    "The first attempt was stopped at the sixth job, and all that it had done was rolled back. With"
    " ten million rows, those are hours, and row locks that all were held until then.",
    "Let each batch be committed for itself.",
    at_once,
)
STOPS = Mistake(
    "a second attempt that stops",
    "An attempt was stopped half-way, and what it had made by then was there when the next began.",
    "Ask for what is missing alone.",
    lambda trial: trial.error.name in ("DuplicateColumn", "DuplicateTable"),
    step="upgrade",
)
LEFT = Mistake(
    "a mark that stays behind",
    "The batches needed it, and the finished table does not: the models do not know it.",
    "Take it away when the last batch is done.",
    lambda trial: (
        trial.up is not None
        and {*trial.up.tables} >= {*trial.goal.tables}
        and any(
            {*trial.up.tables[name].columns} - {*table.columns}
            for name, table in trial.goal.tables.items()
        )
    ),
)

SHOWN = '''
BATCH = """
UPDATE jobs SET hours = hours - 2
WHERE id BETWEEN :first AND :first + 1
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        jobs = op.get_bind()
        for first in range(1, jobs.scalar(sa.text("SELECT max(id) FROM jobs")) + 1, 2):
            jobs.execute(sa.text(BATCH), {"first": first})


def downgrade() -> None:
    op.execute("UPDATE jobs SET hours = hours + 2")
'''
CODE = '''
BATCH = """
UPDATE jobs SET hours = hours - 2, shortened = true
WHERE id IN (SELECT id FROM jobs WHERE shortened IS NULL ORDER BY id LIMIT 2)
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE jobs ADD COLUMN IF NOT EXISTS shortened boolean")
        while op.get_bind().execute(sa.text(BATCH)).rowcount:
            pass
    op.drop_column("jobs", "shortened")


def downgrade() -> None:
    op.execute("UPDATE jobs SET hours = hours + 2")
'''

EXERCISE = Revision(
    file="shorter_week.py",
    start=Start("the finished schema", heads=(RENAMED,), applied=(RENAMED,), rows=ROWS),
    hurdle=(HURDLE, CLEARED),
    exact=True,
    convention=True,
    code=CODE,
    shown=SHOWN,
    mistakes=(TWICE, OTHER, AT_ONCE, STOPS, LEFT),
    task="let a migration be stopped anywhere and run again",
    hints=(
        "A row has to say that it is done, and it has to say so in the same statement that does it.",
        "A column for the mark: add it if it is missing, set it in each batch, drop it at the end.",
        "The batch takes some rows WHERE the mark IS NULL, and the loop ends when it finds none:"
        " execute() gives a rowcount.",
    ),
    why="Value and mark change in one statement, so no interruption comes between them. The last step"
    " is in the migration's own transaction: the mark goes when the revision counts as applied.",
    passed="You can write a migration that may be stopped anywhere.",
)

COLUMN = '        op.execute("ALTER TABLE jobs ADD COLUMN IF NOT EXISTS shortened boolean")'
LOOP = """\
        while op.get_bind().execute(sa.text(BATCH)).rowcount:
            pass
"""
DROP = '    op.drop_column("jobs", "shortened")'
DOWN = """

def downgrade() -> None:
    op.execute("UPDATE jobs SET hours = hours + 2")
"""


def whole(name: str, batch: str, upgrade: str, says: str = "") -> Answer:
    """An answer with another batch and another upgrade()."""
    code = f'BATCH = """\n{batch}"""\n\n\ndef upgrade() -> None:\n{upgrade}{DOWN}'
    return Answer(name, says, code=code)


BATCH = """\
UPDATE jobs SET hours = hours - 2, shortened = true
WHERE id IN (SELECT id FROM jobs WHERE shortened IS NULL ORDER BY id LIMIT 2)
"""
BLOCK = "    with op.get_context().autocommit_block():\n"
NOTED = """\
WITH done AS (
    INSERT INTO shortened SELECT id FROM jobs WHERE id NOT IN (SELECT id FROM shortened)
    ORDER BY id LIMIT 2 RETURNING id
)
UPDATE jobs SET hours = hours - 2 FROM done WHERE jobs.id = done.id
"""
TABLE = '        op.execute("CREATE TABLE IF NOT EXISTS shortened (id integer PRIMARY KEY)")\n'
NEW_COLUMNS = """\
        op.add_column("jobs", sa.Column("shorter", sa.Integer()), if_not_exists=True)
        op.add_column("jobs", sa.Column("shortened", sa.Boolean()), if_not_exists=True)
"""
APART = """\
        op.execute("UPDATE jobs SET hours = hours - 2 WHERE id < 5")
        op.execute("UPDATE jobs SET hours = hours - 2 WHERE id >= 5")
"""
NEXT = "UPDATE jobs SET hours = hours - 2 WHERE id BETWEEN :first AND :first + 1"
NOTES = """\
        op.execute("CREATE TABLE IF NOT EXISTS done (id integer)")
        last = op.get_bind().scalar(sa.text("SELECT coalesce(max(id), 0) FROM done"))
        for first in range(last + 1, 9, 2):
            op.get_bind().execute(sa.text(BATCH), {"first": first})
            op.execute(f"INSERT INTO done VALUES ({first + 1})")
"""
DROPPED = '    op.drop_table("done")\n'
WRONG = [
    Answer("a comment alone", "Not attempted yet", code=SHOWN + "# in batches\n"),
    whole(
        "all at once",
        BATCH,
        '    op.execute("UPDATE jobs SET hours = hours - 2")\n',
        AT_ONCE.name,
    ),
    whole("a note behind each batch", NEXT, f"{BLOCK}{NOTES}{DROPPED}", TWICE.name),
    whole("marks that nobody asks for", BATCH, f"{BLOCK}{COLUMN}\n{APART}{DROP}\n", TWICE.name),
    *edits(
        EXERCISE.filled,
        r"""
batches in one transaction  | with op.get_context().autocommit_block():  | if True:  | nothing left of the work that was done
a mark that is never set  | , shortened = true  |  | ck_jobs_hours_in_a_week
a mark and no work  | hours = hours - 2, shortened = true  | shortened = true  | hours that are not two less
no IF NOT EXISTS  | \sIF NOT EXISTS  |  | a second attempt that stops
twenty rows a batch  | LIMIT 2  | LIMIT 20  | nothing left of the work that was done
the mark in a statement of its own  | hours = hours - 2, shortened = true  | hours = hours - 2  | ORDER BY id LIMIT 2)\n  | ORDER BY id LIMIT 2) RETURNING id\n  | while op.get_bind().execute(sa.text(BATCH)).rowcount:\n            pass  | while ids := op.get_bind().scalars(sa.text(BATCH)).all():\n            op.execute(f"UPDATE jobs SET shortened = true WHERE id BETWEEN {min(ids)} AND {max(ids)}")  | a batch that is done twice
the mark stays  | op.drop_column("jobs", "shortened")  | pass  | a mark that stays behind
by the values, too  | WHERE shortened IS NULL  | WHERE hours > 38 AND shortened IS NULL  | hours that are not two less
a mark that is made anew  | ADD COLUMN IF NOT EXISTS shortened  | DROP COLUMN IF EXISTS shortened, ADD COLUMN shortened  | a batch that is done twice
nothing on the way back  | op.execute("UPDATE jobs SET hours = hours + 2")  | pass  | hours that are not two less
three hours  | hours - 2  | hours - 3  | hours that are not two less
a name that is not there  | op.get_bind()  | op.bind()  | an operation that Alembic does not have
dropped before the end  | \s   op.drop_column("jobs", "shortened")  | \s       op.execute("ALTER TABLE jobs DROP COLUMN shortened")  | a batch that is done twice
one value for all  | hours = hours - 2, shortened  | hours = 38, shortened  | hours that are not two less
a row is left out  | IS NULL ORDER BY id LIMIT 2  | IS NULL AND id > 1 ORDER BY id LIMIT 2  | hours that are not two less
a mark that no row has  | WHERE shortened IS NULL  | WHERE shortened = false  | hours that are not two less
""",
    ),
]
RIGHT = [
    whole(
        "a table of what is done",
        NOTED,
        f'{BLOCK}{TABLE}{LOOP}    op.drop_table("shortened")\n',
    ),
    whole(
        "a new column for the values",
        BATCH.replace("hours = hours - 2", "shorter = hours - 2"),
        f'{BLOCK}{NEW_COLUMNS}{LOOP}    op.execute("UPDATE jobs SET hours = shorter")\n'
        f'    op.drop_column("jobs", "shorter")\n{DROP}\n',
    ),
    *edits(
        EXERCISE.filled,
        r"""
with a default  | boolean")  | boolean NOT NULL DEFAULT false")  | WHERE shortened IS NULL  | WHERE NOT shortened
one row a batch  | LIMIT 2  | LIMIT 1
with the column by Alembic  | op.execute("ALTER TABLE jobs ADD COLUMN IF NOT EXISTS shortened boolean")  | op.add_column("jobs", sa.Column("shortened", sa.Boolean()), if_not_exists=True)
""",
    ),
]
