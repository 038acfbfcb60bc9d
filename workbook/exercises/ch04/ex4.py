"""4.4  Insert a row that refers to another."""

import sqlalchemy as sa

from workbook.exercises import Mistake, Outcome, cells
from workbook.exercises.kinds import DONE, Do, not_attempted
from workbook.exercises.trial import known

TWICE = Mistake(
    "the same row twice",
    "Each run of an INSERT puts in a row. Nothing here says that a title may occur only once.",
    "Delete one of the two: DELETE FROM jobs WHERE id = ... takes the id of the row that goes.",
)
OTHER_COMPANY = Mistake(
    "another company's job",
    "The row is there, and its company_id belongs to another company.",
    "Look up the id: SELECT id, name FROM companies. Then UPDATE the row, or delete it and insert anew.",
)
CHANGED = Mistake(
    "a row was changed, not added",
    "Borealis Books has a Buyer and no other job: the one that it had is gone. UPDATE changes a row that"
    " is there, INSERT adds one.",
    "Put the Bookseller back with an INSERT, so that there are both.",
)
SECOND_COMPANY = Mistake(
    "a second company of the same name",
    "There are two rows called Borealis Books now, with different ids. To the database they are two"
    " companies.",
    "Delete the new one, and its jobs before it, and refer to the company that was there.",
)
BUYERS = """
SELECT companies.name FROM jobs JOIN companies ON companies.id = jobs.company_id
WHERE lower(trim(jobs.title)) = 'buyer'
"""
NAMESAKES = "SELECT count(*) FROM companies WHERE name = 'Borealis Books'"
OTHER_JOBS = """
SELECT count(*) FROM jobs JOIN companies ON companies.id = jobs.company_id
WHERE companies.name = 'Borealis Books' AND jobs.title <> 'Buyer'
"""


def buyer(connection: sa.Connection) -> Outcome:
    """Whether Borealis Books, the one and only, offers one job as Buyer."""
    if not {"companies", "jobs"} <= {*sa.inspect(connection).get_table_names()}:
        return not_attempted("There are no tables yet: run the notebook's first cell.")
    offered = list(connection.exec_driver_sql(BUYERS).scalars())
    if not offered:
        return not_attempted("No job has the title Buyer yet. Write the INSERT and run it.")
    if connection.exec_driver_sql(NAMESAKES).scalar_one() > 1:
        return known(SECOND_COMPANY)
    if len(offered) > 1:
        return known(TWICE)
    if offered != ["Borealis Books"]:
        return known(OTHER_COMPANY)
    return DONE if connection.exec_driver_sql(OTHER_JOBS).scalar_one() else known(CHANGED)


ROWS = """%%sql
INSERT INTO companies (name) VALUES ('Ada Analytics'), ('Borealis Books');
INSERT INTO jobs (title, description, company_id) VALUES ('Database engineer', 'Moves.', 1),
    ('Data analyst', 'Asks.', 1), ('Bookseller', 'Finds.', 2)
"""

EXERCISE = Do(
    shown="%%sql\nSELECT 'write your INSERT here' AS your_turn",
    done="%%sql\nINSERT INTO jobs (title, description, company_id)\n"
    "SELECT 'Buyer', 'Buys the books.', id FROM companies WHERE name = 'Borealis Books'",
    look=buyer,
    mistakes=(SECOND_COMPANY, TWICE, OTHER_COMPANY, CHANGED),
    above=(ROWS,),
    task="insert a row that refers to another",
    hints=(
        "A job needs a title, a description and the id of its company.",
        "SELECT id FROM companies WHERE name = 'Borealis Books' gives the id.",
        "INSERT INTO jobs (title, description, company_id) VALUES ('Buyer', '...', ...)",
    ),
    why="The id is looked up and not typed, so it is right whatever number the company has.",
    passed="You can put a row where it belongs.",
)

INSERT = "%%sql\nINSERT INTO jobs (title, description, company_id) VALUES ('Buyer', 'Buys.', {})"
FIRST, SECOND, THIRD = map(INSERT.format, (1, 2, 3))
SELECT = """%%sql
INSERT INTO jobs (title, description, company_id)
SELECT 'Buyer', 'Buys.', id FROM companies WHERE name = 'Borealis Books'"""
AGAIN = "%%sql\nINSERT INTO companies (name) VALUES ('Ada Analytics'), ('Borealis Books')"
NOT_ATTEMPTED = "Not attempted yet"

WRONG = [
    cells("a look", "%%sql\nSELECT 'Buyer' AS title", says=NOT_ATTEMPTED),
    cells("a table that is not there", SECOND.replace("jobs", "job"), says=NOT_ATTEMPTED),
    cells(
        "no company",
        "%%sql\nINSERT INTO jobs (title, description) VALUES ('Buyer', 'Buys.')",
        says=NOT_ATTEMPTED,
    ),
    cells("double quotes", SECOND.replace("'", '"'), says=NOT_ATTEMPTED),
    cells("the other company", FIRST, says=OTHER_COMPANY.name),
    cells("run twice", SELECT, SELECT, says=TWICE.name),
    cells("once for each company", FIRST, SECOND, says=TWICE.name),
    cells(
        "a new company",
        "%%sql\nINSERT INTO companies (name) VALUES ('Borealis Books')",
        THIRD,
        says=SECOND_COMPANY.name,
    ),
    cells("the first rows once more", AGAIN, SECOND, says=SECOND_COMPANY.name),
    cells(
        "the Bookseller changed",
        "%sql UPDATE jobs SET title = 'Buyer' WHERE title = 'Bookseller'",
        says=CHANGED.name,
    ),
    cells("no tables left", "%%sql\nDROP TABLE jobs", says=NOT_ATTEMPTED),
    cells(
        "tables of another shape",
        "%%sql\nDROP TABLE jobs; CREATE TABLE jobs (x int)",
        says="PostgreSQL does not answer the check's questions",
    ),
]
RIGHT = [
    cells("the id looked up", SELECT),
    cells("the id typed", SECOND),
    cells("a subquery", INSERT.format("(SELECT id FROM companies WHERE name = 'Borealis Books')")),
    cells("in lower case", SECOND.replace("'Buyer'", "'buyer '")),
    cells(
        "with an ORM session",
        "from sqlalchemy import create_engine, text\n\n"
        "with create_engine('postgresql+psycopg2://').begin() as connection:\n"
        '    connection.execute(text("INSERT INTO jobs (title, description, company_id)'
        " VALUES ('Buyer', 'x', 2)\"))",
    ),
    cells("wrong, then moved", FIRST, "%sql UPDATE jobs SET company_id = 2 WHERE title = 'Buyer'"),
    cells("twice, then one deleted", SELECT, SELECT, "%sql DELETE FROM jobs WHERE id = 5"),
]
