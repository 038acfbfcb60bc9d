"""4.2  Find out a constraint's name."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import FindOut

EXERCISE = FindOut(
    question="SELECT conname FROM pg_constraint WHERE conrelid = 'alembic_version'::regclass"
    " AND contype = 'p'",
    right="alembic_version_pkc",
    wrong={
        "alembic_version_pkey": Mistake(
            "a guessed constraint name",
            "PostgreSQL would have called it that. Alembic made this table and chose a name itself.",
        ),
        "version_num": Mistake(
            "a column is not a constraint",
            "version_num is what the key consists of. The rule has a name of its own.",
        ),
        "companies_pkey": Mistake("another table", "Ask about alembic_version."),
    },
    task="find out a constraint's name",
    hints=(
        "The query above leaves one table out on purpose. Where?",
        "Take the condition on conname away, and look for the row of alembic_version.",
    ),
    why="Names follow rules, but not the same rule everywhere. Before you drop a constraint, look.",
    passed="You look names up instead of guessing them.",
)

WRONG = [
    *given("a guessed constraint name", "alembic_version_pkey"),
    *given("a column is not a constraint", "version_num"),
    *given("another table", "companies_pkey"),
    *given("That is not what comes out: 'alembic_version'", "alembic_version"),
]
RIGHT = given("", '"ALEMBIC_VERSION_PKC"')
