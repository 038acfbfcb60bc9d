"""The notebooks are clean, portable and in style, and strict nbval goes red when they break.

nbval passes silently over some things: a cell that was never executed, a failure that was recorded
as it is, a tag without its error. What it cannot see, the rules below do.
"""
# mypy: disable-error-code="no-untyped-call, no-any-return"
# (nbformat has no type hints)

import ast
import copy
import functools
import getpass
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbval.plugin import comment_markers, get_sanitize_patterns

from workbook import ROOT, contents, project
from workbook.author import notebooks

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TAGS = {"raises-exception", "shows-error", "exercise"}
FAILURES = re.compile(r"FAILED:|\(psycopg2\.errors\.|Traceback")
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


@functools.cache
def lessons() -> str:
    """What the notebooks' authors have written, without the outputs."""
    return "\n".join(cell.source for path in NOTEBOOKS for cell in read(path).cells)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook: NotebookNode) -> str:
    """All of a notebook's text, without what stands in fenced code."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def shown(cell: NotebookNode) -> str:
    """Everything that a cell's outputs say."""
    said = []
    for output in cell.outputs:
        said += [output.get("text", ""), output.get("evalue", "")]
        said += [str(value) for value in output.get("data", {}).values()]
        said += output.get("traceback", [])
    return "\n".join(said)


def python(source: str) -> ast.Module:
    """A cell as Python sees it: `!x` and `%x` have become calls of get_ipython()."""
    return ast.parse(TransformerManager().transform_cell(source))


def magics(tree: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """What a cell asks of IPython: `run_line_magic`, `run_cell_magic`, `system`, `getoutput`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and "get_ipython" in ast.unparse(node.func.value)
        ):
            yield node.func.attr, [str(getattr(each, "value", "?")) for each in node.args]


# ---- hygiene: what a notebook file must be ------------------------------------------------------


def due(source: str) -> bool:
    """Whether a cell has something to show: it prints, asks, writes, or ends with an expression."""
    tree = python(source)
    for kind, arguments in magics(tree):
        if kind in ("run_cell_magic", "system"):
            return True
        if kind == "run_line_magic" and arguments[0] == "sql" and "://" not in arguments[1]:
            return True
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        return any(ast.unparse(line).startswith("print(") for line in tree.body)
    return "get_ipython()" not in ast.unparse(tree.body[-1])


def untidy(notebook: NotebookNode, chapter: int) -> list[str]:
    """Each breach of the rules for a notebook's file, in words: where and what."""
    cells = code_cells(notebook)
    found = [] if cells else ["no code cell: nbval would collect nothing"]
    for number, cell in enumerate(cells, 1):
        found += [f"{cell.id}: {each}" for each in untidy_cell(cell, number)]
    for cell in notebook.cells:
        if extra := set(cell.metadata) - set(notebooks.METADATA):
            found.append(f"{cell.id}: metadata {sorted(extra)}")
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id) or re.fullmatch(
            r"[0-9a-f]{8}(-[0-9a-f-]+)?", cell.id
        ):
            found.append(f"{cell.id}: an id that nobody has chosen")
    ids = [cell.id for cell in notebook.cells]
    found += [f"{each}: the id is there twice" for each in set(ids) if ids.count(each) > 1]
    kernel = {"kernelspec": notebooks.KERNEL, "language_info": {"name": "python"}}
    if notebook.metadata != kernel or notebooks.KERNEL["name"] != "python3":
        found.append(f"the notebook's metadata are not {kernel}")
    first = cells[0].source if cells else ""
    if not re.fullmatch(
        rf"from workbook import (\w+, )*start(, \w+)*\n\nstart\({chapter}\)", first
    ):
        found.append(f"the first code cell does not import start and call start({chapter})")
    return found


def untidy_cell(cell: NotebookNode, number: int) -> Iterator[str]:
    text = shown(cell)
    raised = any(output.output_type == "error" for output in cell.outputs)
    counts = {each.execution_count for each in cell.outputs if "execution_count" in each}
    if cell.execution_count != number or counts - {number}:
        yield f"execution count {cell.execution_count}, not {number}"
    if due(cell.source) and not cell.outputs:
        yield "no output"
    if tags(cell) - TAGS:
        yield f"tags {sorted(tags(cell) - TAGS)}"
    if marker := set(comment_markers) & {line.strip("# ") for line in cell.source.splitlines()}:
        yield f"the comment {marker} switches nbval's comparison off"
    if raised != ("raises-exception" in tags(cell)):
        yield "raised and is not tagged raises-exception" if raised else "raised nothing"
    if FAILURES.search(text) and not tags(cell) & {"raises-exception", "shows-error"}:
        yield f"shows {FAILURES.findall(text)[0]} and is not tagged shows-error"
    if "shows-error" in tags(cell) and not FAILURES.search(text):
        yield "is tagged shows-error and shows none"
    yield from (f"{what} in the output" for what in telltales(text))


def telltales(text: str) -> Iterator[str]:
    """What gives away the machine, or the user, that a notebook was executed on."""
    for path in re.findall(r"(?<![\w.<:/&-])(?:/\w[\w.+-]*){2,}|\b[A-Z]:\\\w+", text):
        yield f"the path {path}"
    if re.search(r"~[\\/]|\\Users\\|ipykernel_\d", text):
        yield "a path"
    for user, password in re.findall(r"://([^\s:/@]+)(?::([^\s@/]*))?@", text):
        if f"{user}:" not in lessons():  # the lessons' own examples may be shown
            yield f"an address with user and password ({user}, {'*' * len(password)})"
    for name in {"learner", os.environ.get("PGUSER", ""), getpass.getuser()} - {""}:
        word = rf"\b{re.escape(name)}\b"
        if re.search(word, text) and not re.search(word, lessons()):
            yield f"the user's name, {name},"


def as_cleaned(notebook: NotebookNode) -> str:
    notebooks.clean(notebook)
    return nbformat.writes(notebook) + "\n"


@every_notebook
def test_notebook_is_tidy(path: Path) -> None:
    assert untidy(read(path), int(path.name[:2])) == []


@every_notebook
def test_notebook_is_as_refresh_writes_it(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == as_cleaned(read(path))


def test_each_chapter_has_one_notebook() -> None:
    assert [int(path.name[:2]) for path in NOTEBOOKS] == sorted(contents.CHAPTERS)


def tidy_notebook() -> NotebookNode:
    """The smallest that breaks no rule."""
    cells = [
        nbformat.v4.new_markdown_cell("# Title", id="title"),
        nbformat.v4.new_code_cell(
            "from workbook import start\n\nstart(7)",
            id="start",
            execution_count=1,
            outputs=[nbformat.v4.new_output("stream", text="Chapter 7 starts.\n")],
        ),
        nbformat.v4.new_code_cell(
            "1 / 0",
            id="fails",
            execution_count=2,
            metadata={"tags": ["raises-exception"]},
            outputs=[
                nbformat.v4.new_output(
                    "error",
                    ename="ZeroDivisionError",
                    evalue="division by zero",
                    traceback=["ZeroDivisionError: division by zero"],
                )
            ],
        ),
        nbformat.v4.new_code_cell(
            "%sql SELECT 1 / 0",
            id="shows",
            execution_count=3,
            metadata={"tags": ["shows-error"]},
            outputs=[
                nbformat.v4.new_output("stream", text="(psycopg2.errors.DivisionByZero) by zero\n")
            ],
        ),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebooks.clean(notebook)
    return notebook


def say(text: str, cell: int = 1) -> Callable[[NotebookNode], None]:
    return lambda notebook: notebook.cells[cell].outputs[0].update(text=text)


def tag(cell: int, *names: str) -> Callable[[NotebookNode], None]:
    return lambda notebook: notebook.cells[cell].metadata.update(tags=list(names))


def put(cell: int, **values: object) -> Callable[[NotebookNode], None]:
    return lambda notebook: notebook.cells[cell].update(values)


ADA = "/home/ada"

UNTIDY: list[tuple[str, Callable[[NotebookNode], None], str]] = [
    ("never executed", put(1, execution_count=None, outputs=[]), "execution count None, not 1"),
    ("stripped outputs", put(1, outputs=[]), "no output"),
    ("executed in another order", put(2, execution_count=9), "execution count 9, not 2"),
    ("no code", lambda notebook: notebook.update(cells=notebook.cells[:1]), "no code cell"),
    ("unknown tag", tag(1, "nbval-ignore-output"), "nbval-ignore-output"),
    ("skipped", tag(2, "raises-exception", "nbval-skip"), "nbval-skip"),
    ("comment", put(1, source="# NBVAL_IGNORE_OUTPUT\nstart(7)"), "switches nbval's comparison"),
    ("error without tag", tag(2), "raised and is not tagged"),
    ("tag without error", put(2, outputs=[]), "raised nothing"),
    ("command failed", say("  FAILED: no such revision\n"), "shows FAILED:"),
    ("SQL failed", tag(3), "shows (psycopg2.errors."),
    ("traceback", say("Traceback (most recent call last)\n"), "shows Traceback"),
    ("tag without failure", say("1 rows affected.\n", cell=3), "shows none"),
    ("timing", lambda n: n.cells[1].metadata.update(execution={"a": 1}), "metadata ['execution']"),
    ("collapsed", lambda n: n.cells[0].metadata.update(collapsed=True), "metadata ['collapsed']"),
    ("random id", put(0, id="3f9a01bc"), "nobody has chosen"),
    ("id twice", put(0, id="start"), "twice"),
    ("kernel", lambda n: n.metadata.kernelspec.update(name="venv"), "metadata are not"),
    ("version", lambda n: n.metadata.language_info.update(version="3.11"), "metadata are not"),
    ("other chapter", put(1, source="from workbook import start\n\nstart(6)"), "start(7)"),
    ("no import", put(1, source="start(7)"), "start(7)"),
    ("path", say(f"Writing {ADA}/workspace/x.py\n"), f"the path {ADA}"),
    ("Windows path", say("Writing C:\\Users\\ada\n"), "the path C:\\Users"),
    ("address", say("postgresql+psycopg2://bob:secret@host/db\n"), "an address"),
    ("role", say("connected as learner\n"), "the user's name"),
]


def test_tidy_notebook_is_tidy() -> None:
    assert untidy(tidy_notebook(), 7) == []


@pytest.mark.parametrize(
    ("breach", "words"), [each[1:] for each in UNTIDY], ids=[u[0] for u in UNTIDY]
)
def test_untidy_notebook_is_seen(breach: Callable[[NotebookNode], None], words: str) -> None:
    notebook = tidy_notebook()
    breach(notebook)
    found = untidy(notebook, 7)
    assert any(words in each for each in found), found


# ---- portable cells -----------------------------------------------------------------------------

CELL_MAGICS = {"sql", "writefile", "writerevision"}
NOT_PORTABLE = {
    "subprocess",
    "pty",
    "fcntl",
    "pwd",
    "grp",
    "resource",
    "termios",
    "posix",
    "ctypes",
}
NOT_PORTABLE_CALL = (
    r"\b(os|posix)\.(system|popen|exec\w+|spawn\w+|fork\w*|kill\w*|ch(own|root|mod))\b"
)


def unportable(source: str) -> list[str]:
    """What a cell does besides Python, SQL, writing a file or a revision, and calling alembic."""
    found = []
    tree = python(source)
    for kind, (name, *rest) in magics(tree):
        if kind in ("system", "getoutput"):
            if not re.fullmatch(r"alembic( [^;|&<>$`~]+)?", name):
                found.append(f"the shell command {name!r}")
        elif kind == "run_cell_magic" and name in CELL_MAGICS:
            if name == "writefile" and rest[1] and rest[0].endswith(".py"):
                found += unportable(rest[1])
            if name != "sql" and re.search(r"^/|\\|~|\.\.|:", rest[0]):
                found.append(f"the path {rest[0]}")
        elif kind != "run_line_magic" or not (
            name == "sql"
            or (name == "load_ext" and rest == ["sql"])
            or (name == "config" and rest[0].startswith("SqlMagic."))
            or (name == "xmode" and rest == ["Minimal"])
        ):
            found.append(f"{kind} {name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            names = {each.partition(".")[0] for each in modules}
            found += [f"the module {each}" for each in sorted(names & NOT_PORTABLE)]
            if getattr(node, "module", "") == "os":
                found += [
                    f"the call {call[0]}"
                    for each in node.names
                    if (call := re.match(NOT_PORTABLE_CALL, f"os.{each.name}"))
                ]
        elif isinstance(node, ast.Attribute):
            if call := re.match(NOT_PORTABLE_CALL, ast.unparse(node)):
                found.append(f"the call {call[0]}")
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (re.match(r"(/\w|~|[A-Za-z]:[\\/])\S*$", node.value) or node.value in NOT_PORTABLE)
        ):
            found.append(f"the text {node.value!r}")
    return found


@every_notebook
def test_cells_are_portable(path: Path) -> None:
    cells = code_cells(read(path))
    assert {cell.id: each for cell in cells if (each := unportable(cell.source))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "# your command",
        "%load_ext sql\n%config SqlMagic.displaycon = False\n%sql postgresql+psycopg2://",
        "%%sql\nSELECT '/tmp/x' || $$;$$",
        "%%writefile jobboard/models.py\nimport sqlalchemy",
        "%%writerevision alembic/versions/*_init.py\ndef upgrade() -> None:\n    pass",
        '!alembic revision -m "init"',
        "!alembic downgrade {remote}-1",
        "printed = !alembic upgrade head\nresult = %sql SELECT 1",
        "for each in names:\n    !alembic upgrade {each}",
        "import os\nos.environ.get('HOME')",
    ],
)
def test_portable_cell_passes(source: str) -> None:
    assert unportable(source) == []


@pytest.mark.parametrize(
    "source",
    [
        "!ls",
        "!!alembic current; ls",
        "!alembic history | head -1",
        "!alembic current > out.txt",
        "!alembic -c ~/alembic.ini current",
        "!PGUSER=x alembic current",
        "!./alembic current",
        "files = !ls",
        "if True:\n    !rm -r workspace",
        "%%bash\nls",
        "%%sh\nls",
        "%%script python\n1",
        "%%capture\n!alembic current",
        "%cd workspace",
        "%env PGUSER=ada",
        "%config InlineBackend.figure_format = 'svg'",
        "%load_ext autoreload",
        "%pip install alembic",
        "alembic?",
        "%%writefile /etc/motd\nx",
        "%%writefile ../jobboard/models.py\nx",
        "%%writefile C:\\x.py\nx = 1",
        "%%writefile run.py\nimport subprocess",
        "import subprocess",
        "from subprocess import run",
        "import os\nos.system('ls')",
        "import os\nos.popen('ls')",
        "from os import system",
        "__import__('subprocess')",
        "get_ipython().system('ls')",
        "import fcntl",
        "open('/tmp/x')",
        "open('~/x')",
        "open('C:/x')",
    ],
)
def test_unportable_cell_is_seen(source: str) -> None:
    assert unportable(source)


# ---- style --------------------------------------------------------------------------------------


def paragraphs(text: str) -> Iterator[str]:
    """Paragraphs and list items as they are read: no tables, no tags, links without addresses."""
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text):
        lines = [line for line in block.splitlines() if not re.match(r"\s*[|<#]", line)]
        yield re.sub(r"\]\([^)]*\)", "]", " ".join(lines))


def unstylish(notebook: NotebookNode, folder: Path) -> list[str]:
    """Each breach of the style rules that a machine can see."""
    text = markdown(notebook)
    found = []
    if (boxes := len(re.findall(r'class="alert', text))) > 3:
        found.append(f"{boxes} boxes: at most three")
    plain = re.sub(r"`[^`]*`|\"[^\"]*\"", "", text)
    fillers = re.findall(
        r"\b(?:simply|just|obviously|of\s+course|eas(?:y|ily))\b", plain, re.IGNORECASE
    )
    found += [f"the word {word!r}" for word in fillers]
    found += [
        f"{len(each)} characters in one paragraph: {each[:60]}..."
        for each in paragraphs(text)
        if len(each) > 500
    ]
    for target in re.findall(r"\]\(([^)\s]+)\)|href=\"([^\"]+)\"", text):
        link = "".join(target).partition("#")[0]
        if link and not re.match(r"https?://", link) and not (folder / link).exists():
            found.append(f"a link to {link}, which is not there")
    return found


def minutes(notebook: NotebookNode) -> list[str]:
    """Where the table of minutes, the sections and the total do not agree."""
    text = markdown(notebook)
    row = r"^\| *(.+?) *\| *(\d+) *\| *(core|optional) *\|$"
    table = re.findall(row, text, re.MULTILINE)
    if not table:
        return ["no table of minutes"]
    found = []
    sections = []
    for heading, after in re.findall(r"^## +(.+)\n+(.*)", text, re.MULTILINE):
        if heading == "What you have now":
            continue
        if line := re.fullmatch(r"\*(core|optional), (\d+) minutes?\*", after):
            sections.append((heading, line[2], line[1]))
        else:
            found.append(f"no minutes below the heading {heading!r}")
    found += [
        f"in the table only, or different there: {each}" for each in table if each not in sections
    ]
    found += [f"not so in the table: {each}" for each in sections if each not in table]
    total = sum(int(each[1]) for each in table)
    if f"**Time:** {total} minutes" not in text:
        told = re.findall(r"\*\*Time:\*\* \d+", text)
        found.append(f"{told} minutes are told, the sections have {total}")
    return found


@every_notebook
def test_style(path: Path) -> None:
    assert unstylish(read(path), path.parent) == []


@pytest.mark.parametrize("path", NOTEBOOKS[1:], ids=lambda path: path.stem)
def test_minutes_add_up(path: Path) -> None:
    assert minutes(read(path)) == []


def with_text(text: str) -> NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<div class="alert alert-info">\n' * 4, "4 boxes"),
        ("You just run it.", "'just'"),
        ("Of\ncourse it runs.", "course"),
        ("It is easy.", "'easy'"),
        ("word " * 101, "in one paragraph"),
        ("- short\n- " + "word " * 101, "in one paragraph"),
        ("[next](99_none.ipynb)", "99_none.ipynb"),
    ],
)
def test_bad_style_is_seen(text: str, words: str) -> None:
    assert any(words in each for each in unstylish(with_text(text), ROOT / "notebooks"))


MINUTES = """# Title
**Time:** 5 minutes.

| section | minutes | |
|---|---|---|
| One | 2 | core |
| Two | 3 | optional |

## One

*core, 2 minutes*

## Two

*optional, 3 minutes*

## What you have now
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("", "", None),
        ("Time:** 5", "Time:** 6", "the sections have 5"),
        ("*core, 2", "*core, 4", "not so in the table: ('One', '4', 'core')"),
        ("*optional, 3 minutes*", "Text.", "no minutes below"),
        ("| Two | 3 | optional |\n", "", "not so in the table"),
        ("## Two", "## Three", "in the table only"),
        ("| One |", "One", "in the table only"),
    ],
)
def test_minutes_are_compared(old: str, new: str, words: str | None) -> None:
    found = minutes(with_text(MINUTES.replace(old, new) if old else MINUTES))
    if words is None:
        assert found == []
    elif "| One" not in old:
        assert any(words in each for each in found), found
    else:
        assert found


# ---- the lessons and the files they speak of ----------------------------------------------------


def written(path: Path, magic: str) -> dict[str, str]:
    """What a notebook's cells write: the magic's argument and the cell's body, the last one wins."""
    found = {}
    for cell in code_cells(read(path)):
        head, _, body = cell.source.partition("\n")
        if head.startswith(f"%%{magic} "):
            found[head.partition(" ")[2]] = body
    return found


@pytest.mark.parametrize("name", ["database.py", "models.py"])
def test_chapter_2_starts_with_what_chapter_1_writes(name: str) -> None:
    lesson = written(ROOT / "notebooks" / "01_models.ipynb", "writefile")[f"jobboard/{name}"]
    assert lesson.rstrip("\n") == (project.MODELS / "jobboard" / name).read_text("utf-8").rstrip(
        "\n"
    )


def functions(text: str) -> dict[str, str]:
    """Top-level functions by name, as Python reads them, without docstrings and comments."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:]
            found[node.name] = ast.dump(node)
    return found


def test_finished_init_is_the_one_that_chapter_2_writes() -> None:
    [revision] = (ROOT / "alembic" / "versions").glob("*_init.py")
    cells = written(ROOT / "notebooks" / "02_init_revision.ipynb", "writerevision")
    [lesson] = [functions(body) for body in cells.values()]
    assert lesson.keys() == {"upgrade", "downgrade"}
    assert lesson == functions(revision.read_text("utf-8"))
    assert project.INIT in revision.name


# ---- the suite's own teeth ----------------------------------------------------------------------


def taken(notebook: str, *ids: str) -> list[NotebookNode]:
    """Cells of a real notebook, with the outputs that they are committed with."""
    cells = {cell.id: cell for cell in read(ROOT / "notebooks" / f"{notebook}.ipynb").cells}
    return [copy.deepcopy(cells[each]) for each in ids]


def changed(cell: NotebookNode, source: str = "", **output: object) -> NotebookNode:
    """A copy of a cell with another source, or with another last output."""
    broken = copy.deepcopy(cell)
    broken.source = source or cell.source
    broken.outputs[-1].update(output)
    return broken


def broken_copy() -> list[tuple[NotebookNode, str]]:
    """Cells of real notebooks as they are, each followed by copies of it that are broken.

    Beside each cell stands what nbval has to say to it, "" where it has to pass.
    """
    start, connect, version = taken("00_start_here", "start", "connect", "version")
    define, fails = taken("01_models", "half-define", "half-fails")
    start_2, init = taken("02_init_revision", "start", "init-run")
    result = version.outputs[-1].data
    html = result | {"text/html": result["text/html"].replace("True", "Maybe")}
    text = {"text/plain": define.outputs[0].data["text/plain"].replace("jobs", "job")}
    untagged = changed(fails)
    untagged.metadata = {}
    return [
        (start, ""),
        (connect, ""),
        (version, ""),
        (changed(version, data=html), "mismatch 'text/html'"),
        (define, ""),
        (changed(define, data=text), "mismatch 'text/plain'"),
        (fails, ""),
        (changed(fails, source="HalfCompany"), "Missing output fields"),
        (changed(fails, ename="KeyError"), "mismatch 'ename'"),
        (changed(fails, evalue="Something else."), "mismatch 'evalue'"),
        (untagged, "caused an exception"),
        (start_2, ""),
        (init, ""),
        (copy.deepcopy(init), "mismatch 'stdout'"),  # the second one fails: recorded as success
    ]


def test_broken_cells_go_red_and_the_others_stay_green(
    tmp_path: Path, server: dict[str, str]
) -> None:
    cells = broken_copy()
    for number, (cell, _) in enumerate(cells):
        cell.id = f"cell-{number}"
    nbformat.write(
        nbformat.v4.new_notebook(cells=[each[0] for each in cells]), tmp_path / "c.ipynb"
    )
    report = tmp_path / "report.xml"
    options = ["-c", "pyproject.toml", "--rootdir=.", "-n0", "--color=no"]
    options += ["-p", "nbval.plugin", "-p", "xdist.plugin", "-p", "conftest"]
    options += [f"--basetemp={tmp_path / 'base'}", f"--junit-xml={report}", str(tmp_path)]
    environment = {key: each for key, each in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    cases = ElementTree.parse(report).iter("testcase")
    said = ["".join(each.text or "no word" for each in case) for case in cases]
    assert len(said) == len(cells)
    for (cell, reason), failure in zip(cells, said, strict=True):
        assert reason in failure, cell.source
        assert bool(reason) == bool(failure), failure


def unexecuted(cell: NotebookNode) -> None:
    cell.update(execution_count=None, outputs=[])


def recorded_failure(cell: NotebookNode) -> None:
    cell.outputs[0].text = "  FAILED: Directory alembic already exists and is not empty\n"


def never_raises(cell: NotebookNode) -> None:
    cell.update(source="HalfCompany", outputs=[])


def ignores_output(cell: NotebookNode) -> None:
    cell.metadata["tags"] = ["nbval-ignore-output"]


@pytest.mark.parametrize(
    ("notebook", "cell", "breach", "words"),
    [
        ("03_upgrade", "upgrade-run", unexecuted, "execution count None"),
        ("02_init_revision", "init-run", recorded_failure, "not tagged shows-error"),
        ("01_models", "half-fails", never_raises, "raised nothing"),
        ("00_start_here", "version", ignores_output, "nbval-ignore-output"),
    ],
)
def test_what_nbval_passes_over_is_seen(
    notebook: str, cell: str, breach: Callable[[NotebookNode], None], words: str
) -> None:
    path = ROOT / "notebooks" / f"{notebook}.ipynb"
    broken = read(path)
    breach(next(each for each in broken.cells if each.id == cell))
    new = set(untidy(broken, int(notebook[:2]))) - set(untidy(read(path), int(notebook[:2])))
    assert any(each.startswith(f"{cell}: ") and words in each for each in new), new


def test_nbval_is_strict(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getoption("nbval")
    assert not pytestconfig.getoption("nbval_lax")
    assert pytestconfig.getoption("nbval_cell_timeout") <= 120


def test_no_line_of_the_sanitizer_is_dropped(pytestconfig: pytest.Config) -> None:
    text = (ROOT / pytestconfig.getoption("nbval_sanitize_with")).read_text("utf-8")
    patterns = get_sanitize_patterns(text)
    assert len(patterns) == text.count("regex:") == text.count("replace:") > 0
    assert len(patterns) < 8  # kept short


@pytest.mark.parametrize(
    ("recorded", "now"),
    [
        ("Running upgrade  -> 1f3a9c5e7b20, init", "Running upgrade  -> 1f3a9c5e7b20, jobs"),
        ("1f3a9c5e7b20 (head)", "1f3a9c5e7b20"),
        ("<base> -> 1f3a9c5e7b20 (head), init", "74938a4b176d -> 1f3a9c5e7b20 (head), init"),
        ("  Generating a/b.py ...  done\n", "  Generating a/b.py ...  FAILED\n"),
        (
            "  Generating a.py ...  done\n  Generating b.py ...  done\n",
            "  Generating a.py ...  FAILED\n  Generating b.py ...  done\n",
        ),
        ("nextval('jobs_id_seq'::regclass)", "nextval('job_id_seq'::regclass)"),
        ("added 20261231 rows", "added 20261230 rows"),
    ],
)
def test_sanitizer_hides_no_real_difference(
    recorded: str, now: str, pytestconfig: pytest.Config
) -> None:
    text = (ROOT / pytestconfig.getoption("nbval_sanitize_with")).read_text("utf-8")
    for regex, replacement in get_sanitize_patterns(text):
        recorded = re.sub(regex, replacement, recorded)
        now = re.sub(regex, replacement, now)
    assert recorded != now
