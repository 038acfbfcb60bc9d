"""add jobs.remote

Revision ID: a7c30e95d1f8
Revises: d3f6a81b20c9
Create Date: 2026-06-22 09:03:18.551276

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "a7c30e95d1f8"
down_revision: Union[str, Sequence[str], None] = "d3f6a81b20c9"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    # a default that is the same for all rows is kept in the catalogue: no row is written
    op.add_column(
        "jobs", sa.Column("remote", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("jobs", "remote")
