"""12.5  The steps of a rename, in order."""

from collections.abc import Iterator

import sqlalchemy as sa

from workbook.exercises import Mistake, given
from workbook.exercises.ch12.ex4 import MAKE, TRIGGER
from workbook.exercises.kinds import Order
from workbook.exercises.trial import answering
from workbook.server import database

LINES = {
    "a": "deploy the new release, which reads and writes homepage, beside the old one",
    "b": "end the old release, which reads and writes website",
    "c": "alembic upgrade: drop the trigger, its function and website",
    "d": "alembic upgrade: copy website to homepage, in batches",
    "e": "deploy a newer release, with website unmapped, in place of a's",
    "f": "alembic upgrade: add homepage, and a trigger that keeps both equal",
}
BEFORE = """
CREATE TABLE companies (id serial PRIMARY KEY, website text);
INSERT INTO companies (website) VALUES ('https://borealis.example');
"""
SQL = {
    "c": "DROP TRIGGER same_page ON companies; DROP FUNCTION same_page();"
    " ALTER TABLE companies DROP website",
    "d": "UPDATE companies SET homepage = website",
    "f": f"ALTER TABLE companies ADD homepage text; {MAKE}; {TRIGGER}",
}
# What a release sends: how it adds a company, and what it reads. The new one maps both columns.
SENDS = {
    "old": ("INSERT INTO companies (website) VALUES ('x')", "SELECT website FROM companies"),
    "new": (
        "INSERT INTO companies (website, homepage) VALUES (NULL, 'x')",
        "SELECT homepage, website FROM companies",
    ),
    "last": ("INSERT INTO companies (homepage) VALUES ('x')", "SELECT homepage FROM companies"),
}
NAMES = {"old": "the old release", "new": "the new release", "last": "the release without website"}


def problems(letters: list[str]) -> Iterator[str]:
    """What goes wrong in this order, with both releases asked after each step."""
    serving = ["old"]
    with database.scratch() as connection:
        connection.exec_driver_sql(BEFORE)
        for letter in letters:
            if letter == "e" and "new" not in serving:
                yield "At e there is no new release yet whose place another one could take."
                return
            served = {"a": [*serving, "new"], "b": [each for each in serving if each != "old"]}
            served["e"] = ["last" if each == "new" else each for each in serving]
            serving = served.get(letter, serving)
            if not serving:
                yield f"After {letter} nothing serves."
                return
            try:
                connection.exec_driver_sql(SQL.get(letter, "SELECT 1"))
            except sa.exc.DBAPIError as error:
                yield f"At {letter} PostgreSQL says: {answering(error)}."
                return
            yield from (
                f"After {letter}, {each}." for each in map(asked(connection), serving) if each
            )


def asked(connection: sa.Connection):  # type: ignore[no-untyped-def]
    """A function that asks a release: what is wrong with its answer, in words; "": nothing."""

    def ask(release: str) -> str:
        add, read = SENDS[release]
        try:
            connection.exec_driver_sql(add)
            found = connection.exec_driver_sql(read).all()
        except sa.exc.DBAPIError as error:
            return f"{NAMES[release]} fails: {answering(error)}"
        missing = any(row[0] is None for row in found)
        return f"{NAMES[release]} shows a company without its page" if missing else ""

    return ask


EMPTY = Mistake(
    "a switch before the copy",
    "The trigger fills what is written from now on. What was there before has to be copied first.",
)
SERVED = Mistake(
    "a column is dropped under those who use it",
    "Whoever names it in a statement gets an error from that moment on, and a class names all columns"
    " that it maps.",
)
UNKNOWN = Mistake(
    "a release before its column",
    "The new release names homepage in each statement, and it is not there yet.",
)


def mistake(letters: list[str]) -> Mistake | None:
    """The well-known ways to get the order of the steps wrong."""
    place = letters.index
    if place("c") < place("f"):
        return None  # PostgreSQL says it: there is nothing to drop
    if place("a") < place("f"):
        return UNKNOWN
    if place("f") < place("a") < place("d"):
        return EMPTY
    if place("f") < place("c") and place("c") < max(place("b"), place("e")):
        return SERVED
    return None


EXERCISE = Order(
    lines=LINES,
    right="f d a b e c",
    try_out=lambda letters: list(problems(letters)),
    wrong=mistake,
    mistakes=(EMPTY, SERVED, UNKNOWN),
    task="put the steps of a rename in order",
    hints=(
        "Ask of each step: what has to be in the table, and what must not be running any more?",
        "The column comes before the release that uses it, and goes after the last that names it.",
    ),
    why="After each step whatever serves finds what it names, filled. The old release may also end after"
    " e: by then nobody but it names website.",
    passed="You can plan a change of many steps, and say why none may come earlier.",
)

WRONG = [
    *given(EMPTY.name, "f a d b e c", "f a b e c d"),
    *given(SERVED.name, "f d a b c e", "f d a e c b", "f d c a b e"),
    *given(UNKNOWN.name, "a f d b e c", "d a f b e c"),
    *given("After b nothing serves.", "f d b a e c"),
    *given("At e there is no new release yet", "f d e a b c"),
    *given("At d PostgreSQL says", "d f a b e c"),
    *given("At c PostgreSQL says", "c e b a d f"),
    *given("Use each of the letters", "f d a b e"),
    *given("Not attempted yet", "____"),
]
RIGHT = given("", "f d a b e c", "f d a e b c", "F, D, A, B, E, C")
