"""The learner's repository: real git, in workspace/ alone, whatever settings there are around it."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from workbook import ROOT, WorkbookError, aside, home, magics, make_repository, starts
from workbook.project import scripts, workspace
from workbook.repository import git

HOSTILE = """
[user]
    useConfigOnly = true
[commit]
    gpgSign = true
[core]
    hooksPath = {hooks}
    autocrlf = true
    safecrlf = true
    attributesFile = {hooks}/attributes
[merge]
    ff = only
    verifySignatures = true
[init]
    defaultBranch = trunk
    templateDir = {hooks}
[color]
    ui = always
"""
HOOK = "#!/bin/sh\nexit 1\n"


@pytest.fixture(autouse=True)
def project(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Chapter 9's project, inside of somebody's clone, and a user's settings that break git."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg", "pre-merge-commit"):
        (hooks / name).write_text(HOOK)
        (hooks / name).chmod(0o755)
    (hooks / "attributes").write_text("*.py merge=binary\n")
    (tmp_path / "gitconfig").write_text(HOSTILE.format(hooks=hooks.as_posix()))
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet", str(home())], check=True)
    os.environ["GIT_CONFIG_GLOBAL"] = str(tmp_path / "gitconfig")
    monkeypatch.setattr(sys, "path", [*sys.path])
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def terminal(*arguments: str, at: str = "workspace") -> str:
    """What git prints in a terminal: none of a notebook's variables, the user's own settings."""
    ours = {"GIT_CONFIG_GLOBAL": str(home() / "gitconfig"), "GIT_CONFIG_NOSYSTEM": "1"}
    rest = {key: each for key, each in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments],
        cwd=home() / at,
        env=rest | ours | {"GIT_CEILING_DIRECTORIES": str(home())},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def change(path: str, old: str, new: str) -> None:
    file = workspace() / path
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")


def test_git_acts_on_workspace_alone() -> None:
    """Before there is a repository, too, and with variables that lead to another one."""
    os.environ["GIT_DIR"] = str(home() / ".git")
    starts.start(9)
    with pytest.raises(WorkbookError, match="not a git repository"):
        git("status")
    assert "not a git repository" in terminal("status")
    make_repository()
    assert git("rev-parse", "--git-dir").strip() == ".git"
    assert git("log", "--format=%an %s") == "You The job board as it is\n"
    outside = terminal("status", "--porcelain", "--untracked-files=all", at=".")
    assert "workspace/alembic" not in outside  # for the outer clone it is a folder with a .git


def test_the_colleagues_commits_are_real() -> None:
    starts.start(9)
    make_repository()
    log = git("log", "--all", "--format=%an <%ae> %cn %aI %s", "--author=Grace")
    assert log.splitlines() == [
        "Grace Moreau <grace@example.com> Grace Moreau 2026-06-05T15:02:09+00:00 add jobs.hours",
        "Grace Moreau <grace@example.com> Grace Moreau 2026-06-04T15:20:44+00:00 add"
        " companies.website",
    ]
    file = "alembic/versions/b1c83e5f7a46_add_companies_website.py"
    assert git("show", f"company-website:{file}") == (ROOT / file).read_text("utf-8")
    assert "+    website: Mapped[str | None] = mapped_column(String(200))\n" in git(
        "show", "company-website"
    )
    assert git("status", "--porcelain") == ""  # notebooks, practice/ and what Python compiles


@pytest.mark.parametrize("way", ["a notebook", "a terminal"])
def test_no_setting_of_the_users_is_in_the_way(way: str) -> None:
    """No name, signatures, hooks, line ends, fast-forwards: the merge is the lesson's."""
    starts.start(9)
    make_repository()
    run = git if way == "a notebook" else terminal
    models = workspace() / "jobboard" / "models.py"
    change(
        "jobboard/models.py",
        "    company: Mapped",
        "    location: Mapped[str | None]\n    company: Mapped",
    )
    models.write_bytes(models.read_bytes().replace(b"\n", b"\r\n"))  # as on Windows
    assert run("commit", "--quiet", "-am", "add jobs.location") == ""
    assert "Merge made by" in run("merge", "--no-edit", "company-website")
    assert "Merge made by" in run("merge", "--no-edit", "job-hours")
    assert git("log", "-1", "--format=%an %G?").strip() == "You N"
    text = models.read_text(encoding="utf-8")
    assert all(f"    {each}: Mapped" in text for each in ("location", "website", "hours"))
    assert len(scripts(workspace()).get_heads()) == 2


def test_no_variable_of_the_users_is_in_the_way() -> None:
    """Those that git takes before any file of settings, too."""
    os.environ |= {"GIT_AUTHOR_NAME": "Eve", "GIT_TRACE": "1", "GIT_CONFIG_COUNT": "1"}
    os.environ |= {"GIT_CONFIG_KEY_0": "commit.gpgSign", "GIT_CONFIG_VALUE_0": "true"}
    starts.start(9)
    make_repository()
    assert git("log", "--format=%an %s") == "You The job board as it is\n"
    assert not {"GIT_TRACE", "GIT_CONFIG_COUNT"} & {*os.environ}


def test_own_ids_and_own_words_for_types() -> None:
    starts.start(9)
    [last] = (workspace() / "alembic" / "versions").glob("93d7a5e20c4b_*")
    last.write_text(last.read_text("utf-8").replace("93d7a5e20c4b", "0123456789ab"), "utf-8")
    change("jobboard/models.py", "import enum", "import enum\n\nimport sqlalchemy as sa")
    change("jobboard/models.py", "mapped_column(String(50))", "mapped_column(sa.String(length=50))")
    make_repository()
    assert "mapped_column(sa.String(200))" in git("show", "company-website:jobboard/models.py")
    git("merge", "--quiet", "company-website")
    assert scripts(workspace()).get_heads() == ["b1c83e5f7a46"]
    assert re.search('down_revision.*"0123456789ab"', git("show", "company-website"))


def test_a_repository_of_ones_own_is_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    starts.start(9)
    terminal("init", "--quiet")
    with pytest.raises(WorkbookError, match="not committed"):
        make_repository()
    git("add", "alembic", "alembic.ini", "jobboard")
    git("-c", "user.name=Ada", "commit", "--quiet", "-m", "Mine")
    make_repository()
    assert git("log", "--format=%an %s", "HEAD") == "Ada Mine\n"
    make_repository()
    assert "already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("jobboard/models.py", "x = 1\n", "no Company.name"),
        ("jobboard/models.py", "x = (\n", "jobboard/models.py is not Python"),
        ("alembic/versions/second.py", "revision, down_revision = 'a', None\n", "not one head"),
    ],
)
def test_another_project_is_told_how_to_begin(path: str, text: str, words: str) -> None:
    starts.start(9)
    (workspace() / path).write_text(text)
    with pytest.raises(WorkbookError, match=words):
        make_repository()


def test_without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    starts.start(9)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WorkbookError, match="There is no git here"):
        make_repository()


def test_a_repository_is_put_aside_and_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    """With its read-only files, packed as well; and nothing of it stays in the next project."""
    starts.start(9)
    make_repository()
    log = git("log", "--all", "--format=%H %s")
    git("gc", "--quiet")
    starts.start(9, fresh=True)
    assert not (workspace() / ".git").exists()
    [away] = (home() / "put_aside").iterdir()
    files = [each for each in away.rglob("*") if each.is_file()]
    assert all(each.stat().st_mode & stat.S_IWUSR for each in files)
    assert any(".git" in each.parts for each in files)
    make_repository()
    aside.restore(away.name)
    assert git("log", "--all", "--format=%H %s") == log
    assert git("status", "--porcelain") == ""
    assert not away.exists()


def test_a_kernel_is_protected_before_its_first_cell() -> None:
    magics.load_ipython_extension(MagicMock())
    assert os.environ["GIT_CEILING_DIRECTORIES"] == str(home())
    assert Path(os.environ["GIT_CONFIG_GLOBAL"]) == ROOT / "workbook" / "repository.gitconfig"
