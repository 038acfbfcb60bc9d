"""The exercises keep their contract, pass with their solutions in the notebooks, and hold fast.

Wrong answers and other right ones are in test_answers.py.
"""
# mypy: disable-error-code="no-untyped-call, no-any-return"
# (nbformat has no type hints)

import contextlib
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import sqlalchemy as sa
from answers import Answer, run
from nbclient import NotebookClient
from nbformat import NotebookNode

from workbook import ROOT, WorkbookError, checking, starts
from workbook.exercises import (
    CHAPTERS,
    Exercise,
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    kinds,
    register,
)
from workbook.server import database, postgres

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXERCISES = list(register().values())
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda each: each.id)

# What each asks for. How it is answered (below, `form`) is seen from outside, this is not.
ASKS = {
    "write": {"1.1", "2.3", "2.4", "3.2", "3.5", "4.4", "5.5"},
    "repair": {"1.2", "2.5", "5.3"},
    "predict": {"3.3", "3.4", "5.2"},
    "order": {"1.3", "2.2", "3.1", "4.3", "5.4"},
    "choose": {"1.4", "2.1", "4.5", "5.1"},
    "find out": {"0.1", "4.1", "4.2"},
}
# The cells that a learner repairs, as the register knows them.
BROKEN = {
    "1.2": chapter_01.BROKEN,
    "2.5": chapter_02.BROKEN,
    "3.5": chapter_03.EMPTY,
    "5.3": chapter_05.BROKEN,
}
# The lines that a learner puts in order, as the register knows them.
LINES = {
    "1.3": chapter_01.LINES,
    "3.1": chapter_03.STATEMENTS,
    "4.3": chapter_04.CLAUSES,
}


def cells() -> Iterator[tuple[int, NotebookNode]]:
    """Each cell of each notebook, with its chapter."""
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            yield int(path.name[:2]), cell


def of(exercise: str, kind: str) -> NotebookNode:
    """The one cell of an exercise with this id: its "task", its "exercise" or its "check"."""
    name = "exercise-" + exercise.replace(".", "-")
    ids = {"task": name + "-task", "exercise": name, "check": name.replace("exercise", "check")}
    [found] = [cell for _, cell in cells() if cell.id == ids[kind]]
    return found


def checking_cells(exercise: str) -> list[tuple[int, NotebookNode]]:
    """The cells that check an exercise."""
    return [each for each in cells() if each[1].cell_type == "code" if exercise in checks(each[1])]


def checks(cell: NotebookNode) -> list[str]:
    return re.findall(r'\bcheck\("([^"]*)"', cell.source)


def form(exercise: Exercise) -> str:
    """How an exercise is answered, by what it says to an answer that makes no sense."""
    said = " ".join(exercise.judge("?!").lines)
    for words, name in (
        ("Answer with one of the letters", "choose"),
        ("Use each of the letters", "order"),
        ("That is not what comes out", "find out"),
    ):
        if words in said:
            return name
    return "do"


# ---- the contract ------------------------------------------------------------------------------


@every_exercise
def test_exercise_is_complete(exercise: Exercise) -> None:
    assert re.fullmatch(r"[0-5]\.[1-5]", exercise.id)
    assert len(exercise.hints) >= 2
    assert len(set(exercise.hints)) == len(exercise.hints)
    for text in (exercise.task, exercise.why, exercise.passed, *exercise.hints):
        assert text.strip() == text
        assert text
        assert not re.search(r"\b([Ss]imply|[Jj]ust|[Oo]bviously|[Oo]f course)\b", text)
    assert exercise.solution.strip() not in "\n".join(exercise.hints)
    assert not exercise.task.endswith(".")


@every_exercise
def test_exercise_stands_in_its_notebook(exercise: Exercise) -> None:
    [(chapter, checked)] = checking_cells(exercise.id)
    assert chapter == exercise.chapter
    order = [cell.id for _, cell in cells()]
    task, given = of(exercise.id, "task"), of(exercise.id, "exercise")
    assert checked.id in (given.id, given.id.replace("exercise", "check"))
    places = [order.index(cell.id) for cell in (task, given, checked)]
    assert places == sorted(places)
    assert places[2] - places[0] <= 2
    assert given.metadata.tags == ["exercise"]
    if exercise.chapter:
        assert re.search(rf"(### |\*\*)Exercise {re.escape(exercise.id)}[:.]", task.source)


def test_nothing_is_orphaned() -> None:
    source = "\n".join(cell.source for _, cell in cells())
    named = set(re.findall(r'\b(?:check|hint|solution)\("([^"]*)"', source))
    headed = set(re.findall(r"\bExercise (\d+\.\d+)", source))
    placed = {
        match[1] + "." + match[2]
        for _, cell in cells()
        if (match := re.fullmatch(r"(?:exercise|check)-(\d+)-(\d+)(?:-task)?", cell.id))
    }
    tagged = {cell.id for _, cell in cells() if "exercise" in cell.metadata.get("tags", [])}
    assert named == {*register()}
    assert headed == {*register()} - {"0.1"}
    assert placed == {*register()}
    assert tagged == {"exercise-" + id.replace(".", "-") for id in register()}


def test_there_are_enough_of_each_kind(database: str) -> None:
    assert sum(map(len, ASKS.values())) == len(EXERCISES) >= 22
    assert set.union(*ASKS.values()) == {*register()}
    for chapter in CHAPTERS[1:]:
        mine = {each.id for each in EXERCISES if each.chapter == chapter}
        assert 4 <= len(mine) <= 5
        assert mine & (ASKS["choose"] | ASKS["predict"]), chapter
        assert mine & ASKS["order"], chapter
    answered = {
        "write": {"do"},
        "repair": {"do"},
        "predict": {"choose", "find out"},
        "order": {"order"},
        "choose": {"choose"},
        "find out": {"find out"},
    }
    for kind, ids in ASKS.items():
        for id in ids:
            assert form(register()[id]) in answered[kind], id


def test_register_is_in_the_notebooks_order() -> None:
    asked = [id for _, cell in cells() for id in checks(cell)]
    assert asked == [*register()]


@pytest.mark.parametrize("id", LINES)
def test_lines_to_order_are_those_of_the_notebook(id: str) -> None:
    [block] = re.findall(r"```\w*\n(.*?)```", of(id, "task").source, re.DOTALL)
    shown = dict(re.findall(r"^([a-f])   (.*)$", block, re.MULTILINE))
    assert {letter: line.strip() for letter, line in shown.items()} == {
        letter: line.strip() for letter, line in LINES[id].items()
    }


def test_revisions_to_order_are_those_of_the_notebook() -> None:
    rows = re.findall(
        r'^\| \*\*(.)\*\* .* `"(\w+)"` \| `(.*)` \|$', of("2.2", "task").source, re.MULTILINE
    )
    parents = {id: None if down == "None" else down.strip('"') for _, id, down in rows}
    assert {letter: id for letter, id, _ in rows} == chapter_02.CHAIN
    assert parents == chapter_02.PARENTS


@pytest.mark.parametrize(
    "exercise", [each for each in EXERCISES if each.id in ASKS["choose"] | {"3.3", "3.4"}], ids=str
)
def test_each_letter_has_an_answer_of_its_own(exercise: Exercise) -> None:
    letters = re.findall(r"^- \*\*(.)\*\* ", of(exercise.id, "task").source, re.MULTILINE)
    outcomes = {letter: exercise.judge(letter) for letter in letters}
    assert len(letters) == 4
    assert [each.kind for each in outcomes.values()].count("done") == 1
    assert len({each.title for each in outcomes.values()}) == 4
    assert {each.kind for each in outcomes.values()} == {"done", "mistake"}
    for other in {*"abcdefgh"} - {*letters}:
        assert exercise.judge(other).kind == "not yet"


# ---- unsolved, and solved, in the notebooks themselves ------------------------------------------


@every_exercise
def test_unsolved_is_not_attempted(exercise: Exercise) -> None:
    [(_, cell)] = checking_cells(exercise.id)
    [output] = [each for each in cell.outputs if "data" in each]
    assert output.data["text/plain"].startswith(f"{exercise.id}  Not attempted yet\n")
    assert f"<strong>{exercise.id}  Not attempted yet</strong>" in output.data["text/html"]
    source = of(exercise.id, "exercise").source
    if exercise.id in BROKEN:
        assert kinds.bare(source.partition("\n")[2]) == kinds.bare(BROKEN[exercise.id])
    elif exercise.id not in ("2.4", "3.2", "4.4", "5.5"):
        assert kinds.GAP in source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solutions_pass_in_the_notebook(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    mine = [each for each in EXERCISES if each.chapter == int(path.name[:2])]
    for exercise in mine:
        [cell] = [each for each in notebook.cells if each.id == of(exercise.id, "exercise").id]
        imports = re.match(r"from workbook import .*\n\n", cell.source)
        cell.source = (imports[0] if imports else "") + exercise.solution
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with database.separate(f"solved_{path.stem}_{worker}", tmp_path):
        place = {"metadata": {"path": str(path.parent)}}
        NotebookClient(notebook, timeout=60, kernel_name="python3", resources=place).execute()
        record = json.loads((tmp_path / "progress.json").read_text(encoding="utf-8"))
    said = {
        id: output.data["text/plain"].splitlines()[0]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for id in checks(cell)
        for output in cell.outputs
        if "data" in output
    }
    assert said == {each.id: f"{each.id}  Done" for each in mine}
    assert record["done"] == [each.id for each in mine]


# ---- check, hint, solution and progress ----------------------------------------------------------


@pytest.fixture
def chapter_5(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project at the start of chapter 5, and this process in its folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PATH", os.environ["PATH"])
    starts.start(5)


def title(*arguments: Any) -> str:
    return checking.check(*arguments).title


@pytest.mark.parametrize("id", ["2.1", "2.1 ", " 2.1\n", 2.1])
def test_an_id_may_be_written_carelessly(id: Any, database: str) -> None:
    assert title(id, "b") == "2.1  Done"
    assert checking.hint(id).title == "2.1  Hint 1 of 2"
    assert checking.solution(id).title == "2.1  A solution"
    assert json.loads(checking._path().read_text())["done"] == ["2.1"]


def test_a_kernel_without_its_first_cell_is_told_so(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for id in ("1.1", "2.3"):
        assert checking.check(id).lines[0].startswith("Run the notebook's first cell.")
    assert not checking.check("1.4").lines[0].startswith("Run")


@pytest.mark.parametrize("id", ["9.9", "", "2", None, 21, "2.1b", "../2.1", []])
def test_an_unknown_id_gets_one_line(id: Any) -> None:
    for call in (checking.check, checking.hint, checking.solution):
        with pytest.raises(WorkbookError, match=r"^There is no exercise .*\.$") as error:
            call(id)
        assert '"0.1" to "5.5"' in str(error.value)
        assert "\n" not in str(error.value)


def test_hints_come_one_by_one_and_stay(database: str) -> None:
    hints = register()["1.1"].hints
    for number in (1, 2, 3, 3):
        card = checking.hint("1.1")
        assert card.title == f"1.1  Hint {number} of {len(hints)}"
        assert card.lines[:-1] == hints[:number]
    assert checking.hint("2.1").title == "2.1  Hint 1 of 2"


def test_progress_says_what_is_done_and_where_to_go_on(database: str) -> None:
    checking.check("2.1", "a")
    assert checking.progress().lines[-1].startswith("Go on with 0.1: ask PostgreSQL")
    checking.check("0.1", 42)
    checking.check("2.1", "b")
    checking.check("2.1", "a")  # what was done once stays done
    lines = checking.progress().lines
    assert lines[2] == "Chapter 2:  ■ □ □ □ □  1 of 5 done"
    assert lines[-1].startswith("Go on with 1.1: ")
    checking._path().write_text(json.dumps({"done": [*register(), "7.1"], "hints": {}}))
    assert checking.progress().lines[-1] == "All of them are done."


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"{}",
        b'{"done": ["0.1"]}',
        b'{"done": 1, "hints": {}}',
        b'{"done": [[1]], "hints": {}}',
        b'{"done": [], "hints": []}',
        b'{"done": [], "hints": {"2.1": "two"}}',
        b'{"done": [], "hints": {"2.1": null}}',
        b'{"done": ["\xff"], "hints": {}}',
        b"[" * 100_000,
    ],
    ids=lambda record: repr(record[:40]),
)
def test_a_damaged_record_costs_itself_alone(record: bytes, database: str) -> None:
    checking._path().write_bytes(record)
    assert checking.progress().lines[-1].startswith("Go on with 0.1")
    checking._path().write_bytes(record)
    assert checking.hint("2.1").title == "2.1  Hint 1 of 2"
    checking._path().write_bytes(record)
    assert title("2.1", "b") == "2.1  Done"
    assert checking._path().with_suffix(".damaged").read_bytes() == record
    assert json.loads(checking._path().read_text())["done"] == ["2.1"]


def test_a_record_that_cannot_be_kept_costs_itself_alone(database: str) -> None:
    checking._path().mkdir()
    (checking._path() / "something").touch()
    assert title("2.1", "b") == "2.1  Done"
    assert checking._path().with_suffix(".damaged").is_dir()
    checking._path().unlink(missing_ok=True)
    checking._path().with_suffix(f".{os.getpid()}").mkdir()  # as a full disk: nothing is written
    assert title("2.1", "b") == "2.1  Done"
    assert checking.hint("2.1").title == "2.1  Hint 1 of 2"


def python(code: str, **variables: str) -> subprocess.Popen[str]:
    """A fresh Python that runs this in the folder of the notebooks, as a kernel would."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT / "notebooks",
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_fresh_kernels_check_at_once_and_none_forgets(chapter_5: None) -> None:
    assert title("2.4") == "2.4  Done"
    checking._path().unlink()
    code = "from workbook import check; print(check('2.4')); print(check({!r}, {!r}))"
    asked = [("1.4", "c"), ("2.1", "b"), ("3.4", "a")]
    kernels = [python(code.format(*each)) for each in asked]
    for (id, _), kernel in zip(asked, kernels, strict=True):
        said, _ = kernel.communicate(timeout=60)
        assert said.splitlines()[0] == "2.4  Done", said
        assert f"{id}  Done" in said
    assert {*json.loads(checking._path().read_text())["done"]} == {"2.4", *(id for id, _ in asked)}


def test_a_stopped_server_is_started(tmp_path: Path) -> None:
    ours = {key: "" for key in os.environ if key.startswith("PG") or key == "DATABASE_URL"}
    code = f"""
import os
for name in {[*ours]}:
    del os.environ[name]
from pathlib import Path
from workbook import check
from workbook.server import postgres
for _ in range(2):
    print(check("4.1", 32))
    print(postgres.stop(Path(os.environ["WORKBOOK_HOME"]) / ".postgres"))
"""
    try:
        said, _ = python(code, WORKBOOK_HOME=str(tmp_path)).communicate(timeout=60)
    finally:
        postgres.stop(tmp_path / ".postgres")
    assert said.count("4.1  Done") == said.count("True") == 2, said


# ---- nobody can fool it ---------------------------------------------------------------------------


def names_redefined() -> dict[str, object]:
    """What a kernel's own namespace may hold after an hour of trying things out."""
    names = "open Path json sa os sys register kinds chapters database print str list sorted len"
    return {name: None for name in names.split()}


def test_names_of_the_kernel_do_not_matter(chapter_5: None) -> None:
    cell = 'from workbook import check\n\nwords = [check("2.4"), check("3.2"), check("4.1", 32)]'
    namespace = names_redefined()
    exec(cell, namespace)  # noqa: S102
    words = namespace["words"]
    assert isinstance(words, list)
    assert [each.title for each in words] == ["2.4  Done", "3.2  Done", "4.1  Done"]


def test_deleting_what_the_workbook_keeps_changes_nothing(chapter_5: None, tmp_path: Path) -> None:
    assert title("2.4") == "2.4  Done"
    for path in (tmp_path / "put_aside", tmp_path / "workspace" / "practice"):
        with contextlib.suppress(FileNotFoundError):
            path.rmdir()
    checking._path().unlink()
    assert title("2.4") == "2.4  Done"
    assert title("3.5") == "3.5  Not attempted yet"


def test_a_lock_is_waited_for_in_words(chapter_5: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=200ms")
    with database.engine().begin() as other:
        other.exec_driver_sql("LOCK TABLE alembic_version, jobs")
        for id in ("3.2", "4.4"):
            assert "Another session holds a lock" in str(checking.check(id))
        assert title("2.4") == "2.4  Done"  # it looks at the scratch database alone


def test_a_session_in_the_scratch_database_is_not_in_the_way(chapter_5: None) -> None:
    title("4.1", 32)
    name = os.environ["PGDATABASE"] + "_scratch"
    with database.engine(name).connect() as other:
        other.exec_driver_sql("SELECT 1")
        assert title("4.1", 32) == "4.1  Done"
        assert title("2.4") == "2.4  Done"


# ---- the card --------------------------------------------------------------------------------------


def texts(card: checking.Card) -> list[str]:
    """A card's words as a browser shows them."""
    parts = re.findall(r"<(?:strong|p|pre)[^>]*>([^<]*)</", card._repr_html_())
    return [html.unescape(part) for part in parts if part]


WRITTEN = "<script>alert('&amp;')</script>"


def cards() -> Iterator[checking.Card]:
    yield checking.check("2.1", "a")
    yield checking.check("2.1", "b")
    yield checking.check("2.1")
    yield checking.check("4.1", WRITTEN)
    yield checking.hint("2.1")
    yield checking.solution("1.1")
    yield checking.progress()


def test_a_card_says_the_same_everywhere_and_every_time(database: str) -> None:
    first = list(cards())
    for card in first:
        assert "\n".join(texts(card)) == repr(card)
        assert "role='status'" in card._repr_html_()
    again = list(cards())
    changes = {"2.1  Hint 1 of 2", "Your progress"}
    assert [each for each in first if each.title not in changes] == [
        each for each in again if each.title not in {"2.1  Hint 2 of 2", "Your progress"}
    ]


def test_a_check_says_the_same_every_time(chapter_5: None) -> None:
    Path("practice/website.py").write_text(
        "def upgrade():\n    op.drop_table('jobs')\n\n\ndef downgrade():\n    op.x\n"
    )
    run("%%sql\nALTER TABLE jobs ADD a int; ALTER TABLE jobs ADD b int; CREATE TABLE c (d int)")
    for id in ("3.5", "3.2"):
        said = {str(checking.check(id)) for _ in range(3)}
        assert len(said) == 1, said


def test_a_card_shows_what_a_learner_wrote_as_text(chapter_5: None) -> None:
    with database.engine().begin() as connection:
        quoted = sa.sql.quoted_name(WRITTEN, quote=True)
        sa.Table(quoted, sa.MetaData(), sa.Column(WRITTEN, sa.Integer)).create(connection)
    text = f"raise ValueError({WRITTEN!r})"
    Path("practice/website.py").write_text(f"def upgrade():\n    {text}\n")
    for id in ("3.2", "3.5"):
        card = checking.check(id)
        assert WRITTEN in str(card)
        assert "<script" not in card._repr_html_()
        assert "\n".join(texts(card)) == repr(card)


def test_colour_is_never_the_only_sign() -> None:
    titles = {checking.Card(f"{outcome.title}", ()).title for outcome in (kinds.DONE,)}
    assert titles == {"Done"}
    assert {kinds.not_attempted("").title, kinds.not_yet().title} == {
        "Not attempted yet",
        "Not there yet",
    }


def test_most_important_first_and_few_lines() -> None:
    outcome = kinds.not_yet(*(f"line {number}" for number in range(1, 9)))
    assert outcome.lines == ("line 1", "line 2", "line 3", "line 4", "And 4 more.")


def test_answers_are_run_as_a_notebook_would(chapter_5: None) -> None:
    """The helper that the wrong answers stand on really does what their cells say."""
    run("%%writefile practice/x.py\nx = 1\n")
    assert Path("practice/x.py").read_text() == "x = 1\n"
    run("%sql INSERT INTO companies (name) VALUES ('100%')")
    run("%%sql\nINSERT INTO nothing VALUES (1)")  # the magic says it, and the cell goes on
    run("!alembic downgrade base")
    with database.engine().connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
    assert str(Answer("1.1", "a name")) == "1.1 a name"
