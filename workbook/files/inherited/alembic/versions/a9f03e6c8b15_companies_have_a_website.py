"""companies have a website

Revision ID: a9f03e6c8b15
Revises: 5b21d9c07e46
Create Date: 2026-02-06 17:55:21.440027

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "a9f03e6c8b15"
down_revision: Union[str, Sequence[str], None] = "5b21d9c07e46"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("companies", sa.Column("website", sa.String(200), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("companies", "website")
