"""jobs have a deadline

Revision ID: 5b21d9c07e46
Revises: 0c84e1f7a9d2
Create Date: 2025-11-17 16:40:03.902518

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "5b21d9c07e46"
down_revision: Union[str, Sequence[str], None] = "0c84e1f7a9d2"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("jobs", sa.Column("deadline", sa.Date(), nullable=True))
    op.add_column("jobs", sa.Column("remote", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("jobs", "remote")
    op.drop_column("jobs", "deadline")
