"""why() looks into a project, says what it does not know, and its catalogue is one page."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from workbook import ROOT, WorkbookError
from workbook.author import catalogue
from workbook.exercises.mistakes.errors import entries
from workbook.explaining import explain, from_terminal, why
from workbook.site import Site

UNKNOWN = "This error is not one of those that why() knows"


def test_the_page_is_what_the_catalogue_says() -> None:
    page = catalogue.PAGE.read_text(encoding="utf-8")
    assert page == catalogue.page()
    for each in entries():
        assert (
            page.count(f'<a id="{each.id.lower()}"></a>') == 1 and f"(#{each.id.lower()})" in page
        )


def test_the_catalogue_is_whole() -> None:
    for each in entries():
        told = (each.why, each.remedy, each.prevent, *each.lines, *each.commands)
        assert all(told), each.id
        assert not each.quiet or each.tell, each.id
    assert len({each.id for each in entries()}) == len(entries())


# ---- use that says nothing ----------------------------------------------------------------------


@pytest.mark.parametrize("given", ["", "   \n", 7, ["text"], b"text", "\x1b[31m\x1b[0m"])
def test_what_is_no_error_gets_one_line(given: object) -> None:
    with pytest.raises(WorkbookError, match=r"why\(\) takes the text of an error, all of it"):
        why(given)


@pytest.mark.parametrize("text", ["all is well", "}{ \\ %s $x$ `<b>`", "🦆" * 5000, "((((" * 9000])
def test_any_text_gets_an_honest_answer(text: str) -> None:
    card = explain(text)
    assert card.title == UNKNOWN
    assert "How to read an error" in repr(card)
    assert card._repr_markdown_()


def test_how_to_read_it_names_kind_reason_statement_and_place() -> None:
    card = explain(
        "Traceback (most recent call last):\n"
        '  File "/srv/app/alembic/versions/ab12_x.py", line 9, in upgrade\n    op.execute(SQL)\n'
        "sqlalchemy.exc.DataError: (psycopg2.errors.InvalidRegularExpression) no time\n"
        "[SQL: SELECT 'x'::date]\n(Background on this error at: https://sqlalche.me/e/21/9h9h)"
    )
    for words in (
        "Kind: sqlalchemy.exc.DataError. It comes from PostgreSQL or its driver.",
        "Reason: (psycopg2.errors.InvalidRegularExpression) no time",
        "Statement: SELECT 'x'::date",
        "Line 9 of ab12_x.py: op.execute(SQL)",
    ):
        assert words in repr(card)


@pytest.mark.parametrize(
    "library",
    [
        "alembic/script/revision.py",
        "asyncpg/protocol.pyx",
        "/usr/local/bin/flask",
        r"C:\venv\Scripts\alembic.exe\__main__.py",
        r"G:\Python\Python311\Lib\configparser.py",
        "/usr/lib/python2.7/runpy.py",
    ],
)
def test_a_place_is_never_a_library_s(library: str) -> None:
    where = f'  File "{library}", line 8, in x\n    y\n'
    text = f"Traceback (most recent call last):\n{where}CommandError: Can't locate revision identified by 'ab'"
    assert "Line 8" not in repr(why(text))


def test_a_frame_of_compiled_code_is_no_place_and_an_error_is_no_line_of_one() -> None:
    frames = (
        'Traceback (most recent call last):\n  File "/app/config.py", line 76, in <module>\n{}'
        '  File "pydantic/main.py", line 341, in pydantic.main.BaseModel.__init__\n'
        "pydantic.error_wrappers.ValidationError: 1 validation error for Settings\nDSN\n"
    )
    assert "Line 76 of config.py: s = S()" in repr(explain(frames.format("    s = S()\n")))
    cut = '  File "/app/env.py", line 3, in <module>\nValueError: no time'
    assert "Line 3 of env.py." in repr(explain(cut))


def test_an_exception_can_be_handed_in() -> None:
    try:
        sa.create_engine("driver://")
    except sa.exc.ArgumentError as error:
        assert why(error).title == "Known: an address that nobody has filled in"


# ---- a project ----------------------------------------------------------------------------------

REVISION = "revision = {!r}\ndown_revision = {!r}\nraise SystemExit('a revision was run')\n"


@pytest.fixture
def project(database: str, tmp_path: Path) -> Iterator[Path]:
    """A project of somebody's own, with two heads, on a database at a revision that no file has."""
    folder = tmp_path / "own"
    versions = folder / "db" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s/db\nsqlalchemy.url = postgresql+psycopg2://\n"
    )
    for id, down in (("a1", None), ("b2", "a1"), ("c3", "a1")):
        (versions / f"{id}_x.py").write_text(REVISION.format(id, down))
    (folder / "db" / "env.py").write_text("raise SystemExit('env.py was run')")
    with psycopg2.connect("") as connection:
        connection.cursor().execute(
            "CREATE TABLE jobs (id int); CREATE TABLE alembic_version (version_num varchar(32));"
            "INSERT INTO alembic_version VALUES ('f00')"
        )
    connection.close()
    yield folder


def test_a_project_of_ones_own_is_looked_at_and_left_alone(project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    said = repr(from_terminal("", project))
    assert "3 revisions, head: b2, c3." in said and "The database is at f00." in said
    assert "Two heads: " in said and "db/versions/b2_x.py comes after a1" in said
    assert "A revision that no file has: " in said
    assert before == {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


def test_the_project_decides_between_mistakes_of_the_same_words(project: Path) -> None:
    locate = "FAILED: Can't locate revision identified by '{}'"
    assert (
        explain(locate.format("f00"), Site(project)).title == "Known: a revision that no file has"
    )
    assert explain(locate.format("hed"), Site(project)).title == "Known: a name that is no revision"
    exists = '(psycopg2.errors.DuplicateTable) relation "jobs" already exists'
    assert explain(exists, Site(project)).title == "Known: a table that is there already"
    with psycopg2.connect("") as connection:
        connection.cursor().execute("DELETE FROM alembic_version")
    connection.close()
    card = explain(exists, Site(project))
    assert card.title == "Known: create_all was there first" and "row is gone" in repr(card)
    assert "The database is at no revision. It holds jobs." in repr(from_terminal("", project))


def test_who_holds_the_lock(project: Path) -> None:
    text = "(psycopg2.errors.LockNotAvailable) canceling statement due to lock timeout"
    assert "Nobody holds a lock on a table now" in repr(explain(text, Site(project)))
    other = psycopg2.connect("")
    other.cursor().execute("SELECT 1 AS mine FROM jobs")
    card = explain(text, Site(project))
    pid = other.info.backend_pid
    other.close()
    assert card.title == "Known: an open transaction in the way"
    assert f"Session {pid} " in repr(card) and "SELECT 1 AS mine FROM jobs" in repr(card)
    assert "idle in transaction" in repr(card)


def test_nothing_can_be_written_through_a_site(project: Path) -> None:
    assert Site(project).ask("CREATE TABLE harm (n int) RETURNING 1") == []
    assert Site(project).ask("INSERT INTO jobs VALUES (1) RETURNING id") == []
    assert Site(project).ask("SELECT count(*) FROM jobs") == [(0,)]


def test_on_the_command_line(project: Path) -> None:
    def said(text: str, *arguments: str) -> str:
        command = [sys.executable, "-m", "workbook", "why", *arguments]
        done = subprocess.run(
            command, check=False, input=text.encode(), capture_output=True, cwd=ROOT
        )
        assert b"Traceback" not in done.stdout + done.stderr
        return (done.stdout + done.stderr).decode()

    assert "Hand the error in, as in: alembic upgrade head 2>&1 | python3" in said("")
    assert said("FAILED: Ambiguous walk\n").startswith("Known: one step down from a merge\n")
    assert f"{project.parent} has no alembic.ini" in said("", str(project.parent))
    assert "How the project stands" in said("", str(project))


# ---- errors that are not in the catalogue --------------------------------------------------------

# The words of the tools, met in threads about Alembic and SQLAlchemy or in their own sources.
OTHERS = (ROOT / "tests" / "unknown_errors.txt").read_text(encoding="utf-8").splitlines()
TRACEBACK = """INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.
INFO  [alembic.runtime.migration] Running upgrade a1 -> b2, add table
Traceback (most recent call last):
  File "/app/alembic/versions/b2_add.py", line 12, in upgrade
    op.create_index("ix", "jobs", ["title"], postgresql_concurrently=True)
  File "/venv/lib/python3.12/site-packages/sqlalchemy/engine/base.py", line 1900, in _execute
    raise ValueError("Constraint must have a name")
{}
[SQL: SELECT 'relation "x" already exists']
(Background on this error at: https://sqlalche.me/e/20/f405)
"""


@pytest.mark.parametrize("text", OTHERS)
def test_an_error_that_is_not_known_is_said_to_be_unknown(text: str) -> None:
    """Alone, and in a traceback whose code has words that the catalogue knows."""
    for each in (text, TRACEBACK.format(text)):
        card = explain(each)
        assert card.title == UNKNOWN
        assert text.partition(": ")[0] in repr(card)


# ---- texts as people paste them -------------------------------------------------------------------

PASTED = """Traceback (most recent call last):
  File "/venv/lib/python3.12/site-packages/sqlalchemy/engine/default.py", line 942, in do_execute
    cursor.execute(statement, parameters)
psycopg2.errors.DuplicateColumn: column "plan" of relation "jobs" already exists


The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/alembic/versions/b2_add.py", line 12, in upgrade
    op.add_column("jobs", sa.Column("plan", sa.String()))
sqlalchemy.exc.ProgrammingError: (psycopg2.errors.DuplicateColumn) column "plan" of relation "jobs" already exists

[SQL: ALTER TABLE jobs ADD COLUMN plan VARCHAR]
(Background on this error at: https://sqlalche.me/e/20/f405)
"""


def before(prefix: str) -> str:
    """With the words that a log puts before each line."""
    return "".join(f"{prefix}{line}\n" for line in PASTED.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        before("api_1  | "),
        before("2025-05-29 08:01:13 "),
        before("2023-08-29T14:42:50.123737746Z "),
        before("Jan 17 09:03:09 primary pre-start[23499]: "),
        before("web-6c56759c95-fgz25 web "),
        before("api-1  | 2025-05-29 08:01:13,101 UTC [74] "),
        before("2021-01-01T00:00:00.000000+00:00 app[web.1]: "),
        before("E       "),
        json.dumps({"log": PASTED, "stream": "stderr"}),
        repr(PASTED),
        PASTED
        + "subprocess.CalledProcessError: Command 'alembic' returned non-zero exit status 1.\n",
        PASTED
        + "make: *** [Makefile:40: upgrade] Error 1\nERROR: process did not complete: exit code: 1\n",
        PASTED + "\nThe above exception was the direct cause of the following exception:\n\nE: x\n"
        "app.errors.StartError: the database could not be migrated\n",
        PASTED + "app.errors.StartError: the database could not be migrated\n",
        PASTED
        + "Exception ignored in: <function C.__del__ at 0x1>\nRuntimeError: Event loop is closed\n",
    ],
    ids=range(15),
)
def test_what_stands_around_an_error_does_not_hide_it(text: str) -> None:
    card = explain(text)
    assert card.title == "Known: a column that is there already"
    assert "Line 12 of b2_add.py" in repr(card)


def test_a_text_that_tells_of_an_error_is_not_called_a_success() -> None:
    ran = "INFO  [alembic.runtime.migration] Running upgrade a1 -> b2, x\n"
    assert explain(ran).title == "Nothing failed here"
    assert explain(ran + "web: HINT:  No function matches the given name.\n").title == UNKNOWN


def test_an_echo_gives_way_to_the_error_before_it() -> None:
    aborted = "psycopg2.errors.InFailedSqlTransaction: current transaction is aborted, commands"
    assert explain(aborted).title == "Known: everything after the first error is refused"
    assert explain(PASTED + aborted).title == "Known: a column that is there already"


def test_an_unknown_error_is_not_explained_by_another_one_before_it() -> None:
    handled = "\nDuring handling of the above exception, another exception occurred:\n\n"
    tried = "ModuleNotFoundError: No module named 'psycopg2'\n" + handled
    assert explain(tried + "TypeError: f() takes 2 arguments").title == UNKNOWN
    assert explain(PASTED + "KeyError: 'ts'").title == UNKNOWN
    assert explain(PASTED + "botocore.exceptions.ClientError: x").title == UNKNOWN
    assert explain(PASTED + "sqlalchemy.exc.DataError: (psycopg2.DataError) x").title == UNKNOWN


WEIGHED = [
    (  # the driver wrote numpy's own name
        '(psycopg2.errors.InvalidSchemaName) schema "np" does not exist\nLINE 1: (np.float64(1))',
        "a number of numpy's",
        "float(value)",
    ),
    (
        'psycopg2.errors.UndefinedColumn: column "userid" does not exist\n'
        'HINT:  Perhaps you meant to reference the column "orders.userId".',
        "a column that is not there",
        'PostgreSQL proposes: Perhaps you meant to reference the column "orders.userId".',
    ),
    (
        "psycopg2.OperationalError: server closed the connection unexpectedly",
        "a connection that was cut",
        "do the work in batches",
    ),
    (
        "FAILED: Can't locate revision identified by '417acfc005d6'",
        "a revision that no file has",
        "two programs keep their ids in the same alembic_version table",
    ),
    (
        'psycopg2.errors.UndefinedTable: relation "users" does not exist\n'
        "[SQL: ALTER TABLE users ADD COLUMN email VARCHAR]",
        "a table that is not there",
        "no revision makes it at all, because create_all",
    ),
    (
        "sqlalchemy.exc.InvalidRequestError: Table 'users' is already defined for this MetaData"
        " instance.",
        "the same table twice",
        "two classes with one __tablename__",
    ),
    (
        "alembic.util.exc.CommandError: Online migration expected to match one row when updating"
        " 'a1' to 'b2' in 'alembic_version'; 0 found",
        "alembic_version changed on the way",
        "version_table",
    ),
]


MISSING = 'psycopg2.errors.UndefinedColumn: column "{}" of relation "jobs" does not exist\n'
READ = (
    '  File "/app/env.py", line 3, in <module>\n  File "G:\\Python311\\Lib\\configparser.py", line'
    " 1035, in _read\n    for lineno, line in enumerate(fp, start=1):\n"
)
RUNS = "INFO  [alembic.runtime.migration] Running upgrade a1 -> b2, x\n"


# what real errors were explained wrongly by, once
MISTAKEN = [
    (  # -c names a file that is not there
        "START: alembic.config, argv=['-c', '/app/alembic.ini', 'upgrade', 'head']\n"
        "  FAILED: No 'script_location' key found in configuration.\n",
        "no settings for Alembic",
        "or at the path that -c names",
    ),
    (  # a package's type, and none of the project's own
        '  File "/app/versions/a1_x.py", line 27, in upgrade\n    geo.types.Point(srid=4326),\n'
        "NameError: name 'geo' is not defined",
        "a draft that names what it does not import",
        "all that are not SQLAlchemy's own",
    ),
    (
        MISSING.format("d") + "LINE 2:   SET d.scheme=(\n[SQL: UPDATE jobs d\n  SET d.scheme=(1)]",
        "a table's name where SET wants a column",
        "stands alone",
    ),
    (  # nothing tells whether mapped classes wrote it
        RUNS + MISSING.format("plan"),
        "a column that is not there at this revision",
        "Does the revision import the models?",
    ),
    (
        RUNS + "sqlite3.OperationalError: no such column: printers.name",
        "a column that is not there at this revision",
        "Does the revision import the models?",
    ),
    (
        "(psycopg2.OperationalError) FATAL: password authentication failed for user XXX",
        "a password that the server refuses",
        "three stars",
    ),
    (
        "ImportError: cannot import name 'Job' from partially\ninitialized module 'app.models'"
        " (circular import)",
        "modules that import each other",
        "the one that asks",
    ),
    (
        "Cannot drop index 'user_id': needed in a foreign key constraint",
        "an index that a foreign key needs",
        "MySQL checks",
    ),
    (
        "AttributeError: 'str' object has no attribute '_execute_on_connection'",
        "text that SQLAlchemy does not take",
        "sa.text",
    ),
    (
        READ + "UnicodeDecodeError: 'gbk' codec can't decode byte 0x80 in position 120",
        "settings that cannot be decoded",
        "in ASCII",
    ),
    (
        'psycopg.errors.InvalidTableDefinition: cannot change name of view column "first" to',
        "a view that is replaced by another shape",
        "DROP VIEW",
    ),
]


@pytest.mark.parametrize(("text", "name", "words"), [*WEIGHED, *MISTAKEN])
def test_what_was_seen_comes_first_and_causes_are_weighed(text: str, name: str, words: str) -> None:
    card = explain(text)
    assert card.title == f"Known: {name}" and words in repr(card)


def test_a_table_s_name_in_set_is_nothing_else() -> None:
    said = repr(explain(MISSING.format("jobs") + "[SQL: UPDATE jobs SET n = 1, jobs.plan = 'x']"))
    assert "SET wants a column" in said and "It can also be" not in said
    other = explain(MISSING.format("plan") + "[SQL: UPDATE jobs SET plan = jobs.title]")
    assert other.title == "Known: a column that is not there"


def test_errors_of_other_tools_that_mean_the_same() -> None:
    assert len(OTHERS) >= 60
    for text, name in (
        (
            "(sqlite3.OperationalError) table _alembic_tmp_keys already exists",
            "a copy that an earlier",
        ),
        ('asyncpg.exceptions.DuplicateTableError: relation "x" already exists', "a table that is"),
        (
            "(pymysql.err.OperationalError) (1050, \"Table 'x' already exists\")",
            "a table that is there",
        ),
        (
            "(psycopg.errors.DuplicateTable) la relation \xab x \xbb existe d\xe9j\xe0",
            "a table that is",
        ),
        (
            "ERROR [flask_migrate] Error: Multiple head revisions are present for given argument"
            " 'head'; please specify a specific target revision",
            "two heads",
        ),
    ):
        assert explain(text).title.startswith(f"Known: {name}"), text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('relation "x" does not exist', "a table that is not there"),
        ('password authentication failed for user "x"', "a password that the server refuses"),
        ('duplicate key value violates unique constraint "x_pkey"', "a row that is there already"),
        ('column "x" of relation "y" contains null values', "NOT NULL on a table that holds rows"),
        ('column "x" of relation "y" already exists', "a column that is there already"),
        (
            'insert or update on table "x" violates foreign key constraint "y"',
            "a row that refers to",
        ),
        ("canceling statement due to lock timeout", "a lock that somebody else holds"),
    ],
)
def test_words_alone_get_the_general_name(text: str, name: str) -> None:
    """What one cannot tell from the words is said as a possibility."""
    card = explain(text)
    assert card.title.startswith(f"Known: {name}") and "It can also be: " in repr(card)
