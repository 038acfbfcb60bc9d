"""3.5  Write a migration alone."""

from workbook.exercises import Answer, cells, edits
from workbook.exercises.kinds import Revision

ADD = 'op.add_column("companies", sa.Column("website", sa.String(200)))'
DROP = 'op.drop_column("companies", "website")'

EXERCISE = Revision(
    file="website.py",
    exact=True,
    code=f"def upgrade() -> None:\n    {ADD}\n\n\ndef downgrade() -> None:\n    {DROP}\n",
    shown="def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n",
    task="write a migration alone",
    hints=(
        "op.add_column takes the table's name and one sa.Column.",
        "A website may be missing: that is what nullable is about.",
        "The way back is op.drop_column, with the names of the table and of the column.",
    ),
    why="One operation up, its opposite down. Without nullable=False the value may be missing (NULL), so the"
    " rows that are there need no value.",
    passed="You can write a migration alone. It kept the rows, and went up, down and up again.",
)

CODE = EXERCISE.filled
HEADER = EXERCISE.header + "\n"


def upgrade(name: str, *lines: str, says: str, hangs: bool = False) -> Answer:
    """An upgrade() of these lines."""
    return Answer(name, says, code=CODE.replace(ADD, "\n    ".join(lines)), hangs=hangs)


WRONG = [
    cells("nothing", says="Not attempted yet"),
    *edits(
        CODE,
        rf"""
pass twice  | {ADD}  | pass  | {DROP}  | pass  | Not attempted yet
a plan in a comment  | {ADD}  | pass  # op.add_column here  | {DROP}  | pass  | Not attempted yet
NOT NULL  | (200)  | (200), nullable=False  | NOT NULL on a table that holds rows
NOT NULL with Python's default  | (200)  | (200), nullable=False, default=""  | default= is Python's, not the database's
NOT NULL with the database's default  | (200)  | (200), nullable=False, server_default=""  | a column that must have a value
a default nobody asked for  | (200)  | (200), server_default="none"  | Different: companies.website is VARCHAR(200) DEFAULT
no length  | (200)  | ()  | another length
another length  | (200)  | (20)  | another length
Text  | String(200)  | Text()  | Different: companies.website is TEXT
a column of another name  | Column("website"  | Column("web_site"  | Missing: the column companies.website
no name  | "website", sa.  | sa.  | a column's name is missing
no type  | , sa.String(200)  |  | a type is missing
the type as a string  | sa.String(200)  | "String(200)"  | a type stands by itself
the length beside the type  | (200)  | , 200  | a type stands by itself
true in lower case  | (200)  | (200), nullable=true  | upper and lower case
Column without sa.  | sa.C  | C  | sa. is missing
Column from op  | sa.C  | op.C  | sa. is missing
an enum type  | String(200)  | Enum("yes", "no", name="has_site")  | add_column makes no type
unique, unasked  | (200)  | (200), unique=True  | Extra: the constraint UNIQUE (website)
no column object  | sa.Column("website", sa.String(200))  | "website", sa.String(200)  | a column is a sa.Column
no table  | "companies", sa.  | sa.  | a column is a sa.Column
table and column swapped  | "companies", sa.Column("website"  | "website", sa.Column("companies"  | the table's name comes first
the class's name  | "companies", sa.  | "Company", sa.  | relation "Company" does not exist
another table  | companies  | jobs  | Missing: the column companies.website
an operation that is not there  | {ADD}  | op.create_column("companies", "website")  | an operation that Alembic does not have
alter_column  | {ADD}  | op.alter_column("companies", "website", type_=sa.String(200))  | nothing there to alter
alter_column with a column  | {ADD}  | op.alter_column("companies", sa.Column("website", sa.String(200)))  | nothing there to alter
a space in the name  | Column("website"  | Column("website "  | a name is compared letter by letter
a capital letter  | "website"  | "Website"  | a name is compared letter by letter
fills the column, unasked  | {ADD}  | {ADD}\n    op.execute("UPDATE companies SET website = 'x'")  | companies.website of the row 1 holds 'x'
a bracket too few  | {ADD}  | op.add_column("companies", sa.Column("website", sa.String(200))  | Line 3 of the cell: op.add_column
an unclosed quote  | "website", sa  | "website, sa  | Line 3 of the cell: op.add_column
errors are swallowed  | {ADD}  | try:\n        op.add_column("company", sa.Column("website", sa.String(200)))\n    except Exception:\n        pass  | an error that is swallowed
a letter is missing  | downgrade  | downgrad  | a function that Alembic does not find
both are called upgrade  | downgrade  | upgrade  | two functions of one name
square brackets  | (200)  | [200]  | square brackets in place of round ones
the table anew  | add_column  | create_table  | a table that is there already
empties the table on the way back  | {DROP}  | {DROP}\n    op.execute("TRUNCATE companies CASCADE")  | rows that were there are not the same
changes the rows on the way  | {ADD}  | {ADD}\n    op.execute("UPDATE companies SET name = 'x'")  | rows that were there are not the same
a slip in SQL  | {ADD}  | op.execute("ALTER TABLE companies ADD COLUMN website varchar(200")  | The upgrade stops with SyntaxError: syntax error at end of input.
a column renamed  | {ADD}  | op.alter_column("companies", "name", new_column_name="website")  | {DROP}  | op.alter_column("companies", "website", new_column_name="name")  | Missing: the column companies.name
a type that SQLAlchemy does not have  | sa.String  | postgresql.VARCHAR  | an import is missing
nothing in the downgrade  | {DROP}  | pass  | a downgrade that does nothing
NULL instead of a drop  | {DROP}  | op.execute("UPDATE companies SET website = NULL")  | a downgrade that does nothing
IF NOT EXISTS and nothing back  | {ADD}  | op.execute("ALTER TABLE companies ADD COLUMN IF NOT EXISTS website varchar(200)")  | {DROP}  | pass  | a downgrade that does nothing
the table is dropped  | {DROP}  | op.drop_table("companies")  | a downgrade that takes too much
the table is dropped with CASCADE  | {DROP}  | op.execute("DROP TABLE companies CASCADE")  | a downgrade that takes too much
another column is dropped  | {DROP}  | op.drop_column("companies", "name")  | Extra: the column companies.website
drop_column's names swapped  | {DROP}  | op.drop_column("website", "companies")  | the table's name comes first
drop_column with a sa.Column  | {DROP}  | op.drop_column("companies", sa.Column("website", sa.String(200)))  | a column is dropped by its name
the upgrade alone works  | {DROP}  | op.drop_column("companies", "web")  | column "web" of relation "companies" does not exist
up and down swapped  | {ADD}  | ?  | {DROP}  | {ADD}  | ?  | {DROP}  | upgrade and downgrade are swapped
a commit  | {ADD}  | {ADD}\n    op.get_bind().commit()  | a migration that commits
create_all  | {ADD}  | from jobboard.database import Base\n    Base.metadata.create_all(op.get_bind())  | create_all in a migration
models imported  | {ADD}  | {ADD}\n    from jobboard.models import Company  | models imported into a migration
raw text to the connection  | {ADD}  | op.get_bind().execute("ALTER TABLE companies ADD website varchar(200)")  | text that SQLAlchemy does not take
an index stays  | {ADD}  | {ADD}\n    op.create_index("ix_jobs_title", "jobs", ["title"])  | an index that stays behind
leaves Python  | {ADD}  | raise SystemExit  | it ends Python itself
leaves Python at once  | {ADD}  | import os\n    os._exit(0)  | it ends Python itself
no downgrade  | \n\n\ndef downgrade() -> None:\n    {DROP}  |  | a function that Alembic does not find
no upgrade  | def upgrade() -> None:\n    {ADD}\n\n\n  |  | a function that Alembic does not find
functions with other names  | upgrade  | up  | downgrade  | down  | a function that Alembic does not find
functions that want something  | () ->  | (op) ->  | a function that Alembic does not find
a forgotten colon  | upgrade() -> None:  | upgrade() -> None  | Line 2 of the cell: def upgrade() -> None
a body that is not indented  | \s   op  | op  | Python cannot read it: expected an indented block
typographic quotes  | "website"  | “website”  | Python cannot read it: invalid character
""",
    ),
    upgrade(
        "drops the table and makes it anew",
        'op.execute("DROP TABLE companies CASCADE")',
        'op.create_table("companies", sa.Column("id", sa.Integer(), primary_key=True),'
        ' sa.Column("name", sa.String(50), nullable=False), sa.Column("website", sa.String(200)))',
        'op.execute("DELETE FROM jobs")',
        'op.create_foreign_key(None, "jobs", "companies", ["company_id"], ["id"])',
        says="rows that were there are not the same",
    ),
    upgrade(
        "an engine of its own",
        ADD,
        'engine = sa.create_engine("postgresql+psycopg2://")',
        "with engine.connect() as other:",
        '    other.execute(sa.text("SELECT * FROM companies"))',
        says="two transactions in one migration",
    ),
    upgrade(
        "sleeps in the database",
        'op.execute("SELECT pg_sleep(600)")',
        says="It was stopped: a statement took longer than",
        hangs=True,
    ),
    upgrade(
        "sleeps in Python",
        "import time",
        "time.sleep(600)",
        says="it did not come to an end in",
        hangs=True,
    ),
    upgrade(
        "never ends", "while True:", "    pass", says="it did not come to an end in", hangs=True
    ),
    upgrade(
        "never ends while it prints",
        "while True:",
        '    print("still here" * 1000)',
        says="it did not come to an end in",
        hangs=True,
    ),
    upgrade(
        "alembic inside of alembic",
        ADD,
        "import os",
        'os.system("alembic upgrade head")',
        "raise ValueError('stop')",
        says="ValueError: stop",
    ),
    upgrade(
        "writes what looks like an answer",
        "import os, pickle, sys",
        "for each in range(1, 20):",
        "    try:",
        '        os.write(each, pickle.dumps({"reference": {"error": None}, "learner": {}}))',
        "    except OSError:",
        "        pass",
        "os._exit(0)",
        says="it ends Python itself",
    ),
    upgrade(
        "deletes what lies around",
        "import shutil",
        'shutil.rmtree("../learner")',
        'shutil.rmtree("../reference")',
        says="Missing: the column companies.website",
    ),
    cells("no functions", f"{HEADER}{ADD}\n", says="an operation outside of a function"),
    cells(
        "a file of another name",
        f"%%writefile practice/web.py\n{CODE}",
        says="The check reads practice/website.py.",
    ),
    cells(
        "a tab among spaces",
        HEADER + CODE.replace("    op.a", "\tpass\n    op.a"),
        says="Line 4 of the cell: op.add_column",
    ),
    cells(
        "SQL instead of Python",
        HEADER + "ALTER TABLE companies ADD COLUMN website varchar(200);\n",
        says="Line 2 of the cell: ALTER TABLE",
    ),
    cells("an empty file", HEADER, says="Not attempted yet"),
    cells(
        "a NUL byte",
        "from pathlib import Path\n\nPath('practice/website.py').write_bytes(b'def upgrade():\\0')",
        says="Python cannot read it",
    ),
    cells(
        "another encoding",
        "from pathlib import Path\n\n"
        "Path('practice/website.py').write_text('def upgrade():\\n    op.é\\n', encoding='utf-16')",
        says="Python cannot read it",
    ),
]

RIGHT = [
    *edits(
        CODE,
        rf"""
nullable said  | String(200)  | VARCHAR(length=200), nullable=True
a comment  | String(200)  | Unicode(200), comment="with https"
raw SQL  | {ADD}  | op.execute("ALTER TABLE companies ADD COLUMN website varchar(200)")  | {DROP}  | op.execute("ALTER TABLE companies DROP COLUMN website")
text on the connection  | {ADD}  | op.get_bind().execute(sa.text("ALTER TABLE companies ADD website varchar(200)"))
batch mode  | {ADD}  | with op.batch_alter_table("companies") as batch:\n        batch.add_column(sa.Column("website", sa.String(200)))  | {DROP}  | with op.batch_alter_table("companies") as batch:\n        batch.drop_column("website")
by keywords  | "companies", sa.Column  | table_name="companies", column=sa.Column  | (200)  | (length=200)  | {DROP}  | op.drop_column(table_name="companies", column_name="website")
an f-string  | {ADD}  | for size in (200,):\n        op.execute(f"ALTER TABLE companies ADD website VARCHAR({{size}})")
looks at the rows  | {ADD}  | {ADD}\n    print(op.get_bind().execute(sa.text("SELECT count(*) FROM companies")).scalar())
a temporary table  | {ADD}  | {ADD}\n    op.execute("CREATE TEMPORARY TABLE t (n int) ON COMMIT DROP")
prints a lot  | {ADD}  | {ADD}\n    print("x" * 10**6)
annotations that are not evaluated  | def upgrade  | from __future__ import annotations\n\n\ndef upgrade
""",
    ),
    cells(
        "helpers and imports",
        HEADER + '"""Nothing to commit."""\n\nfrom alembic import op\nimport sqlalchemy as sa\n\n'
        'TABLE = "companies"\n\n\n' + CODE.replace('"companies"', "TABLE"),
    ),
    cells(
        "a whole revision file",
        HEADER + '"""website"""\nfrom alembic import op\nimport sqlalchemy as sa\n\n'
        'revision = "0123456789ab"\ndown_revision = None\nbranch_labels = None\n'
        "depends_on = None\n\n\n" + CODE,
    ),
    cells("with Windows line ends", HEADER + CODE.replace("\n", "\r\n")),
]
