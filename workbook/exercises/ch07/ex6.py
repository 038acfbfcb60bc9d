"""7.6  Move a column into a table of its own, and back, alone."""

from dataclasses import replace

from workbook.exercises import Mistake, cells, edits
from workbook.exercises.kinds import TWO_TABLES, Revision

CODE = """
def upgrade() -> None:
    op.create_table(
        "job_texts",
        sa.Column("job_id", sa.Integer(), sa.ForeignKey("jobs.id"), primary_key=True),
        sa.Column("text", sa.String(), nullable=False),
    )
    op.execute("INSERT INTO job_texts (job_id, text) SELECT id, description FROM jobs")
    op.drop_column("jobs", "description")


def downgrade() -> None:
    op.add_column("jobs", sa.Column("description", sa.String()))
    op.execute("UPDATE jobs SET description = text FROM job_texts WHERE job_id = jobs.id")
    op.alter_column("jobs", "description", nullable=False)
    op.drop_table("job_texts")
"""
COPY = 'op.execute("INSERT INTO job_texts (job_id, text) SELECT id, description FROM jobs")'
BACK = 'op.execute("UPDATE jobs SET description = text FROM job_texts WHERE job_id = jobs.id")'
ADD = 'op.add_column("jobs", sa.Column("description", sa.String()))'
REQUIRE = 'op.alter_column("jobs", "description", nullable=False)'
DROP = 'op.drop_column("jobs", "description")'
DROP_TABLE = 'op.drop_table("job_texts")'
FOUR_JOBS = """
INSERT INTO companies (name) VALUES ('Ada Analytics'), ('Borealis Books');
INSERT INTO jobs (id, title, description, company_id) VALUES
    (4, 'Analyst', 'Asks the questions.', 1), (2, 'Cook', 'Lunch for forty.', 2),
    (7, 'Data engineer', 'Builds the pipelines.', 1), (5, 'Bookseller', '', 2),
    (6, 'Editor', repeat('Reads. ', 60), 2);
SELECT setval('jobs_id_seq', 7);
"""

NOT_COPIED = Mistake(
    "the shape has moved, and the data have not",
    "The table is right, and there is nothing in it: the texts went with the column.",
    "Copy them while both places exist.",
    lambda t: (
        (step := t.run.after("upgrade"))
        and step.rows.get("job_texts") == []
        and "description" not in step.schema.tables["jobs"].columns
        and "job_texts has no rows."
    ),
)
TEXTS_LOST = Mistake(
    "a way back without the data",
    "After the downgrade, jobs has its column again, and not the texts that stood in job_texts.",
    "Copy them back while both places exist.",
    lambda t: (
        (step := t.run.after("downgrade"))
        and t.run.after("upgrade")
        and "description" in step.schema.tables["jobs"].columns
        and not {row["description"] for row in step.rows["jobs"]} - {None, "", "None"}
        and "No job has its text."
    ),
)
COUNTS = Mistake(
    "a key that counts by itself",
    "An integer primary key that refers to nothing when its table is made becomes a serial, with a"
    " sequence. These ids are those of jobs, and no sequence gives them.",
    "Where could the column say, from the beginning, what it refers to?",
    lambda t: (
        (table := t.up and t.up.tables.get("job_texts"))
        and table.columns["job_id"].default == "serial"
        and "f" in {each.kind for each in table.constraints}
        and "It is about job_texts.job_id."
    ),
)

EXERCISE = Revision(
    file="job_texts.py",
    exact=True,
    start=replace(TWO_TABLES, rows=FOUR_JOBS),
    then="INSERT INTO jobs (title, company_id) VALUES ('Driver', 1);"
    " INSERT INTO job_texts (job_id, text) SELECT id, 'Nights.' FROM jobs WHERE title = 'Driver'",
    code=CODE,
    shown="def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n",
    mistakes=(NOT_COPIED, TEXTS_LOST, COUNTS),
    task="move a column into a table of its own, and back",
    hints=(
        "Up: the new table, then the rows, then the old column. INSERT INTO ... SELECT copies rows from"
        " one table to another.",
        "The way back is the same walk, backwards: the column, the rows, the table. The column is NOT"
        " NULL in the end, and cannot be so when it comes.",
        "UPDATE jobs SET ... FROM job_texts WHERE ... gives each job its text again.",
    ),
    why="While the data move, both places exist. Each way ends by dropping what has become empty, and a"
    " job that came in between has its text, too.",
    passed="Your migration moves data, and its way back brings all of them back.",
)

WRONG = edits(
    EXERCISE.filled,
    rf"""
the data are forgotten  | {COPY}  |  | the shape has moved, and the data have not
the column goes first  | \n    {COPY}\n    {DROP}  | \n    {DROP}\n    {COPY}  | column "description" does not exist
both stay  | \n    {DROP}  |  | Extra: the column jobs.description
numbered anew  | SELECT id, description FROM jobs  | SELECT row_number() OVER (ORDER BY id), description FROM jobs  | violates foreign key constraint
in another order  | SELECT id, description FROM jobs  | SELECT id, title FROM jobs  | job_texts.text
the company's id  | SELECT id, desc  | SELECT company_id, desc  | duplicate key value
columns swapped  | (job_id, text) SELECT  | (text, job_id) SELECT  | job_id
no key to jobs  | , sa.ForeignKey("jobs.id"), p  | , p  | an id is not a rule
a key that comes later  | , sa.ForeignKey("jobs.id"), p  | , p  | {DROP}  | op.create_foreign_key("fk", "job_texts", "jobs", ["job_id"], ["id"])\n    {DROP}  | a key that counts by itself
a length that is too short  | sa.Column("text", sa.String()  | sa.Column("text", sa.String(255)  | a value that is too long
empty texts stay behind  | SELECT id, description FROM jobs  | SELECT id, description FROM jobs WHERE description <> ''  | required before every row has a value
text may be NULL  | sa.String(), nullable=False),  | sa.String()),  | a column may be NULL unless you say otherwise
no primary key  | , primary_key=True  | , nullable=False  | no primary key
text of the wrong name  | sa.Column("text"  | sa.Column("description"  | column "text" of relation "job_texts" does not exist
nothing on the way back but the table  | {ADD}\n    {BACK}\n    {REQUIRE}\n    {DROP_TABLE}  | {DROP_TABLE}  | Missing: the column jobs.description
the way back forgets the texts  | {BACK}\n    {REQUIRE}  | op.execute("UPDATE jobs SET description = ''")\n    {REQUIRE}  | a way back without the data
a default in place of the texts  | {ADD}\n    {BACK}\n    {REQUIRE}  | op.add_column("jobs", sa.Column("description", sa.String(), nullable=False, server_default=""))\n    op.alter_column("jobs", "description", server_default=None)  | a way back without the data
NOT NULL at once on the way back  | sa.String()))\n    op.execute("UP  | sa.String(), nullable=False))\n    op.execute("UP  | NOT NULL on a table that holds rows
NOT NULL forgotten on the way back  | \n    {REQUIRE}  |  | The downgrade does not lead back
NOT NULL before the texts  | {BACK}\n    {REQUIRE}  | {REQUIRE}\n    {BACK}  | required before every row has a value
every job the same text  | WHERE job_id = jobs.id  | WHERE true  | After the downgrade, jobs.description of the row
the table goes first  | {BACK}\n    {REQUIRE}\n    {DROP_TABLE}  | {DROP_TABLE}\n    {BACK}\n    {REQUIRE}  | relation "job_texts" does not exist
the table stays  | \n    {DROP_TABLE}  |  | Extra: the table job_texts
pass on the way back  | {ADD}\n    {BACK}\n    {REQUIRE}\n    {DROP_TABLE}  | pass  | a downgrade that does nothing
the old jobs alone  | WHERE job_id = jobs.id  | WHERE job_id = jobs.id AND job_id < 8  | required before every row has a value
a table to keep  | {DROP}  | op.execute("CREATE TABLE jobs_before AS SELECT * FROM jobs")\n    {DROP}  | Extra: the table jobs_before
a commit  | {DROP}  | op.get_bind().commit()\n    {DROP}  | a migration that commits
""",
)
RIGHT = [
    cells("as here", EXERCISE.header + CODE),
    *edits(
        EXERCISE.filled,
        rf"""
a constraint of its own  | sa.ForeignKey("jobs.id"), primary_key=True),  | primary_key=True),  | sa.String(), nullable=False),  | sa.String(), nullable=False),\n        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"]),
CREATE TABLE AS at heart  | {COPY}  | op.execute("CREATE TEMP TABLE t ON COMMIT DROP AS SELECT id, description FROM jobs")\n    op.execute("INSERT INTO job_texts SELECT id, description FROM t")
a query for each job  | text FROM job_texts WHERE job_id = jobs.id  | (SELECT text FROM job_texts WHERE job_id = jobs.id)
a default for a while  | {ADD}  | op.add_column("jobs", sa.Column("description", sa.String(), nullable=False, server_default="?"))  | {REQUIRE}  | op.alter_column("jobs", "description", server_default=None)
from_select  | {COPY}  | jobs = sa.table("jobs", sa.column("id"), sa.column("description"))\n    texts = sa.table("job_texts", sa.column("job_id"), sa.column("text"))\n    op.execute(texts.insert().from_select(["job_id", "text"], sa.select(jobs.c.id, jobs.c.description)))
""",
    ),
]
