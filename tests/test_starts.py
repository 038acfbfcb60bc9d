"""Chapter starts: any chapter, first or after anything else, and never a byte of the learner's lost.

What a right start is, is said here independently of workbook.starts: the files that have to be there,
and the database that the finished project's own `alembic upgrade` makes.
"""
# mypy: disable-error-code="no-untyped-call"
# (of IPython and nbformat)

import configparser
import contextlib
import errno
import functools
import io
import logging.config
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import nbformat
import psycopg2
import pytest
import sqlalchemy as sa
from alembic.config import main as alembic_main
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList
from sql.connection import Connection  # type: ignore[import-untyped]
from traitlets.config import Config

from workbook import (
    ROOT,
    WorkbookError,
    apart,
    aside,
    contents,
    project,
    releases,
    starts,
    theatre,
)
from workbook.exercises.ch09 import ex5
from workbook.server import database as db

INIT = next((ROOT / "alembic" / "versions").glob("*_init.py"))
ENVIRONMENT = {"alembic.ini", "alembic/README", "alembic/env.py", "alembic/script.py.mako"}
CHAPTERS = [number for number in contents.CHAPTERS if number]


@pytest.fixture(scope="module")
def separate_database(
    server: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """One database for all of these tests, each of which empties it: that is many times as fast."""
    name = f"chapters_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with db.separate(name, tmp_path_factory.mktemp("chapters")):
        db.connect_environment()
        yield name
        for connection in CONNECTIONS.values():
            connection.close()
        CONNECTIONS.clear()


@pytest.fixture(autouse=True)
def learner(
    separate_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A learner's Python: what `start` changes in this process is put back afterwards."""

    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path))
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=20s -c synchronous_commit=off")
    rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
    )
    for (schema,) in rows(
        "SELECT quote_ident(nspname) FROM pg_namespace"
        " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
    ):
        rows(f"DROP SCHEMA {schema} CASCADE")
    rows(f"CREATE SCHEMA public; COMMENT ON DATABASE {separate_database} IS NULL")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.setattr(logging.config, "fileConfig", lambda *args, **kwargs: None)
    with jobboard_unknown():
        yield


@contextlib.contextmanager
def jobboard_unknown() -> Iterator[None]:
    """As in a new Python: no module of anybody's project has been imported yet."""
    before = {name: sys.modules.pop(name) for name in [*sys.modules] if name[:8] == "jobboard"}
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name[:8] == "jobboard"]:
            del sys.modules[name]
        sys.modules.update(before)


# ---- what there is ------------------------------------------------------------------------------


def home() -> Path:
    return Path(os.environ["WORKBOOK_HOME"])


def workspace() -> Path:
    return home() / "workspace"


CONNECTIONS: dict[str, psycopg2.extensions.connection] = {}


def rows(query: str, database: str = "") -> list[tuple[Any, ...]]:
    """Run one statement in a transaction of its own."""
    name = database or os.environ["PGDATABASE"]
    if name not in CONNECTIONS:
        CONNECTIONS[name] = psycopg2.connect(dbname=name)
        CONNECTIONS[name].autocommit = True
    with CONNECTIONS[name].cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def files(folder: Path) -> dict[str, bytes]:
    """Every file's bytes, by path; what Python compiles does not count."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def tables() -> dict[str, dict[str, list[str]]]:
    """By schema and table: every row, and how far each counter has counted."""
    found: dict[str, dict[str, list[str]]] = {}
    for schema, table in rows(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname ~ '^(public$|aside_)'"
    ):
        found.setdefault(schema, {})[table] = []
    queries = ["SELECT schemaname, sequencename, last_value::text FROM pg_sequences"] + [
        f"SELECT '{schema}', '{table}', each::text FROM {schema}.\"{table}\" AS each"
        for schema in found
        for table in found[schema]
    ]
    for schema, name, content in rows(" UNION ALL ".join(queries) + " ORDER BY 1, 2, 3"):
        found.setdefault(schema, {}).setdefault(name, []).append(content)
    return found


@dataclass(frozen=True)
class Work:
    """All that a learner has."""

    files: dict[str, bytes]
    tables: dict[str, list[str]]


def work() -> Work:
    return Work(files(workspace()), tables().get("public", {}))


def asides() -> dict[str, Work]:
    """What has been put aside, by name, read from the disk and from the database."""
    stored = tables()
    found = {}
    for folder in (home() / "put_aside").glob("[!.]*"):
        schema = f"aside_{folder.name.replace('-', '_')}"
        found[folder.name] = Work(files(folder / "project"), stored.get(schema, {}))
    return found


def everywhere() -> list[Work]:
    return [work(), *asides().values()]


def assert_nothing_lost(before: Work) -> None:
    """Each file with its bytes and each row is in workspace/ and public, or put aside."""
    found = everywhere()
    for path, content in before.files.items():
        assert any(each.files.get(path) == content for each in found), path
    for table, content_ in before.tables.items():
        assert any(each.tables.get(table) == content_ for each in found), table


STRUCTURE = (
    "table_name, column_name, data_type, character_maximum_length, is_nullable"
    " FROM information_schema.columns WHERE table_schema = 'public'",
    "t.table_name, constraint_type, k.column_name, c.table_name"
    " FROM information_schema.table_constraints t"
    " JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name)"
    " JOIN information_schema.constraint_column_usage c"
    " USING (constraint_schema, constraint_name) WHERE constraint_schema = 'public'",
    "relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    "typtype FROM pg_type WHERE typnamespace = 'public'::regnamespace",
)


def structure() -> object:
    """Columns, keys and objects of the schema public; its rows and counters, but for Alembic's."""
    content = {
        name: each for name, each in tables().get("public", {}).items() if name[:7] != "alembic"
    }
    return [sorted(rows(f"SELECT {query}")) for query in STRUCTURE], content


@functools.cache
def finished(start: contents.Start) -> object:
    """The structure that a start's database has, made by the finished project's `alembic`."""
    with pytest.MonkeyPatch.context() as patch:
        name = f"{os.environ['PGDATABASE']}_finished"
        db.drop(name)
        patch.setenv("PGDATABASE", name)
        db.connect_environment()
        folder = ROOT
        if start.own:
            folder = Path(tempfile.mkdtemp(dir=os.environ["WORKBOOK_HOME"]))
            project.lay_out(folder / "own", start)
            folder /= "own"
        for revision in start.applied:
            alembic("upgrade", revision, folder=folder)
        rows(start.rows or "SELECT 1")
        found = structure()
        CONNECTIONS.pop(name).close()
        db.drop(name)
    return found


def assert_right_start(chapter: int, kept: bool = False) -> None:
    """Files and database are what the chapter starts with; `kept`: they may be the learner's own."""
    start = contents.CHAPTERS[chapter].start
    assert Path.cwd() == workspace().resolve()
    mine = files(workspace())
    expected = {"jobboard/__init__.py": b""}
    for name in start.files:
        expected |= files(project.FILES / name)
    revisions = {path: mine[path] for path in mine if path.startswith("alembic/versions/")}
    environment = start.heads or start.own
    if environment:
        assert mine.keys() >= ENVIRONMENT
        ini = configparser.ConfigParser({"here": str(workspace())})
        ini.read(workspace() / "alembic.ini")
        assert ini["alembic"]["sqlalchemy.url"] == "postgresql+psycopg2://"
        assert Path(ini["alembic"]["script_location"]) == workspace() / "alembic"
        compile(mine["alembic/env.py"], "env.py", "exec")
    else:  # or `alembic init alembic` would refuse
        assert not (workspace() / "alembic").exists()
        assert "alembic.ini" not in mine
    if not kept:
        for path in [
            Path(each.path) for head in start.heads for each in project.history("base", head)
        ]:
            expected[f"alembic/versions/{path.name}"] = path.read_bytes()
        template = {path: mine[path] for path in ENVIRONMENT if environment}
        assert mine == {**template, **expected}
    assert structure() == finished(start)
    if start.applied:
        versions = rows("SELECT version_num FROM alembic_version")
        ids = re.findall(
            rb"^revision\b.*= ['\"](\w+)", b"\n".join(revisions.values()), re.MULTILINE
        )
        assert {version.encode() for (version,) in versions} <= {*ids}


# ---- what a learner does ------------------------------------------------------------------------


def said(call: Callable[..., None], *arguments: object, **options: object) -> str:
    """Everything that a call prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        call(*arguments, **options)
    return out.getvalue()


def begin(chapter: int, **options: bool) -> str:
    return said(starts.start, chapter, **options)


def arrive(chapter: int) -> str:
    """Begin a chapter as somebody who comes from elsewhere with what stands there now."""
    rows("COMMENT ON SCHEMA public IS NULL")
    return begin(chapter)


def bring_back(message: str) -> str:
    """Do what the message says to get back what it has put aside."""
    [name] = re.findall(r'To bring (?:it|that) back: restore\("([^"]+)"\)', message)
    return said(aside.restore, name)


def alembic(*arguments: str, folder: Path | None = None) -> str:
    """Alembic's command line, in this process; what it prints, however it ends."""
    out = io.StringIO()
    with (
        contextlib.suppress(SystemExit),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
        contextlib.chdir(folder or workspace()),
        jobboard_unknown(),
    ):
        try:
            alembic_main(argv=list(arguments), prog="alembic")
        except Exception:  # noqa: BLE001 - a migration can raise anything
            traceback.print_exc(file=out)
    return out.getvalue()


def forget_asides() -> None:
    shutil.rmtree(home() / "put_aside", ignore_errors=True)
    for schema in tables().keys() - {"public"}:
        rows(f"DROP SCHEMA {schema} CASCADE")


def fill() -> Work:
    """Leave traces in the project: files of many kinds, and rows."""
    for path, text in {
        "notes.txt": "mine",
        "empty.txt": "",
        "sub/__pycache__/bytes.bin": "\0\1",
        ".ipynb_checkpoints/gone-checkpoint.py": "the last copy",
        "sub/Ünïcödé näme.sql": "SELECT 'ä'",
    }.items():
        write(path, text)
    rows("CREATE TABLE IF NOT EXISTS mine (id serial, word text)")
    rows("INSERT INTO mine (word) VALUES ('one'), ('two')")
    columns = [row[1] for row in rows(f"SELECT {STRUCTURE[0]}") if row[0] == "companies"]
    if columns:
        owned = "user_id" in columns
        rows(f"INSERT INTO companies VALUES (99, 'Ada Analytics'{', chr(97)' * owned})")
    return work()


def write(path: str, text: str) -> None:
    (workspace() / path).parent.mkdir(parents=True, exist_ok=True)
    (workspace() / path).write_text(text, encoding="utf-8")


def replace_text(path: str, old: str, new: str) -> None:
    file = workspace() / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


IDS = f"revision = 'bad'\ndown_revision = {INIT.name.partition('_')[0]!r}"
BROKEN = {  # revisions after the first one
    "not Python": "def upgrade(:",
    "raises on import": "raise RuntimeError('no')",
    "raises": "def upgrade(): raise RuntimeError('no')",
    "leaves on import": "import sys; sys.exit(3)",
    "leaves": "import sys\ndef upgrade(): sys.exit(3)",
    "commits by SQL": "def upgrade(): op.execute('COMMIT; CREATE TABLE half ()'); 1 / 0",
    "commits by bind": "def upgrade(): op.execute('CREATE TABLE half ()'); op.get_bind().commit(); 1 / 0",
    "ends its transaction": "def upgrade(): op.execute('COMMIT')",
    "takes it back": "def upgrade(): op.execute('ROLLBACK')",
    "wrong SQL": "def upgrade(): op.execute('CREATE TABEL x ()')",
    "no down_revision": "del down_revision",
    "no revision": "del revision",
    "no upgrade": "",
    "changes nothing": "def upgrade(): pass",
    "unknown parent": "down_revision = 'nobody'\ndef upgrade(): pass",
    "its own parent": "down_revision = 'bad'\ndef upgrade(): pass",
    "second head": "down_revision = None\ndef upgrade(): op.execute('SELECT 1')",
    "changes folder": "import os\ndef upgrade(): os.chdir(os.sep); 1 / 0",
    "not text": "\x00\x00",
    "loops": "while True: pass",
    "ends Python": "import os; os._exit(0)",
    "forks": "import os, time\nif not os.fork(): time.sleep(60)\nos.fork()",
    "forgets where the server is": "import os; os.environ.clear()",
    "sleeps in the server": "def upgrade(): op.execute('SELECT pg_sleep(200)')",
    "goes on in the server": (
        "def upgrade():\n    op.execute('SET statement_timeout = 0')\n"
        "    op.execute('SET client_connection_check_interval = 0; SELECT pg_sleep(200)')"
    ),
    "drops rows elsewhere": (
        "import sqlalchemy as sa\ndef upgrade():\n"
        "    with sa.create_engine('postgresql+psycopg2://').begin() as other:\n"
        "        other.execute(sa.text('DROP TABLE IF EXISTS companies CASCADE'))"
    ),
}


def add_revision(text: str) -> None:
    write("alembic/versions/bad_.py", f"from alembic import op\n{IDS}\n{text}")


def fail_to_upgrade(text: str) -> None:
    """With rows, and whatever half an upgrade leaves."""
    rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    add_revision(text)
    alembic("upgrade", "head")
    assert ("half" in tables()["public"]) == ("COMMIT" in text)


OWN = '''"""Revision ID: {id}"""
from alembic import op
import sqlalchemy as sa

revision = "{id}"
down_revision = {down}


def upgrade():
{upgrade}
'''
COMPANIES = """
    op.create_table(
        "companies",
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_companies"),
    )"""
JOBS = """
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
    )
    op.create_foreign_key("fk_jobs_companies", "jobs", "companies", ["company_id"], ["id"])"""
SQL = '''
    op.execute("""
        CREATE TABLE companies (id serial PRIMARY KEY, name varchar(50) NOT NULL);
        CREATE TABLE jobs (
            id serial PRIMARY KEY, description varchar NOT NULL, title varchar(100) NOT NULL,
            company_id integer NOT NULL REFERENCES companies
        )
    """)'''
OWN_WAYS = {"raw SQL": [SQL], "named constraint": [COMPANIES + JOBS], "two": [COMPANIES, JOBS]}


def write_own_project(*upgrades: str) -> Path:
    """A learner's project after chapter 2: the same schema by other means. Gives its last file."""
    begin(3, fresh=True)
    forget_asides()
    (workspace() / "alembic" / "versions" / INIT.name).unlink()
    down, own = "None", Path()
    for number, upgrade in enumerate(upgrades):
        own = workspace() / "alembic" / "versions" / f"c0ffee{number}_my_own.py"
        own.write_text(OWN.format(id=f"c0ffee{number}", down=down, upgrade=upgrade))
        down = f'"c0ffee{number}"'
    return own


# ---- each start ---------------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_start(chapter: int) -> None:
    """First, again, and from another chapter with work in it, which can be had back."""
    assert begin(chapter).startswith(f"Chapter {chapter} starts with ")
    assert_right_start(chapter)
    first = work()
    assert begin(chapter).startswith(f"You go on in chapter {chapter} where you were.")
    assert arrive(chapter).startswith("You go on with your own project")
    assert work() == first
    assert asides() == {}
    begin(CHAPTERS[chapter - 2], fresh=True)
    forget_asides()
    mine = fill()
    message = begin(chapter)
    assert_right_start(chapter, kept=message.startswith("Your database"))
    assert_nothing_lost(mine)
    replaced = work()
    bring_back(message)
    assert work() == mine
    assert_nothing_lost(replaced)


def test_chapter_0_works_on_a_project_of_its_own() -> None:
    """Its cells apply, delete and take back migrations: those of a later chapter are put aside."""
    begin(4)
    before = fill()
    message = begin(0)
    assert message.startswith("Your database in chapter 4")
    assert_right_start(0, kept=True)
    assert_nothing_lost(before)
    bring_back(message)
    assert work() == before
    for chapter in (-1, 99, "2", None, 1.0, True, [1]):
        with pytest.raises(WorkbookError, match=r"There is no chapter .*: pick one from 0 to \d+"):
            begin(chapter)  # type: ignore[arg-type]


def test_a_start_with_all_that_a_start_can_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two heads, one of them a colleague's, an applied revision before them, and rows."""
    first, *_, last = reversed([each.revision for each in project.history("base", "heads")])
    monkeypatch.setattr(project, "FILES", tmp_path / "files")
    shutil.copytree(ROOT / "workbook" / "files" / "models", tmp_path / "files" / "models")
    colleague = tmp_path / "files" / "colleague" / "alembic" / "versions" / "colleague_.py"
    colleague.parent.mkdir(parents=True)
    upgrade = "    op.create_table('theirs', sa.Column('id', sa.Integer))"
    colleague.write_text(OWN.format(id="colleague", down=repr(first), upgrade=upgrade))
    sql = "INSERT INTO companies (name) VALUES ('100 % Ada'), ('Borealis')"
    start = contents.Start("all", ("models", "colleague"), (last,), (first,), sql)
    monkeypatch.setitem(contents.CHAPTERS, 9, replace(contents.CHAPTERS[5], number=9, start=start))
    assert begin(9) == "Chapter 9 starts with all.\n"
    assert_right_start(9)
    assert len(project.scripts(workspace()).get_heads()) == 2
    assert arrive(9).startswith("You go on with your own project")
    rows("UPDATE companies SET name = 'Eve' WHERE id = 2")
    mine = work()
    message = arrive(9)
    assert message.startswith("Your earlier database (2 rows) is put aside.")
    assert_right_start(9)
    bring_back(message)
    assert work() == mine


def test_this_python_works_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alembic").write_text("#!/bin/sh\n")  # another one, which comes first
    (tmp_path / "alembic").chmod(0o755)
    scripts = Path(sys.executable).parent
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), str(scripts)]))
    for _ in range(2):
        begin(2)
        assert sys.path[0] == str(workspace().resolve())
        assert Path(shutil.which("alembic") or "").parent == scripts
    assert sys.path.count(str(workspace().resolve())) == 1
    places = os.environ["PATH"].split(os.pathsep)
    assert len(places) == len({*places}) and shutil.which("pg_dump")
    (workspace() / "jobboard" / "models.py").write_text("broken = True")
    assert __import__("jobboard.models").models.broken
    begin(2, fresh=True)
    assert hasattr(__import__("jobboard.models").models, "Company")


# ---- continue, or start over --------------------------------------------------------------------


def test_the_same_chapter_goes_on_and_says_how_to_begin_anew() -> None:
    begin(4)
    add_revision(BROKEN["loops"])
    mine = fill()
    for _ in range(2):
        message = begin(4)
        assert message.count("\n") == 1
        assert "start(4, fresh=True)" in message and "python3 -m workbook reset 4" in message
        assert work() == mine
    message = begin(4, fresh=True)
    assert_right_start(4)
    amount = f"Your work in chapter 4 ({len(mine.files)} files, 3 rows) is put aside. To bring it"
    assert message.startswith(amount)
    begin(2)
    first, second, last = said(aside.restore).splitlines()
    assert re.match(r"(\d+-){3}\d{6}\S*  \d\d \w+ \d{4}, \d\d:\d\d  in chapter 4  ", first)
    assert "3 rows  chapter 4 was begun anew" in first
    assert "in chapter 4" in second and "0 rows  chapter 2 was started" in second
    assert last == "2 put aside. Bring one back by its name."
    bring_back(message)
    assert work() == mine
    assert "go on in chapter 4" in begin(4), "what came back is in the chapter it was in"


@pytest.mark.parametrize("text", [None, "def upgrade(:"], ids=["gone", "broken"])
def test_a_revision_without_its_file_is_named(text: str | None) -> None:
    begin(4)
    path = workspace() / "alembic" / "versions" / INIT.name
    kept = path.read_text()
    path.unlink() if text is None else path.write_text(text)
    mine = work()
    message = begin(4)
    assert message.startswith(f"Your database stands at {contents.INIT}, and no file in alembic/")
    assert message.count("\n") == 1 and "start(4, fresh=True)" in message
    assert work() == mine
    path.write_text(kept)
    assert begin(4).startswith("You go on in chapter 4 where you were.")
    path.unlink()
    begin(4, fresh=True)
    assert_right_start(4)


def test_what_is_not_there_any_more_is_not_gone_on_with() -> None:
    begin(4)
    rows("DROP SCHEMA public CASCADE")  # as good as another server
    begin(4)
    assert_right_start(4)
    shutil.rmtree(workspace())
    begin(4)
    assert_right_start(4)


def test_on_a_stage_the_first_cell_is_the_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_STAGE", "1")
    begin(4)
    mine = fill()
    begin(4)
    assert_right_start(4, kept=True)
    assert_nothing_lost(mine)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A notebook's Python, where `!alembic` runs in this process: it is twenty times as fast."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setattr(sys, "displayhook", sys.displayhook)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    lesson = types.ModuleType("lesson")
    shell = InteractiveShell.instance(config=config, user_module=lesson, user_ns=lesson.__dict__)

    def system(command: str) -> str:
        import shlex

        program, *arguments = shlex.split(shell.var_expand(command, depth=1))
        if program == "alembic":
            return alembic(*arguments)
        assert program in ("git", "pytest", "pg_dump", "pg_restore")
        subprocess.run([program, *arguments], check=program == "git", capture_output=True)
        return ""

    def getoutput(command: str, **options: object) -> SList:
        return SList([*system(command).splitlines(), "", "", "", ""])

    monkeypatch.setattr(shell, "system", system)
    monkeypatch.setattr(shell, "getoutput", getoutput)
    yield shell
    for each in Connection.connections.values():
        each.internal_connection.close()
    Connection.connections.clear()
    Connection.current = None
    InteractiveShell.clear_instance()


class Nobody(theatre.Traffic):
    """The time of a `with` in which nobody reads or writes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works in the database, and the releases are visited once: files and tables count here.

    The lessons' own traffic, and what they claim of it, is nbval's.
    """
    monkeypatch.setattr(
        theatre, "traffic", lambda *_, **__: Nobody(theatre.Plan("", "", 0, 0, None))
    )
    monkeypatch.setattr(theatre, "CALM", 0)
    monkeypatch.setattr(releases, "ROUNDS", 1)


SOLVED = {"exercise-9-5": ex5.EXERCISE.done}  # what the next chapter builds upon


def play(shell: InteractiveShell, chapter: int, part: float = 1) -> None:
    """Run this part of a chapter's code cells, as the learner would."""
    path = ROOT / "notebooks" / contents.CHAPTERS[chapter].lesson
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    for cell in cells[: round(part * len(cells))]:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            result = shell.run_cell(SOLVED.get(cell.id, cell.source))
        assert result.success or "raises-exception" in cell.metadata.get("tags", []), cell.source


@pytest.mark.usefixtures("alone")
def test_from_the_first_chapter_to_the_last_on_files_of_ones_own(shell: InteractiveShell) -> None:
    """Half of each lesson, and anew, and that half again; then the whole, and the next one."""
    for chapter in CHAPTERS:
        mine, own = work(), contents.CHAPTERS[chapter].start.own
        assert ("Your work" in begin(chapter)) == own
        assert_right_start(chapter, kept=True)
        assert own or mine.files.items() <= files(workspace()).items()
        before = work()
        play(shell, chapter, 0.6)
        half = work()
        message = begin(chapter, fresh=True)
        assert_right_start(chapter)
        bring_back(message)
        assert work() == half
        shutil.rmtree(workspace())  # and on with what was there before the lesson
        rows("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        for path, text in before.files.items():
            (workspace() / path).parent.mkdir(parents=True, exist_ok=True)
            (workspace() / path).write_bytes(text)
        arrive(chapter)
        play(shell, chapter)
    assert INIT.name not in str(files(workspace()).keys())


# ---- the learner's own project ------------------------------------------------------------------


@pytest.mark.parametrize("way", OWN_WAYS)
def test_own_project_is_kept_with_its_ids(way: str) -> None:
    write_own_project(*OWN_WAYS[way])
    with (workspace() / "jobboard" / "models.py").open("a") as models:
        models.write("\n# mine\nprint('hello')\n")
    own = files(workspace())
    assert "You go on with your own project" in arrive(3)
    rows("CREATE TABLE precious AS SELECT 'a row' AS of_mine")
    mine = work()
    assert arrive(4).startswith("Your earlier database (1 row) is put aside.")
    assert_right_start(4, kept=True)
    assert "You go on with your own project" in arrive(5)
    assert files(workspace()) == own
    said(aside.restore, next(iter(asides())))
    assert work() == mine


def applications() -> None:
    for _ in range(2):
        alembic("revision", "-m", "applications")


def slip(old: str, new: str) -> None:
    own = write_own_project(COMPANIES + JOBS)
    replace_text(str(own.relative_to(workspace())), old, new)


def remove(path: str) -> None:
    (workspace() / path).unlink()


OTHER_SIDE = '    company: Mapped["Company"] = relationship(back_populates="jobs")\n'
URL = "postgresql+psycopg2://"
MINE, ENV = "jobboard/models.py", "alembic/env.py"
# A chapter, and what a learner does there: a call, or SQL.
SPOILED: dict[str, tuple[Any, ...]] = {
    "no models yet": (1, write, "jobboard/database.py", "x = 1"),
    "models without database.py": (2, remove, "jobboard/database.py"),
    "database.py empty": (2, write, "jobboard/database.py", ""),
    "database.py broken": (3, write, "jobboard/database.py", "("),
    "models broken": (2, write, MINE, "("),
    "models empty": (3, write, MINE, ""),
    "one-sided": (2, replace_text, MINE, OTHER_SIDE, ""),
    "a column less": (2, replace_text, MINE, "    title: Mapped[str]\n", ""),
    "alembic begun": (2, write, "alembic/README", ""),
    "only alembic.ini": (2, write, "alembic.ini", "[alembic]"),
    "no alembic.ini": (3, remove, "alembic.ini"),
    "no address": (3, replace_text, "alembic.ini", URL, "driver://user:pass@localhost/db"),
    "other driver": (4, replace_text, "alembic.ini", "+psycopg2", ""),
    "other database": (4, replace_text, "alembic.ini", URL, URL + "/postgres"),
    "other server": (3, replace_text, "alembic.ini", URL, URL + "a:b@127.0.0.2/c"),
    "no env.py": (3, remove, ENV),
    "env.py broken": (4, write, ENV, "("),
    "env.py fails": (3, replace_text, ENV, "= None", "= jobboard.metadata"),
    "other folder": (3, replace_text, "alembic.ini", "(here)s/alembic", "(here)s/other"),
    "no template": (3, remove, "alembic/script.py.mako"),
    "no revision": (3, remove, f"alembic/versions/{INIT.name}"),
    "two empty revisions": (3, applications),
    "another length": (3, slip, "String(100)", "String(51)"),
    "nullable": (3, slip, "nullable=False", "nullable=True"),
    "a column more": (3, slip, 'sa.Column("title"', 'sa.Column("x", sa.Text), sa.Column("title"'),
    **{name: (3 + len(name) % 2, add_revision, text) for name, text in BROKEN.items()},
    **{
        f"{name}, applied": (4, fail_to_upgrade, BROKEN[name])
        for name in ("raises", "commits by SQL", "wrong SQL")
    },
    "a table": (4, rows, "CREATE TABLE extra ()"),
    "a view": (3, rows, "CREATE VIEW extra AS SELECT 1"),
    "a type": (4, rows, "CREATE TYPE extra AS ENUM ('a')"),
    "a sequence": (4, rows, "CREATE SEQUENCE extra"),
    "a function": (4, rows, "CREATE FUNCTION extra() RETURNS int RETURN 1"),
    "an index": (4, rows, "CREATE INDEX extra ON jobs (title)"),
    "a constraint": (4, rows, "ALTER TABLE jobs ADD UNIQUE (title)"),
    "a column": (4, rows, "ALTER TABLE companies ALTER name TYPE text"),
    "a counter": (4, rows, "INSERT INTO companies (name) VALUES ('A'); DELETE FROM companies"),
    "a table gone": (4, rows, "DROP TABLE jobs"),
    "no alembic_version": (4, rows, "DROP TABLE alembic_version"),
    "no version": (4, rows, "DELETE FROM alembic_version"),
    "another version": (4, rows, "UPDATE alembic_version SET version_num = 'nobody'"),
    "two versions": (4, rows, "INSERT INTO alembic_version VALUES ('second')"),
    "no schema": (4, rows, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_what_does_not_stand_is_put_aside(spoiled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a learner's code neither hangs nor ends this Python, nor goes on in the server."""
    monkeypatch.setattr(apart, "SECONDS", 4)
    monkeypatch.setattr(apart, "STATEMENT_SECONDS", 1)
    chapter, spoil, *arguments = SPOILED[spoiled]
    begin(chapter)
    spoil(*arguments)
    if spoil != rows:
        (workspace() / "notes.txt").write_text("mine")
    mine = work()
    message = arrive(chapter)
    assert_right_start(chapter, kept=spoil == rows)
    assert_nothing_lost(mine)
    here = "datname ~ ('^' || current_database()) AND application_name ~ '^apart-'"
    assert rows(f"SELECT query FROM pg_stat_activity WHERE {here}") == []
    if "To bring it back" in message:
        bring_back(message)
        assert work() == mine
    begin(chapter, fresh=True)
    assert_right_start(chapter)


def test_own_migration_that_cannot_be_applied_twice() -> None:
    """What it makes outside of the schema public is still there the second time."""
    write_own_project('\n    op.execute("CREATE SCHEMA app")\n    op.execute("COMMIT")' + SQL)
    arrive(4)
    assert_right_start(4, kept=True)
    rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    mine = work()
    message = arrive(4)
    assert_right_start(4)
    assert_nothing_lost(mine)
    assert all(f'"{name}"' in message for name in asides()), "each can be had back by its name"


# ---- others at work -----------------------------------------------------------------------------


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg2.extensions.connection]:
    """Another connection, in a transaction; what waits for it in vain gives up soon."""
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=200ms")
    begin(4)
    with closing(psycopg2.connect()) as connection:
        yield connection


@pytest.mark.parametrize(
    "held",
    [
        "SELECT * FROM companies",
        "LOCK TABLE companies IN ACCESS EXCLUSIVE MODE",
        "LOCK TABLE alembic_version, companies, jobs IN ACCESS EXCLUSIVE MODE",
        "INSERT INTO companies (name) VALUES ('not committed yet')",
        "ALTER TABLE jobs ADD remote boolean",
        "DROP TABLE alembic_version",
        "SELECT pg_advisory_xact_lock(7)",
    ],
)
def test_while_another_transaction_is_open(
    other: psycopg2.extensions.connection, held: str
) -> None:
    for chapter in (4, 2):
        rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
        mine = Work(files(workspace()), {"companies": tables()["public"]["companies"]})
        other.cursor().execute(held)
        arrive(chapter)
        other.rollback()
        assert_right_start(chapter, kept=True)
        assert_nothing_lost(mine)


def test_while_another_transaction_makes_a_table(other: psycopg2.extensions.connection) -> None:
    theirs = Work({}, {"companies": ['("a row")']})
    for chapter in (3, 4):
        begin(1, fresh=True)
        other.cursor().execute("CREATE TABLE companies AS SELECT 'a row' AS of_mine")
        with contextlib.suppress(WorkbookError):  # one line would do
            begin(chapter)
        other.commit()
        assert_nothing_lost(theirs)
        begin(chapter, fresh=True)
        assert_right_start(chapter)
        assert_nothing_lost(theirs)


def test_while_another_notebook_starts_or_checks(
    other: psycopg2.extensions.connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of the database, or that of the scratch database: one line, and nothing changes."""
    before = fill()
    other.cursor().execute("SELECT pg_advisory_lock(1)")
    with pytest.raises(WorkbookError, match="Another notebook is at work"):
        begin(1)
    other.rollback()

    def busy() -> None:
        raise sa.exc.OperationalError("", None, psycopg2.errors.LockNotAvailable("a lock"))

    other.cursor().execute("SELECT pg_advisory_unlock(1)")
    monkeypatch.setattr(db, "scratch", busy)
    with pytest.raises(WorkbookError, match=r"^Another notebook is at work.*\(a lock\)[^\n]*$"):
        begin(5)
    assert work() == before
    assert asides() == {}
    assert "go on in chapter 4" in begin(4)


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this process is forked")
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def fork(chapter: int, fresh: bool = False, killed_at: int = 0) -> int:
    """Begin a chapter in a fork; its pid.

    It is killed at this step of all that it does to files, directories and the database; 0: never.
    """
    if pid := os.fork():
        return pid
    left = killed_at

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event.startswith(("os.m", "os.r", "os.truncate", "shutil.")):
            step()

    try:
        starts._standing = lambda folder, begin: None  # what looks only has its turn before
        sys.addaudithook(audit)
        for event in ("before_cursor_execute", "commit"):
            sa.event.listen(sa.Engine, event, step)
        begin(chapter, fresh=fresh)
        os._exit(0)
    finally:
        os._exit(1)


def end(pid: int) -> int:
    """How a fork ended: 0 is well."""
    return os.waitpid(pid, 0)[1]


@forks
def test_two_starts_at_once() -> None:
    """Two processes, again and again: the end is a right start of one of the two."""
    for first, second in [(4, 4), (1, 4), (4, 1), (2, 5), (3, 4), (2, 1)]:
        begin(3, fresh=True)
        mine = fill()
        assert [end(pid) for pid in [fork(first), fork(second)]] == [0, 0]
        try:
            assert_right_start(first, kept=True)
        except AssertionError:
            assert_right_start(second, kept=True)
        assert_nothing_lost(mine)


@forks
@pytest.mark.parametrize(("before", "chapter"), [(4, 2), (2, 5), (4, 4)])
def test_killed_at_every_step(before: int, chapter: int) -> None:
    """A start that is killed and then started again: right, and all of the work can be had back."""
    for step in range(1 + (before + chapter) % 7, 1000, 11):
        begin(before, fresh=True)
        mine = fill()
        if before == 2:  # a project alone: its schema is not renamed
            rows("DROP TABLE mine")
            mine = work()
        forget_asides()
        done = end(fork(chapter, before == chapter, step)) == 0
        listed = said(aside.restore)
        assert len(asides()) == listed.count("in chapter"), "no half-made entry is listed"
        next_one = (before, chapter)[step % 2]
        message = begin(next_one)
        if work() == mine:  # it has not come to anything, and goes on where it was
            begin(next_one, fresh=True)
        assert_right_start(next_one, kept="own project" in message)
        assert_nothing_lost(mine)
        whole = [name for name, each in asides().items() if each == mine]
        assert whole, f"killed at step {step}"
        said(aside.restore, whole[0])
        assert work() == mine
        if done:
            break
    assert done and step > 60


# ---- no room ------------------------------------------------------------------------------------


@contextlib.contextmanager
def room_for(count: int, folder: Path) -> Iterator[None]:
    """Let the disk be full when so many files have been copied into a folder."""
    real = shutil.copyfile
    left = count

    def copyfile(source: Any, target: Any, **options: Any) -> Any:
        nonlocal left
        if Path(target).resolve().is_relative_to(folder.resolve()):
            left -= 1
            if left < 0:
                Path(target).write_text("")  # the file is there, without its bytes
                raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return real(source, target, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "copyfile", copyfile)
        yield


@pytest.mark.parametrize("place", ["put_aside", "", "in the way"])
@pytest.mark.parametrize("copied", [0, 1, 5])
def test_disk_full(copied: int, place: str) -> None:
    """While work is put aside, laid down or brought back: one line, nothing lost, and it can go on."""
    begin(4)
    mine = fill()
    if place == "in the way":
        (home() / "put_aside").write_text("in the way")
    with room_for(copied, home() / place), pytest.raises(WorkbookError) as caught:
        begin(2)
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value), "one clear line"
    if place:
        assert re.search(
            r"could not be put aside \(\w.*\): it was left as it is", str(caught.value)
        )
        assert work() == mine
        assert "go on in chapter 4" in begin(4)
    if place == "in the way":
        (home() / "put_aside").unlink()
    assert list((home() / "put_aside").glob("*")) == []
    message = begin(2)
    assert_right_start(2)
    before = fill()
    with room_for(copied, home()), pytest.raises(WorkbookError):
        bring_back(message)
    assert_nothing_lost(mine)
    assert_nothing_lost(before)
    bring_back(message)
    assert work() == mine
    assert_nothing_lost(before)


def test_the_databases_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    begin(4)
    mine = fill()

    def full(*args: object) -> None:
        raise sa.exc.OperationalError("", None, psycopg2.errors.DiskFull("No space left"))

    monkeypatch.setattr(project, "build", full)
    with pytest.raises(WorkbookError, match=r"disk is full \(No space left\): make room"):
        begin(4, fresh=True)
    assert work() == mine
    assert asides() == {}


def test_file_that_appears_while_a_start_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another notebook writes between the copy and the removal."""
    begin(2)
    fill()
    real = project.migrate

    def meanwhile(*args: Any, **options: Any) -> None:
        (workspace() / "late.txt").write_text("mine too")
        real(*args, **options)

    monkeypatch.setattr(project, "migrate", meanwhile)
    begin(4)
    assert_nothing_lost(Work({"late.txt": b"mine too"}, {}))


# ---- restore and reset --------------------------------------------------------------------------


def test_restore_of_a_project_with_an_empty_database_empties_the_database() -> None:
    begin(3)
    (workspace() / "notes.txt").write_text("mine")
    mine = work()
    message = begin(5, fresh=True)
    rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    later = work()
    message = bring_back(message)
    assert work() == mine
    assert_nothing_lost(later)
    assert "was brought back" in said(aside.restore)
    bring_back(message)
    assert work() == later


def damage(text: str, folder: Path) -> None:
    (folder / "about.json").write_text(text)


# What happens to a record, what the list says, and whether files and tables come back.
RECORDS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "tables gone": (
        lambda folder: rows(f"DROP SCHEMA aside_{folder.name.replace('-', '_')} CASCADE"),
        "in chapter 4",
        "files",
    ),
    "folder gone": (shutil.rmtree, "the files are gone", "tables"),
    **{
        f"damaged {text!r}": (
            functools.partial(damage, text),
            "the record is damaged",
            "files tables",
        )
        for text in ("", "{", "[]", '{"files": 1}')
    },
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_damaged_record_hides_nothing(name: str) -> None:
    spoil, listed, back = RECORDS[name]
    begin(4)
    mine = fill()
    message = begin(2)
    [found] = asides()
    begin(3)
    spoil(home() / "put_aside" / found)
    (home() / "put_aside" / "stray").write_text("a file")
    line, _, last = said(aside.restore).splitlines()
    assert line.startswith(found) and listed in line and last.startswith("2 put aside.")
    told = bring_back(message)
    assert ("its tables are not on this server" in told) == ("tables" not in back)
    assert "files" not in back or files(workspace()) == mine.files
    assert "tables" not in back or tables()["public"] == mine.tables
    with pytest.raises(WorkbookError, match="Nothing is put aside as"):
        aside.restore("2026-01-01-000000")


def test_restore_into_another_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    begin(4)
    fill()
    message = begin(2)
    before = everywhere()
    own = os.environ["PGDATABASE"]
    try:
        monkeypatch.setenv("PGDATABASE", f"{own}_other")
        with pytest.raises(WorkbookError, match=f'belongs to the database "{own}"'):
            bring_back(message)
    finally:
        db.drop(f"{own}_other")
    monkeypatch.setenv("PGDATABASE", own)
    assert everywhere() == before


def test_reset_puts_everything_aside_but_the_lessons() -> None:
    begin(4)
    lessons = {"03_upgrade.ipynb": b"a", ".ipynb_checkpoints/03_upgrade-checkpoint.ipynb": b"b"}
    write("jobboard/mine.ipynb", "a notebook of the project's own")
    mine = fill()
    for path, text in lessons.items():
        (workspace() / path).write_bytes(text)
    message = said(starts.reset)
    assert message.startswith(f"Your work in chapter 4 ({len(mine.files)} files, 3 rows)")
    assert files(workspace()) == lessons
    assert "public" not in tables()
    (workspace() / "03_upgrade.ipynb").write_bytes(b"newer")
    bring_back(message)
    assert work() == Work(mine.files | lessons | {"03_upgrade.ipynb": b"newer"}, mine.tables)
    said(starts.reset)
    assert "nothing" in said(starts.reset)


def test_what_is_put_aside_is_on_the_disk_before_anything_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin(4)
    mine = fill()
    synced: set[tuple[int, int]] = set()

    def fsync(number: int) -> None:
        synced.add((os.fstat(number).st_dev, os.fstat(number).st_ino))

    def unlink(self: Path, missing_ok: bool = False) -> None:
        if self.is_relative_to(workspace()):
            [copy] = (home() / "put_aside").glob("*/project")
            for path in [copy.parent / "about.json", *map(copy.joinpath, mine.files)]:
                assert (path.stat().st_dev, path.stat().st_ino) in synced, path
        os.unlink(self)  # noqa: PTH108

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "unlink", unlink)
    said(starts.reset)
    assert files(workspace()) == {}


@pytest.mark.parametrize("what", ["file", "link"])
def test_a_workspace_that_is_no_folder(what: str) -> None:
    workspace().write_text("mine") if what == "file" else workspace().symlink_to(home() / "gone")
    for call in (lambda: begin(4), starts.reset):
        with pytest.raises(WorkbookError, match="has to be a folder: move away what stands"):
            call()


def test_a_project_in_odd_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another disk, below a folder with a name of ours, with links in it."""
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path / "__pycache__" / "it's mine, älso"))
    real = os.rename

    def rename(source: Any, target: Any, **options: Any) -> None:
        ends = [Path(each).absolute().is_relative_to(workspace()) for each in (source, target)]
        if ends[0] != ends[1]:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target, **options)

    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(Path, "rename", lambda self, target: rename(self, target))
    begin(4)
    mine = fill()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.txt").write_text("mine")
    if os.name != "nt":  # links need rights there
        (workspace() / "link").symlink_to(tmp_path / "elsewhere")
    message = begin(2)
    assert_right_start(2)
    assert (tmp_path / "elsewhere" / "mine.txt").read_text() == "mine"
    bring_back(message)
    assert work() == mine
    assert os.name == "nt" or (workspace() / "link").readlink() == tmp_path / "elsewhere"


# ---- databases that are somebody else's ---------------------------------------------------------


@pytest.mark.parametrize(
    "theirs",
    [
        "CREATE TABLE theirs AS SELECT 'a row' AS of_theirs",
        "CREATE VIEW theirs AS SELECT 1",
        "CREATE TYPE theirs AS ENUM ('a')",
        "CREATE SCHEMA app; CREATE TABLE app.theirs AS SELECT 'a row' AS of_theirs",
    ],
    ids=["table", "view", "type", "other schema"],
)
def test_database_with_tables_of_others_is_left_alone(theirs: str) -> None:
    rows(theirs)
    workspace().mkdir()
    (workspace() / "notes.txt").write_text("mine")
    relations = "SELECT oid, relnamespace, relname FROM pg_class ORDER BY 1"
    before = rows(relations), work()
    for call in (lambda: begin(1), lambda: begin(4, fresh=True), starts.reset, aside.restore):
        with pytest.raises(WorkbookError, match="left alone"):
            call()
    assert (rows(relations), work()) == before


def test_scratch_database_is_never_the_learners_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL cuts a name at 63 bytes, the `_scratch` at its end with it."""
    name = f"{os.environ['PGDATABASE']}_{'x' * 63}"[:63]
    monkeypatch.setenv("PGDATABASE", name)
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=200ms")
    try:
        with contextlib.suppress(WorkbookError):
            begin(1)
        db.connect_environment()
        rows("CREATE TABLE mine AS SELECT 'a row' AS of_mine")
        with contextlib.suppress(WorkbookError), db.scratch():
            pass
        assert rows("SELECT * FROM mine") == [("a row",)]
    finally:
        CONNECTIONS.pop(name).close()
        rows(f"DROP DATABASE {name} WITH (FORCE)", database="postgres")


def test_scratch_database_with_tables_of_others() -> None:
    write_own_project(SQL)
    mine = work()
    scratch = f"{os.environ['PGDATABASE']}_scratch"
    drop = f"DROP DATABASE IF EXISTS {scratch} WITH (FORCE)"
    rows(drop, database="postgres")
    rows(f"CREATE DATABASE {scratch}")
    rows("CREATE TABLE theirs AS SELECT 'a row' AS of_theirs", database=scratch)
    with pytest.raises(WorkbookError, match="left alone"):
        arrive(3)
    assert rows("SELECT * FROM theirs", database=scratch) == [("a row",)]
    CONNECTIONS.pop(scratch).close()
    rows(drop, database="postgres")
    assert work() == mine and asides() == {}
