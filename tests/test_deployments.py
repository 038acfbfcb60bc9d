"""Deployments beside a notebook: really at the same moment, and ended with it; their surroundings."""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import TRANSACTION_STATUS_INTRANS

from workbook import WorkbookError, deployments, starts
from workbook.deployments import ROLE, begin_deployment, deploy
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
