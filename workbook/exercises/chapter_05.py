"""Exercises of chapter 5: downgrade and history."""

import tempfile
from pathlib import Path

import sqlalchemy as sa

from workbook import chapters, database
from workbook.exercises import Outcome
from workbook.exercises.chapter_03 import applied
from workbook.exercises.kinds import (
    choose,
    find_out,
    judge_trial,
    not_attempted,
    not_yet,
    revision,
    run_trial,
    state,
)
from workbook.exercises.mistakes import MIGRATION
from workbook.exercises.trial import IDS

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
        scripts = chapters.scripts(Path(name))
        chapters.migrate(connection, scripts, "r4")
        chapters.migrate(connection, scripts, "r2", down=True)
        chapters.migrate(connection, scripts, "+1")
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())


def salary(connection: sa.Connection) -> Outcome:
    """Whether a revision of the learner's own gives jobs a salary, here and on the way back."""
    versions = chapters.workspace() / "alembic" / "versions"
    texts = {path: path.read_text(encoding="utf-8") for path in versions.glob("*.py")}
    source = "\n".join(text for text in texts.values() if "salary" in text)
    if not source or source.count("    pass") > 1:
        columns = (
            [each["name"] for each in sa.inspect(connection).get_columns("jobs")]
            if (sa.inspect(connection).has_table("jobs"))
            else []
        )
        if "salary" in columns:
            return not_yet("jobs has a salary, but no revision of yours says so.")
        return not_attempted("No revision mentions a salary yet. Make one and fill it in.")
    outcome = applied(connection)
    if outcome.kind != "done" and outcome.kind != "not attempted":
        return outcome
    if outcome.kind == "not attempted":
        return not_yet("The revision is written. Now bring the database there.")
    scripts = chapters.scripts(chapters.workspace())
    head = scripts.get_revision(scripts.get_heads()[0])
    if not head or not isinstance(head.down_revision, str):
        return not_yet("The salary belongs into a revision of its own, after init.")
    project = chapters.workspace()
    trial = run_trial("revision", source, SALARY, project=project, before=head.down_revision)
    return judge_trial(trial, MIGRATION, down=True)


EXERCISES = [
    choose(
        "5.1",
        right="b",
        wrong={
            "a": (
                "a downgrade is not a backup",
                "The texts were deleted with the column. A migration file holds operations, not data.",
            ),
            "c": (
                "the way back was written in advance",
                "downgrade() makes the column again without a question. It cannot fill it.",
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
    choose(
        "5.4",
        right="b",
        wrong={
            "a": (
                "the table is the memory",
                "Without alembic_version, Alembic begins at base, and the first CREATE TABLE stops at"
                ' "already exists".',
            ),
            "c": (
                "stamp changes the row, not the tables",
                "Afterwards the row would say head while the tables are somewhere else. And before that,"
                " stamp itself stops at the same error.",
            ),
            "d": (
                "every command starts from the row",
                "upgrade has to find the current revision first, and stops at the same error.",
            ),
        },
        task="get out of a revision that cannot be located",
        hints=(
            "The row names a revision. What is missing to explain it?",
            "In this chapter you caused this error by moving something.",
        ),
        solution='check("5.4", "b")',
        why="The row is right and the file is missing. With the file back, Alembic can go on, and go down"
        " as well.",
        passed="You can repair the most alarming of Alembic's errors.",
    ),
    state(
        "5.5",
        salary,
        task="make, write and apply a revision alone",
        hints=(
            'Three steps: !alembic revision -m "add salary", then %%writerevision, then !alembic upgrade.',
            "The pattern for %%writerevision is alembic/versions/*_add_salary.py.",
            "upgrade() adds a sa.Column of sa.Integer() to jobs, downgrade() drops it.",
        ),
        solution='!alembic revision -m "add salary"\n'
        "from pathlib import Path\n\n"
        'path = next(Path("alembic/versions").glob("*_add_salary.py"))\n'
        'head = path.read_text().split("def upgrade")[0]\n'
        'path.write_text(head + """' + SALARY.lstrip("\n") + '""")\n'
        "!alembic upgrade head",
        why="This is the whole craft in three steps: make the revision, say both ways, apply it.",
        passed="You have made a migration from nothing, and it stands the test: up, down, up.",
    ),
]
