"""jobs have a kind

Revision ID: d27b4a91f0c3
Revises: a9f03e6c8b15
Create Date: 2026-04-13 11:08:52.667190

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


# revision identifiers, used by Alembic.
revision: str = "d27b4a91f0c3"
down_revision: Union[str, Sequence[str], None] = "a9f03e6c8b15"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.execute("CREATE TYPE job_kind AS ENUM ('full', 'part', 'freelance')")
    kind = postgresql.ENUM(name="job_kind", create_type=False)
    op.add_column("jobs", sa.Column("kind", kind, server_default="full", nullable=False))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("jobs", "kind")
