"""refuse blank job titles

Revision ID: 58bc1e94f06d
Revises: e7340c9ad512
Create Date: 2026-05-18 11:05:29.667301

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "58bc1e94f06d"
down_revision: Union[str, Sequence[str], None] = "e7340c9ad512"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    op.execute("UPDATE jobs SET title = 'Untitled' WHERE btrim(title) = ''")
    # op.f: this is the whole name; without it, the convention would be put in front once more
    op.create_check_constraint(op.f("ck_jobs_title_not_blank"), "jobs", "btrim(title) <> ''")


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_constraint(op.f("ck_jobs_title_not_blank"), "jobs", type_="check")
