"""copy location to city

Revision ID: c8e5037a1d29
Revises: b4d91e6c7f03
Create Date: 2026-07-06 11:47:12.640093

"""

from typing import Sequence, Union

from alembic import context, op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "c8e5037a1d29"
down_revision: Union[str, Sequence[str], None] = "b4d91e6c7f03"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


# Each batch is committed for itself, so that nobody waits for the row locks of all of them. What
# was copied before an interruption stays, and the next upgrade goes on from there.
BATCH = """
UPDATE jobs SET city = location
WHERE id IN (SELECT id FROM jobs WHERE city IS DISTINCT FROM location LIMIT 10000)
"""


def upgrade() -> None:
    """Upgrade schema."""
    with op.get_context().autocommit_block():
        if context.is_offline_mode():
            op.execute("UPDATE jobs SET city = location WHERE city IS DISTINCT FROM location")
            return
        while op.get_bind().execute(sa.text(BATCH)).rowcount:
            pass


def downgrade() -> None:
    """Downgrade schema."""
    # The column goes in the next step down, and what is in it is in location as well.
