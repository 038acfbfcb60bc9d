"""Lessons and guides as pages to read: Sphinx makes them, MyST-NB reads notebooks, Furo is the look.

They ask nothing of any other host, and search works in the tab. Mermaid's diagrams are drawn here,
by Mermaid itself in an engine without a browser.
"""

import html
import io
import itertools
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mermaidx
import nbformat
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_for_filename, get_lexer_by_name
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from workbook import ROOT, WorkbookError
from workbook.author import lite
from workbook.contents import CHAPTERS, Chapter

HERE = Path(__file__).parent / "sphinx"  # the settings, style and script
PARTS = {"Part I": range(6), "Part II": range(6, 10), "Part III": range(10, 15)}
BESIDE = {
    "To look up": {
        "docs/cheatsheet": "Checklist and cheat sheet",
        "docs/mistakes": "Mistakes and what they say",
        "docs/review": "The review of a migration",
    },
    "Guides": {
        "docs/presenting": "Presenting",
        "docs/teaching": "Teaching",
        "CONTRIBUTING": "Contributing",
    },
}
SHOWN = {".ipynb", ".md", ".png"}  # what a link leads to here
FOLDED = {"code_prompt_show": "Show what it says", "code_prompt_hide": "Hide what it says"}
LEAST = 560  # pixels: a wider picture is not drawn narrower, it scrolls


def build(folder: Path) -> None:
    """Write all pages into a folder. Raises WorkbookError with what Sphinx has to object."""
    with tempfile.TemporaryDirectory() as place, patch_docutils(), docutils_namespace():
        source, made, trees = (Path(place, name) for name in ("source", "made", "trees"))
        lay(source)
        said = io.StringIO()
        Sphinx(source, HERE, made, trees, "html", status=None, warning=said).build()
        if said.getvalue():
            raise WorkbookError(said.getvalue().strip())
        shutil.copytree(
            made, folder, ignore=shutil.ignore_patterns(".*", "_sources"), dirs_exist_ok=True
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx asks of an extension."""
    app.add_lexer("workbook", CellLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class CellLexer(Lexer):
    """A cell as its first line has it: SQL, a file of some kind, or Python."""

    name = "A cell"

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        for part in re.finditer(r"(?:\A|^%%).+?(?=^%%|\Z)", text, re.MULTILINE | re.DOTALL):
            magic = re.match(r"%%(sql|write\w+)\b *(.*)\n", part[0])
            lines = [(0, "ipython3", magic[0] if magic else part[0])]
            if magic:
                lines.append((magic.end(), language(*magic.groups()), part[0][magic.end() :]))
            for start, name, code in lines:
                for at, kind, value in get_lexer_by_name(name).get_tokens_unprocessed(code):
                    yield part.start() + start + at, kind, value


def language(magic: str, rest: str) -> str:
    """What stands below a cell magic, as Pygments names it."""
    if magic == "sql":
        return "postgresql"
    found = find_lexer_class_for_filename(rest.strip())
    kind = found.aliases[0] if found else "python"
    return "ipython3" if kind == "python" else kind  # which knows what begins with ! as well


def lay(folder: Path) -> None:
    """Lay out what Sphinx reads as it is in the repository, so that links lead where they led."""
    for name in ("docs", "notebooks"):
        (folder / name).mkdir(parents=True)
    for path in (ROOT / "docs").glob("*.png"):
        shutil.copy(path, folder / "docs")
    for name in itertools.chain(*BESIDE.values()):
        (folder / f"{name}.md").write_text(guide(f"{name}.md"), encoding="utf-8")
    (folder / "index.md").write_text(front(), encoding="utf-8")
    for chapter in CHAPTERS.values():
        lesson = nbformat.read(ROOT / "notebooks" / chapter.lesson, as_version=4)
        nbformat.write(page(lesson, chapter), folder / "notebooks" / chapter.lesson)


def guide(name: str) -> str:
    """A guide's text, where a link to a file that is no page is the file's name."""

    def keep(link: re.Match[str]) -> str:
        there = (ROOT / name).parent / link[2]
        return link[1] if there.is_file() and there.suffix not in SHOWN else link[0]

    return re.sub(r"\[([^]]+)\]\(([^):]+)\)", keep, (ROOT / name).read_text(encoding="utf-8"))


def front() -> str:
    """README, and below it the tree that the side of each page shows."""
    parts = {
        part: {
            f"notebooks/{Path(CHAPTERS[number].lesson).stem}": f"{number}. {CHAPTERS[number].title}"
            for number in numbers
        }
        for part, numbers in PARTS.items()
    }
    return "\n\n".join([guide("README.md"), *itertools.starmap(tree, (parts | BESIDE).items())])


def tree(caption: str, pages: dict[str, str]) -> str:
    """A toctree of Sphinx."""
    entries = [f"{title} <{name}>" for name, title in pages.items()]
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```"])


def page(lesson: nbformat.NotebookNode, chapter: Chapter) -> nbformat.NotebookNode:
    """A lesson as its page shows it: a way to run it, drawings, and what was to be guessed folded."""
    lesson.metadata.language_info["pygments_lexer"] = "workbook"
    cells = lesson.cells
    for before, cell in itertools.pairwise(cells):
        if before.id.endswith("-guess"):
            cell.metadata |= {"tags": ["hide-output"], "mystnb": FOLDED}
    for number, output in enumerate(each for cell in cells for each in cell.get("outputs", [])):
        show(output.get("data", {}), f"diagram-{number}")
    cells.insert(1, nbformat.v4.new_markdown_cell(run(chapter)))
    return lesson


def show(data: dict[str, str], name: str) -> None:
    """Make an output one that a page can show; `name` is for the ids in a diagram."""
    if source := data.pop("text/vnd.mermaid", None):
        data["text/html"] = mermaidx.render(source).svg().replace("my-svg", name)
    if card := data.get("text/markdown"):
        data["text/markdown"] = card.replace("```python\n", "```workbook\n")
    if found := re.match(r'<svg [^>]*\bviewBox="0 0 ([\d.]+)', data.get("text/html", "")):
        least = f"--least: {min(float(found[1]), LEAST)}px"
        data["text/html"] = f'<figure class="picture" style="{least}">{data["text/html"]}</figure>'


def run(chapter: Chapter) -> str:
    """How this lesson is run, in HTML; chapters that run in a tab say what is different there."""
    if chapter.in_tab:
        there = f"../{lite.link(chapter.lesson)}"
        words = f'<a class="open" href="{there}">Open and run</a> in this browser, with nothing to'
        words += f" install. {html.escape(chapter.in_tab)}"
    else:
        words = "This page is for reading. To run the lesson on your machine,"
        words += ' <a href="../index.html#start">set the workbook up</a> and open'
        words += f" <code>{chapter.lesson}</code>."
    return f'<p class="run">{words}</p>'
