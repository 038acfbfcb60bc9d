"""`python3 -m workbook site`: what is read and what is run in a browser, as one folder of files."""

import shutil
from pathlib import Path

from workbook import ROOT
from workbook.author import lite, pages

FOLDER = ROOT / "site"


def build(folder: Path = FOLDER) -> None:
    """Build all of it anew into a folder, and print its size. Raises WorkbookError."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in (pages, lite):
        part.build(folder)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{part.__name__.rpartition('.')[2]}: {folder} has {size / 1e6:.1f} MB", flush=True)
