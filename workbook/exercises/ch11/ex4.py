"""11.4  NOT NULL on a big and busy table."""

import re
from collections.abc import Callable

from workbook.contents import CHAPTERS
from workbook.exercises import Mistake, edits
from workbook.exercises.kinds import Revision
from workbook.exercises.trial import Trial


def statements(trial: Trial) -> list[tuple[str, bool]]:
    """The statements of the upgrade, each with whether it was in a transaction that locks."""
    step = trial.run.after("upgrade")
    return [(" ".join(sql.split()), bool(added)) for sql, added in (step.locks if step else [])]


def places(trial: Trial, pattern: str) -> list[int]:
    """Where among the statements those are that match."""
    found = enumerate(statements(trial))
    return [place for place, (sql, _) in found if re.search(pattern, sql, re.IGNORECASE)]


RULE = r"ADD (CONSTRAINT \S+ )?CHECK"
# Of what PostgreSQL takes as a proof: IS NOT NULL, not in an OR, or 18's own form of the rule.
SAYS_SO = (
    r"ADD (CONSTRAINT \S+ )?(NOT NULL |CHECK (?!.*\bOR\b).*)"
    r"(\blocation\"? IS NOT NULL|\bNOT \(?\"?location\"? IS NULL|(?<=NOT NULL )\"?location\b)"
)
VALIDATE, REQUIRE, DROP = "VALIDATE CONSTRAINT", "SET NOT NULL", "DROP CONSTRAINT"


def read_by_rule(trial: Trial) -> str:
    """The statement that adds the rule and reads every row."""
    rules = [statements(trial)[place][0] for place in places(trial, RULE)]
    return next((sql for sql in rules if "NOT VALID" not in sql.upper()), "")


def read_by_require(trial: Trial) -> str:
    """SET NOT NULL, where no rule that says so has been validated, or it is gone already."""
    for place in places(trial, REQUIRE):
        validated = [each for each in places(trial, VALIDATE) if each < place]
        dropped = [each for each in places(trial, DROP) if each < place]
        if not validated or dropped or not places(trial, SAYS_SO):
            return statements(trial)[place][0]
    return ""


def under_lock(pattern: str) -> Callable[[Trial], str]:
    """A recogniser: what matches, in the transaction that has added the rule before.

    A statement that adds no lock has run alone, after the end of that transaction.
    """

    def shown(trial: Trial) -> str:
        said = statements(trial)
        for place in places(trial, pattern):
            for rule in places(trial, RULE):
                if rule < place and all(locks for _, locks in said[rule : place + 1]):
                    return said[place][0]
        return ""

    return shown


CODE = """
def upgrade() -> None:
    op.create_check_constraint(
        op.f("ck_jobs_location_known"), "jobs", "location IS NOT NULL", postgresql_not_valid=True
    )
    with op.get_context().autocommit_block():
        op.execute("UPDATE jobs SET location = 'Anywhere' WHERE location IS NULL")
        op.execute("ALTER TABLE jobs VALIDATE CONSTRAINT ck_jobs_location_known")
    op.alter_column("jobs", "location", nullable=False)
    op.drop_constraint(op.f("ck_jobs_location_known"), "jobs", type_="check")


def downgrade() -> None:
    op.alter_column("jobs", "location", nullable=True)
"""

EXERCISE = Revision(
    file="required.py",
    start=CHAPTERS[11].start,
    exact=True,
    locks=True,
    convention=True,
    code=CODE,
    shown="def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n",
    mistakes=(
        Mistake(
            "the rule reads every row",
            "Added like this, PostgreSQL looks at all rows before it says yes, and nobody gets in meanwhile.",
            "The section above adds its rule without a look at what is there.",
            read_by_rule,
        ),
        Mistake(
            "NOT NULL reads every row",
            "SET NOT NULL has to be sure that no row is NULL. Only a validated rule that says so, and is still"
            " there, spares it the look at all rows.",
            "Which step has to come before it, and which one after?",
            read_by_require,
        ),
        Mistake(
            "validated under the first step's lock",
            "The transaction that added the rule has not ended yet, so its ACCESS EXCLUSIVE is still held"
            " while all rows are read.",
            "End that transaction first: chapter 10 has a block for it.",
            under_lock(VALIDATE),
        ),
        Mistake(
            "rows are changed under the first step's lock",
            "The transaction that added the rule has not ended yet: nobody gets in until the last row is"
            " changed.",
            "Change the rows before the rule comes, or after its transaction has ended.",
            under_lock("^UPDATE"),
        ),
    ),
    task="require a column on a busy table",
    hints=(
        "The order: a rule IS NOT NULL that reads nothing, the values, VALIDATE, NOT NULL, the rule goes.",
        "Entering autocommit_block ends the transaction that was there; what is inside runs alone.",
        "The rule is a create_check_constraint with postgresql_not_valid=True, as in the section above.",
        'alter_column with nullable=False, and only then drop_constraint with type_="check".',
    ),
    why="Each strong lock is held for a catalogue change alone. The one step that reads all rows, VALIDATE, runs"
    " in a transaction of its own, beside which others read and write.",
    passed="You can require a column on a table that is never quiet.",
)

FILLED = EXERCISE.filled
NOT_VALID = ", postgresql_not_valid=True"
BLOCK = "with op.get_context().autocommit_block():"
FILL = "op.execute(\"UPDATE jobs SET location = 'Anywhere' WHERE location IS NULL\")"
CHECKED = 'op.execute("ALTER TABLE jobs VALIDATE CONSTRAINT ck_jobs_location_known")'
REQUIRED = 'op.alter_column("jobs", "location", nullable=False)'
GONE = 'op.drop_constraint(op.f("ck_jobs_location_known"), "jobs", type_="check")'
NAME = 'op.f("ck_jobs_location_known"), "jobs", "loc'
WRONG = edits(
    FILLED,
    rf"""
NOT NULL at once  | {BLOCK}  | if True:  | {REQUIRED}\n    {GONE}  | pass  | op.create_check_constraint(\n        {NAME}ation IS NOT NULL"{NOT_VALID}\n    )  | {FILL}\n    {REQUIRED}  | {FILL}\n        {CHECKED}  | pass  | NOT NULL reads every row
no NOT VALID  | {NOT_VALID}  |  | rows that break the rule
no NOT VALID, after the values  | {NOT_VALID}  |  | def upgrade() -> None:  | def upgrade() -> None:\n    {FILL}  | the rule reads every row
no block  | {BLOCK}  | if True:  | validated under the first step's lock
the rows under the lock  | {BLOCK}  | {FILL}\n    {BLOCK}  | {FILL}\n        op  | op  | rows are changed under the first step's lock
VALIDATE forgotten  | {CHECKED}  | pass  | NOT NULL reads every row
NOT NULL first  | {REQUIRED}  | pass  | {CHECKED}  | {REQUIRED}\n        {CHECKED}  | NOT NULL reads every row
the rule goes too early  | {REQUIRED}\n    {GONE}  | {GONE}\n    {REQUIRED}  | NOT NULL reads every row
a rule that NULL passes  | "location IS NOT NULL"  | "location <> ''"  | NOT NULL reads every row
a rule with an OR  | "location IS NOT NULL"  | "location IS NOT NULL OR title <> ''"  | NOT NULL reads every row
another column's rule  | "location IS NOT NULL"  | "title IS NOT NULL"  | NOT NULL reads every row
the rule stays  | {GONE}  | pass  | Extra: the constraint
NOT NULL forgotten  | {REQUIRED}  | pass  | a column may be NULL unless you say otherwise
no values  | {FILL}  | pass  | rows that break the rule
an empty text  | 'Anywhere'  | ''  | jobs.location of the row 4
all rows get the value  | WHERE location IS NULL  |  | jobs.location of the row 1
the name twice as long  | {NAME}  | "ck_jobs_location_known", "jobs", "loc  | a name that the convention makes longer
another name in SQL  | CONSTRAINT ck_jobs_location_known  | CONSTRAINT location_known  | a guessed constraint name
nothing on the way back  | op.alter_column("jobs", "location", nullable=True)  | pass  | a downgrade that does nothing
the column goes on the way back  | op.alter_column("jobs", "location", nullable=True)  | op.drop_column("jobs", "location")  | Missing: the column jobs.location
NULL again on the way back  | op.alter_column("jobs", "location", nullable=True)  | op.alter_column("jobs", "location", nullable=True)\n    op.execute("UPDATE jobs SET location = NULL WHERE location = 'Anywhere'")  | After the downgrade
""",
)
RIGHT = edits(
    FILLED,
    rf"""
the rows first  | {FILL}\n        op  | op  | def upgrade() -> None:  | def upgrade() -> None:\n    {FILL}
all of it in the block  | op.create_check_constraint(  | with op.get_context().autocommit_block():\n      op.create_check_constraint(
in SQL  | {REQUIRED}\n    {GONE}  | op.execute("ALTER TABLE jobs ALTER location SET NOT NULL, DROP CONSTRAINT ck_jobs_location_known")
without op.f  | {NAME}  | "location_known", "jobs", "loc
more than it needs  | "location IS NOT NULL"  | "location IS NOT NULL AND location <> ''"
the other way round  | "location IS NOT NULL"  | "NOT (location IS NULL)"
two blocks  | {CHECKED}  | pass\n    {BLOCK}\n        {CHECKED}
""",
)
