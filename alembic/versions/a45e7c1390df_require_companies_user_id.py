"""require companies.user_id

Revision ID: a45e7c1390df
Revises: 6b8d02f4ac91
Create Date: 2026-04-20 10:02:58.117364

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "a45e7c1390df"
down_revision: Union[str, Sequence[str], None] = "6b8d02f4ac91"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None

# Only what this revision needs, and not the model: the model of a later day has columns that the
# table does not have here yet.
companies = sa.table("companies", sa.column("user_id", sa.String()))


def upgrade() -> None:
    """Upgrade schema."""
    # Step two: give the rows from before step one an owner, or SET NOT NULL would be refused.
    op.execute(companies.update().where(companies.c.user_id.is_(None)).values(user_id="unclaimed"))
    op.alter_column("companies", "user_id", existing_type=sa.String(), nullable=False)


def downgrade() -> None:
    """Downgrade schema."""
    # 'unclaimed' stays where it was filled in: the column may be NULL again, it need not be
    op.alter_column("companies", "user_id", existing_type=sa.String(), nullable=True)
