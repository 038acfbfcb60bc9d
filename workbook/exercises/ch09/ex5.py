"""9.5  Merge a branch, and its migrations, alone."""

import re

import sqlalchemy as sa

from workbook import WorkbookError, project
from workbook.exercises import Mistake, Outcome, cells
from workbook.exercises.applied import STATES, applied
from workbook.exercises.kinds import Do, not_attempted, text
from workbook.exercises.trial import known, not_yet
from workbook.repository import BRANCHES, git

BRANCH = BRANCHES[1]
HOURS = BRANCH.revision.name.partition("_")[0]
PATH = f"alembic/versions/{BRANCH.revision.name}"
CONFLICT = Mistake(
    "a merge that is not finished",
    "git has put together what it could and waits for you: nothing is committed yet. Where the same"
    " lines were changed on both sides, it is a conflict.",
    "git status names the files. Mend what is in conflict, git add, and commit.",
)
COPIED = Mistake(
    "her files without her commit",
    "A squash, a cherry-pick or a copied file makes a commit of your own. git does not know that the"
    " branch is in main, and will bring it in once more.",
    "git merge takes the branch as it is, even now.",
)
UNKNOWN_TO_MODELS = Mistake(
    "a column that the models do not know",
    "Her revision makes jobs.hours, and her line in Job is not in jobboard/models.py: the next"
    " --autogenerate would draft that the column is dropped.",
    "git show job-hours shows both halves of her commit.",
)
TWO_HEADS = Mistake(
    "still two heads",
    "git has put the files together. Both of these revisions still come last, so the next upgrade"
    " stops.",
    "Tie them together with a revision that comes after both, or let one come after the other.",
)
GONE = Mistake(
    "a colleague's revision is gone",
    "There is one head because her file is not there. On her machine it is applied, and her column"
    " will not come to yours.",
    "Bring it back: git restore takes a file from a branch with --source.",
)
UNCOMMITTED = Mistake(
    "one head, on your machine only",
    "What makes one head of two is not committed. Whoever pulls main has two heads.",
    "git status names it: git add, then git commit.",
)
ELSEWHERE = Mistake(
    "another branch than main",
    "The deployment takes main, and what you have made is not there.",
    "git switch main, and merge there what you have.",
)


def merged(connection: sa.Connection) -> Outcome:
    """Whether the branch is on main, with one head, and the database at it."""
    if not (project.workspace() / ".git").exists():
        return not_attempted("There is no repository yet: run the cell with make_repository first.")
    try:
        inside = git("for-each-ref", "--merged=HEAD", "--format=%(refname:short)").split()
        files = git("ls-tree", "-r", "--name-only", "HEAD").split()
        gone = not git("for-each-ref", f"refs/heads/{BRANCH.name}")
        state, here = git("status", "--porcelain"), git("branch", "--show-current").strip()
    except WorkbookError as error:
        return not_yet(str(error))
    if (project.workspace() / ".git" / "MERGE_HEAD").exists():
        return known(CONFLICT, *[each for each in state.splitlines() if "U" in each[:2]][:2])
    if BRANCH.name not in inside and not (gone and PATH in files):  # merged, it may be deleted
        if PATH in files:
            return known(COPIED)
        return not_attempted(f"{BRANCH.name} is not merged into {here or 'HEAD'} yet.")
    try:
        scripts = project.scripts(project.workspace())
        heads, ids = scripts.get_heads(), {each.revision for each in scripts.walk_revisions()}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a file there can do
        if HOURS in str(error) and isinstance(error, KeyError):
            return known(GONE)
        return not_yet(f"Alembic cannot read the revisions: {type(error).__name__}: {error}.")
    if HOURS not in ids:
        return known(GONE)
    if len(heads) > 1:
        return known(TWO_HEADS, f"They are {' and '.join(sorted(heads))}.")
    models = text(project.workspace() / "jobboard" / "models.py")
    if not re.search(r"^ +hours\b", models, re.MULTILINE):
        return known(UNKNOWN_TO_MODELS)
    outcome = applied(connection)
    if outcome.kind == "not attempted":
        return not_yet("There is one head. Now bring the database to it.")
    if outcome.kind != "done":
        return outcome
    if here != "main":
        return known(ELSEWHERE, f"You are on {here or 'no branch'}.")
    return known(UNCOMMITTED, *state.splitlines()[:2]) if state else outcome


MERGE = "!git merge job-hours"
HEAD = '!alembic merge heads -m "merge hours"'
UP = "!alembic upgrade head"
COMMIT = '!git add .\n!git commit -m "merge hours"'

EXERCISE = Do(
    look=merged,
    shown="# your commands",
    done=f"{MERGE}\n\n{HEAD}\n\n{UP}\n\n{COMMIT}",
    above=(
        "from workbook import make_repository, show_changes, show_drift, show_history\n\nmake_repository()",
        "!git merge company-website",
    ),
    mistakes=(
        CONFLICT,
        COPIED,
        UNKNOWN_TO_MODELS,
        TWO_HEADS,
        GONE,
        UNCOMMITTED,
        ELSEWHERE,
        *STATES,
    ),
    task="merge a branch and its migrations alone",
    hints=(
        "Two merges: git's for the files, and one that leaves the history a single head.",
        'After !git merge job-hours, !alembic merge heads -m "..." makes the revision that ties both'
        " ends.",
        "Then alembic upgrade head, git add and git commit.",
    ),
    why="git puts the files together, the merge revision the history. It belongs to the commit, so that"
    " everybody has the one head.",
    passed="You can merge a colleague's migrations, and leave one head for everybody.",
)

REPARENT = f"""
from pathlib import Path

theirs, ours = Path("{PATH}"), "{BRANCHES[0].revision.name.partition("_")[0]}"
theirs.write_text(theirs.read_text().replace('"93d7a5e20c4b"', f'"{{ours}}"'))
"""
CLASH = """
from pathlib import Path

models = Path("jobboard/models.py")
title = "    title: Mapped[str] = mapped_column(String(100))\\n"
models.write_text(models.read_text().replace(title, title + "    place: Mapped[str | None]\\n"))
!git commit -am "a line at the same place"
"""
OURS = "!git checkout --ours jobboard/models.py"
WRONG = [
    cells("nothing", says="Not attempted yet"),
    cells("upgraded, and nothing merged", UP, says="Not attempted yet"),
    cells("git's merge alone", MERGE, says="still two heads"),
    cells("all heads are applied", MERGE, "!alembic upgrade heads", says="still two heads"),
    cells("merged and not applied", MERGE, HEAD, COMMIT, says="and the head is"),
    cells("applied and not committed", MERGE, HEAD, UP, says="one head, on your machine only"),
    cells(
        "her file is deleted", MERGE, f"!git rm {PATH}", UP, says="a colleague's revision is gone"
    ),
    cells(
        "her file is deleted after all",
        MERGE,
        HEAD,
        UP,
        COMMIT,
        f"!git rm {PATH}",
        says="a colleague's revision is gone",
    ),
    cells(
        "git waits",
        "!git merge --no-commit job-hours",
        HEAD,
        UP,
        says="a merge that is not finished",
    ),
    cells(
        "squashed",
        "!git merge --squash job-hours",
        HEAD,
        UP,
        COMMIT,
        says="her files without her commit",
    ),
    cells("a conflict", CLASH, MERGE, says="a merge that is not finished"),
    cells(
        "a conflict, hers left out",
        CLASH,
        MERGE,
        OURS,
        HEAD,
        UP,
        COMMIT,
        says=UNKNOWN_TO_MODELS.name,
    ),
    cells(
        "the new file is not added", MERGE, HEAD, UP, "!git commit -am hours", says=UNCOMMITTED.name
    ),
    cells(
        "git keeps ours", "!git merge -s ours job-hours", UP, says="a colleague's revision is gone"
    ),
    cells("stamped", MERGE, HEAD, "!alembic stamp head", COMMIT, says="The tables are not what"),
    cells(
        "stamped on nothing",
        MERGE,
        HEAD,
        "%sql DROP TABLE jobs, companies",
        "!alembic stamp head",
        COMMIT,
        says="an id without its tables",
    ),
    cells(
        "the row is gone",
        MERGE,
        HEAD,
        UP,
        COMMIT,
        "%sql DROP TABLE alembic_version",
        says="tables without a migration",
    ),
    cells(
        "the merge revision on another branch",
        "!git switch -c both",
        MERGE,
        HEAD,
        UP,
        COMMIT,
        says="another branch than main",
    ),
    cells(
        "applied, then on another branch",
        MERGE,
        HEAD,
        UP,
        COMMIT,
        "!git switch company-website",
        says="job-hours is not merged into company-website yet.",
    ),
    cells(
        "re-parented onto itself",
        MERGE,
        REPARENT.replace("f\"'{ours}'\"", "").replace("f'\"{ours}\"'", f"'\"{HOURS}\"'"),
        says="Alembic cannot read the revisions",
    ),
    cells(
        "back to where it began",
        MERGE,
        HEAD,
        UP,
        COMMIT,
        "!alembic downgrade 93d7a5e20c4b",
        says="and the head is",
    ),
    cells(
        "the column by hand",
        MERGE,
        HEAD,
        "%sql ALTER TABLE jobs ADD hours integer",
        COMMIT,
        says="and the head is",
    ),
]
REBASE = "!git switch job-hours\n!git rebase main\n!git switch main"
RIGHT = [
    cells("her revision comes after the head", MERGE, REPARENT, UP, COMMIT),
    cells("the branch is deleted afterwards", MERGE, HEAD, UP, COMMIT, "!git branch -d job-hours"),
    cells("her commit after yours", REBASE, MERGE, HEAD, UP, COMMIT),
    cells("upgraded after the commit", MERGE, HEAD, COMMIT, UP),
    cells("applied before the merge", UP, MERGE, HEAD, UP, COMMIT),
    cells("heads, then the merge", MERGE, "!alembic upgrade heads", HEAD, UP, COMMIT),
    cells(
        "on a branch first",
        "!git switch -c both",
        MERGE,
        HEAD,
        UP,
        COMMIT,
        "!git switch main\n!git merge both",
    ),
]
