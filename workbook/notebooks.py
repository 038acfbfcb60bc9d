"""For authors: execute the notebooks and save them clean, so that nbval can hold them to it."""

import os
import re
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from workbook import ROOT, database

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def refresh(only: list[Path]) -> int:
    """Execute notebooks, each on a fresh project and database, and save their outputs.

    Prints a line for each; the exit status is the number of those that stopped at an error.
    """
    failed = 0
    with database.throwaway():
        for path in only or sorted((ROOT / "notebooks").glob("*.ipynb")):
            try:
                execute(path)
                print(f"saved   {path.name}")
            except CellExecutionError as error:
                failed += 1
                print(f"failed  {path.name}: {error.ename}: {error.evalue}\n{error}")
    return failed


def execute(path: Path, save: bool = True) -> nbformat.NotebookNode:
    """Run one notebook on a project and database of its own. Raises CellExecutionError."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        name = "refresh_" + re.sub(r"\W", "_", path.stem)
        with database.separate(name, Path(folder)):
            place = {"metadata": {"path": str(path.parent)}}
            NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place).execute()
        clean(notebook, Path(folder).resolve())
    if save:
        nbformat.write(notebook, path)
    return notebook


def clean(notebook: nbformat.NotebookNode, folder: Path | None = None) -> None:
    """Take out what differs from one machine or run to the next, without changing a word else.

    Goes: timings, versions, the path before workspace/, and the line breaks that Alembic makes
    where that path meets the terminal's edge.
    """
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in ("tags",) if key in cell.metadata}
        for output in cell.get("outputs", []):
            output.get("metadata", {}).clear()
            if "text" in output:
                output["text"] = plain(output["text"], folder)
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def plain(text: str, folder: Path | None) -> str:
    """An output's text with the learner's folder as `workspace`, unwrapped, in \\n lines."""
    text = text.replace("\r\n", "\n")
    if folder:
        # Alembic wraps its messages at the terminal's width, so a path may go over lines.
        broken = r"\n? *".join(map(re.escape, str(folder) + os.sep))
        text = re.sub(broken, "", text)
    # An announcement of Alembic's ends in "done"; what its wrapping split is put together.
    return re.sub(
        r"^ *((?:Generating|Creating directory|File|Please edit)\b[^\n]*(?:\n +[^\n]+?)*?)"
        r"(\.\.\. +done|proceeding\.|skipping)",
        lambda found: "  " + re.sub(r"\s*\n\s*", " ", found[1]) + found[2],
        text,
        flags=re.MULTILINE,
    )
