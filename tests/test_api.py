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
from alembic.command import upgrade
from fastapi.testclient import TestClient
from schemathesis.engine import StopReason, events, from_schema
from sqlalchemy import String, create_engine, text
from sqlalchemy.event import listen, remove
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import sessionmaker
from test_history import root_config

from jobboard import main
from jobboard.database import engine
from jobboard.main import HEADS, app
from jobboard.models import Company, Job, JobStatus

INT4_MAX = 2**31 - 1
JSON = {"Content-Type": "application/json"}

T = TypeVar("T")

COMPANY: dict[str, Any] = {"user_id": "ada", "name": "Analytical Engines"}
JOB: dict[str, Any] = {"title": "Engineer", "description": "Mends it.", "company_id": 1}
NEW: dict[str, Any] = {"status": "open", "hours": None, "city": None, "remote": False}
NOT_READY = {"detail": "The database is not ready; the log says why."}
(HEAD,) = HEADS


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
    ("path", "body", "defaults", "change"),
    [
        ("/companies", COMPANY, {"website": None}, {"website": "https://analytical.example"}),
        ("/jobs", JOB, NEW, {"status": "closed", "company_id": 2, "remote": True}),
        ("/jobs", JOB | NEW | {"city": "London", "hours": 40}, {}, {"city": "Paris", "hours": 1}),
    ],
)
def test_a_life(
    client: TestClient,
    path: str,
    body: dict[str, Any],
    defaults: dict[str, Any],
    change: dict[str, Any],
) -> None:
    if path == "/jobs":
        fill(companies=2, jobs=0)
    assert client.get(path).json() == {"items": [], "total": 0}

    created = client.post(path, json=body)
    assert (created.status_code, created.json()) == (201, body | defaults | {"id": 1})
    assert client.get(f"{path}/1").json() == created.json()
    assert client.get(path).json() == {"items": [created.json()], "total": 1}

    changed = client.patch(f"{path}/1", json=change)
    assert (changed.status_code, changed.json()) == (200, created.json() | change)
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


@pytest.mark.parametrize(
    ("path", "body", "optional"),
    [("/companies", COMPANY, {"website": "w"}), ("/jobs", JOB, {"city": "c", "hours": 1})],
)
def test_what_is_left_out_stays_and_null_clears(
    client: TestClient, path: str, body: dict[str, Any], optional: dict[str, Any]
) -> None:
    client.post("/companies", json=COMPANY | {"user_id": "grace"})
    row = client.post(path, json=body | optional).json()
    field, *_ = optional
    assert client.patch(f"{path}/{row['id']}", json={}).json() == row
    for required in row.keys() - optional.keys() - {"id"}:
        refused = client.patch(f"{path}/{row['id']}", json={required: None, field: "changed"})
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"] == ["body", required]
    assert client.get(f"{path}/{row['id']}").json() == row
    assert client.patch(f"{path}/{row['id']}", json={field: None}).json() == row | {field: None}


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


@pytest.mark.parametrize("path", ["/companies", "/jobs", "/companies/1/jobs"])
def test_page_and_total_are_of_one_moment(client: TestClient, path: str) -> None:
    """While somebody else adds a row after each query of the request."""
    fill(companies=1, jobs=1)
    add_company = "INSERT INTO companies (user_id, name) SELECT count(*), 'x' FROM companies"

    def somebody_else(*arguments: Any) -> None:
        if arguments[2].startswith("SELECT"):
            sql(f"{add_company}; {ADD_JOB}")

    listen(engine, "after_cursor_execute", somebody_else)
    try:
        answer = client.get(path).json()
    finally:
        remove(engine, "after_cursor_execute", somebody_else)
    assert answer["total"] == len(answer["items"]) == 1
    assert client.get(path).json()["total"] > 2


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
        ("GET", f"/jobs/{INT4_MAX}", None, f"job {INT4_MAX}"),
    ]:
        answer = client.request(method, path, json=body)
        assert answer.status_code == 404, (method, path)
        assert answer.json() == {"detail": f"There is no {missing}."}
    assert client.get("/jobs").json() == before


def unknown_company(answer: Any, company_id: int) -> bool:
    part = {"loc": ["body", "company_id"], "msg": f"There is no company {company_id}."}
    problem = {"detail": [{"type": "no_company"} | part]}
    return (answer.status_code, answer.json()) == (422, problem)


def test_job_of_an_unknown_company(client: TestClient) -> None:
    fill(companies=1, jobs=1)
    before = client.get("/jobs").json()
    assert unknown_company(client.post("/jobs", json=JOB | {"company_id": 7}), 7)
    assert unknown_company(client.patch("/jobs/1", json={"title": "x", "company_id": 7}), 7)
    assert client.get("/jobs").json() == before


def test_second_company_of_a_name(client: TestClient) -> None:
    """An account has one of each name; two accounts may have the same."""
    bodies = [COMPANY, COMPANY | {"user_id": "grace"}, COMPANY | {"name": "Difference Engines"}]
    for body in bodies:
        assert client.post("/companies", json=body).status_code == 201
    before = client.get("/companies").json()
    for method, path, body in [
        ("POST", "/companies", COMPANY),
        ("PATCH", "/companies/2", {"user_id": "ada"}),
        ("PATCH", "/companies/3", {"name": COMPANY["name"], "website": "x"}),
    ]:
        answer = client.request(method, path, json=body)
        assert answer.status_code == 409
        assert answer.json() == {"detail": "This account has another company of that name."}
    assert client.get("/companies").json() == before
    assert client.patch("/companies/1", json=COMPANY).status_code == 200


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


BLANK = ['""', '" "', r'" \t\n\u00a0\u2003"']
NO_TEXTS = [*BLANK, r'"\u0000"', r'"a\u0000b"', r'"\ud800"', "5", "true", "[]", "NaN"]
NO_IDS = ["0", "-1", "1.5", '"1"', "true", "NaN", "Infinity", "2147483648", "1e30"]


IMPOSSIBLE = [
    ("/companies", "user_id", NO_TEXTS),
    ("/companies", "name", [*NO_TEXTS, f'"{51 * "x"}"']),
    ("/companies", "website", [*NO_TEXTS, f'"{201 * "x"}"']),
    ("/companies", "id", ["1"]),
    ("/jobs", "title", [*NO_TEXTS, f'"{101 * "x"}"']),
    ("/jobs", "description", NO_TEXTS),
    ("/jobs", "company_id", NO_IDS),
    ("/jobs", "status", ['"Open"', '""', "1", "true", "null", '["open"]']),
    ("/jobs", "hours", ["0", "61", "1.5", '"40"', "true", "NaN"]),
    ("/jobs", "remote", ["null", "0", "1", '"true"']),
    ("/jobs", "city", [*NO_TEXTS, f'"{101 * "x"}"']),
    ("/jobs", "titel", ['"Engineer"']),
]


def test_impossible_values(client: TestClient) -> None:
    """The values are written as JSON by hand: a client's library would refuse to send some."""
    fill(companies=1, jobs=1)
    before = [client.get(path).json() for path in ("/companies", "/jobs")]
    for path, field, values in IMPOSSIBLE:
        good = COMPANY if path == "/companies" else JOB
        for value in values:
            body = json.dumps(good | {field: "?"}).replace('"?"', value)
            for method, url in [("POST", path), ("PATCH", f"{path}/1")]:
                answer = client.request(method, url, content=body, headers=JSON)
                assert answer.status_code == 422, (method, body)
                assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert [client.get(path).json() for path in ("/companies", "/jobs")] == before


def test_values_at_their_limits(client: TestClient) -> None:
    """PostgreSQL counts characters, and so does the API: not bytes, not UTF-16 units."""
    company = {"user_id": "\x01", "name": 50 * "\N{ROCKET}", "website": 200 * "\N{ROCKET}"}
    assert client.post("/companies", json=company).json() == company | {"id": 1}
    job = {"title": 100 * "\N{ROCKET}", "description": 100_000 * "é", "company_id": 1}
    job |= NEW | {"city": f" {98 * 'é'}\n", "hours": 60}
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
            for kind in ("Create", "Update"):
                field = schemas[f"{model.__name__}{kind}"]["properties"][column.name]
                if column.type.python_type is JobStatus:
                    assert field["$ref"].endswith("/JobStatus")
                    continue
                text, *null = field.get("anyOf", [field])
                assert text.get("maxLength") == column.type.length
                assert null == ([{"type": "null"}] if column.nullable else [])


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
    assert unknown_company(answer, 2)


@pytest.mark.parametrize("path", ["/companies/2", "/jobs/1"])
def test_row_goes_while_it_is_changed(client: TestClient, path: str) -> None:
    fill(companies=2, jobs=1)
    table, row_id = path.strip("/").split("/")
    gone = f"DELETE FROM {table} WHERE id = {row_id}"
    body = {"name": "x"} if table == "companies" else {"title": "x"}
    answer = meanwhile(gone, lambda: client.patch(path, json=body), commit=True)
    assert answer.status_code == 404


@pytest.mark.parametrize("commit", [True, False])
def test_two_companies_of_a_name_at_once(client: TestClient, commit: bool) -> None:
    other = "INSERT INTO companies (user_id, name) VALUES ('ada', 'Analytical Engines')"
    answer = meanwhile(other, lambda: client.post("/companies", json=COMPANY), commit=commit)
    assert answer.status_code == (409 if commit else 201)


def test_company_changes_while_it_gets_a_job(client: TestClient) -> None:
    """A job refers to the company's id, which stays: neither waits for the other."""
    fill(companies=1, jobs=0)
    with engine.begin() as other:
        other.execute(text(ADD_JOB))
        assert client.patch("/companies/1", json={"website": "x"}).status_code == 200


# --- a database that is not ready ---


HALVES = ["0f4e6b8c2d97", "b1c83e5f7a46"]


def test_ready_unless_something_is_missing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expand step, or one branch of two, must not take every old instance away."""

    def at(*revisions: str) -> Any:
        rows = ", ".join(f"('{revision}')" for revision in revisions)
        sql(f"DELETE FROM alembic_version; INSERT INTO alembic_version VALUES {rows}")
        return client.get("/health/ready")

    for revisions in [[HEAD], ["later"], [HEAD, "later"], ["later", "still later"]]:
        answer = at(*revisions)
        wanted = {"revisions": sorted(revisions), "ahead": revisions != [HEAD]}
        assert (answer.status_code, answer.json()) == (200, wanted)
    for revisions in [["93d7a5e20c4b"], HALVES, [HALVES[0], "later"]]:
        answer, found = at(*revisions), " and ".join(revisions)
        wanted = {"detail": f"The database is at {found}, this application needs {HEAD}."}
        assert (answer.status_code, answer.json()) == (503, wanted)

    monkeypatch.setattr(main, "HEADS", set(HALVES))
    assert at(HALVES[0]).status_code == 503
    assert at(*HALVES).status_code == at(HALVES[0], "later").status_code == 200


def test_unversioned_is_not_ready(client: TestClient) -> None:
    assert client.get("/health").status_code == 200  # what there was before there were two
    for statement in ["DELETE FROM alembic_version", "DROP TABLE alembic_version"]:
        sql(statement)
        for path in ["/health/ready", "/health"]:
            answer = client.get(path)
            assert answer.status_code == 503
            assert answer.json()["detail"].startswith("The database is at no revision,")


def test_no_server(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is ready, and yet the process is alive: to start it again would not help."""
    engine.dispose()
    monkeypatch.setenv("PGHOST", str(tmp_path))
    for path in ["/health/ready", "/companies", "/jobs/1"]:
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (503, NOT_READY)
        assert f"GET {path}: connection to server" in caplog.messages[-1]
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, "alive")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DROP TABLE jobs", 'relation "jobs" does not exist'),
        ("ALTER TABLE jobs DROP city", "column jobs.city does not exist"),
        ("REVOKE ALL ON jobs FROM current_user", "permission denied for table jobs"),
    ],
)
def test_table_column_or_right_is_missing(
    client: TestClient, caplog: pytest.LogCaptureFixture, change: str, words: str
) -> None:
    sql(change)
    answer = client.get("/jobs/1")
    assert (answer.status_code, answer.json()) == (503, NOT_READY)
    assert words in caplog.messages[-1]


def test_query_that_is_wrong(client: TestClient) -> None:
    """A fault of the code or of the schema is a 500: it does not pass by itself."""
    sql("ALTER TABLE jobs ALTER id TYPE text")
    with pytest.raises(ProgrammingError, match="operator does not exist"):
        client.get("/jobs/1")


def test_pool_that_runs_dry(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    small = create_engine(engine.url, pool_size=1, max_overflow=0, pool_timeout=0)
    monkeypatch.setattr(main, "SessionLocal", sessionmaker(small))
    with small.connect():
        answer = client.get("/jobs/1")
        assert (answer.status_code, answer.json()) == (503, NOT_READY)
    assert client.get("/jobs/1").status_code == 404
    small.dispose()


def test_server_that_closed_a_connection(client: TestClient, database: str) -> None:
    """Say, because it was restarted: the pool's connection is dead, and the answer is right."""
    assert client.get("/health/ready").status_code == 200
    others = "FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid, 30000) {others}", [database])
        assert cursor.fetchall() == [(True,)]
    connection.close()
    assert client.get("/health/ready").status_code == 200


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
                for case_id, checks in recorder.checks.items():
                    answer = recorder.interactions[case_id].response
                    for check in checks:
                        # no description can say which companies there are
                        if check.name == "positive_data_acceptance" and (
                            answer and b'"no_company"' in answer.content
                        ):
                            continue
                        if info := check.failure_info:
                            failures.append(f"{info.failure}\n{info.code_sample}")
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
