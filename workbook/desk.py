"""The learner's desk: the lessons as copies in workspace/, and how they follow new versions.

A copy has no outputs: a prediction must not find its answer below it. The version that it was made
from is kept in .lessons/, so that a new one can be merged with what the learner has written since.
"""

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from workbook import ROOT, WorkbookError, home
from workbook.contents import CHAPTERS

Notebook = dict[str, Any]
Cells = list[dict[str, Any]]


def lay() -> list[str]:
    """Lay the lessons that are missing, bring the others up to date; gives what is to be said.

    Whatever the disk refuses is a line too: that lesson is as it was.
    """
    said: list[str] = []
    try:
        with _alone():
            for chapter in CHAPTERS.values():
                try:
                    said += _follow(chapter.lesson)
                except OSError as error:
                    said.append(_refused(chapter.lesson, error))
    except OSError as error:
        said.append(_refused("workspace/", error))
    return said


def fresh_lesson(chapter: int | None = None) -> None:
    """Lay a chapter's lesson anew; a copy that was worked in stays beside it, under a date.

    Without a chapter, list what lies beside the lessons. Raises WorkbookError.
    """
    if chapter is None:
        for each in CHAPTERS.values():
            if (beside := _desk() / _beside(each.lesson)).exists():
                print(f"{beside.name} is newer than your {each.lesson}")
        dated = sorted(path.name for each in CHAPTERS.values() for path in _dated(each.lesson))
        print(*dated, f"{len(dated)} earlier copies of lessons.", sep="\n")
        return
    if chapter not in CHAPTERS:
        raise WorkbookError(f"There is no chapter {chapter}: pick one from 0 to {max(CHAPTERS)}.")
    lesson = CHAPTERS[chapter].lesson
    try:
        with _alone():
            name = _put_beside(_desk() / lesson)
            _lay(lesson, written(published(lesson)))
            _clear(lesson)
    except OSError as error:
        raise WorkbookError(_refused(lesson, error)) from None
    kept = f" Yours is kept as {name}." if name else ""
    print(f"{lesson} is as new: close its tab if it is open, and open it again.{kept}")


def _follow(lesson: str) -> list[str]:
    """Bring one lesson up to date; gives the line for what the learner has to know."""
    copy, latest = _desk() / lesson, published(lesson)
    old, base, new = _read(copy), _read(_kept(lesson)), written(latest)
    mine = parsed(old)
    if mine and base == new:
        return []
    if not os.path.lexists(copy) or (mine and old == base):
        _lay(lesson, new)
        _clear(lesson)
        return []
    merged = _merge(parsed(base), mine, latest) if mine else None
    if merged is None:
        return _lay_beside(lesson, new, unreadable=mine is None)
    if _read(copy) != old:  # somebody saves it this very moment: next time, then
        return []
    _lay(lesson, new, old if merged is mine else written(merged))
    _clear(lesson)
    if _bare(merged) == _bare(latest):
        return []
    return [f"{lesson} is up to date; what you have written in it is there."]


def _merge(base: Notebook | None, mine: Notebook, new: Notebook) -> Notebook | None:
    """The new version with the learner's changes and outputs; None where both changed the same."""
    if _bare(mine) == _bare(new):
        return mine
    if base is None:
        return None
    shipped = {cell.get("id") for cell in base["cells"]}
    # JupyterLab adds an empty cell whenever the last one is run.
    cells = [c for c in _bare(mine) if c["source"].strip() or c.get("id") in shipped]
    merged = new if cells == base["cells"] else _merge_cells(base, cells, new)
    if merged is None:
        return None
    run = {cell.get("id"): cell for cell in mine["cells"] if cell["cell_type"] == "code"}
    for cell in merged["cells"]:
        before = run.get(cell.get("id"))
        if before and before["source"] == cell["source"]:
            for what in ("outputs", "execution_count"):
                cell[what] = before.get(what, cell[what])
    return {**merged, "metadata": mine["metadata"], "nbformat_minor": mine["nbformat_minor"]}


def _merge_cells(base: Notebook, cells: Cells, new: Notebook) -> Notebook | None:
    """nbdime's merge, if all that the learner has written is in it, to the letter."""
    try:
        from nbdime.merging.notebooks import merge_notebooks  # a second, when it is needed

        merged, decisions = merge_notebooks(base, {**base, "cells": cells}, new)
    except Exception:  # noqa: BLE001 - no fault of a merge keeps the workbook from starting
        return None
    known = Counter(cell["source"] for cell in base["cells"])
    written = Counter(cell["source"] for cell in cells) - known
    ids = [cell.get("id") for cell in merged["cells"]]
    whole = not written - Counter(cell["source"] for cell in merged["cells"])
    if any(each.conflict for each in decisions) or not whole or len({*ids}) < len(ids):
        return None
    return dict(merged)


def _lay_beside(lesson: str, new: bytes, unreadable: bool) -> list[str]:
    """Lay a new version beside the learner's own, once."""
    beside = _beside(lesson)
    if _read(_kept(beside)) == new and ((_desk() / beside).exists() or not unreadable):
        return []
    _put_beside(_desk() / beside)
    _lay(beside, new)
    why = "cannot be read: it" if unreadable else "and its new version change the same cells: yours"
    return [f"{lesson} {why} stays as it is, and the new one is beside it, as {beside}."]


def _put_beside(copy: Path) -> str:
    """Move a copy out of the way, under a date; gives its name there, none if it is untouched."""
    if not os.path.lexists(copy) or (copy.is_file() and _read(copy) == _read(_kept(copy.name))):
        return ""
    name = stem = f"{copy.stem}_{datetime.now():%Y-%m-%d_%H.%M}"
    number = 1
    while os.path.lexists(copy.with_name(f"{name}.ipynb")):
        number += 1
        name = f"{stem}_{number}"
    copy.rename(copy.with_name(f"{name}.ipynb"))
    return f"{name}.ipynb"


def _lay(name: str, base: bytes, text: bytes | None = None) -> None:
    """Write a copy, then the version that it stands on.

    In this order: a kill between the two leaves a copy that the same merge does not change.
    """
    _write(_desk() / name, base if text is None else text)
    _write(_kept(name), base)


def _clear(lesson: str) -> None:
    """Take away a version that was laid beside, if nobody has worked in it."""
    copy, kept = _desk() / _beside(lesson), _kept(_beside(lesson))
    if kept.exists() and _read(copy) == _read(kept):
        copy.unlink()
    kept.unlink(missing_ok=True)


def _write(path: Path, text: bytes) -> None:
    """Replace a file in one step: it is the old one or the new one, whatever happens here."""
    if _read(path) == text:
        return
    draft = path.with_name(".draft-lesson")
    try:
        with draft.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def published(lesson: str) -> Notebook:
    """A lesson as it is laid: the project's, without outputs. Raises OSError."""
    notebook = parsed((ROOT / "notebooks" / lesson).read_bytes())
    if notebook is None:
        raise OSError(0, f"notebooks/{lesson} is no notebook")
    return {**notebook, "cells": _bare(notebook)}


def _bare(notebook: Notebook) -> Cells:
    """A notebook's cells without outputs."""
    return [
        {**cell, "outputs": [], "execution_count": None} if cell["cell_type"] == "code" else cell
        for cell in notebook["cells"]
    ]


def parsed(text: bytes | None) -> Notebook | None:
    """A notebook, its sources in one piece; None for what cannot be read."""
    try:
        notebook = json.loads(text or b"")
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
            cell["cell_type"], cell["metadata"]
        notebook["metadata"], notebook["nbformat_minor"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return dict(notebook)


def written(notebook: Notebook) -> bytes:
    """A notebook as JupyterLab writes it."""
    cells = [
        {**cell, "source": cell["source"].splitlines(keepends=True)} for cell in notebook["cells"]
    ]
    whole = {**notebook, "cells": cells}
    text = json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def _read(path: Path) -> bytes | None:
    """What is in a file; None if that cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _desk() -> Path:
    return home() / "workspace"


def _kept(name: str) -> Path:
    """Where the version is kept that a copy was made from."""
    return home() / ".lessons" / name


def _beside(lesson: str) -> str:
    return f"{Path(lesson).stem}.new.ipynb"


def _dated(lesson: str) -> list[Path]:
    return [*_desk().glob(f"{Path(lesson).stem}*_[0-9][0-9][0-9][0-9]-[0-9][0-9]-*.ipynb")]


def _refused(name: str, error: OSError) -> str:
    reason = error.strerror or error
    return f"{name} stays as it is ({reason}): make room or mend its rights, and start again."


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One at a time on a desk, which is made if it is not there. Raises OSError."""
    import fasteners

    for folder in (_desk(), home() / ".lessons"):
        folder.mkdir(parents=True, exist_ok=True)
    with fasteners.InterProcessLock(home() / ".lessons" / "lock"):
        yield
