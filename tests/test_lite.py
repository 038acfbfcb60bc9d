"""The lessons in a browser: psycopg2's stand-in, and JupyterLite with Pyodide and PGlite."""

import configparser
import difflib
import functools
import http.server
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from workbook import ROOT
from workbook.author import lite
from workbook.contents import CHAPTERS, Chapter

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SAYS = Path(__file__).parent / "psycopg2_says.py"
# In place of PGlite: the test's own PostgreSQL, asked in the same protocol.
ON_A_SERVER = """
import os, socket, struct
ENDS = {}
def has(database):
    return True
def _message(end):
    head = end.recv(5, socket.MSG_WAITALL)
    size = struct.unpack("!i", head[1:])[0] - 4
    return head[:1], head + (end.recv(size, socket.MSG_WAITALL) if size else b"")
def _answer(end):
    data, kind = b"", b""
    while kind != b"Z":
        kind, message = _message(end)
        data += message
    return data
def ask(database, message):
    if database not in ENDS:
        end = ENDS[database] = socket.socket(socket.AF_UNIX)
        end.connect(f"{os.environ['PGHOST']}/.s.PGSQL.{os.environ.get('PGPORT', 5432)}")
        body = f"\\0\\3\\0\\0user\\0{os.environ['PGUSER']}\\0database\\0{database}\\0\\0".encode()
        end.sendall(struct.pack("!i", len(body) + 4) + body)
        _answer(end)
    ENDS[database].sendall(message)
    return _answer(ENDS[database])
"""


@pytest.mark.author
def test_psycopg2s_stand_in_says_what_psycopg2_says(database: str, tmp_path: Path) -> None:
    if not os.environ["PGHOST"].startswith("/"):
        pytest.skip("this server has no Unix socket, which the stand-in is asked through here")
    lite.stand_in(tmp_path)
    (tmp_path / "pglite.py").write_text(ON_A_SERVER)
    said = [
        subprocess.run(
            [sys.executable, SAYS],
            env=os.environ | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout.splitlines()
        for path in ("", str(tmp_path))
    ]
    assert said[1] == said[0]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A host of static files, and nothing else."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site that was built now."""
    if not shutil.which("npm"):
        pytest.skip("the site is built with npm: install Node.js 20 or newer")
    folder = tmp_path_factory.mktemp("site")
    lite.build(folder)
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


# What a learner does with Shift+Enter, and what they see then.
RUN = """async (number) => {
    const panel = window.jupyterapp.shell.currentWidget, cell = panel.content.widgets[number];
    await panel.sessionContext.ready;
    panel.content.activeCellIndex = number;
    await window.jupyterapp.commands.execute('notebook:run-cell');
    return cell.model.outputs.toJSON();
}"""


class Tab:
    """A lesson that is open in a tab."""

    def __init__(self, page: "Page", site: str, lesson: str) -> None:
        self.page = page
        self.asked: list[str] = []
        page.context.on("request", lambda request: self.asked.append(request.url))
        page.goto(site + lite.link(lesson))
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.content?.widgets?.length > 1",
            timeout=60_000,
        )
        page.set_default_timeout(120_000)

    def run(self, number: int) -> list[dict[str, Any]]:
        """Run a cell; gives its outputs."""
        return list(self.page.evaluate(RUN, number))

    def cells(self) -> list[dict[str, Any]]:
        """The cells as they are now."""
        shown = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells"
        return list(self.page.evaluate(shown))


DRAWN = "image/svg+xml"  # what the page itself makes of a diagram


def shown(outputs: list[dict[str, Any]]) -> list[str]:
    """What a reader sees of outputs, without what nbval does not compare either."""
    parts = []
    for each in outputs:
        if each["output_type"] == "stream":
            part = each["text"]
        elif each["output_type"] == "error":
            part = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(each["traceback"]))
        else:
            data = {kind: each["data"][kind] for kind in each["data"] if kind != DRAWN}
            part = json.dumps(data, ensure_ascii=False, sort_keys=True, indent=0)
        parts += [part.rstrip(), each.get("name", each["output_type"])]
    text = "\n".join(parts)
    for rule in SANITIZERS:
        text = re.sub(rule["regex"], rule["replace"], text)
    return text.splitlines()


CFG = configparser.RawConfigParser()
CFG.read(ROOT / "workbook" / "author" / "sanitize.cfg")
SANITIZERS = [dict(CFG[name]) for name in CFG.sections()]


@pytest.mark.parametrize(
    "chapter", [each for each in CHAPTERS.values() if each.in_tab][:2], ids=lambda each: each.lesson
)
def test_a_lesson_says_in_a_tab_what_it_says_elsewhere(
    site: str, chromium: "Browser", chapter: Chapter
) -> None:
    recorded = nbformat.read(ROOT / "notebooks" / chapter.lesson, as_version=4).cells  # type: ignore[no-untyped-call]
    outputs = {each.id: shown(each.get("outputs", [])) for each in recorded}
    with chromium.new_page() as page:
        tab = Tab(page, site, chapter.lesson)
        differ = {}
        for number, cell in enumerate(tab.cells()):
            if cell["cell_type"] == "code" and "pandas" not in cell["id"]:
                found = shown(tab.run(number))
                if found != outputs[cell["id"]]:
                    differ[cell["id"]] = [
                        cell["id"],
                        *difflib.unified_diff(outputs[cell["id"]], found, n=0),
                    ]
        assert not differ, "\n".join(itertools.chain(*differ.values()))
        assert [each for each in tab.asked if not each.startswith((site, "blob:", "data:"))] == []
