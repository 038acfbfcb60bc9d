"""7.2  A column that must have a value, alone: each old row gets its own."""

from workbook.exercises import Mistake, cells, edits
from workbook.exercises.ch05 import functions
from workbook.exercises.kinds import Revision

ADD = 'op.add_column("jobs", sa.Column("contact", sa.String(100)))'
FILL = 'op.execute("UPDATE jobs SET contact = companies.name FROM companies WHERE companies.id = jobs.company_id")'
REQUIRE = 'op.alter_column("jobs", "contact", nullable=False)'
DROP = 'op.drop_column("jobs", "contact")'
STEPS = (ADD, FILL, REQUIRE)

EVERY_ROW_ALIKE = Mistake(
    "all rows get the value of one",
    "Every job has the same contact now, whatever company offers it: nothing in the statement ties a"
    " job to its own company.",
    "Which two columns have to be equal?",
    lambda t: (
        (step := t.run.after("upgrade"))
        and len({row.get("company_id") for row in step.rows.get("jobs", [])}) > 1
        and {type(row.get("contact")) for row in step.rows["jobs"]} == {str}
        and len({row["contact"] for row in step.rows["jobs"]} - {""}) == 1
        and "contact has one value in all of jobs."
    ),
)

EXERCISE = Revision(
    file="contact.py",
    exact=True,
    code=functions(STEPS, DROP),
    shown="def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n",
    # of a company whose name nobody can have written down
    then="INSERT INTO companies (name) VALUES ('Driftwood Radio'); INSERT INTO jobs (title, description,"
    " company_id, contact) SELECT 'Cook', 'Lunch.', max(id), 'Carla' FROM companies",
    mistakes=(EVERY_ROW_ALIKE,),
    task="add a column that must have a value, with a value for each old row",
    hints=(
        "Three operations: the column that may be NULL, the values, and then NOT NULL.",
        "The values are one UPDATE. UPDATE ... SET ... FROM companies WHERE ... may look at a second"
        " table.",
        "The last one is op.alter_column with nullable=False. Down is shorter: nothing but the column"
        " has come.",
    ),
    why="One UPDATE gives each job the name of its own company. Until that has run, NULL has to be"
    " allowed.",
    passed="You can require a column of a table that holds rows, and each row got its own value.",
)

CODE = EXERCISE.filled
ALL = "\\n    ".join(STEPS)  # as the table below has it
WRONG = edits(
    CODE,
    rf"""
pass twice  | {ALL}  | pass  | {DROP}  | pass  | Not attempted yet
NOT NULL at once  | String(100))  | String(100), nullable=False)  | \n    {REQUIRE}  |  | NOT NULL on a table that holds rows
NOT NULL and no values  | \n    {FILL}  |  | required before every row has a value
NOT NULL before the values  | {FILL}\n    {REQUIRE}  | {REQUIRE}\n    {FILL}  | required before every row has a value
Python's default  | String(100))  | String(100), nullable=False, default="")  | default= is Python's, not the database's
the database's default  | {ALL}  | op.add_column("jobs", sa.Column("contact", sa.String(100), nullable=False, server_default=""))  | Different: jobs.contact is VARCHAR(100) NOT NULL DEFAULT
no NOT NULL  | \n    {REQUIRE}  |  | a column may be NULL unless you say otherwise
the values before the column  | {ADD}\n    {FILL}  | {FILL}\n    {ADD}  | column "contact" of relation "jobs" does not exist
one text for all  | companies.name FROM companies WHERE companies.id = jobs.company_id  | 'unknown'  | all rows get the value of one
no WHERE  | \sWHERE companies.id = jobs.company_id  |  | all rows get the value of one
the wrong ids  | companies.id = jobs.company_id  | companies.id = jobs.id  | required before every row has a value
the title in place of the name  | companies.name FROM companies WHERE companies.id = jobs.company_id  | title  | jobs.contact of the row 1 holds 'Job 1'
the names by hand  | companies.name FROM companies WHERE companies.id = jobs.company_id  | CASE company_id WHEN 1 THEN 'Ada Analytics' WHEN 2 THEN 'Borealis Books' ELSE 'Cedar Clinic' END  | After the second upgrade, jobs.contact of the row 5 holds 'Cedar Clinic'
a column that sa.table was not given  | {FILL}  | jobs = sa.table("jobs", sa.column("contact"))\n    op.execute(jobs.update().values(contact=jobs.c.company_id))  | columns that sa.table was not given
the name in capitals  | = companies.name  | = upper(companies.name)  | jobs.contact of the row 1 holds
without FROM  | \sFROM companies  |  | missing FROM-clause entry for table "companies"
another length  | String(100)  | String(50)  | another length
a length that does not fit  | String(100)  | String(5)  | a value that is too long
the class's name  | UPDATE jobs  | UPDATE Job  | relation "job" does not exist
rows without a value go  | {REQUIRE}  | op.execute("DELETE FROM jobs WHERE id > 2")\n    {REQUIRE}  | rows that were there are not the same
with the models, and filled  | {ADD}  | from jobboard import models\n    {ADD}  | models imported into a migration
a commit  | {REQUIRE}  | op.get_bind().commit()\n    {REQUIRE}  | a migration that commits
NULL again  | {DROP}  | op.alter_column("jobs", "contact", nullable=True)  | Extra: the column jobs.contact
nothing on the way back  | {DROP}  | pass  | a downgrade that does nothing
the table goes  | {DROP}  | op.drop_table("jobs")  | a downgrade that takes too much
raw text to the connection  | op.execute("UPDATE  | op.get_bind().execute("UPDATE  | text that SQLAlchemy does not take
SET NOT NULL on another column  | "contact", nullable  | "description", nullable  | a column may be NULL unless you say otherwise
""",
)
RIGHT = [
    *edits(
        CODE,
        rf"""
a query for each row  | companies.name FROM companies WHERE companies.id = jobs.company_id  | (SELECT name FROM companies WHERE companies.id = jobs.company_id)
raw SQL  | {REQUIRE}  | op.execute("ALTER TABLE jobs ALTER COLUMN contact SET NOT NULL")
a default for a while  | String(100))  | String(100), nullable=False, server_default="")  | {REQUIRE}  | op.alter_column("jobs", "contact", server_default=None)
with the old type  | nullable=False  | existing_type=sa.String(100), nullable=False
in a loop  | {FILL}  | bind = op.get_bind()\n    for id, name in bind.execute(sa.text("SELECT id, name FROM companies")).all():\n        bind.execute(sa.text("UPDATE jobs SET contact = :name WHERE company_id = :id"), {{"id": id, "name": name}})
a session of SQLAlchemy's that commits  | {FILL}  | from sqlalchemy.orm import Session\n    with Session(op.get_bind()) as session:\n        session.execute(sa.text("UPDATE jobs SET contact = (SELECT name FROM companies AS c WHERE c.id = company_id)"))\n        session.commit()
""",
    ),
    cells(
        "with sa.table",
        EXERCISE.header
        + """
jobs = sa.table("jobs", sa.column("company_id"), sa.column("contact"))
companies = sa.table("companies", sa.column("id"), sa.column("name"))


"""
        + CODE.replace(
            FILL,
            "op.execute(jobs.update().where(jobs.c.company_id == companies.c.id)"
            ".values(contact=companies.c.name))",
        ),
    ),
]
