"""index jobs.company_id

Revision ID: 2d61f8a0b37c
Revises: c90b7d2f51e8
Create Date: 2026-05-04 09:40:12.730559

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "2d61f8a0b37c"
down_revision: Union[str, Sequence[str], None] = "c90b7d2f51e8"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    # A foreign key brings no index for its own column: without one, the jobs of a company are
    # found by reading all jobs, and so are those that forbid deleting it.
    op.create_index(op.f("ix_jobs_company_id"), "jobs", ["company_id"])


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index(op.f("ix_jobs_company_id"), table_name="jobs")
