"""4.4  Insert a row that refers to another."""

from collections.abc import Mapping

import sqlalchemy as sa

from workbook.exercises import Mistake, Outcome, cells
from workbook.exercises.kinds import DONE, Do, not_attempted
from workbook.exercises.trial import known, not_yet

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
EACH = Mistake(
    "a row for each company",
    "An INSERT ... SELECT puts in a row for each one that its SELECT finds, and yours found every company.",
    "Try the SELECT alone: it has to find one company. Delete the rows that are too many.",
)
RENAMED = Mistake(
    "a company was renamed",
    "UPDATE companies gave another company this name, with the jobs that it has. The task leaves the"
    " companies as they are.",
    "Give the row its own name back: an UPDATE that finds it by its id. Delete neither of the two.",
)
NO_TEXT = Mistake(
    "an empty text is a value",
    "The description is '', a text of no characters. NOT NULL lets it pass, and nobody learns what the"
    " job is about.",
    "UPDATE the row with a few words of your own.",
)
LOST = Mistake(
    "rows that were there are gone",
    "Ada Analytics had two jobs, and an INSERT for another company touches neither.",
    "Put back what is missing with an INSERT.",
)
AS_COMPANY = Mistake(
    "a job is not a company",
    "A Buyer is somebody that a company looks for: a row of jobs. Yours is a row of companies.",
    "Delete it, and insert into the other table.",
)
UNSEEN = (
    "No job has the title Buyer yet. Write the INSERT and run it. If you did, the error's last lines"
    " say what PostgreSQL refused: a job needs a title, a description and the id of a company."
)
BOREALIS, ADA = "Borealis Books", "Ada Analytics"
OFFERS = """
SELECT companies.id, name, title, trim(description) FROM companies
LEFT JOIN jobs ON jobs.company_id = companies.id ORDER BY jobs.id
"""


def buyer(connection: sa.Connection) -> Outcome:
    """Whether Borealis Books, the one and only, offers one job as Buyer, and the rest is there."""
    if not {"companies", "jobs"} <= {*sa.inspect(connection).get_table_names()}:
        return not_attempted("There are no tables yet: run the notebook's first cell.")
    rows = connection.exec_driver_sql(OFFERS).all()
    names = {id: name for id, name, _, _ in rows}
    titles = {each: [t for _, name, t, _ in rows if t and name == each] for each in names.values()}
    buyers = [(id, said) for id, _, title, said in rows if (title or "").strip().lower() == "buyer"]
    mine = [id for id, name in names.items() if name == BOREALIS]
    if len(mine) > 1:
        place = f"Their ids are {' and '.join(map(str, sorted(mine)))}."
        return known(SECOND_COMPANY if ADA in titles else RENAMED, place)
    if not buyers:
        return _unseen(titles)
    if all(title.strip().lower() == "buyer" for title in titles.get(BOREALIS, [])):
        return known(CHANGED)
    if len(buyers) > 1:
        found = {id for id, _ in buyers}
        return known(EACH if len(buyers) == len(found) == len(names) else TWICE)
    [(company, description)] = buyers
    if [company] != mine:
        return known(OTHER_COMPANY, f"It is at {names[company]}.")
    if not description:
        return known(NO_TEXT, "It is about jobs.description.")
    left = titles.get(ADA, [])
    return DONE if len(left) > 1 else known(LOST, f"Left are: {', '.join(left) or 'none'}.")


def _unseen(titles: Mapping[str, list[str]]) -> Outcome:
    """What to tell where no job is called Buyer."""
    if "Buyer" in titles:
        return known(AS_COMPANY)
    others = {*titles.get(BOREALIS, [])} - {"Bookseller"}
    if others:
        return not_yet(f"{BOREALIS} offers a job called {min(others)!r}, and no Buyer.")
    return not_attempted(UNSEEN)


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
    mistakes=(
        *(SECOND_COMPANY, TWICE, OTHER_COMPANY, CHANGED),
        *(EACH, RENAMED, NO_TEXT, LOST, AS_COMPANY),
    ),
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
    cells("once for each company", FIRST, SECOND, says=EACH.name),
    cells(
        "a SELECT of all companies",
        SELECT.partition("\nWHERE")[0].partition(" WHERE")[0],
        says=EACH.name,
    ),
    cells("no description to speak of", SECOND.replace("'Buys.'", "' '"), says=NO_TEXT.name),
    cells(
        "Ada's jobs deleted", "%sql DELETE FROM jobs WHERE company_id = 1", SECOND, says=LOST.name
    ),
    cells(
        "Ada deleted",
        "%sql DELETE FROM jobs WHERE company_id = 1",
        "%sql DELETE FROM companies WHERE id = 1",
        SECOND,
        says=LOST.name,
    ),
    cells("every job changed", "%sql UPDATE jobs SET title = 'Buyer'", says=CHANGED.name),
    cells(
        "swapped", SECOND.replace("title, description", "description, title"), says="called 'Buys.'"
    ),
    cells(
        "Ada renamed",
        "%sql UPDATE companies SET name = 'Borealis Books' WHERE id = 1",
        FIRST,
        says=RENAMED.name,
    ),
    cells("a typo", SECOND.replace("Buyer", "Buyr"), says="a job called 'Buyr', and no Buyer"),
    cells(
        "a Buyer among the companies",
        "%sql INSERT INTO companies (name) VALUES ('Buyer')",
        says=AS_COMPANY.name,
    ),
    cells("refused", INSERT.format(9), says="say what PostgreSQL refused"),
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
