"""What pytest needs for the whole project: a server of its own, and a fresh start for a notebook."""

import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# nbformat's validator builds a parser of addresses, at 0.7 s a process. No notebook has any.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import nbval.kernel
from jupyter_client.manager import KernelManager
from jupyter_core.paths import jupyter_runtime_dir

from workbook import ROOT
from workbook.launch import lab
from workbook.server import database, postgres

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest_plugins = ["nbval.plugin"]
collect_ignore = ["workspace", "put_aside", "stage"]  # a learner's own, whatever it says
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
LEARNER = "not author and not browser"
stack = contextlib.ExitStack()  # the server, in the main process
notebook = contextlib.ExitStack()  # project and database of the notebook that is running
current: list[object] = []


def kernel_manager(**options: Any) -> KernelManager:
    """A manager whose kernel has sockets, where there can be any.

    TCP ports are chosen here and bound by the kernel a second later. Where another program takes
    the one for outputs in between, the kernel lives on and answers nothing.
    """
    runtime = Path(jupyter_runtime_dir())
    if lab.has_room_for_sockets(runtime):
        file = runtime / f"kernel-{uuid.uuid4()}.json"
        options |= {"transport": "ipc", "connection_file": str(file)}
    return KernelManager(**options)


nbval.kernel.KernelManager = kernel_manager


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--all`: what a learner's machine cannot break is left out without it."""
    words = "run what only authors and CI need, too; a file that is named runs without it"
    parser.addoption("--all", action="store_true", help=words)


def pytest_configure(config: pytest.Config) -> None:
    """Have a server of the suite's own, unless PGHOST names one; leave out what is only for `--all`."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a script
        signal.signal(signal.SIGINT, signal.default_int_handler)  # what tests start inherits it
    named = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    if not (named or config.option.all or config.option.markexpr):
        config.option.markexpr = LEARNER
    worker = hasattr(config, "workerinput")
    if not worker and ("PGHOST" not in os.environ or "WORKBOOK_EMBEDDED" in os.environ):
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="workbook-")))
        stack.callback(shutil.rmtree, postgres.cluster_home(place), ignore_errors=True)
        stack.callback(postgres.stop, place)
        os.environ["PYTEST_SERVER"] = str(place)  # workers inherit it: the first one starts it
    if "PYTEST_SERVER" in os.environ and (worker or config.option.dist == "no"):
        os.environ.pop("WORKBOOK_EMBEDDED", None)
        found = postgres.start(Path(os.environ["PYTEST_SERVER"]))
        os.environ.update(found, PGDATABASE="postgres")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Nobody should take a part for the whole."""
    if config.option.markexpr == LEARNER:
        return "without the browser, the room and the containers, which --all runs too"
    return None


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test that asks for Chromium is one for the browser, whether its author thought of it or not."""
    if "chromium" in getattr(item, "fixturenames", ()):
        item.add_marker("browser")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing running."""
    notebook.close()
    stack.close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin in the clone; give a notebook a project and a database that nobody has used."""
    os.chdir(ROOT)  # a chapter's start goes into its workspace
    if item.get_closest_marker("browser") and not CHROMIUM:
        pytest.skip("there is no Chromium on PATH: install chromium or google-chrome")
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


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """For tests with the mark `browser`."""
    from playwright.sync_api import sync_playwright

    flags = "no-sandbox disable-gpu no-first-run disable-background-networking disable-sync"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[f"--{flag}" for flag in flags.split()]
        )
        yield browser
        browser.close()
