"""What pytest needs for the whole project: a server of its own, and a fresh start for a notebook."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbook import ROOT
from workbook.server import database

stack = contextlib.ExitStack()  # the server, in the main process
notebook = contextlib.ExitStack()  # project and database of the notebook that is running
current: list[object] = []


def pytest_configure(config: pytest.Config) -> None:
    """Start the server before the workers are: they inherit its variables."""
    if not hasattr(config, "workerinput"):
        stack.enter_context(database.throwaway())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing running."""
    notebook.close()
    stack.close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin in the clone; give a notebook a project and a database that nobody has used."""
    os.chdir(ROOT)  # a chapter's start goes into its workspace
    if type(item).__name__ != "IPyNbCell" or current == [item.parent]:
        return
    assert item.parent
    notebook.close()
    current[:] = [item.parent]
    factory = item.config._tmp_path_factory  # type: ignore[attr-defined]
    name = "nb_" + re.sub(r"\W", "_", item.parent.path.stem)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    notebook.enter_context(database.separate(f"{name}_{worker}", factory.mktemp(name)))


@pytest.fixture(scope="session")
def server() -> dict[str, str]:
    """libpq's variables of a running server whose role may create databases."""
    return {key: value for key, value in os.environ.items() if key.startswith("PG")}


@pytest.fixture(name="database")
def fresh_database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty project and an empty database, in os.environ for the length of a test."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"test_{worker}_{abs(hash(request.node.nodeid)) % 10**6}"
    with database.separate(name, tmp_path):
        database.connect_environment()
        yield name
