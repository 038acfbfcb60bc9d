"""The way to the database: one engine, and the sessions that work through it."""

from sqlalchemy import MetaData, create_engine
from sqlalchemy.orm import DeclarativeBase, sessionmaker

# The URL names the driver alone. Where the server is and who asks, libpq reads from PGHOST, PGPORT,
# PGUSER, PGPASSWORD and PGDATABASE when it connects, which is at the first query, not on import.
engine = create_engine(
    "postgresql+psycopg2://",
    pool_pre_ping=True,  # a connection that the server closed meanwhile is replaced, not an error
    pool_timeout=5,  # seconds that a request waits for one of the pool's connections
    connect_args={"connect_timeout": 5},  # seconds; libpq alone would wait for minutes
)

# expire_on_commit=False: a row that was saved is the answer as it is, without reading it again.
SessionLocal = sessionmaker(engine, expire_on_commit=False)


# What constraints and indexes are called that are not named themselves, so that every database has
# the same names and a later revision can rely on them.
NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Base(DeclarativeBase):
    """What every model derives from; Base.metadata knows the tables."""

    metadata = MetaData(naming_convention=NAMES)


def find_server() -> None:
    """Start the workbook's own PostgreSQL, unless PGHOST or DATABASE_URL names another.

    The database is `jobboard_finished` there, since `jobboard` is the learner's. Where the workbook
    is not installed, libpq's variables are expected to be set already. Raises ConnectionError.
    """
    try:
        from workbook import WorkbookError
        from workbook.server.database import connect_environment
    except ModuleNotFoundError:
        return
    try:
        connect_environment("jobboard_finished")
    except WorkbookError as error:
        raise ConnectionError(str(error)) from error
