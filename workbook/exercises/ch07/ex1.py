"""7.1  Put the steps of a deployment in order."""

import sqlalchemy as sa

from workbook.exercises import Mistake, given
from workbook.exercises.kinds import Order, built

STEPS = {
    "a": "every company without an owner becomes 'unclaimed'",
    "b": "the new application is deployed: it writes user_id",
    "c": "a migration makes user_id NOT NULL",
    "d": "a migration adds user_id, which may be NULL",
}
SQL = {
    "a": "UPDATE companies SET user_id = 'unclaimed' WHERE user_id IS NULL",
    "b": "",
    "c": "ALTER TABLE companies ALTER COLUMN user_id SET NOT NULL",
    "d": "ALTER TABLE companies ADD COLUMN user_id varchar",
}
SIGNUP = {
    False: "INSERT INTO companies (name) VALUES ('New')",
    True: "INSERT INTO companies (user_id, name) VALUES ('new', 'New')",
}
NO_COLUMN = Mistake(
    "a column that is not there yet",
    "Two of the other steps work with user_id, and one of them makes it.",
)
TOO_EARLY = Mistake(
    "required before every row has a value",
    "PostgreSQL looks at the rows that are there, and some have no owner yet.",
)
OLD_APPLICATION = Mistake(
    "rows come in behind the back of the migration",
    "Companies sign up between two steps. As long as the old application serves, they come without an"
    " owner, and whoever was filled in before them does not help.",
)


def try_out(letters: list[str]) -> list[str]:
    """Take the steps, while a company signs up after each; what goes wrong."""
    new = False
    with built() as connection:
        for letter in letters:
            new = new or letter == "b"
            for what, sql in ((STEPS[letter], SQL[letter]), ("the next sign-up", SIGNUP[new])):
                try:
                    connection.exec_driver_sql(sql or "SELECT 1")
                except sa.exc.DBAPIError as error:
                    first = str(error.orig).splitlines()[0]
                    return [f"It stops at a step or after it, {what}: {first}."]
    return []


def wrong(letters: list[str]) -> Mistake | None:
    """The well-known ways to deploy a required column in the wrong order."""
    place = letters.index
    if letters[0] != "d":
        return NO_COLUMN
    if place("c") < place("a"):
        return TOO_EARLY
    return OLD_APPLICATION if place("a") < place("b") else None


EXERCISE = Order(
    lines=STEPS,
    try_out=try_out,
    wrong=wrong,
    mistakes=(NO_COLUMN, TOO_EARLY, OLD_APPLICATION),
    right="d b a c",
    task="put the steps of a deployment in order",
    hints=(
        "Ask of each step what it needs: which column, which rows, which application.",
        "From when on does no company come in without an owner any more? Only then can the last of"
        " them be filled in.",
    ),
    why="The column comes first, and takes anything. Then the source of empty rows dries up, then those"
    " that are left get a value, and only then can a value be required.",
    passed="You can require a column while people sign up.",
)

WRONG = [
    *given(NO_COLUMN.name, "b d a c", name="the application first"),
    *given(NO_COLUMN.name, "a d b c", name="fill first"),
    *given(NO_COLUMN.name, "c d b a", name="NOT NULL first"),
    *given(TOO_EARLY.name, "d c b a", name="NOT NULL second"),
    *given(TOO_EARLY.name, "d b c a", name="NOT NULL before the values"),
    *given(TOO_EARLY.name, "d c a b", name="NOT NULL second, the application last"),
    *given(OLD_APPLICATION.name, "d a b c", name="fill before the application"),
    *given(OLD_APPLICATION.name, "d a c b", name="the application last"),
    *given("Use each of the letters a b c d once", "d b a", name="a step left out"),
    *given("Use each of the letters a b c d once", "d b a c a", name="filled twice"),
]
RIGHT = given("", ["d", "b", "a", "c"], "DBAC", "d, b, a, c")
