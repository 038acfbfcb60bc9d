"""Answers to the exercises of chapter 5: downgrade and history."""

from answers import Answer

UP = "!alembic upgrade head"
REMOTE = 'op.add_column("jobs", sa.Column("remote", sa.Boolean()))'
INDEX = 'op.create_index("ix_jobs_title", "jobs", ["title"])'
NO_REMOTE = 'op.drop_column("jobs", "remote")'
NO_INDEX = 'op.drop_index("ix_jobs_title", "jobs")'
SALARY = 'op.add_column("jobs", sa.Column("salary", sa.Integer()))'
NO_SALARY = 'op.drop_column("jobs", "salary")'


def functions(up: object, down: object) -> str:
    """upgrade() and downgrade() of a line or several."""
    text = ""
    for function, lines in (("upgrade", up), ("downgrade", down)):
        many = [lines] if isinstance(lines, str) else list(lines)  # type: ignore[call-overload]
        text += f"def {function}() -> None:\n" + "".join(f"    {line}\n" for line in many) + "\n\n"
    return text.rstrip() + "\n"


def index(
    name: str, up: object = (REMOTE, INDEX), down: object = (NO_INDEX, NO_REMOTE), says: str = ""
) -> Answer:
    """A practice/index.py."""
    return Answer(
        "5.3", name, ("%%writefile practice/index.py\n" + functions(up, down),), says=says
    )


def written(
    up: object = SALARY,
    down: object = NO_SALARY,
    id: str = "aaaaaaaaaaaa",
    after: str = "1f3a9c5e7b20",
    message: str = "add salary",
) -> str:
    """A cell that writes a revision's file, as `alembic revision` and %%writerevision would."""
    return (
        f"%%writefile alembic/versions/{id}_{message.replace(' ', '_')}.py\n"
        f'"""{message}"""\nfrom alembic import op\nimport sqlalchemy as sa\n\n'
        f"revision = {id!r}\ndown_revision = {after!r}\n\n\n{functions(up, down)}"
    )


def salary(name: str, *cells: str, says: str = "") -> Answer:
    """Cells for 5.5."""
    return Answer("5.5", name, cells, says=says)


FILE = """
from pathlib import Path

path = Path("alembic/versions/aaaaaaaaaaaa_add_salary.py")
"""

WRONG = [
    Answer("5.1", "a", given="a", says="a downgrade is not a backup"),
    Answer("5.1", "c", given="c", says="the way back was written in advance"),
    Answer("5.1", "d", given="d", says="alembic_version holds one id"),
    Answer("5.2", "the id is the victim", given="r2", says="an id is a destination, not a victim"),
    Answer(
        "5.2",
        "the id is the victim, and no step",
        given="r1",
        says="an id is a destination, not a victim",
    ),
    Answer("5.2", "+1 is head", given="r4", says="+1 is one step"),
    Answer("5.2", "a number", given=3, says="a revision has a name"),
    Answer("5.2", "base", given="base", says="That is not what comes out: 'base'"),
    index("nothing but the comment", down=NO_REMOTE, says="Not attempted yet"),
    index(
        "IF NOT EXISTS instead",
        up=(REMOTE, INDEX.replace("])", "], if_not_exists=True)")),
        down=NO_REMOTE,
        says="an index that stays behind",
    ),
    index("the index is left out", up=REMOTE, down=NO_REMOTE, says="Missing: the index"),
    index(
        "another index is dropped",
        down=('op.drop_index("ix_jobs_name", "jobs")', NO_REMOTE),
        says='index "ix_jobs_name" does not exist',
    ),
    index(
        "dropped as a constraint",
        down=('op.drop_constraint("ix_jobs_title", "jobs")', NO_REMOTE),
        says="an index is not a constraint",
    ),
    index(
        "its column is dropped",
        down=('op.drop_column("jobs", "title")', NO_REMOTE),
        says="Missing: the column jobs.title",
    ),
    index(
        "the table is dropped", down='op.drop_table("jobs")', says="a downgrade that takes too much"
    ),
    index(
        "dropped twice",
        down=(NO_INDEX, NO_INDEX, NO_REMOTE),
        says='index "ix_jobs_title" does not exist',
    ),
    index("the column is forgotten", down=NO_INDEX, says="Extra: the column jobs.remote"),
    index("nothing at all", down="pass", says="a downgrade that does nothing"),
    index(
        "a unique index",
        up=(REMOTE, INDEX.replace("])", "], unique=True)")),
        says="Extra: the index UNIQUE",
    ),
    index(
        "an index on another column",
        up=(REMOTE, INDEX.replace('["title"]', '["remote"]')),
        says="Missing: the index btree (title) on jobs.",
    ),
    index(
        "a column instead of a list",
        up=(REMOTE, INDEX.replace('["title"]', '"title"')),
        says="text in place of a list",
    ),
    index(
        "CONCURRENTLY",
        up=(REMOTE, INDEX.replace("])", "], postgresql_concurrently=True)")),
        says="cannot run inside a transaction block",
    ),
    index("no column name", down=(NO_INDEX, 'op.drop_column("jobs")'), says="drop_column"),
    Answer("5.4", "commit first", given="c d b a", says="shared before it was tried"),
    Answer("5.4", "commit before the upgrade", given="d b c a", says="shared before it was tried"),
    Answer("5.4", "edit first", given="b d a c", says="the way back is edited before it is taken"),
    Answer("5.4", "upgrade first", given="a d b c", says="the upgrade comes too early"),
    Answer("5.4", "a step twice", given="d b a a c", says="Use each of the letters a b c d once"),
    salary("nothing", says="Not attempted yet"),
    salary("an empty revision", '!alembic revision -m "add salary"', says="Not attempted yet"),
    salary(
        "the column by hand",
        "%sql ALTER TABLE jobs ADD salary integer",
        says="jobs has a salary, but no revision of yours says so.",
    ),
    salary(
        "by hand, with an empty revision",
        written("pass", "pass"),
        UP,
        "%sql ALTER TABLE jobs ADD salary integer",
        says="jobs has a salary, but no revision of yours says so.",
    ),
    salary("written and not applied", written(), says="and the head is aaaaaaaaaaaa"),
    salary(
        "applied before it was written",
        written("pass", "pass"),
        UP,
        written(),
        UP,
        says="an id without its change",
    ),
    salary("stamped", written(), "!alembic stamp head", says="an id without its change"),
    salary(
        "the row by hand",
        written(),
        "%sql UPDATE alembic_version SET version_num = 'aaaaaaaaaaaa'",
        says="an id without its change",
    ),
    salary(
        "applied, then downgraded",
        written(),
        UP,
        "!alembic downgrade -1",
        says="and the head is aaaaaaaaaaaa",
    ),
    salary(
        "applied, then base",
        written(),
        "!alembic downgrade base",
        says="The revision is written. Now bring the database to it.",
    ),
    salary(
        "column and row by hand, nothing back",
        written(down="pass"),
        "%sql ALTER TABLE jobs ADD salary integer",
        "%sql UPDATE alembic_version SET version_num = 'aaaaaaaaaaaa'",
        says="a downgrade that does nothing",
    ),
    salary(
        "required",
        written(SALARY.replace("())", "(), nullable=False)")),
        UP,
        says="NOT NULL on a table that holds rows",
    ),
    salary(
        "required, with a default",
        written(SALARY.replace("())", '(), nullable=False, server_default="0")')),
        UP,
        says="a column that must have a value",
    ),
    salary(
        "as text",
        written(SALARY.replace("Integer", "String")),
        UP,
        says="Different: jobs.salary is VARCHAR, asked for is INTEGER.",
    ),
    salary(
        "nothing in the downgrade", written(down="pass"), UP, says="a downgrade that does nothing"
    ),
    salary(
        "the table goes",
        written(down='op.drop_table("jobs")'),
        UP,
        says="a downgrade that takes too much",
    ),
    salary(
        "the title goes",
        written(down='op.drop_column("jobs", "title")'),
        UP,
        says="Extra: the column jobs.salary",
    ),
    salary(
        "in another table",
        written(SALARY.replace("jobs", "companies"), NO_SALARY.replace("jobs", "companies")),
        UP,
        says="Missing: the column jobs.salary, INTEGER.",
    ),
    salary(
        "a typo",
        written(SALARY.replace("sal", "slal"), NO_SALARY.replace("sal", "slal")),
        UP,
        says="Missing: the column jobs.salary, INTEGER.",
    ),
    salary(
        "in the first revision",
        "from pathlib import Path\n\n[path] = Path('alembic/versions').glob('*_init.py')\ntext = path.read_text()\npath.write_text(text.replace('sa.Column(\"company_id\"', 'sa.Column(\"salary\", sa.Integer()),\\n        sa.Column(\"company_id\"'))",
        "!alembic downgrade base",
        UP,
        says="The first revision does not make what it did in chapter 2.",
    ),
    salary(
        "a second head",
        written(),
        written("pass", "pass", id="bbbbbbbbbbbb", message="other"),
        says="The history has more than one end",
    ),
    salary(
        "no ids in the file",
        written(),
        FILE + "path.write_text(path.read_text().replace('revision', 'id'))",
        says="Alembic cannot read the revisions: CommandError",
    ),
    salary(
        "a forgotten colon",
        written().replace("upgrade() -> None:", "upgrade() -> None"),
        says="Alembic cannot read the revisions: SyntaxError",
    ),
    salary(
        "not UTF-8",
        written(),
        FILE + "path.write_bytes(path.read_bytes() + b'name = \"caf\\xe9\"')",
        says="Alembic cannot read the revisions: SyntaxError",
    ),
    salary(
        "its file is gone",
        written(),
        UP,
        FILE + "path.unlink()",
        says="jobs has a salary, but no revision of yours says so.",
    ),
]

RIGHT = [
    Answer("5.1", "a capital", given="B"),
    Answer("5.2", "a capital", given=" R3"),
    Answer("5.4", "as a list", given=["d", "b", "a", "c"]),
    index("in reverse", down=(NO_INDEX, NO_REMOTE)),
    index("in the same order", down=(NO_REMOTE, NO_INDEX)),
    index("without the table", down=('op.drop_index("ix_jobs_title")', NO_REMOTE)),
    index(
        "by keyword",
        down=('op.drop_index("ix_jobs_title", table_name="jobs", if_exists=True)', NO_REMOTE),
    ),
    index(
        "raw SQL",
        down=(
            'op.execute("DROP INDEX ix_jobs_title")',
            'op.execute("ALTER TABLE jobs DROP COLUMN remote")',
        ),
    ),
    index(
        "another name",
        up=(REMOTE, INDEX.replace("ix_jobs_title", "by_title")),
        down=('op.drop_index("by_title", "jobs")', NO_REMOTE),
    ),
    salary(
        "in full",
        '!alembic revision -m "add salary"',
        "%%writerevision alembic/versions/*_add_salary.py\n" + functions(SALARY, NO_SALARY),
        UP,
    ),
    salary(
        "after two more revisions",
        written(
            'op.add_column("jobs", sa.Column("remote", sa.Boolean()))',
            'op.drop_column("jobs", "remote")',
            id="bbbbbbbbbbbb",
            message="remote",
        ),
        written(
            'op.create_table("applications", sa.Column("id", sa.Integer(), primary_key=True))',
            'op.drop_table("applications")',
            id="cccccccccccc",
            after="bbbbbbbbbbbb",
            message="applications",
        ),
        written(after="cccccccccccc"),
        UP,
    ),
    salary(
        "and one more on top",
        written(),
        written(
            'op.create_table("notes")',
            'op.drop_table("notes")',
            id="bbbbbbbbbbbb",
            after="aaaaaaaaaaaa",
            message="notes",
        ),
        UP,
    ),
    salary(
        "after a column that the clock fills",
        written(
            'op.add_column("jobs", sa.Column("made", sa.DateTime(), server_default=sa.func.clock_timestamp()))',
            'op.drop_column("jobs", "made")',
            id="bbbbbbbbbbbb",
            message="made",
        ),
        written(after="bbbbbbbbbbbb"),
        UP,
    ),
    salary(
        "raw SQL",
        written(
            'op.execute("ALTER TABLE jobs ADD COLUMN salary int")',
            'op.execute("ALTER TABLE jobs DROP COLUMN salary")',
        ),
        UP,
    ),
    salary(
        "another message, rows in the tables",
        "%sql INSERT INTO companies (name) VALUES ('Ada')",
        written(message="pay"),
        "!alembic upgrade +1",
    ),
]
