"""Well-known mistakes: how a trial shows them, and what to tell the learner.

Each was made on the versions in the lock and seen to give the error that it is recognised by.
None of the texts gives the answer away.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from workbook.schema import Column, Schema


@dataclass(frozen=True)
class Trial:
    """What a learner's code did in the scratch database."""

    source: str
    goal: Schema  # after the reference's upgrade
    before: Schema
    up: Schema | None = None  # None: the code did not get that far
    down: Schema | None = None
    error: dict[str, str] = field(default_factory=dict)  # step, name, message, line; empty: none
    probe: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)  # what the probe gives for the reference

    def failed(self, name: str, words: str = "", step: str = "") -> bool:
        """Whether the trial stopped at this error, in this step where one is named."""
        return (
            self.error.get("name") == name
            and words in self.error["message"]
            and step in self.error["step"]
        )

    def code(self) -> str:
        """The source without comments."""
        return re.sub(r"#.*", "", self.source)


@dataclass(frozen=True)
class Mistake:
    """A misconception: its name, why it goes wrong, and how to go on."""

    name: str
    why: str
    how: str
    shown_by: Callable[[Trial], bool]


def _columns(trial: Trial) -> list[tuple[Column, Column]]:
    """The columns that are there and asked for, but not the same: have, want."""
    assert trial.up
    return [
        (trial.up.tables[table].columns[name], want)
        for table, goal in trial.goal.tables.items()
        if table in trial.up.tables
        for name, want in goal.columns.items()
        if name in trial.up.tables[table].columns and trial.up.tables[table].columns[name] != want
    ]


def _only_null_differs(trial: Trial, allows_too_much: bool) -> bool:
    differing = _columns(trial) if trial.up else []
    return bool(differing) and all(
        have.type == want.type
        and have.nullable is allows_too_much
        and want.nullable is not have.nullable
        for have, want in differing
    )


def _lengths_differ(trial: Trial) -> bool:
    differing = _columns(trial) if trial.up else []
    return any(
        have.type.startswith("character varying")
        and want.type.startswith("character varying")
        and have.type != want.type
        for have, want in differing
    )


def _missing_kind(trial: Trial, kind: str) -> bool:
    """Whether a constraint of this pg_constraint.contype is missing in a table that is there."""
    return trial.up is not None and any(
        constraint.kind == kind and constraint not in trial.up.tables[table].constraints
        for table, goal in trial.goal.tables.items()
        if table in trial.up.tables
        for constraint in goal.constraints
    )


def _undone(trial: Trial) -> bool:
    return (
        trial.down is not None
        and trial.up is not None
        and trial.up != trial.before
        and trial.down == trial.up
    )


def _left_index(trial: Trial) -> bool:
    if trial.down is None or trial.up is None:
        return False
    return any(
        {index.name for index in trial.down.tables[name].indexes}
        - {index.name for index in table.indexes}
        for name, table in trial.before.tables.items()
        if name in trial.down.tables
    )


def _wide_drop(trial: Trial) -> bool:
    return trial.down is not None and bool(trial.before.tables.keys() - trial.down.tables.keys())


MIGRATION = (
    Mistake(
        "the child comes before the parent",
        "A foreign key can only refer to a table that exists already.",
        "Look at which table holds the foreign key, and create the other one first.",
        lambda t: t.failed("UndefinedTable", "companies", "upgrade"),
    ),
    Mistake(
        "the parent is dropped before the child",
        "PostgreSQL refuses to drop a table that a foreign key still refers to.",
        "Read your upgrade from the bottom up: that is the order for the downgrade.",
        lambda t: (
            t.failed("DependentObjectsStillExist", step="downgrade")
            and "table" in t.error["message"]
        ),
    ),
    Mistake(
        "NOT NULL on a table that holds rows",
        "The rows that are there already would have nothing in the new column, so PostgreSQL refuses."
        " On an empty table it would have worked.",
        "Ask yourself what the old rows are to hold. A value that the database itself fills in is a"
        " server_default; a column that may stay empty is nullable.",
        lambda t: t.failed("NotNullViolation", step="upgrade"),
    ),
    Mistake(
        "two transactions in one migration",
        "The migration opened a connection of its own and waits for a lock that Alembic's holds. It"
        " would wait for ever.",
        "Work through op, which uses Alembic's connection.",
        lambda t: t.failed("LockNotAvailable") or "create_engine" in t.code(),
    ),
    Mistake(
        "a migration that commits",
        "A commit ends Alembic's transaction. When a later line fails, half of the migration stays.",
        "Leave the commit out: Alembic commits when the whole migration has gone well.",
        lambda t: bool(re.search(r"\.commit\(\)|\bCOMMIT\b", t.code())),
    ),
    Mistake(
        "create_all in a migration",
        "create_all makes the tables as the models are today. In a year this file would make others,"
        " and it never changes a table that exists.",
        "Spell the change out with op.",
        lambda t: "create_all(" in t.code(),
    ),
    Mistake(
        "models imported into a migration",
        "The models will change and this file must not: on a fresh database it would one day meet"
        " columns that do not exist yet at this point of the history.",
        "Name tables and columns in the revision itself.",
        lambda t: bool(re.search(r"(from|import) jobboard", t.code())),
    ),
    Mistake(
        "sa. is missing",
        "In a revision, SQLAlchemy is imported under the name sa, and Alembic's operations as op.",
        "Write sa. before types, columns and constraints.",
        lambda t: (
            t.failed("NameError")
            and bool(
                re.search(
                    r"'(Column|Integer|String|Boolean|Text|ForeignKey\w*|PrimaryKeyConstraint|UniqueConstraint)'",
                    t.error["message"],
                )
            )
        ),
    ),
    Mistake(
        "op. is missing",
        "The operations, such as create_table, are functions of op.",
        "Write op. before them.",
        lambda t: (
            t.failed("NameError")
            and bool(re.search(r"'(create|drop|add|alter)_\w+'", t.error["message"]))
        ),
    ),
    Mistake(
        "a column's name is missing",
        "In op.create_table and op.add_column, each sa.Column begins with its name as a string.",
        "Compare your columns with those of companies.",
        lambda t: t.failed("CompileError", "name") or t.failed("ArgumentError", "without a name"),
    ),
    Mistake(
        "a constraint without a name, dropped by name",
        "To drop a constraint, PostgreSQL has to be told its name, and None is none.",
        "Give the constraint a name where it is made, and use the same name to drop it.",
        lambda t: (
            t.failed("CompileError", "it has no name") or t.failed("ValueError", "it has no name")
        ),
    ),
    Mistake(
        "a guessed constraint name",
        "PostgreSQL gave the constraint a name of its own, and it is another one.",
        "Look the name up in pg_constraint.",
        lambda t: t.failed("UndefinedObject", "constraint"),
    ),
    Mistake(
        "a downgrade that takes too much",
        "Its downgrade drops a whole table that an earlier revision made, with all of its rows.",
        "Undo what this revision's upgrade did, and nothing else.",
        _wide_drop,
    ),
    Mistake(
        "a downgrade that does nothing",
        "After the downgrade everything was still there, and the next upgrade would fail with"
        ' "already exists".',
        "For each operation of upgrade(), write the one that undoes it.",
        _undone,
    ),
    Mistake(
        "a type that stays behind",
        "Dropping a table or a column does not drop the enum type that it used. The next upgrade"
        ' stops at "type already exists".',
        "Drop the type as well.",
        lambda t: t.down is not None and bool(t.down.enums.keys() - t.before.enums.keys()),
    ),
    Mistake(
        "an index that stays behind",
        "The downgrade went through, and the index is still there. The next upgrade stops at"
        ' "already exists".',
        "Compare upgrade() and downgrade() operation by operation.",
        _left_index,
    ),
    Mistake(
        "no primary key",
        "Without one, two rows can be the same, and no other table can refer to a row.",
        "Mark the id as the primary key.",
        lambda t: _missing_kind(t, "p"),
    ),
    Mistake(
        "an id is not a rule",
        "The column is there, but nothing keeps it from holding the id of a row that does not exist.",
        "A foreign key constraint is what makes the tie. It is one line more.",
        lambda t: _missing_kind(t, "f"),
    ),
    Mistake(
        "a column may be empty unless you say otherwise",
        "In a migration, nullable is true where it is not mentioned. A model is the other way round.",
        "Say it for each column that must have a value.",
        lambda t: _only_null_differs(t, allows_too_much=True),
    ),
    Mistake(
        "a column that must have a value",
        "You made the column NOT NULL, and it was asked for as one that may be empty.",
        "Look at the task once more: may the value be missing?",
        lambda t: _only_null_differs(t, allows_too_much=False),
    ),
    Mistake(
        "another length",
        "The length of a string is part of its type: PostgreSQL cuts nothing off, it refuses.",
        "Compare the length in your code with the task.",
        _lengths_differ,
    ),
)

MODEL = (
    Mistake(
        "half a relationship",
        "One side names the other with back_populates, and the other side is not there under that"
        " name. No migration would notice; the first object does.",
        "Give each class an attribute that names the other's.",
        lambda t: t.failed("InvalidRequestError", "has no property"),
    ),
    Mistake(
        "a foreign key names a table",
        "ForeignKey takes the table's name and the column's, as the database knows them, not the"
        " class's.",
        "The name is the one in __tablename__.",
        lambda t: (
            t.failed("NoReferencedTableError")
            or t.failed("NoReferencedColumnError")
            or t.failed("ArgumentError", "ForeignKey")
        ),
    ),
    Mistake(
        "a relationship without a foreign key",
        "SQLAlchemy looks for a foreign key between the two tables and finds none.",
        "A relationship is a view of a foreign key column. Add the column first.",
        lambda t: t.failed("NoForeignKeysError"),
    ),
    Mistake(
        "an annotation without Mapped",
        "SQLAlchemy 2 reads the column's type from Mapped[...] and refuses a bare annotation.",
        "Wrap the type in Mapped[...].",
        lambda t: t.failed("MappedAnnotationError"),
    ),
    Mistake(
        "a class name that Python does not know",
        "Python meets the name before the class exists.",
        "A class that is defined further down is written in quotes.",
        lambda t: t.failed("NameError", step="import"),
    ),
    Mistake(
        "two relationships that do not know each other",
        "Both sides work alone, but filling one does not fill the other.",
        "back_populates belongs on both sides.",
        lambda t: bool(t.wanted) and t.probe != t.wanted and "back_populates" not in t.code(),
    ),
    Mistake(
        "a model without a primary key",
        "The ORM tells objects apart by their primary key.",
        "Mark the id with primary_key=True.",
        lambda t: t.failed("ArgumentError", "primary key"),
    ),
    Mistake(
        "Mapped[str] means NOT NULL",
        "A value that may be missing has a type that says so.",
        "In Python, such a value is a str or None.",
        lambda t: _only_null_differs(t, allows_too_much=False),
    ),
    Mistake(
        "None in the annotation means that it may be missing",
        "The column allows NULL now, because the annotation allows None.",
        "Take None out where a value is required.",
        lambda t: _only_null_differs(t, allows_too_much=True),
    ),
    Mistake(
        "an id is not a rule",
        "The column is there, but nothing ties it to the other table.",
        "mapped_column takes a ForeignKey.",
        lambda t: _missing_kind(t, "f"),
    ),
)


def recognise(trial: Trial, known: tuple[Mistake, ...]) -> Mistake | None:
    """The first of the known mistakes that the trial shows."""
    for mistake in known:
        if mistake.shown_by(trial):
            return mistake
    return None
