"""add jobs.city

Revision ID: b4d91e6c7f03
Revises: f20b9d6a3c17
Create Date: 2026-07-06 09:20:44.087352

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "b4d91e6c7f03"
down_revision: Union[str, Sequence[str], None] = "f20b9d6a3c17"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


# Old code writes location, new code writes city: whichever is written, the other follows. The
# trigger names both columns, so that PostgreSQL drops neither of them while it is there.
FUNCTION = """
CREATE FUNCTION jobs_city_and_location() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.city := coalesce(NEW.city, NEW.location);
    ELSIF NEW.city IS NOT DISTINCT FROM OLD.city THEN
        NEW.city := NEW.location;
    END IF;
    NEW.location := NEW.city;
    RETURN NEW;
END
$$
"""
TRIGGER = """
CREATE TRIGGER city_and_location BEFORE INSERT OR UPDATE OF city, location ON jobs
FOR EACH ROW EXECUTE FUNCTION jobs_city_and_location()
"""


def upgrade() -> None:
    """Upgrade schema."""
    op.add_column("jobs", sa.Column("city", sa.String(100), nullable=True))
    op.execute(FUNCTION)
    op.execute(TRIGGER)


def downgrade() -> None:
    """Downgrade schema."""
    op.execute("DROP TRIGGER city_and_location ON jobs")
    op.execute("DROP FUNCTION jobs_city_and_location()")
    op.drop_column("jobs", "city")
