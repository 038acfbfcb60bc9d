"""index jobs.city

Revision ID: d96f1b4e80c5
Revises: c8e5037a1d29
Create Date: 2026-07-06 15:05:39.716208

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "d96f1b4e80c5"
down_revision: Union[str, Sequence[str], None] = "c8e5037a1d29"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    with op.get_context().autocommit_block():
        op.create_index(op.f("ix_jobs_city"), "jobs", ["city"], postgresql_concurrently=True)


def downgrade() -> None:
    """Downgrade schema."""
    with op.get_context().autocommit_block():
        op.drop_index(op.f("ix_jobs_city"), table_name="jobs", postgresql_concurrently=True)
