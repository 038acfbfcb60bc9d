"""Well-known mistakes: how a trial shows them, and what to tell the learner.

Each was made on the versions in the lock and seen to give the error that it is recognised by.
None of the texts gives the answer away.
"""

import ast
import re
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import sqlalchemy as sa
from alembic.operations import Operations
from sqlalchemy import orm

from workbook.schema import Column, Schema

NAMES = {each.lower() for each in dir(sa) if not each.startswith("_")}


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
    kept: bool = True  # whether the rows that were there went the way of the reference's

    def failed(self, name: str, words: str = "", step: str = "") -> bool:
        """Whether the trial stopped at this error, in this step where one is named."""
        return (
            self.error.get("name") == name
            and words in self.error["message"]
            and step in self.error["step"]
        )

    @cached_property
    def tree(self) -> ast.Module:
        """The source as Python reads it; empty where it cannot."""
        try:
            return ast.parse(self.source)
        except (SyntaxError, ValueError):
            return ast.Module([], [])

    def calls(self, name: str, function: str = "") -> list[ast.Call]:
        """The calls of a function or method, in the whole source or in one of its functions."""
        places = [
            each
            for each in ast.walk(self.tree)
            if isinstance(each, ast.FunctionDef) and each.name == function
        ]
        return [
            each
            for place in (places if function else [self.tree])
            for each in ast.walk(place)
            if isinstance(each, ast.Call) and called(each) == name
        ]

    def unknown(self) -> str:
        """The name that Python did not know, if that is what stopped the trial."""
        found = (
            re.match(r"name '(\w+)'", self.error["message"]) if self.failed("NameError") else None
        )
        return found[1] if found else ""

    def lacking(self, module: str) -> str:
        """The name that a module does not have, if that is what stopped the trial."""
        if not self.failed("AttributeError", f"module '{module}' has no attribute"):
            return ""
        return self.error["message"].split("'")[3]


def called(call: ast.Call) -> str:
    """The last name of what is called: `commit` for `op.get_bind().commit()`."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


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


def _lacks(trial: Trial, kind: str) -> bool:
    """Whether a table that is there with its columns lacks any constraint of this contype."""
    return trial.up is not None and any(
        table in trial.up.tables
        and goal.columns.keys() <= trial.up.tables[table].columns.keys()
        and kind in {each.kind for each in goal.constraints}
        and kind not in {each.kind for each in trial.up.tables[table].constraints}
        for table, goal in trial.goal.tables.items()
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
    if trial.down is not None:
        return bool(trial.before.tables.keys() - trial.down.tables.keys())
    refused = re.match(r"cannot drop table (\w+)", trial.error.get("message", ""))
    return (
        refused is not None
        and trial.failed("DependentObjectsStillExist", step="downgrade")
        and refused[1] in trial.before.tables
    )


def _without_sa(trial: Trial) -> bool:
    return trial.unknown().lower() in NAMES


def _wrong_case(trial: Trial) -> bool:
    name = trial.lacking("sqlalchemy")
    return trial.unknown() in ("true", "false", "none") or name.lower() in NAMES


def _without_quotes(trial: Trial) -> bool:
    tables = {**trial.before.tables, **trial.goal.tables}
    columns = {name for table in tables.values() for name in table.columns}
    return trial.unknown() in tables.keys() | columns


def _commits(trial: Trial) -> bool:
    return bool(trial.calls("commit")) or any(
        isinstance(text, ast.Constant) and str(text.value).strip().upper().startswith("COMMIT")
        for call in [*trial.calls("execute"), *trial.calls("text")]
        for text in call.args
    )


def _imports(trial: Trial, package: str) -> bool:
    return any(
        name.split(".")[0] == package
        for each in ast.walk(trial.tree)
        if isinstance(each, ast.Import | ast.ImportFrom)
        for name in [*(alias.name for alias in each.names), getattr(each, "module", None) or ""]
    )


def _inside_mapped(trial: Trial, name: str) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == name
        for each in ast.walk(trial.tree)
        if isinstance(each, ast.Subscript) and ast.unparse(each.value) == "Mapped"
        for part in ast.walk(each.slice)
    )


def _classes(trial: Trial) -> list[ast.ClassDef]:
    return [each for each in ast.walk(trial.tree) if isinstance(each, ast.ClassDef)]


def _another_base(trial: Trial) -> bool:
    """Whether a model with a table's name does not belong to the project's Base."""
    models = [each for each in _classes(trial) if "__tablename__" in ast.unparse(each)]
    return (
        trial.up is not None
        and bool(trial.goal.tables.keys() - trial.up.tables.keys())
        and bool(models)
        and ("Base" in {each.name for each in _classes(trial)} or not all(m.bases for m in models))
    )


MIGRATION = (
    Mistake(
        "upgrade and downgrade are swapped",
        "upgrade() leads from the old tables to the new ones, and yours begins by taking away what is"
        " not there yet.",
        "Ask for each function which of the two directions it is.",
        lambda t: (
            "does not exist" in t.error.get("message", "")
            and t.error["step"] == "upgrade"
            and any(
                t.calls("drop_" + what, "upgrade") and t.calls(made, "downgrade")
                for what, made in (("table", "create_table"), ("column", "add_column"))
            )
        ),
    ),
    Mistake(
        "two transactions in one migration",
        "The migration opened a connection of its own and waits for a lock that Alembic's connection holds. It"
        " would wait for ever.",
        "Work through op, which uses Alembic's connection.",
        lambda t: t.failed("LockNotAvailable") or bool(t.calls("create_engine")),
    ),
    Mistake(
        "a migration that commits",
        "A commit ends Alembic's transaction. When a later line fails, half of the migration stays.",
        "Leave the commit out: Alembic commits when the whole migration has gone well.",
        _commits,
    ),
    Mistake(
        "create_all in a migration",
        "create_all makes the tables as the models are today. In a year this file would make others,"
        " and it never changes a table that exists.",
        "Spell the change out with op.",
        lambda t: bool(t.calls("create_all")),
    ),
    Mistake(
        "models imported into a migration",
        "The models will change and this file must not: on a fresh database it would one day meet"
        " columns that do not exist yet at this point of the history.",
        "Name tables and columns in the revision itself.",
        lambda t: _imports(t, "jobboard"),
    ),
    Mistake(
        "the child comes before the parent",
        "A foreign key can only refer to a table that exists already.",
        "Look at which table holds the foreign key, and create the other one first.",
        lambda t: any(
            t.failed("UndefinedTable", f'relation "{table}"', "upgrade")
            for table in t.goal.tables.keys() - t.before.tables.keys()
        ),
    ),
    Mistake(
        "a foreign key names a table",
        "A foreign key names the other table and its column, as the database knows them: there is no"
        " table of this name.",
        "Compare it with the names in op.create_table.",
        lambda t: t.failed("UndefinedTable", "relation", "upgrade") and "ForeignKey" in t.source,
    ),
    Mistake(
        "a foreign key refers to a key",
        "It names one row of the other table, so it needs a column there that tells the rows apart.",
        "Look up which column of the other table is its primary key.",
        lambda t: (
            t.failed("UndefinedColumn", "referenced in foreign key constraint")
            or t.failed("InvalidForeignKey")
        ),
    ),
    Mistake(
        "a key of another type",
        "A foreign key holds a value of the column that it refers to, so both have one type.",
        "Compare the types of the two columns.",
        lambda t: t.failed("DatatypeMismatch", "cannot be implemented"),
    ),
    Mistake(
        "here first, there second",
        "ForeignKeyConstraint takes two lists. The first names columns of the table that is being"
        " made; the second says where they lead.",
        "Compare the names in the first list with those of your columns.",
        lambda t: t.failed("ConstraintColumnNotFoundError"),
    ),
    Mistake(
        "text in place of a list",
        "A key or an index may consist of several columns, so a list is asked for. Text is taken apart"
        " letter by letter.",
        "Put it into square brackets, even with a single name inside.",
        lambda t: (
            t.failed("ArgumentError", "number of constrained columns")
            or (t.failed("DuplicateColumnError") and bool(t.calls("create_index")))
        ),
    ),
    Mistake(
        "a ForeignKey without its column",
        "sa.ForeignKey is a part of a sa.Column. Beside the columns it has no effect, and nobody says"
        " so.",
        "Put it into the column, or write the constraint that the task names.",
        lambda t: (
            _lacks(t, "f")
            and any(
                isinstance(part, ast.Call) and called(part) == "ForeignKey"
                for call in t.calls("create_table")
                for part in call.args
            )
        ),
    ),
    Mistake(
        "the parent is dropped before the child",
        "PostgreSQL refuses to drop a table that a foreign key still refers to.",
        "Read your upgrade from the bottom up: that is the order for the downgrade.",
        lambda t: (
            t.failed("DependentObjectsStillExist", "drop table", "downgrade") and not _wide_drop(t)
        ),
    ),
    Mistake(
        "default= is Python's, not the database's",
        "default= is for objects that Python makes. The rows that are there already are the database's"
        " affair, and it does not see it.",
        "A value that the database itself fills in has an argument of its own. Or may the value be"
        " missing?",
        lambda t: (
            t.failed("NotNullViolation", step="upgrade")
            and any(each.arg == "default" for call in t.calls("Column") for each in call.keywords)
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
        "upper and lower case",
        "Upper and lower case are different names to Python: True is not true, and a class is written"
        " with a capital letter.",
        "Compare the line with one that works, letter by letter.",
        _wrong_case,
    ),
    Mistake(
        "sa. is missing",
        "In a revision, SQLAlchemy is imported under the name sa, and Alembic's operations as op.",
        "Write sa. before types, columns and constraints.",
        lambda t: _without_sa(t) or hasattr(sa, t.lacking("alembic.op") or "?"),
    ),
    Mistake(
        "op. is missing",
        "The operations, such as create_table, are functions of op.",
        "Write op. before them.",
        lambda t: hasattr(Operations, t.unknown() or t.lacking("sqlalchemy") or "?"),
    ),
    Mistake(
        "a name without quotes",
        "The names of tables and columns are text in a revision. Without quotes, Python looks for a"
        " variable of that name.",
        "Put the name in quotes.",
        _without_quotes,
    ),
    Mistake(
        "an import is missing",
        "Python does not know the name, because the file never brought it in.",
        "Write the import at the top of the file.",
        lambda t: t.unknown() in sys.stdlib_module_names | {"postgresql", "Base", "Session"},
    ),
    Mistake(
        "text that SQLAlchemy does not take",
        "A connection of SQLAlchemy executes sa.text(...), and refuses plain text.",
        "op.execute takes both.",
        lambda t: t.failed("ObjectNotExecutableError"),
    ),
    Mistake(
        "a colon in SQL text",
        "To SQLAlchemy, a colon and a word are the place for a value that is handed in later.",
        "A backslash before the colon makes it a colon and nothing else.",
        lambda t: t.failed("StatementError", "bind parameter"),
    ),
    Mistake(
        "a constraint without a name, dropped by name",
        "To drop a constraint, PostgreSQL has to be told its name, and this one has none.",
        "Give the constraint a name where it is made, and use the same name to drop it.",
        lambda t: (
            t.failed("CompileError", "it has no name") or t.failed("ValueError", "it has no name")
        ),
    ),
    Mistake(
        "a column's name is missing",
        "In op.create_table and op.add_column, each sa.Column begins with its name as a string.",
        "Compare your columns with those of companies.",
        lambda t: (
            t.failed("CompileError", "name")
            or t.failed("ArgumentError", "non-blank name")
            or t.failed("ArgumentError", "without a name")
        ),
    ),
    Mistake(
        "a type is missing",
        "Each new column has a type, and this one has none.",
        "Compare your columns with those of companies.",
        lambda t: t.failed("CompileError", "NullType"),
    ),
    Mistake(
        "a type stands by itself",
        "Beside its name, a sa.Column takes a type of SQLAlchemy's: no quotes around it, its length in"
        " brackets of its own.",
        "Compare your columns with those of companies.",
        lambda t: t.failed("ArgumentError", "'SchemaItem' object"),
    ),
    Mistake(
        "a function that Alembic does not find",
        "Alembic calls upgrade() on the way up and downgrade() on the way back, by these names, and"
        " hands nothing in.",
        "Write both, with empty brackets.",
        lambda t: (
            t.failed("AttributeError", "_py' has no attribute")
            or t.failed("TypeError", "grade() missing")
        ),
    ),
    Mistake(
        "an operation outside of a function",
        "Alembic reads the file first, to learn its id, and calls the functions later. Until then op has"
        " nothing to work on.",
        "Put the operations into upgrade() and downgrade(), indented.",
        lambda t: t.error.get("step") == "read" and t.error["line"].startswith("op."),
    ),
    Mistake(
        "a column is dropped by its name",
        "What is to go needs no type: op.drop_column takes the table's name and the column's.",
        "Leave the sa.Column for the way up.",
        lambda t: (
            t.failed("TypeError", step="downgrade")
            and any(isinstance(each, ast.Call) for c in t.calls("drop_column") for each in c.args)
        ),
    ),
    Mistake(
        "a column is a sa.Column",
        "op.add_column takes the table's name and one sa.Column, which holds the column's own name and"
        " its type.",
        "Compare it with a column in op.create_table.",
        lambda t: (
            t.error.get("name") in ("ArgumentError", "AttributeError", "TypeError")
            and t.error["step"] == "upgrade"
            and any(
                [type(each) for each in call.args[:2]] in ([ast.Constant] * 2, [ast.Call])
                for call in t.calls("add_column")
            )
        ),
    ),
    Mistake(
        "the table's name comes first",
        "PostgreSQL looked for a table of this name, and it is the name of a column.",
        "First the table, then the column.",
        lambda t: any(
            t.failed("UndefinedTable", f'relation "{column}"')
            for table in t.goal.tables.values()
            for column in table.columns
        ),
    ),
    Mistake(
        "a table that is there already",
        "create_table makes a table, and a table of this name exists: an earlier revision made it.",
        "To change a table that exists, there are other operations.",
        lambda t: any(
            t.failed("DuplicateTable", f'"{table}"', "upgrade") and "again" not in t.error["step"]
            for table in t.before.tables
        ),
    ),
    Mistake(
        "add_column makes no type",
        "An enum is a type of its own in PostgreSQL. create_table makes it along with the table,"
        " add_column does not.",
        "Is an enum what the task asks for? If so, make its type first, and drop it on the way back.",
        lambda t: t.failed("UndefinedObject", "type", "upgrade") and bool(t.calls("add_column")),
    ),
    Mistake(
        "an index is not a constraint",
        "There is no constraint of this name. What has it is an index, and that has operations of its"
        " own.",
        "Compare the operation with the one that made it.",
        lambda t: (
            t.failed("UndefinedObject", "constraint")
            and t.up is not None
            and any(
                f'"{index.name}"' in t.error["message"]
                for table in t.up.tables.values()
                for index in table.indexes
            )
        ),
    ),
    Mistake(
        "a guessed constraint name",
        "PostgreSQL gave the constraint a name of its own, and it is another one.",
        "Look the name up in pg_constraint.",
        lambda t: t.failed("UndefinedObject", "constraint"),
    ),
    Mistake(
        "Alembic's own table is gone",
        "alembic_version is where Alembic remembers what has been applied. It takes care of that"
        " table, and after your code it could not find it.",
        "Undo what upgrade() did, and leave the rest.",
        lambda t: t.failed("UndefinedTable", '"alembic_version"'),
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
        lambda t: _lacks(t, "p"),
    ),
    Mistake(
        "an id is not a rule",
        "The column is there, but nothing keeps it from holding the id of a row that does not exist.",
        "A foreign key constraint is what makes the tie. It is one line more.",
        lambda t: _lacks(t, "f"),
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
    Mistake(
        "rows that were there are not the same",
        "The tables have the right shape, but rows were lost or changed on the way, up or down.",
        "Look for the operation that touches rows. A column can be added and dropped without that.",
        lambda t: not t.kept and t.up == t.goal,
    ),
)

MODEL = (
    Mistake(
        "a side of the relationship is missing",
        "The relationship is tried out from both classes, and one of them has no such attribute.",
        "Give each class an attribute that leads to the other.",
        lambda t: (
            t.failed("TypeError", "invalid keyword argument", "probe")
            or (
                t.failed("AttributeError", "has no attribute", "probe")
                and "_sa_instance_state" not in t.error["message"]
            )
        ),
    ),
    Mistake(
        "half a relationship",
        "One side names the other with back_populates, and the other side is not there under that"
        " name. No migration would notice; the first object does.",
        "Give each class an attribute that names the other's.",
        lambda t: t.failed("InvalidRequestError", "has no property"),
    ),
    Mistake(
        "a ForeignKey without its column",
        "ForeignKey says what a column refers to. The column itself is made by mapped_column.",
        "Put the one into the other, as company_id of Job does.",
        lambda t: any(
            isinstance(each.value, ast.Call) and called(each.value) == "ForeignKey"
            for each in ast.walk(t.tree)
            if isinstance(each, ast.Assign | ast.AnnAssign)
        ),
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
            or (t.failed("NoForeignKeysError") and bool(t.calls("ForeignKey")))
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
        lambda t: t.failed("MappedAnnotationError", "can't be correctly interpreted"),
    ),
    Mistake(
        "Mapped takes a Python type",
        "Inside Mapped[...] stands the type that a value has in Python. SQLAlchemy picks the"
        " database's type for it.",
        "Which type does such a value have in Python: is it text, or a number?",
        lambda t: (
            t.failed("MappedAnnotationError")
            or (
                _inside_mapped(t, t.unknown())
                and not hasattr(typing, t.unknown())
                and t.unknown() not in {each.name for each in _classes(t)}
            )
        ),
    ),
    Mistake(
        "a class name that Python does not know yet",
        "Python meets the name before the class exists.",
        "A class that is defined further down is written in quotes.",
        lambda t: t.unknown() in {each.name for each in _classes(t)},
    ),
    Mistake(
        "a name without quotes",
        "ForeignKey takes the names of table and column as text. Without quotes, Python looks for a"
        " variable of that name.",
        "Put table and column in quotes, with a full stop between them.",
        _without_quotes,
    ),
    Mistake(
        "an import is missing",
        "Python does not know the name, because the file never brought it in.",
        "Compare your import lines with the names that you use.",
        lambda t: (
            any(hasattr(each, t.unknown() or "?") for each in (sa, orm, typing))
            or t.unknown() == "Base"
        ),
    ),
    Mistake(
        "a table that belongs to nobody",
        "A model belongs to a base class, which collects its table. This one does not belong to the"
        " project's.",
        "The project has one Base, in jobboard/database.py: import it, and name it in the class line.",
        _another_base,
    ),
    Mistake(
        "one or many",
        "The annotation says how many there are on the other side: Mapped[list[...]] stands for many,"
        " Mapped[...] for one.",
        "Ask for each side: how many can there be?",
        lambda t: t.failed("AttributeError", "_sa_instance_state"),
    ),
    Mistake(
        "two relationships that do not know each other",
        "Each side works alone, but filling one does not fill the other.",
        "back_populates belongs on both sides.",
        lambda t: not t.error and t.probe != t.wanted,
    ),
    Mistake(
        "a model without a primary key",
        "The ORM tells objects apart by their primary key.",
        "Mark the id with primary_key=True.",
        lambda t: t.failed("ArgumentError", "primary key"),
    ),
    Mistake(
        "a model without a table's name",
        "SQLAlchemy has to be told what the table is called.",
        "Compare the class with Company: its first line says it.",
        lambda t: t.failed("InvalidRequestError", "__tablename__"),
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
        lambda t: _lacks(t, "f"),
    ),
)


def recognise(trial: Trial, known: tuple[Mistake, ...]) -> Mistake | None:
    """The first of the known mistakes that the trial shows."""
    for mistake in known:
        if mistake.shown_by(trial):
            return mistake
    return None
