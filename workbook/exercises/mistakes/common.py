"""What mistakes in models and in migrations are both recognised by, and those that both know."""

import ast
import re
from collections.abc import Callable, Iterable

from workbook import schema
from workbook.exercises import ANY, Mistake
from workbook.exercises.trial import Trial
from workbook.schema import Column


def differing(trial: Trial) -> list[tuple[str, Column, Column]]:
    """The columns that differ: name, have, want. None where a table or a column is missing altogether."""
    if trial.up is None or any(
        table not in trial.up.tables or goal.columns.keys() - trial.up.tables[table].columns.keys()
        for table, goal in trial.goal.tables.items()
    ):
        return []
    return [
        (f"{table}.{name}", trial.up.tables[table].columns[name], want)
        for table, goal in trial.goal.tables.items()
        for name, want in goal.columns.items()
        if trial.up.tables[table].columns[name] != want
    ]


def about(names: Iterable[str]) -> str:
    """Where a mistake is, in words; nothing where it is nowhere."""
    found = sorted(set(names))
    return f"It is about {' and '.join(found)}." if found else ""


def otherwise(trial: Trial, differs: Callable[[Column, Column], bool], alone: bool = True) -> str:
    """Where columns differ in this way, in words; `alone`: and none in another way."""
    found = differing(trial)
    fits = {name for name, have, want in found if differs(have, want)}
    return about(fits) if not alone or len(fits) == len(found) else ""


def only_null_differs(trial: Trial, allows_too_much: bool) -> str:
    """Where NOT NULL alone is wrong: the columns have the right types."""
    return otherwise(
        trial,
        lambda have, want: (
            have.type == want.type and want.nullable < have.nullable
            if allows_too_much
            else have.type == want.type and have.nullable < want.nullable
        ),
    )


def lengths_differ(trial: Trial) -> str:
    """Where a string has another length than the one asked for."""
    return otherwise(
        trial,
        lambda have, want: (
            have.type != want.type
            and have.type.startswith(schema.STRING)
            and want.type.startswith(schema.STRING)
        ),
        alone=False,
    )


def counts_otherwise(trial: Trial) -> str:
    """Where an identity stands in place of a serial, and nothing else is wrong with the columns."""
    return otherwise(
        trial,
        lambda have, want: (
            have.type == want.type and bool(have.generated) and want.default == "serial"
        ),
    )


def lacks(trial: Trial, kind: str) -> str:
    """On which columns a table that is there lacks its constraint, and has no other of this contype."""
    return about(
        f"{table}.{each.definition.partition('(')[2].partition(')')[0]}"
        for table, goal in trial.goal.tables.items()
        if trial.up is not None
        and table in trial.up.tables
        and goal.columns.keys() <= trial.up.tables[table].columns.keys()
        for each in goal.constraints
        if each.kind == kind
        and kind not in {each.kind for each in trial.up.tables[table].constraints}
    )


def key_says(trial: Trial, pattern: str, *names: str) -> list[ast.Constant]:
    """The texts in foreign keys, or in the calls of these names, that fit a pattern."""
    return [
        text
        for name in names or ("ForeignKey", "ForeignKeyConstraint", "create_foreign_key")
        for call in trial.calls(name)
        for text in ast.walk(call)
        if isinstance(text, ast.Constant) and re.fullmatch(pattern, str(text.value))
    ]


def in_square_brackets(trial: Trial) -> list[ast.Subscript]:
    """What is called with square brackets."""
    called = r"(sa|op)\..*|ForeignKey|String|mapped_column|relationship"
    return [
        each
        for each in ast.walk(trial.tree)
        if isinstance(each, ast.Subscript) and re.fullmatch(called, ast.unparse(each.value))
    ]


def misspelt(trial: Trial) -> str:
    """Which new names are right but for capitals, or spaces around them."""
    if trial.up is None:
        return ""
    have, want = (
        {table: {*found.columns} for table, found in each.tables.items()}
        for each in (trial.up, trial.goal)
    )
    pairs = [("", {*have}, {*want})]
    pairs += [(f"{each}.", have[each], want[each]) for each in have.keys() & want.keys()]
    return about(
        f'{table}"{name}"'
        for table, mine, goal in pairs
        for name in mine - goal
        if name.strip().lower() in goal - mine
    )


def without_quotes(trial: Trial) -> bool:
    """Whether the name that Python did not know is a table's, a column's or an enum's value."""
    tables = {**trial.before.tables, **trial.goal.tables}
    columns = {name for table in tables.values() for name in table.columns}
    values = {value for values in trial.goal.enums.values() for value in values}
    return trial.unknown() in tables.keys() | columns | values


IDENTITY = Mistake(
    "another way to count",
    "An identity column counts up by itself, as SQL's standard has it, and is a good choice for tables of"
    " your own. The tables here use serial, and the chapters that follow count on it.",
    "An integer primary key becomes a serial by itself: nothing has to be said.",
    counts_otherwise,
)
SQUARE = Mistake(
    "square brackets in place of round ones",
    "In Python, square brackets pick something out, and round ones hand something over.",
    "Compare the brackets with a line that works.",
    in_square_brackets,
)
SPELT = Mistake(
    "a name is compared letter by letter",
    "Capital letters and spaces are a part of a name once it stands in quotes, and the database has a"
    " name that nearly is the one asked for.",
    "Compare the name with the task, letter by letter.",
    misspelt,
)
DOTTED = Mistake(
    "a foreign key names table and column",
    "Text without a full stop does not say which column of which table a row belongs to.",
    "Write the table, a full stop, and the column, as one text.",
    lambda t: (
        [
            text
            for name in t.said("(?:for ForeignKey|could not find table) '([^'.]*)'")
            for text in key_says(t, re.escape(name))
        ]
        or (t.failed("NoForeignKeysError") and key_says(t, r"[^.]+"))
        or (
            t.failed("InvalidForeignKey")  # the name of a table, its column left to PostgreSQL
            and key_says(t, "|".join(t.goal.tables), "ForeignKey", "ForeignKeyConstraint")
        )
    ),
    step=ANY,
)
