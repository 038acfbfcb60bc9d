"""`%%writerevision`: %%writefile for a file whose name Alembic has chosen."""

import ast
import sys
from pathlib import Path

from workbook import WorkbookError


def register() -> None:
    """Make %%writerevision known to this notebook's kernel; elsewhere, do nothing."""
    if "IPython" in sys.modules:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell:
            shell.register_magic_function(writerevision, "cell")  # type: ignore[arg-type]


def writerevision(line: str, cell: str) -> None:
    """Write functions into a revision file: `%%writerevision alembic/versions/*_init.py`.

    Each function of the cell takes the place of the one with the same name; the rest of the file,
    its ids above all, stays. Raises WorkbookError when the pattern does not name one file, or when
    the cell holds anything but functions.
    """
    pattern = line.strip().strip("\"'") or "alembic/versions/*.py"
    found = sorted(Path().glob(pattern))
    if len(found) != 1:
        what = "No file" if not found else f"{len(found)} files"
        raise WorkbookError(
            f"{what} match {pattern}: one is needed. `alembic revision` makes it, and the file"
            " browser on the left shows alembic/versions."
        )
    path = found[0]
    if "____" in cell:
        print("Nothing written yet: put your code in place of each ____.")
        return
    try:
        new = _functions(cell)
    except SyntaxError as error:
        raise WorkbookError(
            f"Nothing written. Line {error.lineno or 1} is not Python: {error.msg}"
        ) from None
    if not new or any(not isinstance(each, ast.FunctionDef) for each in ast.parse(cell).body):
        raise WorkbookError("Nothing written: the cell may hold functions only, such as upgrade().")
    text = path.read_text(encoding="utf-8")
    try:
        _functions(text)
    except SyntaxError as error:
        raise WorkbookError(
            f"Nothing written. {path.as_posix()} itself is not Python, in line {error.lineno or 1}: open it"
            " in the editor."
        ) from None
    for name, source in new.items():
        old = _functions(text).get(name)
        text = text.replace(old, source) if old else f"{text.rstrip()}\n\n\n{source}"
    path.write_text(text.rstrip() + "\n", encoding="utf-8")
    names = " and ".join(f"{name}()" for name in new)
    print(f"Wrote {names} to {path.as_posix()}")


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
