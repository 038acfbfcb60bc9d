"""13.2  A test of the newest migration, with rows."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from workbook import project
from workbook.contents import AT_INIT, INIT, MODELS, Start
from workbook.exercises import Mistake, edits
from workbook.exercises.kinds import Probed

HISTORY = """
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "0000newest00", "{down}", None, None
def upgrade():
    {up}
def downgrade():
    {back}
"""
COLUMN = 'op.add_column("jobs", sa.Column("pay", sa.Integer()))'
INDEX = 'op.create_index("by_title", "jobs", ["title"])'
IF_MISSING = 'op.add_column("jobs", sa.Column("pay", sa.Integer()), if_not_exists=True)'
REQUIRED = 'op.add_column("jobs", sa.Column("pay", sa.Integer(), nullable=False))'
NO_COLUMN, NO_INDEX = 'op.drop_column("jobs", "pay")', 'op.drop_index("by_title")'
RIGHT_ONES = ((COLUMN, NO_COLUMN), (INDEX, NO_INDEX))
FAULTS = {
    "the way back stops with an error": (COLUMN, 'op.drop_column("jobs", "salary")'),
    "the downgrade forgets its index": (INDEX, "pass"),
    "the downgrade leaves its column behind": (IF_MISSING, "pass"),
    "the downgrade takes another column along": (
        COLUMN,
        f'{NO_COLUMN}; op.alter_column("jobs", "description", nullable=True)',
    ),
    "the upgrade works on empty tables alone": (REQUIRED, NO_COLUMN),
    "the upgrade shortens titles": (
        f'{COLUMN}; op.execute("UPDATE jobs SET title = left(title, 3)")',
        NO_COLUMN,
    ),
    "the downgrade deletes a row": (COLUMN, f'{NO_COLUMN}; op.execute("DELETE FROM jobs")'),
}
# Of the plugins the last collects garbage six times over, half the time of a run.
OPTIONS = ["--import-mode=importlib", "--tb=short"]
OPTIONS += [f"-p no:{name}" for name in ("cacheprovider", "logging", "unraisableexception")]
UNREADABLE = "a file that pytest cannot read"
NO_TEST = "pytest finds no test"
RED = "red where nothing is wrong"
GREEN = "It stays green where"


class Report:
    """A plugin of pytest's: what it found, and the words of what failed."""

    def __init__(self) -> None:
        self.passed = 0
        self.skipped = False
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: object) -> None:
        outcome, when = getattr(report, "outcome", ""), getattr(report, "when", "")
        self.passed += outcome == "passed" and when == "call"
        self.skipped |= outcome == "skipped"
        if outcome == "failed":
            self.failed.append(_last(str(getattr(report, "longreprtext", ""))))

    def pytest_collectreport(self, report: object) -> None:
        if getattr(report, "outcome", "") == "failed":
            self.failed.append(_last(str(getattr(report, "longreprtext", ""))))


def _last(text: str) -> str:
    """pytest's own line for what failed: the first that begins with E."""
    lines = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    return (lines or text.strip().splitlines() or [""])[0]


def tested(source: str, up: str, back: str) -> Report:
    """What pytest says of the learner's tests, where the newest migration does this."""
    import pytest

    folder = Path(f"project{len(list(Path().glob('project*')))}").absolute()
    project.lay_out(folder, Start("the first revision", (*MODELS, "tested"), AT_INIT))
    newest = folder / "alembic" / "versions" / "newest.py"
    newest.write_text(HISTORY.format(down=INIT, up=up, back=back), encoding="utf-8")
    (folder / "tests" / "test_newest.py").write_text(source, encoding="utf-8")
    report = Report()
    with contextlib.chdir(folder):
        pytest.main([*OPTIONS, "tests"], plugins=[report])
    for name in [name for name in sys.modules if name.split(".")[0] in ("tests", "conftest")]:
        del sys.modules[name]
    return report


def probe(source: str) -> list[str]:
    """What is wrong with the learner's tests: they have to see each of the faults, and no other."""
    os.environ |= {"TEST_DATABASE": os.environ["PGDATABASE"], "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    try:
        compile(source, "test_newest.py", "exec")
    except SyntaxError as error:
        return [UNREADABLE, f"Line {(error.lineno or 0) + 1} of the cell: {error.msg}."]
    for up, back in RIGHT_ONES:
        report = tested(source, up, back)
        if re.match(r"(Import|ModuleNotFound|Name)Error", "".join(report.failed[:1])):
            return [UNREADABLE, f"{report.failed[0]}."]
        if report.failed:
            return [RED, f"pytest says: {report.failed[0][:200]}"]
        if not report.passed:
            return ["pytest skips the test, so it is never red."] if report.skipped else [NO_TEST]
    return list(_missed(source))


def _missed(source: str) -> Iterator[str]:
    for words, (up, back) in FAULTS.items():
        if not tested(source, up, back).failed:
            yield f"{GREEN} {words}."


TOP = '''
from alembic import command

ROWS = """
INSERT INTO companies (name) VALUES ('Ada Analytics');
INSERT INTO jobs (title, description, company_id) VALUES ('Analyst', 'Asks.', 1)
"""
JOBS = "SELECT id, title, description FROM jobs ORDER BY id"


def test_the_newest_step(config, sql, schema):
'''
BODY = """\
    command.upgrade(config, "head-1")
    sql(ROWS)
    before, jobs = schema(), sql(JOBS)
    command.upgrade(config, "head")
    after = schema()
    assert sql(JOBS) == jobs
    command.downgrade(config, "-1")
    assert schema() == before
    assert sql(JOBS) == jobs
    command.upgrade(config, "head")
    assert schema() == after
"""

EXERCISE = Probed(
    file="test_newest.py",
    probe="workbook.exercises.ch13.ex2:probe",
    code=TOP + BODY,
    shown=TOP + "    ...",
    mistakes=(
        Mistake(
            UNREADABLE,
            "It stops before the first test begins.",
            "Read pytest's line, and mend that place.",
        ),
        Mistake(
            NO_TEST,
            "pytest takes functions whose name begins with test_, and nothing else.",
            "Give the function such a name.",
        ),
        Mistake(
            RED,
            "Two migrations that are right were tried, a new column and a new index. A test that is"
            " red for them will be switched off within a week.",
            "Compare what has to be equal, and nothing more.",
        ),
    ),
    task="test the newest migration, with rows",
    hints=(
        "Four moves: to the step before, up, down, and up again. The rows come in after the first.",
        "Note schema() before and after the step, and what JOBS gives. Each move has something that"
        " it must not change.",
        'command.upgrade(config, "head-1") goes to the step before; command.downgrade(config, "-1")'
        " takes it back.",
    ),
    why="Rows find what empty tables hide, the comparison finds what a way back leaves or takes, and"
    " the second upgrade finds what it forgot.",
    passed="You can write a test that turns red for a bad migration, and stays green for a good one.",
)

CODE = EXERCISE.filled
DOWN = '    command.downgrade(config, "-1")\n    assert schema() == before\n    assert sql(JOBS) == jobs\n'
AGAIN = '    command.upgrade(config, "head")\n    assert schema() == after\n'
WRONG = edits(
    CODE,
    r"""
up alone  | DOWN  |  | AGAIN  |  | the way back stops with an error
no rows  | \s   sql(ROWS)\n  |  | It stays green where the upgrade works on empty tables alone
rows at the end  | \s   sql(ROWS)\n  |  | AGAIN  | AGAIN\s   sql(ROWS)\n  | It stays green where the upgrade shortens titles
no comparison of the schema  | \s   assert schema() == before\n  |  | It stays green where the downgrade leaves its column behind
no comparison of the rows  | \s   assert sql(JOBS) == jobs\n  |  | It stays green where the upgrade shortens titles
rows compared at the end alone  | after = schema()\n    assert sql(JOBS) == jobs\n  | after = schema()\n  | assert schema() == after  | assert schema() == after\n    assert sql(JOBS) == jobs  |
how many rows  | JOBS = "SELECT id, title, description FROM jobs ORDER BY id"  | JOBS = "SELECT count(*) FROM jobs"  | It stays green where the upgrade shortens titles
rows as a set  | sql(JOBS)  | set(sql(JOBS))  |
skipped  | \ndef test_the  | \nimport pytest\n\n\n@pytest.mark.skip\ndef test_the  | pytest skips the test
no second upgrade  | AGAIN  |  |
after compared with before  | assert schema() == after  | assert schema() == before  | red where nothing is wrong
the schema may not change  | after = schema()\n  | after = schema()\n    assert after == before\n  | red where nothing is wrong
another name  | def test_the_newest_step  | def the_newest_step  | pytest finds no test
a fixture that is not there  | config, sql, schema  | config, sql, schema, database  | red where nothing is wrong
an import that is not there  | from alembic import command  | from alembic import commands  | a file that pytest cannot read
a bracket that is not closed  | sql(ROWS)\n  | sql(ROWS\n  | a file that pytest cannot read
to the head at once  | "head-1"  | "head"  | red where nothing is wrong
down to base  | "-1")  | "base")  | red where nothing is wrong
errors are swallowed  | command.downgrade(config, "-1")  | try:\n        command.downgrade(config, "-1")\n    except Exception:\n        return  | It stays green where the way back stops with an error
""".replace("DOWN", DOWN.replace("\n", "\\n").replace("    c", "\\s   c", 1)).replace(
        "AGAIN", AGAIN.replace("\n", "\\n").replace("    c", "\\s   c", 1)
    ),
)
RIGHT = [each for each in WRONG if not each.says]
WRONG = [each for each in WRONG if each.says]
