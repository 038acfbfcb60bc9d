"""The lessons in Chromium, on the desk and on a stage: every slide, the paths, the rehearsal.

With WORKBOOK_SCREENSHOTS, a folder, each slide is photographed at both sizes.
"""

# mypy: disable-error-code=no-untyped-call
# (nbformat has no hints)

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect
from test_launch import LOCAL, Lab, Place, launch, new_place, wait_for

from workbook import ROOT, WorkbookError
from workbook.author import stage
from workbook.contents import CHAPTERS

PATIENCE = 120_000  # milliseconds, for a machine that has much else to do
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
    """The first slide, ready to run."""
    folder = copies(place).relative_to(place.folder).as_posix()
    page.goto(f"{lab.url}lab/tree/{folder}/{name}?token={lab.token}&reset")
    expect(footer(page)).to_have_text(re.compile(r"^1 / \d+$"), timeout=PATIENCE)
    page.wait_for_function("document.activeElement.closest('.jp-Cell')")


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
    page.keyboard.press("Home")
    slides = stage.slides(file)
    found, used = [], []
    for at, slide in enumerate(slides, 1):
        expect(footer(page)).to_have_text(f"{at} / {len(slides)}")
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
    if wanted := os.environ.get("WORKBOOK_SCREENSHOTS"):
        Path(wanted).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(wanted) / f"{stem}.png")


def active(page: Page) -> str:
    """The text of the cell that the keys go to."""
    return page.locator(".jp-Notebook .jp-mod-active").text_content() or ""


def test_a_talk_by_the_keys(page: Page, lab: Lab, place: Place) -> None:
    fresh = nbformat.read(copies(place) / "05_downgrade.ipynb", 4)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(fresh, copies(place) / "fresh.ipynb")
    open_slides(page, lab, place, "fresh.ipynb")
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
    fresh = nbformat.read(copies(place) / "02_init_revision.ipynb", 4)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(fresh, copies(place) / "again.ipynb")
    open_slides(page, lab, place, "again.ipynb")
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
    open_slides(page, lab, place, "04_inspect.ipynb")
    cells = [page.locator(kind) for kind in (".jp-Cell", ".jp-CodeCell")]
    before = [kind.count() for kind in cells]
    for key in ("x", "d", "d", "a", "m", "Shift+M", "1"):
        page.keyboard.press(key)
    colour = "getComputedStyle(document.body, '::after').backgroundColor"
    for key, shade in (("b", "rgb(0, 0, 0)"), ("PageDown", "rgba(0, 0, 0, 0)")) * 2:
        page.keyboard.press(key)
        assert page.evaluate(colour) == shade
    assert [kind.count() for kind in cells] == before and number(page) == 1
    page.keyboard.press("PageDown")
    expect(footer(page)).to_have_text(re.compile("^2 /"))


def test_the_notes_in_a_second_window(page: Page, lab: Lab, place: Place) -> None:
    open_slides(page, lab, place, "03_upgrade.ipynb")
    first, second, *_ = stage.slides(ROOT / "notebooks" / "03_upgrade.ipynb")
    earlier = stage.notebooks()[:3]
    began = sum(each.minutes for file in earlier for each in stage.slides(file)) + first.minutes
    with page.expect_popup() as opened:
        page.keyboard.press("t")
    notes = opened.value
    plain = [re.sub("`", "", slide.presenter["say"]) for slide in (first, second)]
    expect(notes.locator("body")).to_contain_text(plain[0])
    expect(notes.locator("h2")).to_have_text(f"Next: {second.title}")
    notes.keyboard.press("ArrowRight")
    expect(footer(page)).to_have_text(re.compile("^2 /"))
    expect(notes.locator("body")).to_contain_text(plain[1])
    expect(notes.locator("footer")).to_contain_text(
        f"planned for this slide: {stage.clock(began)} to {stage.clock(began + second.minutes)}"
    )
    for word in plain:
        expect(page.get_by_text(word)).to_have_count(0)  # the audience sees none of it


def test_a_kernel_that_dies_is_no_end(page: Page, lab: Lab, place: Place) -> None:
    open_slides(page, lab, place, "04_inspect.ipynb")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("import os; os.kill(os.getpid(), 9)")
    page.keyboard.press("Shift+Enter")
    page.locator(".jp-Dialog").wait_for()
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("from workbook import start; start(4)")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output:visible")).to_contain_text(
        re.compile("Chapter 4|your own project")
    )


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
        expect(footer(page)).to_have_text("1 / 3", timeout=PATIENCE)
        assert page.locator("body").get_attribute("data-jp-theme-light") == "false"
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
    talks = [{"begins": 0, "next": names[1]}, {"begins": 5.5, "next": names[2]}, {"begins": 9}]
    for name, talk in zip(names, talks, strict=True):
        notebook = nbformat.read(first.parent / name, 4)
        source = nbformat.read(ROOT / "notebooks" / name, 4)
        assert notebook.metadata["presenter"] == talk
        assert [cell.source for cell in notebook.cells] == [cell.source for cell in source.cells]
        assert not any(cell.get("outputs") for cell in notebook.cells)
        titles = [each.title for each in stage.slides(first, source) if each.is_on("20")]
        shown = stage.slides(first.parent / name)
        assert [slide.presenter["title"] for slide in shown] == titles
    with pytest.raises(WorkbookError, match=r"There is no chapter 99: choose one from 0 to \d+\.$"):
        stage.prepare(99, "short")
