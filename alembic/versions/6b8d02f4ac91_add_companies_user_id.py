"""add companies.user_id

Revision ID: 6b8d02f4ac91
Revises: 1f3a9c5e7b20
Create Date: 2026-04-13 09:26:15.640932

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "6b8d02f4ac91"
down_revision: Union[str, Sequence[str], None] = "1f3a9c5e7b20"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    # The models have had this column from the start, and init forgot it. The table holds rows by
    # now, so PostgreSQL refuses a new column that is NOT NULL: what would stand in those rows?
    # Step one allows NULL. An application that writes user_id is deployed on top of this, so that
    # no more rows come in without one; then the next revision can require it.
    op.add_column("companies", sa.Column("user_id", sa.String(), nullable=True))


def downgrade() -> None:
    """Downgrade schema."""
    # the owners go with the column; upgrading again does not bring them back
    op.drop_column("companies", "user_id")
