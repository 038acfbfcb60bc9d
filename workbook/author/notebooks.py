"""For authors: execute the notebooks and save them clean, so that nbval can hold them to it."""

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from workbook import ROOT
from workbook.author import catalogue
from workbook.contents import CHAPTERS
from workbook.server import database

LESSONS = ROOT / "notebooks"
CHEAT_SHEET = ROOT / "docs" / "cheatsheet.md"
METADATA = ("presenter", "slideshow", "tags")
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def lessons(first: int = 0) -> list[Path]:
    """The notebooks in the order of the table of contents, from a chapter on."""
    return [LESSONS / each.lesson for each in CHAPTERS.values() if each.number >= first]


def refresh(only: list[Path]) -> int:
    """Execute notebooks, each on a fresh project and database; save their outputs, and the pages made of them.

    Prints a line for each; the exit status is the number of those that stopped at an error.
    """
    failed = 0
    with database.throwaway():
        for path in only or lessons():
            try:
                execute(path)
                print(f"saved   {path.name}")
            except CellExecutionError as error:
                failed += 1
                print(f"failed  {path.name}: {error.ename}: {error.evalue}\n{error}")
    CHEAT_SHEET.write_text(cheat_sheet(), encoding="utf-8", newline="\n")
    catalogue.PAGE.write_text(catalogue.page(), encoding="utf-8", newline="\n")
    return failed


def cheat_sheet() -> str:
    """The checklist of the last lesson and the summary tables of all, on one page, in Markdown."""
    checklist: list[str] = []
    tables: list[str] = []
    for chapter in CHAPTERS.values():
        cells = nbformat.read(LESSONS / chapter.lesson, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells)
        if found := re.search(r"^## What you have now\n+((?:\|.*\n)+)", text, re.MULTILINE):
            link = f"[{chapter.title}](../notebooks/{chapter.lesson})"
            tables += [f"## {chapter.number}. {link}", found[1].strip()]
        if page := re.search(r"^## A page to keep\n(.+?)^## ", text, re.MULTILINE | re.DOTALL):
            checklist = re.findall(r"^#(## .+\n\n(?:[- ].+\n)+)", page[1], re.MULTILINE)
    parts = [
        "# Checklist and cheat sheet",
        "What a migration has to pass, and what each chapter ends with. `refresh` writes this page:"
        " change the lessons.",
        *map(str.strip, checklist),
        *tables,
    ]
    return "\n\n".join(parts) + "\n"


class Client(NotebookClient):
    """As nbval sees it: an output is what its own cell has shown, whatever is drawn there later."""

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] == "update_display_data":
            return None
        return super().process_message(msg, cell, cell_index)


def execute(path: Path, save: bool = True) -> None:
    """Run one notebook on a project and database of its own. Raises CellExecutionError."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        name = "refresh_" + re.sub(r"\W", "_", path.stem)
        with database.separate(name, Path(folder)):
            place = {"metadata": {"path": str(path.parent)}}
            Client(notebook, timeout=120, kernel_name="python3", resources=place).execute()
        clean(notebook, Path(folder).resolve())
    if save:
        nbformat.write(notebook, path)


def clean(notebook: nbformat.NotebookNode, folder: Path | None = None) -> None:
    """Take out what differs from one machine or run to the next, without changing a word else.

    Goes: timings, versions, the path before workspace/, and the line breaks that Alembic makes
    where that path meets the terminal's edge.
    """
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in METADATA if key in cell.metadata}
        if "outputs" in cell:
            cell.outputs = merge_streams(cell.outputs)
        for output in cell.get("outputs", []):
            output.get("metadata", {}).clear()
            if "traceback" in output:  # full of this machine's paths; its last line says it all
                output["traceback"] = [f"{output['ename']}: {output['evalue']}"]
            if "text/vnd.mermaid" in output.get("data", {}):
                output["data"].pop("image/svg+xml", None)  # what JupyterLab adds when it saves
            if "text" in output:
                output["text"] = plain(output["text"], folder)


def merge_streams(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Neighbouring outputs of one stream as one: where a stream is cut depends on timing."""
    merged: list[nbformat.NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last["text"] += output.text
        else:
            merged.append(output)
    return merged


def plain(text: str, folder: Path | None) -> str:
    """An output's text with \\n for line ends and Alembic's announcements in one line each."""
    text = text.replace("\r\n", "\n")

    def unwrap(found: re.Match[str]) -> str:
        # Alembic breaks lines at the terminal's width, in the middle of a path if need be.
        verb, end = (" ".join(found[each].split()) for each in (1, 3))
        path = re.sub(r"\s", "", found[2])
        if folder:
            path = path.replace(re.sub(r"\s", "", str(folder)) + os.sep, "").replace("\\", "/")
        indent = "" if verb.endswith("script") else "  "
        return f"{indent}{verb} {path} {end.replace('... done', '...  done')}"

    return re.sub(
        r"(^ *Generating|^ *Creating directory|^ *Please\s+edit[\w\s/]+?\s+in|environment\s+script)"
        r"\s+(.+?)\s+(\.\.\.\s+done|before\s+proceeding\.|does\s+not\s+provide[\w\s]+context\.)",
        unwrap,
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
