"""Releases served side by side: visitors count every error, and leave nothing behind."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from workbook import WorkbookError
from workbook.pictures.visits import chart, told
from workbook.releases import RUNNING, Visitors, retire, serve
from workbook.server import database as databases

API = """
from fastapi import FastAPI
from sqlalchemy import create_engine, select, text

app, engine = FastAPI(), create_engine("postgresql+psycopg2://")


def run(statement, **values):
    with engine.begin() as connection:
        return connection.scalar(text(statement), values)


@app.post("/jobs")
def post(title: str, city: str) -> int:
    return run("INSERT INTO jobs (title, location) VALUES (:t, :c) RETURNING id", t=title, c=city)


@app.get("/jobs/{id}")
def read(id: int) -> str | None:
    return run("SELECT location FROM jobs WHERE id = :id", id=id)


@app.put("/jobs/{id}")
def move(id: int, city: str) -> None:
    run("UPDATE jobs SET location = :c WHERE id = :id RETURNING id", id=id, c=city)
"""
ROWS = "SELECT array_agg(id), (SELECT last_value FROM jobs_id_seq) FROM jobs"


def execute(statement: str) -> object:
    with databases.engine().begin() as connection:
        result = connection.exec_driver_sql(statement)
        return tuple(result.one()) if result.returns_rows else None


@pytest.fixture
def api(database: str, tmp_path: Path) -> Iterator[Path]:
    """A served application's file, on a table of two jobs; nothing runs in the end."""
    execute("CREATE TABLE jobs (id serial PRIMARY KEY, title text, location text)")
    execute("INSERT INTO jobs (title) VALUES ('Analyst'), ('Nurse')")
    folder = tmp_path / "workspace" / "jobboard"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "api.py").write_text(API)
    yield folder / "api.py"
    retire()


def test_visitors_find_no_error_and_leave_nothing(api: Path) -> None:
    serve("old")
    [release] = RUNNING.values()
    with Visitors() as visitors:
        pass
    assert visitors.asked["old"] > 50
    assert visitors.errors == {"old": 0}
    assert execute(ROWS) == ([1, 2], 2)
    process = psutil.Process(release.process.process.pid)
    retire("old")
    assert not process.is_running() and not Path(release.folder.name).exists()


def test_a_rename_is_an_error_of_one_after_the_other(api: Path) -> None:
    """The new release before it, the old one after it."""
    serve("old")
    api.write_text(API.replace("location", "city"))
    with Visitors() as visitors:
        serve("new")
        visitors._wait()  # a command of alembic's takes far longer than this statement
        execute("ALTER TABLE jobs RENAME location TO city")
    wrong = [each for each in visitors.visits if each.wrong]
    assert min(visitors.errors.values()) > 0
    assert {each.release for each in wrong if each.second < visitors.began} == set()
    assert {each.release for each in wrong if each.second > visitors.ended + 1} <= {"old"}
    lines = told(visitors).splitlines()
    assert 'column "location" does not exist' in lines[0]
    assert 'column "city" does not exist' in lines[1]
    assert execute(ROWS) == ([1, 2], 2)
    bars = chart(visitors)["data"]["values"]
    down = -sum(each["answers"] for each in bars if each["answers"] < 0)
    assert down == sum(visitors.errors.values())


def test_an_answer_that_is_wrong_is_an_error(api: Path) -> None:
    """Two columns that nothing keeps equal: no release fails, and each misses what the other says."""
    execute("ALTER TABLE jobs ADD city text")
    serve("old")
    api.write_text(API.replace("location", "city"))
    serve("new")
    with Visitors() as visitors:
        pass
    assert min(visitors.errors.values()) > 0
    assert {*visitors.reasons().values()} == {"no city, where one was written"}


def test_a_release_takes_the_place_of_a_former_one_unnoticed(api: Path) -> None:
    serve("new")
    [before] = RUNNING.values()
    with Visitors() as visitors:
        serve("new")
    [after] = RUNNING.values()
    assert before.port != after.port and before.process.process.poll() is not None
    assert visitors.errors == {"new": 0}


def test_what_does_not_serve_is_said(api: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WorkbookError, match="serve one first"), Visitors():
        pass
    with pytest.raises(WorkbookError, match=r"'old'.*none runs"):
        retire("old")
    api.write_text("from jobboard.models import Place")
    with pytest.raises(WorkbookError, match="old does not begin to serve: ModuleNotFoundError"):
        serve("old")
    assert not RUNNING and not capsys.readouterr().out
    api.unlink()
    with pytest.raises(WorkbookError, match=r"no jobboard/api\.py"):
        serve("old")


def test_an_interrupt_ends_the_visits(api: Path) -> None:
    serve("old")
    with pytest.raises(KeyboardInterrupt), Visitors() as visitors:
        raise KeyboardInterrupt
    assert not visitors._thread.is_alive()
    assert execute(ROWS) == ([1, 2], 2)
