"""The learner's desk: lessons are laid, follow new versions, and nothing of a learner's is lost."""

# mypy: disable-error-code=no-untyped-call
# (nbformat has no hints)

import contextlib
import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workbook import ROOT, WorkbookError, contents, desk

LESSON = "03_upgrade.ipynb"
NEW, STEM = "03_upgrade.new.ipynb", "03_upgrade"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desk on which the lessons lie, and a clone whose lessons can change."""
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    monkeypatch.setattr(desk, "ROOT", tmp_path / "clone")
    shutil.copytree(ROOT / "notebooks", tmp_path / "clone" / "notebooks")
    assert desk.lay() == []
    return tmp_path


@pytest.fixture
def copy(place: Path) -> Path:
    """The learner's copy of one lesson."""
    return place / "workspace" / LESSON


@pytest.fixture
def original(place: Path) -> Path:
    """The project's."""
    return place / "clone" / "notebooks" / LESSON


def read(path: Path) -> dict[str, Any]:
    """A notebook's cells by id."""
    return {cell.id: cell for cell in nbformat.read(path, 4).cells}


def rewrite(path: Path, **sources: str | None) -> None:
    """Write cells anew (underscores stand for dashes in ids), or take them out, and save."""
    notebook = nbformat.read(path, 4)
    for name, source in sources.items():
        id = name.replace("_", "-")
        [at] = [number for number, cell in enumerate(notebook.cells) if cell.id == id]
        if source is None:
            del notebook.cells[at]
        else:
            notebook.cells[at].source = source
    nbformat.write(notebook, path)


def run_all(path: Path) -> None:
    """Run and save as JupyterLab does: outputs, numbers, more metadata, an empty cell at the end."""
    notebook = nbformat.read(path, 4)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.execution_count = number
            cell.outputs = [nbformat.v4.new_output("stream", text=f"{cell.id} ran")]
    notebook.metadata["language_info"] = {"name": "python", "version": "3.13.1"}
    notebook.cells.append(nbformat.v4.new_code_cell())
    nbformat.write(notebook, path)


def everything(folder: Path) -> str:
    """All that is written in a folder's files."""
    return "\n".join(path.read_text("utf-8") for path in folder.rglob("*") if path.is_file())


def test_lessons_are_laid_without_outputs_and_the_originals_stay(place: Path) -> None:
    for chapter in contents.CHAPTERS.values():
        original = nbformat.read(ROOT / "notebooks" / chapter.lesson, 4)
        copy = nbformat.read(place / "workspace" / chapter.lesson, 4)
        nbformat.validate(copy)
        assert [cell.source for cell in copy.cells] == [cell.source for cell in original.cells]
        for cell in copy.cells:
            assert not cell.get("outputs") and cell.get("execution_count") is None
        run_all(place / "workspace" / chapter.lesson)
    assert desk.lay() == []
    for chapter in contents.CHAPTERS.values():
        shipped = (ROOT / "notebooks" / chapter.lesson).read_bytes()
        assert (place / "clone" / "notebooks" / chapter.lesson).read_bytes() == shipped


def test_a_deleted_lesson_comes_back_and_others_are_not_written(place: Path) -> None:
    before = (place / "workspace" / "01_models.ipynb").stat().st_mtime_ns
    (place / "workspace" / LESSON).unlink()
    desk.lay()
    assert read(place / "workspace" / LESSON)
    assert (place / "workspace" / "01_models.ipynb").stat().st_mtime_ns == before


def test_an_untouched_copy_is_the_new_version(original: Path, place: Path) -> None:
    notebook = nbformat.read(original, 4)
    notebook.metadata["title"] = "Upgrade"
    nbformat.write(notebook, original)
    rewrite(original, tables="print('new')")
    assert desk.lay() == []
    followed = nbformat.read(place / "workspace" / LESSON, 4)
    assert followed.metadata.title == "Upgrade" and "'new'" in nbformat.writes(followed)


def test_a_copy_that_was_only_run_follows_and_keeps_its_other_outputs(
    copy: Path, place: Path
) -> None:
    run_all(copy)
    rewrite(place / "clone" / "notebooks" / LESSON, tables="print('new')")
    assert desk.lay() == []
    cells = read(copy)
    assert cells["tables"].source == "print('new')" and not cells["tables"].outputs
    assert cells["start"].outputs[0].text == "start ran"
    assert nbformat.read(copy, 4).metadata.language_info.version == "3.13.1"


def test_what_was_written_is_merged_with_a_new_version(copy: Path, original: Path) -> None:
    notebook = nbformat.read(copy, 4)
    notebook.cells.insert(9, nbformat.v4.new_code_cell("mine = 1"))
    nbformat.write(notebook, copy)
    rewrite(copy, exercise_3_1="check('3.1', 'mine')", upgrade_before=None)
    run_all(copy)
    for text in ("one", "two"):  # two versions, one after the other
        rewrite(original, tables=f"print('{text}')")
        assert desk.lay() == [f"{LESSON} is up to date; what you have written in it is there."]
        cells = read(copy)
        assert cells["tables"].source == f"print('{text}')"
        assert cells["exercise-3-1"].source == "check('3.1', 'mine')"
        assert cells["exercise-3-1"].outputs[0].text == "exercise-3-1 ran"
        assert "mine = 1" in [cell.source for cell in cells.values()]
        assert "upgrade-before" not in cells
        nbformat.validate(nbformat.read(copy, 4))
        assert desk.lay() == []


@pytest.mark.parametrize(
    ("mine", "new"),
    [
        ("check('3.1', 'mine')", "check('3.1', 'another task')"),
        (None, "check('3.1', 'another task')"),
        ("check('3.1', 'mine')", None),
        # lines that could be merged: nobody has tried what comes of it
        ("{}\nmine = 1", "new = 1\n{}"),
    ],
)
def test_where_both_changed_a_cell_the_new_one_lies_beside(
    copy: Path, original: Path, place: Path, mine: str | None, new: str | None
) -> None:
    before = read(copy)["exercise-3-1"].source
    rewrite(copy, exercise_3_1=mine and mine.replace("{}", before))
    rewrite(original, exercise_3_1=new and new.replace("{}", before), tables="print('new')")
    theirs = copy.read_bytes()
    [line] = desk.lay()
    assert line.startswith(f"{LESSON} and its new version change the same cells") and NEW in line
    assert copy.read_bytes() == theirs
    assert read(place / "workspace" / NEW)["tables"].source == "print('new')"
    (place / "workspace" / NEW).unlink()
    assert desk.lay() == []  # said once
    rewrite(original, tables="print('newer')")
    assert len(desk.lay()) == 1
    assert read(place / "workspace" / NEW)["tables"].source == "print('newer')"
    desk.fresh_lesson(3)
    assert read(copy)["tables"].source == "print('newer')"
    assert not (place / "workspace" / NEW).exists()


def test_work_in_the_one_beside_is_kept_too(
    copy: Path, original: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(copy, tables="mine")
    rewrite(original, tables="new")
    desk.lay()
    rewrite(place / "workspace" / NEW, tables="mine again")
    rewrite(original, tables="newer")
    desk.lay()
    assert read(place / "workspace" / NEW)["tables"].source == "newer"
    assert "mine again" in everything(place / "workspace")
    desk.fresh_lesson()
    newer, earlier, count = capsys.readouterr().out.splitlines()
    assert newer == f"{NEW} is newer than your {LESSON}"
    assert earlier.startswith("03_upgrade.new_2") and count == "1 earlier copies of lessons."


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[1]", b'{"cells": [{"a": 1}]}', None])
def test_what_cannot_be_read_is_left_alone(copy: Path, place: Path, text: bytes | None) -> None:
    copy.unlink()
    if text is None:
        copy.mkdir()
    else:
        copy.write_bytes(text)
    [line] = desk.lay()
    assert line == (
        f"{LESSON} cannot be read: it stays as it is, and the new one is beside it, as {NEW}."
    )
    assert read(place / "workspace" / NEW) and (copy.is_dir() or copy.read_bytes() == text)
    assert desk.lay() == []
    (place / "workspace" / NEW).unlink()
    assert desk.lay() == [line]
    desk.fresh_lesson(3)
    assert read(copy)


def test_without_the_version_that_it_was_made_from_a_copy_stays(copy: Path, place: Path) -> None:
    rewrite(copy, tables="mine")
    shutil.rmtree(place / ".lessons")
    assert len(desk.lay()) == 1
    assert read(copy)["tables"].source == "mine" and read(place / "workspace" / NEW)
    assert (place / ".lessons" / "01_models.ipynb").exists()


def test_a_fresh_lesson_keeps_the_old_one(
    copy: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.fresh_lesson(3)
    assert "kept" not in capsys.readouterr().out
    for text in ("mine", "mine again"):
        rewrite(copy, tables=text)
        desk.fresh_lesson(3)
        name = capsys.readouterr().out.rpartition(" as ")[2].strip().rstrip(".")
        assert read(place / "workspace" / name)["tables"].source == text
        assert read(copy)["tables"].source != text
    desk.fresh_lesson()
    listed = capsys.readouterr().out.splitlines()
    assert [line.startswith(f"{STEM}_2") for line in listed] == [True, True, False]
    assert listed[-1] == "2 earlier copies of lessons."
    with pytest.raises(WorkbookError, match="There is no chapter 99"):
        desk.fresh_lesson(99)


def prepare(kind: str, copy: Path, original: Path) -> None:
    """What the next start meets."""
    if kind == "missing":
        copy.unlink()
    elif kind == "merged":
        rewrite(copy, exercise_3_1="mine")
    elif kind in ("conflict", "beside"):
        rewrite(copy, tables="mine")
    rewrite(original, tables="new")
    if kind == "beside":
        desk.lay()
        rewrite(copy.with_name(NEW), tables="mine")
        rewrite(original, tables="newer")


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("kind", ["missing", "untouched", "merged", "conflict", "beside"])
def test_a_full_disk_or_a_kill_at_any_step_leaves_old_or_new(
    copy: Path,
    original: Path,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    error: BaseException,
) -> None:
    monkeypatch.setattr(desk, "CHAPTERS", {3: contents.CHAPTERS[3]})
    prepare(kind, copy, original)
    mine = everything(place / "workspace").count("mine")
    whole = shutil.copytree(place, place.with_name(f"{place.name}_whole"))
    for step in range(12):
        shutil.rmtree(place)
        shutil.copytree(whole, place)
        left = step

        def fails(*arguments: object, real: Any, **named: object) -> Any:
            nonlocal left
            left -= 1
            if left == -1:
                if isinstance(arguments[0], int):  # a file that is being written
                    os.ftruncate(arguments[0], 9)
                raise error
            return real(*arguments, **named)

        with monkeypatch.context() as patch:
            for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "rename")):
                real = getattr(owner, name)
                patch.setattr(owner, name, lambda *a, real=real, **k: fails(*a, real=real, **k))
            with contextlib.suppress(KeyboardInterrupt):
                desk.lay()
        for path in (place / "workspace").glob("*.ipynb"):
            nbformat.validate(nbformat.read(path, 4))
        assert everything(place / "workspace").count("mine") == mine
        desk.lay()
        assert {*read(copy)} == {*read(original)}
        assert everything(place / "workspace").count("mine") == mine
        newest = "newer" if kind == "beside" else "new"
        assert f'"{newest}"' in everything(place / "workspace")
        if left >= 0:
            return
    pytest.fail("there are more steps than were tried")


def test_a_pull_of_a_changed_lesson_after_work_on_all_of_them(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a real remote: work on every lesson, a pull, and the next start."""
    remote, clone = place / "clone", place / "learner"
    shutil.copy(ROOT / ".gitignore", remote)

    def git(folder: Path, *arguments: str) -> str:
        who = ["-c", "user.name=author", "-c", "user.email=author@example.com"]
        command = ["git", *who, *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout

    git(remote, "init", "-q")
    git(remote, "add", "--all")
    git(remote, "commit", "-q", "-m", "lessons")
    git(place, "clone", "-q", str(remote), str(clone))
    monkeypatch.setattr(desk, "ROOT", clone)
    monkeypatch.setenv("WORKBOOK_HOME", str(clone))
    assert desk.lay() == []
    for path in sorted((clone / "workspace").glob("*.ipynb")):
        rewrite(path, start="mine and wrong")
        run_all(path)
    assert git(clone, "status", "--porcelain") == ""
    rewrite(remote / "notebooks" / LESSON, tables="print('new')")
    git(remote, "commit", "-q", "-a", "-m", "a better lesson")
    git(clone, "pull", "-q", "--ff-only")
    [line] = desk.lay()
    assert line.startswith(LESSON)
    cells = read(clone / "workspace" / LESSON)
    assert (cells["start"].source, cells["tables"].source) == ("mine and wrong", "print('new')")
    assert git(clone, "status", "--porcelain") == ""
    assert "mine and wrong" not in everything(clone / "notebooks")
