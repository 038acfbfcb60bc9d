"""Exercises of chapter 5: downgrade and history."""

import tempfile
from pathlib import Path

import sqlalchemy as sa

from workbook import project, schema
from workbook.exercises import Outcome
from workbook.exercises.chapter_02 import statements
from workbook.exercises.chapter_03 import applied
from workbook.exercises.kinds import (
    bare,
    choose,
    find_out,
    judge_trial,
    known,
    not_attempted,
    not_yet,
    order,
    revision,
    revisions,
    run_trial,
    state,
)
from workbook.exercises.mistakes import Mistake
from workbook.exercises.mistakes_in_migrations import MIGRATION
from workbook.exercises.trial import IDS
from workbook.server import database

INDEX = """
def upgrade() -> None:
    op.add_column("jobs", sa.Column("remote", sa.Boolean()))
    op.create_index("ix_jobs_title", "jobs", ["title"])


def downgrade() -> None:
    op.drop_index("ix_jobs_title", "jobs")
    op.drop_column("jobs", "remote")
"""

BROKEN = INDEX.replace('    op.drop_index("ix_jobs_title", "jobs")\n', "")

SALARY = """
def upgrade() -> None:
    op.add_column("jobs", sa.Column("salary", sa.Integer()))


def downgrade() -> None:
    op.drop_column("jobs", "salary")
"""


def walk() -> str:
    """Where `downgrade r2` and `upgrade +1` lead from r4, by Alembic itself."""
    with tempfile.TemporaryDirectory() as name, database.scratch() as connection:
        versions = Path(name) / "alembic" / "versions"
        versions.mkdir(parents=True)
        for number in range(1, 5):
            down = f"r{number - 1}" if number > 1 else None
            text = IDS.format(revision=f"r{number}", down=down)
            text += "def upgrade(): pass\ndef downgrade(): pass\n"
            (versions / f"r{number}.py").write_text(text)
        scripts = project.scripts(Path(name))
        project.migrate(connection, scripts, "r4")
        project.migrate(connection, scripts, "r2", down=True)
        project.migrate(connection, scripts, "+1")
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())


UNWRITTEN = Mistake(
    "an id without its change",
    "alembic_version names this revision, and jobs has no salary: it was applied while its file was"
    " empty, or stamped. Alembic compares ids and not contents, so upgrade finds nothing to do.",
    "Set the row back with alembic stamp and the id of the revision before. Then upgrade.",
    lambda trial: False,
)


def salary(connection: sa.Connection) -> Outcome:
    """Whether a revision of the learner's own gives jobs a salary, here and on the way back."""
    sources = {each: each.read_text(encoding="utf-8", errors="replace") for each in revisions()}
    mine = [
        path
        for path, source in sources.items()
        if "salary" in bare(source)
        and (statements(source, "upgrade") or statements(source, "downgrade"))
    ]
    jobs = schema.read(connection).tables.get("jobs")
    there = jobs is not None and "salary" in jobs.columns
    if not mine:
        if there:
            return not_yet("jobs has a salary, but no revision of yours says so.")
        return not_attempted("No revision mentions a salary yet. Make one and fill it in.")
    outcome = applied(connection)
    if outcome.kind == "not attempted":
        return not_yet("The revision is written. Now bring the database to it.")
    if outcome.kind != "done" and there:
        return outcome
    try:
        scripts = project.scripts(project.workspace())
        own = [each for each in scripts.walk_revisions() if Path(each.path) in mine][-1]
    except (Exception, SystemExit):  # noqa: BLE001 - whatever a file there can do: applied said it
        return outcome
    if outcome.kind != "done":
        row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()
        return known(UNWRITTEN) if own.revision in row else outcome
    before = own.down_revision
    if not isinstance(before, str):
        return not_yet("The salary belongs in a revision of its own, after init.")
    files = [Path(each.path) for each in scripts.iterate_revisions(before, "base")]
    trial = run_trial(
        "revision",
        sources[Path(own.path)],
        SALARY,
        own=[*files, Path(own.path)],
        before=before,
        before_files=files,
    )
    return judge_trial(trial, MIGRATION, down=True)


STEPS = {
    "a": "alembic upgrade head",
    "b": "correct the name",
    "c": "git commit",
    "d": "alembic downgrade -1",
}
SLIP = """
from alembic import op
import sqlalchemy as sa
def upgrade():
    op.add_column("jobs", sa.Column("locaton", sa.String()))
def downgrade():
    op.drop_column("jobs", "locaton")
"""


def mend(steps: list[str]) -> list[str]:
    """Take these steps on a database that is at the revision with the slip; what goes wrong."""
    with tempfile.TemporaryDirectory() as name, database.scratch() as connection:
        versions = Path(name) / "alembic" / "versions"
        versions.mkdir(parents=True)
        for each in project.history("base", project.INIT):
            (versions / "init.py").write_bytes(Path(each.path).read_bytes())
        text = IDS.format(revision="slip", down=project.INIT) + SLIP
        (versions / "slip.py").write_text(text)
        project.migrate(connection, project.scripts(Path(name)), "head")
        for step in steps:
            if step == STEPS["b"]:
                (versions / "slip.py").write_text(text.replace("locaton", "location"))
            elif step != STEPS["c"]:
                down = step == STEPS["d"]
                try:
                    scripts = project.scripts(Path(name))
                    project.migrate(connection, scripts, "-1" if down else "head", down=down)
                except sa.exc.DBAPIError as error:
                    return [f"It stops at {step}: {str(error.orig).splitlines()[0]}."]
        columns = {each["name"] for each in sa.inspect(connection).get_columns("jobs")}
    return [] if "location" in columns else ["In the end, jobs has no column location."]


def step_mistake(letters: list[str]) -> tuple[str, str] | None:
    """The well-known ways to correct an applied revision in the wrong order."""
    place = letters.index
    if place("c") < 3:
        return (
            "shared before it was tried",
            "Once others have the file, they may have applied it. Try it first, share it last.",
        )
    if place("b") < place("d"):
        return (
            "the way back is edited before it is taken",
            "downgrade() would look for the new name, and the table still has the old one.",
        )
    if place("a") < place("b"):
        return (
            "the upgrade comes too early",
            "It applies the file as it stands: with the slip in it.",
        )
    return None


EXERCISES = [
    choose(
        "5.1",
        right="b",
        wrong={
            "a": (
                "a downgrade is not a backup",
                "The addresses were deleted with the column. A migration file holds operations, not data.",
            ),
            "c": (
                "the way back was written in advance",
                "downgrade() adds the column again and asks nothing. It cannot fill it.",
            ),
            "d": (
                "alembic_version holds one id",
                "It is the whole memory of Alembic, and there is no room in it for anybody's data.",
            ),
        },
        task="say what a downgrade brings back",
        hints=(
            "What did the count of the companies say after down and up?",
            "Shape and data are two things. Which of them does a migration file describe?",
        ),
        solution='check("5.1", "b")',
        why="A downgrade gives the shape back. The data come back from a backup, or not at all.",
        passed="You will not mistake a downgrade for a backup.",
    ),
    find_out(
        "5.2",
        walk,
        mistakes={
            "r2": (
                "an id is a destination, not a victim",
                "downgrade r2 keeps r2 and undoes what comes after it. The step up begins there.",
            ),
            "r1": (
                "an id is a destination, not a victim",
                "downgrade r2 does not undo r2. And a step up follows.",
            ),
            "3": (
                "a revision has a name",
                "Look at how the question names its revisions, and write it in the same way.",
            ),
            "r4": (
                "+1 is one step",
                "upgrade +1 is not upgrade head: it stops after one revision.",
            ),
        },
        task="predict where two commands lead",
        hints=(
            "Take the commands one by one. After the first, which revisions are still applied?",
            "downgrade r2 stops at r2. One step up from there is the answer.",
        ),
        solution='check("5.2", "r3")',
        why="downgrade r2 ends at r2, and +1 leads to the next one, r3.",
        passed="You can find your way in a history.",
    ),
    revision(
        "5.3",
        file="index.py",
        reference=INDEX,
        attempted=lambda source: bare(source) != bare(BROKEN),
        task="repair a downgrade that forgets something",
        hints=(
            "Count: how many operations are there in upgrade(), and how many in downgrade()?",
            "op.drop_index takes the name of the index and the name of its table.",
            "Add op.drop_index for ix_jobs_title to downgrade().",
        ),
        solution="%%writefile practice/index.py" + INDEX,
        why="Each operation has its opposite. The forgotten one shows at the second upgrade, when nobody"
        " thinks of the first any more.",
        passed="You can test a way back, and mend it.",
    ),
    order(
        "5.4",
        STEPS,
        mend,
        step_mistake,
        task="correct a revision of your own",
        hints=(
            "Which of the steps needs the file as it is now, with the slip?",
            "As in this section: the database steps back while the file can still tell it how.",
        ),
        solution='check("5.4", "d b a c")',
        why="First back, with the file that brought you here; then the correction, then up again to try"
        " it; and only what was tried is shared.",
        passed="You can correct a revision that nobody else has.",
    ),
    state(
        "5.5",
        salary,
        task="make, write and apply a revision alone",
        hints=(
            "Three steps, all from this chapter: make a revision, write its two functions, upgrade.",
            '!alembic revision -m "add salary" in one cell; in the next, on its first line,'
            " %%writerevision alembic/versions/*_add_salary.py; then !alembic upgrade head.",
            "upgrade() adds a sa.Column of sa.Integer() to jobs, downgrade() drops it.",
        ),
        solution='!alembic revision -m "add salary"\n'
        "from pathlib import Path\n\n"
        'path = next(Path("alembic/versions").glob("*_add_salary.py"))\n'
        'head = path.read_text().split("def upgrade")[0]\n'
        'path.write_text(head + """' + SALARY.lstrip("\n") + '""")\n'
        "!alembic upgrade head",
        why="This is the whole craft in three steps: make the revision, say both ways, apply it.",
        passed="You have made a migration from nothing, and it passes the test: up, down, up.",
    ),
]
