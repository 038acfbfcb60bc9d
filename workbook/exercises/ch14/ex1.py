"""14.1  How far a server has come."""

from workbook.exercises import Mistake, given
from workbook.exercises.inherited import START
from workbook.exercises.kinds import FindOut

BELIEVED = Mistake(
    "the row is believed",
    "That is what alembic_version says. A row can be written without running anything, and this"
    " revision's own column is not in the server's tables.",
    "Ask the server for what each revision makes, not for what it is called.",
)
TOO_EARLY = Mistake(
    "an early stop",
    "More than that has run: jobs has a column that this revision does not make.",
    "Go on up the history, and ask for what each revision makes.",
)
NEVER = Mistake(
    "a revision that has not run",
    "Nothing that this revision makes is in the server's tables the way it would be made.",
    "Begin at the bottom of the history, and ask for what each revision makes.",
)
PENDING = (
    "d27b4a91f0c3",
    "e6501c8dba74",
    "3f98b60e2d5a",
    "84c7f25a1eb9",
    "f1d60a3b97c8",
)

EXERCISE = FindOut(
    question=lambda: START.applied[0],
    right="5b21d9c07e46",
    wrong={
        "a9f03e6c8b15": BELIEVED,
        "head": BELIEVED,
        "0c84e1f7a9d2": TOO_EARLY,
        "base": TOO_EARLY,
        **dict.fromkeys(PENDING, NEVER),
    },
    task="find out how far a server has come",
    hints=(
        "alembic_version is one row, and anybody can write it. The tables are what has really run.",
        "Take the revisions from the bottom, and look for what each one makes in the server's tables:"
        " show_changes takes an id.",
        "Of one revision you will find a part. A migration runs whole or not at all, so what does a"
        " part say about its file?",
    ),
    why="jobs.deadline is there, so this revision has run; companies.website is not, so the next one"
    " has not. That jobs.remote is missing says that the file was changed after it ran.",
    passed="You do not believe a row without a look at the tables.",
)

WRONG = [
    *given(BELIEVED.name, "a9f03e6c8b15", "A9F03E6C8B15", "head"),
    *given(TOO_EARLY.name, "0c84e1f7a9d2", "base"),
    *given(NEVER.name, *PENDING),
    *given("That is not what comes out", "5b21", "jobs have a deadline", 2),
    *given("Not attempted yet", "____", "", None),
]
RIGHT = given("", "5b21d9c07e46", "5B21D9C07E46", " '5b21d9c07e46' ", "5b21d9c07e46.")
