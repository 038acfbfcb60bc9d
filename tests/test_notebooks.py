"""The notebooks are clean, portable and in style, and strict nbval goes red when they break.

nbval passes silently over some things: a cell that was never executed, a failure that was recorded
as it is, a tag without its error. What it cannot see, the rules below do.
"""
# mypy: disable-error-code="no-untyped-call, no-any-return"
# (nbformat has no type hints)

import ast
import copy
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbformat import NotebookNode, v4
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel
from nbval.plugin import comment_markers, get_sanitize_patterns

from workbook import ROOT, contents, project
from workbook.author import notebooks
from workbook.author.notebooks import LESSONS
from workbook.contents import CHAPTERS, Chapter
from workbook.launch import lab

NOTEBOOKS = notebooks.lessons()
TAGS = {"raises-exception", "shows-error", "exercise"}
FAILURES = re.compile(r"FAILED:|\(psycopg2\.errors\.|Traceback")
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


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


def untidy(notebook: NotebookNode, chapter: int) -> list[str]:
    """Each breach of the rules for a notebook's file, in words: where and what."""
    cells = code_cells(notebook)
    found = [] if cells else ["no code cell: nbval would collect nothing"]
    for number, cell in enumerate(cells, 1):
        found += [f"{cell.id}: {each}" for each in untidy_cell(cell, number)]
    if nbformat.writes(notebook) + "\n" != as_cleaned(copy.deepcopy(notebook)):
        found.append("not as `refresh` writes it")
    for cell in notebook.cells:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id) or re.fullmatch(
            r"[0-9a-f]{8}(-[0-9a-f-]+)?", cell.id
        ):
            found.append(f"{cell.id}: an id that nobody has chosen")
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
    # Most of what a machine gives away differs on the next, where nbval says so; not all of this.
    for path in re.findall(r"(?<![\w.<:/&-])(?:/\w[\w.+-]*){2,}|\b[A-Z]:\\\w+", text):
        yield f"the path {path}"


def as_cleaned(notebook: NotebookNode) -> str:
    notebooks.clean(notebook)
    return nbformat.writes(notebook) + "\n"


@every_notebook
def test_notebook_is_tidy(path: Path) -> None:
    assert untidy(read(path), int(path.name[:2])) == []
    assert path.read_text(encoding="utf-8") == as_cleaned(read(path))


# The smallest notebook that breaks no rule: each cell with what it shows, and its tags.
def shows(text: str) -> NotebookNode:
    return v4.new_output("stream", text=text)


def fails(name: str, value: str) -> NotebookNode:
    return v4.new_output("error", ename=name, evalue=value, traceback=[f"{name}: {value}"])


TIDY = [
    ("from workbook import start\n\nstart(7)", shows("Chapter 7 starts.\n"), []),
    ("1 / 0", fails("ZeroDivisionError", "division by zero"), ["raises-exception"]),
    ("%sql SELECT 1 / 0", shows("(psycopg2.errors.DivisionByZero) by zero\n"), ["shows-error"]),
]


def executed(cells: Sequence[tuple[str, NotebookNode | None, list[str]]]) -> NotebookNode:
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Title", id="title")])
    for count, (source, output, tags) in enumerate(cells, 1):
        cell = v4.new_code_cell(source, id=f"cell-{count}", execution_count=count)
        cell.update(
            outputs=[*filter(None, [copy.deepcopy(output)])],
            metadata={"tags": tags} if tags else {},
        )
        notebook.cells.append(cell)
    notebooks.clean(notebook)
    return notebook


Breach = Callable[[NotebookNode], Any]


def put(cell: int, **values: object) -> Breach:
    return lambda notebook: notebook.cells[cell].update(values)


def say(text: str, cell: int = 1) -> Breach:
    return put(cell, outputs=[shows(text)])


def tag(cell: int, *names: str) -> Breach:
    return put(cell, metadata={"tags": [*names]})


UNTIDY: list[tuple[str, Breach, str]] = [
    ("never executed", put(1, execution_count=None, outputs=[]), "execution count None, not 1"),
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
    ("timing", put(1, metadata={"execution": {"a": 1}}), "as `refresh` writes it"),
    ("version", lambda n: n.metadata.language_info.update(version="3.11"), "`refresh`"),
    ("random id", put(0, id="3f9a01bc"), "nobody has chosen"),
    ("id twice", put(0, id="cell-1"), "nobody has chosen"),  # nbformat gives it another
    ("other chapter", put(1, source="from workbook import start\n\nstart(6)"), "start(7)"),
    ("no import", put(1, source="start(7)"), "start(7)"),
    ("path", say("Generating /Users/ada/workspace/x.py\n"), "the path /Users/ada"),
    ("Windows path", say("Generating C:\\Users\\ada\n"), "the path C:\\Users"),
]


def test_tidy_notebook_is_tidy() -> None:
    assert untidy(executed(TIDY), 7) == []


@pytest.mark.parametrize(("name", "breach", "words"), UNTIDY, ids=[each[0] for each in UNTIDY])
def test_untidy_notebook_is_seen(name: str, breach: Breach, words: str) -> None:
    notebook = executed(TIDY)
    breach(notebook)
    found = untidy(notebook, 7)
    assert any(words in each for each in found), found


# ---- the table of contents ----------------------------------------------------------------------


@pytest.mark.parametrize("chapter", CHAPTERS.values(), ids=lambda each: each.lesson)
def test_contents_are_true(chapter: Chapter) -> None:
    """README's row and the lesson's own title and minutes are what the table says."""
    number, name, lesson = chapter.number, chapter.title, chapter.lesson
    link = f"[{name}](notebooks/{lesson})"
    row = f"| {number} | {link} | {chapter.minutes} | {chapter.about} |\n"
    assert row in (ROOT / "README.md").read_text(encoding="utf-8")
    text = markdown(read(LESSONS / lesson))
    assert lesson.startswith(f"{number:02}_") and text.startswith(f"# {name}\n")
    told = [int(each) for each in re.findall(r"\*\*Time:\*\* (\d+) minutes", text)]
    assert told == [chapter.minutes] or number == 0  # which says so in words


def test_contents_are_complete() -> None:
    assert sorted(LESSONS.glob("*.ipynb")) == NOTEBOOKS
    rows = re.findall(r"^\| \d+ \| \[", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(CHAPTERS) == max(CHAPTERS) + 1


def test_the_cheat_sheet_is_what_the_lessons_say() -> None:
    page = notebooks.cheat_sheet()
    assert page == notebooks.CHEAT_SHEET.read_text(encoding="utf-8")
    assert page.count("\n## ") > 6
    assert page.index("\n## Before it runs\n") < page.index("\n- There is a backup")
    assert "| `alembic downgrade <id>` |" in page


def test_an_output_is_saved_as_its_own_cell_showed_it(tmp_path: Path) -> None:
    """As nbval compares it, whatever a later cell draws in its place."""
    sources = ["handle = display('first', display_id=True)", "handle.update('second')"]
    for client, wanted in ((NotebookClient, "'second'"), (notebooks.Client, "'first'")):
        notebook = v4.new_notebook(cells=[v4.new_code_cell(each) for each in sources])
        client(notebook, kernel_name="python3").execute()
        assert notebook.cells[0].outputs[0].data["text/plain"] == wanted


# ---- portable cells -----------------------------------------------------------------------------

SHELL = r"(alembic|git|pytest|pg_dump|pg_restore)( [^;|&<>$`~']+)?"  # Windows has no single quotes
LINE_MAGICS = r"sql\b.*|load_ext sql|config SqlMagic\..*|xmode Minimal"
CELL_MAGICS = r"sql\b.*|(writefile|writerevision) (?!/)(?!.*(\\|~|\.\.|:)).*"

UNIX = r"""(?x)^\s*(?:import|from)\s(?:subprocess|pty|fcntl|pwd|grp|resource|termios)\b
    | \bos\.(?:system|popen|fork|kill|chmod|chown)\b | (?:open|Path)\(["'](?:/|~|[A-Z]:)"""


def unportable(source: str) -> list[str]:
    """What a cell asks of IPython besides SQL, a file or a revision, and alembic; and of Unix."""
    found = [each[0] for each in re.finditer(UNIX, source, re.MULTILINE)]
    for kind, words in magics(ast.parse(TransformerManager().transform_cell(source))):
        allowed = {"run_line_magic": LINE_MAGICS, "run_cell_magic": CELL_MAGICS}.get(kind, SHELL)
        if not re.fullmatch(allowed, " ".join(words[:2])):
            found.append(f"{kind} {words[0]}")
    return found


@every_notebook
def test_cells_are_portable(path: Path) -> None:
    cells = code_cells(read(path))
    assert {cell.id: each for cell in cells if (each := unportable(cell.source))} == {}


PORTABLE = """\
print(1)
# your command
%load_ext sql; %config SqlMagic.displaycon = False; %sql postgresql+psycopg2://
%%sql; SELECT '/tmp/x' || $$!$$
%%writefile jobboard/models.py; import sqlalchemy
%%writerevision alembic/versions/*_init.py; def upgrade() -> None:;     pass
!alembic revision -m "init"
!alembic downgrade {remote}-1
!git commit --quiet -m "add jobs.location"
!git log --graph --format="%an: %s"
!pytest --quiet tests
!pg_dump --format=custom --file=before.dump
printed = !alembic upgrade head; result = %sql SELECT 1
for each in names:;     !alembic upgrade {each}
import os; os.environ.get('HOME')"""
UNPORTABLE = """\
!ls
!alembic history | head -1
!alembic current > out.txt
!alembic -c ~/alembic.ini current
!./alembic current
!git log | head
!git commit -m 'add jobs.location'
!git -C ~/other status
files = !ls
if True:;     !rm -r workspace
%%bash; ls
%%capture; !alembic current
%cd workspace
%env PGUSER=ada
%config InlineBackend.figure_format = 'svg'
%load_ext autoreload
alembic?
%%writefile /etc/motd; x
%%writefile ../jobboard/models.py; x
%%writefile C:\\x.py; x = 1
get_ipython().system('ls')
import fcntl
from subprocess import run
import os; os.system('ls')
%%writefile run.py; import subprocess
open('/tmp/x')
Path("~/x")"""


@pytest.mark.parametrize("cell", PORTABLE.splitlines())
def test_portable_cell_passes(cell: str) -> None:
    assert unportable(cell.replace("; ", "\n")) == []


@pytest.mark.parametrize("cell", UNPORTABLE.splitlines())
def test_unportable_cell_is_seen(cell: str) -> None:
    assert unportable(cell.replace("; ", "\n"))


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
    if 'class="alert alert-warning">' in text:  # orange on orange, 3 to 1: too little to read
        found.append('a warning without style="color: #3e2723"')
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


@every_notebook
def test_style(path: Path) -> None:
    assert unstylish(read(path), path.parent) == []


@pytest.mark.parametrize("path", NOTEBOOKS[1:], ids=lambda path: path.stem)  # 0 has no sections
def test_minutes_add_up(path: Path) -> None:
    """The lesson's table, what its sections say, and the total."""
    text = markdown(read(path))
    row = r"^\| *(.+?) *\| *(\d+) *\| *(core|optional) *\|$"
    table = re.findall(row, text, re.MULTILINE)
    section = r"^## +(?!What you have now)(.+)\n+(?:\*(core|optional), (\d+) minutes?\*)?"
    told = re.findall(section, text, re.MULTILINE)
    assert table == [(heading, minutes, kind) for heading, kind, minutes in told] != []
    assert f"**Time:** {sum(int(minutes) for _, minutes, _ in table)} minutes" in text


def with_text(text: str) -> NotebookNode:
    return v4.new_notebook(cells=[v4.new_markdown_cell(text)])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<div class="alert alert-info">\n' * 4, "4 boxes"),
        ('<div class="alert alert-warning">', "without style="),
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


# ---- the lessons and the files they speak of ----------------------------------------------------


def written(path: Path, magic: str) -> dict[str, str]:
    """What a notebook's cells write: the magic's argument and the cell's body, the last one wins."""
    found = {}
    for cell in code_cells(read(path)):
        head, _, body = cell.source.partition("\n")
        if head.startswith(f"%%{magic} "):
            found[head.partition(" ")[2]] = body
    return found


@pytest.mark.parametrize(
    ("lesson", "start", "name"),
    [
        ("01_models", "models", "database.py"),
        ("01_models", "models", "models.py"),
        ("06_drift", "mapped", "models.py"),
    ],
)
def test_a_chapter_starts_with_what_the_one_before_writes(
    lesson: str, start: str, name: str
) -> None:
    wrote = written(ROOT / "notebooks" / f"{lesson}.ipynb", "writefile")[f"jobboard/{name}"]
    begins = (project.FILES / start / "jobboard" / name).read_text("utf-8")
    assert wrote.rstrip("\n") == begins.rstrip("\n")


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
    assert contents.INIT in revision.name


# ---- the suite's own teeth ----------------------------------------------------------------------


HTML = v4.new_output(
    "execute_result", {"text/html": "a", "text/plain": "<IPython.core.display.HTML object>"}
)
# Cells, what is recorded as their output, and what nbval has to say to it: "" where it passes.
RED = [
    ("print(42)", shows("42\n"), [], ""),
    ("print(43)", shows("42\n"), [], "mismatch 'stdout'"),
    ("print(44)", None, [], "Unexpected output"),
    ("6 * 8", v4.new_output("execute_result", {"text/plain": "42"}), [], "mismatch 'text/plain'"),
    ("x", fails("NameError", "name 'x' is not defined"), ["raises-exception"], ""),
    ("1", fails("NameError", "name 'x' is not defined"), ["raises-exception"], "Missing output"),
    ("x", fails("NameError", "name 'y' is not defined"), ["raises-exception"], "mismatch 'evalue'"),
    ("x", fails("NameError", "name 'x' is not defined"), [], "caused an exception"),
    ("from IPython.display import HTML; HTML('b')", HTML, [], "mismatch 'text/html'"),
]


def test_broken_cells_go_red_and_the_others_stay_green(
    tmp_path: Path, server: dict[str, str]
) -> None:
    nbformat.write(executed([each[:3] for each in RED]), tmp_path / "c.ipynb")
    report = tmp_path / "report.xml"
    options = ["-c", "pyproject.toml", "--rootdir=.", "-n0", "--color=no", "-p", "conftest"]
    options += [f"--basetemp={tmp_path / 'base'}", f"--junit-xml={report}", str(tmp_path)]
    environment = {key: each for key, each in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    cases = ElementTree.parse(report).iter("testcase")
    said = ["".join(each.text or "no word" for each in case) for case in cases]
    for (source, _, _, reason), failure in zip(RED, said, strict=True):
        assert reason in failure and bool(reason) == bool(failure), (source, failure)


def test_a_kernel_has_sockets_and_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", folder)
        kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME, cwd=str(tmp_path))
        transport = kernel.km.transport
        kernel.stop()
        assert transport == ("ipc" if lab.has_room_for_sockets(Path(folder)) else "tcp")
        assert not [*Path(folder).iterdir(), *tmp_path.iterdir()]


def test_what_only_authors_need_is_left_out(request: pytest.FixtureRequest) -> None:
    """By the workers, too: each reads the command line for itself."""
    option, source = request.config.option, request.config.args_source
    if source is pytest.Config.ArgsSource.TESTPATHS and not option.all:
        assert option.markexpr


REMOVED = "{0} '{{}}'\n{0} '{{}}'".format(
    "INFO  [alembic.autogenerate.compare.tables] Detected removed table"
)


@pytest.mark.parametrize(
    ("recorded", "now"),
    [
        ("Running upgrade  -> 1f3a9c5e7b20, init", "Running upgrade  -> 1f3a9c5e7b20, jobs"),
        ("1f3a9c5e7b20 (head)", "1f3a9c5e7b20"),
        ("<base> -> 1f3a9c5e7b20 (head), init", "74938a4b176d -> 1f3a9c5e7b20 (head), init"),
        ("  Generating a/b.py ...  done\n", "  Generating a/b.py ...  FAILED\n"),
        (REMOVED.format("jobs", "companies"), REMOVED.format("jobs", "jobs")),
        (REMOVED.format("jobs", "companies"), REMOVED.format("jobs", "visits")),
        ("environment script a/env.py does not x to the context.", "environment script a/env.py"),
        ("nextval('jobs_id_seq'::regclass)", "nextval('job_id_seq'::regclass)"),
        ("added 20261231 rows", "added 20261230 rows"),
        ("True\nLive traffic, 4 readers", "False\nLive traffic, 4 readers"),
    ],
)
def test_sanitizer_drops_no_line_and_hides_no_difference(
    recorded: str, now: str, pytestconfig: pytest.Config
) -> None:
    text = (ROOT / pytestconfig.getoption("nbval_sanitize_with")).read_text("utf-8")
    patterns = get_sanitize_patterns(text)
    assert len(patterns) == text.count("regex:") == text.count("replace:") > 0
    assert len(patterns) < 11  # kept short
    for regex, replacement in patterns:
        recorded = re.sub(regex, replacement, recorded)
        now = re.sub(regex, replacement, now)
    assert recorded != now
