"""11.3  Change many rows in batches, each a transaction of its own."""

from workbook.contents import CHAPTERS, CONVENTION, INDEXED, Start
from workbook.exercises import Mistake, edits
from workbook.exercises.kinds import Revision
from workbook.exercises.trial import Trial

MOST = 100
ROWS = """
CREATE TABLE batches (xid text, changed integer);
CREATE FUNCTION note_batch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO batches SELECT pg_current_xact_id()::text, count(*) FROM changed; RETURN NULL; END $$;
CREATE TRIGGER note AFTER UPDATE ON jobs REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_batch();
INSERT INTO jobs (title, description, company_id)
    SELECT 'Job ' || n, CASE mod(n, 20) WHEN 0 THEN 'Pay: TBD.' WHEN 10 THEN '' ELSE 'TBD' END, 1 + mod(n, 3)
    FROM generate_series(1, 400) AS n;
"""
BEGIN = Start(
    "hundreds of jobs", CONVENTION, (INDEXED,), (INDEXED,), CHAPTERS[11].start.rows + ROWS
)


def batches(trial: Trial) -> dict[str, list[int]]:
    """How many rows each transaction of the upgrade has changed, by its statements."""
    found: dict[str, list[int]] = {}
    step = trial.run.after("upgrade")
    for row in step.rows.get("batches", []) if step else []:
        if row["changed"]:
            found.setdefault(row["xid"], []).append(row["changed"])
    return found


def too_many(trial: Trial) -> str:
    """The transaction that changed too many rows."""
    most = max(map(sum, batches(trial).values()), default=0)
    return f"One transaction changed {most} rows." if most > MOST else ""


def several(trial: Trial) -> str:
    """The same, where no statement of it was too big by itself."""
    small = all(max(each) <= MOST for each in batches(trial).values())
    return too_many(trial) if small else ""


def said(trial: Trial) -> list[str]:
    """What the jobs say after the upgrade, in the order of their ids."""
    step = trial.run.after("upgrade")
    rows = step.rows.get("jobs", []) if step else []
    return [row["description"] for row in sorted(rows, key=lambda row: row["id"])]


def wanted(trial: Trial) -> list[str]:
    step = trial.wanted.after("upgrade")
    assert step
    return [row["description"] for row in sorted(step.rows["jobs"], key=lambda row: row["id"])]


def others(trial: Trial) -> bool:
    """Whether a job that said something says something else."""
    return any(want not in ("", now) for now, want in zip(said(trial), wanted(trial), strict=False))


def left(trial: Trial) -> str:
    count = said(trial).count("TBD")
    return f"{count} jobs still say 'TBD'." if count else ""


ENDLESS = Mistake(
    "a loop without an end",
    "It goes on as long as the UPDATE finds rows, and it finds some every time: rows that look the same"
    " after it as before.",
    "Does the condition still hold for a row that is done?",
    lambda trial: trial.error.step == "run" and "come to an end" in trial.error.message,
)
MADE_UP = Mistake(
    "a way back that makes values up",
    "Some of the descriptions were empty before the upgrade, and say 'TBD' after the downgrade.",
    "The task has no way back.",
    lambda t: any(
        row["description"] == "TBD"
        for step in filter(None, [t.run.after("downgrade")])
        for row in step.rows.get("jobs", [])
    ),
)
CODE = """
def upgrade() -> None:
    batch = \"\"\"
        UPDATE jobs SET description = '' WHERE id IN (
            SELECT id FROM jobs WHERE description = 'TBD' LIMIT 100
        )
    \"\"\"
    with op.get_context().autocommit_block():
        while op.get_bind().execute(sa.text(batch)).rowcount:
            pass


def downgrade() -> None:
    pass
"""

EXERCISE = Revision(
    file="batches.py",
    start=BEGIN,
    convention=True,
    code=CODE,
    shown="def upgrade() -> None:\n    ...\n\n\ndef downgrade() -> None:\n    pass\n",
    mistakes=(
        ENDLESS,
        Mistake(
            "batches in one transaction",
            "Every statement changes few rows, and all of them are in the revision's one transaction: their"
            " locks are kept until the end.",
            "Each batch has to be over when it is over. Chapter 10 has a block for it.",
            several,
        ),
        Mistake(
            "all rows at once",
            "One statement is one transaction at least: whoever wants one of these rows waits until the last"
            " of them is changed.",
            "Take a part of the rows, and go on with the next part.",
            too_many,
        ),
        Mistake(
            "not all rows are done",
            "The upgrade ended before the last batch.",
            "What tells that there is nothing left to do? What a statement gives back has a rowcount.",
            lambda t: left(t) if batches(t) else "",
        ),
        Mistake(
            "rows that say something were changed",
            "Some of the jobs had a description already, and lost it.",
            "The statement has to look at what a row says, and not at its id alone.",
            lambda t: bool(batches(t)) and others(t),
        ),
        Mistake(
            "another text than an empty one",
            "The rows that said 'TBD' say something else now, which is not an empty text.",
            "Between the two quotes of an empty text there is nothing at all.",
            lambda t: bool(batches(t)) and said(t) != wanted(t),
        ),
        Mistake(
            "rows are gone",
            "Jobs that were there are not there any more. The task changes what they say.",
            "Which statement changes a row, and which one takes it away?",
            lambda t: 0 < len(said(t)) < len(wanted(t)),
        ),
        Mistake(
            "nothing was changed",
            "The upgrade went through, and no row is another.",
            "Look at what your statement asks for, and whether it is run at all.",
            lambda t: t.up is not None and not batches(t) and left(t),
        ),
        MADE_UP,
    ),
    task="change many rows in batches",
    hints=(
        "PostgreSQL's UPDATE has no LIMIT. A SELECT has, and WHERE id IN (SELECT ...) takes it.",
        "In `with op.get_context().autocommit_block():` every statement is a transaction of its own.",
        "op.get_bind().execute(sa.text(...)) gives a result, and its rowcount is 0 when nothing is left.",
    ),
    why="Every batch ends its own transaction, so a writer waits for a hundred rows at most, and a vacuum can"
    " clean up in between. Stopped half-way it can be run again: it finds what is left.",
    passed="You can change a big table without holding up those who work on it.",
)

FILLED = EXERCISE.filled
BLOCK = "with op.get_context().autocommit_block():"
LOOP = r"while op.get_bind().execute(sa.text(batch)).rowcount:\n            pass"
WRONG = edits(
    FILLED,
    rf"""
one statement  | {LOOP}  | op.execute("UPDATE jobs SET description = '' WHERE description = 'TBD'")  | all rows at once
no block  | {BLOCK}  | if True:  | batches in one transaction
a savepoint for each  | {BLOCK}  | with op.get_bind().begin_nested():  | batches in one transaction
one batch  | {LOOP}  | op.execute(batch)  | not all rows are done
three batches  | {LOOP}  | for _ in range(3):\n            op.execute(batch)  | not all rows are done
batches of two hundred  | LIMIT 100  | LIMIT 200  | all rows at once
a commit in the loop  | {BLOCK}  | if True:  | pass\n\n\n  | op.get_bind().commit()\n\n\n  | a migration that commits
all descriptions  | WHERE description = 'TBD' LIMIT  | WHERE description <> '' LIMIT  | rows that say something were changed
by id alone  | {LOOP}  | for first in range(1, 500, 100):\n            op.execute(f"UPDATE jobs SET description = '' WHERE id BETWEEN {{first}} AND {{first + 99}}")  | rows that say something were changed
ids that end too early  | {LOOP}  | for first in range(1, 300, 100):\n            op.execute(f"UPDATE jobs SET description = '' WHERE description = 'TBD' AND id BETWEEN {{first}} AND {{first + 99}}")  | not all rows are done
a space  | SET description = ''  | SET description = ' '  | another text than an empty one
another text  | 'TBD' LIMIT  | 'tbd' LIMIT  | nothing was changed
rows deleted  | UPDATE jobs SET description = '' WHERE  | DELETE FROM jobs WHERE  | rows are gone
a part of the text  | = 'TBD' LIMIT  | LIKE '%TBD%' LIMIT  | rows that say something were changed
back to what it was  | \n    pass\n  | \n    op.execute("UPDATE jobs SET description = 'TBD' WHERE description = ''")\n  | a way back that makes values up
LIMIT on the UPDATE  | WHERE id IN (  | WHERE description = 'TBD' LIMIT 100 --  | syntax error
an engine of its own  | op.get_bind().execute  | sa.create_engine("postgresql+psycopg2://").connect().execute  | two transactions in one migration
""",
)
RIGHT = edits(
    FILLED,
    rf"""
ids in steps  | {LOOP}  | for first in range(1, 500, 100):\n            op.execute(f"UPDATE jobs SET description = '' WHERE description = 'TBD' AND id BETWEEN {{first}} AND {{first + 99}}")
batches of ten  | LIMIT 100  | LIMIT 10
until none is left  | {LOOP}  | left = sa.text("SELECT count(*) FROM jobs WHERE description = 'TBD'")\n        while op.get_bind().execute(left).scalar():\n            op.execute(batch)
by ctid  | WHERE id IN (  | WHERE ctid IN (  | SELECT id FROM  | SELECT ctid FROM
""",
)
