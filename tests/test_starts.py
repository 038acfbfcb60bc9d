"""Chapter starts: any chapter, first or after anything else, and never a byte of the learner's lost.

What a right start is, is said here once more and independently of workbook.starts: the files that
have to be there, and what information_schema has to say about the database.
"""
# mypy: disable-error-code="no-untyped-call"
# (of IPython and nbformat)

import configparser
import contextlib
import errno
import io
import json
import logging.config
import os
import re
import shutil
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psycopg2
import pytest
from alembic.config import main as alembic_main
from IPython.core.interactiveshell import InteractiveShell
from sql.connection import Connection  # type: ignore[import-untyped]
from traitlets.config import Config

from workbook import ROOT, WorkbookError, aside, project, starts
from workbook.server import database as db

INIT = next((ROOT / "alembic" / "versions").glob("*_init.py"))
MODELS = {f"jobboard/{each}.py" for each in ("__init__", "database", "models")}
ENVIRONMENT = {"alembic.ini", "alembic/README", "alembic/env.py", "alembic/script.py.mako"}
COLUMNS = {
    ("companies", "id", "integer", None, "NO"),
    ("companies", "name", "character varying", 50, "NO"),
    ("jobs", "id", "integer", None, "NO"),
    ("jobs", "description", "character varying", None, "NO"),
    ("jobs", "title", "character varying", 100, "NO"),
    ("jobs", "company_id", "integer", None, "NO"),
    ("alembic_version", "version_num", "character varying", 32, "NO"),
}
KEYS = {
    ("companies", "PRIMARY KEY", "id", "companies"),
    ("jobs", "PRIMARY KEY", "id", "jobs"),
    ("jobs", "FOREIGN KEY", "company_id", "companies"),
    ("alembic_version", "PRIMARY KEY", "version_num", "alembic_version"),
}
CHAPTERS = [1, 2, 3, 4, 5]


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

    def jobboards() -> dict[str, types.ModuleType]:
        return {name: sys.modules[name] for name in list(sys.modules) if name[:8] == "jobboard"}

    before = jobboards()
    for name in before:
        del sys.modules[name]
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
    yield
    for name in jobboards():
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
    """Every file's bytes, by path; what Python leaves behind does not count."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in found
        if "__pycache__" not in path.relative_to(folder).parts
    }


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
        schema = json.loads((folder / "about.json").read_text())["schema"]
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


def assert_right_start(chapter: int, kept: bool = False) -> None:
    """Files and database are what the chapter starts with; `kept`: they may be the learner's own."""
    assert Path.cwd() == workspace().resolve()
    mine = files(workspace())
    expected = {"jobboard/__init__.py"} if chapter == 1 else set(MODELS)
    expected |= ENVIRONMENT if chapter > 2 else set()
    revisions = {path for path in mine if path.startswith("alembic/versions/")}
    assert len(revisions) == (chapter > 2) or kept
    assert expected <= mine.keys() if kept else expected == mine.keys() - revisions
    if chapter > 1 and not kept:
        for name in ("database.py", "models.py"):
            assert (
                mine[f"jobboard/{name}"]
                == (ROOT / "workbook" / "files" / "models" / "jobboard" / name).read_bytes()
            )
    if chapter < 3:  # or `alembic init alembic` would refuse
        assert not (workspace() / "alembic").exists()
        assert "alembic.ini" not in mine
    else:
        ini = configparser.ConfigParser({"here": str(workspace())})
        ini.read(workspace() / "alembic.ini")
        assert ini["alembic"]["sqlalchemy.url"] == "postgresql+psycopg2://"
        assert Path(ini["alembic"]["script_location"]) == workspace() / "alembic"
        compile(mine["alembic/env.py"], "env.py", "exec")
        assert kept or mine[f"alembic/versions/{INIT.name}"] == INIT.read_bytes()
    if chapter < 4:
        assert (
            rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []
        )
        assert rows("SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace") == []
        return
    assert (
        set(
            rows(
                "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable"
                " FROM information_schema.columns WHERE table_schema = 'public'"
            )
        )
        == COLUMNS
    )
    assert (
        set(
            rows(
                "SELECT t.table_name, constraint_type, k.column_name, c.table_name"
                " FROM information_schema.table_constraints t"
                " JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name)"
                " JOIN information_schema.constraint_column_usage c"
                " USING (constraint_schema, constraint_name)"
                " WHERE constraint_schema = 'public'"
            )
        )
        == KEYS
    )
    [(version,)] = rows("SELECT version_num FROM alembic_version")
    ids = {re.search(rb"^revision\b.*= ['\"](\w+)", mine[each], re.MULTILINE) for each in revisions}
    assert version.encode() in {found[1] for found in ids if found}
    assert rows("SELECT 1 FROM companies UNION ALL SELECT 1 FROM jobs") == []
    counters = rows("SELECT last_value FROM pg_sequences WHERE schemaname = 'public'")
    assert counters == [(None,)] * 2  # the lessons count on the first company's id being 1


# ---- what a learner does ------------------------------------------------------------------------


def said(call: Callable[..., None], *arguments: object, **options: object) -> str:
    """Everything that a call prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        call(*arguments, **options)
    return out.getvalue()


def begin(chapter: int) -> str:
    return said(starts.start, chapter)


def bring_back(message: str) -> str:
    """Do what the message says to get back what it has put aside."""
    [name] = re.findall(r'To bring it back: restore\("([^"]+)"\)', message)
    return said(aside.restore, name)


def alembic(*arguments: str) -> None:
    """Alembic's command line, in this process; what it prints and how it ends is not looked at."""
    out = io.StringIO()
    with (
        contextlib.suppress(SystemExit, Exception),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
        contextlib.chdir(workspace()),
    ):
        alembic_main(argv=list(arguments), prog="alembic")


def forget_asides() -> None:
    shutil.rmtree(home() / "put_aside", ignore_errors=True)
    for schema in tables().keys() - {"public"}:
        rows(f"DROP SCHEMA {schema} CASCADE")


def fill() -> Work:
    """Leave traces in the project: files of many kinds, and rows."""
    (workspace() / "notes.txt").write_text("mine")
    (workspace() / "empty.txt").touch()
    (workspace() / "sub" / "deeper").mkdir(parents=True, exist_ok=True)
    (workspace() / "sub" / "deeper" / "bytes.bin").write_bytes(bytes(range(256)))
    (workspace() / "sub" / "Ünïcödé näme.sql").write_text("SELECT 'ä'", encoding="utf-8")
    rows("CREATE TABLE IF NOT EXISTS mine (id serial, word text)")
    rows("INSERT INTO mine (word) VALUES ('one'), ('two')")
    if rows("SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tablename = 'companies'"):
        rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    return work()


BROKEN = {
    "not Python": "def upgrade(:",
    "raises on import": "raise RuntimeError('no')",
    "leaves on import": "import sys; sys.exit(3)",
    "raises": "{ids}\ndef upgrade(): raise RuntimeError('no')",
    "leaves": "{ids}\nimport sys\ndef upgrade(): sys.exit(3)",
    "commits by SQL": (
        "{ids}\nfrom alembic import op\ndef upgrade():\n"
        "    op.execute('COMMIT')\n    op.execute('CREATE TABLE half ()')\n    1 / 0"
    ),
    "commits by bind": (
        "{ids}\nfrom alembic import op\ndef upgrade():\n"
        "    op.execute('CREATE TABLE half ()')\n    op.get_bind().commit()\n    1 / 0"
    ),
    "wrong SQL": "{ids}\nfrom alembic import op\ndef upgrade(): op.execute('CREATE TABEL x ()')",
    "no down_revision": "revision = 'bad'\ndef upgrade(): pass",
    "no revision": "down_revision = None\ndef upgrade(): pass",
    "no upgrade": "{ids}",
    "unknown parent": "revision = 'bad'\ndown_revision = 'nobody'\ndef upgrade(): pass",
    "its own parent": "revision = 'bad'\ndown_revision = 'bad'\ndef upgrade(): pass",
    "second head": "revision = 'bad'\ndown_revision = None\ndef upgrade(): pass",
    "changes folder": "{ids}\nimport os\ndef upgrade(): os.chdir(os.sep); 1 / 0",
    "not text": "\x00\x00",
}


def break_a_migration(text: str) -> None:
    ids = f"revision = 'bad'\ndown_revision = {INIT.name.partition('_')[0]!r}"
    (workspace() / "alembic" / "versions" / "bad_.py").write_text(text.replace("{ids}", ids))


OWN = '''"""my first one

Revision ID: c0ffee123456
"""
from alembic import op
import sqlalchemy as sa

revision = "c0ffee123456"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
%s


def downgrade():
    op.drop_table("jobs")
    op.drop_table("companies")
'''
OWN_UPGRADES = {
    "named constraint": """
    op.create_table(
        "companies",
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_companies"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
    )
    op.create_foreign_key("fk_jobs_companies", "jobs", "companies", ["company_id"], ["id"])
""",
    "raw SQL": '''
    op.execute("""
        CREATE TABLE companies (id serial PRIMARY KEY, name varchar(50) NOT NULL);
        CREATE TABLE jobs (
            id serial PRIMARY KEY, description varchar NOT NULL, title varchar(100) NOT NULL,
            company_id integer NOT NULL REFERENCES companies
        )
    """)
''',
}


def write_own_project(upgrade: str) -> None:
    """A learner's project after chapter 2: the same schema by other means."""
    begin(3)
    (workspace() / "alembic" / "versions" / INIT.name).unlink()
    own = workspace() / "alembic" / "versions" / "c0ffee123456_my_first_one.py"
    own.write_text(OWN % OWN_UPGRADES[upgrade])


# ---- a right start, whatever was before ---------------------------------------------------------


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_first_and_again(chapter: int) -> None:
    assert begin(chapter).startswith(f"Chapter {chapter} starts with ")
    assert_right_start(chapter)
    first = work()
    for _ in range(2):
        assert begin(chapter).startswith("You go on with your own project")
        assert_right_start(chapter)
    assert work() == first
    assert asides() == {}


def test_chapter_0_connects_and_touches_nothing() -> None:
    begin(4)
    before = fill()
    assert "PostgreSQL is running" in begin(0)
    assert work() == before
    assert asides() == {}


def test_any_chapter_after_any_other() -> None:
    for before in CHAPTERS:
        for chapter in CHAPTERS:
            said(starts.start, before, fresh=True)
            untouched = work()
            begin(chapter)
            assert_right_start(chapter)
            assert_nothing_lost(untouched)


@pytest.mark.parametrize("before", CHAPTERS)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_after_a_chapter_with_work_in_it(before: int, chapter: int) -> None:
    begin(before)
    mine = fill()
    message = begin(chapter)
    assert_right_start(chapter, kept="database is put aside" in message)
    assert_nothing_lost(mine)
    replaced = work()
    message = bring_back(message)
    assert work() == mine
    assert_nothing_lost(replaced)


@pytest.mark.parametrize("chapter", [-1, 6, 99, "2", None, 1.5])
def test_chapter_that_does_not_exist(chapter: Any) -> None:
    begin(2)
    before = work()
    with pytest.raises(WorkbookError, match=r"There is no chapter .*: pick one from 0 to 5"):
        starts.start(chapter)
    assert work() == before


def test_fresh_puts_aside_what_stands() -> None:
    begin(4)
    mine = work()
    assert "put aside" in said(starts.start, 4, fresh=True)
    assert_right_start(4)
    assert_nothing_lost(mine)


def test_start_goes_into_the_project_and_finds_alembic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    begin(2)
    assert sys.path[0] == str(workspace().resolve())
    assert shutil.which("alembic")
    begin(2)
    assert sys.path.count(str(workspace().resolve())) == 1
    assert os.environ["PATH"].count(os.pathsep) <= 1


def test_this_python_forgets_the_models_that_were_put_aside() -> None:
    begin(2)
    models = workspace() / "jobboard" / "models.py"
    models.write_text("broken = True")
    assert __import__("jobboard.models").models.broken
    begin(2)
    assert hasattr(__import__("jobboard.models").models, "Company")


# ---- after a chapter that was left half-way -----------------------------------------------------


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

    def system(command: str) -> None:
        import shlex

        program, *arguments = shlex.split(shell.var_expand(command, depth=1))
        assert program == "alembic"
        alembic(*arguments)

    def getoutput(command: str, **options: object) -> list[str]:
        system(command)
        return [""] * 4

    monkeypatch.setattr(shell, "system", system)
    monkeypatch.setattr(shell, "getoutput", getoutput)
    yield shell
    for each in Connection.connections.values():
        each.internal_connection.close()
    Connection.connections.clear()
    Connection.current = None
    InteractiveShell.clear_instance()


def play(shell: InteractiveShell, chapter: int, part: float = 1) -> None:
    """Run this part of a chapter's code cells, as the learner would."""
    [path] = (ROOT / "notebooks").glob(f"{chapter:02}_*.ipynb")
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    for cell in cells[: round(part * len(cells))]:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            result = shell.run_cell(cell.source)
        assert result.success or "raises-exception" in cell.metadata.get("tags", []), cell.source


@pytest.mark.parametrize("part", [0.3, 0.6, 0.85])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_after_a_half_finished_chapter(shell: InteractiveShell, chapter: int, part: float) -> None:
    play(shell, chapter, part)
    mine = work()
    message = begin(chapter)
    assert_right_start(chapter, kept="Your earlier work" not in message)
    assert_nothing_lost(mine)
    if "To bring it back" in message:
        bring_back(message)
        assert work() == mine
    message = begin(min(chapter + 1, 5))
    assert_right_start(min(chapter + 1, 5), kept="Your earlier work" not in message)
    assert_nothing_lost(mine)


def test_from_the_first_chapter_to_the_last_on_files_of_ones_own(shell: InteractiveShell) -> None:
    play(shell, 1)
    for chapter in (2, 3, 4, 5):
        mine = work()
        message = begin(chapter)
        assert "Your earlier work is put aside" not in message
        assert_right_start(chapter, kept=True)
        assert mine.files.items() <= files(workspace()).items()
        assert_nothing_lost(mine)
        play(shell, chapter)
    assert len(list((workspace() / "alembic" / "versions").glob("*_init.py"))) == 1
    assert INIT.name not in str(files(workspace()).keys())


@pytest.mark.parametrize("chapter", [3, 4, 5])
@pytest.mark.parametrize("upgrade", OWN_UPGRADES)
def test_own_project_is_kept(upgrade: str, chapter: int) -> None:
    write_own_project(upgrade)
    if chapter > 3:
        alembic("upgrade", "head")
    before = work()
    assert begin(chapter).startswith("You go on with your own project")
    assert work() == before
    assert_right_start(chapter, kept=True)
    assert asides() == {}


@pytest.mark.parametrize("chapter", [4, 5])
def test_own_project_with_rows_keeps_its_files(chapter: int) -> None:
    write_own_project("named constraint")
    alembic("upgrade", "head")
    rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    before = work()
    message = begin(chapter)
    assert message.startswith("Your database is put aside.")
    assert_right_start(chapter, kept=True)
    assert files(workspace()) == before.files
    assert rows("SELECT 1 FROM pg_constraint WHERE conname = 'fk_jobs_companies'")
    assert_nothing_lost(before)
    bring_back(message)
    assert work() == before


def test_own_project_that_is_not_applied_yet_is_applied() -> None:
    write_own_project("raw SQL")
    before = work()
    begin(4)
    assert files(workspace()) == before.files
    assert_right_start(4, kept=True)
    assert rows("SELECT version_num FROM alembic_version") == [("c0ffee123456",)]


@pytest.mark.parametrize(
    "slip",
    ["String(51)", "nullable=True", 'sa.Column("extra", sa.Integer()),\n        sa.Column("title"'],
)
def test_own_project_that_gives_another_schema_is_put_aside(slip: str) -> None:
    write_own_project("named constraint")
    [own] = (workspace() / "alembic" / "versions").glob("*.py")
    replaced = {"S": "String(100)", "n": "nullable=False", "s": 'sa.Column("title"'}[slip[0]]
    text = own.read_text()
    assert replaced in text
    own.write_text(text.replace(replaced, slip))
    before = work()
    message = begin(3)
    assert_right_start(3)
    bring_back(message)
    assert work() == before


@pytest.mark.parametrize(
    "addition", ["\n# a comment\n", "\nprint('hello')\n"], ids=["comment", "print"]
)
def test_own_models_that_make_the_same_tables_are_kept(addition: str) -> None:
    begin(2)
    models = workspace() / "jobboard" / "models.py"
    models.write_text(models.read_text() + addition)
    before = work()
    assert "You go on" in begin(2)
    assert work() == before


def replace(path: str, old: str, new: str) -> None:
    file = workspace() / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


OTHER_SIDE = '    company: Mapped["Company"] = relationship(back_populates="jobs")\n'
URL = "driver://user:pass@localhost/dbname"
SPOILED: dict[str, tuple[int, Callable[[], object]]] = {
    "models without database.py": (2, lambda: (workspace() / "jobboard/database.py").unlink()),
    "database.py empty": (2, lambda: (workspace() / "jobboard/database.py").write_text("")),
    "database.py broken": (3, lambda: (workspace() / "jobboard/database.py").write_text("(")),
    "models broken": (2, lambda: (workspace() / "jobboard/models.py").write_text("(")),
    "models empty": (3, lambda: (workspace() / "jobboard/models.py").write_text("")),
    "one-sided": (2, lambda: replace("jobboard/models.py", OTHER_SIDE, "")),
    "a column less": (2, lambda: replace("jobboard/models.py", "    title: Mapped[str]\n", "")),
    "alembic begun": (2, lambda: (workspace() / "alembic" / "versions").mkdir(parents=True)),
    "only alembic.ini": (2, lambda: (workspace() / "alembic.ini").write_text("[alembic]")),
    "no alembic.ini": (3, lambda: (workspace() / "alembic.ini").unlink()),
    "no address": (3, lambda: replace("alembic.ini", "postgresql+psycopg2://", URL)),
    "other driver": (4, lambda: replace("alembic.ini", "+psycopg2", "")),
    "no env.py": (3, lambda: (workspace() / "alembic/env.py").unlink()),
    "env.py broken": (4, lambda: (workspace() / "alembic/env.py").write_text("(")),
    "env.py fails": (3, lambda: replace("alembic/env.py", "= None", "= jobboard.Base.metadata")),
    "other folder": (3, lambda: replace("alembic.ini", "%(here)s/alembic", "%(here)s/migrations")),
    "other server": (
        3,
        lambda: replace("alembic.ini", "psycopg2://", "psycopg2://a:b@127.0.0.2/c"),
    ),
    "no template": (3, lambda: (workspace() / "alembic/script.py.mako").unlink()),
    "no revision": (3, lambda: (workspace() / "alembic/versions" / INIT.name).unlink()),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_project_that_does_not_stand_is_put_aside(spoiled: str) -> None:
    chapter, spoil = SPOILED[spoiled]
    begin(chapter)
    (workspace() / "notes.txt").write_text("mine")
    spoil()
    mine = work()
    message = begin(chapter)
    assert_right_start(chapter)
    assert_nothing_lost(mine)
    bring_back(message)
    assert work() == mine


def test_counters_start_at_one_after_rows_came_and_went() -> None:
    begin(4)
    rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    rows("DELETE FROM companies")
    begin(4)
    assert rows("INSERT INTO companies (name) VALUES ('Ada Analytics') RETURNING id") == [(1,)]


@pytest.mark.parametrize(
    "leftover",
    [
        "CREATE TABLE extra ()",
        "CREATE VIEW extra AS SELECT 1",
        "CREATE TYPE extra AS ENUM ('a')",
        "CREATE INDEX extra ON jobs (title)",
        "ALTER TABLE jobs ADD UNIQUE (title)",
        "ALTER TABLE jobs ALTER title DROP NOT NULL",
        "ALTER TABLE companies ALTER name TYPE text",
        "DROP TABLE jobs",
        "DROP TABLE alembic_version",
        "DELETE FROM alembic_version",
        "UPDATE alembic_version SET version_num = 'nobody'",
        "INSERT INTO alembic_version VALUES ('second')",
        "DROP SCHEMA public CASCADE",
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public",
    ],
)
def test_after_the_database_was_changed_by_hand(leftover: str) -> None:
    begin(4)
    rows(leftover)
    mine = work()
    begin(4)
    assert_right_start(4)
    assert_nothing_lost(mine)


@pytest.mark.parametrize("chapter", [1, 2, 3])
def test_schema_public_is_made_again(chapter: int) -> None:
    begin(chapter)
    rows("DROP SCHEMA public CASCADE")
    begin(chapter)
    assert_right_start(chapter)
    said(starts.reset)


# ---- after a learner's broken migration ---------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Revision nobody")
@pytest.mark.parametrize("broken", BROKEN)
def test_after_a_broken_migration(broken: str) -> None:
    chapter = 3 + len(broken) % 2
    begin(chapter)
    break_a_migration(BROKEN[broken])
    mine = work()
    message = begin(chapter)
    assert_right_start(chapter)
    assert_nothing_lost(mine)
    bring_back(message)
    assert files(workspace()) == mine.files
    assert tables()["public"] == mine.tables if chapter > 3 else True


@pytest.mark.parametrize("broken", ["raises", "commits by SQL", "wrong SQL"])
def test_after_a_failed_upgrade(broken: str) -> None:
    begin(4)
    rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    break_a_migration(BROKEN[broken])
    alembic("upgrade", "head")
    mine = work()
    assert ("half" in mine.tables) == ("commits" in broken)
    message = begin(4)
    assert_right_start(4)
    bring_back(message)
    assert work() == mine


def test_own_migration_runs_on_the_scratch_database_alone() -> None:
    """Whether a project stands is found out by running its migrations: not where rows are."""
    begin(4)
    rows("CREATE TABLE precious AS SELECT 'a row' AS of_mine")
    mine = work()
    [init] = (workspace() / "alembic" / "versions").glob("*.py")
    elsewhere = '    engine = sa.create_engine("postgresql+psycopg2://")\n'
    elsewhere += "    with engine.begin() as other:\n"
    elsewhere += '        other.execute(sa.text("DROP TABLE IF EXISTS precious"))\n'
    init.write_text(init.read_text().replace("    op.create", elsewhere + "    op.create", 1))
    begin(4)
    assert_nothing_lost(Work({}, mine.tables))


@pytest.mark.parametrize("word", ["COMMIT", "ROLLBACK"])
def test_own_migration_that_ends_the_transaction(word: str) -> None:
    """It is refused nowhere: some need it, for ALTER TYPE ... ADD VALUE."""
    begin(4)
    rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    break_a_migration(f"{{ids}}\nfrom alembic import op\ndef upgrade(): op.execute('{word}')")
    mine = work()
    begin(4)
    assert_right_start(4, kept=True)
    assert_nothing_lost(mine)


def test_own_migration_that_cannot_be_applied_twice() -> None:
    """What it makes outside of the schema public is still there the second time."""
    write_own_project("raw SQL")
    [own] = (workspace() / "alembic" / "versions").glob("*.py")
    own.write_text(
        own.read_text().replace("    op.", '    op.execute("CREATE SCHEMA app")\n    op.', 1)
    )
    begin(4)
    rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    mine = work()
    message = begin(4)
    assert_right_start(4, kept=True)
    assert_nothing_lost(mine)
    assert all(each.files or each.tables for each in asides().values())
    assert all(f'"{name}"' in message for name in asides()), "each can be had back by its name"


# ---- others at work -----------------------------------------------------------------------------


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg2.extensions.connection]:
    """Another connection, in a transaction; what waits for it in vain gives up soon."""
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=200ms")
    begin(4)
    with closing(psycopg2.connect()) as connection:
        yield connection


@pytest.mark.parametrize("chapter", [2, 4])
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
    other: psycopg2.extensions.connection, held: str, chapter: int
) -> None:
    rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    other.cursor().execute(held)
    mine = Work(files(workspace()), {"companies": ['(1,"Ada Analytics")']})
    begin(chapter)
    other.rollback()
    assert_right_start(chapter, kept=True)
    assert_nothing_lost(mine)


@pytest.mark.parametrize("chapter", [3, 4])
def test_while_another_transaction_makes_a_table(
    other: psycopg2.extensions.connection, chapter: int
) -> None:
    begin(1)
    other.cursor().execute("CREATE TABLE companies AS SELECT 'a row' AS of_mine")
    with contextlib.suppress(WorkbookError):  # one line would do
        begin(chapter)
    other.commit()
    assert_nothing_lost(Work({}, {"companies": ['("a row")']}))
    begin(chapter)
    assert_right_start(chapter)
    assert_nothing_lost(Work({}, {"companies": ['("a row")']}))


def test_while_another_notebook_starts(other: psycopg2.extensions.connection) -> None:
    before = work()
    other.cursor().execute("SELECT pg_advisory_lock(1)")
    with pytest.raises(WorkbookError, match="Another notebook is at work"):
        begin(1)
    assert work() == before


STARTER = """
import sys
from workbook import aside, project, starts
for line in sys.stdin:
    try:
        starts.start(int(line))
    except BaseException as error:
        print("failed:", repr(error))
    print("end", flush=True)
"""


def python_process(code: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ask(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(line + "\n")
    process.stdin.flush()


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return "".join(iter(process.stdout.readline, "end\n"))


def test_two_starts_at_once() -> None:
    """Two processes, again and again: the end is a right start of one of the two."""
    with python_process(STARTER) as one, python_process(STARTER) as two:
        for first, second in [(4, 4), (1, 4), (4, 1), (2, 5), (3, 4), (5, 2), (3, 3), (2, 1)]:
            begin(1)
            mine = fill()
            ask(one, str(first))
            ask(two, str(second))
            told = answer(one) + answer(two)
            assert "failed" not in told
            try:
                assert_right_start(first, kept=True)
            except AssertionError:
                assert_right_start(second, kept=True)
            assert_nothing_lost(mine)
        for process in (one, two):
            assert process.stdin
            process.stdin.close()


# ---- killed -------------------------------------------------------------------------------------

# Each line: a chapter and a number n. A fork starts the chapter and is killed at the n-th of all
# things that it does to files, directories and the database. Answers whether it came to that.
KILLED = """
import os, signal, sys
import sqlalchemy as sa
from workbook import aside, project, starts

for line in sys.stdin:
    chapter, left = map(int, line.split())

    def step(*ignored):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(event, arguments):
        if event.startswith(("os.m", "os.r", "os.truncate", "shutil.")):
            step()
        elif event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            step()

    pid = os.fork()
    if not pid:
        sys.stdout = open(os.devnull, "w")
        sys.addaudithook(audit)
        for event in ("before_cursor_execute", "commit"):
            sa.event.listen(sa.Engine, event, step)
        starts.start(chapter)
        os._exit(0)
    print(os.waitpid(pid, 0)[1])
    print("end", flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a prepared process is forked to be killed")
@pytest.mark.parametrize(("before", "chapter"), [(4, 2), (2, 5), (4, 4)])
def test_killed_at_every_step(before: int, chapter: int) -> None:
    """A start that is killed and then started again: right, and all of the work can be had back."""
    with python_process(KILLED) as process:
        for step in range(before + chapter, 1000, 11):
            begin(before)
            mine = fill()
            forget_asides()
            ask(process, f"{chapter} {step}")
            done = answer(process)
            said(aside.restore)  # what there is can be listed
            message = begin(chapter)
            assert_right_start(chapter, kept="Your earlier work" not in message)
            assert_nothing_lost(mine)
            whole = [name for name, each in asides().items() if each == mine]
            if before != chapter:
                assert whole, f"killed at step {step}"
                said(aside.restore, whole[0])
                assert work() == mine
            if done == "0\n":
                break
        assert process.stdin
        process.stdin.close()
    assert done == "0\n"
    assert step > 60


def test_leftovers_of_a_killed_start_do_no_harm() -> None:
    begin(2)
    mine = fill()
    now = time.time()
    for number in range(60):
        name = time.strftime(".%Y-%m-%d-%H%M%S", time.localtime(now + number))
        (home() / "put_aside" / name / "project").mkdir(parents=True)
        (home() / "put_aside" / name / "about.json").write_text("")
    assert "0 put aside" in said(aside.restore)
    message = begin(1)
    assert_right_start(1)
    bring_back(message)
    assert work() == mine


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


@pytest.mark.parametrize("copied", [0, 1, 5])
def test_disk_full_while_putting_aside(copied: int) -> None:
    begin(4)
    mine = fill()
    refused = pytest.raises(WorkbookError, match=r"could not be put aside.*left as it is")
    with room_for(copied, home() / "put_aside"), refused as caught:
        begin(2)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300, "one clear line"
    assert work() == mine
    assert list((home() / "put_aside").iterdir()) == []
    message = begin(2)
    assert_right_start(2)
    bring_back(message)
    assert work() == mine


def test_put_aside_cannot_be_made() -> None:
    begin(4)
    mine = fill()
    (home() / "put_aside").write_text("in the way")
    with pytest.raises(WorkbookError, match="could not be put aside"):
        begin(2)
    assert work() == mine
    (home() / "put_aside").unlink()
    assert_nothing_lost(mine)


@pytest.mark.parametrize("copied", [0, 1, 2])
def test_disk_full_while_laying_down(copied: int) -> None:
    begin(2)
    mine = fill()
    with room_for(copied, home()), pytest.raises(WorkbookError):
        begin(4)
    assert_nothing_lost(mine)
    begin(4)
    assert_right_start(4)
    assert_nothing_lost(mine)


@pytest.mark.parametrize("copied", [0, 3])
def test_disk_full_while_restoring(copied: int) -> None:
    begin(4)
    mine = fill()
    message = begin(1)
    before = fill()
    with room_for(copied, home()), pytest.raises(WorkbookError):
        bring_back(message)
    assert_nothing_lost(mine)
    assert_nothing_lost(before)
    bring_back(message)
    assert files(workspace()) == mine.files
    assert_nothing_lost(mine)
    assert_nothing_lost(before)


def test_file_that_appears_while_a_start_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another notebook writes between the copy and the removal."""
    begin(2)
    fill()
    real = project.migrate

    def meanwhile(*args: Any, **options: Any) -> None:
        (workspace() / "late.txt").write_text("mine too")
        real(*args, **options)

    monkeypatch.setattr(starts, "migrate", meanwhile)
    begin(4)
    assert_nothing_lost(Work({"late.txt": b"mine too"}, {}))


# ---- restore and reset --------------------------------------------------------------------------


def test_restore_brings_back_and_puts_aside_in_turn() -> None:
    begin(4)
    first = fill()
    message = begin(2)
    second = fill()
    message = bring_back(message)
    assert work() == first
    [again] = re.findall(r'To bring that back: restore\("([^"]+)"\)', message)
    message = said(aside.restore, again)
    assert work() == second
    assert_nothing_lost(first)
    assert len(asides()) == 1
    assert next(iter(asides())) in said(aside.restore)


def test_restore_of_a_project_with_an_empty_database_empties_the_database() -> None:
    begin(3)
    (workspace() / "notes.txt").write_text("mine")
    mine = work()
    message = said(starts.start, 5, fresh=True)
    rows("INSERT INTO companies (name) VALUES ('Ada Analytics')")
    later = work()
    bring_back(message)
    assert work() == mine
    assert_nothing_lost(later)


@pytest.mark.parametrize("name", ["nobody", "", ".", "..", "../workspace", "2026-01-01-000000"])
def test_restore_of_a_name_that_does_not_exist(name: str) -> None:
    begin(2)
    before = work()
    with pytest.raises(WorkbookError, match="Nothing is put aside as"):
        aside.restore(name)
    assert work() == before
    assert said(aside.restore) == "0 put aside.\n"


def test_restore_when_the_tables_are_gone() -> None:
    begin(4)
    mine = fill()
    message = begin(2)
    [schema] = [each for each in tables() if each != "public"]
    rows(f"DROP SCHEMA {schema} CASCADE")
    assert "its tables are not on this server" in bring_back(message)
    assert files(workspace()) == mine.files
    assert mine.files in [each.files for each in asides().values()]


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


def test_reset_puts_everything_aside() -> None:
    begin(4)
    mine = fill()
    message = said(starts.reset)
    assert files(workspace()) == {}
    assert "public" not in tables()
    bring_back(message)
    assert work() == mine
    said(starts.reset)
    assert "nothing" in said(starts.reset)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_put_aside_as_links() -> None:
    begin(1)
    elsewhere = home() / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine")
    (workspace() / "link").symlink_to(elsewhere)
    message = begin(2)
    assert (elsewhere / "mine.txt").read_text() == "mine"
    bring_back(message)
    assert (workspace() / "link").readlink() == elsewhere


def test_project_may_lie_on_another_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.rename

    def rename(source: Any, target: Any, **options: Any) -> None:
        ends = [Path(each).absolute().is_relative_to(workspace()) for each in (source, target)]
        if ends[0] != ends[1]:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target, **options)

    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(Path, "rename", lambda self, target: rename(self, target))
    begin(2)
    mine = fill()
    message = begin(4)
    assert_right_start(4)
    bring_back(message)
    assert work() == mine


def test_files_are_seen_wherever_the_project_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path / ".virtual_documents" / "it's mine, älso"))
    begin(4)
    mine = fill()
    begin(2)
    assert_right_start(2)
    assert_nothing_lost(mine)


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
    for chapter in CHAPTERS:
        with pytest.raises(WorkbookError, match="left alone"):
            starts.start(chapter)
    with pytest.raises(WorkbookError, match="left alone"):
        starts.reset()
    assert (rows(relations), work()) == before


@pytest.fixture
def scratch(separate_database: str) -> Iterator[str]:
    """The name of the scratch database, which is not there before and after."""
    name = f"{separate_database}_scratch"
    drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    rows(drop, database="postgres")
    yield name
    CONNECTIONS.pop(name, None)
    rows(drop, database="postgres")


def test_new_database_below_a_project_that_stands_is_taken_for_ours() -> None:
    """The project was made on another server; then a chapter is left half-way on this one."""
    begin(1)
    rows(f"COMMENT ON DATABASE {os.environ['PGDATABASE']} IS NULL")
    begin(1)
    rows("CREATE TABLE companies ()")
    begin(1)
    assert_right_start(1)


def test_scratch_database_with_tables_of_others_is_left_alone(scratch: str) -> None:
    rows(f"CREATE DATABASE {scratch}")
    rows("CREATE TABLE theirs AS SELECT 'a row' AS of_theirs", database=scratch)
    with contextlib.suppress(WorkbookError):
        begin(3)
        begin(3)
    assert rows("SELECT * FROM theirs", database=scratch) == [("a row",)]


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


def test_without_the_right_to_create_databases(
    scratch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A classroom's server, on which nobody has made the scratch database: say so in one line."""
    write_own_project("raw SQL")
    mine = work()

    def refused(name: str) -> None:
        if name == scratch:
            raise WorkbookError(f'There is no database "{name}"')

    with monkeypatch.context() as patch:
        patch.setattr(db, "_create", refused)
        with pytest.raises(WorkbookError, match="There is no database"):
            begin(3)
    assert work() == mine
    assert asides() == {}
