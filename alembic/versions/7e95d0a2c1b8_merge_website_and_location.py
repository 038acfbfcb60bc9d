"""merge website and location

Revision ID: 7e95d0a2c1b8
Revises: b1c83e5f7a46, 0f4e6b8c2d97
Create Date: 2026-06-05 16:58:21.340095

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "7e95d0a2c1b8"
down_revision: Union[str, Sequence[str], None] = ("b1c83e5f7a46", "0f4e6b8c2d97")
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    pass


def downgrade() -> None:
    """Downgrade schema."""
    pass
