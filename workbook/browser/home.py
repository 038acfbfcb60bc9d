"""From a browser's tab to a computer of one's own."""

import zipfile
from pathlib import Path

from workbook import desk, home
from workbook.contents import CHAPTERS

NOTE = "in-tab"  # the cell that a lesson has in a tab alone
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}


def take_home() -> None:
    """Pack project, lessons and what was put aside, as they lie in a clone of the workbook."""
    target = home() / "my-work.zip"
    lessons = {each.lesson for each in CHAPTERS.values()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for folder in ("workspace", "put_aside"):
            for path in sorted((home() / folder).rglob("*")):
                name = path.relative_to(home()).as_posix()
                if path.name in lessons and path.parent.name == "workspace":
                    published = desk.written(desk.published(path.name))
                    packed.writestr(f".lessons/{path.name}", published)
                    packed.writestr(name, _lesson(path))
                elif path.is_file() and "__pycache__" not in name:
                    packed.write(path, name)
    print(
        f"{target.name} is in the file browser, in the folder above this one: right-click it and"
        " download it.\nOn your computer, unpack it in the workbook's folder and run python3 -m"
        " workbook. Your migrations make the database there; rows that you have added stay here."
    )


def _lesson(path: Path) -> bytes:
    """A lesson with the learner's work, as it would be outside of a tab."""
    notebook = desk.parsed(path.read_bytes())
    if notebook is None:
        return path.read_bytes()
    cells = [each for each in notebook["cells"] if each.get("id") != NOTE]
    metadata = {**notebook["metadata"], "kernelspec": KERNEL}
    return desk.written({**notebook, "cells": cells, "metadata": metadata})
