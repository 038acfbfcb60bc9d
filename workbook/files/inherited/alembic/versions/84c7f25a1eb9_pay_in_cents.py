"""pay in cents

Revision ID: 84c7f25a1eb9
Revises: a9f03e6c8b15
Create Date: 2026-04-20 14:02:39.518840

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "84c7f25a1eb9"
down_revision: Union[str, Sequence[str], None] = "a9f03e6c8b15"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("jobs", sa.Column("pay_cents", sa.Integer(), nullable=True))
    op.execute("UPDATE jobs SET pay_cents = pay * 100")
    op.drop_column("jobs", "pay")


def downgrade() -> None:
    """Downgrade schema."""
    op.add_column("jobs", sa.Column("pay", sa.Integer(), nullable=True))
    op.drop_column("jobs", "pay_cents")
