"""add companies.website

Revision ID: b1c83e5f7a46
Revises: 93d7a5e20c4b
Create Date: 2026-06-04 15:20:44.902183

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "b1c83e5f7a46"
down_revision: Union[str, Sequence[str], None] = "93d7a5e20c4b"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("companies", sa.Column("website", sa.String(200), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("companies", "website")
