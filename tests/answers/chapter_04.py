"""Answers to the exercises of chapter 4: the tables seen with SQL."""

from answers import Answer

INSERT = "%%sql\nINSERT INTO jobs (title, description, company_id) VALUES ('Buyer', 'Buys.', {})"
SELECT = """%%sql
INSERT INTO jobs (title, description, company_id)
SELECT 'Buyer', 'Buys.', id FROM companies WHERE name = 'Borealis Books'"""
AGAIN = "%%sql\nINSERT INTO companies (name) VALUES ('Ada Analytics'), ('Borealis Books')"


def buyer(name: str, *cells: str, says: str = "") -> Answer:
    """Cells for 4.4."""
    return Answer("4.4", name, cells, says=says)


WRONG = [
    Answer("4.1", "how long they are", given=12, says="how long it is, not how long it may be"),
    Answer("4.1", "a name's length", given="50", says="another column"),
    Answer("4.1", "a title's length", given="100", says="another column"),
    Answer("4.1", "a word", given="many", says="That is not what comes out: 'many'"),
    Answer("4.2", "guessed", given="alembic_version_pkey", says="a guessed constraint name"),
    Answer("4.2", "the column", given="version_num", says="a column is not a constraint"),
    Answer("4.2", "another table's", given="companies_pkey", says="another table"),
    Answer(
        "4.2",
        "the table",
        given="alembic_version",
        says="That is not what comes out: 'alembic_version'",
    ),
    Answer("4.3", "WHERE before JOIN", given="b d c e a", says="the tables come before the filter"),
    Answer("4.3", "ORDER BY in the middle", given="b d e a c", says="rows are ordered last"),
    Answer("4.3", "FROM first", given="d b e c a", says="PostgreSQL cannot read it"),
    Answer("4.3", "JOIN before FROM", given="b e d c a", says="PostgreSQL cannot read it"),
    Answer(
        "4.3", "without the filter", given="b d e a", says="Use each of the letters a b c d e once"
    ),
    buyer("a look", "%%sql\nSELECT 'Buyer' AS title", says="Not attempted yet"),
    buyer(
        "a table that is not there",
        INSERT.format(2).replace("jobs", "job"),
        says="Not attempted yet",
    ),
    buyer(
        "no company",
        "%%sql\nINSERT INTO jobs (title, description) VALUES ('Buyer', 'Buys.')",
        says="Not attempted yet",
    ),
    buyer("double quotes", INSERT.format(2).replace("'", '"'), says="Not attempted yet"),
    buyer("the other company", INSERT.format(1), says="another company's job"),
    buyer("run twice", SELECT, SELECT, says="the same row twice"),
    buyer("once for each company", INSERT.format(1), INSERT.format(2), says="the same row twice"),
    buyer(
        "a new company",
        "%%sql\nINSERT INTO companies (name) VALUES ('Borealis Books')",
        INSERT.format(3),
        says="a second company of the same name",
    ),
    buyer(
        "the first rows once more",
        AGAIN,
        INSERT.format(2),
        says="a second company of the same name",
    ),
    buyer(
        "the Bookseller changed",
        "%sql UPDATE jobs SET title = 'Buyer' WHERE title = 'Bookseller'",
        says="a row was changed, not added",
    ),
    buyer("no tables left", "%%sql\nDROP TABLE jobs", says="Not attempted yet"),
    buyer(
        "tables of another shape",
        "%%sql\nDROP TABLE jobs; CREATE TABLE jobs (x int)",
        says="PostgreSQL does not answer the check's questions",
    ),
    Answer("4.5", "a", given="a", says="the parent cannot go first"),
    Answer("4.5", "c", given="c", says="the rule is not the enemy"),
    Answer("4.5", "d", given="d", says="CASCADE belongs to the constraint"),
]

RIGHT = [
    Answer("4.1", "a number", given=32),
    Answer("4.1", "with its unit", given="32 characters"),
    Answer("4.1", "the type", given="varchar(32)"),
    Answer("4.2", "in quotes", given='"ALEMBIC_VERSION_PKC"'),
    Answer("4.3", "in one word", given="BDECA"),
    buyer("the id looked up", SELECT),
    buyer("the id typed", INSERT.format(2)),
    buyer("a subquery", INSERT.format("(SELECT id FROM companies WHERE name = 'Borealis Books')")),
    buyer("in lower case", INSERT.format(2).replace("'Buyer'", "'buyer '")),
    buyer(
        "with an ORM session",
        "from sqlalchemy import create_engine, text\n\nwith create_engine('postgresql+psycopg2://').begin() as connection:\n    connection.execute(text(\"INSERT INTO jobs (title, description, company_id) VALUES ('Buyer', 'x', 2)\"))",
    ),
    buyer(
        "wrong, then moved",
        INSERT.format(1),
        "%sql UPDATE jobs SET company_id = 2 WHERE title = 'Buyer'",
    ),
    buyer("twice, then one deleted", SELECT, SELECT, "%sql DELETE FROM jobs WHERE id = 5"),
    Answer("4.5", "a capital", given="B"),
]
