"""The well-known mistakes that more than one exercise meets, by what they show in.

Each was made on the versions in the lock and seen to give what it is recognised by. None gives the
answer away. The first that fits is told: what stops a trial comes before what is different.
"""

from workbook.exercises import Mistake
from workbook.exercises.trial import Trial
from workbook.schema import Column


def differing(trial: Trial) -> list[tuple[Column, Column]]:
    """The columns that differ: have, want. None where a table or a column is missing altogether."""
    if trial.up is None or any(
        table not in trial.up.tables or goal.columns.keys() - trial.up.tables[table].columns.keys()
        for table, goal in trial.goal.tables.items()
    ):
        return []
    return [
        (trial.up.tables[table].columns[name], want)
        for table, goal in trial.goal.tables.items()
        for name, want in goal.columns.items()
        if trial.up.tables[table].columns[name] != want
    ]


def only_null_differs(trial: Trial, allows_too_much: bool) -> bool:
    """Whether the columns that differ have the right types, and nothing but NOT NULL is wrong."""
    found = differing(trial)
    return bool(found) and all(
        have.type == want.type
        and have.nullable is allows_too_much
        and want.nullable is not have.nullable
        for have, want in found
    )


def lengths_differ(trial: Trial) -> bool:
    """Whether a string has another length than the one asked for."""
    found = differing(trial)
    return any(
        have.type.startswith("character varying")
        and want.type.startswith("character varying")
        and have.type != want.type
        for have, want in found
    )


def counts_otherwise(trial: Trial) -> bool:
    """Whether an identity stands where a serial does, and nothing else is wrong with the columns."""
    found = differing(trial)
    return bool(found) and all(
        have.type == want.type and have.generated and want.default == "serial"
        for have, want in found
    )


def lacks(trial: Trial, kind: str) -> bool:
    """Whether a table that is there with its columns lacks any constraint of this contype."""
    return trial.up is not None and any(
        table in trial.up.tables
        and goal.columns.keys() <= trial.up.tables[table].columns.keys()
        and kind in {each.kind for each in goal.constraints}
        and kind not in {each.kind for each in trial.up.tables[table].constraints}
        for table, goal in trial.goal.tables.items()
    )


def without_quotes(trial: Trial) -> bool:
    """Whether the name that Python did not know is the name of a table or a column."""
    tables = {**trial.before.tables, **trial.goal.tables}
    columns = {name for table in tables.values() for name in table.columns}
    return trial.unknown() in tables.keys() | columns


IDENTITY = Mistake(
    "another way to count",
    "An identity column counts up by itself, as SQL's standard has it, and is a good choice for tables of"
    " your own. The tables here use serial, and the chapters that follow count on it.",
    "An integer primary key becomes a serial by itself: nothing has to be said.",
    counts_otherwise,
)
