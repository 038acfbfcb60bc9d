"""The table of contents: each chapter, its lesson and where it starts. No other code lists them."""

from dataclasses import dataclass

INIT = "1f3a9c5e7b20"


@dataclass(frozen=True)
class Start:
    """A project and a database to begin with, all of it derived from the finished history.

    `files` are folders of workbook/files, laid over in their order; `heads` the revisions up to
    which the history's files are there (none: no Alembic environment yet); `applied` those that the
    database is at; `rows` the SQL that fills its tables.
    """

    words: str
    files: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()
    rows: str = ""


@dataclass(frozen=True)
class Chapter:
    """One chapter; `lesson` is the name of its notebook, `about` what README says of it."""

    number: int
    lesson: str
    title: str
    minutes: int
    about: str
    start: Start


MODELS, AT_INIT = ("models",), (INIT,)
BOTH_EMPTY = Start("the revision init applied, both tables empty", MODELS, AT_INIT, AT_INIT)

CHAPTERS = {
    each.number: each
    for each in (
        Chapter(
            0,
            "00_start_here.ipynb",
            "Start here",
            8,
            "a migration applied and taken back, and one that fails; how a lesson works",
            Start("a project with one migration, not applied", MODELS, AT_INIT),
        ),
        Chapter(
            1,
            "01_models.ipynb",
            "Define the models",
            22,
            "one company, many jobs; why `create_all` is not enough",
            Start("an empty project and an empty database"),
        ),
        Chapter(
            2,
            "02_init_revision.ipynb",
            "Write the init revision",
            33,
            "`alembic init`, the address, two tables and the way back",
            Start("your two models and an empty database", MODELS),
        ),
        Chapter(
            3,
            "03_upgrade.ipynb",
            "Upgrade",
            22,
            "the SQL first, then the command; half a migration leaves nothing",
            Start(
                "models, an Alembic environment and the revision init, not applied", MODELS, AT_INIT
            ),
        ),
        Chapter(
            4,
            "04_inspect.ipynb",
            "Inspect the tables with SQL",
            25,
            "columns, keys, rows, and what a foreign key refuses",
            BOTH_EMPTY,
        ),
        Chapter(
            5,
            "05_downgrade.ipynb",
            "Downgrade and history",
            27,
            "an id is a destination; what comes back, and what does not",
            BOTH_EMPTY,
        ),
    )
}
