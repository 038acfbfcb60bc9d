"""index jobs.location

Revision ID: d3f6a81b20c9
Revises: c58e2f01a7d4
Create Date: 2026-06-15 10:31:05.274190

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "d3f6a81b20c9"
down_revision: Union[str, Sequence[str], None] = "c58e2f01a7d4"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    # Nobody may write while a plain index is built. One that is built CONCURRENTLY lets them, takes
    # longer, and cannot be part of a transaction: it has a revision of its own.
    with op.get_context().autocommit_block():
        op.create_index(
            op.f("ix_jobs_location"), "jobs", ["location"], postgresql_concurrently=True
        )


def downgrade() -> None:
    """Downgrade schema."""
    with op.get_context().autocommit_block():
        op.drop_index(op.f("ix_jobs_location"), table_name="jobs", postgresql_concurrently=True)
