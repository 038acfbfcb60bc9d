"""6.5  Write the function that leaves tables of others alone."""

from collections.abc import Sequence

from workbook.exercises import Mistake, cells, edits
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


EXERCISE = Models(
    file="ours.py",
    code=CODE,
    probes={asked(*each): probe(*each) for each in OURS + THEIRS + OTHERS},
    mistakes=(
        Mistake(
            "a list that somebody has to keep",
            "The names of your tables stand in the models already. A second list will lack the next one,"
            " and its migrations will never be drafted.",
            "Ask the metadata for them.",
            lambda t: (
                any(f"{quote}{name}{quote}" in t.source for name, _ in OURS for quote in "\"'")
                and "Its names stand in your function, too."
            ),
        ),
        Mistake(
            "Alembic asks about more than tables",
            "It asks about schemas, columns, indexes and constraints as well. What you refuse is not"
            " compared, so drift in it goes unseen; and a function that ends without an answer refuses.",
            "Look at type_ first, and say yes to whatever is no table.",
            lambda t: answers(t, OTHERS, False),
        ),
        Mistake(
            "a table of yours is left alone",
            "Nothing about it would be drafted again, and check would be content with whatever it is like.",
            "Which names does Base.metadata.tables hold: those of classes, or those of tables?",
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

RIGHT_CODE = EXERCISE.filled
WRONG = [
    cells("nothing but the cell", EXERCISE.cell, says="Not attempted yet"),
    *edits(
        RIGHT_CODE,
        r"""
""",
    ),
]
RIGHT = [
    *edits(
        RIGHT_CODE,
        r"""
""",
    ),
]
