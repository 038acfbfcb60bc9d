"""10.2  Where the database is, when a later revision fails."""

import contextlib

import sqlalchemy as sa

from workbook import project
from workbook.exercises import Mistake, given
from workbook.exercises.ch05 import made_up
from workbook.exercises.kinds import FindOut
from workbook.server import database

UP = "from alembic import op\n\ndef upgrade():\n    {}\n\ndef downgrade():\n    pass\n"
BLOCK = "with op.get_context().autocommit_block():\n        op.execute('CREATE INDEX ON t (id)')"
SOURCES = {
    "a1": UP.format("op.execute('CREATE TABLE t (id int)')"),
    "b2": UP.format(BLOCK),
    "c3": UP.format("op.execute('ALTER TABLE t ADD n int')"),
    "d4": UP.format("op.execute('SELECT 1 / 0')"),
}


def question() -> object:
    """The id, when such revisions have really been run."""
    with made_up(SOURCES) as mine:
        name = mine.connection.exec_driver_sql("SELECT current_database()").scalar_one()
        with database.engine(name).connect() as other, contextlib.suppress(sa.exc.DataError):
            project.migrate(other, project.scripts(mine.folder), "head")
        return mine.connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


ALL = Mistake(
    "one transaction, as if there were no block",
    "By default all of them are one transaction, and the block has cut it in two: what came before the"
    " block is committed.",
    "Which rows of alembic_version were written before the block?",
)
BLOCKS = Mistake(
    "a revision counted before it is done",
    "Alembic writes a revision's id when its upgrade has come to an end. The block is in the middle of"
    " that, so the id of its revision is written after it.",
    "In which of the two transactions is that id?",
)
EACH = Mistake(
    "a transaction for each revision",
    "That is transaction_per_migration=True. By default what follows the block is one transaction, up to"
    " the end.",
    "Which ids were written in the transaction that is rolled back?",
)
EXERCISE = FindOut(
    question=question,
    right="a1",
    form="Answer with one id, from a1 to d4, or with none.",
    wrong={"base": ALL, "none": ALL, "nothing": ALL, "b2": BLOCKS, "c3": EACH, "d4": EACH},
    task="say where the database is after a block and a failure",
    hints=(
        "There are two transactions. Draw the line where the block is.",
        "An id is written at the end of its revision's upgrade. On which side of the line is each?",
    ),
    why="The block commits what is there, up to the id a1. The index of b2 is built and stays; its id, c3"
    " and d4 are in the second transaction, which is rolled back. The next upgrade begins with b2,"
    " and finds its index there already.",
    passed="You can tell where a run of migrations stands when a block has cut it in two.",
)

WRONG = [
    *given(ALL.name, "base", "Base", "none", "nothing"),
    *given(BLOCKS.name, "b2", "B2", " b2 "),
    *given(EACH.name, "c3", "d4"),
    *given("Answer with one id", "a1, b2", "index", 2),
    *given("Not attempted yet", "____", ""),
]
RIGHT = given("", "a1", "A1", " a1 ", "a1.")
