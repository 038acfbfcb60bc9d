"""git for the learner's project: a repository of its own in workspace/, with a colleague's branches.

The user's own git settings are neither needed nor touched: a notebook's git reads ours
(repository.gitconfig), and what a terminal's git needs stands in the repository.
"""

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workbook import ROOT, WorkbookError, home

GRACE = "Grace Moreau <grace@example.com>"
LAST_WEEK = "2026-06-01T09:00:00+0000"
IGNORED = "/*.ipynb\n.ipynb_checkpoints/\n/practice/\n/.draft-*\n__pycache__/\n*.py[cod]\n"
# Of a user's settings, those that would break a lesson: who commits, signatures, hooks, line ends,
# files that are ignored, or merged in a way of their own, in all of the user's repositories.
# Refs stay files of their own, because empty folders do not come back from where work is put aside.
SETTINGS = {
    "user.name": "You",
    "user.email": "you@example.com",
    "commit.gpgSign": "false",
    "core.hooksPath": ".git/hooks",
    "core.autocrlf": "input",
    "core.safecrlf": "false",
    "core.fsmonitor": "false",
    "core.excludesFile": "",
    "core.attributesFile": "",
    "merge.ff": "true",
    "merge.verifySignatures": "false",
    "gc.packRefs": "false",
}
# Of git's variables, those that say where git itself is and how it reaches others. The rest lead to
# another repository, or go before every setting: who commits, signatures, what is printed.
KEPT = ("GIT_EXEC_PATH", "GIT_SSH", "GIT_SSL", "GIT_ASKPASS")
AGAIN = "start(9, fresh=True) begins with a project for this chapter."


@dataclass(frozen=True)
class Branch:
    """A branch of Grace's: a revision, and the attribute that a model gains after another one."""

    name: str
    revision: Path
    model: str
    after: str
    column: str


BRANCHES = (
    Branch(
        "company-website",
        ROOT / "alembic" / "versions" / "b1c83e5f7a46_add_companies_website.py",
        "Company",
        "name",
        "    website: Mapped[str | None] = mapped_column({}(200))\n",
    ),
    Branch(
        "job-hours",
        ROOT / "alembic" / "versions" / "5ad0c3e8912f_add_jobs_hours.py",
        "Job",
        "title",
        "    hours: Mapped[int | None]\n",
    ),
)


def protect() -> None:
    """Make `git` in this process's children work in workspace/ alone, and never wait for anybody.

    Where workspace/ is no repository, git finds none: not the clone that the workbook lies in.
    """
    for name in [*os.environ]:
        if name.startswith("GIT_") and not name.startswith(KEPT):
            del os.environ[name]
    os.environ |= {
        "GIT_CEILING_DIRECTORIES": str(home()),
        "GIT_CONFIG_GLOBAL": str(Path(__file__).with_suffix(".gitconfig")),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_EDITOR": ":",  # git knows it: nothing opens, and what is there is taken
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
    }


def make_repository() -> None:
    """Make workspace/ a git repository, the project its first commit, with branches of Grace's.

    What is there stays: a repository is not made anew. Raises WorkbookError.
    """
    protect()
    made = not (home() / "workspace" / ".git").exists()
    if made:
        _begin()
    known = git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    missing = [each for each in BRANCHES if each.name not in known]
    if not missing:
        print("workspace/ is a repository already, and Grace's branches are there.")
        return
    if git("status", "--porcelain", "--", "alembic", "jobboard"):
        raise WorkbookError("Something is not committed: git status names it. Commit it first.")
    for each in missing:
        git("fast-import", "--quiet", "--date-format=rfc2822", given=_commit(each))
    print("workspace/ is a git repository" + (" now, your project its first commit." * made or "."))
    print("Branches of Grace's are there: " + ", ".join(each.name for each in missing) + ".")


def git(*arguments: str, given: bytes = b"") -> str:
    """What git prints, run in workspace/. Raises WorkbookError."""
    place = home() / "workspace"
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=place, input=given, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise WorkbookError("There is no git here: install it, and run this again.") from None
    if done.returncode:
        words = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise WorkbookError(f"git {arguments[0]} stops: {words.splitlines()[0] if words else ''}")
    return done.stdout.decode(errors="replace")


def _begin() -> None:
    """A repository with the project as its first commit. Raises WorkbookError."""
    git("init", "--quiet", "--template=")
    git("symbolic-ref", "HEAD", "refs/heads/main")  # whatever a first branch is called here
    for name, value in SETTINGS.items():
        git("config", name, value)
    exclude = home() / "workspace" / ".git" / "info" / "exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.write_text(IGNORED, encoding="utf-8")
    git("add", ".")
    git("commit", "--quiet", "--date", LAST_WEEK, "-m", "The job board as it is")


def _commit(branch: Branch) -> bytes:
    """A commit of Grace's on top of HEAD, as `git fast-import` reads it. Raises WorkbookError."""
    from alembic.script import ScriptDirectory  # kernels begin with this module: not all want it
    from alembic.util import CommandError

    try:
        [head] = ScriptDirectory(str(home() / "workspace" / "alembic")).get_heads()
    except (CommandError, ValueError):
        raise WorkbookError(f"alembic/versions has not one head: {AGAIN}") from None
    text = branch.revision.read_text(encoding="utf-8")
    text = re.sub(r"(?<=^Revises: ).*", head, text, count=1, flags=re.MULTILINE)
    text = re.sub(
        r"(?<=^down_revision).*= .*",
        rf': Union[str, Sequence[str], None] = "{head}"',
        text,
        count=1,
        flags=re.MULTILINE,
    )
    [message] = re.findall(r'^"""(.*)$', text, re.MULTILINE)[:1]
    [made] = re.findall(r"^Create Date: (.*)$", text, re.MULTILINE)
    when = datetime.fromisoformat(made).replace(tzinfo=UTC).strftime("%a, %d %b %Y %H:%M:%S %z")
    files = {
        f"alembic/versions/{branch.revision.name}": text,
        "jobboard/models.py": _with_column(git("show", "HEAD:jobboard/models.py"), branch),
    }
    lines = [f"commit refs/heads/{branch.name}"]
    lines += [f"{role} {GRACE} {when}" for role in ("author", "committer")]
    stream = "\n".join(lines).encode() + b"\n" + _data(message)
    stream += f"from {git('rev-parse', 'HEAD').strip()}\n".encode()
    for path, content in files.items():
        stream += f"M 100644 inline {path}\n".encode() + _data(content)
    return stream


def _data(text: str) -> bytes:
    content = text.encode()
    return b"data %d\n%b\n" % (len(content), content)


def _with_column(source: str, branch: Branch) -> str:
    """The models with one attribute more, its string type called as theirs is called."""
    lines = source.splitlines(keepends=True)
    try:
        body = ast.parse(source).body
    except SyntaxError:
        raise WorkbookError(f"jobboard/models.py is not Python: {AGAIN}") from None
    for model in body:
        if isinstance(model, ast.ClassDef) and model.name == branch.model:
            for line in model.body:
                if isinstance(line, ast.AnnAssign) and ast.unparse(line.target) == branch.after:
                    lines.insert(line.end_lineno or 0, branch.column.format(*_types(line)))
                    return "".join(lines)
    raise WorkbookError(f"jobboard/models.py has no {branch.model}.{branch.after}: {AGAIN}")


def _types(column: ast.AnnAssign) -> Iterator[str]:
    """How the types of a column are called in its own words: String, or sa.String."""
    for call in ast.walk(column):
        if isinstance(call, ast.Call) and not ast.unparse(call.func).endswith("mapped_column"):
            yield ast.unparse(call.func)
    yield "String"
