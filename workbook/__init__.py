"""What the notebooks import. Standard library only at import time: the launcher reads it too."""

import os
from pathlib import Path
from typing import Any

__all__ = ["check", "hint", "progress", "restore", "solution", "start"]

ROOT = Path(__file__).resolve().parent.parent


class WorkbookError(Exception):
    """Something a learner can put right: one line that says what happened and what to do next."""

    def _render_traceback_(self) -> "list[str]":
        """What IPython prints in place of a traceback."""
        return [str(self)]


def home() -> Path:
    """The folder that holds workspace/, put_aside/ and .postgres/: WORKBOOK_HOME, or the clone."""
    return Path(os.environ.get("WORKBOOK_HOME") or ROOT).resolve()


def __getattr__(name: str) -> Any:
    """Fetch what notebooks import when they import it."""
    if name in ("restore", "start"):
        from workbook import chapters

        return getattr(chapters, name)
    if name in __all__:
        from workbook import checking

        return getattr(checking, name)
    raise AttributeError(name)
