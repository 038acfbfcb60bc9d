"""Answers to the exercises of chapter 2: the first revision."""

from answers import Answer
from answers.chapter_01 import edited

CELL = "%%writerevision alembic/versions/*_init.py\n"
COMPANIES = """    op.create_table(
        "companies",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(50), nullable=False),
    )
"""
JOBS = """    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"]),
    )
"""
KEY = 'sa.ForeignKeyConstraint(["company_id"], ["companies.id"])'
UPGRADE = CELL + "def upgrade() -> None:\n" + COMPANIES + JOBS
MEMBERS = """    op.create_table(
        "members",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
    )
"""
TEAMS = """    op.create_table(
        "teams",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
    )
"""


def jobs(name: str, *changes: tuple[str, str], says: str = "") -> Answer:
    """The right answer to 2.3 with parts replaced."""
    return Answer("2.3", name, (edited(UPGRADE, *changes),), says=says)


def upgrade(name: str, *lines: str, says: str = "") -> Answer:
    """An upgrade() of these lines for 2.3."""
    body = "".join(f"    {line}\n" for line in lines)
    return Answer("2.3", name, (f"{CELL}def upgrade():\n{body}",), says=says)


def back(name: str, *lines: str, says: str = "", also: str = "") -> Answer:
    """A downgrade() of these lines for 2.4; `also` comes below it."""
    body = "".join(f"    {line}\n" for line in lines)
    return Answer("2.4", name, (f"{CELL}def downgrade() -> None:\n{body}{also}",), says=says)


def teams(name: str, up: str, *down: str, says: str = "") -> Answer:
    """A practice/teams.py for 2.5."""
    body = "".join(f"    {line}\n" for line in down)
    text = f"%%writefile practice/teams.py\ndef upgrade() -> None:\n{up}\n\n"
    return Answer("2.5", name, (text + f"def downgrade() -> None:\n{body}",), says=says)


BY_HAND = """
from pathlib import Path

[path] = Path("alembic/versions").glob("*_init.py")
text = path.read_text()
"""
DROP_JOBS, DROP_COMPANIES = 'op.drop_table("jobs")', 'op.drop_table("companies")'

WRONG = [
    Answer("2.1", "a", given="a", says="a bare postgresql:// means another driver"),
    Answer("2.1", "c", given="c", says="a password in version control"),
    Answer("2.1", "d", given="d", says="an old name"),
    Answer(
        "2.1",
        "the address itself",
        given="postgresql+psycopg2://",
        says="Answer with one of the letters",
    ),
    Answer("2.2", "by the files' names", given="b a d c", says="names are for people"),
    Answer("2.2", "by the dates", given="a c d b", says="dates are for people"),
    Answer("2.2", "as history lists them", given="b a c d", says="newest first"),
    Answer(
        "2.2",
        "as they stand",
        given="a b c d",
        says="When Alembic gets to 52d8, the revision before it is not applied yet.",
    ),
    Answer("2.2", "the last two swapped", given="d c b a", says="When Alembic gets to 1b20"),
    Answer("2.2", "a letter missing", given="d c a", says="Use each of the letters a b c d once"),
    jobs("the length is forgotten", ("sa.String(100)", "sa.String()"), says="another length"),
    jobs("a length nobody asked for", ("sa.String(),", "sa.String(255),"), says="another length"),
    jobs(
        "nullable is forgotten",
        ("sa.String(100), nullable=False", "sa.String(100)"),
        says="a column may be empty unless you say otherwise",
    ),
    jobs(
        "nullable is forgotten everywhere",
        (", nullable=False),\n        sa.C", "),\n        sa.C"),
        (", nullable=False),\n        sa.F", "),\n        sa.F"),
        says="a column may be empty unless you say otherwise",
    ),
    jobs(
        "Text instead of String",
        ("sa.String()", "sa.Text()"),
        says="Different: jobs.description is TEXT NOT NULL, asked for is VARCHAR NOT NULL.",
    ),
    jobs(
        "an id as text",
        ('"company_id", sa.Integer()', '"company_id", sa.String()'),
        says="a key of another type",
    ),
    jobs(
        "a bigger integer",
        ('"company_id", sa.Integer()', '"company_id", sa.BigInteger()'),
        says="Different: jobs.company_id is BIGINT NOT NULL",
    ),
    jobs(
        "the key names the class",
        ("companies.id", "Company.id"),
        says="a foreign key names a table",
    ),
    jobs(
        "the key names another table",
        ("companies.id", "company.id"),
        says="a foreign key names a table",
    ),
    jobs(
        "the key names a column that is not there",
        ("companies.id", "companies.company_id"),
        says="a foreign key refers to a key",
    ),
    jobs(
        "the key names the wrong column",
        ("companies.id", "companies.name"),
        says="a foreign key refers to a key",
    ),
    jobs(
        "the key is on the wrong column",
        ('["company_id"]', '["id"]'),
        says="Missing: the constraint FOREIGN KEY (company_id)",
    ),
    jobs(
        "the key's column has a typo",
        ('["company_id"]', '["companyid"]'),
        says="here first, there second",
    ),
    jobs(
        "strings instead of lists",
        ('["company_id"], ["companies.id"]', '"company_id", "companies.id"'),
        says="text in place of a list",
    ),
    jobs(
        "the key's lists are swapped",
        ('["company_id"], ["companies.id"]', '["companies.id"], ["company_id"]'),
        says="here first, there second",
    ),
    jobs("no key", (f"        {KEY},\n", ""), says="an id is not a rule"),
    jobs(
        "a key that is no constraint",
        (KEY, 'sa.ForeignKey("companies.id")'),
        says="a ForeignKey without its column",
    ),
    jobs(
        "no primary key",
        (
            '"jobs",\n        sa.Column("id", sa.Integer(), primary_key=True)',
            '"jobs",\n        sa.Column("id", sa.Integer())',
        ),
        says="no primary key",
    ),
    jobs("a column without its name", ('"title", ', ""), says="a column's name is missing"),
    jobs("a type in lower case", ("sa.String(100)", "sa.string(100)"), says="upper and lower case"),
    jobs("types without sa.", ("sa.String(100)", "String(100)"), says="sa. is missing"),
    jobs("a constraint without sa.", ("sa.Foreign", "Foreign"), says="sa. is missing"),
    jobs("create_table without op.", ("op.create", "create"), says="op. is missing"),
    jobs("create_table from sa", ("op.create", "sa.create"), says="op. is missing"),
    jobs("false in lower case", ("False", "false"), says="upper and lower case"),
    jobs("a table of another name", ('"jobs"', '"job"'), says="Missing: the table jobs."),
    jobs("the table's name without quotes", ('"jobs"', "jobs"), says="a name without quotes"),
    jobs(
        "an identity",
        ("sa.Integer(), primary_key=True", "sa.Integer(), sa.Identity(), primary_key=True"),
        says="another way to count",
    ),
    jobs(
        "ids that nobody counts",
        ("sa.Integer(), primary_key=True", "sa.Integer(), primary_key=True, autoincrement=False"),
        says="asked for is INTEGER NOT NULL, counting up by itself.",
    ),
    jobs(
        "unique, unasked",
        ("nullable=False),\n        sa.F", "nullable=False, unique=True),\n        sa.F"),
        says="Extra: the constraint UNIQUE (company_id) on jobs.",
    ),
    jobs(
        "the models' user_id as well",
        (
            '    sa.Column("name"',
            '    sa.Column("user_id", sa.String(), nullable=False),\n        sa.Column("name"',
        ),
        says="Extra: the column companies.user_id",
    ),
    Answer(
        "2.3",
        "the child first",
        (UPGRADE.replace(COMPANIES + JOBS, JOBS + COMPANIES),),
        says="the child comes before the parent",
    ),
    Answer(
        "2.3",
        "the parent is forgotten",
        (UPGRADE.replace(COMPANIES, ""),),
        says="the child comes before the parent",
    ),
    Answer(
        "2.3",
        "one gap left",
        (UPGRADE.replace("sa.String(100)", "____"),),
        says="Not attempted yet",
    ),
    Answer(
        "2.3", "a forgotten comma", (UPGRADE.replace("100), ", "100) "),), says="Not attempted yet"
    ),
    Answer(
        "2.3",
        "a forgotten comma, by hand",
        (UPGRADE, BY_HAND + "path.write_text(text.replace('100), ', '100) '))"),
        says="Python cannot read it: line",
    ),
    Answer(
        "2.3",
        "a stray name, by hand",
        (UPGRADE, BY_HAND + "path.write_text(text + '\\njobs\\n')"),
        says="a name without quotes",
    ),
    Answer(
        "2.3",
        "a byte that is not UTF-8",
        (UPGRADE, BY_HAND + "path.write_bytes(text.encode() + b'name = \"caf\\xe9\"')"),
        says="Python cannot read it",
    ),
    Answer(
        "2.3",
        "a NUL byte",
        (UPGRADE, BY_HAND + "path.write_bytes(text.encode() + b'\\0')"),
        says="Python cannot read it",
    ),
    Answer(
        "2.3",
        "no id in the file",
        (UPGRADE, BY_HAND + "path.write_text(text.replace('revision: str', 'id: str'))"),
        says="Could not determine revision id",
    ),
    Answer(
        "2.3", "the file is gone", (UPGRADE, BY_HAND + "path.unlink()"), says="Not attempted yet"
    ),
    Answer(
        "2.3",
        "a copy beside the file",
        (
            UPGRADE,
            BY_HAND
            + "path.with_name('copy.py').write_text(text.replace('1f3a9c5e7b20', '1f3a9c5e7b21'))",
        ),
        says="Alembic finds more than one place to begin: 1f3a9c5e7b20, 1f3a9c5e7b21",
    ),
    Answer(
        "2.3",
        "down_revision is its own id",
        (UPGRADE, BY_HAND + 'path.write_text(text.replace("= None", "= \'1f3a9c5e7b20\'", 1))'),
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
    back(
        "the wrong order", DROP_COMPANIES, DROP_JOBS, says="the parent is dropped before the child"
    ),
    back("only the parent", DROP_COMPANIES, says="the parent is dropped before the child"),
    back("half", DROP_JOBS, says="Extra: the table companies."),
    back(
        "only CASCADE", 'op.execute("DROP TABLE companies CASCADE")', says="Extra: the table jobs."
    ),
    back("pass", "pass", says="Not attempted yet"),
    back("an ellipsis", "...", says="a downgrade that does nothing"),
    back("return", "return", DROP_JOBS, DROP_COMPANIES, says="a downgrade that does nothing"),
    back(
        "a typo in the name",
        DROP_JOBS,
        'op.drop_table("company")',
        says='table "company" does not exist',
    ),
    back(
        "IF EXISTS and a typo",
        'op.execute("DROP TABLE IF EXISTS job, company")',
        says="a downgrade that does nothing",
    ),
    back(
        "names without quotes",
        "op.drop_table(jobs)",
        "op.drop_table(companies)",
        says="a name without quotes",
    ),
    back(
        "drop_table without op.",
        'drop_table("jobs")',
        'drop_table("companies")',
        says="op. is missing",
    ),
    back("two names in one call", 'op.drop_table("jobs", "companies")', says="drop_table"),
    back(
        "rows instead of tables",
        'op.execute("DELETE FROM jobs")',
        'op.execute("DELETE FROM companies")',
        says="a downgrade that does nothing",
    ),
    back(
        "columns instead of tables",
        'op.drop_column("jobs", "title")',
        'op.drop_column("companies", "name")',
        says="Extra: the table",
    ),
    back(
        "makes the tables again", 'op.create_table("jobs")', says='relation "jobs" already exists'
    ),
    back(
        "Alembic's table too",
        DROP_JOBS,
        DROP_COMPANIES,
        'op.drop_table("alembic_version")',
        says="Alembic's own table is gone",
    ),
    back(
        "the whole schema",
        'op.execute("DROP SCHEMA public CASCADE")',
        says="Alembic's own table is gone",
    ),
    back(
        "a commit",
        DROP_JOBS,
        "op.get_bind().commit()",
        DROP_COMPANIES,
        says="a migration that commits",
    ),
    back(
        "COMMIT as SQL",
        DROP_JOBS,
        'op.execute("COMMIT")',
        DROP_COMPANIES,
        says="a migration that commits",
    ),
    back(
        "a guessed name",
        'op.drop_constraint("fk_jobs_company_id", "jobs")',
        DROP_COMPANIES,
        DROP_JOBS,
        says="a guessed constraint name",
    ),
    back(
        "no name",
        'op.drop_constraint(None, "jobs", type_="foreignkey")',
        DROP_COMPANIES,
        DROP_JOBS,
        says="a constraint without a name, dropped by name",
    ),
    back(
        "drop_all",
        "from jobboard.models import Base",
        "Base.metadata.drop_all(op.get_bind())",
        says="models imported into a migration",
    ),
    back(
        "not implemented",
        'raise NotImplementedError("no way back")',
        says="NotImplementedError: no way back",
    ),
    back("calls upgrade", "upgrade()", says='relation "companies" already exists'),
    Answer(
        "2.4",
        "up and down swapped",
        (
            CELL
            + "def upgrade():\n    "
            + DROP_JOBS
            + "\n    "
            + DROP_COMPANIES
            + "\n\n\ndef downgrade():\n"
            + COMPANIES
            + JOBS,
        ),
        says="upgrade and downgrade are swapped",
    ),
    Answer(
        "2.4",
        "jobs is not there to drop",
        (
            CELL
            + "def upgrade():\n"
            + COMPANIES
            + "\n\ndef downgrade():\n    "
            + DROP_JOBS
            + "\n    "
            + DROP_COMPANIES
            + "\n",
        ),
        says="the way back needs a way there",
    ),
    Answer(
        "2.4",
        "no downgrade at all",
        (BY_HAND + "path.write_text(text[:text.index('def downgrade')])",),
        says="Not attempted yet",
    ),
    teams(
        "nothing but the comment",
        MEMBERS + TEAMS,
        'op.drop_table("teams")',
        says="Not attempted yet",
    ),
    teams(
        "an empty line more",
        MEMBERS + "\n" + TEAMS,
        'op.drop_table("teams")',
        says="Not attempted yet",
    ),
    teams(
        "the upgrade alone",
        TEAMS + MEMBERS,
        'op.drop_table("teams")',
        says="the parent is dropped before the child",
    ),
    teams(
        "the downgrade alone",
        MEMBERS + TEAMS,
        'op.drop_table("members")',
        'op.drop_table("teams")',
        says="the child comes before the parent",
    ),
    teams(
        "both in the same order",
        TEAMS + MEMBERS,
        'op.drop_table("teams")',
        'op.drop_table("members")',
        says="the parent is dropped before the child",
    ),
    teams(
        "the rule is gone",
        (TEAMS + MEMBERS).replace(
            '        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),\n', ""
        ),
        'op.drop_table("teams")',
        'op.drop_table("members")',
        says="an id is not a rule",
    ),
    teams(
        "half a downgrade",
        TEAMS + MEMBERS,
        'op.drop_table("members")',
        says="Extra: the table teams.",
    ),
    teams(
        "nothing in the downgrade", TEAMS + MEMBERS, "pass", says="a downgrade that does nothing"
    ),
    teams(
        "everything goes",
        TEAMS + MEMBERS,
        'op.drop_table("members")',
        'op.drop_table("teams")',
        DROP_JOBS,
        DROP_COMPANIES,
        says="a downgrade that takes too much",
    ),
    teams(
        "companies go",
        TEAMS + MEMBERS,
        'op.drop_table("members")',
        'op.drop_table("teams")',
        DROP_COMPANIES,
        says="a downgrade that takes too much",
    ),
    teams(
        "an enum type stays",
        TEAMS.replace("sa.String(80)", 'sa.Enum("red", "blue", name="colour")') + MEMBERS,
        'op.drop_table("members")',
        'op.drop_table("teams")',
        says="a type that stays behind",
    ),
    teams(
        "an unnamed UNIQUE",
        TEAMS + MEMBERS + '    op.create_unique_constraint(None, "teams", ["name"])\n',
        'op.drop_constraint(None, "teams", type_="unique")',
        'op.drop_table("members")',
        'op.drop_table("teams")',
        says="a constraint without a name, dropped by name",
    ),
    teams(
        "a name that is too long",
        TEAMS + MEMBERS + f'    op.create_index("ix_{"long_" * 13}", "teams", ["name"])\n',
        'op.drop_table("members")',
        'op.drop_table("teams")',
        says="exceeds maximum length of 63 characters",
    ),
    teams(
        "a colon in the text",
        TEAMS + MEMBERS + "    op.execute(\"INSERT INTO teams (name) VALUES (':red')\")\n",
        'op.drop_table("members")',
        'op.drop_table("teams")',
        says="a colon in SQL text",
    ),
    teams(
        "a Session that commits",
        TEAMS
        + MEMBERS
        + "    from sqlalchemy.orm import Session\n\n    session = Session(op.get_bind())\n    session.commit()\n",
        'op.drop_table("members")',
        'op.drop_table("teams")',
        says="a migration that commits",
    ),
    Answer(
        "2.5",
        "a folder in place of the file",
        ("from pathlib import Path\n\nPath('practice/teams.py').mkdir()",),
        says="Not attempted yet",
    ),
]

RIGHT = [
    Answer("2.1", "a capital and a bracket", given="B)"),
    Answer("2.2", "with commas", given="d, c, a, b"),
    jobs(
        "a key in the column",
        (f"        {KEY},\n", ""),
        ('"company_id", sa.Integer()', '"company_id", sa.Integer(), sa.ForeignKey("companies.id")'),
    ),
    jobs("a key with a name", ('["companies.id"]', '["companies.id"], name="fk_jobs_company"')),
    jobs(
        "PrimaryKeyConstraint apart, other order",
        ("primary_key=True", "nullable=False"),
        (
            f"        {KEY},\n",
            f'        sa.PrimaryKeyConstraint("id", name="pk_jobs"),\n        {KEY},\n',
        ),
        (
            'sa.Column("name", sa.String(50), nullable=False)',
            'sa.Column("name", sa.String(50), nullable=False),\n        sa.PrimaryKeyConstraint("id")',
        ),
    ),
    jobs(
        "types in other words",
        ("sa.String(100)", "sa.VARCHAR(length=100)"),
        ("sa.String()", "sa.types.Unicode"),
        ("sa.Integer()", "sa.INTEGER"),
        ("sa.String(50)", "sa.types.String(length=50)"),
    ),
    jobs(
        "the key made afterwards",
        (
            f"        {KEY},\n    )\n",
            '    )\n    op.create_foreign_key(None, "jobs", "companies", ["company_id"], ["id"])\n',
        ),
    ),
    upgrade(
        "raw SQL through op.execute",
        'op.execute("CREATE TABLE companies (id serial PRIMARY KEY, name varchar(50) NOT NULL)")',
        'op.execute(sa.text("CREATE TABLE jobs (title varchar(100) NOT NULL, id serial, description varchar NOT NULL, company_id int NOT NULL REFERENCES companies, PRIMARY KEY (id))"))',
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
        "table('jobs', *columns, sa.Column('company_id', sa.Integer, sa.ForeignKey('companies.id'), nullable=False))",
    ),
    upgrade(
        "column by column",
        "op.create_table('companies', sa.Column('id', sa.Integer(), primary_key=True))",
        "op.add_column('companies', sa.Column('name', sa.String(50), nullable=False))",
        "op.create_table('jobs', sa.Column('id', sa.Integer(), primary_key=True))",
        "with op.batch_alter_table('jobs') as batch:",
        "    batch.add_column(sa.Column('title', sa.String(100), nullable=False))",
        "    batch.add_column(sa.Column('description', sa.String(), nullable=False))",
        "    batch.add_column(sa.Column('company_id', sa.Integer(), sa.ForeignKey('companies.id'), nullable=False))",
    ),
    Answer(
        "2.3",
        "by hand in the file",
        (BY_HAND + f"path.write_text(text.replace('    pass', {COMPANIES + JOBS!r}.rstrip(), 1))",),
    ),
    Answer(
        "2.3",
        "with Windows line ends",
        (UPGRADE, BY_HAND + "path.write_bytes(text.encode().replace(b'\\n', b'\\r\\n'))"),
    ),
    Answer(
        "2.3",
        "imports of its own, a docstring, a print",
        (
            CELL
            + 'def upgrade():\n    """Jobs belong to companies. Nothing to COMMIT here."""\n    import math\n\n    print(math.pi)\n'
            + COMPANIES
            + JOBS,
        ),
    ),
    back("in order", DROP_JOBS, DROP_COMPANIES),
    back(
        "if_exists",
        'op.drop_table("jobs", if_exists=True)',
        'op.drop_table("companies", if_exists=True)',
    ),
    back("one statement", 'op.execute("DROP TABLE companies, jobs")'),
    back(
        "a loop with an f-string",
        'for name in ("jobs", "companies"):',
        '    op.execute(f"DROP TABLE {name}")',
    ),
    back(
        "the rule first, by its name",
        'op.drop_constraint("jobs_company_id_fkey", "jobs")',
        DROP_COMPANIES,
        DROP_JOBS,
    ),
    back("CASCADE and the rest", 'op.execute("DROP TABLE companies CASCADE")', DROP_JOBS),
    back(
        "a helper function",
        "drop('jobs')",
        "drop('companies')",
        also="\n\ndef drop(name):\n    op.drop_table(name)\n",
    ),
    back(
        "text on the connection",
        'op.get_bind().execute(sa.text("DROP TABLE jobs"))',
        DROP_COMPANIES,
    ),
    Answer(
        "2.4",
        "by hand in the file",
        (
            BY_HAND
            + "path.write_text(text.replace('    pass', '    op.drop_table(\"jobs\")\\n    op.drop_table(\"companies\")'))",
        ),
    ),
    teams("in order", TEAMS + MEMBERS, 'op.drop_table("members")', 'op.drop_table("teams")'),
    teams(
        "named, and the comment left in",
        "    # This has never run.\n"
        + TEAMS
        + MEMBERS.replace('["teams.id"]', '["teams.id"], name="fk"'),
        'op.drop_table("members")',
        'op.drop_table("teams")',
    ),
    Answer(
        "2.5",
        "a whole revision file",
        (
            '%%writefile practice/teams.py\n"""teams"""\nfrom alembic import op\nimport sqlalchemy as sa\n\nrevision = "0123456789ab"\ndown_revision = None\n\n\ndef upgrade() -> None:\n'
            + TEAMS
            + MEMBERS
            + '\n\ndef downgrade() -> None:\n    op.drop_table("members")\n    op.drop_table("teams")\n',
        ),
    ),
]
