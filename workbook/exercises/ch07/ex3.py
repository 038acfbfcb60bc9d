"""7.3  Repair a data migration: no models, no commit."""

from workbook.contents import Start
from workbook.exercises import Mistake, cells, edits
from workbook.exercises.kinds import TWO_TABLES, Revision

TRIM = 'op.execute("UPDATE jobs SET title = btrim(title)")'
UNTIDY = """
INSERT INTO companies (name) VALUES ('Ada Analytics'), (' Borealis Books');
INSERT INTO jobs (title, description, company_id) VALUES
    ('Analyst ', 'Asks the questions. ', 1), ('  Bookseller', 'Knows every shelf.', 2),
    ('Head  of data', 'Knows what is where.', 1), ('Cook', 'Lunch for forty.', 2);
INSERT INTO jobs (id, title, description, company_id) VALUES (40, E'Driver\\t ', 'Nights.', 1);
"""

ANY_WHITE_SPACE = Mistake(
    "more than the spaces",
    "A title that ends with a tab lost it. The migration as it was takes away spaces, and nothing else:"
    " look at what stands in the brackets of its strip.",
    "To do the same to the rows is a part of the task.",
    lambda t: (
        (step := t.run.after("upgrade"))
        and "Driver" in {row.get("title") for row in step.rows.get("jobs", [])}
        and "It is about jobs.title."
    ),
)
OUTSIDE = Mistake(
    "a block that commits",
    "autocommit_block commits what came before it, and each of its own statements at once. It is for the"
    " few statements that no transaction takes, and an UPDATE is none of them.",
    "Leave it out: Alembic commits when the whole migration has gone well.",
    lambda t: t.calls("autocommit_block"),
)

EXERCISE = Revision(
    file="trim.py",
    exact=True,
    start=Start(TWO_TABLES.words, TWO_TABLES.files, TWO_TABLES.heads, TWO_TABLES.applied, UNTIDY),
    code=f"def upgrade() -> None:\n    {TRIM}\n\n\ndef downgrade() -> None:\n    pass\n",
    shown="""
def upgrade() -> None:
    from jobboard.models import Job
    from sqlalchemy.orm import Session
    session = Session(op.get_bind())
    for job in session.query(Job):
        job.title = job.title.strip(" ")
    session.flush()
    op.get_bind().commit()


def downgrade() -> None:
    pass
""",
    mistakes=(ANY_WHITE_SPACE, OUTSIDE),
    task="repair a data migration",
    hints=(
        "Two things will go wrong one day: what it imports, and what its last line does.",
        "PostgreSQL can do the work by itself, in one statement: btrim(title) takes the spaces away at"
        " both ends.",
        "op.execute takes an UPDATE as text. downgrade() may stay as it is.",
    ),
    why="The statement names one table and one column, and will do the same in a year. Nothing is on the"
    " way back: no column says any more which titles had spaces.",
    passed="You can move data in a migration that runs on any database, and as a whole or not at all.",
)

CODE = EXERCISE.filled
SHOWN = EXERCISE.shown or ""
HEADER = EXERCISE.header + "\n"
WRONG = [
    *edits(
        CODE,
        rf"""
nothing at all  | {TRIM}  | pass  | jobs.title of the row 1 holds 'Analyst '
one end alone  | btrim  | rtrim  | jobs.title of the row 2 holds '  Bookseller'
the other end alone  | btrim  | ltrim  | jobs.title of the row 1 holds 'Analyst '
spaces within go, too  | btrim(title)  | replace(title, ' ', '')  | jobs.title of the row 3 holds 'Headofdata'
two spaces within become one  | btrim(title)  | btrim(regexp_replace(title, ' +', ' ', 'g'))  | jobs.title of the row 3 holds 'Head of data'
the descriptions, too  | btrim(title)  | btrim(title), description = btrim(description)  | jobs.description of the row 1 holds
another table  | jobs SET title = btrim(title)  | companies SET name = btrim(name)  | rows that were there are not the same
Python's word for it  | btrim(title)  | strip(title)  | function strip(character varying) does not exist
one row  | btrim(title)  | 'Analyst'  | jobs.title of the row 2 holds 'Analyst'
deletes them  | UPDATE jobs SET title = btrim(title)  | DELETE FROM jobs WHERE title <> btrim(title)  | a row of jobs is missing
the commit stays  | {TRIM}  | {TRIM}\n    op.get_bind().commit()  | a migration that commits
a commit in SQL  | {TRIM}  | {TRIM}\n    op.execute("COMMIT")  | a migration that commits
raw text to the connection  | op.execute(  | op.get_bind().execute(  | text that SQLAlchemy does not take
a colon in the text  | {TRIM}  | op.execute("UPDATE jobs SET title = btrim(title) WHERE title <> ':draft'")  | a colon in SQL text
SQL without op.execute  | op.execute("UPDATE jobs SET title = btrim(title)")  | "UPDATE jobs SET title = btrim(title)"  | a statement that nobody sends
made and not sent  | {TRIM}  | jobs = sa.table("jobs", sa.column("title"))\n    jobs.update().values(title=sa.func.btrim(jobs.c.title))  | a statement that nobody sends
a commit behind the statement  | btrim(title)"  | btrim(title); COMMIT"  | a migration that commits
outside of the transaction  | {TRIM}  | with op.get_context().autocommit_block():\n        {TRIM}  | a block that commits
tabs and line ends, too  | btrim(title)  | regexp_replace(title, '^[[:space:]]+|[[:space:]]+$', '', 'g')  | more than the spaces
the first rows alone  | btrim(title)  | btrim(title) WHERE id < 5  | jobs.title of the row 40 holds
the spaces come back  | pass  | op.execute("UPDATE jobs SET title = ' ' || title")  | After the downgrade, jobs.title of the row 1
a downgrade that refuses  | pass  | raise NotImplementedError("no way back")  | The downgrade stops with NotImplementedError
no downgrade  | \n\n\ndef downgrade() -> None:\n    pass  |  | a function that Alembic does not find
""",
    ),
    cells("nothing but the cell", HEADER + SHOWN, says="Not attempted yet"),
    cells(
        "the commit goes, the model stays",
        HEADER + SHOWN.replace("    op.get_bind().commit()\n", ""),
        says="models imported into a migration",
    ),
    cells(
        "the model goes, its name stays",
        HEADER + SHOWN.replace("    from jobboard.models import Job\n", ""),
        says="a migration that commits",
    ),
    cells(
        "the import goes into the function",
        HEADER + CODE.replace("    op", "    from jobboard.models import Job\n    op", 1),
        says="models imported into a migration",
    ),
]
RIGHT = [
    *edits(
        CODE,
        rf"""
the standard's word  | btrim(title)  | trim(both ' ' from title)
those alone that need it  | btrim(title)  | btrim(title) WHERE title <> btrim(title)
sa.text  | "UPDATE jobs SET title = btrim(title)"  | sa.text("UPDATE jobs SET title = btrim(title)")
the connection  | {TRIM}  | op.get_bind().execute(sa.text("UPDATE jobs SET title = btrim(title)"))
a loop over the rows  | {TRIM}  | bind = op.get_bind()\n    for id, title in bind.execute(sa.text("SELECT id, title FROM jobs")).all():\n        bind.execute(sa.text("UPDATE jobs SET title = :t WHERE id = :id"), {{"t": title.strip(" "), "id": id}})
a session that commits in the migration's transaction  | {TRIM}  | from sqlalchemy.orm import Session\n    session = Session(op.get_bind())\n    session.execute(sa.text("UPDATE jobs SET title = btrim(title)"))\n    session.commit()
""",
    ),
    cells(
        "with sa.table",
        HEADER
        + 'jobs = sa.table("jobs", sa.column("title"))\n\n\n'
        + CODE.replace(TRIM, "op.execute(jobs.update().values(title=sa.func.btrim(jobs.c.title)))"),
    ),
]
