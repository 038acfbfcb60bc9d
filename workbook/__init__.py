"""What the notebooks import. Standard library only at import time: the launcher reads it too."""

import errno
import importlib
import os
import sys
from pathlib import Path
from typing import Any

PROVIDED = {
    "aside": ["restore"],
    "starts": ["start"],
    "deployments": ["begin_deployment", "deploy", "provide_role", "provide_tests"],
    "theatre": ["line_up", "traffic"],
    "browser.home": ["take_home"],
    "desk": ["fresh_lesson"],
    "comparing": ["alembic_sees"],
    "checking": ["check", "hint", "progress", "solution"],
    "pictures.history": ["show_history"],
    "pictures.tables": ["show_changes", "show_drift", "show_tables"],
    "releases": ["Visitors", "retire", "serve"],
    "reports": ["lower_hand", "raise_hand"],
    "repository": ["make_repository"],
    "reviewing": ["review"],
    "explaining": ["why"],
}
__all__ = [name for names in PROVIDED.values() for name in names]

ROOT = Path(__file__).resolve().parent.parent


class WorkbookError(Exception):
    """Something a learner can put right: one line that says what happened and what to do next."""

    def _render_traceback_(self) -> "list[str]":
        """What IPython prints in place of a traceback."""
        return [str(self)]


def home() -> Path:
    """The folder that holds workspace/, put_aside/ and .postgres/: WORKBOOK_HOME, or the clone.

    Raises WorkbookError in an environment that was copied with a clone and leads to the first one.
    """
    place = Path(sys.prefix).parent
    if (Path(sys.prefix) / ".workbook-ready").exists() and not place.samefile(ROOT):
        raise WorkbookError(
            f"This Python environment is a copy, and works in {ROOT}: run python3 -m workbook in"
            f" {place} once, then restart the kernel."
        )
    return Path(os.environ.get("WORKBOOK_HOME") or ROOT).resolve()


def unwritable(error: Exception, folder: Path | None = None) -> WorkbookError:
    """For a folder, home() if none is given, that cannot hold the learner's work."""
    place, why = folder or home(), getattr(error, "strerror", error)
    if getattr(error, "errno", 0) in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return WorkbookError(f"The disk is full: make room for {place}, and try again.")
    return WorkbookError(
        f"Your work cannot be kept in {place} ({why}): set WORKBOOK_HOME to a folder of your own."
    )


def __getattr__(name: str) -> Any:
    """Fetch what notebooks import when they import it."""
    for module, names in PROVIDED.items():
        if name in names:
            if name == "check":  # for the first one, while this Python imports what it needs
                importlib.import_module("workbook.apart").warm_up()
            return getattr(importlib.import_module(f"workbook.{module}"), name)
    raise AttributeError(name)
