"""hours of a job in a week

Revision ID: e81c4f7d0a52
Revises: a7c30e95d1f8
Create Date: 2026-06-24 14:40:33.902645

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "e81c4f7d0a52"
down_revision: Union[str, Sequence[str], None] = "a7c30e95d1f8"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    # NOT VALID: from here on it is asked of what is written. The rows that are there are left for
    # the next revision, which reads them without making anybody wait.
    op.create_check_constraint(
        op.f("ck_jobs_hours_in_a_week"),
        "jobs",
        "hours BETWEEN 1 AND 60",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_constraint(op.f("ck_jobs_hours_in_a_week"), "jobs", type_="check")
