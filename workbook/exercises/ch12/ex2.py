"""12.2  Copy in batches that are committed."""

from dataclasses import replace

from workbook.contents import CONVENTION, RULED, Start
from workbook.exercises import Mistake, cells, edits
from workbook.exercises.ch11 import ex3
from workbook.exercises.kinds import Revision
from workbook.exercises.trial import Trial

MOST = 100
ROWS = """
ALTER TABLE companies ADD homepage varchar(200);
INSERT INTO companies (user_id, name, website, homepage)
SELECT 'user' || n, 'Company ' || n,
    CASE WHEN mod(n, 17) > 0 THEN 'https://' || n || '.example' END,
    CASE WHEN mod(n, 13) = 0 THEN 'https://new.example/' || n WHEN mod(n, 50) = 1 THEN '' END
FROM generate_series(1, 370) AS n;
"""
# Each row carries the number of the transaction that wrote it last.
USE = f"""
DO $$
DECLARE most integer := (SELECT max(n) FROM (SELECT count(*) AS n FROM companies GROUP BY xmin) AS x);
BEGIN
    IF most > {MOST} THEN
        RAISE EXCEPTION USING MESSAGE = 'one transaction wrote ' || most || ' rows';
    END IF;
END $$
"""


def companies(trial: Trial, where: str) -> str:
    """How many companies have no homepage and should, or one that is not what it was, in words."""
    step, began = trial.run.after("upgrade"), trial.run.after("before")
    if not step or not began:
        return ""
    was = {row["id"]: row.get("homepage") for row in began.rows.get("companies", [])}
    rows = [row for row in step.rows.get("companies", []) if "homepage" in row]
    if where == "left":
        count = sum(bool(row.get("website")) and row["homepage"] is None for row in rows)
    else:
        count = sum(was.get(row["id"]) not in (None, row["homepage"]) for row in rows)
    return f"It is so for {count} companies." if count else ""


LEFT = Mistake(
    "companies without a homepage are left",
    "They have a website, and the new application will show none.",
    "Think of what ends the loop, and of which rows a batch begins with.",
    lambda trial: companies(trial, "left"),
)
OVERWRITTEN = Mistake(
    "what is newer is overwritten",
    "A homepage that was there says something else than website, and it is the newer of the two.",
    "The condition decides which rows are still to do.",
    lambda trial: companies(trial, "overwritten"),
)
SAVEPOINT = Mistake(
    "a savepoint is not a commit",
    "begin_nested sets savepoints inside of Alembic's transaction: every row stays locked until the"
    " whole migration ends.",
    "Alembic has a block in which each statement is committed for itself.",
    lambda trial: trial.calls("begin_nested"),
)
AT_ONCE = Mistake(
    "too many rows in one transaction",
    "Whoever wants to change one of these companies waits until the transaction ends.",
    "Two things have to be small: a statement, and what is committed at once.",
    lambda trial: trial.said(r"(one transaction wrote \d+ rows)")[:1] or trial.error,
    step="in use",
)
ENDLESS = replace(ex3.ENDLESS, how="What becomes of a company that has no website?")

BATCH = '''sa.text("""
        UPDATE companies SET homepage = website
        WHERE id IN (
            SELECT id FROM companies
            WHERE homepage IS NULL AND website IS NOT NULL
            LIMIT 100
        )
    """)'''
PASS = "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n"

EXERCISE = Revision(
    file="copy.py",
    start=Start("370 companies, some of them done", CONVENTION, (RULED,), (RULED,), ROWS),
    exact=True,
    then=USE,
    code=f"""
def upgrade() -> None:
    batch = {BATCH}
    with op.get_context().autocommit_block():
        while op.get_bind().execute(batch).rowcount:
            pass


def downgrade() -> None:
    pass
""",
    shown=PASS,
    mistakes=(SAVEPOINT, ENDLESS, OVERWRITTEN, LEFT, AT_ONCE),
    task="copy a column in batches",
    hints=(
        "A loop around one UPDATE, which picks at most 100 ids in a SELECT of its own.",
        "The SELECT's condition says what is still to do. When no row fits it, the loop ends.",
        "autocommit_block() of op.get_context() commits each statement at once.",
    ),
    why="A lock is held for one batch. The condition finds only what is still to do, so the loop ends,"
    " and a second run goes on where the first was stopped.",
    passed="You can move the rows of a large table while others change them.",
)

CODE = EXERCISE.filled
LOOP = """        while op.get_bind().execute(batch).rowcount:
            pass"""
WRONG = [
    cells("nothing", EXERCISE.header + "\n" + PASS, says="Not attempted yet"),
    cells(
        "all at once",
        EXERCISE.header
        + "\n"
        + PASS.replace(
            "pass",
            'op.execute("UPDATE companies SET homepage = website WHERE homepage IS NULL")',
            1,
        ),
        says=AT_ONCE.name,
    ),
    *edits(
        CODE,
        r"""
in one transaction  | with op.get_context().autocommit_block():  | if True:  | too many rows in one transaction
a batch of 1,000  | LIMIT 100  | LIMIT 1000  | too many rows in one transaction
no limit  | \n            LIMIT 100  |  | too many rows in one transaction
one batch  | while op.get_bind().execute(batch).rowcount:\n            pass  | op.get_bind().execute(batch)  | companies without a homepage are left
op.execute gives nothing  | op.get_bind().execute(batch).rowcount  | op.execute(batch)  | companies without a homepage are left
three batches  | while op.get_bind().execute(batch).rowcount:\n            pass  | for _ in range(3):\n            op.execute(batch)  | companies without a homepage are left
what is there goes  | homepage IS NULL AND website IS NOT NULL  | homepage IS DISTINCT FROM website  | what is newer is overwritten
all of them  | \n            WHERE homepage IS NULL AND website IS NOT NULL  | \n            WHERE website IS NOT NULL AND homepage IS DISTINCT FROM website  | what is newer is overwritten
savepoints  | with op.get_context().autocommit_block():\n        while op.get_bind().execute(batch).rowcount:\n            pass  | bind, more = op.get_bind(), 1\n    while more:\n        with bind.begin_nested():\n            more = bind.execute(batch).rowcount  | a savepoint is not a commit
commits by hand  | with op.get_context().autocommit_block():\n        while op.get_bind().execute(batch).rowcount:\n            pass  | while op.get_bind().execute(batch).rowcount:\n        op.get_bind().commit()  | a migration that commits
the block is not entered  | autocommit_block():  | autocommit_block:  | The upgrade stops
a limit of the UPDATE  | WHERE id IN (\n            SELECT id FROM companies\n            WHERE homepage IS NULL AND website IS NOT NULL\n            LIMIT 100\n        )  | WHERE homepage IS NULL AND website IS NOT NULL LIMIT 100  | syntax error
text without sa.text  | sa.text(  | (  | text that SQLAlchemy does not take
website goes  | SET homepage = website\n  | SET homepage = website, website = NULL\n  | After the upgrade, companies.website of the row
the other direction  | SET homepage = website  | SET website = homepage  | After the upgrade, companies.website of the row
the model  | batch = sa  | from jobboard.models import Company\n    batch = sa  | models imported into a migration
undone on the way back  | def downgrade() -> None:\n    pass  | def downgrade() -> None:\n    op.execute("UPDATE companies SET homepage = NULL")  | After the downgrade, companies.homepage of the row
""",
    ),
    *[
        cells(
            each.name, EXERCISE.header + "\n" + each.code, says="a loop without an end", hangs=True
        )
        for each in edits(
            CODE,
            """
NULL is found again  | homepage IS NULL AND website IS NOT NULL  | homepage IS NULL
for ever  | while op.get_bind().execute(batch).rowcount:  | while True:\\n            op.execute(batch)
""",
        )
    ],
]
IDS = """last = op.get_bind().scalar(sa.text("SELECT max(id) FROM companies"))
        for first in range(1, last + 1, 100):
            op.execute(f"UPDATE companies SET homepage = website WHERE homepage IS NULL AND id BETWEEN {first} AND {first + 99}")"""
BLOCK = '''def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("""
            DO $$ BEGIN
                LOOP
                    UPDATE companies SET homepage = website WHERE id IN (
                        SELECT id FROM companies
                        WHERE homepage IS NULL AND website IS NOT NULL LIMIT 50);
                    EXIT WHEN NOT FOUND;
                    COMMIT;
                END LOOP;
            END $$
        """)


def downgrade() -> None:
    pass
'''
RIGHT = [
    *edits(
        CODE,
        r"""
smaller batches  | LIMIT 100  | ORDER BY id LIMIT 40
until it is less than a batch  | while op.get_bind().execute(batch).rowcount:  | while op.get_bind().execute(batch).rowcount == 100:
those that differ, if there is none  | homepage IS NULL AND website IS NOT NULL  | homepage IS NULL AND homepage IS DISTINCT FROM website
nobody waits for a row that is locked  | LIMIT 100  | LIMIT 100 FOR UPDATE SKIP LOCKED
""",
    ),
    cells("by ids", EXERCISE.header + "\n" + CODE.replace(LOOP.strip(), IDS)),
    cells("in a DO block that commits", EXERCISE.header + "\n" + BLOCK),
]
