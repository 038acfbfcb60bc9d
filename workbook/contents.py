"""The table of contents: each chapter, its lesson and where it starts. No other code lists them."""

from dataclasses import dataclass

# Revisions of the finished history that chapters and exercises stand on
INIT = "1f3a9c5e7b20"
OWNED = "a45e7c1390df"  # companies.user_id is required
NAMED = "93d7a5e20c4b"  # constraints have names, jobs a status
MERGED = "c58e2f01a7d4"  # all branches are in
INDEXED = "d3f6a81b20c9"  # jobs.location has an index
RULED = "f20b9d6a3c17"  # jobs.remote, and a rule for jobs.hours
RENAMED = "e3a7c25d9b18"  # jobs.location is jobs.city: the end


@dataclass(frozen=True)
class Start:
    """A project and a database to begin with, as a rule derived from the finished history.

    `files` are folders of workbook/files, laid over in their order; `heads` the revisions up to
    which the history's files are there; `applied` those that the database is at; `rows` the SQL
    that fills its tables. Where something is applied and there are no heads, the files bring a
    history of their own.
    """

    words: str
    files: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()
    rows: str = ""

    @property
    def own(self) -> bool:
        """Whether it is a project of its own, with nothing of the finished history."""
        return bool(self.applied and not self.heads)


@dataclass(frozen=True)
class Chapter:
    """One chapter; `lesson` is the name of its notebook, `about` what README says of it.

    `in_tab` is what the lesson says of itself where it runs in a browser's tab; it does not run
    there if that is empty.
    """

    number: int
    lesson: str
    title: str
    minutes: int
    about: str
    start: Start
    in_tab: str = ""


MODELS, AT_INIT = ("models",), (INIT,)
BOTH_EMPTY = Start("the revision init applied, both tables empty", MODELS, AT_INIT, AT_INIT)
IN_TAB = "All of it runs here."

MAPPED = ("models", "mapped")  # lengths in the models, and env.py knows them
SIGNED_UP = """
INSERT INTO companies (name) VALUES ('Ada Analytics'), ('Borealis Books'), ('Cedar Clinic');
INSERT INTO jobs (title, description, company_id) VALUES
    ('Data engineer', 'Builds the pipelines.', 1), ('Analyst', 'Asks the questions.', 1),
    ('Bookseller', 'Knows every shelf.', 2), ('Nurse', 'Nights and weekends.', 3);
"""
OWNERS = """
INSERT INTO companies (user_id, name) VALUES ('ada', 'Ada Analytics'), ('bo', 'Borealis Books'),
    ('bo', 'Borealis Books'), ('unclaimed', 'Cedar Clinic');
INSERT INTO jobs (title, description, company_id) VALUES
    ('Data engineer', 'Builds the pipelines.', 1), ('Analyst', 'Asks the questions.', 1),
    ('Bookseller', 'Knows every shelf.', 2), (' ', 'Nights and weekends.', 4);
"""
OPEN_JOBS = """
INSERT INTO companies (user_id, name) VALUES ('ada', 'Ada Analytics'), ('bo', 'Borealis Books'),
    ('unclaimed', 'Cedar Clinic');
INSERT INTO jobs (title, description, company_id, status) VALUES
    ('Data engineer', 'Builds the pipelines.', 1, 'open'),
    ('Analyst', 'Asks the questions.', 1, 'closed'),
    ('Bookseller', 'Knows every shelf.', 2, 'open'), ('Nurse', 'Nights and weekends.', 3, 'draft');
"""

PLACES = """
INSERT INTO companies (user_id, name, website) VALUES ('ada', 'Ada Analytics', NULL),
    ('bo', 'Borealis Books', 'https://borealis.example'), ('unclaimed', 'Cedar Clinic', NULL);
INSERT INTO jobs (title, description, company_id, status, {place}, hours) VALUES
    ('Data engineer', 'Builds the pipelines.', 1, 'open', 'London', 40),
    ('Analyst', 'Asks the questions.', 1, 'closed', 'London', 20),
    ('Bookseller', 'Knows every shelf.', 2, 'open', 'Oslo', 30),
    ('Nurse', 'Nights and weekends.', 3, 'draft', NULL, NULL);
"""
CONVENTION = (*MAPPED, "named")
HARBOUR = """
INSERT INTO companies (name, contact)
SELECT (ARRAY['Anchor', 'Beacon', 'Cargo', 'Delta'])[1 + n % 4] || ' ' || n,
    CASE WHEN n % 5 > 0 THEN 'office@company' || n || '.example' END
FROM generate_series(1, 40) AS n;
INSERT INTO jobs (title, company_id, place, pay, deadline)
SELECT (ARRAY['Cook', 'Crane operator', 'Purser'])[1 + n % 3] || ' ' || n, 1 + n % 40,
    CASE WHEN n % 7 > 0 THEN (ARRAY['Bergen', 'Lisbon', 'Riga', 'Turku'])[1 + n % 4] END,
    CASE WHEN n % 6 > 0 THEN 1800 + 10 * n END, DATE '2026-07-01' + n
FROM generate_series(1, 120) AS n;
INSERT INTO applications (job_id, email, sent_at)
SELECT 1 + n % 120, 'applicant' || n || '@mail.example',
    TIMESTAMPTZ '2026-05-01 00:00Z' + n * INTERVAL '1 minute'
FROM generate_series(1, 5000) AS n;
"""
# What has happened to that database: one revision was changed after it was applied, the next one
# stamped and never run, and a try of a third has left its type behind.
MESS = """
ALTER TABLE jobs DROP COLUMN remote;
UPDATE alembic_version SET version_num = 'a9f03e6c8b15';
CREATE TYPE job_kind AS ENUM ('full', 'part');
"""

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
            IN_TAB,
        ),
        Chapter(
            1,
            "01_models.ipynb",
            "Define the models",
            22,
            "one company, many jobs; why `create_all` is not enough",
            Start("an empty project and an empty database"),
            IN_TAB,
        ),
        Chapter(
            2,
            "02_init_revision.ipynb",
            "Write the init revision",
            33,
            "`alembic init`, the address, two tables and the way back",
            Start("your two models and an empty database", MODELS),
            IN_TAB,
        ),
        Chapter(
            3,
            "03_upgrade.ipynb",
            "Upgrade",
            24,
            "the SQL first, then the command; half a migration leaves nothing",
            Start(
                "models, an Alembic environment and the revision init, not applied", MODELS, AT_INIT
            ),
            IN_TAB,
        ),
        Chapter(
            4,
            "04_inspect.ipynb",
            "Inspect the tables with SQL",
            25,
            "columns, keys, rows, and what a foreign key refuses",
            BOTH_EMPTY,
            "All of it runs here but for the two cells with pandas, which there is not in a tab.",
        ),
        Chapter(
            5,
            "05_downgrade.ipynb",
            "Downgrade and history",
            27,
            "an id is a destination; what comes back, and what does not",
            BOTH_EMPTY,
            IN_TAB,
        ),
        Chapter(
            6,
            "06_drift.ipynb",
            "Drift and autogenerate",
            35,
            "what `check` sees and what it never does; a draft, reviewed line by line",
            BOTH_EMPTY,
        ),
        Chapter(
            7,
            "07_rows.ipynb",
            "Change tables that hold rows",
            40,
            "a column that must not be NULL, data that move, a way back that loses nothing",
            Start(
                "the draft of chapter 6, not applied, and tables that hold rows",
                (*MAPPED, "draft"),
                AT_INIT,
                AT_INIT,
                SIGNED_UP,
            ),
        ),
        Chapter(
            8,
            "08_constraints.ipynb",
            "Constraints, names and types",
            35,
            "names that every machine agrees on, rules for rows that break them, enums",
            Start(
                "every company with an owner, and constraints without names of ours",
                MAPPED,
                (OWNED,),
                (OWNED,),
                OWNERS,
            ),
        ),
        Chapter(
            9,
            "09_two_heads.ipynb",
            "Two developers, two heads",
            35,
            "git merges cleanly, Alembic does not; `stamp`, and a database from before Alembic",
            Start(
                "names by a convention, a status for jobs, and tables that hold rows",
                CONVENTION,
                (NAMED,),
                (NAMED,),
                OPEN_JOBS,
            ),
        ),
        Chapter(
            10,
            "10_review.ipynb",
            "Transactions and review",
            30,
            "what belongs into one transaction; what a revision locks, and whom it makes wait",
            Start(
                "one head, every branch merged, and tables that hold rows",
                (*CONVENTION, "merged"),
                (MERGED,),
                (MERGED,),
                OPEN_JOBS,
            ),
        ),
        Chapter(
            11,
            "11_locks.ipynb",
            "Locks: migrate while people work",
            40,
            "a migration of two milliseconds that stops the site, and how it does not",
            Start(
                "an index on jobs.location, and tables that hold rows",
                (*CONVENTION, "indexed"),
                (INDEXED,),
                (INDEXED,),
                PLACES.format(place="location"),
            ),
        ),
        Chapter(
            12,
            "12_expand_contract.ipynb",
            "Expand and contract",
            40,
            "a column renamed while the old and the new application both serve",
            Start(
                "a rule for jobs.hours, the column jobs.remote, and tables that hold rows",
                (*CONVENTION, "ruled"),
                (RULED,),
                (RULED,),
                PLACES.format(place="location"),
            ),
        ),
        Chapter(
            13,
            "13_ship.ipynb",
            "Test and ship",
            50,
            "tests, gates and roles; two deployers at once, a backup, and a way to stop",
            Start(
                "the finished schema, where jobs have a city, and tables that hold rows",
                (*CONVENTION, "city"),
                (RENAMED,),
                (RENAMED,),
                PLACES.format(place="city"),
            ),
        ),
        Chapter(
            14,
            "14_capstone.ipynb",
            "An inherited mess",
            60,
            "a project that somebody left, a letter from its owner, and no steps",
            Start(
                "a project that somebody left, and its database",
                ("mapped", "inherited"),  # env.py is the same
                (),
                ("5b21d9c07e46",),
                HARBOUR + MESS,
            ),
        ),
    )
}
