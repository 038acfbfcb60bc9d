"""add jobs.location

Revision ID: 0f4e6b8c2d97
Revises: 93d7a5e20c4b
Create Date: 2026-06-05 10:11:03.556724

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "0f4e6b8c2d97"
down_revision: Union[str, Sequence[str], None] = "93d7a5e20c4b"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("jobs", sa.Column("location", sa.String(100), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("jobs", "location")
