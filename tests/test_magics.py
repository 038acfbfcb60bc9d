"""What a kernel of the workbook says to cells that are run too early, twice or in another order."""
# mypy: disable-error-code="no-untyped-call"
# (nbformat has no type hints)

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from workbook import ROOT, WorkbookError, magics

EARLY = {
    'check("2.1")': "Run the first cell, then the one above that imports check.",
    "!alembic current": "There is no alembic.ini here: run the notebook's first cell",
    "show_changes(before)": "This kernel does not know show_changes yet",
    "%sql SELECT 1": "Run the first cell, then the one with %load_ext sql.",
    "before.text": "A cell above may make before. After a restart, run the first cell",
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
    assert "Traceback" in said[4]  # a name of the learner's own may be a slip, and its line counts
    assert "'42'" in said[-1] and "first cell" not in said[-1]


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
