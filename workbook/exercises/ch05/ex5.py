"""5.5  Make, write and apply a revision alone: a salary."""

import tempfile
from pathlib import Path

import sqlalchemy as sa
from alembic.script import Script

from workbook import project, schema
from workbook.contents import AT_INIT
from workbook.exercises import Mistake, Outcome, cells
from workbook.exercises.applied import STATES, applied, versions
from workbook.exercises.ch02 import statements
from workbook.exercises.ch05 import functions
from workbook.exercises.child import SOURCE, Work
from workbook.exercises.kinds import ROWS, Do, bare, not_attempted, refused, revisions, text
from workbook.exercises.mistakes import MIGRATION
from workbook.exercises.trial import (
    IDS,
    PRACTICE,
    Trial,
    known,
    lay_out,
    not_yet,
    reference,
    run,
    verdict,
)

UP = "!alembic upgrade head"
SALARY = 'op.add_column("jobs", sa.Column("salary", sa.Integer()))'
NO_SALARY = 'op.drop_column("jobs", "salary")'
CODE = functions(SALARY, NO_SALARY)

UNWRITTEN = Mistake(
    "an id without its change",
    "alembic_version names this revision, and jobs has no salary: it was applied while its file was"
    " empty, or stamped. Alembic compares ids and not contents, so upgrade finds nothing to do.",
    "Set the row back with alembic stamp and the id of the revision before. Then upgrade.",
)


EDITED = Mistake(
    "an applied revision was edited",
    "The salary stands in init, and init is applied: its id is in alembic_version, so no upgrade will"
    " read it again, here or anywhere else. On a new database it would do something that yours has"
    " never seen.",
    "Take it out of init, in both functions, and put it into a revision of its own.",
)


def salary(connection: sa.Connection) -> Outcome:
    """Whether a revision of the learner's own gives jobs a salary, here and on the way back."""
    return refused(_salary(connection))


def _salary(connection: sa.Connection) -> Outcome:
    mine = [path for path in revisions() if speaks_of_it(text(path))]
    jobs = schema.read(connection).tables.get("jobs")
    there = jobs is not None and "salary" in jobs.columns
    if not mine:
        if there:
            return not_yet("jobs has a salary, but no revision of yours says so.")
        return not_attempted("No revision mentions a salary yet. Make one and fill it in.")
    outcome = applied(connection)
    if outcome.kind != "done" and there:
        return outcome
    try:
        scripts = project.scripts(project.workspace())
        own = [each for each in scripts.walk_revisions() if Path(each.path) in mine][-1]
        files = [Path(each.path) for each in scripts.iterate_revisions(own.revision, "base")]
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a file there can do: applied said it
        return outcome
    at = versions(connection)
    if own.down_revision is None:
        return known(EDITED, f"It is about {Path(own.path).name}.") if at else outcome
    if outcome.kind != "done" and own.revision in at:
        return known(UNWRITTEN, f"It is about {Path(own.path).name}.")
    found = tried(own, files)
    if found.kind == "done" and outcome.kind == "not attempted":
        return not_yet("The revision is written. Now bring the database to it.")
    return outcome if found.kind == "done" else found


def speaks_of_it(source: str) -> bool:
    """Whether a revision is about a salary and does something."""
    does = statements(source, "upgrade") or statements(source, "downgrade")
    return "salary" in bare(source) and bool(does)


def tried(own: Script, files: list[Path]) -> Outcome:
    """How a revision fares after those that lead to it, beside the solution after the same."""
    before = str(own.down_revision)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        lay_out(folder / "learner", files)
        others = [path for path in files if path != Path(own.path)]
        versions = lay_out(folder / "reference", others, CODE)
        ids = IDS.format(revision="practice", down=before)
        (versions / SOURCE).write_text(PRACTICE + ids, encoding="utf-8")
        wanted = reference("migrations", Work(folder / "reference", (before,), ROWS))
        mine = run("migrations", Work(folder / "learner", (before,), ROWS))
    alike = [each and each.rows for each in (mine.after("before"), wanted.after("before"))]
    return verdict(Trial(mine, wanted, exact=alike[0] == alike[1]), EXERCISE.mistakes, MIGRATION)


EXERCISE = Do(
    look=salary,
    shown="# your commands",
    done='!alembic revision -m "add salary"\n\n'
    f"%%writerevision alembic/versions/*_add_salary.py\n{CODE}\n{UP}",
    mistakes=(EDITED, UNWRITTEN, *STATES),
    task="make, write and apply a revision alone",
    hints=(
        "Three steps, all from this chapter: make a revision, write its two functions, upgrade.",
        '!alembic revision -m "add salary" in one cell; in the next, on its first line,'
        " %%writerevision alembic/versions/*_add_salary.py; then !alembic upgrade head.",
        "upgrade() adds a sa.Column of sa.Integer() to jobs, downgrade() drops it.",
    ),
    why="This is the whole craft in three steps: make the revision, say both ways, apply it.",
    passed="You have made a migration from nothing, and it passes the test: up, down, up.",
)


def written(
    up: object = SALARY,
    down: object = NO_SALARY,
    id: str = "aaaaaaaaaaaa",
    after: str = AT_INIT[0],
    message: str = "add salary",
) -> str:
    """A cell that writes a revision's file, as `alembic revision` and %%writerevision would."""
    return (
        f"%%writefile alembic/versions/{id}_{message.replace(' ', '_')}.py\n"
        f'"""{message}"""\nfrom alembic import op\nimport sqlalchemy as sa\n\n'
        f"revision = {id!r}\ndown_revision = {after!r}\n\n\n{functions(up, down)}"
    )


FILE = """
from pathlib import Path

path = Path("alembic/versions/aaaaaaaaaaaa_add_salary.py")
"""
IN_INIT = """
from pathlib import Path

[path] = Path("alembic/versions").glob("*_init.py")
column = 'sa.Column("company_id"'
text = path.read_text().replace(column, 'sa.Column("salary", sa.Integer()),\\n        ' + column)
path.write_text(text)
"""


WRONG = [
    cells("nothing", says="Not attempted yet"),
    cells("an empty revision", '!alembic revision -m "add salary"', says="Not attempted yet"),
    cells(
        "the column by hand",
        "%sql ALTER TABLE jobs ADD salary integer",
        says="jobs has a salary, but no revision of yours says so.",
    ),
    cells(
        "by hand, with an empty revision",
        written("pass", "pass"),
        UP,
        "%sql ALTER TABLE jobs ADD salary integer",
        says="jobs has a salary, but no revision of yours says so.",
    ),
    cells("written and not applied", written(), says="and the head is aaaaaaaaaaaa"),
    cells(
        "applied before it was written",
        written("pass", "pass"),
        UP,
        written(),
        UP,
        says="an id without its change",
    ),
    cells("stamped", written(), "!alembic stamp head", says="an id without its change"),
    cells(
        "the row by hand",
        written(),
        "%sql UPDATE alembic_version SET version_num = 'aaaaaaaaaaaa'",
        says="an id without its change",
    ),
    cells(
        "applied, then downgraded",
        written(),
        UP,
        "!alembic downgrade -1",
        says="and the head is aaaaaaaaaaaa",
    ),
    cells(
        "applied, then base",
        written(),
        "!alembic downgrade base",
        says="The revision is written. Now bring the database to it.",
    ),
    cells(
        "column and row by hand, nothing back",
        written(down="pass"),
        "%sql ALTER TABLE jobs ADD salary integer",
        "%sql UPDATE alembic_version SET version_num = 'aaaaaaaaaaaa'",
        says="a downgrade that does nothing",
    ),
    cells(
        "required",
        written(SALARY.replace("())", "(), nullable=False)")),
        UP,
        says="NOT NULL on a table that holds rows",
    ),
    cells(
        "required, with a default",
        written(SALARY.replace("())", '(), nullable=False, server_default="0")')),
        UP,
        says="a column that must have a value",
    ),
    cells(
        "as text",
        written(SALARY.replace("Integer", "String")),
        UP,
        says="Different: jobs.salary is VARCHAR, asked for is INTEGER.",
    ),
    cells(
        "nothing in the downgrade", written(down="pass"), UP, says="a downgrade that does nothing"
    ),
    cells(
        "the table goes",
        written(down='op.drop_table("jobs")'),
        UP,
        says="a downgrade that takes too much",
    ),
    cells(
        "the title goes",
        written(down='op.drop_column("jobs", "title")'),
        UP,
        says="Extra: the column jobs.salary",
    ),
    cells(
        "in another table",
        written(SALARY.replace("jobs", "companies"), NO_SALARY.replace("jobs", "companies")),
        UP,
        says="Missing: the column jobs.salary, INTEGER.",
    ),
    cells(
        "a typo",
        written(SALARY.replace("sal", "slal"), NO_SALARY.replace("sal", "slal")),
        UP,
        says="Missing: the column jobs.salary, INTEGER.",
    ),
    cells(
        "in the first revision, which is applied",
        IN_INIT,
        UP,
        says="an applied revision was edited",
    ),
    cells(
        "the upgrade fails",
        written(SALARY.replace("jobs", "job"), NO_SALARY),
        UP,
        says='relation "job" does not exist',
    ),
    cells(
        "a letter is missing",
        '!alembic revision -m "add salary"',
        "%%writerevision alembic/versions/*_add_salary.py\n"
        + functions(SALARY, NO_SALARY).replace("downgrade", "downgrad"),
        UP,
        says="Alembic looks for downgrade(), and the cell has downgrad()",
    ),
    cells(
        "two files of one name",
        '!alembic revision -m "add salary"',
        '!alembic revision -m "add salary"',
        "%%writerevision alembic/versions/*_add_salary.py\n" + functions(SALARY, NO_SALARY),
        UP,
        says="2 files match",
    ),
    cells(
        "filled, unasked",
        written([SALARY, 'op.execute("UPDATE jobs SET salary = 0")']),
        UP,
        says="jobs.salary of the row 1 holds 0",
    ),
    cells(
        "in the first revision",
        IN_INIT,
        "!alembic downgrade base",
        UP,
        says="The first revision does not make what it did in chapter 2.",
    ),
    cells(
        "a second head",
        written(),
        written("pass", "pass", id="bbbbbbbbbbbb", message="other"),
        says="The history has more than one end",
    ),
    cells(
        "no ids in the file",
        written(),
        FILE + "path.write_text(path.read_text().replace('revision', 'id'))",
        says="Alembic cannot read the revisions: CommandError",
    ),
    cells(
        "a forgotten colon",
        written().replace("upgrade() -> None:", "upgrade() -> None"),
        says="Alembic cannot read the revisions: SyntaxError",
    ),
    cells(
        "not UTF-8",
        written(),
        FILE + "path.write_bytes(path.read_bytes() + b'name = \"caf\\xe9\"')",
        says="Alembic cannot read the revisions: SyntaxError",
    ),
    cells(
        "its file is gone",
        written(),
        UP,
        FILE + "path.unlink()",
        says="jobs has a salary, but no revision of yours says so.",
    ),
]

RIGHT = [
    cells(
        "in full",
        '!alembic revision -m "add salary"',
        "%%writerevision alembic/versions/*_add_salary.py\n" + functions(SALARY, NO_SALARY),
        UP,
    ),
    cells(
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
    cells(
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
    cells(
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
    cells(
        "raw SQL",
        written(
            'op.execute("ALTER TABLE jobs ADD COLUMN salary int")',
            'op.execute("ALTER TABLE jobs DROP COLUMN salary")',
        ),
        UP,
    ),
    cells(  # what is there is what the upgrade would have left: this is how stamp is meant
        "by hand, and stamped",
        written(),
        "%sql ALTER TABLE jobs ADD salary integer",
        "!alembic stamp head",
    ),
    cells(
        "another message, rows in the tables",
        "%sql INSERT INTO companies (name) VALUES ('Ada')",
        written(message="pay"),
        "!alembic upgrade +1",
    ),
]
