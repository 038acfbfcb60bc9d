"""Answers to the exercises of chapter 3: upgrade."""

from answers import Answer

ADD = 'op.add_column("companies", sa.Column("website", sa.String(200)))'
DROP = 'op.drop_column("companies", "website")'
BY_HAND = """%%sql
CREATE TABLE companies (id serial PRIMARY KEY, name varchar(50) NOT NULL);
CREATE TABLE jobs (id serial PRIMARY KEY, description varchar NOT NULL, title varchar(100) NOT NULL,
    company_id int NOT NULL REFERENCES companies)
"""
ROW = "%%sql\nCREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);\nINSERT INTO alembic_version VALUES ('{}')"
FILE = """
from pathlib import Path

[path] = Path("alembic/versions").glob("*_init.py")
text = path.read_text()
"""
UP = "!alembic upgrade head"


def website(name: str, up: object = ADD, down: object = DROP, says: str = "") -> Answer:
    """A practice/website.py; `up` and `down` are a line or several."""
    text = "%%writefile practice/website.py\n"
    for function, lines in (("upgrade", up), ("downgrade", down)):
        many = [lines] if isinstance(lines, str) else list(lines)  # type: ignore[call-overload]
        text += f"def {function}() -> None:\n" + "".join(f"    {line}\n" for line in many) + "\n\n"
    return Answer("3.5", name, (text.rstrip() + "\n",), says=says)


def file(name: str, text: str, says: str = "") -> Answer:
    """A practice/website.py as it is."""
    return Answer("3.5", name, ("%%writefile practice/website.py\n" + text,), says=says)


def column(name: str, column: str, says: str = "") -> Answer:
    """The right answer to 3.5 with another sa.Column."""
    return website(name, f'op.add_column("companies", {column})', says=says)


WHOLE = f"def upgrade():\n    {ADD}\n\n\ndef downgrade():\n    {DROP}\n"

WRONG = [
    Answer(
        "3.1",
        "the INSERT before its table",
        given="d e a c f b",
        says="a row for a table that is not there yet",
    ),
    Answer("3.1", "the child first", given="d f a e c b", says="the child comes before the parent"),
    Answer(
        "3.1",
        "COMMIT too early",
        given="d f e a b c",
        says="something stands outside the transaction",
    ),
    Answer(
        "3.1",
        "BEGIN too late",
        given="f d e a c b",
        says="something stands outside the transaction",
    ),
    Answer(
        "3.1", "as they stand", given="a b c d e f", says="something stands outside the transaction"
    ),
    Answer(
        "3.1", "without BEGIN", given="f e a c b", says="Use each of the letters a b c d e f once"
    ),
    Answer("3.2", "nothing", says="Not attempted yet"),
    Answer("3.2", "a typo in the target", ("!alembic upgrade haed",), says="Not attempted yet"),
    Answer("3.2", "no target", ("!alembic upgrade",), says="Not attempted yet"),
    Answer("3.2", "offline", ("!alembic upgrade head --sql",), says="Not attempted yet"),
    Answer("3.2", "stamp", ("!alembic stamp head",), says="an id without its tables"),
    Answer("3.2", "up and down again", (UP, "!alembic downgrade base"), says="Not attempted yet"),
    Answer("3.2", "tables by hand", (BY_HAND,), says="tables without a migration"),
    Answer(
        "3.2",
        "create_all",
        (
            "from jobboard.database import Base, engine\nfrom jobboard.models import Job\n\nBase.metadata.create_all(engine)",
        ),
        says="tables without a migration",
    ),
    Answer(
        "3.2", "the row by hand", (ROW.format("1f3a9c5e7b20"),), says="an id without its tables"
    ),
    Answer(
        "3.2",
        "an id of nobody's",
        (ROW.format("0123456789ab"),),
        says="an id that no file explains",
    ),
    Answer(
        "3.2",
        "a version table of another shape",
        ("%%sql\nCREATE TABLE alembic_version (x int)",),
        says='column "version_num" does not exist',
    ),
    Answer(
        "3.2",
        "other tables and the row by hand",
        (BY_HAND.replace("varchar(100)", "text"), ROW.format("1f3a9c5e7b20")),
        says="Different: jobs.title is TEXT NOT NULL",
    ),
    Answer(
        "3.2",
        "a table dropped afterwards",
        (BY_HAND, ROW.format("1f3a9c5e7b20"), "%sql DROP TABLE jobs"),
        says="an id without its tables",
    ),
    Answer(
        "3.2",
        "a column added afterwards",
        (BY_HAND, ROW.format("1f3a9c5e7b20"), "%sql ALTER TABLE jobs ADD remote boolean"),
        says="Extra: the column jobs.remote",
    ),
    Answer(
        "3.2",
        "an empty revision, applied",
        (
            FILE
            + "path.write_text(text.split('def upgrade')[0] + 'def upgrade(): pass\\ndef downgrade(): pass\\n')",
            UP,
        ),
        says="The first revision does not make what it did in chapter 2.",
    ),
    Answer(
        "3.2",
        "a revision that fails, stamped",
        (
            FILE + "path.write_text(text.replace('companies.id', 'company.id'))",
            BY_HAND,
            ROW.format("1f3a9c5e7b20"),
        ),
        says='on an empty database they stop with UndefinedTable: relation "company" does not exist',
    ),
    Answer(
        "3.2",
        "a revision that leaves Python",
        (
            FILE + "path.write_text(text.replace('    op.', '    exit()\\n    op.', 1))",
            BY_HAND,
            ROW.format("1f3a9c5e7b20"),
        ),
        says="on an empty database they stop with SystemExit",
    ),
    Answer(
        "3.2",
        "a file that Python cannot read",
        (FILE + "path.with_name('x.py').write_text('def')",),
        says="Alembic cannot read the revisions: SyntaxError",
    ),
    Answer(
        "3.2",
        "a file that leaves Python",
        (FILE + "path.with_name('x.py').write_text('exit()')",),
        says="Alembic cannot read the revisions: SystemExit",
    ),
    Answer(
        "3.2",
        "two heads",
        (
            FILE
            + "path.with_name('x.py').write_text(text.replace('1f3a9c5e7b20', '1f3a9c5e7b21'))",
            BY_HAND,
            ROW.format("1f3a9c5e7b20"),
        ),
        says="The history has more than one end: 1f3a9c5e7b20, 1f3a9c5e7b21",
    ),
    Answer(
        "3.2",
        "a second revision that waits",
        (
            FILE
            + "path.with_name('x.py').write_text(text.replace('1f3a9c5e7b20', '1f3a9c5e7b21').replace('None] = None', 'None] = \"1f3a9c5e7b20\"', 1))",
            BY_HAND,
            ROW.format("1f3a9c5e7b20"),
        ),
        says="The database is at 1f3a9c5e7b20, and the head is 1f3a9c5e7b21.",
    ),
    Answer(
        "3.2",
        "no alembic folder",
        ("import shutil\n\nshutil.rmtree('alembic')",),
        says="Not attempted yet",
    ),
    Answer("3.3", "a", given="a", says="Alembic does not look at your tables"),
    Answer("3.3", "c", given="c", says="nothing is sent, so nothing can fail"),
    Answer("3.3", "d", given="d", says="the row does not change by itself"),
    Answer("3.4", "b", given="b", says="one transaction, not three"),
    Answer("3.4", "c", given="c", says="nothing is half there"),
    Answer("3.4", "d", given="d", says="a failed migration is not applied"),
    Answer("3.5", "nothing", says="Not attempted yet"),
    website("pass twice", "pass", "pass", says="Not attempted yet"),
    website("a plan in a comment", "pass  # op.add_column here", "pass", says="Not attempted yet"),
    column(
        "NOT NULL",
        'sa.Column("website", sa.String(200), nullable=False)',
        says="NOT NULL on a table that holds rows",
    ),
    column(
        "NOT NULL with Python's default",
        'sa.Column("website", sa.String(200), nullable=False, default="")',
        says="default= is Python's, not the database's",
    ),
    column(
        "NOT NULL with the database's default",
        'sa.Column("website", sa.String(200), nullable=False, server_default="")',
        says="a column that must have a value",
    ),
    column(
        "a default nobody asked for",
        'sa.Column("website", sa.String(200), server_default="none")',
        says="Different: companies.website is VARCHAR(200) DEFAULT",
    ),
    column("no length", 'sa.Column("website", sa.String())', says="another length"),
    column("another length", 'sa.Column("website", sa.String(20))', says="another length"),
    column("Text", 'sa.Column("website", sa.Text())', says="Different: companies.website is TEXT"),
    column(
        "a column of another name",
        'sa.Column("web_site", sa.String(200))',
        says="Missing: the column companies.website",
    ),
    column("no name", "sa.Column(sa.String(200))", says="a column's name is missing"),
    column("no type", 'sa.Column("website")', says="a type is missing"),
    column(
        "the type as a string",
        'sa.Column("website", "String(200)")',
        says="a type stands by itself",
    ),
    column(
        "the length beside the type",
        'sa.Column("website", sa.String, 200)',
        says="a type stands by itself",
    ),
    column(
        "true in lower case",
        'sa.Column("website", sa.String(200), nullable=true)',
        says="upper and lower case",
    ),
    column("Column without sa.", 'Column("website", sa.String(200))', says="sa. is missing"),
    column("Column from op", 'op.Column("website", sa.String(200))', says="sa. is missing"),
    column(
        "an enum type",
        'sa.Column("website", sa.Enum("yes", "no", name="has_site"))',
        says="add_column makes no type",
    ),
    column(
        "unique, unasked",
        'sa.Column("website", sa.String(200), unique=True)',
        says="Extra: the constraint UNIQUE (website)",
    ),
    website(
        "no column object",
        'op.add_column("companies", "website", sa.String(200))',
        says="a column is a sa.Column",
    ),
    website(
        "no table",
        'op.add_column(sa.Column("website", sa.String(200)))',
        says="a column is a sa.Column",
    ),
    website(
        "table and column swapped",
        'op.add_column("website", sa.Column("companies", sa.String(200)))',
        says="the table's name comes first",
    ),
    website(
        "the class's name",
        'op.add_column("Company", sa.Column("website", sa.String(200)))',
        says='relation "Company" does not exist',
    ),
    website(
        "another table",
        ADD.replace("companies", "jobs"),
        DROP.replace("companies", "jobs"),
        says="Missing: the column companies.website",
    ),
    website(
        "an operation that is not there",
        'op.create_column("companies", "website")',
        says="'alembic.op' has no attribute 'create_column'",
    ),
    website(
        "alter_column",
        'op.alter_column("companies", "website", type_=sa.String(200))',
        says='column "website" of relation "companies" does not exist',
    ),
    website(
        "the table anew",
        'op.create_table("companies", sa.Column("website", sa.String(200)))',
        says="a table that is there already",
    ),
    website(
        "drops the table and makes it anew",
        (
            'op.execute("DROP TABLE companies CASCADE")',
            'op.create_table("companies", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(50), nullable=False), sa.Column("website", sa.String(200)))',
            'op.execute("DELETE FROM jobs")',
            'op.create_foreign_key(None, "jobs", "companies", ["company_id"], ["id"])',
        ),
        says="rows that were there are not the same",
    ),
    website(
        "empties the table on the way back",
        ADD,
        (DROP, 'op.execute("TRUNCATE companies CASCADE")'),
        says="rows that were there are not the same",
    ),
    website(
        "changes the rows on the way",
        (ADD, "op.execute(\"UPDATE companies SET name = 'x'\")"),
        says="rows that were there are not the same",
    ),
    website(
        "a slip in SQL",
        'op.execute("ALTER TABLE companies ADD COLUMN website varchar(200")',
        says="The upgrade stops with SyntaxError: syntax error at end of input.",
    ),
    website(
        "a column renamed",
        'op.alter_column("companies", "name", new_column_name="website")',
        'op.alter_column("companies", "website", new_column_name="name")',
        says="Missing: the column companies.name",
    ),
    website(
        "a type that SQLAlchemy does not have",
        'op.add_column("companies", sa.Column("website", postgresql.VARCHAR(200)))',
        says="an import is missing",
    ),
    website("nothing in the downgrade", ADD, "pass", says="a downgrade that does nothing"),
    website(
        "NULL instead of a drop",
        ADD,
        'op.execute("UPDATE companies SET website = NULL")',
        says="a downgrade that does nothing",
    ),
    website(
        "IF NOT EXISTS and nothing back",
        'op.execute("ALTER TABLE companies ADD COLUMN IF NOT EXISTS website varchar(200)")',
        "pass",
        says="a downgrade that does nothing",
    ),
    website(
        "the table is dropped",
        ADD,
        'op.drop_table("companies")',
        says="a downgrade that takes too much",
    ),
    website(
        "the table is dropped with CASCADE",
        ADD,
        'op.execute("DROP TABLE companies CASCADE")',
        says="a downgrade that takes too much",
    ),
    website(
        "another column is dropped",
        ADD,
        'op.drop_column("companies", "name")',
        says="Extra: the column companies.website",
    ),
    website(
        "drop_column's names swapped",
        ADD,
        'op.drop_column("website", "companies")',
        says="the table's name comes first",
    ),
    website(
        "drop_column with a sa.Column",
        ADD,
        'op.drop_column("companies", sa.Column("website", sa.String(200)))',
        says="a column is dropped by its name",
    ),
    website(
        "the upgrade alone works",
        ADD,
        'op.drop_column("companies", "web")',
        says='column "web" of relation "companies" does not exist',
    ),
    website("up and down swapped", DROP, ADD, says="upgrade and downgrade are swapped"),
    website("a commit", (ADD, "op.get_bind().commit()"), says="a migration that commits"),
    website(
        "create_all",
        ("from jobboard.database import Base", "Base.metadata.create_all(op.get_bind())"),
        says="create_all in a migration",
    ),
    website(
        "models imported",
        (ADD, "from jobboard.models import Company"),
        says="models imported into a migration",
    ),
    website(
        "an engine of its own",
        (
            ADD,
            'engine = sa.create_engine("postgresql+psycopg2://")',
            "with engine.connect() as other:",
            '    other.execute(sa.text("SELECT * FROM companies"))',
        ),
        says="two transactions in one migration",
    ),
    website(
        "raw text to the connection",
        'op.get_bind().execute("ALTER TABLE companies ADD website varchar(200)")',
        says="text that SQLAlchemy does not take",
    ),
    website(
        "an index stays",
        (ADD, 'op.create_index("ix_jobs_title", "jobs", ["title"])'),
        says="an index that stays behind",
    ),
    website(
        "sleeps in the database",
        'op.execute("SELECT pg_sleep(600)")',
        says="It was stopped: a statement took longer than",
    ),
    website(
        "sleeps in Python", ("import time", "time.sleep(600)"), says="it did not come to an end in"
    ),
    website("never ends", ("while True:", "    pass"), says="it did not come to an end in"),
    website(
        "never ends while it prints",
        ("while True:", '    print("still here" * 1000)'),
        says="it did not come to an end in",
    ),
    website("leaves Python", "raise SystemExit", says="it ends Python itself"),
    website("leaves Python at once", ("import os", "os._exit(0)"), says="it ends Python itself"),
    website(
        "alembic inside of alembic",
        (ADD, "import os", 'os.system("alembic upgrade head")', "raise ValueError('stop')"),
        says="ValueError: stop",
    ),
    website(
        "writes what looks like an answer",
        (
            "import os, sys",
            'os.write(1, b\'{"reference": {"steps": [], "error": null}, "learner": {}}\')',
            "sys.__stdout__.write('{}')",
            "sys.__stdout__.flush()",
            "os._exit(0)",
        ),
        says="it ends Python itself",
    ),
    website(
        "deletes what lies around",
        ("import shutil", 'shutil.rmtree("learner")', 'shutil.rmtree("reference")'),
        says="Missing: the column companies.website",
    ),
    file(
        "no downgrade", f"def upgrade():\n    {ADD}\n", says="a function that Alembic does not find"
    ),
    file(
        "no upgrade",
        f"def downgrade():\n    {DROP}\n",
        says="a function that Alembic does not find",
    ),
    file("no functions", f"{ADD}\n", says="an operation outside of a function"),
    file(
        "functions with other names",
        WHOLE.replace("upgrade", "up").replace("downgrade", "down"),
        says="a function that Alembic does not find",
    ),
    file(
        "functions that want something",
        WHOLE.replace("()", "(op)"),
        says="a function that Alembic does not find",
    ),
    file(
        "a forgotten colon",
        WHOLE.replace("upgrade():", "upgrade()", 1),
        says="Python cannot read it: line 1: expected ':'",
    ),
    file(
        "a body that is not indented",
        WHOLE.replace("    op", "op"),
        says="Python cannot read it: line 2: expected an indented block",
    ),
    file(
        "typographic quotes",
        WHOLE.replace('"website"', "“website”"),
        says="Python cannot read it: line 2: invalid character",
    ),
    file(
        "a tab among spaces",
        WHOLE.replace("    op.a", "\tpass\n    op.a"),
        says="Python cannot read it: line 3",
    ),
    file(
        "SQL instead of Python",
        "ALTER TABLE companies ADD COLUMN website varchar(200);\n",
        says="Python cannot read it: line 1",
    ),
    file("an empty file", "", says="Not attempted yet"),
    Answer(
        "3.5",
        "a NUL byte",
        (
            "from pathlib import Path\n\nPath('practice/website.py').write_bytes(b'def upgrade():\\0')",
        ),
        says="Python cannot read it",
    ),
    Answer(
        "3.5",
        "another encoding",
        (
            "from pathlib import Path\n\nPath('practice/website.py').write_text('def upgrade():\\n    op.é\\n', encoding='utf-16')",
        ),
        says="Python cannot read it",
    ),
]

RIGHT = [
    Answer("3.1", "the version table last", given="d e a f c b"),
    Answer("3.1", "the row first", given="dfceab"),
    Answer("3.1", "with commas", given="D, E, F, C, A, B"),
    Answer("3.2", "in other words", ("!alembic upgrade +1",)),
    Answer("3.2", "by its id", ("!alembic upgrade 1f3a",)),
    Answer("3.3", "a capital", given="B"),
    Answer("3.4", "with a full stop", given="a."),
    column("nullable said", 'sa.Column("website", sa.VARCHAR(length=200), nullable=True)'),
    column("a comment", 'sa.Column("website", sa.Unicode(200), comment="with https")'),
    website(
        "raw SQL",
        'op.execute("ALTER TABLE companies ADD COLUMN website varchar(200)")',
        'op.execute("ALTER TABLE companies DROP COLUMN website")',
    ),
    website(
        "text on the connection",
        'op.get_bind().execute(sa.text("ALTER TABLE companies ADD website varchar(200)"))',
    ),
    website(
        "batch mode",
        (
            'with op.batch_alter_table("companies") as batch:',
            '    batch.add_column(sa.Column("website", sa.String(200)))',
        ),
        ('with op.batch_alter_table("companies") as batch:', '    batch.drop_column("website")'),
    ),
    website(
        "by keywords",
        'op.add_column(table_name="companies", column=sa.Column("website", sa.String(length=200)))',
        'op.drop_column(table_name="companies", column_name="website")',
    ),
    website(
        "an f-string",
        (
            "for size in (200,):",
            '    op.execute(f"ALTER TABLE companies ADD website VARCHAR({size})")',
        ),
    ),
    website(
        "looks at the rows",
        (ADD, 'print(op.get_bind().execute(sa.text("SELECT count(*) FROM companies")).scalar())'),
    ),
    website(
        "a temporary table", (ADD, 'op.execute("CREATE TEMPORARY TABLE t (n int) ON COMMIT DROP")')
    ),
    website("prints a lot", (ADD, 'print("x" * 10**6)')),
    file(
        "helpers and imports",
        f'"""Nothing to commit."""\n\nfrom alembic import op\nimport sqlalchemy as sa\n\nTABLE = "companies"\n\n\n{WHOLE.replace(chr(34) + "companies" + chr(34), "TABLE")}',
    ),
    file("annotations that are not evaluated", "from __future__ import annotations\n\n\n" + WHOLE),
    file(
        "a whole revision file",
        f'"""website"""\nfrom alembic import op\nimport sqlalchemy as sa\n\nrevision = "0123456789ab"\ndown_revision = None\nbranch_labels = None\ndepends_on = None\n\n\n{WHOLE}',
    ),
    file("with Windows line ends", WHOLE.replace("\n", "\r\n")),
]
