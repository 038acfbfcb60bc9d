"""9.1  What a re-parented revision does where it is applied."""

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Choose

LOOKS = Mistake(
    "an upgrade that looks for gaps",
    "Alembic keeps no list of what has run: it walks from the id in alembic_version to the head."
    " Nothing lies between the two here, so there is nothing to walk.",
    "What lies below that id counts as applied. Where does hers lie now?",
)
TWICE = Mistake(
    "a revision that runs twice",
    "A revision runs when the walk passes it, and the walk begins above the id in alembic_version."
    " Yours is that id: it is behind the walk.",
    "Where does the walk begin on the test server, and where does it end?",
)
GUARDED = Mistake(
    "an upgrade that compares files",
    "Alembic compares ids. It has never stored what a file said, or which revision it came after.",
    "The id of your revision is the same as before. What will Alembic notice?",
)

EXERCISE = Choose(
    wrong={"a": LOOKS, "b": TWICE, "d": GUARDED},
    right="c",
    task="say what a re-parented revision does where it is applied",
    hints=(
        "What does alembic_version hold on the test server, before and after?",
        "An upgrade walks from that id to the head. Draw the line and mark both ends.",
    ),
    why="The test server's id is the head already. Hers has slipped in below it, and what is below"
    " counts as applied: no error, no column.",
    passed="You know what re-parenting costs, and where it is paid.",
)

WRONG = [
    *given(LOOKS.name, "a", "A", " (a) "),
    *given(TWICE.name, "b", "b."),
    *given(GUARDED.name, "d", "D"),
    *given("Answer with one of the letters", "e", "nothing runs", "c or b", 3),
    *given("Not attempted yet", "____", ""),
]
RIGHT = given("", "c", "C", "(c)", " c ")
