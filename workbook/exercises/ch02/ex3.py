"""2.3  Create jobs with its foreign key."""

from workbook.exercises import cells, edits
from workbook.exercises.ch02 import BY_HAND, CELL, EMPTY, statements, upgrade
from workbook.exercises.kinds import NOTHING, Revision

COMPANIES = """    op.create_table(
        "companies",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(50), nullable=False),
    )
"""
JOBS = """    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("description", «sa.String(), nullable=False»),
        sa.Column("title", «sa.String(100), nullable=False»),
        sa.Column("company_id", «sa.Integer(), nullable=False»),
        sa.ForeignKeyConstraint(«["company_id"]», «["companies.id"]»),
    )
"""


def has_jobs(source: str) -> bool:
    """Whether upgrade() does more than the worked example, which creates companies."""
    example = "op.create_table('companies'"
    return any(not each.startswith(example) for each in statements(source, "upgrade"))


EXERCISE = Revision(
    into="alembic/versions/*_init.py",
    code='def upgrade() -> None:\n    """Upgrade schema."""\n' + COMPANIES + JOBS,
    start=NOTHING,
    down=False,
    counts=has_jobs,
    begins=3,
    above=(EMPTY,),
    task="create jobs with its foreign key",
    hints=(
        "Go through the table above row by row: one sa.Column for each.",
        "The lengths and nullable=False are written as for companies.name.",
        'The last line is sa.ForeignKeyConstraint(["..."], ["table.column"]).',
    ),
    why="companies comes first because jobs refers to it. The constraint takes lists, since a key"
    " may be made of several columns.",
    passed="You can create tables that depend on each other.",
)

RIGHT_CODE = EXERCISE.filled
COMPANIES_AND_JOBS = RIGHT_CODE.partition('schema."""\n')[2]
JOBS = COMPANIES_AND_JOBS.removeprefix(COMPANIES)
KEY = 'sa.ForeignKeyConstraint(["company_id"], ["companies.id"])'
WHOLE = CELL + RIGHT_CODE
ID = "'1f3a9c5e7b20'"

WRONG = [
    *edits(
        RIGHT_CODE,
        r"""
the length is forgotten  | sa.String(100)  | sa.String()  | another length
a length nobody asked for  | sa.String(),  | sa.String(255),  | another length
nullable is forgotten  | sa.String(100), nullable=False  | sa.String(100)  | a column may be NULL unless you say otherwise
nullable is forgotten everywhere  | , nullable=False),\n        sa.C  | ),\n        sa.C  | , nullable=False),\n        sa.F  | ),\n        sa.F  | a column may be NULL unless you say otherwise
an id as text  | "company_id", sa.Integer()  | "company_id", sa.String()  | a key of another type
a bigger integer  | "company_id", sa.Integer()  | "company_id", sa.BigInteger()  | Different: jobs.company_id is BIGINT NOT NULL
the key names the class  | companies.id  | Company.id  | a foreign key names a table
the key names another table  | companies.id  | company.id  | a foreign key names a table
the key names a column that is not there  | companies.id  | companies.company_id  | a foreign key refers to a key
the key names the wrong column  | companies.id  | companies.name  | a foreign key refers to a key
the key is on the wrong column  | ["company_id"]  | ["id"]  | Missing: the constraint FOREIGN KEY (company_id)
the key's column has a typo  | ["company_id"]  | ["companyid"]  | here first, there second
strings instead of lists  | ["company_id"], ["companies.id"]  | "company_id", "companies.id"  | text in place of a list
the key's lists are swapped  | ["company_id"], ["companies.id"]  | ["companies.id"], ["company_id"]  | here first, there second
no key  | \s       sa.ForeignKeyConstraint(["company_id"], ["companies.id"]),\n  |  | an id is not a rule
a key that is no constraint  | sa.ForeignKeyConstraint(["company_id"], ["companies.id"])  | sa.ForeignKey("companies.id")  | a ForeignKey without its column
no primary key  | "jobs",\n        sa.Column("id", sa.Integer(), primary_key=True)  | "jobs",\n        sa.Column("id", sa.Integer())  | no primary key
a column without its name  | "title",\s  |  | a column's name is missing
a type in lower case  | sa.String(100)  | sa.string(100)  | upper and lower case
types without sa.  | sa.String(100)  | String(100)  | sa. is missing
a constraint without sa.  | sa.Foreign  | Foreign  | sa. is missing
create_table without op.  | op.create  | create  | op. is missing
create_table from sa  | op.create  | sa.create  | op. is missing
false in lower case  | False  | false  | upper and lower case
a table of another name  | "jobs"  | "job"  | Missing: the table jobs.
the table's name without quotes  | "jobs"  | jobs  | a name without quotes
an identity  | sa.Integer(), primary_key=True  | sa.Integer(), sa.Identity(), primary_key=True  | another way to count
ids that nobody counts  | sa.Integer(), primary_key=True  | sa.Integer(), primary_key=True, autoincrement=False  | asked for is INTEGER NOT NULL, counting up by itself.
unique, unasked  | nullable=False),\n        sa.F  | nullable=False, unique=True),\n        sa.F  | Extra: the constraint UNIQUE (company_id) on jobs.
the models' user_id as well  | sa.Column("name"  | sa.Column("user_id", sa.String(), nullable=False),\n        sa.Column("name"  | Extra: the column companies.user_id
one gap left  | sa.String(100)  | ____  | Not attempted yet
a forgotten comma  | 100),\s  | 100)\s  | Line 13 of the cell: sa.Column
an unclosed quote  | "companies.id"]  | "companies.id]  | Line 15 of the cell: sa.Foreign
a bracket too few  | sa.String(100)  | sa.String(100  | '(' was never closed
square brackets  | sa.String(100)  | sa.String[100]  | square brackets in place of round ones
the key names a table alone  | companies.id  | companies  | a foreign key names table and column
the key names a column alone  | companies.id  | id  | a foreign key names table and column
a capital letter in a name  | "title"  | "Title"  | a name is compared letter by letter
errors are swallowed  | \s   op.create_table(\n        "jobs"  | \s   try:\n        op.drop_table("job")\n    except Exception:\n        pass\n    op.create_table(\n        "jobs"  | an error that is swallowed
a name with a typo  | upgrade  | upgrad  | Alembic looks for upgrade(), and the cell has upgrad()
null=, as elsewhere  | 100), nullable  | 100), null  | got 'null'
""",
    ),
    cells(
        "the child first",
        WHOLE.replace(COMPANIES_AND_JOBS, JOBS + COMPANIES),
        says="the child comes before the parent",
    ),
    cells(
        "the parent is forgotten",
        WHOLE.replace(COMPANIES, ""),
        says="the child comes before the parent",
    ),
    cells(
        "a forgotten comma, by hand",
        WHOLE,
        BY_HAND + "path.write_text(text.replace('100), ', '100) '))",
        says="Line 33 of 1f3a9c5e7b20_init.py: sa.Column",
    ),
    cells(
        "a stray name, by hand",
        WHOLE,
        BY_HAND + "path.write_text(text + '\\njobs\\n')",
        says="a name without quotes",
    ),
    cells(
        "a byte that is not UTF-8",
        WHOLE,
        BY_HAND + "path.write_bytes(text.encode() + b'name = \"caf\\xe9\"')",
        says="Python cannot read it",
    ),
    cells(
        "a NUL byte",
        WHOLE,
        BY_HAND + "path.write_bytes(text.encode() + b'\\0')",
        says="Python cannot read it",
    ),
    cells(
        "no id in the file",
        WHOLE,
        BY_HAND + "path.write_text(text.replace('revision: str', 'id: str'))",
        says="Could not determine revision id",
    ),
    cells("the file is gone", WHOLE, BY_HAND + "path.unlink()", says="Not attempted yet"),
    cells(
        "a copy beside the file",
        WHOLE,
        BY_HAND
        + "path.with_name('copy.py').write_text(text.replace('1f3a9c5e7b20', '1f3a9c5e7b21'))",
        says="Alembic finds more than one place to begin: 1f3a9c5e7b20, 1f3a9c5e7b21",
    ),
    cells(
        "down_revision is its own id",
        WHOLE,
        BY_HAND + f'path.write_text(text.replace("= None", "= {ID}", 1))',
        says="LoopDetected",
    ),
    upgrade(
        "create_all",
        "from jobboard.models import Base",
        "Base.metadata.create_all(op.get_bind())",
        says="create_all in a migration",
    ),
    upgrade(
        "the models' tables",
        "from jobboard.models import Company, Job",
        "for each in (Company, Job):",
        "    each.__table__.create(op.get_bind())",
        says="models imported into a migration",
    ),
    upgrade(
        "raw text to the connection",
        'op.get_bind().execute("CREATE TABLE jobs (id serial PRIMARY KEY)")',
        says="text that SQLAlchemy does not take",
    ),
    upgrade("an SQL comment only", 'op.execute("-- jobs")', says="can't execute an empty query"),
    upgrade(
        "jobs as a view",
        'op.execute("CREATE VIEW jobs AS SELECT 1 AS id")',
        says="Missing: the table companies.",
    ),
]

RIGHT = [
    *edits(
        RIGHT_CODE,
        r"""
a key in the column  | \s       sa.ForeignKeyConstraint(["company_id"], ["companies.id"]),\n  |  | "company_id", sa.Integer()  | "company_id", sa.Integer(), sa.ForeignKey("companies.id")
a key with a name  | ["companies.id"]  | ["companies.id"], name="fk_jobs_company"
a string of any length is text  | sa.String()  | sa.Text()
types in other words  | sa.String(100)  | sa.VARCHAR(length=100)  | sa.String()  | sa.types.Unicode  | sa.Integer()  | sa.INTEGER  | sa.String(50)  | sa.types.String(length=50)
PrimaryKeyConstraint apart, other order  | primary_key=True  | nullable=False  | \s       sa.ForeignKeyC  | \s       sa.PrimaryKeyConstraint("id", name="pk_jobs"),\n        sa.ForeignKeyC  | sa.String(50), nullable=False)  | sa.String(50), nullable=False),\n        sa.PrimaryKeyConstraint("id")
the key made afterwards  | \s       sa.ForeignKeyConstraint(["company_id"], ["companies.id"]),\n    )  | \s   )\n    op.create_foreign_key(None, "jobs", "companies", ["company_id"], ["id"])
""",
    ),
    upgrade(
        "raw SQL through op.execute",
        'op.execute("CREATE TABLE companies (id serial PRIMARY KEY, name varchar(50) NOT NULL)")',
        'op.execute(sa.text("CREATE TABLE jobs (title varchar(100) NOT NULL, id serial,'
        " description varchar NOT NULL, company_id int NOT NULL REFERENCES companies,"
        ' PRIMARY KEY (id))"))',
    ),
    upgrade(
        "a helper, a loop, an f-string",
        "def text(size=None):",
        "    return sa.String(size)",
        "def table(name, *columns):",
        "    op.create_table(name, sa.Column('id', sa.Integer, primary_key=True), *columns)",
        "table('companies', sa.Column('name', text(50), nullable=False))",
        "names = {'description': None, 'title': 100}",
        "columns = [sa.Column(f'{key}', text(size), nullable=False) for key, size in names.items()]",
        "key = sa.ForeignKey('companies.id')",
        "table('jobs', *columns, sa.Column('company_id', sa.Integer, key, nullable=False))",
    ),
    upgrade(
        "column by column",
        "op.create_table('companies', sa.Column('id', sa.Integer(), primary_key=True))",
        "op.add_column('companies', sa.Column('name', sa.String(50), nullable=False))",
        "op.create_table('jobs', sa.Column('id', sa.Integer(), primary_key=True))",
        "with op.batch_alter_table('jobs') as batch:",
        "    batch.add_column(sa.Column('title', sa.String(100), nullable=False))",
        "    batch.add_column(sa.Column('description', sa.String(), nullable=False))",
        "    key = sa.ForeignKey('companies.id')",
        "    batch.add_column(sa.Column('company_id', sa.Integer(), key, nullable=False))",
    ),
    cells(
        "by hand in the file",
        BY_HAND + f"path.write_text(text.replace('    pass', {COMPANIES_AND_JOBS!r}.rstrip(), 1))",
    ),
    cells(
        "with Windows line ends",
        WHOLE,
        BY_HAND + "path.write_bytes(text.encode().replace(b'\\n', b'\\r\\n'))",
    ),
    cells(
        "imports of its own, a docstring, a print",
        CELL
        + 'def upgrade():\n    """Jobs belong to companies. Nothing to COMMIT here."""\n'
        + "    import math\n\n    print(math.pi)\n"
        + COMPANIES_AND_JOBS,
    ),
]
