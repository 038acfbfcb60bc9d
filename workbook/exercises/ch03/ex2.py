"""3.2  Upgrade the database."""

from workbook.exercises import cells
from workbook.exercises.applied import STAMPED, STATES, UNKNOWN, UNMANAGED, applied
from workbook.exercises.kinds import Do

EXERCISE = Do(
    shown="# your command",
    done="!alembic upgrade head",
    look=applied,
    mistakes=STATES,
    task="upgrade the database",
    hints=(
        "The command begins with !alembic, and you have seen it with --sql behind it.",
        "Without --sql, the same command is sent to the database.",
    ),
    why="upgrade applies what is pending, head is where to stop.",
    passed="You can bring a database to the newest revision, and its tables prove it.",
)

UP = EXERCISE.done
TABLES = """%%sql
CREATE TABLE companies (id serial PRIMARY KEY, name varchar(50) NOT NULL);
CREATE TABLE jobs (id serial PRIMARY KEY, description varchar NOT NULL, title varchar(100) NOT NULL,
    company_id int NOT NULL REFERENCES companies)
"""
ROW = """%%sql
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('1f3a9c5e7b20')"""
FILE = """
from pathlib import Path

[path] = Path("alembic/versions").glob("*_init.py")
text = path.read_text()
"""
NOT_ATTEMPTED = "Not attempted yet"

WRONG = [
    cells("nothing", says=NOT_ATTEMPTED),
    cells("a typo in the target", "!alembic upgrade haed", says=NOT_ATTEMPTED),
    cells("no target", "!alembic upgrade", says=NOT_ATTEMPTED),
    cells("offline", "!alembic upgrade head --sql", says=NOT_ATTEMPTED),
    cells("printed only", "!alembic upgrade head --sql", says="that was printed (--sql)"),
    cells("in another folder", "%cd ..", UP, says="Run the notebook's first cell."),
    cells(
        "a revision that fails",
        FILE + "path.write_text(text.replace('companies.id', 'company.id'))",
        UP,
        says='The upgrade stops with UndefinedTable: relation "company" does not exist.',
    ),
    cells("stamp", "!alembic stamp head", says=STAMPED.name),
    cells("up and down again", UP, "!alembic downgrade base", says=NOT_ATTEMPTED),
    cells("tables by hand", TABLES, says=UNMANAGED.name),
    cells(
        "create_all",
        "from jobboard.database import Base, engine\nfrom jobboard.models import Job\n\n"
        "Base.metadata.create_all(engine)",
        says=UNMANAGED.name,
    ),
    cells("the row by hand", ROW, says=STAMPED.name),
    cells("an id of nobody's", ROW.replace("1f3a9c5e7b20", "0123456789ab"), says=UNKNOWN.name),
    cells(
        "a version table of another shape",
        "%%sql\nCREATE TABLE alembic_version (x int)",
        says='column "version_num" does not exist',
    ),
    cells(
        "other tables and the row by hand",
        TABLES.replace("varchar(100)", "text"),
        ROW,
        says="Different: jobs.title is TEXT NOT NULL",
    ),
    cells("a table dropped afterwards", TABLES, ROW, "%sql DROP TABLE jobs", says=STAMPED.name),
    cells(
        "a column added afterwards",
        TABLES,
        ROW,
        "%sql ALTER TABLE jobs ADD remote boolean",
        says="Extra: the column jobs.remote",
    ),
    cells(
        "an empty revision, applied",
        FILE + "path.write_text(text.split('def upgrade')[0]"
        " + 'def upgrade(): pass\\ndef downgrade(): pass\\n')",
        UP,
        says="The first revision does not make what it did in chapter 2.",
    ),
    cells(
        "a revision that fails, stamped",
        FILE + "path.write_text(text.replace('companies.id', 'company.id'))",
        TABLES,
        ROW,
        says='on an empty database they stop with UndefinedTable: relation "company" does not exist',
    ),
    cells(
        "a revision that leaves Python",
        FILE + "path.write_text(text.replace('    op.', '    exit()\\n    op.', 1))",
        TABLES,
        ROW,
        says="on an empty database they stop with SystemExit",
    ),
    cells(
        "a file that Python cannot read",
        FILE + "path.with_name('x.py').write_text('def')",
        says="Alembic cannot read the revisions: SyntaxError",
    ),
    cells(
        "a file that leaves Python",
        FILE + "path.with_name('x.py').write_text('exit()')",
        says="Alembic cannot read the revisions: SystemExit",
    ),
    cells(
        "two heads",
        FILE + "path.with_name('x.py').write_text(text.replace('1f3a9c5e7b20', '1f3a9c5e7b21'))",
        TABLES,
        ROW,
        says="The history has more than one end: 1f3a9c5e7b20, 1f3a9c5e7b21",
    ),
    cells(
        "a second revision that waits",
        FILE + "path.with_name('x.py').write_text(text.replace('1f3a9c5e7b20', '1f3a9c5e7b21')"
        ".replace('None] = None', 'None] = \"1f3a9c5e7b20\"', 1))",
        TABLES,
        ROW,
        says="The database is at 1f3a9c5e7b20, and the head is 1f3a9c5e7b21.",
    ),
    cells("no alembic folder", "import shutil\n\nshutil.rmtree('alembic')", says=NOT_ATTEMPTED),
]
RIGHT = [
    cells("in other words", "!alembic upgrade +1"),
    cells("by its id", "!alembic upgrade 1f3a"),
]
