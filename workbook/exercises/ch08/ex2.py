"""8.2  The name that a convention makes."""

import sqlalchemy as sa

from workbook import project
from workbook.exercises import Mistake, given
from workbook.exercises.kinds import FindOut


def name() -> object:
    """What the finished project's convention calls the key."""
    metadata = sa.MetaData(naming_convention=project.convention())
    sa.Table("jobs", metadata, sa.Column("id", sa.Integer, primary_key=True))
    job: sa.Column[int] = sa.Column("job_id", sa.ForeignKey("jobs.id"))
    [key] = sa.Table("applications", metadata, job).foreign_key_constraints
    return key.name


POSTGRESQL = Mistake(
    "a name that PostgreSQL makes up",
    "Without a convention, PostgreSQL would call it so. With one, it is handed a name and makes none up.",
    'Look at the line "fk" in NAMES.',
)
PART = Mistake(
    "a part of the name is missing",
    "The convention names three things: the table that holds the key, its column, and the table that it refers to.",
    'Look at the line "fk" in NAMES.',
)
REVERSED = Mistake(
    "the tables are the wrong way round",
    "The first table is the one that holds the key, the last one the table that it refers to.",
    "Which of the two has the column job_id?",
)

EXERCISE = FindOut(
    question=name,
    right="fk_applications_job_id_jobs",
    wrong={
        "applications_job_id_fkey": POSTGRESQL,
        "fk_applications_jobs": PART,
        "fk_applications_job_id": PART,
        "fk_job_id_jobs": PART,
        "fk_job_id": PART,
        "fk_jobs_job_id_applications": REVERSED,
        "fk_jobs_id_applications": REVERSED,
    },
    task="say what the convention calls a key",
    hints=(
        'The line "fk" of NAMES is a pattern: three places are filled in.',
        "They are the table, the column, and the table that the key refers to, with a _ between them.",
    ),
    why="Table, column and the other table: nothing else goes into the name, so it is the same on every machine.",
    passed="You can say what a constraint is called before anybody has made it.",
)

WRONG = [
    *given("a name that PostgreSQL makes up", "applications_job_id_fkey"),
    *given(
        "a part of the name is missing",
        "fk_applications_jobs",
        "fk_applications_job_id",
        "fk_job_id",
    ),
    *given(
        "the tables are the wrong way round",
        "fk_jobs_job_id_applications",
        "fk_jobs_id_applications",
    ),
    *given("That is not what comes out", "pk_applications", "fk_applications_job_id_jobs_id", "x"),
    *given("Not attempted yet", "", "____", None),
]
RIGHT = given(
    "",
    "FK_applications_job_id_jobs ",
    "'fk_applications_job_id_jobs'",
    ("fk_applications_job_id_jobs",),
)
