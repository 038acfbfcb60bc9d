import os

import pytest
import sqlalchemy as sa
from alembic.config import Config

ENGINE = sa.create_engine("postgresql+psycopg2://", poolclass=sa.NullPool)
SCHEMA = """
SELECT table_name, column_name, data_type, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT '', conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint
UNION ALL SELECT '', typname, 'enum', '', '' FROM pg_type WHERE typtype = 'e' ORDER BY 1, 2
"""


def run(statement):
    with ENGINE.begin() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


@pytest.fixture
def config(monkeypatch):
    """Alembic's settings, in an empty database that is there for tests alone."""
    monkeypatch.setenv("PGDATABASE", os.environ["TEST_DATABASE"])
    run("DROP SCHEMA public CASCADE")
    run("CREATE SCHEMA public")
    return Config("alembic.ini")


@pytest.fixture
def sql(config):
    """sql(statement): its rows, as a list."""
    return run


@pytest.fixture
def schema(config):
    """schema(): columns, indexes, constraints and enums, to be compared with ==."""
    return lambda: run(SCHEMA)
