"""`python3 -m workbook site`: what is read and what is run in a browser, as one folder of files."""

import shutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from workbook import ROOT

FOLDER = ROOT / "site"


def build(folder: Path = FOLDER) -> None:
    """Build all of it anew into a folder. Raises WorkbookError.

    The pages come first: they clear the folder.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("pages", "lite"):
        name = f"workbook.author.{part}"
        if find_spec(name):
            import_module(name).build(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {len(list(folder.rglob('*.html')))} pages, {size / 1e6:.1f} MB")
