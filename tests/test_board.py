"""The teacher's board on rooms that are made up: one with names that bite, one empty, one of 200.

`python3 tests/test_board.py` renews the outputs that classroom/board.ipynb is committed with; a
test holds them to a fresh run.
"""
# mypy: disable-error-code="no-untyped-call, no-any-return"
# (nbformat has no type hints)

import argparse
import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any

import nbformat
import psycopg2
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from workbook import ROOT, WorkbookError, reports
from workbook.author import notebooks
from workbook.contents import CHAPTERS
from workbook.look import visible
from workbook.server import database

if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from test_room_server import a_server, ask, session

from classroom import board
from classroom import server as classroom
from classroom.room import add_arguments, write

pytestmark = pytest.mark.author
PATH = ROOT / "classroom" / "board.ipynb"
AGO = re.compile(r"\b\d+ min\b *")
# Each with the last reports, as exercise, outcome, mistake and minutes ago; and whose hand is up.
LEARNERS: dict[str, list[tuple[str, str, str | None, int]]] = {
    "<script>alert('board')</script>": [("2.3", "mistake", "no foreign key", 3)],
    'O\'Hara "the & quick"': [("2.2", "done", None, 9), ("2.3", "done", None, 2)],
    "zoë 李小龙": [("2.3", "not yet", None, 6), ("2.3", "mistake", "no foreign key", 4)],
    r"$\href{javascript:alert(1)}{x}$": [("2.4", "not attempted", None, 1)],
    "mallory\u202ednuora": [("2.3", "mistake", "another length", ago) for ago in (6, 5)],
    "anneliese": [("2.2", "mistake", "the wrong order", 8), ("2.2", "done", None, 7)],
    "bartholomew": [("2.1", "mistake", "the wrong driver", 90), ("2.2", "not yet", None, 40)],
    "{PGPASSWORD}": [],
    "cassiopeia": [("2.3", "done", None, 5)],
}
HANDS = {"bartholomew": 12, "zoë 李小龙": 4, "{PGPASSWORD}": 1}


@pytest.fixture(scope="module")
def admin() -> Iterator[str]:
    with made_up() as address:
        yield address


@contextlib.contextmanager
def made_up() -> Iterator[str]:
    """A throwaway server with four rooms, "show" filled; its administrator's address."""
    with a_server() as admin:
        for name in ("show", "nobody", "full", "long"):
            classroom.prepare_room(admin, name)
        fill(admin)
        yield admin


def fill(admin: str) -> None:
    """Let the made-up learners report, each with rights of their own, and raise their hands."""
    for name, told in LEARNERS.items():
        env = classroom.prepare_learner(admin, name, "show")
        with session(env, "show") as cursor:
            for exercise, outcome, mistake, minutes in told:
                values = [exercise, outcome, mistake, 60 * minutes]
                query = "SELECT room.report(gen_random_uuid(), %s, %s, %s, %s)"
                cursor.execute(query, values)
    for name, minutes in HANDS.items():
        with learner(admin, name, "show"):
            reports.raise_hand()
        since = f"clock_timestamp() - interval '{minutes} min'"
        whose = f"role = '{classroom.role_name(name)}'"
        ask(admin, f"UPDATE room.hands SET since = {since} WHERE {whose}", "show")


@contextlib.contextmanager
def learner(admin: str, name: str, room: str) -> Iterator[None]:
    """A learner's environment in this Python, on a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        env = classroom.prepare_learner(admin, name, room)
        with database.variables(**env, WORKBOOK_HOME=folder):
            yield


def run(env: dict[str, str], names: bool = False) -> NotebookNode:
    """The board as somebody with this environment sees it. Raises CellExecutionError."""
    notebook = nbformat.read(PATH, as_version=4)
    settings = cell(notebook, "settings")
    settings.source = settings.source.replace("NAMES = False", f"NAMES = {names}")
    with database.variables(**env), tempfile.TemporaryDirectory() as folder:
        os.environ.pop("WORKBOOK_ROOM", None)
        shutil.copy(PATH.with_name("board.py"), folder)  # as on a teacher's desk
        place = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place).execute()
    settings.source = settings.source.replace(f"NAMES = {names}", "NAMES = False")
    notebooks.clean(notebook)
    return notebook


def cell(notebook: NotebookNode, id: str) -> NotebookNode:
    return next(each for each in notebook.cells if each.id == id)


def said(notebook: NotebookNode, id: str, kind: str = "text/plain") -> str:
    """What a cell shows, all of its outputs together."""
    outputs = cell(notebook, id).outputs
    return "\n".join(each.get("text") or each.get("data", {}).get(kind, "") for each in outputs)


def outputs(notebook: NotebookNode) -> str:
    found = [each.outputs for each in notebook.cells if each.cell_type == "code"]
    return json.dumps(found, ensure_ascii=False)


def rows(notebook: NotebookNode, id: str) -> list[list[str]]:
    """A table's cells, as its HTML shows them."""
    lines = re.findall(r"<tr>(.*?)</tr>", said(notebook, id, "text/html"))
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in lines]
    return [[unescape(re.sub(r"<[^>]*>", "", each)) for each in line] for line in cells]


def tiles(notebook: NotebookNode) -> list[str]:
    html = said(notebook, "map-run", "text/html")
    found = re.findall(r"<span title=[^>]*>(.*?)</span>", html)
    return [unescape(re.sub(r"<[^>]*>", " ", each)).strip() for each in found]


def teacher(admin: str, room: str) -> dict[str, str]:
    return classroom.prepare_teacher(admin, "prof", room)


@pytest.fixture(scope="module")
def without(admin: str) -> NotebookNode:
    return run(teacher(admin, "show"))


@pytest.fixture(scope="module")
def named(admin: str) -> NotebookNode:
    return run(teacher(admin, "show"), names=True)


# ---- what it says ------------------------------------------------------------------------------


def test_who_is_where(without: NotebookNode) -> None:
    assert [" ".join(each.split()) for each in tiles(without)] == [
        "○ start hand",
        "? 2.2 hand",
        "✓ 2.2",
        "✗ 2.3",
        "✗ 2.3",
        "✗ 2.3 hand",
        "✓ 2.3",
        "✓ 2.3",
        "… 2.4",
    ]
    words = "○ no check yet: 1, … not attempted: 1, ? not yet: 1, ✗ mistake: 3, ✓ done: 3"
    assert f"9 learners. {words}, hand up: 3" in said(without, "map-run")
    assert [[*line[:3], line[-1]] for line in rows(without, "list-run")] == [
        ["where", "last check", "learners", "silent for up to"],
        ["no check yet", "", "1", ""],
        ["2.2", "done", "1", "7 min"],
        ["2.2", "not yet", "1", "40 min"],
        ["2.3", "done", "2", "5 min"],
        ["2.3", "mistake", "3", "5 min"],
        ["2.4", "not attempted", "1", "1 min"],
    ]


def test_what_to_do_next(without: NotebookNode) -> None:
    assert said(without, "advice-run") == (
        "3 of 9 are held up at 2.3 (create jobs with its foreign key), 2 by “no foreign key”: stop and"
        " explain."
    )


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ([], "Nobody is here yet."),
        ([("a", "2.3", "done"), ("b", None, None)], "Nobody of 2 is held up: go on."),
        (
            [(f"l{n}", f"2.{n}", "mistake") for n in range(1, 5)],
            "Held up: 4 of 4, in different places; hands up: 0. Walk over.",
        ),
        (
            [(f"l{n}", "2.3", "mistake" if n < 3 else "done") for n in range(13)],
            "Held up: 3 of 13, in different places; hands up: 0. Walk over.",
        ),
        (
            [(f"l{n}", "<b>", "not yet" if n < 3 else "done") for n in range(12)],
            "3 of 12 are held up at <b>: stop and explain.",
        ),
    ],
)
def test_advice_follows_the_numbers(people: list[Any], words: str) -> None:
    said = board.advice(result(*people), Nothing())
    assert said.text == words
    assert "<b>" not in said.rich["text/html"]


def test_what_holds_up_how_many(without: NotebookNode) -> None:
    found = rows(without, "exercises-run")
    assert found[0] == ["exercise", "held_up", "not_there_yet", "done", "attempts", "task"]
    assert [line[:5] for line in found[1:]] == [
        ["2.3", "3", "3", "2", "7"],
        ["2.2", "1", "1", "2", "4"],
        ["2.1", "0", "1", "0", "1"],
    ]
    assert found[1][5] == "create jobs with its foreign key"


def test_which_mistake_is_frequent_now(without: NotebookNode) -> None:
    assert rows(without, "mistakes-run")[1:] == [
        ["no foreign key", "2.3", "2", "2"],
        ["another length", "2.3", "1", "2"],
        ["the wrong order", "2.2", "1", "1"],
    ]  # the wrong driver was an hour and a half ago


def test_who_asked_for_help(without: NotebookNode, named: NotebookNode) -> None:
    assert [line[0] for line in rows(without, "hands-run")] == ["turn", "1", "2", "3"]
    assert [line[2] for line in rows(without, "hands-run")][1:] == ["2.2", "2.3", "no check yet"]
    assert [line[1] for line in rows(named, "hands-run")] == ["who", *HANDS]


def test_how_the_room_went_on(without: NotebookNode) -> None:
    assert rows(without, "course-run") == [
        ["after", "learners", "most at", "mistakes", "done", " "],
        ["0 min", "1", "2.1", "1", "0", ""],
        ["45 min", "1", "2.2", "0", "0", ""],
        ["75 min", "7", "2.3", "5", "4", "■■■■"],
    ]


def room_of(folder: Path, admin: str, name: str) -> list[str]:
    """The beginning of `room` on the command line, for a made-up room."""
    given = {"admin": admin, "room": name, "learners": [], "teachers": []}
    write(folder / "room.json", json.dumps(given))
    return [sys.executable, "-m", "workbook", "room", "--folder", str(folder)]


def test_a_page_stays_that_names_nobody_and_asks_for_nothing(admin: str, tmp_path: Path) -> None:
    command = [*room_of(tmp_path, admin, "show"), "page", str(tmp_path / "after.html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "after.html").read_text(encoding="utf-8")
    for name in LEARNERS:
        assert not any(form in html for form in forms(name))
    assert not re.search(r"https?:|src=|href=|url\(|<script", html)
    assert "Learners: 8. Checks: 13. Exercises done: 4." in html
    assert "no foreign key (2)" in html and "create jobs with its foreign key" in html


def test_who_reads_no_further_gets_no_error(admin: str, tmp_path: Path) -> None:
    query = """INSERT INTO room.learners (role, username) VALUES ('learner_z', 'z');
        INSERT INTO room.reports (role, id, at, exercise, outcome)
        SELECT 'learner_z', gen_random_uuid(), now(), '2.3', 'done' FROM generate_series(1, 9999)"""
    ask(admin, query, "long")
    command = [*room_of(tmp_path, admin, "long"), "results"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline() == "learner,chapter,exercise,outcome,mistake,at\n"
        process.stdout.close()  # `| head -1`
        assert process.stderr.read() == ""
    assert process.returncode == 0


# ---- names -------------------------------------------------------------------------------------


def forms(name: str) -> set[str]:
    """A name as it is, and as it could stand in an output."""
    words = {name, visible(name), classroom.role_name(name)}
    words |= {word for word in re.findall(r"\w{4,}", name) if word not in ("board", "quick")}
    return words | {escape(word) for word in words} | {json.dumps(word)[1:-1] for word in words}


def test_without_names_nobody_is_named(without: NotebookNode) -> None:
    text = outputs(without)
    assert [each for name in LEARNERS for each in forms(name) if each in text] == []


def test_with_names_everybody_is_and_nothing_bites(named: NotebookNode) -> None:
    listed = "\n".join(line[-1] for line in rows(named, "list-run"))
    for name in LEARNERS:
        assert visible(name) in listed
    html = "".join(said(named, id, "text/html") for id in ("map-run", "list-run", "hands-run"))
    assert "&lt;script&gt;" in html
    tags = set(re.findall(r"</?(\w+)", html))
    assert tags <= {"table", "tr", "th", "td", "div", "p", "span", "strong", "br", "code", "small"}
    assert not re.search(r"<(?!/?code)[^>]*>[^<]*\$", html), "JupyterLab would set it as a formula"
    assert "\u202e" not in outputs(named)
    assert "password" not in outputs(named).replace("PGPASSWORD", "").lower()


class Nothing(list[Any]):
    """What `%sql` gives for the mistakes of a room that has made none."""

    keys = ("mistake", "exercise", "learners", "times")


def result(*people: tuple[str, str | None, str | None]) -> Any:
    """What `%sql` would give for these."""

    class Rows(list[Any]):
        keys = ("learner", "exercise", "outcome", "since")

    return Rows([*each, None] for each in people)


def test_without_names_the_order_tells_nothing() -> None:
    people = [("ada", "2.3", "done"), ("zed", "2.3", "done"), ("eve", "1.1", "not yet")]
    swapped = [("zed", "1.1", "not yet"), ("eve", "2.3", "done"), ("ada", "2.3", "done")]
    one, other = (board.room_map(result(*each), names=False) for each in (people, swapped))
    assert (one.text, one.rich) == (other.text, other.rich)
    assert "ada" in board.room_map(result(*people), names=True).text


def test_the_exercises_are_in_the_order_of_their_numbers() -> None:
    people = [("a", "10.1", "done"), ("b", "2.10", "done"), ("c", "2.9", "done"), ("d", None, None)]
    html = board.room_map(result(*people), names=False).rich["text/html"]
    found = re.findall(r"<strong>[✓○] ([\w.]+)</strong>", html)
    assert found == ["start", "2.9", "2.10", "10.1"]


# ---- other rooms, other people -----------------------------------------------------------------


def test_an_empty_room_is_said_to_be_empty(admin: str) -> None:
    notebook = run(teacher(admin, "nobody"))
    assert said(notebook, "advice-run") == "Nobody is here yet."
    for id in ("map-run", "list-run", "exercises-run", "mistakes-run", "hands-run", "course-run"):
        assert said(notebook, id) == "Nothing so far."


def test_two_hundred_fit(admin: str) -> None:
    ask(
        admin,
        """INSERT INTO room.learners (role, username)
            SELECT 'learner_' || n, 'somebody-with-a-name-' || n FROM generate_series(1, 200) n;
        INSERT INTO room.reports (role, id, at, exercise, outcome, mistake)
            SELECT 'learner_' || n, gen_random_uuid(), clock_timestamp(), (1 + n % 5) || '.' || e,
                (ARRAY['done', 'not yet', 'mistake'])[1 + n % 3], CASE n % 3 WHEN 2 THEN 'slip' END
            FROM generate_series(1, 200) n, generate_series(1, 4) e;
        INSERT INTO room.hands SELECT role, clock_timestamp() FROM room.learners LIMIT 20""",
        "full",
    )
    notebook = run(teacher(admin, "full"), names=True)
    assert len(tiles(notebook)) == 200
    assert len(rows(notebook, "list-run")) <= 31  # a line for each place, not for each learner
    assert len(rows(notebook, "exercises-run")) == 11
    assert len(rows(notebook, "hands-run")) == 21
    assert len(outputs(notebook)) < 200_000


def test_a_learner_sees_nothing_of_it(admin: str) -> None:
    env = classroom.prepare_learner(admin, "cassiopeia", "show")
    for name in (env["PGDATABASE"], "show"):
        with pytest.raises(CellExecutionError, match="There is no room to see from here"):
            run({**env, "PGDATABASE": name})
    queries = re.findall(r"(?<=FROM )room\.\w+(?:\(:MINUTES\))?", PATH.read_text(encoding="utf-8"))
    assert len(queries) == 7
    for each in queries:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(env, f"SELECT * FROM {each.replace(':MINUTES', '15')}", "show")


def test_a_server_that_is_away_is_one_clear_line() -> None:
    nowhere = {"PGHOST": "/nowhere", "PGDATABASE": "room"}
    with database.variables(**nowhere), pytest.raises(WorkbookError, match="does not answer"):
        board.open_board()


AGAIN = """
import psycopg2
with psycopg2.connect({!r}) as connection:
    connection.cursor().execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'teacher%'")
"""


def test_it_runs_again_after_its_connection_was_lost(admin: str) -> None:
    notebook = nbformat.read(PATH, as_version=4)
    lost = nbformat.v4.new_code_cell(AGAIN.format(admin))
    again = [nbformat.from_dict({**each, "id": f"{each.id}-2"}) for each in notebook.cells]
    notebook.cells += [lost, *again]
    place = {"metadata": {"path": str(PATH.parent)}}
    with database.variables(**teacher(admin, "show")):
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place).execute()
    for id in ("map-run", "list-run", "exercises-run", "mistakes-run", "hands-run"):
        assert AGO.sub("", said(notebook, f"{id}-2")) == AGO.sub("", said(notebook, id))


# ---- the file ----------------------------------------------------------------------------------


def as_text(notebook: NotebookNode) -> str:
    """A notebook as it is committed, without what the clock has said."""
    return AGO.sub("", nbformat.writes(notebook))


def test_the_committed_outputs_are_those_of_a_fresh_run(without: NotebookNode) -> None:
    assert as_text(nbformat.read(PATH, as_version=4)) == as_text(without)


def test_the_guide_says_what_is_there() -> None:
    guide = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    minutes = [each.minutes for each in CHAPTERS.values()]
    *most, last = map(str, minutes)
    words = f"The chapters take {', '.join(most)} and {last} minutes, {sum(minutes)} in all"
    assert words in guide
    for bars, column, total in ((5, 1, 210), (5, 3, 420), (3, 1, 210 + 390)):
        tables = [line.split("|") for line in guide.splitlines() if line.count("|") == bars]
        planned = [line[column + 1] for line in tables if ":" in line[column]]
        spent = re.findall(r"(?<!chapter )\b\d+", " ".join(planned))
        assert sum(map(int, spent)) == total
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for words in re.findall(r"`room ([a-z]+ ?[^`]*)`", guide):
        parser.parse_args(shlex.split(words))


if __name__ == "__main__":
    with made_up() as address:
        nbformat.write(run(teacher(address, "show")), PATH)
