"""3.1  Put a migration's statements in order."""

import sqlalchemy as sa

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Order
from workbook.server import database

STATEMENTS = {
    "a": "CREATE TABLE jobs (id serial PRIMARY KEY, company_id integer REFERENCES companies)",
    "b": "COMMIT",
    "c": "INSERT INTO alembic_version VALUES ('1f3a9c5e7b20')",
    "d": "BEGIN",
    "e": "CREATE TABLE companies (id serial PRIMARY KEY)",
    "f": "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
}
OUTSIDE = Mistake(
    "something stands outside the transaction",
    "What runs before BEGIN or after COMMIT is not taken back when the migration fails.",
)
NO_TABLE_YET = Mistake(
    "a row for a table that is not there yet", "alembic_version has to be made first."
)
CHILD_FIRST = Mistake(
    "the child comes before the parent", "jobs refers to companies, so companies has to be there."
)


def try_out(letters: list[str]) -> list[str]:
    """Run the statements in the scratch database; what goes wrong, in words."""
    with database.scratch() as connection:
        for statement in map(STATEMENTS.__getitem__, letters):
            try:
                connection.exec_driver_sql(statement)
            except sa.exc.DBAPIError as error:
                first = str(error.orig).splitlines()[0]
                return [f"PostgreSQL stops: {first}.", f"The statement was: {statement[:50]}..."]
    return []


def wrong(letters: list[str]) -> Mistake | None:
    """The well-known ways to get this order wrong."""
    place = letters.index
    if letters[0] != "d" or letters[-1] != "b":
        return OUTSIDE
    if place("c") < place("f"):
        return NO_TABLE_YET
    return CHILD_FIRST if place("a") < place("e") else None


EXERCISE = Order(
    lines=STATEMENTS,
    try_out=try_out,
    wrong=wrong,
    mistakes=(OUTSIDE, NO_TABLE_YET, CHILD_FIRST),
    right="d f e a c b",
    task="put a migration's statements in order",
    hints=(
        "Which two statements hold all the others between them?",
        "A table has to exist before a row goes into it, and before another one refers to it.",
    ),
    why="The transaction holds everything; parents come before children; the row is written into a"
    " table that is there.",
    passed="You can read a migration the way PostgreSQL does.",
)

WRONG = [
    *given(NO_TABLE_YET.name, "d e a c f b", name="the INSERT before its table"),
    *given(CHILD_FIRST.name, "d f a e c b", name="the child first"),
    *given(OUTSIDE.name, "d f e a b c", name="COMMIT too early"),
    *given(OUTSIDE.name, "f d e a c b", name="BEGIN too late"),
    *given(OUTSIDE.name, "a b c d e f", name="as they stand"),
    *given("Use each of the letters a b c d e f once", "f e a c b", name="without BEGIN"),
]
RIGHT = [
    *given("", "d e a f c b", name="the version table last"),
    *given("", "dfceab", name="the row first"),
    *given("", "D, E, F, C, A, B", name="with commas"),
]
