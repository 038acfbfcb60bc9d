"""add jobs.hours

Revision ID: 5ad0c3e8912f
Revises: 93d7a5e20c4b
Create Date: 2026-06-05 15:02:09.118450

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "5ad0c3e8912f"
down_revision: Union[str, Sequence[str], None] = "93d7a5e20c4b"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("jobs", sa.Column("hours", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("jobs", "hours")
