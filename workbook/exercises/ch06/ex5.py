"""6.5  Write the function that leaves tables of others alone."""

import ast
import re
from collections.abc import Sequence

from workbook.exercises import Answer, Mistake, cells, edits
from workbook.exercises.kinds import Models
from workbook.exercises.trial import Trial

CODE = """
from jobboard.models import Base


def include_name(name, type_, parent_names):
    «if type_ == "table":
        return name in Base.metadata.tables
    return True»
"""
TABLE = {"schema_name": None, "schema_qualified_table_name": "jobs"}
IN = TABLE | {"table_name": "jobs"}
OURS = [("companies", "table"), ("jobs", "table")]
THEIRS = [("visits", "table"), ("visits_2026_07", "table"), ("spatial_ref_sys", "table")]
THEIRS += [("job", "table"), ("jobs_archive", "table")]  # nearly as one of ours
OTHERS = [(None, "schema"), ("title", "column"), ("ix_jobs_title", "index")]


def asked(name: str | None, kind: str) -> str:
    """What is asked about, in words."""
    return f"the {kind} {name}" if name else f"the default {kind}"


def probe(name: str | None, kind: str) -> str:
    """The question in Python, as Alembic asks it."""
    above = {"schema": {}, "table": TABLE | {"schema_qualified_table_name": name}}.get(kind, IN)
    return f"bool(include_name({name!r}, {kind!r}, {above!r}))"


def answers(trial: Trial, about: Sequence[tuple[str | None, str]], wrong: bool) -> str:
    """The first of these questions that is answered in this wrong way, in words; none: ""."""
    for each in about:
        if trial.run.probe.get(asked(*each)) == repr(wrong):
            return f"Asked about {asked(*each)}, it says {'yes' if wrong else 'no'}."
    return ""


def base_alone(trial: Trial) -> list[ast.stmt]:
    """The line that fetches Base where nothing imports the models."""
    if re.search(r"jobboard\.models|from jobboard import .*\bmodels\b", trial.source):
        return []
    return [
        each
        for each in ast.walk(trial.tree)
        if isinstance(each, ast.ImportFrom) and each.module == "jobboard.database"
    ]


def not_called(trial: Trial) -> list[ast.stmt]:
    """The function that Alembic cannot call as it calls include_name()."""
    if trial.unknown() == "include_name" or trial.said(r"^(include_name\(\)) .*positional arg"):
        return [each for each in ast.walk(trial.tree) if isinstance(each, ast.FunctionDef)]
    return []


EXERCISE = Models(
    file="ours.py",
    code=CODE,
    probes={asked(*each): probe(*each) for each in OURS + THEIRS + OTHERS},
    mistakes=(
        Mistake(
            "importing Base is not importing the models",
            "Base comes from another module than the models. Unless somebody else imports those, its"
            " metadata is empty, and no table is yours.",
            "Take Base from the module whose import brings the tables.",
            base_alone,
        ),
        Mistake(
            "a function that is called otherwise",
            "Alembic hands in three: a name, its type, and in what it lies. The check looks for the"
            " function under the name that the task gives it.",
            "Compare the line with the one in the cell that you found.",
            not_called,
        ),
        Mistake(
            "a name that is None",
            "The default schema is asked about, too, and has None for a name.",
            "Look at type_ first, and take a name apart only where there is one.",
            lambda t: t.said("(NoneType)") and t.error.line,
        ),
        Mistake(
            "a table is neither yes nor no",
            "The question is answered with yes or no. You give the table itself, which Python takes for"
            " neither; and for a table of others there is none to give.",
            "Ask whether the name is there, and do not fetch what it stands for.",
            lambda t: (
                t.failed("TypeError", "Boolean value")
                and "Asked about the table companies, it gives the table."
            ),
        ),
        Mistake(
            "a list that somebody has to keep",
            "The names of your tables stand in the models already. A second list will lack the next one,"
            " and each draft will create that table once more.",
            "Ask the metadata for them.",
            lambda t: (
                any(f"{quote}{name}{quote}" in t.source for name, _ in OURS for quote in "\"'")
                and "The names of your tables stand in your function, too."
            ),
        ),
        Mistake(
            "Alembic asks about more than tables",
            "It asks about schemas, columns, indexes and constraints as well. To Alembic, what you"
            " refuse is not in the database: it would be drafted anew, or drift in it goes unseen. A function"
            " that ends without an answer refuses.",
            "Look at type_ first, and say yes to whatever is no table.",
            lambda t: answers(t, OTHERS, False),
        ),
        Mistake(
            "a table of yours is left alone",
            "To Alembic it is not in the database then, so each draft would create it once more.",
            "Follow the question about it through your lines: what is compared with what?",
            lambda t: answers(t, OURS, False),
        ),
        Mistake(
            "a table of others is compared",
            "No model describes it, so the next draft would drop it.",
            "Do not describe theirs; describe yours.",
            lambda t: answers(t, THEIRS, True),
        ),
    ),
    task="leave tables of others alone",
    hints=(
        "type_ says what is asked about. Which of its values is the only one that you may say no to?",
        "Base.metadata.tables is a dictionary; its keys are the names of your tables.",
        "For a table, give whether its name is among those keys. For everything else, give True.",
    ),
    why="The models say which tables are yours, so the function never has to be touched again.",
    passed="You can tell Alembic what is its business.",
)

ASK = """if type_ == "table":
        return name in Base.metadata.tables
    return True"""


def function(name: str, body: str, says: str = "", before: str = "") -> Answer:
    """include_name() of these lines."""
    code = EXERCISE.filled.replace(ASK, body).replace("\ndef ", f"{before}\ndef ")
    return Answer(name, says, code=code)


WRONG = [
    cells("nothing but the cell", EXERCISE.cell, says="Not attempted yet"),
    function("pass", "pass", "Alembic asks about more than tables"),
    function("always yes", "return True", "a table of others is compared"),
    function("always no", "return False", "Alembic asks about more than tables"),
    function(
        "no question about type_",
        "return name in Base.metadata.tables",
        "Alembic asks about more than tables",
    ),
    function(
        "no answer for the rest",
        'if type_ == "table":\n        return name in Base.metadata.tables',
        "Alembic asks about more than tables",
    ),
    function(
        "no for the rest", ASK.replace("True", "False"), "Alembic asks about more than tables"
    ),
    function(
        "by the beginning",
        'return not (type_ == "table" and name.startswith("visits"))',
        "a table of others is compared",
    ),
    function(
        "theirs in a list",
        'return name not in ("visits", "visits_2026_07")',
        "a table of others is compared",
    ),
    function(
        "ours in a list",
        'return type_ != "table" or name in ("companies", "jobs")',
        "a list that somebody has to keep",
    ),
    function("not in", ASK.replace("name in", "name not in"), "a table of yours is left alone"),
    function(
        "the type in the plural",
        ASK.replace('"table"', '"tables"'),
        "a table of others is compared",
    ),
    function(
        "the type in capitals", ASK.replace('"table"', '"TABLE"'), "a table of others is compared"
    ),
    function(
        "classes",
        ASK.replace("Base.metadata.tables", "[each.__name__ for each in Base.__subclasses__()]"),
        "a table of yours is left alone",
    ),
    function(
        "the values",
        ASK.replace("Base.metadata.tables", "Base.metadata.tables.values()"),
        "a table of yours is left alone",
    ),
    function(
        "Base.tables",
        ASK.replace("Base.metadata.tables", "Base.tables"),
        "'Base' has no attribute 'tables'",
    ),
    function(
        "target_metadata",
        ASK.replace("Base.metadata", "target_metadata"),
        "name 'target_metadata' is not defined",
    ),
    function("one equals sign", ASK.replace("==", "="), "Line 6 of the cell"),
    function(
        "the beginning, of all names",
        'return not name.startswith("visits")',
        "a name that is None",
    ),
    function(
        "the table",
        ASK.replace("name in Base.metadata.tables", "Base.metadata.tables[name]"),
        "a table is neither yes nor no",
    ),
    function(
        "within a text",
        ASK.replace("Base.metadata.tables", "str(Base.metadata.tables)"),
        "a table of others is compared",
    ),
    function(
        "a capital letter",
        ASK.replace(".tables", ".Tables"),
        "'MetaData' object has no attribute 'Tables'",
    ),
    function("the name's length", "return len(name) < 10", "a name that is None"),
    *edits(
        EXERCISE.filled,
        r"""
another name of the function  | include_name  | include_table  | a function that is called otherwise
two arguments  | , parent_names  |  | a function that is called otherwise
the import is gone  | from jobboard.models import Base  |  | an import is missing
Base alone  | from jobboard.models  | from jobboard  | cannot import name 'Base'
Base without models  | jobboard.models  | jobboard.database  | importing Base is not importing the models
prints in place of returns  | return name  | print(name  | .tables  | .tables)  | a table of others is compared
""",
    ),
]
RIGHT = [
    function("the metadata itself", ASK.replace("Base.metadata.tables", "Base.metadata")),
    function("in one line", 'return type_ != "table" or name in Base.metadata.tables'),
    function(
        "with the schema", ASK.replace("name in", 'parent_names["schema_qualified_table_name"] in')
    ),
    function(
        "from the models",
        ASK.replace(
            "Base.metadata.tables", "[each.__tablename__ for each in Base.__subclasses__()]"
        ),
    ),
    function(
        "the set outside",
        ASK.replace("Base.metadata.tables", "OURS"),
        before="\nOURS = set(Base.metadata.tables)\n",
    ),
    *edits(
        EXERCISE.filled,
        r"""
Base from where it lives  | from jobboard.models import Base  | import jobboard.models\nfrom jobboard.database import Base
the models' module  | from jobboard.models import Base  | from jobboard import models  | in Base  | in models.Base
""",
    ),
]
