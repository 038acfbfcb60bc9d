"""14.2  How many rows stand in the way."""

from workbook.exercises import Mistake, given
from workbook.exercises.inherited import taken_over
from workbook.exercises.kinds import FindOut

OTHERS = Mistake(
    "those that are no trouble",
    "So many rows have a value there, and they are what the rule asks for.",
    "Count the others.",
)
ALL = Mistake(
    "all rows of the table",
    "So many rows there are. Most of them are what the rule asks for.",
    "Count those that break it.",
)
TOLERATED = Mistake(
    "rows that may stay as they are",
    "NULLs there are, and no revision forbids them in that column.",
    "Which of the pending revisions makes a rule for rows that are there already?",
)
ZERO = Mistake(
    "a comparison with NULL",
    "Nothing equals NULL, not even NULL, so a comparison with = finds no row.",
    "SQL asks with IS NULL.",
)

EXERCISE = FindOut(
    question=lambda: sum(row["contact"] is None for row in taken_over()[1]["companies"]),
    right="8",
    wrong={"32": OTHERS, "40": ALL, "120": ALL, "17": TOLERATED, "20": TOLERATED, "0": ZERO},
    task="count the rows that would stop an upgrade",
    hints=(
        "Read the five pending files. One of them makes no column and no index: it makes a rule.",
        "The rule is about companies.contact. Which rows break it?",
        "SELECT count(*) with a WHERE that finds the missing ones.",
    ),
    why="SET NOT NULL reads all rows, and stops at the first that has no contact. Eight companies have"
    " none.",
    passed="You ask the rows before a rule does.",
)

WRONG = [
    *given(OTHERS.name, 32, "32"),
    *given(ALL.name, 40, 120),
    *given(TOLERATED.name, 17, 20),
    *given(ZERO.name, 0),
    *given("That is not what comes out", 5, "many", "seven", -8.5),
    *given("Not attempted yet", "____", "", None),
]
RIGHT = given("", 8, "8", 8.0, "8 companies", [(8,)])
