"""Every exercise keeps its contract: unsolved, solved, wrong answers, other right ones.

And no check leaves a trace, hangs or can be fooled. What they print is in test_checking.py.
"""
# mypy: disable-error-code="no-untyped-call"
# (nbformat has no type hints)

import hashlib
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import sqlalchemy as sa
from nbclient import NotebookClient

from workbook import WorkbookError, apart, checking, magics, project, schema, starts
from workbook.author import contract
from workbook.author.notebooks import LESSONS
from workbook.contents import CHAPTERS
from workbook.exercises import Answer, Exercise, answers, edits, every, ids, load
from workbook.exercises.kinds import Code, Do
from workbook.server import database

WAYS = [(exercise, answer) for exercise in every() for answer in contract.ways(exercise)]
every_exercise = pytest.mark.parametrize("exercise", every(), ids=lambda each: each.id)


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A learner's project and database."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    folder = tmp_path_factory.mktemp("learner")
    with pytest.MonkeyPatch.context() as patch, database.separate(f"answers_{worker}", folder):
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        patch.setenv("PATH", os.environ["PATH"])
        database.connect_environment()
        yield


@pytest.mark.parametrize(
    ("exercise", "answer"), WAYS, ids=[f"{exercise.id} {answer.name}" for exercise, answer in WAYS]
)
def test_way(
    exercise: Exercise, answer: Answer, learner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer.hangs:
        monkeypatch.setattr(apart, "SECONDS", 3)
        monkeypatch.setattr(apart, "STATEMENT_SECONDS", 1)
    assert contract.broken_by(exercise, answer) == []


@every_exercise
def test_words_and_lesson(exercise: Exercise) -> None:
    assert [*contract.in_words(exercise), *contract.in_lesson(exercise)] == []


@every_exercise
def test_there_are_enough_answers(exercise: Exercise) -> None:
    wrong, right = answers(exercise.id)
    assert right
    assert len(wrong) >= 3
    if isinstance(exercise, Code | Do):
        assert len({each.says for each in wrong} - {"Not attempted yet"}) >= 3


def test_lessons_hold_these_exercises_and_no_others() -> None:
    asked, headed, tagged = [], set(), set()
    for chapter in CHAPTERS.values():
        notebook = nbformat.read(LESSONS / chapter.lesson, as_version=4)
        for cell in notebook.cells:
            asked += re.findall(r'\bcheck\("([^"]*)"', cell.source)
            headed |= set(re.findall(r"\bExercise (\d+\.\d+)", cell.source))
            tagged |= {cell.id} if "exercise" in cell.metadata.get("tags", []) else set()
    assert [*dict.fromkeys(asked)] == [*ids()]  # one may be asked on the way, too
    assert headed | {"0.1"} == {*ids()}
    assert tagged == {"exercise-" + id.replace(".", "-") for id in ids()}


def test_solutions_are_done_in_a_real_kernel(tmp_path: Path) -> None:
    code = [
        "from workbook import check\nfrom workbook.author import contract\n"
        "from workbook.exercises import load\nfrom workbook.server import database\n"
        "database.connect_environment()\n%load_ext sql\n%sql postgresql+psycopg2://"
    ]
    for exercise in every():
        code += [f'contract.begin(load("{exercise.id}"))', *exercise.solved]
        asked = any(f'check("{exercise.id}"' in cell for cell in exercise.solved)
        code += [] if asked else [f'check("{exercise.id}")']
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in code])
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with database.separate(f"solved_{worker}", tmp_path):
        place = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=60, kernel_name="python3", resources=place).execute()
    said = [
        output.data["text/plain"].splitlines()[0]
        for cell in notebook.cells
        for output in cell.outputs
        if cell.source.startswith("check(") and "data" in output
    ]
    assert said == [f"{id}  Done" for id in ids()]


# ---- no trace, no harm -----------------------------------------------------------------------------


def state() -> tuple[object, ...]:
    """All that is the learner's: each file's bytes, the schema, each row."""
    files = {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(project.workspace().rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    rows = {}
    with database.engine().connect() as connection:
        for name in sa.inspect(connection).get_table_names():
            found = connection.exec_driver_sql(f'SELECT t::text FROM "{name}" AS t ORDER BY 1')
            rows[name] = list(found.scalars())
        return files, schema.read(connection), rows


def scratch_is_left() -> bool:
    """Whether nobody is connected to the scratch database any more; ends take a moment."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() || '_scratch'"
    for _ in range(100):
        with database.engine().connect() as connection:
            if not connection.exec_driver_sql(query).scalar():
                return True
        time.sleep(0.02)
    return False


@every_exercise
def test_a_check_leaves_no_trace(exercise: Exercise, learner: None) -> None:
    right = Answer("the solution", cells=exercise.solved)
    wrong = [each for each in answers(exercise.id)[0] if not each.hangs]
    for answer in (wrong[-1], right):
        contract.begin(exercise)
        names: dict[str, object] = {}
        for cell in answer.typed(exercise):
            contract.run(cell, names)
        before = state()
        checking.check(exercise.id, answer.given)
        assert state() == before
        assert scratch_is_left()


HARMFUL = {
    "prints what looks like an answer": """
    import pickle, os, sys
    from workbook.exercises.child import Run
    sys.stdout.write("Done")
    os.write(1, pickle.dumps(Run()))
    os.system("echo Done")
""",
    "prints without end, on both": """
    import sys
    while True:
        print("x" * 10**6)
        sys.stderr.write("x" * 10**6)
""",
    "ends the process": "    import os; os._exit(0)\n",
    "kills the process": "    import os; os.kill(os.getpid(), 9)\n",
    "kills the process that it came from": "    import os; os.kill(os.getppid(), 9)\n",
    "goes on twice": "    import os; os.fork()\n",
    "forgets where it is": "    import os; os.environ.clear()\n",
    "leaves a connection that sleeps": """
    import threading, psycopg2
    def sleep():
        psycopg2.connect("").cursor().execute("SELECT pg_sleep(600)")
    threading.Thread(target=sleep, daemon=True).start()
    import time; time.sleep(0.3)
""",
    "begins a program that goes on": """
    import subprocess, sys
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
""",
    "fills the stack": "    upgrade()\n",
    "meddles with its way to answer": "    import pickle; pickle.dumps = lambda *a, **k: b'{}'\n",
    "wants a name from the user": "    input('Which table? ')\n",
}
SAID = {
    "fills the stack": "RecursionError",
    "process": "it ends Python itself",
    "twice": "stop",  # both talk through one socket: which one spoils it for the other is chance
    "came from": "its process was ended from outside",
    "without end": "it did not come to an end in 3 seconds",
    "user": "EOFError",
}


@pytest.mark.parametrize("name", HARMFUL)
def test_harm_is_not_done(name: str, learner: None, monkeypatch: pytest.MonkeyPatch) -> None:
    if "without end" in name:
        monkeypatch.setattr(apart, "SECONDS", 3)
    contract.begin(load("3.5"))
    Path("practice/website.py").write_text(
        f"def upgrade():\n{HARMFUL[name]}\n\ndef downgrade():\n    pass\n", encoding="utf-8"
    )
    card = checking.check("3.5")
    assert card.title == "3.5  Not there yet"
    said = [words for key, words in SAID.items() if key in name]
    assert (said or ["Missing: the column companies.website, VARCHAR(200)."])[-1] in str(card)
    contract.begin(load("2.4"))
    contract.run(load("2.4").solution)
    assert checking.check("2.4").title == "2.4  Done"  # the scratch database is free again


# ---- the tables of answers -------------------------------------------------------------------------


def test_edits_are_read_from_a_table() -> None:
    code = 'a = "x"\n    b: str | None\n'
    one, two, three, four = edits(
        code,
        r"""
        a value  | "x"  | "y"  | says
        gone  | \n    b: str | None  |  | says it
        two places  | a  | c  | "x"  | x
        right, and gone  | a = "x"\n  |
        """,
    )
    assert (one.name, one.says, one.code) == ("a value", "says", 'a = "y"\n    b: str | None\n')
    assert (two.says, two.code) == ("says it", 'a = "x"\n')
    assert (three.says, three.code) == ("", "c = x\n    b: str | None\n")
    assert (four.says, four.code) == ("", "    b: str | None\n")
    for wrong in ("name  | z  | y  | says", "name  |  | y  | says"):
        with pytest.raises(ValueError, match="not in the code"):
            edits(code, wrong)


def test_a_broken_contract_is_seen(learner: None) -> None:
    exercise = load("2.4")
    given_away = checking.Card("2.4  Not there yet", ('Write op.drop_table("companies").',))
    assert contract.told(exercise, given_away) == ['op.drop_table("companies")']
    wrong = [
        Answer("right, and said to be wrong", "a mistake", cells=(exercise.solution,)),
        Answer("wrong, and said to be right", cells=(exercise.cell,)),
        Answer("another mistake", "half a downgrade", code='def downgrade():\n    op.x("jobs")\n'),
    ]
    for answer in wrong:
        [line] = contract.broken_by(exercise, answer)
        assert line.startswith(answer.name)


def test_answers_are_run_as_a_notebook_would(learner: None) -> None:
    contract.begin(load("5.1"))
    contract.run("%%writefile practice/x.py\nx = 1\n")
    assert Path("practice/x.py").read_text() == "x = 1\n"
    contract.run("%sql INSERT INTO companies (name) VALUES ('100%')")
    contract.run("%%sql\nINSERT INTO nothing VALUES (1)")  # the magic says it, and the cell goes on
    contract.run("!alembic downgrade base")
    with database.engine().connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]


def test_what_passes_stands_at_the_next_start(learner: None) -> None:
    exercise = load("2.3")
    contract.begin(exercise)
    contract.run(exercise.solution.replace("sa.String(),", "sa.Text(),"))
    contract.run(load("2.4").solution)
    assert checking.check("2.3").kind == "done"
    [path] = Path("alembic/versions").glob("*.py")
    before = path.read_text()
    contract.run("!alembic upgrade head")
    starts.start(4)
    assert [each.read_text() for each in Path("alembic/versions").glob("*.py")] == [before]


def test_a_function_that_alembic_does_not_call_is_told(
    learner: None, capsys: pytest.CaptureFixture[str]
) -> None:
    contract.begin(load("3.1"))
    magics.writerevision(
        "alembic/versions/*_init.py", "def upgrade():\n    drop()\ndef drop(): ..."
    )
    assert "It will not call drop() by itself." in capsys.readouterr().out


def test_a_refused_cell_is_told_until_the_file_is_newer(learner: None) -> None:
    contract.begin(load("2.4"))
    [path] = Path("alembic/versions").glob("*_init.py")
    contract.run("%%writerevision alembic/versions/*_init.py\ndef downgrade(:")
    assert "Nothing written" in str(checking.check("2.4"))
    later = time.time() + 2
    os.utime(path, (later, later))
    assert "Nothing written" not in str(checking.check("2.4"))


@pytest.mark.parametrize("cell", ["def upgrade(:\n", "def upgrade():\n    '\0'\n"])
def test_a_cell_that_is_not_python_writes_nothing(cell: str, learner: None) -> None:
    contract.begin(load("3.1"))
    [path] = Path("alembic/versions").glob("*_init.py")
    before = path.read_bytes()
    with pytest.raises(WorkbookError, match=r"(?s)This is not Python.*Line \d of the cell"):
        magics.writerevision("alembic/versions/*_init.py", cell)
    assert path.read_bytes() == before
