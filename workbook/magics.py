"""What a kernel knows of ours: `%%writerevision`, a clear line where the first cell is missing, and
which failure was the last.
"""

import ast
import contextlib
import difflib
import os
import re
import socket
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from workbook import PROVIDED, WorkbookError, repository

FIRST = "run the notebook's first cell, and then this one again"
MADE_ABOVE = "A cell above may make {}. After a restart, run the first cell, then those between."
NAMES = {name for names in PROVIDED.values() for name in names}
CALLED = ("upgrade", "downgrade")  # by Alembic
HEARD = 100_000  # characters of a cell's output, the last ones
FAILS = re.compile(r"FAILED|[Ee]rror\b|ERROR|FATAL|Exception|Violation|Warning|\(psycopg2\.")
refused = ("", 0.0, "")  # why the last cell was not written, when and where; "": it was


@dataclass(frozen=True)
class Failure:
    """What failed last: in a few words, and everything that it said."""

    what: str
    text: str


class Listener:
    """What the cells of a kernel print, and which of them failed last."""

    def __init__(self, shell: Any) -> None:
        self.said: list[str] = []  # as it was printed
        self.captured: list[str] = []  # what commands said whose output a variable holds
        self.failure: Failure | None = None
        self.shell = shell
        getoutput = shell.getoutput

        def captured(command: str, split: bool = True, depth: int = 0) -> Any:
            found = getoutput(command, split=split, depth=depth + 1)
            self.captured.append("\n".join(found) if split else found)
            return found

        shell.getoutput = captured
        shell.events.register("pre_run_cell", self.before)
        shell.events.register("post_run_cell", self.after)

    def before(self, info: Any) -> None:
        """Begin to hear what the cell prints; what commands and %sql say goes the same way."""
        self.said.clear()
        self.captured.clear()
        stream: Any = sys.stdout
        write = stream.write
        if getattr(write, "listener", None) is self:
            return

        def heard(text: str) -> Any:
            self.said.append(text)
            return write(text)

        heard.listener = self  # type: ignore[attr-defined]
        with contextlib.suppress(AttributeError):  # a stream that is not a kernel's
            stream.write = heard  # IPython puts the old one back after some cells

    def after(self, result: Any) -> None:
        """Keep the cell's failure, if it is one."""
        code = result.info.raw_cell or ""
        error = result.error_before_exec or result.error_in_exec
        text = "\n".join(self.captured)[-HEARD:]
        if not FAILS.search(text):
            text = "".join(self.said)[-HEARD:]
        if error and not (isinstance(error, WorkbookError) and "why(" in code):
            self.failure = Failure("", "".join(traceback.format_exception(error)))
        elif FAILS.search(text) or ("!" in code and self.shell.user_ns.get("_exit_code")):
            commands = re.findall(r"^(?:\w+ *= *)?([!%].+)", code, re.MULTILINE)
            self.failure = Failure(f"at {commands[-1]}" if commands else "", text)


LISTENERS: list[Listener] = []  # one, where there is a kernel


def last_failure() -> Failure | None:
    """What failed last in this kernel, but for why() itself."""
    return LISTENERS[0].failure if LISTENERS else None


def _listen(shell: Any) -> None:
    if not LISTENERS:
        LISTENERS.append(Listener(shell))


def register() -> None:
    """Make %%writerevision known to this notebook's kernel; elsewhere, do nothing."""
    if "IPython" in sys.modules:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell:
            shell.register_magic_function(writerevision, "cell")  # type: ignore[arg-type]
            _listen(shell)


def load_ipython_extension(shell: Any) -> None:
    """What JupyterLab's kernels begin with, so that a cell run too early is told what it lacks."""
    shell.register_magic_function(writerevision, "cell")
    shell.register_magic_function(_early_sql, "line_cell", "sql")  # %load_ext sql has its own
    with contextlib.suppress(WorkbookError):  # the first cell says it
        repository.protect()
    shell.set_custom_exc((NameError,), _unknown_name)
    shell.events.register("pre_run_cell", partial(_before, shell))
    _listen(shell)


def _early_sql(line: str, cell: str = "") -> None:
    """Raises WorkbookError: IPython would say that there is no such magic, and not what to do."""
    raise WorkbookError(
        "This kernel does not know %sql yet. Run the first cell, then the one with %load_ext sql."
    )


def _unknown_name(shell: Any, kind: Any, error: Any, trace: Any, tb_offset: Any = None) -> None:
    """A line in place of a traceback for what lessons import; one below it for others."""
    if error.name in NAMES:
        print(
            f"This kernel does not know {error.name} yet. Run the first cell, then"
            f" from workbook import {error.name}, which stands in a cell above.",
            file=sys.stderr,
        )
        return
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
    source = shell.history_manager.input_hist_raw[-1]
    if re.search(rf"\bcheck\(.*,\s*{error.name}\b", source):
        print(f'An answer stands in quotes: "{error.name}".', file=sys.stderr)
    elif error.name and error.name not in shell.user_ns:
        print(MADE_ABOVE.format(error.name), file=sys.stderr)


def _before(shell: Any, info: Any) -> None:
    """Say what Alembic would not: no project or server is here, or a name in braces is not known."""
    lines = [line for line in (info.raw_cell or "").splitlines() if line.startswith("!alembic ")]
    begun = Path("alembic.ini").exists() or any(line.split()[1:2] == ["init"] for line in lines)
    if lines and not begun:
        print(
            f"There is no alembic.ini here: {FIRST}. In chapter 2, `alembic init` makes it.",
            file=sys.stderr,
        )
    if "!alembic " in (info.raw_cell or "") and _server_is_gone():
        print(f"PostgreSQL does not answer: {FIRST}.", file=sys.stderr)
    for name in re.findall(r"\{(\w+)", "".join(lines)):
        if name not in shell.user_ns:
            print(MADE_ABOVE.format(name), file=sys.stderr)


def _server_is_gone() -> bool:
    """Whether the workbook's own server, which the first cell starts, has ended since."""
    host, port = os.environ.get("PGHOST", ""), os.environ.get("PGPORT", "5432")
    if "WORKBOOK_EMBEDDED" not in os.environ:
        return False
    try:
        if not host.startswith("/"):
            socket.create_connection((host, int(port)), 1).close()
            return False
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(f"{host}/.s.PGSQL.{port}")
    except OSError:
        return True
    return False


def writerevision(line: str, cell: str) -> None:
    """Write functions into a revision file: `%%writerevision alembic/versions/*_init.py`.

    Each function of the cell takes the place of the one with the same name; the rest of the file,
    its ids above all, stays. Raises WorkbookError when the pattern does not name one file, or when
    the cell holds anything but functions, or one that Alembic would not find.
    """
    global refused
    try:
        refused = ("", 0.0, "")
        path = _revision(line.strip().strip("\"'") or "alembic/versions/*.py")
        if "____" in cell:
            print("Nothing written yet: put your code in place of each ____.")
            return
        new = _new(cell)
        text = path.read_text(encoding="utf-8")
        try:
            _functions(text)
        except SyntaxError as error:
            raise WorkbookError(
                f"Nothing written. {path.as_posix()} itself is not Python, in line"
                f" {error.lineno or 1}: open it in the editor."
            ) from None
    except WorkbookError as error:
        refused = (str(error), time.time(), str(Path.cwd()))
        raise
    for name, source in new.items():
        old = _functions(text).get(name)
        text = text.replace(old, source) if old else f"{text.rstrip()}\n\n\n{source}"
    path.write_text(text.rstrip() + "\n", encoding="utf-8")
    names = " and ".join(f"{name}()" for name in new)
    print(f"Wrote {names} to {path.as_posix()}")
    for name in new.keys() - {*CALLED}:
        print(f"Alembic calls upgrade() and downgrade(). It will not call {name}() by itself.")


def refusal(files: Iterable[Path]) -> list[str]:
    """Why the last cell was not written; nothing where it was, or one of the files is newer."""
    message, since, folder = refused
    past = folder != str(Path.cwd()) or any(path.stat().st_mtime > since for path in files)
    return [] if past else message.splitlines()


def _revision(pattern: str) -> Path:
    """The one file that matches; raises WorkbookError."""
    found = sorted(Path().glob(pattern))
    if not found:
        raise WorkbookError(
            f"No file matches {pattern}: run the cell with `!alembic revision` first, or the"
            " notebook's first cell where that has been run."
        )
    if len(found) > 1:
        ids = {path: repr(path.name.partition("_")[0]) for path in found}
        later = [
            path.name
            for path in found
            if any(ids[each] in path.read_text(encoding="utf-8") for each in ids.keys() - {path})
        ]
        names = ", ".join(later) or f"all but one of {', '.join(path.name for path in found)}"
        raise WorkbookError(
            f"Nothing written: {len(found)} files match {pattern}. `alembic revision` was run more"
            f" than once. Delete {names} in the file browser, and run this cell again."
        )
    return found[0]


def _new(cell: str) -> dict[str, str]:
    """The functions of a cell, by name; raises WorkbookError for what Alembic would not find."""
    try:
        new, body = _functions(cell), ast.parse(cell).body
    except SyntaxError as error:
        number = error.lineno or 1
        line = "".join(cell.splitlines()[number - 1 : number]).strip()
        raise WorkbookError(
            f"Nothing written. This is not Python: {error.msg}\nLine {number + 1} of the cell: {line}"
        ) from None
    names = [each.name for each in body if isinstance(each, ast.FunctionDef)]
    if not new or len(names) < len(body):
        raise WorkbookError("Nothing written: the cell may hold functions only, such as upgrade().")
    for name in names:
        meant = difflib.get_close_matches(name.lower(), CALLED, 1, 0.8)
        if name not in CALLED and meant:
            raise WorkbookError(
                f"Nothing written: Alembic looks for {meant[0]}(), and the cell has {name}()."
            )
        if names.count(name) > 1:
            raise WorkbookError(
                f"Nothing written: two functions of the cell are called {name}(), and Python keeps"
                " the last alone. Is one of them the other direction?"
            )
    return new


def _functions(text: str) -> dict[str, str]:
    """The top-level functions of a Python text, by name, with what stands above each.

    Raises SyntaxError.
    """
    lines = text.splitlines(keepends=True)
    found = {}
    try:
        body = ast.parse(text).body
    except ValueError as error:  # null bytes; a SyntaxError only since Python 3.11.4
        raise SyntaxError(str(error), ("", 1, 1, "")) from None
    for node in body:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found[node.name] = "".join(lines[first - 1 : node.end_lineno])
    return found
