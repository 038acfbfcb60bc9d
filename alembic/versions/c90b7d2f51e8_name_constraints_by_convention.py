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

# PostgreSQL made up the old names; the new ones are those of the naming convention in
# jobboard/database.py, so that every machine and every later revision can rely on them. A database
# that is made today has them from the start: alembic applies the convention of the models to what
# older revisions leave unnamed.
NAMES = [
    ("companies", "companies_pkey", "pk_companies"),
    ("jobs", "jobs_pkey", "pk_jobs"),
    ("jobs", "jobs_company_id_fkey", "fk_jobs_company_id_companies"),
]


def upgrade() -> None:
    """Upgrade schema."""
    for table, old, new in NAMES:
        op.execute(
            f"""
            DO $$ BEGIN
                IF EXISTS (
                    SELECT FROM pg_constraint
                    WHERE conrelid = '{table}'::regclass AND conname = '{old}'
                ) THEN
                    ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new};
                END IF;
            END $$
            """
        )


def downgrade() -> None:
    """Downgrade schema."""
    for table, old, new in NAMES:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {new} TO {old}")
