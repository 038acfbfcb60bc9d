"""merge hours

Revision ID: c58e2f01a7d4
Revises: 7e95d0a2c1b8, 5ad0c3e8912f
Create Date: 2026-06-08 09:12:47.603318

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "c58e2f01a7d4"
down_revision: Union[str, Sequence[str], None] = ("7e95d0a2c1b8", "5ad0c3e8912f")
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    pass


def downgrade() -> None:
    """Downgrade schema."""
    pass
