"""2.2  Put revisions in order."""

import tempfile
from pathlib import Path

from workbook import project
from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Order
from workbook.exercises.trial import lay_out

LINES = {  # revision and down_revision, as the lesson's table shows them
    "a": '`"52d8"` | `"e07c"`',
    "b": '`"1b20"` | `"52d8"`',
    "c": '`"e07c"` | `"93fa"`',
    "d": '`"93fa"` | `None`',
}
WRONG_CHAINS = {
    "badc": Mistake(
        "names are for people",
        "That is the order of the files' names. Alembic does not read it from them: you may rename"
        " the files.",
    ),
    "acdb": Mistake(
        "dates are for people",
        "That is the order of the dates. Create Date is a comment: two people can make revisions in"
        " the same minute, and only one of them can come first.",
    ),
    "bacd": Mistake(
        "newest first",
        "So alembic history would list them. Applied, they begin at the other end.",
    ),
}


def chain(letters: list[str]) -> list[str]:
    """What is wrong with this order of the revisions, by Alembic itself."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        versions = lay_out(Path(name), [])
        for letter, line in LINES.items():
            revision, down = line.replace("`", "").split(" | ")
            ids = f"revision = {revision}\ndown_revision = {down}\n"
            (versions / f"{letter}.py").write_text(ids, encoding="utf-8")
        walk = [Path(each.path).stem for each in project.scripts(Path(name)).walk_revisions()]
    for letter, right in zip(letters, reversed(walk), strict=True):
        if letter != right:
            id = LINES[letter].split('"')[1]
            return [f"When Alembic gets to {id}, the revision before it is not applied yet."]
    return []


EXERCISE = Order(
    lines=LINES,
    right="d c a b",
    try_out=chain,
    wrong=lambda letters: WRONG_CHAINS.get("".join(letters)),
    mistakes=(*WRONG_CHAINS.values(),),
    task="put revisions in order",
    hints=(
        "Two columns of the table count, and neither the names nor the dates are in them.",
        "Begin with the revision that has none before it. Then look for the one that names it.",
    ),
    why="Each revision names the one before it in down_revision. Like links of a chain, that gives"
    " the order.",
    passed="You know how revisions find their order.",
)

WRONG = [
    *given("names are for people", "b a d c"),
    *given("dates are for people", "a c d b"),
    *given("newest first", "b a c d"),
    *given("When Alembic gets to 52d8, the revision before it is not applied yet.", "a b c d"),
    *given("When Alembic gets to 1b20", "d c b a", name="the last two swapped"),
    *given("Use each of the letters a b c d once", "d c a"),
]
RIGHT = given("", "d, c, a, b")
