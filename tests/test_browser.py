"""Every lesson on the desk, in JupyterLab and Chromium, run from top to bottom as a learner would.

With WORKBOOK_SCREENSHOTS, a folder, each of them is photographed afterwards, screen by screen.
"""

# mypy: disable-error-code=no-untyped-call
# (nbformat has no hints)

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Page, expect, sync_playwright
from test_launch import Lab, launch, new_place, wait_for

from workbook import ROOT
from workbook.contents import CHAPTERS

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine"),
]
NOTEBOOKS = [chapter.lesson for chapter in CHAPTERS.values()]
PATIENCE = 120_000  # milliseconds, for a machine that has much else to do
FLAGS = "no-sandbox disable-gpu no-first-run disable-background-networking disable-sync"
INLINE = ("data:", "blob:", "about:")


@dataclass
class Browser:
    """One page of Chromium, the JupyterLab that it looks at, and all that it asked for."""

    page: Page
    lab: Lab
    desk: Path
    asked: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """JupyterLab as the launcher starts it, for somebody who has never run a lesson."""
    with new_place() as place, sync_playwright() as playwright:
        lab = launch(place)
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[f"--{flag}" for flag in FLAGS.split()]
        )
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE)
        browser = Browser(page, lab, place.folder / "workspace")
        page.on("request", lambda request: browser.asked.add(request.url))
        page.on("websocket", lambda socket: browser.asked.add(socket.url))
        yield browser
        chromium.close()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook(browser: Browser, name: str) -> None:
    page, file = browser.page, browser.desk / name
    shipped = (ROOT / "notebooks" / name).read_bytes()
    page.goto(f"{browser.lab.url}lab/tree/{name}?token={browser.lab.token}&reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    # A click before the kernel is there does nothing.
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=PATIENCE)
    assert_no_pop_up(page)
    page.click(".lm-MenuBar-itemLabel >> text=/^Run$/")
    page.click('.lm-Menu-item[data-command="runmenu:run-all"]')
    wait_for(lambda: has_run(page, file))
    photograph(page, Path(name).stem)
    for number, cell in enumerate(saved(file), 1):
        assert bool(errors(cell)) == is_meant_to_fail(cell), f"cell {cell.id}: {errors(cell)}"
        assert cell.execution_count == number, f"cell {cell.id} has not run"
    assert_pictures(page, file)
    assert_no_pop_up(page)
    hosts = {urlsplit(url).hostname for url in browser.asked if not url.startswith(INLINE)}
    assert hosts == {"127.0.0.1"}
    assert (ROOT / "notebooks" / name).read_bytes() == shipped


def has_run(page: Page, file: Path) -> bool:
    """Save; whether the last cell has run, or one went wrong: JupyterLab runs no more then."""
    page.keyboard.press("Control+s")
    page.wait_for_timeout(500)
    try:
        cells = saved(file)
    except nbformat.reader.NotJSONError:  # JupyterLab is writing it
        return False
    wrong = any(errors(cell) and not is_meant_to_fail(cell) for cell in cells)
    return wrong or bool(cells[-1].execution_count)


def saved(file: Path) -> list[nbformat.NotebookNode]:
    """The code cells as they are on the disk."""
    return [cell for cell in nbformat.read(file, 4).cells if cell.cell_type == "code"]


def errors(cell: nbformat.NotebookNode) -> list[str]:
    return [output.ename for output in cell.outputs if output.output_type == "error"]


def is_meant_to_fail(cell: nbformat.NotebookNode) -> bool:
    return "raises-exception" in cell.metadata.get("tags", [])


def assert_no_pop_up(page: Page) -> None:
    for pop_up in (".jp-Dialog", ".Toastify__toast"):
        expect(page.locator(pop_up)).to_have_count(0)


def assert_pictures(page: Page, file: Path) -> None:
    """Each Mermaid source of the notebook is a picture, and none an error."""
    cells = nbformat.read(file, 4).cells
    drawn = [
        number
        for number, cell in enumerate(cells)
        if any("text/vnd.mermaid" in output.get("data", {}) for output in cell.get("outputs", []))
    ]
    for number in drawn:  # only those in sight are in the page
        cell = page.locator(f".jp-Cell[data-windowed-list-index='{number}']")
        for _ in range(200):
            if cell.count():
                break
            page.mouse.wheel(0, 300)
            page.wait_for_timeout(50)
        cell.scroll_into_view_if_needed()
        expect(cell.locator(".jp-RenderedMermaid img")).to_have_count(1)
        expect(cell.locator(".jp-RenderedMermaid.jp-mod-warning")).to_have_count(0)


def photograph(page: Page, stem: str) -> None:
    """The notebook from top to bottom, a screen at a time, where somebody wants to look at it."""
    if not (wanted := os.environ.get("WORKBOOK_SCREENSHOTS")):
        return
    Path(wanted).mkdir(parents=True, exist_ok=True)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    scroller = page.locator(".jp-WindowedPanel-outer").first
    height = scroller.evaluate("panel => panel.clientHeight") - 60
    end = page.locator(".jp-Notebook .jp-Cell").last
    for number in range(99):
        scroller.evaluate("(panel, top) => panel.scrollTo(0, top)", number * height)
        page.wait_for_timeout(400)
        page.screenshot(path=Path(wanted) / f"{stem}_{number:02}.png")
        if end.evaluate("cell => cell.getBoundingClientRect().bottom < window.innerHeight"):
            return
