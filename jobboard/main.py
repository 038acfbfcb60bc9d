"""The job board's HTTP API. Run it with `uvicorn jobboard.main:app`, and look at /docs."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg2.errors import ForeignKeyViolation
from sqlalchemy import Select, delete, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from jobboard.database import SessionLocal
from jobboard.models import Company, Job
from jobboard.schemas import (
    CompanyCreate,
    CompanyRead,
    CompanyUpdate,
    Health,
    Id,
    JobCreate,
    JobRead,
    JobUpdate,
    Page,
    Paging,
    Problem,
)

logger = logging.getLogger(__name__)

# The revision that this code needs the database to be at.
HEAD = ScriptDirectory(str(Path(__file__).parent.parent / "alembic")).get_current_head()


def problems(*status_codes: int) -> dict[int | str, dict[str, Any]]:
    """For the description of the API: these answers carry a Problem."""
    return {code: {"model": Problem} for code in status_codes}


app = FastAPI(title="Job board", responses=problems(503))


# --- what the routes share ---


def open_session() -> Iterator[Session]:
    """A session for one request. What the route does not commit is rolled back."""
    with SessionLocal() as session:
        yield session


Db = Annotated[Session, Depends(open_session)]
PagingQuery = Annotated[Paging, Query()]
Row = TypeVar("Row", Company, Job)


def not_found(model: type[Company | Job], row_id: int) -> HTTPException:
    return HTTPException(404, f"There is no {model.__name__.lower()} {row_id}.")


def find(session: Session, model: type[Row], row_id: int, *, lock: bool = False) -> Row:
    """The row with this id, or a 404. Lock it to change it, or somebody deletes it meanwhile."""
    row = session.get(model, row_id, with_for_update=lock)
    if row is None:
        raise not_found(model, row_id)
    return row


def page(session: Session, query: Select[Any], paging: Paging) -> dict[str, Any]:
    """The part of the query's rows that is asked for, and how many there are in all."""
    part = query.limit(paging.limit).offset(paging.offset)
    total = select(func.count()).select_from(query.subquery())
    return {"items": session.scalars(part).all(), "total": session.scalar(total)}


@contextmanager
def on_foreign_key(answer: HTTPException) -> Iterator[None]:
    """Give this answer where a foreign key refuses what is done inside.

    To ask the database beforehand is not enough: another request may delete the company, or give
    it a job, between the question and the commit. The constraint sees both.
    """
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, ForeignKeyViolation):
            raise answer from error
        raise


@app.exception_handler(OperationalError)  # no server, no connection, a timeout
@app.exception_handler(ProgrammingError)  # a table or column is missing, or may not be used
def database_not_ready(request: Request, error: DBAPIError) -> JSONResponse:
    """A 503. The reason names hosts and roles, so it is for the log and not for everybody."""
    logger.error("%s %s: %s", request.method, request.url.path, str(error.orig).strip())
    return JSONResponse({"detail": "The database is not ready; the log says why."}, 503)


@app.exception_handler(RequestValidationError)
def invalid(request: Request, error: RequestValidationError) -> Response:
    """A 422 as FastAPI gives it, without repeating what was sent.

    Python reads NaN and "\\ud800" (half a character) from JSON, but FastAPI cannot send them
    back: its own answer would end in a 500.
    """
    detail = [{key: part[key] for key in ("type", "loc", "msg")} for part in error.errors()]
    return Response(json.dumps({"detail": detail}), 422, media_type="application/json")


# --- companies ---


@app.get("/companies", response_model=Page[CompanyRead])
def list_companies(session: Db, paging: PagingQuery) -> dict[str, Any]:
    return page(session, select(Company).order_by(Company.id), paging)


@app.post("/companies", response_model=CompanyRead, status_code=201, responses=problems(400))
def create_company(session: Db, body: CompanyCreate) -> Company:
    company = Company(**body.model_dump())
    session.add(company)
    session.commit()
    return company


@app.get("/companies/{company_id}", response_model=CompanyRead, responses=problems(404))
def read_company(session: Db, company_id: Id) -> Company:
    return find(session, Company, company_id)


@app.patch("/companies/{company_id}", response_model=CompanyRead, responses=problems(400, 404))
def change_company(session: Db, company_id: Id, body: CompanyUpdate) -> Company:
    company = find(session, Company, company_id, lock=True)
    for field, value in body.model_dump(exclude_none=True).items():
        setattr(company, field, value)
    session.commit()
    return company


@app.delete("/companies/{company_id}", status_code=204, responses=problems(404, 409))
def delete_company(session: Db, company_id: Id) -> None:
    """A company goes only when it has no jobs: 409 if it has."""
    with on_foreign_key(HTTPException(409, f"Company {company_id} still has jobs.")):
        deleted = session.scalar(
            delete(Company).where(Company.id == company_id).returning(Company.id)
        )
        session.commit()
    if deleted is None:
        raise not_found(Company, company_id)


@app.get("/companies/{company_id}/jobs", response_model=Page[JobRead], responses=problems(404))
def list_jobs_of_company(session: Db, company_id: Id, paging: PagingQuery) -> dict[str, Any]:
    find(session, Company, company_id)
    jobs = select(Job).where(Job.company_id == company_id).order_by(Job.id)
    return page(session, jobs, paging)


# --- jobs ---


@app.get("/jobs", response_model=Page[JobRead])
def list_jobs(session: Db, paging: PagingQuery) -> dict[str, Any]:
    return page(session, select(Job).order_by(Job.id), paging)


@app.post("/jobs", response_model=JobRead, status_code=201, responses=problems(400, 404))
def create_job(session: Db, body: JobCreate) -> Job:
    """404 if there is no such company."""
    job = Job(**body.model_dump())
    session.add(job)
    with on_foreign_key(not_found(Company, body.company_id)):
        session.commit()
    return job


@app.get("/jobs/{job_id}", response_model=JobRead, responses=problems(404))
def read_job(session: Db, job_id: Id) -> Job:
    return find(session, Job, job_id)


@app.patch("/jobs/{job_id}", response_model=JobRead, responses=problems(400, 404))
def change_job(session: Db, job_id: Id, body: JobUpdate) -> Job:
    """404 if there is no such job, or no company with the new `company_id`."""
    job = find(session, Job, job_id, lock=True)
    for field, value in body.model_dump(exclude_none=True).items():
        setattr(job, field, value)
    with on_foreign_key(not_found(Company, job.company_id)):
        session.commit()
    return job


@app.delete("/jobs/{job_id}", status_code=204, responses=problems(404))
def delete_job(session: Db, job_id: Id) -> None:
    deleted = session.scalar(delete(Job).where(Job.id == job_id).returning(Job.id))
    session.commit()
    if deleted is None:
        raise not_found(Job, job_id)


# --- health ---


@app.get("/health")
def health(session: Db) -> Health:
    """200 if the database answers and is at the revision that this application needs, else 503."""
    current = MigrationContext.configure(session.connection()).get_current_heads()
    if current != (HEAD,):
        found = " and ".join(current) or "no revision"
        raise HTTPException(503, f"The database is at {found}, this application needs {HEAD}.")
    return Health(revision=current[0])
