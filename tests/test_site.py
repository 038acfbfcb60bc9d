"""The pages that are read in a browser: what they ask for, where they lead, how they look."""

# mypy: disable-error-code=no-untyped-call
# (nbformat has no hints)

import functools
import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pygments import lex
from pygments.token import Keyword, Name

from workbook import ROOT, WorkbookError
from workbook.author import pages
from workbook.contents import CHAPTERS

SIZE: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 375, "height": 700}
pytestmark = pytest.mark.filterwarnings("ignore:'myst_parser")  # of what Sphinx 11 will not have
LEFT_TO_LESSONS = {"empty-table-header"}  # a corner without a word

LINKS = "() => [...document.querySelectorAll('a[href]')].map((each) => each.href)"
ANCHORS = "() => [...document.querySelectorAll('[id]')].map((each) => each.id)"
# What is not on the screen of a phone and in no box that scrolls.
LOST = """
() => {
  const scrolls = (each) => each && (["auto", "scroll"].includes(getComputedStyle(each).overflowX)
    || scrolls(each.parentElement));
  return [...document.querySelectorAll("article *")]
    .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth + 1)
    .filter((each) => !scrolls(each)).map((each) => each.outerHTML.slice(0, 120));
}
"""


@dataclass
class Site:
    """Built pages, served on this machine."""

    folder: Path
    address: str

    @property
    def names(self) -> list[str]:
        """The pages' paths."""
        return sorted(
            each.relative_to(self.folder).as_posix() for each in self.folder.rglob("*.html")
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """What a host of files would serve."""
    folder = tmp_path_factory.mktemp("site")
    pages.build(folder)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *told: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder, f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()


@pytest.fixture
def tab(site: Site, chromium: Browser) -> Iterator[Page]:
    """A tab that fails its test for each request to another host, each error in its console."""
    page = chromium.new_page(viewport=SIZE)
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda each: asked.append(each.url))
    page.on("console", lambda each: faults.append(f"{each.type}: {each.text}"))
    page.on("pageerror", lambda each: faults.append(str(each)))
    yield page
    page.close()
    assert asked
    assert not [each for each in asked if not each.startswith((site.address, "data:"))]
    assert not faults


def test_every_lesson_and_every_guide_is_a_page(site: Site) -> None:
    lessons = [f"notebooks/{Path(each.lesson).stem}.html" for each in CHAPTERS.values()]
    beside = [f"{name}.html" for part in pages.BESIDE.values() for name in part]
    assert site.names == sorted([*lessons, *beside, "index.html", "search.html"])


def test_links_lead_to_pages_and_to_places_on_them(site: Site, tab: Page) -> None:
    found: dict[str, set[str]] = {}
    wanted: set[tuple[str, str]] = set()
    for name in site.names:
        tab.goto(site.address + name)
        found[site.address + name] = set(tab.evaluate(ANCHORS))
        wanted |= {(name, each) for each in tab.evaluate(LINKS) if each.startswith(site.address)}
    assert len(wanted) > 1000
    assert not [each for each in wanted if not leads(site, each[1], found)]


def leads(site: Site, link: str, anchors: dict[str, set[str]]) -> bool:
    """Whether a link goes to a file of the site, and to a place that is there."""
    address, anchor = urldefrag(link)
    path = site.folder / unquote(address.removeprefix(site.address))
    if anchor:
        return unquote(anchor) in anchors.get(address, ())
    return (path.is_file() and path.suffix != ".ipynb") or "/lite/" in address


def test_a_phone_scrolls_no_page_sideways(site: Site, tab: Page) -> None:
    tab.set_viewport_size(PHONE)
    for name in site.names:
        tab.goto(site.address + name)
        wide = tab.evaluate("document.scrollingElement.scrollWidth")
        assert (name, wide, tab.evaluate(LOST)) == (name, PHONE["width"], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(site: Site, tab: Page, scheme: str) -> None:
    tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else None
    for name in site.names:
        tab.goto(site.address + name, wait_until="load")
        faults = Axe().run(tab, options=rules).response["violations"]
        told = [(each["id"], each["nodes"][0]["html"]) for each in faults]
        assert (name, [each for each in told if each[0] not in LEFT_TO_LESSONS]) == (name, [])


def test_the_keyboard_leads_to_the_text_and_through_a_search(site: Site, tab: Page) -> None:
    tab.goto(site.address + "notebooks/05_downgrade.html")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip-to-content muted-link"
    tab.keyboard.press("/")
    tab.keyboard.type("lock_timeout")
    tab.keyboard.press("Enter")
    first = tab.locator("#search-results li a").first
    expect(first).to_be_visible()
    first.focus()
    tab.keyboard.press("Enter")
    expect(tab.locator("article")).to_contain_text("lock_timeout")


def test_nothing_is_given_away_in_plain_sight(site: Site, tab: Page) -> None:
    for chapter in CHAPTERS.values():
        tab.goto(f"{site.address}notebooks/{Path(chapter.lesson).stem}.html")
        cells = nbformat.read(ROOT / "notebooks" / chapter.lesson, as_version=4).cells
        checks = sum("workbook-help" in str(each.get("outputs")) for each in cells)
        cards = tab.locator("[role=status]", has=tab.locator(".workbook-help"))
        assert (chapter.number, cards.count()) == (chapter.number, checks)
        for summary in tab.locator("summary", has_text=re.compile("Hint [2-9]|A solution")).all():
            assert not summary.is_visible()
        assert tab.locator("details[open]").count() == 0
        first = tab.locator(".workbook-help > summary").first
        first.click()
        expect(first.locator("xpath=../p").first).to_be_visible()


def test_what_was_to_be_guessed_is_folded(site: Site, tab: Page) -> None:
    tab.goto(site.address + "notebooks/00_start_here.html")
    answer = tab.get_by_text("UndefinedTable").first
    expect(answer).to_be_hidden()
    tab.get_by_text(pages.FOLDED["code_prompt_show"]).first.click()
    expect(answer).to_be_visible()


def test_every_diagram_is_drawn_once_with_ids_of_its_own(site: Site) -> None:
    for chapter in CHAPTERS.values():
        text = (ROOT / "notebooks" / chapter.lesson).read_text(encoding="utf-8")
        page = site.folder / "notebooks" / f"{Path(chapter.lesson).stem}.html"
        drawn = re.findall(r'<svg id="([\w-]+)"', page.read_text(encoding="utf-8"))
        assert len(set(drawn)) == text.count('"text/vnd.mermaid"'), chapter.lesson
        assert "vnd.mermaid" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("cell", "kind", "value"),
    [
        ("%%sql\nSELECT 1\n", Keyword, "SELECT"),
        ("%%writefile practice/ci.yml\non: push\n", Name.Tag, "on"),
        ("%%writerevision alembic/versions/*_a.py\ndef upgrade(): ...\n", Keyword, "def"),
        ("!alembic upgrade head\n\n%%sql\nDROP TABLE jobs\n", Keyword, "DROP"),
    ],
)
def test_a_cell_has_the_colours_of_its_language(cell: str, kind: object, value: str) -> None:
    found = list(lex(cell, pages.CellLexer()))
    assert (kind, value) in found
    assert "".join(text for _, text in found) == cell


def test_what_sphinx_objects_to_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PARTS", {"Part I": range(6)})
    with pytest.raises(WorkbookError, match=r"06_drift.*toctree"):
        pages.build(tmp_path / "site")


def test_the_workflow_is_one_that_github_takes() -> None:
    command = ["check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    file = ROOT / ".github" / "workflows" / "pages.yml"
    subprocess.run([sys.executable, "-m", *command, file], check=True)
