"""add jobs.status

Revision ID: 93d7a5e20c4b
Revises: 58bc1e94f06d
Create Date: 2026-05-26 16:32:08.415770

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


# revision identifiers, used by Alembic.
revision: str = "93d7a5e20c4b"
down_revision: Union[str, Sequence[str], None] = "58bc1e94f06d"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None

# create_type=False: the type is made and dropped by the two lines below, and by nothing else
status = postgresql.ENUM("draft", "open", "closed", name="job_status", create_type=False)


def upgrade() -> None:
    """Upgrade schema."""
    status.create(op.get_bind(), checkfirst=False)
    op.add_column("jobs", sa.Column("status", status, server_default="open", nullable=False))


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_column("jobs", "status")
    # the column's type stays behind when the column goes, and a second upgrade would meet it
    status.drop(op.get_bind(), checkfirst=False)
