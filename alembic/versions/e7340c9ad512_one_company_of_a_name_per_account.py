"""one company of a name per account

Revision ID: e7340c9ad512
Revises: 2d61f8a0b37c
Create Date: 2026-05-11 14:17:55.081946

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "e7340c9ad512"
down_revision: Union[str, Sequence[str], None] = "2d61f8a0b37c"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    # Rows that the constraint would refuse first: where an account has a name twice, the later
    # company gets its id behind the name, within the 50 characters that there are.
    op.execute(
        """
        UPDATE companies AS later
        SET name = left(name, 47 - length(id::text)) || ' (' || id || ')'
        WHERE EXISTS (
            SELECT FROM companies AS first
            WHERE first.user_id = later.user_id AND first.name = later.name AND first.id < later.id
        )
        """
    )
    op.create_unique_constraint(op.f("uq_companies_user_id_name"), "companies", ["user_id", "name"])


def downgrade() -> None:
    """Downgrade schema."""
    # the names that were made different stay so: nothing says any more which they were
    op.drop_constraint(op.f("uq_companies_user_id_name"), "companies", type_="unique")
