"""The job board's HTTP API. Run it with `python -m jobboard`, and look at /docs."""

import json
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg2.errors import InsufficientPrivilege, UndefinedColumn, UndefinedTable
from sqlalchemy import Select, delete, func, select
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
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

# What a query lacks in a database that was not migrated far enough, or grants too little.
MISSING = (UndefinedTable, UndefinedColumn, InsufficientPrivilege)

# The revisions that this code came with, and the heads among them, which it needs.
SCRIPT = ScriptDirectory(str(Path(__file__).parent.parent / "alembic"))
KNOWN = {script.revision for script in SCRIPT.walk_revisions()}
HEADS = set(SCRIPT.get_heads())

DESCRIPTION = """Companies and the jobs they offer.

There is no authentication: whoever reaches this API reads and changes everything, and `user_id`,
the account that a company belongs to, is whatever the request's body says."""


def problems(*status_codes: int) -> dict[int | str, dict[str, Any]]:
    """For the description of the API: these answers carry a Problem."""
    return {code: {"model": Problem} for code in status_codes}


app = FastAPI(title="Job board", description=DESCRIPTION, responses=problems(503))


# --- what the routes share ---


def open_session() -> Iterator[Session]:
    """A session for one request. What the route does not commit is rolled back."""
    with SessionLocal() as session:
        yield session


Db = Annotated[Session, Depends(open_session)]


def open_snapshot(session: Db) -> Session:
    """The session, in which all queries see what was committed before the first of them."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return session


Snapshot = Annotated[Session, Depends(open_snapshot)]
PagingQuery = Annotated[Paging, Query()]
Row = TypeVar("Row", Company, Job)


def not_found(model: type[Company | Job], row_id: int) -> HTTPException:
    return HTTPException(404, f"There is no {model.__name__.lower()} {row_id}.")


def find(session: Session, model: type[Row], row_id: int, *, lock: bool = False) -> Row:
    """The row with this id, or a 404. Lock it to change it, or somebody deletes it meanwhile.

    The lock is FOR NO KEY UPDATE: the row's id stays, so others may go on referring to it.
    """
    row = session.get(model, row_id, with_for_update={"key_share": True} if lock else None)
    if row is None:
        raise not_found(model, row_id)
    return row


def page(session: Session, query: Select[Any], paging: Paging) -> dict[str, Any]:
    """The part of the query's rows that is asked for, and how many there are in all."""
    part = query.limit(paging.limit).offset(paging.offset)
    total = select(func.count()).select_from(query.subquery())
    return {"items": session.scalars(part).all(), "total": session.scalar(total)}


@contextmanager
def refused(constraint: str, answer: Exception) -> Iterator[None]:
    """Give this answer where the constraint of this name refuses what is done inside.

    To ask the database beforehand is not enough: another request may delete the company, or give
    it a job, between the question and the commit. The constraint sees both.
    """
    try:
        yield
    except IntegrityError as error:
        if error.orig.diag.constraint_name == constraint:  # type: ignore[union-attr]
            raise answer from error
        raise


def company_of_job(company_id: int) -> AbstractContextManager[None]:
    """A 422 where there is no such company for a job to belong to."""
    where, why = ("body", "company_id"), f"There is no company {company_id}."
    answer = RequestValidationError([{"type": "no_company", "loc": where, "msg": why}])
    return refused("fk_jobs_company_id_companies", answer)


def name_of_company() -> AbstractContextManager[None]:
    """A 409 where the account has another company of the same name."""
    answer = HTTPException(409, "This account has another company of that name.")
    return refused("uq_companies_user_id_name", answer)


@app.exception_handler(OperationalError)  # no server, no connection, a timeout
@app.exception_handler(PoolTimeout)  # all connections of the pool are in use
@app.exception_handler(ProgrammingError)
def database_not_ready(request: Request, error: SQLAlchemyError) -> JSONResponse:
    """A 503. The reason names hosts and roles, so it is for the log and not for everybody."""
    reason = getattr(error, "orig", error)
    if isinstance(error, ProgrammingError) and not isinstance(reason, MISSING):
        raise error  # the query is wrong, and waiting will not help
    logger.error("%s %s: %s", request.method, request.url.path, str(reason).strip())
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
def list_companies(session: Snapshot, paging: PagingQuery) -> dict[str, Any]:
    return page(session, select(Company).order_by(Company.id), paging)


@app.post("/companies", response_model=CompanyRead, status_code=201, responses=problems(400, 409))
def create_company(session: Db, body: CompanyCreate) -> Company:
    """409 if the account has a company of this name."""
    company = Company(**body.model_dump())
    session.add(company)
    with name_of_company():
        session.commit()
    return company


@app.get("/companies/{company_id}", response_model=CompanyRead, responses=problems(404))
def read_company(session: Db, company_id: Id) -> Company:
    return find(session, Company, company_id)


@app.patch("/companies/{company_id}", response_model=CompanyRead, responses=problems(400, 404, 409))
def change_company(session: Db, company_id: Id, body: CompanyUpdate) -> Company:
    """409 if the account has another company of this name."""
    company = find(session, Company, company_id, lock=True)
    for field, value in body.model_dump(exclude_unset=True).items():
        setattr(company, field, value)
    with name_of_company():
        session.commit()
    return company


@app.delete("/companies/{company_id}", status_code=204, responses=problems(404, 409))
def delete_company(session: Db, company_id: Id) -> None:
    """A company goes only when it has no jobs: 409 if it has."""
    answer = HTTPException(409, f"Company {company_id} still has jobs.")
    with refused("fk_jobs_company_id_companies", answer):
        deleted = session.scalar(
            delete(Company).where(Company.id == company_id).returning(Company.id)
        )
        session.commit()
    if deleted is None:
        raise not_found(Company, company_id)


@app.get("/companies/{company_id}/jobs", response_model=Page[JobRead], responses=problems(404))
def list_jobs_of_company(session: Snapshot, company_id: Id, paging: PagingQuery) -> dict[str, Any]:
    find(session, Company, company_id)
    jobs = select(Job).where(Job.company_id == company_id).order_by(Job.id)
    return page(session, jobs, paging)


# --- jobs ---


@app.get("/jobs", response_model=Page[JobRead])
def list_jobs(session: Snapshot, paging: PagingQuery) -> dict[str, Any]:
    return page(session, select(Job).order_by(Job.id), paging)


@app.post("/jobs", response_model=JobRead, status_code=201, responses=problems(400))
def create_job(session: Db, body: JobCreate) -> Job:
    """422 if there is no such company."""
    job = Job(**body.model_dump())
    session.add(job)
    with company_of_job(job.company_id):
        session.commit()
    return job


@app.get("/jobs/{job_id}", response_model=JobRead, responses=problems(404))
def read_job(session: Db, job_id: Id) -> Job:
    return find(session, Job, job_id)


@app.patch("/jobs/{job_id}", response_model=JobRead, responses=problems(400, 404))
def change_job(session: Db, job_id: Id, body: JobUpdate) -> Job:
    """422 if there is no company with the new `company_id`."""
    job = find(session, Job, job_id, lock=True)
    for field, value in body.model_dump(exclude_unset=True).items():
        setattr(job, field, value)
    with company_of_job(job.company_id):
        session.commit()
    return job


@app.delete("/jobs/{job_id}", status_code=204, responses=problems(404))
def delete_job(session: Db, job_id: Id) -> None:
    deleted = session.scalar(delete(Job).where(Job.id == job_id).returning(Job.id))
    session.commit()
    if deleted is None:
        raise not_found(Job, job_id)


# --- health ---


@app.get("/health/live")
async def alive() -> Literal["alive"]:
    """200 as long as this process answers: where it does not, a restart helps.

    The database has no part in it, nor have the threads that may all wait for it.
    """
    return "alive"


@app.get("/health/ready")
@app.get("/health", include_in_schema=False)  # its name before there were two
def ready(session: Db) -> Health:
    """200 if the database answers and is at the revision that this application needs, or ahead.

    A revision that this code does not know comes from newer code, whose first step leaves what is
    needed here. A revision that it knows and that is no head means that something is missing.
    """
    found = set(MigrationContext.configure(session.connection()).get_current_heads())
    known, ahead = found & KNOWN, bool(found - KNOWN)
    if not known <= HEADS or not (ahead or known == HEADS):
        stands, needs = (" and ".join(sorted(each)) or "no revision" for each in (found, HEADS))
        raise HTTPException(503, f"The database is at {stands}, this application needs {needs}.")
    return Health(revisions=sorted(found), ahead=ahead)
