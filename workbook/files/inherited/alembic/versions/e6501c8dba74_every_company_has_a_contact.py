"""every company has a contact

Revision ID: e6501c8dba74
Revises: d27b4a91f0c3
Create Date: 2026-04-27 09:31:17.203341

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "e6501c8dba74"
down_revision: Union[str, Sequence[str], None] = "d27b4a91f0c3"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.alter_column("companies", "contact", existing_type=sa.String(120), nullable=False)


def downgrade() -> None:
    """Downgrade schema."""
    op.alter_column("companies", "contact", existing_type=sa.String(120), nullable=True)
