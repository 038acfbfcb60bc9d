"""The finished migration history at the root: it goes up and down, and agrees with the models."""

import io
import json
import logging.config
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_alembic
from alembic.command import downgrade, upgrade
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from pytest_alembic.config import Config as Standard
from pytest_alembic.tests import default
from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import IntegrityError

from jobboard.models import Company, Job
from workbook import ROOT, WorkbookError, project
from workbook.reviewing import limits


def root_config(**options: Any) -> Config:
    """The root's alembic.ini for commands in this process."""
    config = Config(ROOT / "alembic.ini", **options)
    config.get_main_option("script_location")  # reads the file
    config.config_file_name = None  # keeps env.py from reconfiguring this process's logging
    return config


REVISIONS = list(ScriptDirectory.from_config(root_config()).walk_revisions())[::-1]


@pytest.fixture
def connected(database: str) -> Iterator[Engine]:
    """An engine on the test's own database that holds no connection between two statements."""
    engine = create_engine("postgresql+psycopg2://", poolclass=NullPool)
    yield engine
    engine.dispose()


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.begin() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def run(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def fill(engine: Engine) -> None:
    """Two companies with a job each, at any revision that has the tables."""
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'companies'"
    owned = ("user_id",) in rows(engine, columns)
    run(
        engine,
        "INSERT INTO companies (name) VALUES ('Analytical Engines'), ('Harbour Compilers')"
        if not owned
        else "INSERT INTO companies (user_id, name)"
        " VALUES ('ada', 'Analytical Engines'), ('grace', 'Harbour Compilers')",
        """
        INSERT INTO jobs (title, description, company_id)
        SELECT 'Engineer', 'Mends it.', id FROM companies
        """,
    )


def tables(engine: Engine) -> set[str]:
    return {
        name
        for (name,) in rows(engine, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }


def schema(engine: Engine) -> list[tuple[Any, ...]]:
    """What is in the database but Alembic's own table: relations, columns, rules, types, code."""
    found = rows(
        engine,
        """
        SELECT table_name, column_name, data_type, character_maximum_length, is_nullable,
               column_default
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'alembic_version'
        UNION ALL
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), NULL, '', ''
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT relname, '', 'relation ' || relkind::text, NULL, '', ''
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT '', typname, 'enum', NULL, '', ''
        FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
        ORDER BY 1, 2, 3
        """,
    )
    return [row for row in found if "alembic_version" not in f"{row[0]}{row[1]}"]


def alembic(*arguments: str, cwd: Path = ROOT) -> str:
    """What the real command prints, stderr after stdout; it has to succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


# --- the commands at the root, as a person types them ---


def test_commands_at_the_root(connected: Engine) -> None:
    assert alembic("upgrade", "head").count("Running upgrade") == len(REVISIONS)
    assert tables(connected) == {"alembic_version", "companies", "jobs"}

    history = alembic("history").splitlines()
    assert [line.split(", ")[-1] for line in history] == [each.doc for each in REVISIONS[::-1]]

    check = alembic("check")
    assert "No new upgrade operations detected." in check
    assert "alembic.ddl.postgresql" not in check, "its lines come in an order that changes"

    alembic("downgrade", "base")
    assert tables(connected) == {"alembic_version"}
    assert rows(connected, "SELECT * FROM alembic_version") == []
    assert schema(connected) == []


def test_works_from_another_folder(connected: Engine, tmp_path: Path) -> None:
    alembic("-c", str(ROOT / "alembic.ini"), "upgrade", "head", cwd=tmp_path)
    assert "jobs" in tables(connected)


def test_alembic_folder_does_not_shadow_the_package() -> None:
    assert not list((ROOT / "alembic").rglob("__init__.py"))


def test_sql_can_be_written_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", os.devnull)
    script = io.StringIO()
    upgrade(root_config(output_buffer=script), "head", sql=True)
    assert script.getvalue().count("-- Running upgrade") == len(REVISIONS)
    assert "UPDATE companies SET user_id='unclaimed'" in script.getvalue()
    assert script.getvalue().startswith("BEGIN;\n\nSET lock_timeout = '5s';\n")


# --- env.py and the workbook ---


def replace_connect_environment(
    monkeypatch: pytest.MonkeyPatch, replacement: Callable[[str], None]
) -> None:
    module = ModuleType("workbook.server.database")
    vars(module)["connect_environment"] = replacement
    monkeypatch.setitem(sys.modules, "workbook.server.database", module)


def test_server_is_found_before_connecting(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATABASE", "no_such_database")
    replace_connect_environment(
        monkeypatch, lambda name: monkeypatch.setenv("PGDATABASE", database)
    )
    upgrade(root_config(), "head")


def test_no_server_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_server(name: str) -> None:
        raise WorkbookError("No server, do this.")

    replace_connect_environment(monkeypatch, no_server)
    with pytest.raises(CommandError, match=r"^No server, do this\.$"):
        upgrade(root_config(), "head")


def test_env_limits_the_wait_for_a_lock(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "workbook", None)
    monkeypatch.delenv("PGOPTIONS")
    # env.py reads alembic.ini's logging, which silences the loggers that are there already
    monkeypatch.setattr(logging.config, "fileConfig", lambda *args, **kwargs: None)
    config = root_config()
    scripts, url = ScriptDirectory.from_config(config), make_url("postgresql+psycopg2://")
    ini = str(ROOT / "alembic.ini")
    assert limits.of_env(ini, scripts, url.set(database=database)) == (True, True)


def test_api_starts_where_the_history_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m jobboard`, which is the same line in every shell."""
    done: list[object] = []
    replace_connect_environment(monkeypatch, done.append)
    monkeypatch.setattr("uvicorn.main", lambda words, **_: done.append(words))
    monkeypatch.setattr("sys.argv", ["jobboard", "--port", "8001"])
    runpy.run_module("jobboard", run_name="__main__")
    assert done == ["jobboard_finished", ["jobboard.main:app", "--port", "8001"]]

    def no_server(name: str) -> None:
        raise WorkbookError("No server, do this.")

    replace_connect_environment(monkeypatch, no_server)
    with pytest.raises(SystemExit, match=r"^No server, do this\.$"):
        runpy.run_module("jobboard", run_name="__main__")


def test_works_without_the_workbook(connected: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "workbook", None)
    upgrade(root_config(), "head")
    assert "jobs" in tables(connected)


# --- the revisions ---


def test_one_line_of_history() -> None:
    script = ScriptDirectory.from_config(root_config())
    assert len(script.get_bases()) == 1
    assert len(list((ROOT / "alembic" / "versions").glob("*.py"))) == len(REVISIONS)


# Not its experimental ones: "downgrade leaves no trace" wants an env.py that takes a connection,
# and below each revision's whole schema is compared; the models are one file, which env.py imports.
STANDARD = [test for name, test in vars(default).items() if name.startswith("test_")]


@pytest.mark.parametrize("test", STANDARD, ids=lambda test: test.__name__)
def test_standard_tests_of_pytest_alembic(connected: Engine, test: Callable[..., None]) -> None:
    with pytest_alembic.runner(Standard(alembic_config=root_config()), connected) as runner:
        test(runner)


def content(engine: Engine) -> list[tuple[Any, ...]]:
    """Companies and jobs in the columns that they have at every revision."""
    if "companies" not in tables(engine):
        return []
    return rows(
        engine,
        """
        SELECT companies.id, name, jobs.id, title, description
        FROM companies JOIN jobs ON company_id = companies.id ORDER BY companies.id
        """,
    )


ROWS_ALONE = {"c8e5037a1d29"}  # what changes no schema


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda script: str(script.doc))
def test_each_revision_up_down_up(connected: Engine, revision: Script) -> None:
    """With rows in the tables that there are: none may be lost, but in a table that goes.

    What lies below was applied when the models had no naming convention yet, so without env.py.
    """
    config = root_config()
    for parent in revision._all_down_revisions:
        with connected.begin() as connection:
            project.migrate(connection, ScriptDirectory.from_config(config), parent)
    if "companies" in tables(connected):
        fill(connected)
    before, kept = schema(connected), content(connected)

    upgrade(config, revision.revision)
    after = schema(connected)
    assert (after != before) is not (revision.is_merge_point or revision.revision in ROWS_ALONE)
    assert content(connected) == kept

    if not kept:
        fill(connected)
    downgrade(config, (*revision._all_down_revisions, "base")[0])
    assert schema(connected) == before
    assert content(connected) == kept

    upgrade(config, revision.revision)
    assert schema(connected) == after
    assert content(connected) == kept


def test_rows_from_before_the_repair_get_an_owner(connected: Engine) -> None:
    init, add, require = (script.revision for script in REVISIONS[:3])
    config = root_config()
    upgrade(config, init)
    fill(connected)
    upgrade(config, add)
    assert rows(connected, "SELECT DISTINCT user_id FROM companies") == [(None,)]
    run(connected, "UPDATE companies SET user_id = 'ada' WHERE id = 1")
    upgrade(config, require)
    owners = "SELECT user_id, count(*) FROM companies GROUP BY user_id ORDER BY user_id"
    assert rows(connected, owners) == [("ada", 1), ("unclaimed", 1)]
    with pytest.raises(IntegrityError, match="NotNullViolation"):
        run(connected, "INSERT INTO companies (name) VALUES ('Nobody Ltd')")

    downgrade(config, add)
    assert rows(connected, owners) == [("ada", 1), ("unclaimed", 1)]
    run(connected, "INSERT INTO companies (name) VALUES ('Nobody Ltd')")
    upgrade(config, require)
    assert rows(connected, owners) == [("ada", 1), ("unclaimed", 2)]


COMPANIES = "SELECT id, user_id, name FROM companies ORDER BY id"
JOBS = "SELECT id, title FROM jobs ORDER BY id"
LONG = 50 * "x"


@pytest.mark.parametrize(
    ("revision", "dirty", "query", "repaired"),
    [
        (
            "e7340c9ad512",
            "INSERT INTO companies (user_id, name) VALUES"
            f" ('ada', 'A'), ('ada', 'A'), ('eve', 'A'), ('eve', '{LONG}'), ('eve', '{LONG}'),"
            " ('ada', 'A')",
            COMPANIES,
            [
                (1, "ada", "A"),
                (2, "ada", "A (2)"),
                (3, "eve", "A"),
                (4, "eve", LONG),
                (5, "eve", f"{LONG[:46]} (5)"),
                (6, "ada", "A (6)"),
            ],
        ),
        (
            "58bc1e94f06d",
            "INSERT INTO companies (user_id, name) SELECT 'ada', count(*) FROM companies;"
            "INSERT INTO jobs (title, description, company_id)"
            " VALUES ('', '', 1), ('   ', '', 1), (' x ', '', 1)",
            JOBS,
            [(1, "Untitled"), (2, "Untitled"), (3, " x ")],
        ),
    ],
    ids=["names", "titles"],
)
def test_rows_that_a_rule_would_refuse_are_repaired(
    connected: Engine, revision: str, dirty: str, query: str, repaired: list[tuple[Any, ...]]
) -> None:
    """And stay so on the way down, where the old rows are let in again, and up."""
    config = root_config()
    upgrade(config, f"{revision}-1")
    run(connected, dirty)
    upgrade(config, revision)
    assert rows(connected, query) == repaired
    with pytest.raises(IntegrityError, match=r"UniqueViolation|CheckViolation"):
        run(connected, dirty)

    downgrade(config, "-1")
    assert rows(connected, query) == repaired
    upgrade(config, revision)
    assert rows(connected, query) == repaired
    downgrade(config, "-1")
    run(connected, dirty)


def test_jobs_from_before_the_status_are_open(connected: Engine) -> None:
    """What was set since goes with the column."""
    config = root_config()
    upgrade(config, "93d7a5e20c4b-1")
    fill(connected)
    upgrade(config, "93d7a5e20c4b")
    statuses = "SELECT status::text FROM jobs ORDER BY id"
    assert rows(connected, statuses) == [("open",), ("open",)]
    run(connected, "UPDATE jobs SET status = 'closed' WHERE id = 2")
    downgrade(config, "-1")
    upgrade(config, "93d7a5e20c4b")
    assert rows(connected, statuses) == [("open",), ("open",)]


def test_all_revisions_at_once_over_rows(connected: Engine) -> None:
    """As a deployment does it: one transaction, the backfill and the ALTER in it."""
    upgrade(root_config(), REVISIONS[0].revision)
    fill(connected)
    kept = content(connected)
    upgrade(root_config(), "head")
    assert content(connected) == kept


def test_constraints_get_their_names_whatever_they_were_called(connected: Engine) -> None:
    before, named = (each.revision for each in REVISIONS[2:4])
    upgrade(root_config(), before)
    names = "SELECT conname FROM pg_constraint WHERE conrelid = 'jobs'::regclass AND contype = 'f'"
    [(old,)] = rows(connected, names)
    run(connected, f'ALTER TABLE jobs RENAME CONSTRAINT {old} TO "by hand"')
    upgrade(root_config(), named)
    assert rows(connected, names) == [("fk_jobs_company_id_companies",)]


# What squawk says of these revisions and why it stays: a revision that was applied is not edited.
WHILE_OTHERS_WAIT = "the table is small; chapter 11 shows how it goes on a large one"
LENGTHS = "the models name lengths; to make a varchar longer changes no row and takes no time"
AFTER_THE_SWITCH = "no application uses it any more; the three revisions before have seen to that"
ARGUED = {
    "adding-not-nullable-field": ("a45e7c1390df", WHILE_OTHERS_WAIT),
    "constraint-missing-not-valid": ("e7340c9ad512 58bc1e94f06d", WHILE_OTHERS_WAIT),
    "disallowed-unique-constraint": ("e7340c9ad512", WHILE_OTHERS_WAIT),
    "ban-drop-column": ("e3a7c25d9b18", AFTER_THE_SWITCH),
    "ban-drop-function": ("e3a7c25d9b18", AFTER_THE_SWITCH),
    "prefer-bigint-over-int": ("1f3a9c5e7b20 5ad0c3e8912f", "neither jobs nor hours are so many"),
    "prefer-identity": ("1f3a9c5e7b20", "SERIAL is what SQLAlchemy makes of a plain primary key"),
    "prefer-text-field": ("1f3a9c5e7b20 b1c83e5f7a46 0f4e6b8c2d97 b4d91e6c7f03", LENGTHS),
    "require-concurrent-index-creation": ("2d61f8a0b37c", WHILE_OTHERS_WAIT),
}
# A long backfill harms nobody; what must be short is the wait for a lock, and that has its limit.
NO_RULE = "--exclude=require-statement-timeout"


def test_what_squawk_finds_is_mended_or_argued(tmp_path: Path) -> None:
    """Each revision's SQL by itself, as it was once deployed, in a transaction."""
    script = io.StringIO()
    upgrade(root_config(output_buffer=script), "head", sql=True)
    start, *parts = re.split(r"(?m)^-- Running upgrade .*-> (\w+)$", script.getvalue())
    begin = start[: start.index("CREATE TABLE alembic_version")]
    for revision, statements in zip(parts[::2], parts[1::2], strict=True):
        one = f"{begin}{statements.rpartition('COMMIT;')[0] or statements}COMMIT;"
        (tmp_path / f"{revision}.sql").write_text(one, encoding="utf-8")

    program = shutil.which("squawk", path=sysconfig.get_path("scripts"))
    assert program
    options = ["--pg-version=15", "--reporter=json", NO_RULE]
    files = sorted(tmp_path.glob("*.sql"))
    assert len(files) == len(REVISIONS)
    done = subprocess.run([program, *options, *files], capture_output=True, check=False)
    found = {(each["rule_name"], Path(each["file"]).stem) for each in json.loads(done.stdout)}
    assert found == {(rule, each) for rule, (those, _) in ARGUED.items() for each in those.split()}


# --- the models ---


def test_relationship_has_two_sides() -> None:
    """No migration command notices when one is missing."""
    Company.registry.configure()  # of these models alone: other tests leave broken ones behind
    company, job = Company(), Job()
    company.jobs.append(job)
    assert job.company is company
    job.company = other = Company()
    assert (company.jobs, other.jobs) == ([], [job])


def test_models_and_history_make_the_same_schema(connected: Engine) -> None:
    """Lengths, names and defaults included, which `alembic check` does not all compare."""
    upgrade(root_config(), "head")
    migrated = schema(connected)
    assert ("companies", "name", "character varying", 50, "NO", None) in migrated
    assert ("jobs", "title", "character varying", 100, "NO", None) in migrated

    downgrade(root_config(), "base")
    Company.metadata.create_all(connected)
    assert schema(connected) == migrated
