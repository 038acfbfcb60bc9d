"""What learners call, check, hint, solution and progress, and the card that they print."""

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

import pytest
import sqlalchemy as sa

from workbook import ROOT, WorkbookError, checking, starts
from workbook.author.contract import run
from workbook.exercises import ids, load, trial
from workbook.server import database, postgres


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
        assert f'"{ids()[0]}" to "{ids()[-1]}"' in str(error.value)
        assert "\n" not in str(error.value)


def test_hints_come_one_by_one_and_stay(database: str) -> None:
    hints = load("1.1").hints
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
    mine = [each for each in ids() if each.startswith("2.")]
    assert lines[2] == f"Chapter 2:  ■{' □' * (len(mine) - 1)}  1 of {len(mine)} done"
    assert lines[-1].startswith("Go on with 1.1: ")
    checking._path().write_text(json.dumps({"done": [*ids(), "77.1"], "hints": {}}))
    assert checking.progress().lines[-1] == "All of them are done."


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"[]",
        b"{}",
        b'{"done": ["0.1"]}',
        b'{"done": 1, "hints": {}}',
        b'{"done": [[1]], "hints": {}}',
        b'{"done": [], "hints": {"2.1": "two"}}',
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


def shown(card: checking.Card) -> str:
    """A card as JupyterLab makes it of Markdown: HTML, in which code in a fence is escaped."""
    return re.sub(
        r"\n\n```python\n(.*?)\n```\n\n",
        lambda found: f"<pre>{html.escape(found[1])}</pre>",
        card._repr_markdown_(),
        flags=re.DOTALL,
    )


def texts(page: str) -> list[str]:
    """The words of a page's paragraphs."""
    parts = re.findall(r"<(strong|p|pre)\b[^>]*>(.*?)</\1>", page, re.DOTALL)
    plain = (re.sub("<[^>]*>", "", part) for _, part in parts)
    return [html.unescape(part) for part in plain if part]


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
        unfolded, _, folded = shown(card).partition("<details")
        assert "\n".join([*texts(unfolded), *filter(None, [card.else_say])]) == repr(card)
        assert bool(folded) == bool(card.else_say)
        assert "role='status'" in unfolded
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
        assert "<script" not in shown(card)
        assert WRITTEN in "\n".join(texts(shown(card)))


def test_hints_and_solution_are_folded_into_one_another(database: str) -> None:
    exercise = load("2.4")
    card = checking.check("2.4")
    folds = shown(card).split("<details")[1:]
    assert len(folds) == len(exercise.hints) + 1
    for fold, text in zip(folds, [*exercise.hints, exercise.why], strict=True):
        assert texts(fold)[0] == text
    assert exercise.solution.strip() in texts(folds[-1])[1]
    assert shown(card).index("</details>") > shown(card).rindex("<details")
    for said in (repr(card), "\n".join(card.lines)):
        assert exercise.hints[0] not in said and exercise.solution.strip() not in said
    done = checking.check("2.1", "b")
    assert done.kind == "done" and "<details" not in shown(done)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('op.add_column("a", sa.Column("b")) does it.', ['op.add_column("a", sa.Column("b"))']),
        ("Line 12 of the cell: a b", ["a b"]),
        ("Run alembic upgrade head, and alembic does it.", ["alembic upgrade head"]),
        ("Missing: the column companies.user_id, e.g. in 1.4.", ["companies.user_id"]),
        ("%%writerevision and --sql: see practice/x.py", "%%writerevision --sql practice/x.py"),
        ("Nothing here (or there), 5-6 words.", []),
    ],
)
def test_code_is_set_as_code(line: str, code: list[str] | str) -> None:
    found = re.findall("<code>(.*?)</code>", checking.Card("", (line,))._repr_markdown_())
    assert list(map(html.unescape, found)) == (code.split() if isinstance(code, str) else code)


@pytest.mark.parametrize("text", ["a\n\n# b", "$x$ and $y$", "\\(x\\)", "<b>", "```"])
def test_nothing_in_a_line_is_markdown(text: str) -> None:
    said = checking.Card("", (text,))._repr_markdown_()
    assert not re.search(r"\n|\$|\\|<b>", said)
    assert html.unescape(re.sub("</?(div|p|strong)[^>]*>", "", said)) == text.replace("\n", " ")


def test_most_important_first_and_few_lines() -> None:
    outcome = trial.not_yet(*(f"line {number}" for number in range(1, 9)))
    assert outcome.lines == ("line 1", "line 2", "line 3", "line 4", "And 4 more.")
