"""9.2  Re-parent a revision."""

import ast

from workbook.contents import Start
from workbook.exercises import Mistake, cells, edits
from workbook.exercises.kinds import ROWS, Revision
from workbook.exercises.trial import Trial

MERGED = "7e95d0a2c1b8"
FORK = "93d7a5e20c4b"
OWN = "c41d7a90be25"
CODE = f'''
"""add jobs.salary"""

from alembic import op
import sqlalchemy as sa

revision = "{OWN}"
down_revision = "{MERGED}"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("salary", sa.Integer()))


def downgrade() -> None:
    op.drop_column("jobs", "salary")
'''


def said(trial: Trial, name: str) -> object:
    """What the file says for `revision` or `down_revision`; nothing where it does not say it."""
    for line in trial.tree.body:
        if isinstance(line, ast.Assign | ast.AnnAssign) and isinstance(line.value, ast.expr):
            targets = line.targets if isinstance(line, ast.Assign) else [line.target]
            if [ast.unparse(each) for each in targets] == [name]:
                try:
                    return ast.literal_eval(line.value)
                except ValueError:
                    return ast.unparse(line.value)
    return ""


def placed(trial: Trial) -> bool:
    """Whether the file says what it comes after, be it None."""
    return said(trial, "down_revision") != ""


RENAMED = Mistake(
    "the wrong one of two ids",
    "`revision` is the file's own id. It stays, and has to differ from all others; what the file"
    " comes after stands in the line below it.",
    "Put the old id back, and edit the other line.",
    lambda trial: said(trial, "revision") != OWN,
)
ITSELF = Mistake(
    "a revision that comes after itself",
    "Alembic calls it a loop, and no command works until it is gone.",
    "Name the revision that has to run right before this one.",
    lambda trial: said(trial, "down_revision") == OWN,
)
FIRST = Mistake(
    "a second first revision",
    "None means that nothing comes before it: that is the first revision of a history.",
    "Name the revision that has to run right before this one.",
    lambda trial: said(trial, "down_revision") in (None, ()),
)
PAIR = Mistake(
    "a merge where one line is asked for",
    "With two ids this revision ties two lines together. Here there is one line to follow.",
    "One id is enough: that of the head.",
    lambda trial: (
        isinstance(parents := said(trial, "down_revision"), tuple | list) and len(parents) > 1
    ),
)
NOWHERE = Mistake(
    "an id that no file has",
    "The revision that it names is not there, so the chain has a gap.",
    "Compare the id letter by letter with the one in the task.",
    lambda trial: trial.failed("KeyError", step="read"),
)
UNSAID = Mistake(
    "a file without its ids",
    "Alembic reads `revision` and `down_revision` in every file; without them it can place none.",
    "Put both lines back at the top.",
    lambda trial: trial.tree.body and not (said(trial, "revision") and placed(trial)),
)
FORKED = Mistake(
    "still two heads",
    "The revision that it names is not the head: another one comes after that already, and now two"
    " do.",
    "Which id does the history end at, according to the task?",
    lambda trial: trial.error.name == "heads",
)

EXERCISE = Revision(
    file="salary.py",
    whole=True,
    exact=True,
    start=Start("the merge of both branches", heads=(MERGED,), applied=(MERGED,), rows=ROWS),
    code=CODE,
    shown=CODE.replace(MERGED, FORK),
    mistakes=(UNSAID, RENAMED, ITSELF, FIRST, PAIR, NOWHERE, FORKED),
    task="re-parent a revision of your own",
    hints=(
        "Two ids stand at the top: the file's own, and the one that it comes after.",
        "The file's own id stays. The other has to be the head of the history on main.",
    ),
    why="One line decides the place in the history. Your revision comes after the merge now, and the"
    " merge is no head any more.",
    passed="You can move a revision of your own to the end of a history.",
)

WRONG = [
    *edits(
        EXERCISE.filled,
        f"""
as it was found  | {MERGED}  | {FORK}  | Not attempted yet
a comment alone  | {MERGED}"  | {FORK}"  # after the merge  | Not attempted yet
its own id  | revision = "{OWN}"  | revision = "{MERGED}"  | down_revision = "{MERGED}"  | down_revision = "{FORK}"  | the wrong one of two ids
both ids  | {OWN}  | {MERGED}  | the wrong one of two ids
ids swapped  | {MERGED}  | ?  | {OWN}  | {MERGED}  | ?  | {OWN}  | the wrong one of two ids
after itself  | {MERGED}  | {OWN}  | a revision that comes after itself
after nothing  | "{MERGED}"  | None  | a second first revision
after Grace's  | {MERGED}  | b1c83e5f7a46  | still two heads
after the other branch  | {MERGED}  | 0f4e6b8c2d97  | still two heads
after both branches  | "{MERGED}"  | ("b1c83e5f7a46", "0f4e6b8c2d97")  | a merge where one line is asked for
after the merge and the fork  | "{MERGED}"  | ("{MERGED}", "{FORK}")  | a merge where one line is asked for
a letter wrong  | {MERGED}  | 7e95d0a2c1b9  | an id that no file has
head, by name  | "{MERGED}"  | "head"  | an id that no file has
without quotes  | "{MERGED}"  | head  | Line 8 of the cell: down_revision = head
no such line  | down_revision = "{MERGED}"\\n  |  | a file without its ids
no ids at all  | revision = "{OWN}"\\n  |  | down_revision = "{MERGED}"\\n  |  | a file without its ids
a quote not closed  | "{MERGED}"  | "{MERGED}  | unterminated string literal.
an id of its own  | {OWN}  | aaaaaaaaaaaa  | the wrong one of two ids
depends on the merge  | down_revision = "{MERGED}"  | down_revision = "{FORK}"\\ndepends_on = "{MERGED}"  | still two heads
another column  | salary  | pay  | Missing: the column jobs.salary
nothing on the way back  | op.drop_column("jobs", "salary")  | pass  | a downgrade that does nothing
nothing left of it  | op.add_column("jobs", sa.Column("salary", sa.Integer()))  | pass  | Missing: the column jobs.salary
""",
    ),
    cells("an empty file", EXERCISE.header, says="Not attempted yet"),
]
RIGHT = [
    *edits(
        EXERCISE.filled,
        f"""
a tuple of one  | "{MERGED}"  | ("{MERGED}",)
with annotations  | down_revision =  | down_revision: str =
single quotes  | "{MERGED}"  | '{MERGED}'
with all that Alembic writes  | down_revision =  | branch_labels = None\\ndepends_on = None\\ndown_revision =
""",
    ),
    cells("with Windows line ends", EXERCISE.header + "\r\n" + CODE.strip().replace("\n", "\r\n")),
]
