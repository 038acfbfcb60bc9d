"""The well-known mistakes in models: how a trial shows them, and what to tell the learner.

Those of a step are looked for first, where it has failed; then what the text shows and what came
out. The first that fits is told.
"""

import ast
import re
import typing
from collections.abc import Iterator
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import orm

from workbook import schema
from workbook.exercises import ANY, Mistake
from workbook.exercises.mistakes.common import (
    DOTTED,
    IDENTITY,
    SPELT,
    SQUARE,
    about,
    lacks,
    only_null_differs,
    without_quotes,
)
from workbook.exercises.trial import Trial, called


def _inside_mapped(trial: Trial, name: str) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == name
        for each in ast.walk(trial.tree)
        if isinstance(each, ast.Subscript) and ast.unparse(each.value) == "Mapped"
        for part in ast.walk(each.slice)
    )


def _classes(trial: Trial) -> list[ast.ClassDef]:
    return [each for each in ast.walk(trial.tree) if isinstance(each, ast.ClassDef)]


def _has_no(names: tuple[str, ...]) -> str:
    return f"{' has no '.join(names)}." if names else ""


def _attributes(trial: Trial) -> Iterator[tuple[str, str, ast.AnnAssign]]:
    """The class, its table and the line of each annotated attribute of a model."""
    for each in _classes(trial):
        tables = re.findall(r"__tablename__ = '(\w*)'", ast.unparse(each))
        for line in each.body:
            if isinstance(line, ast.AnnAssign) and tables:
                yield each.name, tables[0], line


def _inside(node: ast.AST, *names: str) -> list[ast.Call]:
    """The calls of these functions in a part of the source."""
    return [e for e in ast.walk(node) if isinstance(e, ast.Call) and called(e) in names]


def _another_type(trial: Trial) -> list[ast.AnnAssign]:
    """The columns whose annotation names a type that their values do not have."""
    types = {"integer": "int", schema.STRING: "str"}
    known = {"str", "int", "float", "list", "List"} | {each.name for each in _classes(trial)}
    return [
        line
        for _, table, line in _attributes(trial)
        for goal in [trial.goal.tables.get(table)]
        for column in [goal.columns.get(ast.unparse(line.target)) if goal else None]
        if column
        and trial.up == trial.goal
        and known
        & {*re.findall(r"\w+", ast.unparse(line.annotation))}
        - {types.get(re.sub(r"\(\d+\)$", "", column.type))}
    ]


def _list_of_one(trial: Trial) -> list[ast.AnnAssign]:
    """The relationships to many where the class itself holds the key to one of the others."""
    lines = [*_attributes(trial)]
    tables = {name: table for name, table, _ in lines}
    return [
        line
        for name, _, line in lines
        for other in re.findall(
            r"(?:[Ll]ist|[Ss]et|Sequence)\[\W*(\w+)", ast.unparse(line.annotation)
        )
        if line.value
        and _inside(line.value, "relationship")
        and any(f"'{tables.get(other)}." in ast.unparse(x) for n, _, x in lines if n == name)
    ]


def _wrong_side(trial: Trial) -> list[ast.AnnAssign]:
    """The keys of a parent to its child, or to itself, where the goal has the child's to it."""
    ties = {
        (table, other)
        for table, goal in trial.goal.tables.items()
        for rule in goal.constraints
        for other in re.findall(r"REFERENCES (\w+)", rule.definition)
    }
    return [
        line
        for _, table, line in _attributes(trial)
        for other in re.findall(r"ForeignKey\('(\w+)\.", ast.unparse(line))
        if (table, other) not in ties
        and ((other, table) in ties or (other == table and table in {each for _, each in ties}))
    ]


def _no_such_table(trial: Trial) -> list[ast.Call]:
    """The ForeignKeys to a table that is not there."""
    return [
        call
        for call in trial.calls("ForeignKey")
        for other in re.findall(r"\('(\w+)\.", ast.unparse(call))
        if other not in trial.goal.tables
    ]


def _another_base(trial: Trial) -> bool:
    """Whether a model with a table's name does not belong to the project's Base."""
    models = [each for each in _classes(trial) if "__tablename__" in ast.unparse(each)]
    return (
        trial.up is not None
        and bool(trial.goal.tables.keys() - trial.up.tables.keys())
        and bool(models)
        and ("Base" in {each.name for each in _classes(trial)} or not all(m.bases for m in models))
    )


COMMA = Mistake(
    "a comma too many",
    "A comma behind a value makes a tuple of it, and that is no column and no relationship.",
    "Look at the end of the line.",
    lambda t: [
        line
        for _, _, line in _attributes(t)
        if isinstance(line.value, ast.Tuple) and len(line.value.elts) == 1
    ],
)

STOPPED = (
    replace(COMMA, step=ANY),
    Mistake(
        "a relationship is not a column",
        "A column holds a value, such as an id. A relationship leads to objects through such a column, and is an attribute of its own.",
        "Take the one out of the other, and write two lines where both are needed.",
        lambda t: [
            inner for call in t.calls("mapped_column") for inner in _inside(call, "relationship")
        ],
        step=ANY,
    ),
    Mistake(
        "ForeignKey takes one text",
        "Table and column stand in one text, with a full stop between them. What comes second in ForeignKey is something else.",
        "Compare it with company_id of Job.",
        lambda t: [call for call in t.calls("ForeignKey") if len(call.args) > 1],
        step=ANY,
    ),
    Mistake(
        "the key is on the wrong side",
        "Many point to one: each of the many holds the id of the one that it belongs to.",
        "Which of the two classes has many of the other? The key belongs to that other.",
        _wrong_side,
        step=ANY,
    ),
    Mistake(
        "a side of the relationship is missing",
        "The relationship is tried out from both classes, and one of them has no such attribute.",
        "Give each class an attribute that leads to the other.",
        lambda t: (
            _classes(t)
            and _has_no(
                t.said(r"'(\w+)' is an invalid keyword argument for (\w+)")[::-1]
                or t.said(r"^'(\w+)' object has no attribute '(?!_sa_)(\w+)'")
            )
        ),
        step="probe",
    ),
    Mistake(
        "a relationship leads to a class",
        "The name in the annotation is not the class that the other side belongs to.",
        "Compare the annotation with the names of the classes, letter by letter.",
        lambda t: (
            (
                t.said("(failed to locate a name)")
                and "There is no class {}.".format(*t.said("expression '(.*?)'"))
            )
            or (
                t.said("(reverse_property)")
                and "It is about {}.".format(*t.said(r"references relationship (\S+),"))
            )
        ),
        step=ANY,
    ),
    Mistake(
        "two keys between the same tables",
        "SQLAlchemy cannot tell which of the two foreign keys the relationship is to look through.",
        "One attribute is the column with the id, another one the relationship.",
        lambda t: t.failed("AmbiguousForeignKeysError") and t.calls("ForeignKey")[-1:],
        step=ANY,
    ),
    Mistake(
        "half a relationship",
        "One side names the other with back_populates, and the other side is not there under that"
        " name. No migration would notice; the first object does.",
        "Give each class an attribute that names the other's.",
        lambda t: _has_no(t.said(r"Mapper\[(\w+).*has no property '(\w+)'")),
        step=ANY,
    ),
    DOTTED,
    Mistake(
        "a foreign key names a column that is there",
        "The table is right, and it has no column of this name.",
        "Look up which of its columns is the primary key, and what it is called.",
        lambda t: (
            t.failed("NoReferencedColumnError")
            and "The table {} has no column {}.".format(
                *t.said(r"table '([^']*)' has no column named '(.*?)'")
            )
        ),
        step=ANY,
    ),
    Mistake(
        "a foreign key names a table",
        "ForeignKey takes the table's name and the column's, as the database knows them, not the"
        " class's.",
        "The name is the one in __tablename__.",
        lambda t: _no_such_table(t) or t.failed("ArgumentError", "ForeignKey"),
        step=ANY,
    ),
    Mistake(
        "a relationship without a foreign key",
        "SQLAlchemy looks for a foreign key between the two tables and finds none.",
        "A relationship is a view of a foreign key column. Add the column first.",
        lambda t: t.failed("NoForeignKeysError") and not t.calls("ForeignKey"),
        step=ANY,
    ),
    Mistake(
        "an annotation without Mapped",
        "SQLAlchemy 2 reads the column's type from Mapped[...] and refuses a bare annotation.",
        "Wrap the type in Mapped[...].",
        lambda t: about(t.said(r'Type annotation for "(.*?)" can.t be correctly interpreted')),
        step=ANY,
    ),
    Mistake(
        "NULL is SQL's word",
        "Python calls it otherwise, and so does the annotation.",
        "Look at an attribute of Job or Company that may be missing.",
        lambda t: t.unknown().lower() in ("null", "none"),
        step=ANY,
    ),
    Mistake(
        "Mapped takes a Python type",
        "Inside Mapped[...] stands the type that a value has in Python. SQLAlchemy picks the"
        " database's type for it.",
        "Which type does such a value have in Python: is it text, or a number?",
        lambda t: (
            t.said(r'mapped annotation: ("?Mapped.*?\]"?)')
            or t.failed("MappedAnnotationError")
            or (
                _inside_mapped(t, t.unknown())
                and not hasattr(typing, t.unknown())
                and t.unknown() not in {each.name for each in _classes(t)}
            )
        ),
        step=ANY,
    ),
    Mistake(
        "a class name that Python does not know yet",
        "Python meets the name before the class exists.",
        "A class that is defined further down is written in quotes.",
        lambda t: t.unknown() in {each.name for each in _classes(t)},
        step=ANY,
    ),
    Mistake(
        "a name without quotes",
        "ForeignKey takes the names of table and column as text. Without quotes, Python looks for a"
        " variable of that name.",
        "Put table and column in quotes, with a full stop between them.",
        without_quotes,
        step=ANY,
    ),
    Mistake(
        "an import is missing",
        "Python does not know the name, because the file never brought it in.",
        "Compare your import lines with the names that you use.",
        lambda t: (
            any(hasattr(each, t.unknown() or "?") for each in (sa, orm, typing))
            or t.unknown() == "Base"
        ),
        step=ANY,
    ),
    Mistake(
        "one or many",
        "The annotation says how many there are on the other side: Mapped[list[...]] stands for many,"
        " Mapped[...] for one.",
        "Ask for each side: how many can there be?",
        lambda t: t.failed("AttributeError", "_sa_instance_state"),
        step=ANY,
    ),
    Mistake(
        "a model without a primary key",
        "The ORM tells objects apart by their primary key.",
        "Mark the id with primary_key=True.",
        lambda t: t.failed("ArgumentError", "primary key"),
        step=ANY,
    ),
    Mistake(
        "a model without a table's name",
        "SQLAlchemy has to be told what the table is called.",
        "Compare the class with Company: its first line says it.",
        lambda t: t.failed("InvalidRequestError", "__tablename__"),
        step=ANY,
    ),
)

SHOWN = (
    SQUARE,
    COMMA,
    Mistake(
        "a ForeignKey without its column",
        "ForeignKey says what a column refers to. The column itself is made by mapped_column.",
        "Put the one into the other, as company_id of Job does.",
        lambda t: [
            each
            for each in ast.walk(t.tree)
            if isinstance(each, ast.Assign | ast.AnnAssign)
            and isinstance(each.value, ast.Call)
            and called(each.value) == "ForeignKey"
        ],
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
        "This class holds the id of one row of the other, so the relationship leads to one object, not to a list of them.",
        "Ask for each side: how many can there be?",
        _list_of_one,
    ),
    Mistake(
        "an annotation of another type",
        "The annotation tells editors and readers what type the value has in Python, and the column holds another one.",
        "Compare it with the column that the key refers to.",
        _another_type,
    ),
    Mistake(
        "two relationships that do not know each other",
        "Each side works alone, but filling one does not fill the other.",
        "back_populates belongs on both sides.",
        lambda t: not t.error and t.run.probe != t.wanted.probe,
    ),
    IDENTITY,
    SPELT,
    Mistake(
        "`or` picks, a bar joins",
        "Python works `a or b` out before SQLAlchemy sees it, and what is left is the first of the two.",
        "Types that are both allowed are joined by another sign: look at Company or Job.",
        lambda t: [
            part
            for each in _attributes(t)
            for part in ast.walk(each[2].annotation)
            if isinstance(part, ast.BoolOp)
        ],
    ),
    Mistake(
        "Mapped[str] means NOT NULL",
        "A value that may be missing has a type that says so.",
        "Such a value is text or nothing at all, and the annotation names both.",
        lambda t: only_null_differs(t, allows_too_much=False),
    ),
    Mistake(
        "nullable= outweighs the annotation",
        "The annotation says that a value is required, and nullable=True says the opposite. What is said about the column wins.",
        "A value that is required needs no nullable.",
        lambda t: (
            only_null_differs(t, allows_too_much=True)
            and [
                call
                for call in t.calls("mapped_column")
                for each in call.keywords
                if each.arg == "nullable"
            ]
        ),
    ),
    Mistake(
        "None in the annotation means that it may be missing",
        "The column allows NULL now, because the annotation allows None.",
        "Take None out where a value is required.",
        lambda t: only_null_differs(t, allows_too_much=True),
    ),
    Mistake(
        "an id is not a rule",
        "The column is there, but nothing ties it to the other table.",
        "mapped_column takes a ForeignKey.",
        lambda t: lacks(t, "f"),
    ),
)

MODEL = (*STOPPED, *SHOWN)
