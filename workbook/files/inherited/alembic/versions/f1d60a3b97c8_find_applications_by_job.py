"""find applications by job

Revision ID: f1d60a3b97c8
Revises: 84c7f25a1eb9
Create Date: 2026-05-04 13:47:26.384951

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "f1d60a3b97c8"
down_revision: Union[str, Sequence[str], None] = "84c7f25a1eb9"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.create_index("ix_applications_job_id", "applications", ["job_id"])


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_index("ix_applications_job_id", table_name="applications")
