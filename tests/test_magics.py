"""What a kernel of the workbook says to cells that are run too early, twice or in another order."""
# mypy: disable-error-code="no-untyped-call"
# (nbformat has no type hints)

from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient

from workbook import ROOT, WorkbookError, magics

EARLY = {
    'check("2.1")': "Run the first cell, then from workbook import check, which",
    "!alembic current": "There is no alembic.ini here: run the notebook's first cell",
    "show_changes(before)": "This kernel does not know show_changes yet",
    "%sql SELECT 1": "Run the first cell, then the one with %load_ext sql.",
    'check = print\ncheck("3.3", b)': 'An answer stands in quotes: "b".',
    "before.text": "A cell above may make before. After a restart, run the first cell",
    "!alembic downgrade {init}-1": "A cell above may make init. After a restart, run the first cell",
    "%%writerevision alembic/versions/*_init.py\ndef upgrade(): pass": "No file matches",
}


def test_cells_before_the_first_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(ROOT / "workbook" / "jupyter" / "data"))
    cells = [nbformat.v4.new_code_cell(source) for source in (*EARLY, "6 * 7")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, kernel_name="python3", resources=place, allow_errors=True).execute()
    said = [str(cell.outputs) for cell in notebook.cells]
    for words, outputs in zip(EARLY.values(), said, strict=False):
        assert words in outputs
    assert "Traceback" not in said[0] + said[2]
    assert "Traceback" in said[5]  # a name of the learner's own may be a slip, and its line counts
    assert "'42'" in said[-1] and "first cell" not in said[-1]


FAILED = {  # what fails in a notebook, and what why() calls it in the next cell
    "!alembic upgrade hed": "a name that is no revision",
    "%sql SELECT * FROM nobody": "a table that is not there",
    "import sqlalchemy\nsqlalchemy.create_engine('driver://')": "an address that nobody has filled in",
    "1 / 0": "This error is not one of those that why() knows",
    "def": "This error is not one of those that why() knows",
}


def test_why_explains_the_last_failure(database: str, tmp_path: Path) -> None:
    sources = [
        "from workbook import start, why\n\nstart(3)\n%load_ext sql\n%sql postgresql+psycopg2://"
    ]
    sources += ["why()", *(each for cell in FAILED for each in (cell, "why()"))]
    sources += ['why("")', "print(2)\n!alembic history", "why()"]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, kernel_name="python3", resources=place, allow_errors=True).execute()
    said = [str(cell.outputs) for cell in notebook.cells]
    assert "Nothing has failed here yet." in said[1]
    for name, outputs in zip(FAILED.values(), said[3::2], strict=False):
        assert name in outputs
    assert "The database is at no revision." in said[3] and "!alembic upgrade hed" in said[3]
    assert "paste it here" in said[-3] and "Traceback" not in said[-3]
    assert [*FAILED.values()][-1] in said[-1]  # neither why() nor what went well counts


@pytest.mark.parametrize(
    ("down", "says"),
    [
        ("a", "Delete b_init.py in the file browser"),
        ("None", "Delete all but one of a_init.py, b_"),
    ],
)
def test_a_revision_that_was_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, down: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, before in (("a", "None"), ("b", down)):
        text = f"revision = '{name}'\ndown_revision = '{before}'\ndef upgrade(): pass\n"
        Path(f"{name}_init.py").write_text(text)
    with pytest.raises(WorkbookError, match=rf"2 files match \*_init.py.* {says}"):
        magics.writerevision("*_init.py", "def upgrade(): pass")


@pytest.mark.parametrize("gone", [True, False])
def test_a_server_that_has_ended_is_told_before_alembic_fails(
    gone: bool,
    server: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WORKBOOK_EMBEDDED", "it")
    for name in ("PGHOST", "PGPORT"):
        monkeypatch.setenv(name, server.get(name, "5432"))
    if gone:
        monkeypatch.setenv("PGPORT", "9")
    magics._before(
        SimpleNamespace(user_ns={}), SimpleNamespace(raw_cell="printed = !alembic check")
    )
    assert ("PostgreSQL does not answer" in capsys.readouterr().err) == gone
