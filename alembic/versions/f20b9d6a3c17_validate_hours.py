"""validate hours

Revision ID: f20b9d6a3c17
Revises: e81c4f7d0a52
Create Date: 2026-06-25 08:55:02.118830

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "f20b9d6a3c17"
down_revision: Union[str, Sequence[str], None] = "e81c4f7d0a52"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    # hours that no week has say nothing
    op.execute("UPDATE jobs SET hours = NULL WHERE hours NOT BETWEEN 1 AND 60")
    op.execute("ALTER TABLE jobs VALIDATE CONSTRAINT ck_jobs_hours_in_a_week")


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_constraint(op.f("ck_jobs_hours_in_a_week"), "jobs", type_="check")
    op.create_check_constraint(
        op.f("ck_jobs_hours_in_a_week"),
        "jobs",
        "hours BETWEEN 1 AND 60",
        postgresql_not_valid=True,
    )
