"""Holds an exercise to its contract, and writes its cell into the lesson.

The contract: what the learner finds is "not attempted", the solution is "done", every wrong answer
gets its own words and every other right one passes, and the lesson shows what the exercise's file
says.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import nbformat
import sqlalchemy as sa
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from workbook import WorkbookError, apart, checking, home, magics, starts, theatre
from workbook.author.notebooks import LESSONS
from workbook.contents import CHAPTERS
from workbook.exercises import Answer, Exercise, answers, load, path
from workbook.exercises import ids as known
from workbook.exercises.kinds import Choose, Order
from workbook.server import database

PLAIN = re.compile(r"\b([Ss]imply|[Jj]ust|[Oo]bviously|[Oo]f course)\b")


def hold(ids: list[str]) -> int:
    """Hold exercises to their contract, and write their cells into the lessons.

    All of them where none is named. Prints a line for each and one for each breach; returns how
    many were broken. Raises WorkbookError for an unknown id.
    """
    for unknown in {*ids} - {*known()}:
        raise WorkbookError(f'There is no exercise "{unknown}": its file would be {path(unknown)}.')
    broken = 0
    with contextlib.ExitStack() as stack:
        stack.enter_context(database.throwaway())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(database.separate("exercises", Path(folder)))
        stack.enter_context(contextlib.chdir(folder))
        database.connect_environment()
        for exercise in map(load, ids or known()):
            changed = write(exercise)
            found = list(problems(exercise))
            broken += bool(found)
            said = "broken" if found else "kept"
            print(f"{said:8}{exercise.id}  {exercise.task}" + ("; its cell is new" * changed))
            print("".join(f"        {line}\n" for line in found), end="")
    return broken


def problems(exercise: Exercise) -> Iterator[str]:
    """What breaks the contract, in words."""
    yield from in_words(exercise)
    yield from in_lesson(exercise)
    for answer in ways(exercise):
        yield from broken_by(exercise, answer)


def ways(exercise: Exercise) -> list[Answer]:
    """Every way of answering it that is known: unsolved, solved, the wrong and the right ones."""
    unsolved = Answer("what the learner finds", "Not attempted yet", cells=(exercise.cell,))
    solved = Answer("the solution", cells=exercise.solved)
    wrong, right = answers(exercise.id)
    return [unsolved, solved, *wrong, *right]


def in_words(exercise: Exercise) -> Iterator[str]:
    """What is missing or unfit among an exercise's words."""
    words = (exercise.task, exercise.why, exercise.passed, *exercise.hints)
    if len({*exercise.hints}) < max(2, len(exercise.hints)):
        yield "There are at least two hints, each another."
    for text in words:
        if not text or text != text.strip() or PLAIN.search(text):
            yield f"Not fit to be read: {text!r}"
    if exercise.solution.strip() in "\n".join(exercise.hints):
        yield "A hint is the solution."
    names = [each.name for each in ways(exercise)]
    yield from (f"Two answers are called {name}." for name in {*names} if names.count(name) > 1)


def broken_by(exercise: Exercise, answer: Answer) -> list[str]:
    """What is wrong with what the check says to an answer; as a rule, nothing."""
    card, wanted = judged(exercise, answer), answer.says or "Done"
    right = wanted in str(card) and (card.kind == "done") == (wanted == "Done")
    if card.kind == "mistake":
        right = card.title == f"{exercise.id}  Not there yet: {wanted}"
    found = [] if right else [f"{answer.name}: {wanted!r} was wanted, and this was said:\n{card}"]
    gifts = told(exercise, card)
    return found + [f"{answer.name} is told a line of the answer: {line}" for line in gifts]


def told(exercise: Exercise, card: checking.Card) -> list[str]:
    """The lines of a solution that a card gives away, but for those that the learner has written."""
    if card.kind == "done":
        return []
    said = "\n".join(line for line in card.lines if not re.match(r"Line \d+ of ", line))
    lines = (line.strip().rstrip(",") for line in exercise.solution.splitlines())
    return [line for line in lines if len(line) > 15 and line in said]


# ---- what a learner does -------------------------------------------------------------------------


def judged(exercise: Exercise, answer: Answer) -> checking.Card:
    """What the check says to an answer that is typed in where the exercise stands."""
    typed = answer.typed(exercise)
    if typed or answer.given is None:
        begin(exercise)
    names: dict[str, object] = {}
    card = [run(cell, names) for cell in typed][-1:]
    if card and isinstance(card[0], checking.Card):  # the cell that is filled in is the check
        return card[0]
    return checking.check(exercise.id, answer.given)


def begin(exercise: Exercise) -> None:
    """Bring project and database to where an exercise stands in its lesson."""
    theatre.dismiss()
    os.chdir(home())
    for each in home().iterdir():
        shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
    with database.engine().begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    with contextlib.redirect_stdout(io.StringIO()):
        starts.start(exercise.chapter if exercise.begins is None else exercise.begins)
    for cell in exercise.above:
        run(cell)


def run(cell: str, names: dict[str, object] | None = None) -> object:
    """Do what a notebook would do with a cell: files, SQL, `alembic`, Python; gives a card's value.

    `names` are what the cells before it have defined.
    """
    shell = SimpleNamespace(system=_command, run_cell_magic=_magic, run_line_magic=_magic)
    names = {} if names is None else names
    names |= {"get_ipython": lambda: shell, "check": checking.check}
    code = TransformerManager().transform_cell(cell)
    with contextlib.redirect_stdout(io.StringIO()):
        if code.startswith("check("):
            return eval(code, names)
        exec(code, names)  # noqa: S102
    return None


def _command(line: str) -> None:
    program, *arguments = shlex.split(line)
    if program in ("git", "pg_dump", "pg_restore"):
        subprocess.run([program, *arguments], capture_output=True, check=False)
        return
    assert program == "alembic", line
    with contextlib.suppress(apart.Stopped):
        apart.call("workbook.project:alembic", arguments, seconds=60, folder=Path.cwd())


def _magic(name: str, line: str, body: str = "") -> None:
    if name == "writefile":
        path = Path(line.strip())
        if not path.is_dir():  # as IPython: the cell fails, and the learner goes on
            path.write_text(body, encoding="utf-8")
    elif name == "writerevision":
        with contextlib.suppress(WorkbookError):
            magics.writerevision(line, body)
    elif name == "cd":
        os.chdir(line)
    elif name == "sql":
        with contextlib.suppress(sa.exc.DBAPIError), database.engine().begin() as connection:
            connection.execution_options(no_parameters=True)
            connection.exec_driver_sql(body or line)
    else:
        raise AssertionError(f"no such magic: {name}")


# ---- its place in the lesson ---------------------------------------------------------------------


def lesson(exercise: Exercise) -> Path:
    """The notebook that an exercise stands in."""
    return LESSONS / CHAPTERS[exercise.chapter].lesson


def placed(exercise: Exercise, notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells of an exercise: its "task", its "cell" and its "check"; those that are there."""
    name = exercise.id.replace(".", "-")
    ids = {"task": f"exercise-{name}-task", "cell": f"exercise-{name}", "check": f"check-{name}"}
    by_id = {cell.id: cell for cell in notebook.cells}
    found = {kind: by_id[id] for kind, id in ids.items() if id in by_id}
    if "cell" in found and f'check("{exercise.id}"' in found["cell"].source:
        found["check"] = found["cell"]
    return found


def in_lesson(exercise: Exercise) -> Iterator[str]:
    """What does not agree between an exercise and its notebook."""
    notebook = nbformat.read(lesson(exercise), as_version=4)
    cells = placed(exercise, notebook)
    if cells.keys() != {"task", "cell", "check"}:
        yield f"The lesson lacks a part of it: it has {', '.join(cells) or 'nothing'}."
        return
    task, cell, check = cells["task"], cells["cell"], cells["check"]
    places = [notebook.cells.index(each) for each in (task, cell, check)]
    if places != sorted(places) or places[2] - places[0] > 2:
        yield "Task, cell and check do not follow one another."
    if cell.metadata.get("tags") != ["exercise"]:
        yield 'Its cell has another tag than "exercise".'
    if exercise.chapter and not re.search(
        rf"(### |\*\*)Exercise {re.escape(exercise.id)}[:.]", task.source
    ):
        yield "The task does not begin with the exercise's number."
    if _import(cell.source) + exercise.cell != cell.source:
        yield "The lesson's cell is not what the file says: `exercise` writes it."
    if isinstance(exercise, Choose):
        letters = re.findall(r"^- \*\*(.)\*\* ", task.source, re.MULTILINE)
        if letters != sorted([exercise.right, *exercise.wrong]):
            yield "The lesson offers other letters."
    if isinstance(exercise, Order):
        for letter, line in exercise.lines.items():
            shown = rf"^(?:{letter}   |\| \*\*{letter}\*\* .*){re.escape(line)}"
            if not re.search(shown, task.source, re.MULTILINE):
                yield f"The lesson shows another line {letter}."


def write(exercise: Exercise) -> bool:
    """Write an exercise's cell into its lesson, where it differs; whether it did."""
    notebook = nbformat.read(lesson(exercise), as_version=4)
    cell = placed(exercise, notebook).get("cell")
    if cell is None or cell.source == _import(cell.source) + exercise.cell:
        return False
    cell.source = _import(cell.source) + exercise.cell
    nbformat.write(notebook, lesson(exercise))
    return True


def _import(source: str) -> str:
    """The import of check, hint and solution in the first exercise of a lesson."""
    found = re.match(r"from workbook import .*\n\n", source)
    return found[0] if found else ""
