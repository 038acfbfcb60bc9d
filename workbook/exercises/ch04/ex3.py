"""4.3  Put the clauses of a join in order."""

import sqlalchemy as sa

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Order, built

CLAUSES = {
    "a": "ORDER BY jobs.id",
    "b": "SELECT companies.name, jobs.title",
    "c": "WHERE companies.name LIKE 'B%'",
    "d": "FROM companies",
    "e": "JOIN jobs ON jobs.company_id = companies.id",
}
ORDER_LAST = Mistake(
    "rows are ordered last", "ORDER BY works on what all the other clauses have left over."
)
TABLES_FIRST = Mistake(
    "the tables come before the filter",
    "FROM and JOIN say which rows there are; WHERE then picks among them.",
)


def try_out(letters: list[str]) -> list[str]:
    """Run the clauses as one query; what goes wrong, in words."""
    query, right = (" ".join(CLAUSES[each] for each in order) for order in (letters, "bdeca"))
    with built() as connection:
        connection.execution_options(no_parameters=True)  # the percent sign is SQL's here
        try:
            rows = connection.exec_driver_sql(query).all()
        except sa.exc.DBAPIError as error:
            return [f"PostgreSQL cannot read it: {str(error.orig).splitlines()[0]}."]
        return [] if rows == connection.exec_driver_sql(right).all() else ["Other rows come back."]


def wrong(letters: list[str]) -> Mistake | None:
    """The well-known ways to get the order of a query wrong."""
    if letters[-1] != "a":
        return ORDER_LAST
    return TABLES_FIRST if letters.index("c") < letters.index("e") else None


EXERCISE = Order(
    lines=CLAUSES,
    try_out=try_out,
    wrong=wrong,
    mistakes=(ORDER_LAST, TABLES_FIRST),
    right="b d e c a",
    task="put the clauses of a join in order",
    hints=(
        "First what you want to see, then where it comes from.",
        "The filter comes after the tables, the order at the end.",
    ),
    why="SELECT, FROM, JOIN, WHERE, ORDER BY: SQL has one order for its clauses.",
    passed="You can follow a foreign key from one table into the other.",
)

WRONG = [
    *given(TABLES_FIRST.name, "b d c e a", name="WHERE before JOIN"),
    *given(ORDER_LAST.name, "b d e a c", name="ORDER BY in the middle"),
    *given("PostgreSQL cannot read it", "d b e c a", name="FROM first"),
    *given("PostgreSQL cannot read it", "b e d c a", name="JOIN before FROM"),
    *given("Use each of the letters a b c d e once", "b d e a", name="without the filter"),
]
RIGHT = given("", "BDECA")
