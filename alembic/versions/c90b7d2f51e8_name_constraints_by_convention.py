"""name constraints by convention

Revision ID: c90b7d2f51e8
Revises: a45e7c1390df
Create Date: 2026-05-04 08:51:37.204618

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "c90b7d2f51e8"
down_revision: Union[str, Sequence[str], None] = "a45e7c1390df"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None

# The new names are those of the naming convention in jobboard/database.py, so that every machine
# and every later revision can rely on them. PostgreSQL made up the old ones, and they are not the
# same everywhere: alembic applies the convention of the models to what older revisions leave
# unnamed, so a database that is made today has the new names already. Each of these tables has one
# key of each kind, so it is found by its kind, whatever it is called.
KEYS = [
    ("companies", "p", "pk_companies", "companies_pkey"),
    ("jobs", "p", "pk_jobs", "jobs_pkey"),
    ("jobs", "f", "fk_jobs_company_id_companies", "jobs_company_id_fkey"),
]


def upgrade() -> None:
    """Upgrade schema."""
    for table, kind, name, _ in KEYS:
        # in SQL, so that `alembic upgrade --sql` can write it down; STRICT: one row, or an error
        op.execute(
            f"""
            DO $$ DECLARE found name; BEGIN
                SELECT conname INTO STRICT found FROM pg_constraint
                WHERE conrelid = '{table}'::regclass AND contype = '{kind}';
                IF found <> '{name}' THEN
                    EXECUTE 'ALTER TABLE {table} RENAME CONSTRAINT '
                        || quote_ident(found) || ' TO {name}';
                END IF;
            END $$
            """
        )


def downgrade() -> None:
    """Downgrade schema."""
    for table, _, name, old in KEYS:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {name} TO {old}")
