"""The lessons in Chromium, on the desk and on a stage: every slide, the paths, the rehearsal.

With WORKBOOK_SCREENSHOTS, a folder, each slide is photographed at both sizes.
"""

# mypy: disable-error-code=no-untyped-call
# (nbformat has no hints)

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect
from test_launch import LOCAL, Lab, Place, free_port, launch, new_place, wait_for

from workbook import ROOT, WorkbookError
from workbook.author import stage
from workbook.contents import CHAPTERS

PATIENCE = 60_000  # milliseconds, for a machine that has much else to do
expect.set_options(timeout=PATIENCE)
SIZES = ((1280, 720), (1920, 1080))

# What cannot be read from the last row of what is on the screen, in words.
FAULTS = """
() => {
  const found = [];
  const panel = document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden)");
  const outer = panel.querySelector(".jp-WindowedPanel-outer");
  const frame = outer.getBoundingClientRect();
  const footer = document.querySelector(".workbook-slides-footer").getBoundingClientRect();
  const tell = (text, fault) => found.push(`${fault}: ${text.trim().slice(0, 60)}`);
  if (outer.scrollHeight > outer.clientHeight)
    found.push(`needs scrolling: ${outer.scrollHeight} in ${outer.clientHeight}`);
  if (Math.abs(frame.width - innerWidth) > 1 || Math.abs(frame.height - innerHeight) > 1)
    found.push(`the slide has not the screen: ${frame.width} x ${frame.height}`);
  const visible = (element) => element.checkVisibility({ visibilityProperty: true });
  const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || !visible(parent) || parent.closest("style, script, figcaption, .jp-RenderedMermaid")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const code = parent.closest("pre, code, .cm-editor");
    const drawn = parent.closest("svg");  // in a unit of its own, which is scaled
    const size = parseFloat(getComputedStyle(parent).fontSize) * (drawn ? drawn.getScreenCTM().a : 1);
    if (size < (code || drawn ? 20 : 24) - 0.01) tell(node.data, `${size} px`);
    for (const box of range.getClientRects()) {
      if (!box.width) continue;
      if (box.right > innerWidth || box.left < 0 || box.bottom > innerHeight || box.top < 0)
        tell(node.data, "off the screen");
      if (box.right > footer.left && box.bottom > footer.top) tell(node.data, "under the number");
      for (let each = parent; each !== panel; each = each.parentElement) {
        if (getComputedStyle(each).overflowX === "visible") continue;
        const edge = each.getBoundingClientRect();
        if (box.right > edge.right + 2 || box.bottom > edge.bottom + 2) tell(node.data, `cut off by ${Math.max(box.right - edge.right, box.bottom - edge.bottom)} in ${each.className}`);
      }
    }
  }
  for (const image of panel.querySelectorAll("img")) {
    if (!visible(image)) continue;
    const text = decodeURIComponent(image.src.slice(image.src.indexOf(",") + 1));
    const holder = document.createElement("div");
    holder.innerHTML = text.slice(text.indexOf("<svg"));
    holder.style = "position: absolute; visibility: hidden";
    document.body.append(holder);
    const svg = holder.querySelector("svg");
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const box = image.getBoundingClientRect();
    const scale = Math.min(box.width / width, box.height / height);
    for (const label of svg.querySelectorAll("text, foreignObject span, foreignObject p")) {
      const size = parseFloat(getComputedStyle(label).fontSize) * scale;
      if (label.textContent.trim() && size < 20) tell(label.textContent, `${size} px in a picture`);
    }
    holder.remove();
  }
  for (const picture of panel.querySelectorAll(".jp-RenderedMermaid"))
    if (visible(picture) && (!picture.querySelector("img") || picture.matches(".jp-mod-warning")))
      tell(picture.textContent, "no picture");
  return [...new Set(found)];
}
"""


# How much of the screen's height a slide uses, how large its text is, and how wide its widest line.
USED = """
() => {
  const panel = document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden)");
  const visible = (element) => element.checkVisibility({ visibilityProperty: true });
  const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  let bottom = 0, right = 0, text = 100;
  for (const image of panel.querySelectorAll("img"))
    if (visible(image)) bottom = Math.max(bottom, image.getBoundingClientRect().bottom);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || !visible(parent) || parent.closest("style, script")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    bottom = Math.max(bottom, box.bottom);
    if (parent.closest("pre, .cm-editor, table")) right = Math.max(right, box.right);
    else if (!parent.closest("svg")) text = Math.min(text, parseFloat(getComputedStyle(parent).fontSize));
  }
  return [bottom / innerHeight, right / innerWidth, text * 720 / innerHeight];
}
"""


# The contrast of the text in each kind of box, and of a link there, as WCAG reckons it.
CONTRAST = """
() => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map((each) => each / 255);
    const [r, g, b] = parts.map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return ["warning", "info", "success", "danger"].flatMap((kind) => {
    const box = document.createElement("div");
    box.className = `alert alert-${kind}`;
    box.innerHTML = "<a href='#'></a>";
    document.querySelector(".jp-MarkdownCell .jp-RenderedHTMLCommon").append(box);
    const ground = light(getComputedStyle(box).backgroundColor) + 0.05;
    const ratios = [box, box.firstChild].map((each) => light(getComputedStyle(each).color) + 0.05);
    box.remove();
    return ratios.map((each) => Math.max(each, ground) / Math.min(each, ground));
  });
}
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with new_place() as place:
        yield place


@pytest.fixture(scope="module")
def lab(place: Place) -> Lab:
    """JupyterLab as `present` starts it, with every slide."""
    return launch(place, "present", "--path", "long")


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()


def copies(place: Place) -> Path:
    (folder,) = (place.folder / "stage").glob("2*")
    return folder


def open_slides(page: Page, lab: Lab, place: Place, name: str) -> None:
    """The slide with the chapter's first cell, ready to run."""
    folder = copies(place).relative_to(place.folder).as_posix()
    page.goto(f"{lab.url}lab/tree/{folder}/{name}?token={lab.token}&reset")
    expect(footer(page)).to_have_text(re.compile(r"^\d+ / \d+$"), timeout=PATIENCE)
    page.wait_for_function("document.activeElement.closest('.jp-Cell')")


def fresh(place: Place, name: str) -> str:
    """A copy of a lesson that nobody has run, and that is a talk of its own. Returns its name."""
    notebook = nbformat.read(copies(place) / name, 4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, copies(place) / f"fresh_{name}")
    return f"fresh_{name}"


def footer(page: Page):  # type: ignore[no-untyped-def]
    return page.locator(".workbook-slides-footer")


def number(page: Page) -> int:
    return int(re.findall(r"(\d+) /", footer(page).text_content() or "")[0])


def run_all(page: Page, file: Path) -> None:
    """Run a notebook from JupyterLab's menu: all cells, in their order, as a learner would."""
    page.click(".lm-MenuBar-itemLabel >> text=/^Run$/")
    page.click('.lm-Menu-item[data-command="runmenu:run-all"]')

    def wrong(cell: nbformat.NotebookNode) -> bool:
        failed = any(output.output_type == "error" for output in cell.outputs)
        return failed != ("raises-exception" in cell.metadata.get("tags", []))

    def has_run() -> bool:
        page.keyboard.press("Control+s")
        page.wait_for_timeout(500)
        with contextlib.suppress(nbformat.reader.NotJSONError):  # JupyterLab is writing it
            cells = code(file)
            return bool(cells[-1].execution_count) or any(
                map(wrong, [each for each in cells if each.execution_count])  # those that are done
            )
        return False

    wait_for(has_run)
    cells = code(file)
    assert [each.id for each in cells if wrong(each)] == []
    assert [each.execution_count for each in cells] == [*range(1, len(cells) + 1)]
    for pop_up in (".jp-Dialog", ".Toastify__toast"):
        expect(page.locator(pop_up)).to_have_count(0)


def code(file: Path) -> list[nbformat.NotebookNode]:
    """The code cells as they are on the disk."""
    return [cell for cell in nbformat.read(file, 4).cells if cell.cell_type == "code"]


def test_the_first_lesson_on_the_desk(page: Page) -> None:
    with new_place() as place:
        lab = launch(place)
        page.goto(f"{lab.url}?token={lab.token}")  # where the launcher's own link goes
        # A click before the kernel is there does nothing.
        expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=PATIENCE)
        run_all(page, place.folder / "workspace" / "00_start_here.ipynb")


@pytest.mark.parametrize("name", [chapter.lesson for chapter in CHAPTERS.values()])
def test_every_slide_fits(page: Page, lab: Lab, place: Place, name: str) -> None:
    file = copies(place) / name
    open_slides(page, lab, place, name)
    page.keyboard.press("s")
    run_all(page, file)
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.wait_for_function("document.activeElement.closest('.workbook-slides .jp-Cell')")
    slides = stage.slides(file)
    page.keyboard.press("End")
    expect(footer(page)).to_have_text(re.compile(r"^\d+ / \d+$"))
    first = number(page) - len(slides) + 1
    for key in ("o", *str(first), "Enter"):
        page.keyboard.press(key)
    found, used = [], []
    for at, slide in enumerate(slides, first):
        expect(footer(page)).to_have_text(re.compile(f"^{at} /"))
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(150)
            photograph(page, f"{Path(name).stem}_{at:02}_{height}")
            where = f"{slide.cells[0].id} at {width} x {height}"
            found += [f"{where}: {fault}" for fault in page.evaluate(FAULTS)]
            bottom, right, text = page.evaluate(USED)
            if bottom < 0.6 and right < 0.9 and text < 44:
                found.append(f"{where}: ends at {bottom:.2f} of the height, with {text:.0f} px")
            used.append(bottom)
        page.keyboard.press("PageDown")
    assert not found, "\n".join(found)
    assert sum(used) / len(used) > 0.65


def photograph(page: Page, stem: str) -> None:
    if os.environ.get("WORKBOOK_SCREENSHOTS"):
        keep(f"{stem}.png", page.screenshot())


def keep(name: str, content: bytes) -> None:
    if wanted := os.environ.get("WORKBOOK_SCREENSHOTS"):
        Path(wanted).mkdir(parents=True, exist_ok=True)
        (Path(wanted) / name).write_bytes(content)


def active(page: Page) -> str:
    """The text of the cell that the keys go to."""
    return page.locator(".jp-Notebook .jp-mod-active").text_content() or ""


def test_a_talk_by_the_keys(page: Page, lab: Lab, place: Place) -> None:
    open_slides(page, lab, place, fresh(place, "05_downgrade.ipynb"))
    shown = page.locator(".jp-Notebook > * .jp-Cell:visible, .jp-Notebook .jp-Cell:visible")
    assert "start(5)" in active(page)
    expect(page.locator(".jp-RenderedHTMLCommon:visible", has_text="One step back")).to_have_count(
        0
    )
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output:visible")).to_contain_text(
        re.compile("Chapter 5|your own project")
    )
    assert number(page) == 1
    for key, at in (
        ("ArrowRight", 2), ("Space", 3), ("ArrowRight", 4), ("PageUp", 3), ("Shift+Space", 2),
        ("ArrowLeft", 1), ("ArrowLeft", 1), ("PageDown", 2), ("ArrowRight", 3),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(footer(page)).to_have_text(re.compile(rf"^{at} /"))
    # What comes after a cell appears when that has run: the answer is not there before the question.
    expect(shown).to_have_count(2)
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output:visible").first).to_be_visible()
    expect(shown).to_have_count(3)
    assert "before = show_tables()" in active(page) and number(page) == 3
    # A cell can be changed on its slide, and the clicker works all the same.
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("print(6 * 7)")
    page.keyboard.press("ArrowLeft")
    assert number(page) == 3
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output:visible", has_text="42")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.press("PageDown")
    expect(footer(page)).to_have_text(re.compile("^4 /"))
    page.mouse.click(1270, 400)  # beside everything
    page.wait_for_timeout(500)
    for key, at in (("PageUp", 3), ("PageDown", 4)):
        page.keyboard.press(key)
        expect(footer(page)).to_have_text(re.compile(f"^{at} /"))
    # The ordinary notebook, and back.
    expect(page.locator("#jp-menu-panel")).not_to_be_visible()
    page.keyboard.press("s")
    expect(page.locator("#jp-menu-panel")).to_be_visible()
    expect(footer(page)).not_to_be_visible()
    page.keyboard.press("s")
    expect(footer(page)).to_have_text(re.compile("^4 /"))
    page.wait_for_timeout(300)
    page.keyboard.press("End")
    expect(footer(page)).to_have_text(re.compile(r"^(\d+) / \1$"))


def test_a_clicker_runs_what_is_left_and_a_reload_goes_on(
    page: Page, lab: Lab, place: Place
) -> None:
    open_slides(page, lab, place, fresh(place, "02_init_revision.ipynb"))
    shown = page.locator(".jp-OutputArea-output:visible")
    page.keyboard.press("PageDown")
    expect(shown).to_contain_text(re.compile("Chapter 2|your own project"))
    assert number(page) == 1
    page.keyboard.press("PageDown")
    expect(footer(page)).to_have_text(re.compile("^2 /"))
    expect(page.locator(".workbook-slides-header")).to_contain_text("Write the init revision")
    page.keyboard.press("PageDown")
    expect(shown).to_contain_text("Please edit configuration")
    page.wait_for_timeout(1000)  # it is saved
    page.reload()
    expect(footer(page)).to_have_text(re.compile("^2 /"), timeout=PATIENCE)
    expect(shown).to_contain_text("Please edit configuration")


def test_a_talk_is_gone_on_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    with pytest.raises(WorkbookError, match="no talk to go on with"):
        stage.resume(None)
    stage.prepare(1, "short").touch()
    with pytest.raises(WorkbookError, match="no talk to go on with"):
        stage.resume(0)
    third = stage.resume(3)
    os.utime(third, (2**31, 2**31))
    assert stage.resume(None) == third and third.name == "03_upgrade.ipynb"


def test_no_slide_ends_in_a_colon() -> None:
    """What it announces stands on the same slide."""
    ends = [(slide.cells[-1], slide) for file in stage.notebooks() for slide in stage.slides(file)]
    assert [
        f"{slide.notebook.name}: {cell.id}"
        for cell, slide in ends
        if cell.cell_type == "markdown" and cell.source.rstrip().endswith(":")
    ] == []


def test_no_key_edits_and_one_blanks_the_screen(page: Page, lab: Lab, place: Place) -> None:
    open_slides(page, lab, place, fresh(place, "04_inspect.ipynb"))
    cells = [page.locator(kind) for kind in (".jp-Cell", ".jp-CodeCell")]
    before = [kind.count() for kind in cells]
    for key in ("x", "z", "a", "m", "Shift+M", "1"):
        page.keyboard.press(key)
    colour = "getComputedStyle(document.body, '::after').backgroundColor"
    for key, shade in (("b", "rgb(0, 0, 0)"), ("PageDown", "rgba(0, 0, 0, 0)")) * 2:
        page.keyboard.press(key)
        assert page.evaluate(colour) == shade
    assert [kind.count() for kind in cells] == before and number(page) == 1
    page.keyboard.press("ArrowRight")
    expect(footer(page)).to_have_text(re.compile("^2 /"))


def test_the_notes_in_a_second_window(page: Page, lab: Lab, place: Place) -> None:
    open_slides(page, lab, place, "03_upgrade.ipynb")
    at = number(page)
    first, second, third, *_ = stage.slides(ROOT / "notebooks" / "03_upgrade.ipynb")
    earlier = stage.notebooks()[:3]
    began = sum(each.minutes for file in earlier for each in stage.slides(file)) + first.minutes
    with page.expect_popup() as opened:
        page.keyboard.press("t")
    notes = opened.value
    plain = [re.sub("`", "", slide.presenter["say"]) for slide in (first, second)]
    expect(notes.locator("body")).to_contain_text(plain[0])
    expect(notes.locator("h2")).to_have_text(f"Next: {second.title}")
    text = second.cells[0].source.splitlines()[-1]
    expect(notes.locator("pre")).to_contain_text(text.replace("`", ""))
    notes.keyboard.press("ArrowRight")
    expect(footer(page)).to_have_text(re.compile(f"^{at + 1} /"))
    expect(notes.locator("h2")).to_have_text(f"Next: {third.title}")
    expect(notes.locator("body")).to_contain_text(plain[1])
    expect(notes.locator("footer")).to_contain_text(
        f"planned for this slide: {stage.clock(began)} to {stage.clock(began + second.minutes)}"
    )
    for word in plain:
        expect(page.get_by_text(word)).to_have_count(0)  # the audience sees none of it


def test_the_overview_leads_to_any_slide_of_the_talk(page: Page, lab: Lab, place: Place) -> None:
    open_slides(page, lab, place, "02_init_revision.ipynb")
    at = number(page)
    listed = page.locator(".workbook-slides-overview option")
    page.keyboard.press("o")
    total = listed.count()
    assert total == 2 + sum(len(stage.slides(file)) for file in stage.notebooks())
    expect(footer(page)).to_have_text(f"{at} / {total}")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(footer(page)).to_have_text(f"{at + 1} / {total}")
    page.keyboard.press("o")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    expect(footer(page)).to_have_text(f"1 / {total}")
    expect(page.locator("h1:visible")).to_have_text(re.compile("^Database migrations"))
    page.keyboard.press("o")
    listed.last.click()
    expect(footer(page)).to_have_text(f"{total} / {total}")
    expect(page.locator("h1:visible")).to_have_text(re.compile("^What you have seen"))
    page.keyboard.press("o")
    page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    expect(footer(page)).to_have_text(f"{total} / {total}")


def not_an_exercise(cell: nbformat.NotebookNode) -> bool:
    return "exercise" not in cell.metadata.get("tags", [])


def runs(cell: nbformat.NotebookNode) -> bool:
    """Whether a clicker runs it."""
    return cell.cell_type == "code" and not_an_exercise(cell)


def type_and_run(page: Page, source: str) -> None:
    """Put this in place of the active cell's code, and run it."""
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)
    page.keyboard.press("Shift+Enter")


def test_what_the_guide_says_helps(page: Page, lab: Lab, place: Place) -> None:
    """For each row of its table that has keys: at most two, and the talk goes on."""
    guide = (ROOT / "docs" / "presenting.md").read_text(encoding="utf-8")
    table = guide.partition("## What to do when")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", table, re.MULTILINE)[1:]
    told = {what: re.findall(r"[Pp]ress `(.+?)`", do) for what, do in rows}

    def kill() -> None:
        type_and_run(page, "import os; os.kill(os.getpid(), 9)")
        page.locator(".jp-Dialog").wait_for()

    happen: dict[str, Callable[[], object]] = {
        "typo": lambda: type_and_run(page, "1 / 0"),
        "kernel died": kill,
        "dropped a table": lambda: type_and_run(page, "!alembic downgrade base"),
        "reloaded the page": page.reload,
        "another slide": lambda: None,
    }
    file = copies(place) / fresh(place, "05_downgrade.ipynb")
    shown = stage.slides(file)
    open_slides(page, lab, place, file.name)

    def has_run(slides: list[stage.Slide]) -> bool:
        """These alone, and their code is the lesson's."""
        wanted = {cell.id for slide in slides for cell in slide.cells if runs(cell)}
        with contextlib.suppress(nbformat.reader.NotJSONError):  # JupyterLab is writing it
            cells = code(file)
            return wanted == {cell.id for cell in cells if cell.execution_count} and all(
                cell.source == cell.metadata["shipped"] for cell in cells
            )
        return False

    at = 3
    for _ in range(at - 1):
        page.keyboard.press("ArrowRight")
    for what, do in happen.items():
        (keys,) = [keys for row, keys in told.items() if what in row]
        assert len(keys) <= 2
        do()
        for key in keys:
            page.keyboard.press(key)
            if key == "o":
                at = 5
                page.keyboard.type("5")
        if "Shift+R" in keys:
            wait_for(partial(has_run, shown[: at - 1]))
        expect(footer(page)).to_have_text(f"{at} / {len(shown)}")


def test_the_database_beside_a_slide(page: Page, lab: Lab, place: Place) -> None:
    open_slides(page, lab, place, fresh(place, "05_downgrade.ipynb"))
    page.keyboard.press("PageDown")
    expect(page.locator(".jp-OutputArea-output:visible")).to_contain_text("init applied")
    kernels = len(lab.ask("api/kernels"))
    page.keyboard.press("d")
    words = page.locator(".workbook-slides-pane figcaption")
    expect(words.first).to_contain_text("init (head) <- the database is here")
    expect(words.last).to_contain_text("jobs")
    go = place.folder / "go"
    wait = f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.1)"
    type_and_run(page, f"!alembic downgrade base\nimport pathlib, time\n{wait}")
    expect(words.first).to_contain_text("base <- the database is here")
    expect(words.last).to_contain_text("jobs (gone)")
    expect(footer(page)).to_contain_text("busy")  # it is drawn while the cell still runs
    go.touch()
    page.keyboard.press("d")
    expect(words).to_have_count(0)
    wait_for(lambda: len(lab.ask("api/kernels")) == kernels)


def test_a_page_for_each_slide(
    page: Page, lab: Lab, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBOOK_HOME", str(place.folder))
    handout = stage.handout(None, "20")
    open_slides(page, lab, place, f"../{handout.parent.name}/{handout.name}")
    page.evaluate("window.print = () => {}")
    page.keyboard.press("p")
    pages = page.locator(".workbook-slides-page")
    expect(pages).to_have_count(26, timeout=PATIENCE)
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 26
    keep("handout.pdf", pdf)
    expect(pages).to_have_count(0)


# The number of a slide, and how many of its cells have run.
STATE = """
() => {
  const cells = [...document.querySelectorAll(".jp-Notebook .jp-CodeCell:not(.workbook-slides-off)")];
  const prompts = cells.map((each) => each.querySelector(".jp-InputPrompt").textContent);
  const number = document.querySelector(".workbook-slides-footer")?.textContent;
  return [number, prompts.filter((each) => /\\d/.test(each)).length];
}
"""


class Firefox:
    """Debian's Firefox, by its own protocol: Playwright drives only a Firefox of its own.

    https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
    """

    KEYS: ClassVar = {"PageDown": "\ue00f", "ArrowRight": "\ue014", "Escape": "\ue00c"}

    def __init__(self, profile: Path) -> None:
        port = free_port()
        (profile / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
        command = ["firefox-esr", "--headless", "--marionette", "--profile", str(profile)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.answers(port))
        self.number = 0
        self.read()
        self("NewSession")
        self("SetWindowRect", width=1280, height=720)
        width, height = self.evaluate("() => [outerWidth - innerWidth, outerHeight - innerHeight]")
        self("SetWindowRect", width=1280 + width, height=720 + height)

    def answers(self, port: int) -> bool:
        with contextlib.suppress(OSError):
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE / 1000)
            return True
        return False

    def read(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            size += self.socket.recv(1)
        left, parts = int(size[:-1]), b""
        while len(parts) < left:
            parts += self.socket.recv(left - len(parts))
        return json.loads(parts)

    def __call__(self, command: str, **parameters: object) -> Any:
        self.number += 1
        message = json.dumps([0, self.number, f"WebDriver:{command}", parameters])
        self.socket.sendall(f"{len(message)}:{message}".encode())
        _, _, error, result = self.read()
        assert not error, error
        return result.get("value") if isinstance(result, dict) else result

    def evaluate(self, function: str) -> Any:
        return self("ExecuteScript", script=f"return ({function})()", args=[])

    def shows(self, *state: object) -> bool:
        return bool(self.evaluate(STATE) == [*state])

    def press(self, key: str) -> None:
        kinds = [{"type": kind, "value": self.KEYS.get(key, key)} for kind in ("keyDown", "keyUp")]
        self("PerformActions", actions=[{"type": "key", "id": "keys", "actions": kinds}])


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    if not shutil.which("firefox-esr"):
        pytest.skip("there is no Firefox on PATH: install firefox-esr")
    firefox = Firefox(tmp_path)
    yield firefox
    firefox.process.terminate()
    firefox.process.wait()


@pytest.mark.browser
def test_a_chapter_in_firefox(firefox: Firefox, lab: Lab, place: Place) -> None:
    name = fresh(place, "05_downgrade.ipynb")
    slides = stage.slides(copies(place) / name)
    folder = copies(place).relative_to(place.folder).as_posix()
    firefox("Navigate", url=f"{lab.url}lab/tree/{folder}/{name}?token={lab.token}&reset")
    found = []
    for number, slide in enumerate(slides, 1):
        # what comes after an exercise waits until that has run
        for run in range(sum(map(runs, takewhile(not_an_exercise, slide.cells))) + 1):
            wait_for(partial(firefox.shows, f"{number} / {len(slides)}", run), PATIENCE / 1000)
            if run == 0:
                found += [f"{slide.cells[0].id}: {fault}" for fault in firefox.evaluate(FAULTS)]
            firefox.press("PageDown")
    assert found == []


def test_nothing_comes_from_the_network(page: Page, lab: Lab, place: Place) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    page.on("websocket", lambda socket: asked.add(socket.url))
    open_slides(page, lab, place, "01_models.ipynb")
    page.keyboard.press("s")
    page.keyboard.press("s")
    inline = ("data:", "blob:", "about:")
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(inline)}
    assert hosts == {"127.0.0.1"}
    addresses = set((place.folder / "addresses").read_text().splitlines())
    outside = {line for line in addresses if not line.split(" ", 1)[1].startswith(LOCAL)}
    assert addresses and not outside


def test_light_type_on_a_dark_screen(chromium: Browser) -> None:
    with new_place() as place:
        lab = launch(place, "present", "1", "--path", "20", "--dark")
        page = chromium.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{lab.url}?token={lab.token}")  # where the launcher's own link goes
        expect(footer(page)).to_have_text("1 / 26", timeout=PATIENCE)
        assert page.locator("body").get_attribute("data-jp-theme-light") == "false"
        assert min(page.evaluate(CONTRAST)) >= 4.5
        page.keyboard.press("End")
        page.keyboard.press("ArrowRight")  # the talk goes on in the next chapter
        expect(page.locator(".jp-RenderedHTMLCommon:visible").first).to_contain_text(
            "Write the init revision"
        )
        with page.expect_popup() as opened:
            page.keyboard.press("t")
        expect(opened.value.locator("footer")).to_contain_text("planned for this slide: 3:00 to")
        page.close()


def test_times_and_notes() -> None:
    planned = dict.fromkeys(stage.PATHS, 0.0)
    for file in stage.notebooks():
        for slide in stage.slides(file):
            where = f"{file.name}: {slide.cells[0].id}"
            paths = {*slide.presenter["paths"]}
            assert slide.minutes > 0 and slide.presenter["say"], where
            assert {*slide.presenter} <= {"minutes", "paths", "say", "asked", "skip"}, where
            assert paths <= {*stage.PATHS} - {"long"}, where
            assert not {*stage.PATHS} & paths or "short" in paths, where
            assert not any("presenter" in cell.metadata for cell in slide.cells[1:]), where
            for path in stage.PATHS:
                planned[path] += slide.minutes * slide.is_on(path)
    assert (planned["20"], planned["60"]) == (20, 60)
    for part in "23":
        assert planned[f"30-{part}"] <= 30
        assert planned[f"60-{part}"] <= 60


def test_the_guide_lists_the_talks() -> None:
    guide = (ROOT / "docs" / "presenting.md").read_text(encoding="utf-8")
    for path in ("20", "60"):
        assert stage.table(None, path) in guide, f"python3 -m workbook present --list --path {path}"
    for file in stage.notebooks():
        slides = stage.slides(file)
        short, long = (sum(s.minutes for s in slides if s.is_on(p)) for p in ("short", "long"))
        assert f"| {file.stem[:2]} | {short:g} | {long:g} |" in guide


@pytest.mark.author  # it runs the notebooks' cells, without those that the talk leaves out
@pytest.mark.parametrize("path", [each for each in stage.PATHS if each != "long"])
def test_rehearsal(path: str, database: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert stage.rehearse(None, path) == 0, capfd.readouterr().out
    told = capfd.readouterr().out
    assert told.endswith("Nothing would fail.\n")
    count = sum(slide.is_on(path) for file in stage.notebooks() for slide in stage.slides(file))
    assert len(re.findall(r"^ *\d+:\d\d +\d+\.\d s  ", told, re.MULTILINE)) == count


# A cell for each slide of a talk, and what the rehearsal has to say to it.
FAULTY = [
    ("print(42)", ""),
    ("1 / 0", "ZeroDivisionError: division by zero"),
    ("print(43)", "the lesson shows '42', now it is '43'"),
    ("import os; os._exit(9)", "the kernel died"),
]


@pytest.mark.parametrize(
    ("slides", "patience"),
    [(FAULTY, 60), ([("import time; time.sleep(99)", "it takes more than 1 seconds")], 1)],
)
def test_a_rehearsal_says_what_would_fail(
    slides: list[tuple[str, str]],
    patience: int,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lesson = tmp_path / "00_faulty.ipynb"
    begins = {"presenter": {"minutes": 2}, "slideshow": {"slide_type": "slide"}}
    shown = [nbformat.v4.new_output("stream", text="42\n")]
    cells = [nbformat.v4.new_code_cell(s, metadata=begins, outputs=shown) for s, _ in slides]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), lesson)
    monkeypatch.setattr(stage, "notebooks", lambda chapter: [lesson])
    monkeypatch.setattr(stage, "SECONDS", patience)
    faults = [fault for _, fault in slides if fault]
    assert stage.rehearse(None, "long") == len(faults)
    told = capsys.readouterr().out
    assert told.count("WOULD FAIL  ") == len(faults)
    assert all(fault in told for fault in faults)
    assert told.endswith(f"{len(faults)} SLIDES WOULD FAIL ON STAGE.\n")


def test_copies_for_a_talk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    first = stage.prepare(2, "20")
    names = [path.name for path in sorted(first.parent.iterdir())]
    assert names == ["02_init_revision.ipynb", "03_upgrade.ipynb", "05_downgrade.ipynb"]
    found = [nbformat.read(first.parent / name, 4) for name in names]
    sources = [cell.source for notebook in found for cell in notebook.cells]
    shipped = [nbformat.read(ROOT / "notebooks" / name, 4).cells for name in names]
    assert sources[1:-1] == [cell.source for cells in shipped for cell in cells]
    assert "Part I in 20 minutes" in sources[0] and "- Upgrade: the SQL first" in sources[-1]
    assert not any(cell.get("outputs") for notebook in found for cell in notebook.cells)
    talk = found[0].metadata["presenter"]["talk"]
    rows = [line.split(" | ")[:3] for line in stage.table(2, "20").splitlines()[2:-1]]
    told = [[f"| {stage.clock(each['begins'])}", each["file"][:2], each["title"]] for each in talk]
    assert told[1:-1] == [[*row[:2], re.sub("[`|]", "", row[2]).strip()] for row in rows]
    at = [each["title"] for each in talk].index("The whole revision (2)")
    assert stage.slides(first, found[0])[at].presenter["left"] == "Say: here is the whole file."
    assert all(notebook.metadata["presenter"]["talk"] == talk for notebook in found)


def test_a_talk_to_take_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    notebook = nbformat.read(stage.handout(None, "20"), 4)
    nbformat.validate(notebook)
    shown = stage.slides(Path(), notebook)
    assert len(shown) == 2 + 24
    assert [cell.id for slide in shown for cell in slide.cells if not is_recorded(cell)] == []


def is_recorded(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type != "code" or cell.execution_count is not None


def test_a_note_speaks_of_slides_that_are_shown() -> None:
    wrong = []
    for file in stage.notebooks():
        found = stage.slides(file)
        for slide, following in pairwise(found):
            apart = {*slide.presenter["paths"]} - {*following.presenter["paths"]}
            if "next slide" in slide.presenter["say"] and apart:
                wrong.append(f"{file.name}: {slide.cells[0].id}, on {apart}")
    assert wrong == []


def test_a_chapter_that_is_not_there() -> None:
    with pytest.raises(WorkbookError, match=r"There is no chapter 99: choose one from 0 to \d+\.$"):
        stage.prepare(99, "short")
