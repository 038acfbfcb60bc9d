"""The job board's API, through HTTP, on a real PostgreSQL that Alembic migrated."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import psycopg2
import pytest
import schemathesis
from alembic.command import downgrade, stamp, upgrade
from fastapi.testclient import TestClient
from schemathesis.engine import StopReason, events, from_schema
from sqlalchemy import String, text
from test_history import root_config

from jobboard.database import engine
from jobboard.main import HEAD, app
from jobboard.models import Company, Job

INT4_MAX = 2**31 - 1
JSON = {"Content-Type": "application/json"}

T = TypeVar("T")

COMPANY: dict[str, Any] = {"user_id": "ada", "name": "Analytical Engines"}
JOB: dict[str, Any] = {"title": "Engineer", "description": "Mends it.", "company_id": 1}


@pytest.fixture
def client(database: str) -> Iterator[TestClient]:
    """The API on an empty database at head.

    The application's engine outlives a test, and its pooled connections lead to the database of
    the test that opened them: none is kept.
    """
    engine.dispose()
    upgrade(root_config(), "head")
    with TestClient(app) as client:
        yield client
    engine.dispose()


def sql(statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def fill(companies: int, jobs: int) -> None:
    """Companies 1, 2, ...; jobs 1, 2, ..., which all belong to company 1."""
    sql(
        "INSERT INTO companies (user_id, name)"
        f" SELECT 'user ' || n, 'company ' || n FROM generate_series(1, {companies}) AS n"
    )
    sql(
        "INSERT INTO jobs (title, description, company_id)"
        f" SELECT 'job ' || n, '', 1 FROM generate_series(1, {jobs}) AS n"
    )


# --- the life of a company and of a job ---


@pytest.mark.parametrize(
    ("path", "body", "change"),
    [
        ("/companies", COMPANY, {"name": "Difference Engines"}),
        ("/jobs", JOB, {"title": "Programmer", "company_id": 2}),
    ],
)
def test_a_life(
    client: TestClient, path: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    if path == "/jobs":
        fill(companies=2, jobs=0)
    assert client.get(path).json() == {"items": [], "total": 0}

    created = client.post(path, json=body)
    assert (created.status_code, created.json()) == (201, body | {"id": 1})
    assert client.get(f"{path}/1").json() == created.json()
    assert client.get(path).json() == {"items": [created.json()], "total": 1}

    changed = client.patch(f"{path}/1", json=change)
    assert (changed.status_code, changed.json()) == (200, body | change | {"id": 1})
    assert client.get(f"{path}/1").json() == changed.json()

    deleted = client.delete(f"{path}/1")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get(f"{path}/1").status_code == 404
    assert client.delete(f"{path}/1").status_code == 404


def test_jobs_of_a_company(client: TestClient) -> None:
    fill(companies=2, jobs=3)
    client.patch("/jobs/2", json={"company_id": 2})
    jobs = client.get("/companies/1/jobs").json()
    assert ([job["id"] for job in jobs["items"]], jobs["total"]) == ([1, 3], 2)
    jobs = client.get("/companies/2/jobs").json()
    assert ([job["id"] for job in jobs["items"]], jobs["total"]) == ([2], 1)


def test_what_is_left_out_or_null_stays(client: TestClient) -> None:
    client.post("/companies", json=COMPANY)
    for body in [{}, {"name": None}, {"name": None, "user_id": None}]:
        assert client.patch("/companies/1", json=body).json() == COMPANY | {"id": 1}


@pytest.mark.parametrize("path", ["/companies", "/jobs", "/companies/1/jobs"])
def test_paging(client: TestClient, path: str) -> None:
    fill(companies=101, jobs=101)
    sql("UPDATE companies SET name = 'moved' WHERE id = 3")  # goes to the end of the table
    sql("UPDATE jobs SET title = 'moved' WHERE id = 3")

    def ids(query: str) -> list[int]:
        page = client.get(path + query).json()
        assert page["total"] == 101
        return [item["id"] for item in page["items"]]

    assert ids("") == list(range(1, 21))
    assert ids("?limit=3") == [1, 2, 3]
    assert ids("?limit=3&offset=2") == [3, 4, 5]
    assert ids("?limit=100") == list(range(1, 101))
    assert ids("?offset=99") == [100, 101]
    assert ids(f"?offset={INT4_MAX}") == []

    for query in ["limit=0", "limit=101", "limit=x", "offset=-1", f"offset={INT4_MAX + 1}"]:
        assert client.get(f"{path}?{query}").status_code == 422, query


# --- what is refused, and how ---


def test_not_found(client: TestClient) -> None:
    fill(companies=1, jobs=1)
    before = client.get("/jobs").json()
    for method, path, body, missing in [
        ("GET", "/companies/7", None, "company 7"),
        ("PATCH", "/companies/7", {"name": "x"}, "company 7"),
        ("DELETE", "/companies/7", None, "company 7"),
        ("GET", "/companies/7/jobs", None, "company 7"),
        ("GET", "/jobs/7", None, "job 7"),
        ("PATCH", "/jobs/7", {"title": "x"}, "job 7"),
        ("DELETE", "/jobs/7", None, "job 7"),
        ("POST", "/jobs", JOB | {"company_id": 7}, "company 7"),
        ("PATCH", "/jobs/1", {"title": "x", "company_id": 7}, "company 7"),
        ("GET", f"/jobs/{INT4_MAX}", None, f"job {INT4_MAX}"),
    ]:
        answer = client.request(method, path, json=body)
        assert answer.status_code == 404, (method, path)
        assert answer.json() == {"detail": f"There is no {missing}."}
    assert client.get("/jobs").json() == before


def test_company_that_still_has_jobs(client: TestClient) -> None:
    fill(companies=1, jobs=1)
    refused = client.delete("/companies/1")
    assert refused.status_code == 409
    assert refused.json() == {"detail": "Company 1 still has jobs."}
    assert client.get("/companies/1/jobs").json()["total"] == 1

    client.delete("/jobs/1")
    assert client.delete("/companies/1").status_code == 204


def test_impossible_ids(client: TestClient) -> None:
    for path in ["/companies/{}", "/companies/{}/jobs", "/jobs/{}"]:
        for row_id in ["0", "-1", "x", "1.5", "%00", INT4_MAX + 1, 10**30]:
            answer = client.get(path.format(row_id))
            assert answer.status_code == 422, (path, row_id)
            assert answer.json()["detail"][0]["loc"][0] == "path"


NO_TEXTS = ['""', r'"\u0000"', r'"a\u0000b"', r'"\ud800"', "5", "true", "[]", "NaN"]
NO_IDS = ["0", "-1", "1.5", '"1"', "true", "NaN", "Infinity", "2147483648", "1e30"]


@pytest.mark.parametrize(
    ("path", "field", "values"),
    [
        ("/companies", "user_id", NO_TEXTS),
        ("/companies", "name", [*NO_TEXTS, f'"{51 * "x"}"']),
        ("/companies", "id", ["1"]),
        ("/jobs", "title", [*NO_TEXTS, f'"{101 * "x"}"']),
        ("/jobs", "description", NO_TEXTS),
        ("/jobs", "company_id", NO_IDS),
        ("/jobs", "titel", ['"Engineer"']),
    ],
)
def test_impossible_values(client: TestClient, path: str, field: str, values: list[str]) -> None:
    """The values are written as JSON by hand: a client's library would refuse to send some."""
    fill(companies=1, jobs=1)
    before = client.get(path).json()
    good = COMPANY if path == "/companies" else JOB
    for value in values:
        body = json.dumps(good | {field: "?"}).replace('"?"', value)
        for method, url in [("POST", path), ("PATCH", f"{path}/1")]:
            answer = client.request(method, url, content=body, headers=JSON)
            assert answer.status_code == 422, (method, body)
            assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert client.get(path).json() == before


def test_values_at_their_limits(client: TestClient) -> None:
    """PostgreSQL counts characters, and so does the API: not bytes, not UTF-16 units."""
    company = {"user_id": "\x01", "name": 50 * "\N{ROCKET}"}
    assert client.post("/companies", json=company).json() == company | {"id": 1}
    job = {"title": 100 * "\N{ROCKET}", "description": 100_000 * "é", "company_id": 1}
    assert client.post("/jobs", json=job).json() == job | {"id": 1}
    assert client.patch("/jobs/1", content='{"company_id": 1.0}', headers=JSON).json()["id"] == 1


def test_incomplete_and_unreadable_bodies(client: TestClient) -> None:
    for path, body in [("/companies", COMPANY), ("/jobs", JOB)]:
        for field in body:
            part = {name: value for name, value in body.items() if name != field}
            for incomplete in [part, part | {field: None}]:
                answer = client.post(path, json=incomplete)
                assert answer.status_code == 422, incomplete
                assert answer.json()["detail"][0]["loc"] == ["body", field]
        for unreadable in ["", "{", "[]", "null", r'{"\ud800": 1}']:
            assert client.post(path, content=unreadable, headers=JSON).status_code == 422
        assert client.post(path, content=b"\xff", headers=JSON).status_code == 400


def test_lengths_are_those_of_the_models() -> None:
    schemas = app.openapi()["components"]["schemas"]
    for model in (Company, Job):
        for column in model.__table__.columns:
            if not isinstance(column.type, String):
                continue
            create = schemas[f"{model.__name__}Create"]["properties"][column.name]
            update = schemas[f"{model.__name__}Update"]["properties"][column.name]["anyOf"][0]
            assert create.get("maxLength") == update.get("maxLength") == column.type.length


# --- two requests at once ---


def meanwhile(statement: str, request: Callable[[], T], *, commit: bool) -> T:
    """What a request answers that comes while another transaction has changed the same rows."""
    blocked = "SELECT 1 FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    with ThreadPoolExecutor(1) as thread, engine.connect() as other:
        other.execute(text(statement))
        answer = thread.submit(request)
        deadline = time.monotonic() + 30
        while not (waits := other.scalar(text(blocked))) and not answer.done():
            assert time.monotonic() < deadline, "the request neither waits nor answers"
            time.sleep(0.01)
        assert waits, "the request did not wait for the other transaction"
        if commit:
            other.commit()
        else:
            other.rollback()
        return answer.result(timeout=30)


ADD_JOB = "INSERT INTO jobs (title, description, company_id) VALUES ('x', '', 1)"


@pytest.mark.parametrize(("commit", "status"), [(True, 409), (False, 204)])
def test_company_gets_a_job_while_it_is_deleted(
    client: TestClient, commit: bool, status: int
) -> None:
    fill(companies=1, jobs=0)
    answer = meanwhile(ADD_JOB, lambda: client.delete("/companies/1"), commit=commit)
    assert answer.status_code == status
    if commit:
        assert client.get("/companies/1/jobs").json()["total"] == 1


@pytest.mark.parametrize(("method", "path"), [("POST", "/jobs"), ("PATCH", "/jobs/1")])
def test_company_goes_while_it_gets_a_job(client: TestClient, method: str, path: str) -> None:
    fill(companies=2, jobs=1)
    gone = "DELETE FROM companies WHERE id = 2"
    body = JOB | {"company_id": 2}
    answer = meanwhile(gone, lambda: client.request(method, path, json=body), commit=True)
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is no company 2."})


@pytest.mark.parametrize("path", ["/companies/2", "/jobs/1"])
def test_row_goes_while_it_is_changed(client: TestClient, path: str) -> None:
    fill(companies=2, jobs=1)
    table, row_id = path.strip("/").split("/")
    gone = f"DELETE FROM {table} WHERE id = {row_id}"
    body = {"name": "x"} if table == "companies" else {"title": "x"}
    answer = meanwhile(gone, lambda: client.patch(path, json=body), commit=True)
    assert answer.status_code == 404


# --- a database that is not ready ---


def test_health_at_head(client: TestClient) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"revision": HEAD})


def test_health_behind_and_unversioned(client: TestClient) -> None:
    def reason() -> str:
        answer = client.get("/health")
        assert answer.status_code == 503
        assert set(answer.json()) == {"detail"}
        return str(answer.json()["detail"])

    downgrade(root_config(), "-1")
    assert reason() == f"The database is at 6b8d02f4ac91, this application needs {HEAD}."
    downgrade(root_config(), "base")
    assert reason() == f"The database is at no revision, this application needs {HEAD}."
    sql("DROP TABLE alembic_version")
    assert reason() == f"The database is at no revision, this application needs {HEAD}."

    stamp(root_config(), "head")
    sql("UPDATE alembic_version SET version_num = 'of tomorrow'")
    assert reason() == f"The database is at of tomorrow, this application needs {HEAD}."
    sql(f"INSERT INTO alembic_version VALUES ('{HEAD}')")
    assert "of tomorrow" in reason()


def test_no_server(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine.dispose()
    monkeypatch.setenv("PGHOST", str(tmp_path))
    for path in ["/health", "/companies", "/jobs/1"]:
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.json() == {"detail": "The database is not ready; the log says why."}
        assert f"GET {path}: connection to server" in caplog.messages[-1]


def test_no_tables(client: TestClient) -> None:
    downgrade(root_config(), "base")
    assert client.get("/companies").status_code == 503
    assert client.post("/jobs", json=JOB).status_code == 503


def test_server_that_closed_a_connection(client: TestClient, database: str) -> None:
    """Say, because it was restarted: the pool's connection is dead, and the answer is right."""
    assert client.get("/health").status_code == 200
    others = "FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid, 30000) {others}", [database])
        assert cursor.fetchall() == [(True,)]
    connection.close()
    assert client.get("/health").status_code == 200


# --- the whole API against its own description ---

SCHEMATHESIS = {
    "seed": 1,
    "generation": {"max-examples": 15, "deterministic": True, "database": "none"},
    "phases": {"stateful": {"max-steps": 10}},
    # Starlette's 405 names in `Allow` the methods of one route, not of all with the same path.
    "checks": {"allow_header_conformance": {"enabled": False}},
}


@pytest.mark.author
def test_api_keeps_to_its_description(client: TestClient) -> None:
    """Limits, wrong types, random data and sequences of requests that go on from one another.

    It is Schemathesis's own engine, as `schemathesis run` uses it: the test cases that its pytest
    plugin makes all get one name under pytest 9.2, and pytest-xdist then runs only one of them.
    """
    config = schemathesis.Config.from_dict(SCHEMATHESIS)
    description = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    answers, failures = set(), []
    for event in from_schema(description).execute():
        match event:
            case events.ScenarioFinished(recorder=recorder):
                for case_id, interaction in recorder.interactions.items():
                    operation = recorder.cases[case_id].value.operation.label
                    if interaction.response is not None:
                        answers.add((operation, str(interaction.response.status_code)))
                for checks in recorder.checks.values():
                    found = [check.failure_info for check in checks if check.failure_info]
                    failures += [f"{info.failure}\n{info.code_sample}" for info in found]
            case events.NonFatalError(value=error) | events.FatalError(exception=error):
                raise error
            case events.EngineFinished(stop_reason=reason):
                assert reason is StopReason.COMPLETED
    assert not failures, "\n\n".join(failures)

    # That nothing failed says little where nothing was reached: each operation has succeeded too.
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            success = min(operation["responses"])
            assert (f"{method.upper()} {path}", success) in answers
    assert ("DELETE /companies/{company_id}", "409") in answers
