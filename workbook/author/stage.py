"""The lessons on a stage: what each slide holds, the copies that are shown, the rehearsal.

The slides are the notebooks' own cells. A cell's metadata say what a presenter needs to know:

- `slideshow.slide_type`, as in every tool for slides: "slide" begins one, "skip" leaves a cell out;
- `presenter`, on the first cell of a slide: its `minutes`, the `paths` that it is on beside the
  long one, and the notes: what to `say`, what is `asked`, what to `skip` when time is short.
"""

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from workbook import ROOT, WorkbookError, home
from workbook.author.notebooks import lessons, merge_streams, plain
from workbook.contents import CHAPTERS
from workbook.pictures.visits import WORDS
from workbook.server import database

MOST = 7  # chapters of which the closing slide has room for a line
PATHS = {
    "short": "the core of each chapter",
    "long": "every slide of each chapter",
    "20": "Part I in 20 minutes",
    "60": "Part I in 60 minutes",
    "30-2": "Part II in 30 minutes",
    "60-2": "Part II in 60 minutes",
    "30-3": "Part III in 30 minutes",
    "60-3": "Part III in 60 minutes",
}
WITH = "with SQLAlchemy, Alembic and a real PostgreSQL"
SECONDS = 30  # an audience does not wait longer


@dataclass(frozen=True)
class Slide:
    """Some neighbouring cells of one notebook.

    Its title is its heading; without one, that of its section and its number there.
    """

    notebook: Path
    title: str
    cells: list[NotebookNode]

    @property
    def presenter(self) -> dict[str, Any]:
        return dict(self.cells[0].metadata.get("presenter", {}))

    @property
    def minutes(self) -> float:
        return float(self.presenter.get("minutes", 0))

    def is_on(self, path: str) -> bool:
        return path == "long" or path in self.presenter.get("paths", [])


def notebooks(chapter: int | None = None) -> list[Path]:
    """The chapters' notebooks in order, from one on. Raises WorkbookError if it is not there."""
    first = chapter or 0
    if first not in CHAPTERS:
        raise WorkbookError(f"There is no chapter {first}: choose one from 0 to {max(CHAPTERS)}.")
    return lessons(first)


def slides(path: Path, notebook: NotebookNode | None = None) -> list[Slide]:
    """All slides of one notebook."""
    found: list[Slide] = []
    section, number = "", 0
    for cell in (notebook or nbformat.read(path, 4)).cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        if kind == "skip":
            continue
        if kind == "slide" or not found:
            heading = cell.source.splitlines()[0] if cell.cell_type == "markdown" else ""
            if heading.startswith(("# ", "## ")):
                section, number = heading.lstrip("# "), 0
            number += 1
            name = section + (f" ({number})" if number > 1 else "")
            name = heading.lstrip("# ") if heading.startswith("###") else name
            found.append(Slide(path, name, []))
        found[-1].cells.append(cell)
    return found


def prepare(chapter: int | None, path: str) -> Path:
    """Copies of the notebooks for one talk: no outputs, and only this path's slides.

    They go to a dated folder, so what was changed during an earlier talk stays. Returns the one to
    begin with. Raises WorkbookError.
    """
    shown = on_path(chapter, path)
    for notebook in shown.values():
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
                cell.metadata["shipped"] = cell.source  # where a change on stage goes back to
    return write(shown, home() / "stage" / f"{datetime.now():%Y-%m-%d_%H.%M.%S}")


def handout(chapter: int | None, path: str) -> Path:
    """One notebook with all slides of a talk and the lessons' outputs, for the browser to print.

    Returns its place. Raises WorkbookError.
    """
    shown = on_path(chapter, path)
    first, *others = shown.values()
    for notebook in others:
        first.cells += notebook.cells
    for number, cell in enumerate(first.cells):
        cell.id = f"cell-{number}"  # chapters have some in common
    return write({"handout.ipynb": first}, home() / "stage" / "handout")


def on_path(chapter: int | None, path: str) -> dict[str, NotebookNode]:
    """The notebooks of a talk by name, with a title and a closing slide; other cells are skipped."""
    found: dict[str, NotebookNode] = {}
    about: list[tuple[str, str]] = []
    for file in notebooks(chapter):
        notebook = nbformat.read(file, 4)
        lesson = next(each for each in CHAPTERS.values() if each.lesson == file.name)
        on: list[str] = []
        left: list[str] = []  # what is said in place of the slides before, in the same section
        for slide in slides(file, notebook):
            head = slide.cells[0]
            left = [] if head.source.startswith(("# ", "## ")) else left
            if slide.is_on(path):
                more = {
                    "title": slide.title.replace("`", ""),
                    "chapter": lesson.title,
                    "left": " ".join(left),
                }
                head.metadata.setdefault("presenter", {}).update(more)
                on += [cell.id for cell in slide.cells]
                left = []
            elif said := re.search(r"\b[Ss]ay\b.*", slide.presenter.get("skip", "")):
                left.append(f"S{said[0][1:]}")
        for cell in notebook.cells:
            if cell.id not in on:
                cell.metadata["slideshow"] = {"slide_type": "skip"}
        if on:
            found[file.name] = notebook
            about.append((lesson.title, lesson.about))
    first, last = next(iter(found.values())), next(reversed(found.values()))
    first.cells.insert(0, plain_slide("Database migrations", f"{WITH}\n\n{PATHS[path]}"))
    lines = [f"- {title}: {words}" for title, words in about]
    if len(lines) > MOST:
        lines = ["; ".join(title for title, _ in about) + "."]
    last.cells.append(plain_slide("What you have seen", "\n".join(lines)))
    return found


def plain_slide(title: str, text: str) -> NotebookNode:
    """A slide that no lesson has; the clock does not count it."""
    presenter = {"title": title, "chapter": title, "minutes": 0, "say": ""}
    metadata = {"slideshow": {"slide_type": "slide"}, "presenter": presenter}
    return nbformat.v4.new_markdown_cell(f"# {title}\n\n{text}", metadata=metadata)


def write(shown: dict[str, NotebookNode], folder: Path) -> Path:
    """Save a talk's notebooks, each with the list of all its slides. Returns the first's place."""
    talk: list[dict[str, Any]] = []
    begins = 0.0  # minutes into the talk
    for name, notebook in shown.items():
        for slide in slides(folder / name, notebook):
            words = {key: slide.presenter[key] for key in ("chapter", "title")}
            talk.append({"file": name, "begins": begins, **words})
            begins += slide.minutes
    folder.mkdir(parents=True, exist_ok=True)
    for name, notebook in shown.items():
        notebook.metadata["presenter"] = {"talk": talk}
        nbformat.write(notebook, folder / name)
    return folder / next(iter(shown))


def resume(chapter: int | None) -> Path:
    """The notebook of the latest talk that was worked in last, or that of a chapter.

    Raises WorkbookError.
    """
    talks = sorted((home() / "stage").glob("2*"))
    wanted = notebooks(chapter)[0].name if chapter is not None else "*.ipynb"
    found = [*talks[-1].glob(wanted)] if talks else []
    if not found:
        raise WorkbookError("There is no talk to go on with: leave --resume out.")
    return max(found, key=lambda each: each.stat().st_mtime_ns)


def jupyter(first: Path, dark: bool) -> tuple[list[str], dict[str, str]]:
    """JupyterLab's arguments and environment for the stage.

    It has settings of its own, so that nothing that the presenter once changed is in the way.
    """
    settings = home() / "stage" / ".jupyter"
    (settings / "labconfig").mkdir(parents=True, exist_ok=True)
    theme = "JupyterLab Dark" if dark else "JupyterLab Light"
    overrides = {
        "@jupyterlab/apputils-extension:themes": {"theme": theme},
        "@jupyterlab/notebook-extension:tracker": {
            "windowingMode": "none",  # a slide needs its cells in the page
            "scrollPastEnd": False,
            "codeCellConfig": {"lineWrap": True},
        },
    }
    (settings / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(overrides))
    place = first.relative_to(home()).as_posix()
    arguments = [
        f"--ServerApp.root_dir={home()}",
        f"--LabApp.default_url=/lab/tree/{place}",
        f"--LabApp.extra_labextensions_path={ROOT / 'workbook' / 'jupyter' / 'stage'}",
    ]
    return arguments, {
        "WORKBOOK_STAGE": "1",  # a chapter's first cell begins it anew
        "JUPYTER_CONFIG_PATH": str(settings),
        "JUPYTERLAB_SETTINGS_DIR": str(settings / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings / "workspaces" / first.parent.name),
    }


def table(chapter: int | None, path: str) -> str:
    """The slides of a talk as a Markdown table, each with the minute at which it begins."""
    lines = ["| begins | chapter | slide |", "|---|---|---|"]
    begins = 0.0
    for file in notebooks(chapter):
        for slide in slides(file):
            if slide.is_on(path):
                lines.append(f"| {clock(begins)} | {file.name[:2]} | {slide.title} |")
                begins += slide.minutes
    return "\n".join([*lines, f"| {clock(begins)} | | the end |"])


def clock(minutes: float) -> str:
    """Minutes as m:ss."""
    return f"{int(minutes)}:{int(minutes % 1 * 60):02}"


def rehearse(chapter: int | None, path: str) -> int:
    """Run a talk's cells from start to end, on the server of the talk and a database of their own.

    Prints for each slide when it begins and the seconds that the machine needs, and what would go
    wrong: a cell that fails, that takes too long, or that shows something else than the lesson.
    Returns the number of those slides. Raises WorkbookError.
    """
    database.connect_environment()
    begins, spent, wrong = 0.0, 0.0, 0
    name = f"workbook_rehearsal_{os.getpid()}"  # nobody else's: it is dropped
    with tempfile.TemporaryDirectory() as folder, database.separate(name, Path(folder)):
        for file in notebooks(chapter):
            for at, (slide, took, faults) in enumerate(perform(file, path, Path(folder))):
                heading = "" if at else f"\n{file.stem}\n"
                print(f"{heading}{clock(begins):>6} {took:6.1f} s  {slide.title}")
                for fault in faults:
                    print(f"       WOULD FAIL  {fault}")
                begins, spent, wrong = begins + slide.minutes, spent + took, wrong + bool(faults)
    print(f"\n{clock(begins)} planned; the machine needs {spent:.0f} seconds of it.")
    print(f"{wrong} SLIDES WOULD FAIL ON STAGE." if wrong else "Nothing would fail.")
    return wrong


def perform(file: Path, path: str, folder: Path) -> Iterator[tuple[Slide, float, list[str]]]:
    """Run one notebook's slides on a path: each, the seconds that it took, what is wrong with it."""
    notebook = nbformat.read(file, 4)
    shown = [slide for slide in slides(file, notebook) if slide.is_on(path)]
    if not shown:
        return
    place = {"metadata": {"path": str(file.parent)}}
    client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=place)
    began = time.monotonic()
    with client.setup_kernel(stderr=subprocess.DEVNULL):
        for slide in shown:
            faults = [each for cell in slide.cells for each in run(client, cell, folder.resolve())]
            yield slide, time.monotonic() - began, faults
            began = time.monotonic()


def run(client: NotebookClient, cell: NotebookNode, folder: Path) -> list[str]:
    """Run one cell; what is wrong with it, in words."""
    if cell.cell_type != "code":
        return []
    expected = said(cell, folder)
    try:
        client.execute_cell(cell, client.nb.cells.index(cell))
    except DeadKernelError:
        return [f"{cell.id}: the kernel died"]
    except CellTimeoutError:
        return [f"{cell.id}: it takes more than {SECONDS} seconds"]
    except CellExecutionError as error:
        return [f"{cell.id}: {error.ename}: {error.evalue}"]
    got = said(cell, folder)
    if got == expected or cell.id == "start":  # it says what it found, which differs
        return []
    pairs = [*zip(expected, got, strict=False), (expected[len(got) :], got[len(expected) :])]
    before, after = next(pair for pair in pairs if pair[0] != pair[1])
    return [f"{cell.id}: the lesson shows {before!r}, now it is {after!r}"]


def said(cell: NotebookNode, folder: Path) -> list[str]:
    """The lines of a cell's outputs, without what differs from one run to the next."""
    texts = []
    for output in merge_streams(cell.outputs):
        data = output.get("data", {})
        if "application/vnd.vegalite.v5+json" in data:  # what is saved is what came before it
            data = {"text/plain": WORDS}
        texts += [output.get("text", ""), data.get("text/plain", ""), output.get("evalue", "")]
    text = plain("\n".join(filter(None, texts)), folder)
    rules = Path(__file__).with_name("sanitize.cfg").read_text(encoding="utf-8")
    for found in re.finditer(r"^regex: (.*)\nreplace: (.*)$", rules, re.MULTILINE):
        text = re.sub(found[1], found[2], text)
    return text.splitlines()
