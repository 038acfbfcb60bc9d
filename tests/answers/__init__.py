"""What learners do in an exercise's cell: wrong answers and other right ones, by chapter.

Each is what somebody types, cell by cell, from the chapter's start; then comes the check.
"""

import contextlib
import io
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import sqlalchemy as sa
from IPython.core.inputtransformer2 import TransformerManager

from workbook import WorkbookError, magics
from workbook.server import database


@dataclass(frozen=True)
class Answer:
    """One learner's way: cells, the argument of check(), and words that the card must hold."""

    exercise: str
    name: str  # what this learner did, in a few words
    cells: tuple[str, ...] = ()
    given: object = None
    says: str = ""  # the title of a mistake that has a name, or words of a line; empty: Done

    def __str__(self) -> str:
        return f"{self.exercise} {self.name}"


def run(cell: str) -> None:
    """Do what a notebook would do with a cell: files, SQL, `alembic`, Python."""
    shell = SimpleNamespace(system=_command, run_cell_magic=_magic, run_line_magic=_magic)
    code = TransformerManager().transform_cell(cell)  # type: ignore[no-untyped-call]
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, {"get_ipython": lambda: shell})  # noqa: S102


def _command(line: str) -> None:
    program, *arguments = shlex.split(line)
    assert program == "alembic", line
    subprocess.run([sys.executable, "-m", program, *arguments], capture_output=True, check=False)


def _magic(name: str, line: str, body: str = "") -> None:
    if name == "writefile":
        path = Path(line.strip())
        if not path.is_dir():  # as IPython: the cell fails, and the learner goes on
            path.write_text(body, encoding="utf-8")
    elif name == "writerevision":
        with contextlib.suppress(WorkbookError):
            magics.writerevision(line, body)
    elif name == "sql":
        with contextlib.suppress(sa.exc.DBAPIError), database.engine().begin() as connection:
            connection.execution_options(no_parameters=True)
            connection.exec_driver_sql(body or line)
    else:
        raise AssertionError(f"no such magic: {name}")
