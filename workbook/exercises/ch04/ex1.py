"""4.1  Find out how long a revision id may be."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import FindOut

EXERCISE = FindOut(
    question="SELECT character_maximum_length FROM information_schema.columns"
    " WHERE table_schema = 'public' AND table_name = 'alembic_version'",
    right="32",
    wrong={
        "12": Mistake(
            "how long it is, not how long it may be",
            "Alembic makes ids of twelve characters. The column allows more.",
        ),
        "50": Mistake(
            "another column",
            "That is companies.name. Ask about the table alembic_version.",
        ),
        "100": Mistake(
            "another column", "That is jobs.title. Ask about the table alembic_version."
        ),
    },
    task="find out how long a revision id may be",
    hints=(
        "The query above asks about the table jobs. Which word has to change?",
        "The answer stands in the column length, for the table alembic_version.",
    ),
    why="version_num is a varchar(32). If you ever choose ids of your own, keep them short: a longer"
    " one fails when the migration has already run, at its last statement.",
    passed="You can ask the database about its own columns.",
)

WRONG = [
    *given("how long it is, not how long it may be", 12),
    *given("another column", "50", "100"),
    *given("That is not what comes out: 'many'", "many"),
]
RIGHT = given("", 32, "32 characters", "varchar(32)")
