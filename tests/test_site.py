"""The pages that are read in a browser: what they ask for, where they lead, how they look."""

# mypy: disable-error-code=no-untyped-call
# (nbformat has no hints)

import functools
import http.server
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pygments import lex
from pygments.token import Keyword, Name
from test_lite import Quiet

from workbook import ROOT, WorkbookError
from workbook.author import pages
from workbook.contents import CHAPTERS

DESK: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 375, "height": 700}
pytestmark = [
    pytest.mark.author,
    pytest.mark.filterwarnings("ignore:'myst_parser"),  # of what Sphinx 11 will not have
]
KINDS = [
    "index.html",
    "notebooks/02_init_revision.html",
    "notebooks/06_drift.html",
    "notebooks/11_locks.html",
    "docs/cheatsheet.html",
    "search.html?q=lock",
]
LEFT_TO_LESSONS = {"empty-table-header"}  # a corner without a word

# Where a page leads, which places it has, and what a phone's screen does not show: it is in no box
# that scrolls.
LOOK = """
() => {
  const scrolls = (each) => each.tagName !== "ARTICLE"
    && (["auto", "scroll"].includes(getComputedStyle(each).overflowX) || scrolls(each.parentElement));
  const wide = (each) => each.checkVisibility()
    && each.getBoundingClientRect().right > innerWidth + 1 && !scrolls(each);
  return {
    links: [...document.querySelectorAll("a[href]")].map((each) => each.href),
    places: [...document.querySelectorAll("[id]")].map((each) => each.id),
    lost: [...document.querySelectorAll("article *")].filter(wide).map((each) => each.outerHTML),
    width: document.scrollingElement.scrollWidth,
  };
}
"""


@dataclass
class Site:
    """Built pages, served on this machine, at a path as GitHub Pages has it."""

    folder: Path
    address: str

    @property
    def names(self) -> list[str]:
        """The pages' paths."""
        found = self.folder.rglob("*.html")
        return sorted(each.relative_to(self.folder).as_posix() for each in found)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    pages.build(folder)
    handler = functools.partial(Quiet, directory=str(folder.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder, f"http://127.0.0.1:{server.server_port}/{folder.name}/")
        server.shutdown()


@dataclass
class Tab:
    """A tab, what its pages have asked for and what the console said."""

    page: Page
    asked: list[str]
    said: list[str]

    def look(self, address: str) -> dict[str, Any]:
        """Open a page; what LOOK gives of it, and what this page asked for and said."""
        self.asked.clear()
        self.said.clear()
        self.page.goto(address, wait_until="networkidle")
        found: dict[str, Any] = self.page.evaluate(LOOK)
        return found | {"asked": [*self.asked], "said": [*self.said]}


@pytest.fixture(scope="module")
def tab(chromium: Browser) -> Tab:
    made = Tab(chromium.new_page(), [], [])
    made.page.on("request", lambda each: made.asked.append(each.url))
    made.page.on("console", lambda each: made.said.append(each.text))
    made.page.on("pageerror", lambda each: made.said.append(str(each)))
    return made


@pytest.fixture(scope="module")
def seen(site: Site, tab: Tab) -> dict[str, dict[str, Any]]:
    """Every page, by its address, on a phone."""
    tab.page.set_viewport_size(PHONE)
    return {each: tab.look(each) for each in (site.address + name for name in site.names)}


@pytest.fixture
def page(tab: Tab) -> Page:
    """A tab on a desk."""
    tab.page.set_viewport_size(DESK)
    return tab.page


def test_every_lesson_and_every_guide_is_a_page(site: Site) -> None:
    lessons = [f"notebooks/{Path(each.lesson).stem}.html" for each in CHAPTERS.values()]
    beside = [f"{name}.html" for part in pages.BESIDE.values() for name in part]
    assert site.names == sorted([*lessons, *beside, "index.html", "search.html"])


def test_no_page_asks_another_host_or_complains(site: Site, seen: dict[str, Any]) -> None:
    asked = [each for told in seen.values() for each in told["asked"]]
    assert len(asked) > len(seen)
    assert {each for each in asked if not each.startswith((site.address, "data:"))} == set()
    assert {name: told["said"] for name, told in seen.items() if told["said"]} == {}


def test_links_lead_to_pages_and_to_places_on_them(site: Site, seen: dict[str, Any]) -> None:
    links = {link for told in seen.values() for link in told["links"]}
    inside = {each for each in links if each.startswith(site.address) and "/lite/" not in each}
    assert len(inside) > 500
    assert {each for each in inside if not leads(site, each, seen)} == set()
    for lost in ("nowhere.html", "index.html#nowhere", "docs/history.ipynb"):
        assert not leads(site, site.address + lost, seen)


def test_a_name_is_given_once_on_a_page(seen: dict[str, Any]) -> None:
    for name, told in seen.items():
        assert (name, [each for each, n in Counter(told["places"]).items() if n > 1]) == (name, [])


def leads(site: Site, link: str, seen: dict[str, Any]) -> bool:
    """Whether a link goes to a file that a browser shows, and to a place that is there."""
    address, anchor = urldefrag(link)
    if anchor:
        return unquote(anchor) in seen[address]["places"]
    path = site.folder / unquote(address.removeprefix(site.address))
    return path.is_file() and path.suffix != ".ipynb"


def test_a_phone_scrolls_no_page_sideways(seen: dict[str, Any]) -> None:
    for name, told in seen.items():
        assert (name, told["width"], told["lost"]) == (name, PHONE["width"], [])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("<img src='http://127.0.0.1:1/'>", "asked"),
        ("<script>nowhere()</script>", "said"),
        ("<p style='width: 400px'>wide</p>", "lost"),
    ],
)
def test_a_fault_is_seen(site: Site, tab: Tab, fault: str, kind: str) -> None:
    tab.page.set_viewport_size(PHONE)
    (site.folder / f"{kind}.htm").write_text(f"<article>{fault}", encoding="utf-8")
    told = tab.look(f"{site.address}{kind}.htm")
    assert [each for each in told[kind] if not each.startswith(site.address)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", KINDS)
def test_pages_are_accessible(site: Site, page: Page, name: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(site.address + name)
    rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else None
    faults = Axe().run(page, options=rules).response["violations"]
    told = {each["id"]: each["nodes"][0]["html"] for each in faults}
    assert set(told) <= LEFT_TO_LESSONS, told


def test_the_keyboard_leads_to_the_text_and_through_a_search(site: Site, page: Page) -> None:
    page.goto(site.address + "notebooks/05_downgrade.html")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("/")
    page.keyboard.type("lock_timeout")
    page.keyboard.press("Enter")
    expect(page.locator(".search-summary")).to_contain_text("finished")
    found = page.locator("#search-results li a")
    first, *others = (each.get_attribute("href") or "" for each in found.all())
    lessons = [each for each in (first, *others) if each.startswith("notebooks/")]
    assert first in lessons and lessons == sorted(lessons)  # each has the word in its text
    found.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("article")).to_contain_text("lock_timeout")


def test_nothing_is_given_away_in_plain_sight(site: Site, page: Page) -> None:
    for chapter in CHAPTERS.values():
        page.goto(f"{site.address}notebooks/{Path(chapter.lesson).stem}.html")
        cells = nbformat.read(ROOT / "notebooks" / chapter.lesson, as_version=4).cells
        checks = sum("workbook-help" in str(each.get("outputs")) for each in cells)
        cards = page.locator("[role=status]", has=page.locator(".workbook-help"))
        assert (chapter.number, cards.count()) == (chapter.number, checks)
        assert page.locator("details[open]").count() == 0
        further = page.locator("summary", has_text=re.compile("Hint [2-9]|A solution"))
        assert further.count() >= checks
        assert further.locator("visible=true").count() == 0


def test_what_was_to_be_guessed_is_folded(site: Site, page: Page) -> None:
    page.goto(site.address + "notebooks/00_start_here.html")
    answer = page.get_by_text("UndefinedTable").first
    expect(answer).to_be_hidden()
    page.get_by_text(pages.FOLDED["code_prompt_show"]).first.click()
    expect(answer).to_be_visible()


def test_every_diagram_is_drawn(site: Site) -> None:
    for chapter in CHAPTERS.values():
        text = (ROOT / "notebooks" / chapter.lesson).read_text(encoding="utf-8")
        page = site.folder / "notebooks" / f"{Path(chapter.lesson).stem}.html"
        drawn = page.read_text(encoding="utf-8").count("<svg id=")
        assert (chapter.number, drawn) == (chapter.number, text.count('"text/vnd.mermaid"'))


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
    def lay(folder: Path) -> None:
        folder.mkdir()
        (folder / "index.md").write_text("# One\n\n![there is none](none.png)\n", encoding="utf-8")

    monkeypatch.setattr(pages, "lay", lay)
    with pytest.raises(WorkbookError, match=r"image file not readable: none.png"):
        pages.build(tmp_path / "site")
    assert not (tmp_path / "site").exists()
