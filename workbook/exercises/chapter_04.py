"""Exercises of chapter 4: the tables seen with SQL."""

import sqlalchemy as sa

from workbook.exercises import Outcome
from workbook.exercises.kinds import (
    DONE,
    built,
    choose,
    find_out,
    known,
    not_attempted,
    order,
    state,
)
from workbook.exercises.mistakes import Mistake

CLAUSES = {
    "a": "ORDER BY jobs.id",
    "b": "SELECT companies.name, jobs.title",
    "c": "WHERE companies.name LIKE 'B%'",
    "d": "FROM companies",
    "e": "JOIN jobs ON jobs.company_id = companies.id",
}


def plainly(name: str, why: str, how: str) -> Mistake:
    """A mistake that the exercise recognises by itself."""
    return Mistake(name, why, how, lambda trial: False)


TWICE = plainly(
    "the same row twice",
    "Each run of an INSERT puts in a row. Nothing here says that a title may occur only once.",
    "Delete one of the two: DELETE FROM jobs WHERE id = ... takes the id of the row that goes.",
)
OTHER_COMPANY = plainly(
    "another company's job",
    "The row is there, and its company_id belongs to another company.",
    "Look up the id: SELECT id, name FROM companies. Then UPDATE the row, or delete it and insert anew.",
)
CHANGED = plainly(
    "a row was changed, not added",
    "Borealis Books has a Buyer and no other job: the one that it had is gone. UPDATE changes a row that"
    " is there, INSERT adds one.",
    "Put the Bookseller back with an INSERT, so that there are both.",
)
SECOND_COMPANY = plainly(
    "a second company of the same name",
    "There are two rows called Borealis Books now, with different ids. To the database they are two"
    " companies.",
    "Delete the new one, and its jobs before it, and refer to the company that was there.",
)


def buyer(connection: sa.Connection) -> Outcome:
    """Whether Borealis Books, the one and only, offers one job as Buyer."""
    tables = sa.inspect(connection).get_table_names()
    if not {"companies", "jobs"} <= set(tables):
        return not_attempted("There are no tables yet: run the notebook's first cell.")
    names = connection.exec_driver_sql(
        "SELECT companies.name FROM jobs JOIN companies ON companies.id = jobs.company_id"
        " WHERE lower(trim(jobs.title)) = 'buyer'"
    )
    offered = list(names.scalars())
    companies = connection.exec_driver_sql(
        "SELECT count(*) FROM companies WHERE name = 'Borealis Books'"
    ).scalar_one()
    if not offered:
        return not_attempted("No job has the title Buyer yet. Write the INSERT and run it.")
    if companies > 1:
        return known(SECOND_COMPANY)
    if len(offered) > 1:
        return known(TWICE)
    if offered != ["Borealis Books"]:
        return known(OTHER_COMPANY)
    others = connection.exec_driver_sql(
        "SELECT count(*) FROM jobs JOIN companies ON companies.id = jobs.company_id"
        " WHERE companies.name = 'Borealis Books' AND jobs.title <> 'Buyer'"
    ).scalar_one()
    return DONE if others else known(CHANGED)


def run_query(clauses: list[str]) -> list[str]:
    """Run the clauses as one query; what goes wrong, in words."""
    right = " ".join(CLAUSES[each] for each in "bdeca")
    with built() as connection:
        connection.execution_options(no_parameters=True)  # the percent sign is SQL's here
        try:
            rows = connection.exec_driver_sql(" ".join(clauses)).all()
        except sa.exc.DBAPIError as error:
            return [f"PostgreSQL cannot read it: {str(error.orig).splitlines()[0]}."]
        return [] if rows == connection.exec_driver_sql(right).all() else ["Other rows come back."]


def clause_mistake(letters: list[str]) -> tuple[str, str] | None:
    """The well-known ways to get the order of a query wrong."""
    if letters[-1] != "a":
        return (
            "rows are ordered last",
            "ORDER BY works on what all the other clauses have left over.",
        )
    if letters.index("c") < letters.index("e"):
        return (
            "the tables come before the filter",
            "FROM and JOIN say which rows there are; WHERE then picks among them.",
        )
    return None


EXERCISES = [
    find_out(
        "4.1",
        "SELECT character_maximum_length FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = 'alembic_version'",
        mistakes={
            "12": (
                "how long it is, not how long it may be",
                "Alembic makes ids of twelve characters. The column allows more.",
            ),
            "50": (
                "another column",
                "That is companies.name. Ask about the table alembic_version.",
            ),
            "100": ("another column", "That is jobs.title. Ask about the table alembic_version."),
        },
        task="find out how long a revision id may be",
        hints=(
            "The query above asks about the table jobs. Which word has to change?",
            "The answer stands in the column length, for the table alembic_version.",
        ),
        solution='check("4.1", 32)',
        why="version_num is a varchar(32). If you ever choose ids of your own, keep them short: a longer"
        " one fails when the migration has already run, at its last statement.",
        passed="You can ask the database about its own columns.",
    ),
    find_out(
        "4.2",
        "SELECT conname FROM pg_constraint WHERE conrelid = 'alembic_version'::regclass"
        " AND contype = 'p'",
        mistakes={
            "alembic_version_pkey": (
                "a guessed constraint name",
                "PostgreSQL would have called it that. Alembic made this table and chose a name itself.",
            ),
            "version_num": (
                "a column is not a constraint",
                "version_num is what the key consists of. The rule has a name of its own.",
            ),
            "companies_pkey": ("another table", "Ask about alembic_version."),
        },
        task="find out a constraint's name",
        hints=(
            "The query above leaves one table out on purpose. Where?",
            "Take the condition on conname away, and look for the row of alembic_version.",
        ),
        solution='check("4.2", "alembic_version_pkc")',
        why="Names follow rules, but not the same rule everywhere. Before you drop a constraint, look.",
        passed="You look names up instead of guessing them.",
    ),
    order(
        "4.3",
        CLAUSES,
        run_query,
        clause_mistake,
        task="put the clauses of a join in order",
        hints=(
            "First what you want to see, then where it comes from.",
            "The filter comes after the tables, the order at the end.",
        ),
        solution='check("4.3", "b d e c a")',
        why="SELECT, FROM, JOIN, WHERE, ORDER BY: SQL has one order for its clauses.",
        passed="You can follow a foreign key from one table into the other.",
    ),
    state(
        "4.4",
        buyer,
        task="insert a row that refers to another",
        hints=(
            "A job needs a title, a description and the id of its company.",
            "SELECT id FROM companies WHERE name = 'Borealis Books' gives the id.",
            "INSERT INTO jobs (title, description, company_id) VALUES ('Buyer', '...', ...)",
        ),
        solution="%%sql\nINSERT INTO jobs (title, description, company_id)\n"
        "SELECT 'Buyer', 'Buys the books.', id FROM companies WHERE name = 'Borealis Books'",
        why="The id is looked up and not typed, so it is right whatever number the company has.",
        passed="You can put a row where it belongs.",
    ),
    choose(
        "4.5",
        right="b",
        wrong={
            "a": (
                "the parent cannot go first",
                "While a job refers to the company, the delete is refused, as you have just seen.",
            ),
            "c": (
                "the rule is not the enemy",
                "Without the constraint the delete works, and leaves jobs of a company that does not"
                " exist. Afterwards the rule cannot be put back.",
            ),
            "d": (
                "CASCADE belongs to the constraint",
                "DELETE knows no CASCADE. It is a property of the foreign key, chosen when that is made.",
            ),
        },
        task="delete a company and its jobs",
        hints=(
            "Which rows refer to which?",
            "As with tables in a downgrade: children first.",
        ),
        solution='check("4.5", "b")',
        why="Children first, parent next, and one transaction around both, so that nobody sees a company"
        " without its jobs in between.",
        passed="You can work with a foreign key and not against it.",
    ),
]
