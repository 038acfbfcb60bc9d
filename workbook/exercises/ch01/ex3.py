"""1.3  Put the lines of a model in order."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Models, Order

LINES = {
    "a": "    name: Mapped[str]",
    "b": '    __tablename__ = "skills"',
    "c": "    id: Mapped[int] = mapped_column(primary_key=True)",
    "d": "class Skill(Base):",
    "e": "from jobboard.database import Base",
    "f": "from sqlalchemy.orm import Mapped, mapped_column",
}
IMPORTED = Mistake(
    "a name is used before it is imported",
    "Python reads from the top: what a line uses has to stand above it.",
)
INDENTED = Mistake(
    "the indented lines belong to the class",
    "An indented line is part of the block that begins above it, and here that is the class.",
)


def source(letters: Iterable[str]) -> str:
    """The model that the lines make in this order."""
    return "\n".join(LINES[each] for each in letters)


def skill(letters: list[str]) -> list[str]:
    """What is wrong with the model that these lines make, in this order."""
    right = source(EXERCISE.right.split())
    model = Models(code=right, task="", hints=(), why="", passed="")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        found = model.judged(source(letters), Path(name).resolve()).lines
    return [line.replace(" of the cell: ", " of your order: ") for line in found]


def mistake(letters: list[str]) -> Mistake | None:
    """The well-known ways to get the order of a class wrong."""
    place = letters.index
    if place("d") < max(place("e"), place("f")):
        return IMPORTED
    if place("d") > min(place("a"), place("b"), place("c")):
        return INDENTED
    return None


EXERCISE = Order(
    lines=LINES,
    right="e f d b c a",
    try_out=skill,
    wrong=mistake,
    mistakes=(IMPORTED, INDENTED),
    task="put the lines of a model in order",
    hints=(
        "The imports come first, the class next, its indented lines last.",
        "Among the imports, and among the columns, the order is yours to choose.",
    ),
    why="Python reads from the top; between the two imports, and between the lines inside the"
    " class, the order does not matter.",
    passed="You know what a model is made of.",
)

WRONG = [
    *given(IMPORTED.name, "d b c a e f", name="the class comes first"),
    *given(IMPORTED.name, "e d f b c a", name="one import below the class"),
    *given(INDENTED.name, "e f c d b a"),
    *given("Use each of the letters a b c d e f once", "e f d b c", "e f d b c a a", "1 2 3 4 5 6"),
]
RIGHT = given("", "f e d a b c", ["E", "F", "D", "C", "A", "B"], " e, f, d, b, a, c. ")
