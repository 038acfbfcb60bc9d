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
TOO_MUCH = Mistake(
    "a part too many",
    "The convention names the table that is referred to, and not its column.",
    'Count the places that are filled in, in the line "fk" of NAMES.',
)
SINGULAR = Mistake(
    "a table is called as the database calls it",
    "The convention takes a table's name letter by letter. The model's name is another.",
    "Compare the names in your answer with those in the task.",
)
ORDER = Mistake(
    "the parts in another order",
    "All three parts are there, and the convention has them in another order.",
    'Look at the line "fk" in NAMES.',
)
COLUMN = Mistake(
    "another column",
    "The column in the name is the one that holds the key.",
    "Which column of applications refers to a job?",
)
KIND = Mistake(
    "another kind of constraint",
    "NAMES has a line for each kind, and the kind comes first in the name.",
    "Which kind is asked for?",
)
PATTERN = Mistake(
    "the pattern, not yet filled in",
    "That is how every key is named. This one has a table, a column and another table.",
    "Put in what each place stands for.",
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
        "fk_jobs_applications": REVERSED,
        "fk_applications_job_id_jobs_id": TOO_MUCH,
        "fk_applications_job_id_id": TOO_MUCH,
        "fk_applications_job_id_job": SINGULAR,
        "fk_application_job_id_jobs": SINGULAR,
        "fk_application_job_id_job": SINGULAR,
        "fk_applications_jobs_job_id": ORDER,
        "fk_job_id_applications_jobs": ORDER,
        "fk_applications_id_jobs": COLUMN,
        "fk_applications_company_id_jobs": COLUMN,
        "uq_applications_job_id": KIND,
        "ix_applications_job_id": KIND,
        "pk_applications": KIND,
        "ck_applications_job_id": KIND,
        "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s": PATTERN,
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
    *given("a part too many", "fk_applications_job_id_jobs_id", "fk_applications_job_id_id"),
    *given(
        "a table is called as the database calls it",
        "fk_applications_job_id_job",
        "fk_application_job_id_jobs",
    ),
    *given("the parts in another order", "fk_applications_jobs_job_id"),
    *given("another column", "fk_applications_id_jobs"),
    *given("another kind of constraint", "pk_applications", "ix_applications_job_id"),
    *given(
        "the pattern, not yet filled in",
        "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    ),
    *given("That is not what comes out", "x"),
    *given("Not attempted yet", "", "____", None),
]
RIGHT = given(
    "",
    "FK_applications_job_id_jobs ",
    "'fk_applications_job_id_jobs'",
    ("fk_applications_job_id_jobs",),
)
