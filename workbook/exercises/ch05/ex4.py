"""5.4  Correct a revision of your own."""

import sqlalchemy as sa

from workbook.contents import INIT
from workbook.exercises import Mistake, given
from workbook.exercises.ch05 import made_up
from workbook.exercises.kinds import Order

STEPS = {
    "a": "alembic upgrade head",
    "b": "correct the name in the file, in both functions",
    "c": "commit the file and push it",
    "d": "alembic downgrade -1",
}
SLIP = """
from alembic import op
import sqlalchemy as sa
def upgrade():
    op.add_column("jobs", sa.Column("locaton", sa.String()))
def downgrade():
    op.drop_column("jobs", "locaton")
"""
UNTRIED = Mistake(
    "shared before it was tried",
    "Once others have the file, they may have applied it. Try it first, share it last.",
)
EDITED = Mistake(
    "the way back is edited before it is taken",
    "downgrade() would look for the new name, and the table still has the old one.",
)
TOO_EARLY = Mistake(
    "the upgrade comes too early", "It applies the file as it stands: with the slip in it."
)


def try_out(letters: list[str]) -> list[str]:
    """Take the steps on a database that is at the revision with the slip; what goes wrong."""
    with made_up({"slip": SLIP}, after=INIT) as made:
        made.run("alembic upgrade head")
        for letter in letters:
            if letter == "b":
                file = made.file("slip")
                file.write_text(file.read_text().replace("locaton", "location"))
            elif letter != "c":
                try:
                    made.run(STEPS[letter])
                except sa.exc.DBAPIError as error:
                    first = str(error.orig).splitlines()[0]
                    return [f"It stops at {STEPS[letter]}: {first}."]
        columns = {each["name"] for each in sa.inspect(made.connection).get_columns("jobs")}
    return [] if "location" in columns else ["In the end, jobs has no column location."]


def wrong(letters: list[str]) -> Mistake | None:
    """The well-known ways to correct an applied revision in the wrong order."""
    place = letters.index
    if place("b") < place("d"):
        return EDITED
    if place("a") < place("b"):
        return TOO_EARLY
    return UNTRIED if letters[-1] != "c" else None


EXERCISE = Order(
    lines=STEPS,
    try_out=try_out,
    wrong=wrong,
    mistakes=(UNTRIED, EDITED, TOO_EARLY),
    right="d b a c",
    task="correct a revision of your own",
    hints=(
        "Which of the steps needs the file as it is now, with the slip?",
        "As in this section: the database steps back while the file can still tell it how.",
    ),
    why="First back, with the file that brought you here; then the correction, then up again to try"
    " it; and only what was tried is shared.",
    passed="You can correct a revision that nobody else has.",
)

WRONG = [
    *given(UNTRIED.name, "c d b a", name="commit first"),
    *given(UNTRIED.name, "d b c a", name="commit before the upgrade"),
    *given(EDITED.name, "b d a c", name="edit first"),
    *given(EDITED.name, "a b c d", name="as they stand"),
    *given(TOO_EARLY.name, "a d b c", name="upgrade first"),
    *given("Use each of the letters a b c d once", "d b a a c", name="a step twice"),
]
RIGHT = given("", ["d", "b", "a", "c"])
