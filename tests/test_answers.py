"""Every wrong answer gets the words that it needs, every other right answer passes.

And no check leaves a trace: neither in the learner's files and tables nor in the scratch database.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import answers
import pytest
import sqlalchemy as sa
from answers import Answer, run
from answers.warm import Server

from workbook import WorkbookError, checking, magics, project, schema, starts
from workbook.exercises import CHAPTERS, kinds, register
from workbook.server import database

MODULES = [import_module(f"answers.chapter_{chapter:02}") for chapter in CHAPTERS]
WRONG: list[Answer] = [each for module in MODULES for each in module.WRONG]
RIGHT: list[Answer] = [each for module in MODULES for each in module.RIGHT]

NO_FUNCTIONS = """%%writerevision alembic/versions/*_init.py
def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
"""
ROWS = """%%sql
INSERT INTO companies (name) VALUES ('Ada Analytics'), ('Borealis Books');
INSERT INTO jobs (title, description, company_id) VALUES ('Database engineer', 'Moves.', 1),
    ('Data analyst', 'Asks.', 1), ('Bookseller', 'Finds.', 2)
"""
# The cells above an exercise that it stands on, where they are more than the chapter's start.
ABOVE = {
    "2.3": (3, [NO_FUNCTIONS]),
    "2.4": (3, [NO_FUNCTIONS, register()["2.3"].solution]),
    "4.4": (4, [ROWS]),
}


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A learner's project and database, and trials that need not import everything anew."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    folder = tmp_path_factory.mktemp("learner")
    with pytest.MonkeyPatch.context() as patch, database.separate(f"answers_{worker}", folder):
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        patch.setenv("PATH", os.environ["PATH"])
        patch.setenv("PGOPTIONS", "-c lock_timeout=2s")
        patch.setattr(kinds, "SECONDS", 2)
        patch.setattr(kinds, "STATEMENT_SECONDS", 1)
        database.connect_environment()
        if not hasattr(os, "fork"):
            yield
            return
        server = Server()
        names = {name: getattr(subprocess, name) for name in subprocess.__all__}
        for module in (kinds, answers):
            patch.setattr(module, "subprocess", SimpleNamespace(**{**names, "run": server.run}))
        yield
        server.stop()


def begin(exercise: str) -> None:
    """Bring project and database to where an exercise stands in its notebook."""
    os.chdir(os.environ["WORKBOOK_HOME"])
    shutil.rmtree(project.workspace(), ignore_errors=True)
    with database.engine().begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    chapter, cells = ABOVE.get(exercise, (int(exercise[0]), []))
    starts.start(chapter)
    for cell in cells:
        run(cell)


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


def checked(answer: Answer) -> checking.Card:
    """What the check says to an answer, once it is sure that the check left no trace."""
    if answer.cells or answer.given is None:
        begin(answer.exercise)
    for cell in answer.cells:
        run(cell)
    before = state()
    card = checking.check(answer.exercise, answer.given)
    assert state() == before
    assert scratch_is_left()
    return card


def gives_away(card: checking.Card, solution: str) -> list[str]:
    """The lines of a solution that stand in a card, but for those that the learner has written."""
    said = "\n".join(line for line in card.lines if not line.startswith("The line is:"))
    lines = (line.strip().rstrip(",") for line in solution.splitlines())
    return [line for line in lines if len(line) > 15 and line in said]


@pytest.mark.parametrize("answer", WRONG, ids=str)
def test_wrong_answer(answer: Answer, learner: None, capsys: pytest.CaptureFixture[str]) -> None:
    card = checked(answer)
    assert card.kind != "done"
    assert answer.says in str(card)
    if card.kind == "mistake":
        assert card.title == f"{answer.exercise}  Not there yet: {answer.says}"
    assert len(card.lines) <= kinds.MOST_LINES + 2
    assert not gives_away(card, register()[answer.exercise].solution)
    assert not set(capsys.readouterr().err)


@pytest.mark.parametrize("answer", RIGHT, ids=str)
def test_other_right_answer(answer: Answer, learner: None) -> None:
    card = checked(answer)
    assert (card.kind, card.title) == ("done", f"{answer.exercise}  Done"), str(card)


# Each does harm to the process that runs it, so each gets a real one.
HARMFUL = {
    "prints what looks like an answer": """
    import json, os, sys
    text = json.dumps({"reference": {"steps": [], "error": None}, "learner": {"steps": []}})
    print(text)
    sys.__stdout__.write(text)
    os.write(1, text.encode())
    os.system("echo '{}'")
""",
    "prints without end, on both": """
    import sys
    while True:
        print("x" * 10**6)
        sys.stderr.write("x" * 10**6)
""",
    "ends the process": "    import os; os._exit(0)\n",
    "kills the process": "    import os; os.kill(os.getpid(), 9)\n",
    "leaves a connection that sleeps": """
    import threading, psycopg2
    def sleep():
        psycopg2.connect("").cursor().execute("SELECT pg_sleep(600)")
    threading.Thread(target=sleep, daemon=True).start()
    import time; time.sleep(0.3)
""",
    "begins a program that goes on": """
    import subprocess, sys
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(4)"])
""",
    "fills the stack": "    upgrade()\n",
    "meddles with the process": "    import json; json.dumps = lambda *a, **k: '{}'\n",
    "wants a name from the user": "    input('Which table? ')\n",
}


@pytest.mark.parametrize("name", HARMFUL)
def test_harm_is_not_done(name: str, learner: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "subprocess", subprocess)
    monkeypatch.setattr(kinds, "SECONDS", 3)
    begin("5.5")
    Path("practice/website.py").write_text(
        f"def upgrade():\n{HARMFUL[name]}\n\ndef downgrade():\n    pass\n", encoding="utf-8"
    )
    begun = time.monotonic()
    card = checking.check("3.5")
    assert card.title == "3.5  Not there yet"
    assert time.monotonic() - begun < 30  # a hang, not a measurement
    assert checking.check("3.2").title == "3.2  Done"  # the scratch database is free again
    if name == "fills the stack":
        assert "RecursionError" in str(card)
    elif "process" in name:
        assert "it ends Python itself" in str(card)
    elif "without end" in name:
        assert "it did not come to an end in 3 seconds" in str(card)
    elif "user" in name:
        assert "EOFError" in str(card)
    else:
        assert card.lines == ("Missing: the column companies.website, VARCHAR(200).",)


def test_there_are_enough_answers() -> None:
    code = {each.exercise for each in WRONG if each.cells}
    assert code == {"1.1", "1.2", "2.3", "2.4", "2.5", "3.2", "3.5", "4.4", "5.3", "5.5"}
    wrong = [each.exercise for each in WRONG if each.cells and each.says != "Not attempted yet"]
    assert len(wrong) >= 70
    assert min(wrong.count(each) for each in code) >= 3
    assert sum(bool(each.cells) for each in RIGHT) >= 30
    assert {each.exercise for each in WRONG} == {each.exercise for each in RIGHT} == {*register()}
    names = [str(each) for each in WRONG + RIGHT]
    assert len(names) == len(set(names))


def test_answers_given_away_are_seen() -> None:
    card = checking.Card("2.4  Not there yet", ('Write op.drop_table("companies").',))
    assert gives_away(card, register()["2.4"].solution) == ['op.drop_table("companies")']


@pytest.mark.parametrize("cell", ["def upgrade(:\n", "def upgrade():\n    '\0'\n"])
def test_a_cell_that_is_not_python_writes_nothing(cell: str, learner: None) -> None:
    begin("3.1")
    [path] = Path("alembic/versions").glob("*_init.py")
    before = path.read_bytes()
    with pytest.raises(WorkbookError, match=r"Nothing written\. Line \d is not Python"):
        magics.writerevision("alembic/versions/*_init.py", cell)
    assert path.read_bytes() == before
