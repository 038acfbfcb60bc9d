"""10.3  A unique index, built and dropped beside writers."""

import re

from workbook.contents import MERGED, Start
from workbook.exercises import ANY, Mistake, cells, edits
from workbook.exercises.kinds import ROWS, Revision
from workbook.exercises.trial import Trial

BLOCK = "with op.get_context().autocommit_block():"
OWNED = ROWS.replace("(name)", "(name, user_id)").replace("s')", "s', 'ada')")
SITES = f"{OWNED}; UPDATE companies SET website = lower(name)"


def builds(trial: Trial, step: str, word: str) -> list[str]:
    """What a step has run on indexes."""
    done = trial.run.after(step)
    return [
        sql for sql, _ in (done.locks if done else []) if re.match(rf"(?i){word}\b.*INDEX", sql)
    ]


def plain(trial: Trial, step: str, word: str) -> bool:
    return any("CONCURRENTLY" not in sql.upper() for sql in builds(trial, step, word))


def adopted(trial: Trial) -> bool:
    return bool(re.search(r"(?i)\bUSING\s+INDEX\b", trial.source))


def as_a_rule(trial: Trial) -> bool:
    up = trial.run.after("upgrade")
    rules = up.schema.tables["companies"].constraints if up else ()
    return any(each.name == "uq_companies_website" for each in rules)


INSIDE = Mistake(
    "a concurrent build in a transaction",
    "Alembic has a transaction open around every revision, and this statement is several transactions"
    " itself.",
    "Both ways need a place outside of the transaction.",
    lambda trial: trial.failed("ActiveSqlTransaction"),
    step=ANY,
)
RULE = Mistake(
    "a constraint in place of an index",
    "A UNIQUE constraint makes its index itself, in one go, under the strongest lock there is: nobody"
    " signs up meanwhile.",
    "The task asks for a unique index.",
    lambda trial: as_a_rule(trial) and not adopted(trial),
)
ADOPTED = Mistake(
    "an index that a constraint takes over",
    "It is built beside writers, and USING INDEX takes the strongest lock for a moment only. But the index"
    " belongs to the constraint then: the way back is DROP CONSTRAINT, under the strongest lock, too.",
    "An index that is unique refuses a second row by itself. The task asks for no more.",
    lambda trial: as_a_rule(trial) and adopted(trial),
)
PLAIN = Mistake(
    "an index that nobody can write beside",
    "It was built while all writers of companies waited.",
    "Say that it is built beside them; then see where such a statement may stand.",
    lambda trial: plain(trial, "upgrade", "CREATE"),
)
PLAIN_BACK = Mistake(
    "a way back that keeps people waiting",
    "DROP INDEX takes the strongest lock on the table, and waits for everybody who reads it; whoever"
    " comes later waits behind it.",
    "An index can be dropped beside its readers, too, in the same place.",
    lambda trial: plain(trial, "downgrade", "DROP"),
)
NAME_ALONE = Mistake(
    "a second try that looks at the name alone",
    "Should the build fail, because two companies share a website, an invalid index stays. The next"
    " upgrade would find its name, pass, and refuse nothing.",
    "Let the second try stop.",
    lambda trial: any("IF NOT EXISTS" in sql.upper() for sql in builds(trial, "upgrade", "CREATE")),
)
EXERCISE = Revision(
    file="website.py",
    names=True,
    exact=True,
    locks=True,
    start=Start("the merge", heads=(MERGED,), applied=(MERGED,), rows=SITES),
    code=f"""
def upgrade() -> None:
    {BLOCK}
        op.create_index(
            "uq_companies_website",
            "companies",
            ["website"],
            unique=True,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    {BLOCK}
        op.drop_index(
            "uq_companies_website", table_name="companies", postgresql_concurrently=True
        )
""",
    shown="""
def upgrade() -> None:
    ...


def downgrade() -> None:
    ...
""",
    mistakes=(INSIDE, RULE, ADOPTED, PLAIN, NAME_ALONE, PLAIN_BACK),
    task="build a unique index beside writers",
    hints=(
        "Two operations, op.create_index and op.drop_index, with one option of PostgreSQL each.",
        "The option is postgresql_concurrently=True; unique=True is SQLAlchemy's own.",
        "Where they may not be in a transaction, op.get_context().autocommit_block() is a place that"
        " is not, for each of the two functions.",
    ),
    why="Both ways stand outside of the transaction, alone in their revision, so nobody waits, and a"
    " failure leaves an invalid index that the next run stops at.",
    passed="You can build an index on a table that people write to, and take it away again.",
)

CODE = EXERCISE.filled
ONE = ",\\n            postgresql_concurrently=True"
TAKE_OVER = "ALTER TABLE companies ADD UNIQUE USING INDEX uq_companies_website"
WRONG = [
    cells("nothing", EXERCISE.header + "\n" + (EXERCISE.shown or ""), says="Not attempted yet"),
    *edits(
        CODE,
        rf"""
every website goes  | def upgrade() -> None:  | def upgrade() -> None:\n    op.execute("UPDATE companies SET website = NULL")  | rows that were there are not the same
plain, both ways  | {ONE}  |  | , postgresql_concurrently=True  |  | an index that nobody can write beside
plain on the way up  | {ONE}  |  | an index that nobody can write beside
plain on the way back  | , postgresql_concurrently=True  |  | a way back that keeps people waiting
in the transaction  | {BLOCK}  | if True:  | a concurrent build in a transaction
back in the transaction  | def downgrade() -> None:\n    {BLOCK}  | def downgrade() -> None:\n    if True:  | a concurrent build in a transaction
to be run twice  | unique=True,  | unique=True,\n            if_not_exists=True,  | a second try that looks at the name alone
not unique  | unique=True,  |  | Missing: the index uq_companies_website
another name  | uq_companies_website  | ix_companies_website  | Missing: the index uq_companies_website
another column  | ["website"]  | ["name"]  | Missing: the index uq_companies_website
on account and website  | ["website"]  | ["user_id", "website"]  | Missing: the index uq_companies_website
websites that are there  | unique=True,  | unique=True,\n            postgresql_where=sa.text("website IS NOT NULL"),  | Missing: the index uq_companies_website
nothing on the way back  | op.drop_index(\n            "uq_companies_website", table_name="companies", postgresql_concurrently=True\n        )  | pass  | a downgrade that does nothing
the context is not called  | get_context()  | get_context  | autocommit_block
the block is not called  | autocommit_block()  | autocommit_block  | autocommit_block
a name wrong  | autocommit_block  | auto_commit_block  | auto_commit_block
without op  | {BLOCK}  | with autocommit_block():  | name 'autocommit_block' is not defined
a commit in its place  | {BLOCK}  | op.get_bind().commit()\n    if True:  | a concurrent build in a transaction
""",
    ),
    cells(
        "a constraint",
        EXERCISE.header
        + '\ndef upgrade() -> None:\n    op.create_unique_constraint("uq_companies_website", "companies",'
        ' ["website"])\n\n\ndef downgrade() -> None:\n    op.drop_constraint("uq_companies_website",'
        ' "companies")\n',
        says="a constraint in place of an index",
    ),
    cells(
        "a constraint that takes the index over",
        EXERCISE.solution.replace("\n\n\ndef", f"\n        op.execute('{TAKE_OVER}')\n\n\ndef"),
        says="an index that a constraint takes over",
    ),
]
RIGHT = [
    *edits(
        CODE,
        rf"""
the name through op.f  | "uq_companies_website",\n            "c  | op.f("uq_companies_website"),\n            "c
the context by a name  | {BLOCK}\n        op.create  | context = op.get_context()\n    with context.autocommit_block():\n        op.create
dropped where it is  | postgresql_concurrently=True\n        )  | postgresql_concurrently=True, if_exists=True\n        )
without the table  | , table_name="companies"  |
columns by keyword  | ["website"]  | columns=["website"]
""",
    ),
    cells(
        "the statements themselves",
        EXERCISE.header + f"\ndef upgrade() -> None:\n    {BLOCK}\n"
        '        op.execute("CREATE UNIQUE INDEX CONCURRENTLY uq_companies_website'
        f' ON companies (website)")\n\n\ndef downgrade() -> None:\n    {BLOCK}\n'
        '        op.execute("DROP INDEX CONCURRENTLY uq_companies_website")\n',
    ),
]
