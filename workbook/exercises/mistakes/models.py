"""The well-known mistakes in models: how a trial shows them, and what to tell the learner.

The first that fits is told, so the order counts: what stops a trial comes before what is different.
"""

import ast
import typing

import sqlalchemy as sa
from sqlalchemy import orm

from workbook.exercises import Mistake
from workbook.exercises.mistakes.common import (
    IDENTITY,
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


def _another_base(trial: Trial) -> bool:
    """Whether a model with a table's name does not belong to the project's Base."""
    models = [each for each in _classes(trial) if "__tablename__" in ast.unparse(each)]
    return (
        trial.up is not None
        and bool(trial.goal.tables.keys() - trial.up.tables.keys())
        and bool(models)
        and ("Base" in {each.name for each in _classes(trial)} or not all(m.bases for m in models))
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
                and "_sa_instance_state" not in t.error.message
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
        without_quotes,
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
        lambda t: not t.error and t.run.probe != t.wanted.probe,
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
    IDENTITY,
    Mistake(
        "Mapped[str] means NOT NULL",
        "A value that may be missing has a type that says so.",
        "In Python, such a value is a str or None.",
        lambda t: only_null_differs(t, allows_too_much=False),
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
