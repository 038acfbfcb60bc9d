"""drop jobs.location

Revision ID: e3a7c25d9b18
Revises: d96f1b4e80c5
Create Date: 2026-07-13 09:30:21.459807

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = "e3a7c25d9b18"
down_revision: Union[str, Sequence[str], None] = "d96f1b4e80c5"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


# Old code writes location, new code writes city: whichever is written, the other follows.
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
    # Nothing that runs reads or writes it any more. Its index goes with it.
    op.execute("DROP TRIGGER city_and_location ON jobs")
    op.execute("DROP FUNCTION jobs_city_and_location()")
    op.drop_column("jobs", "location")


def downgrade() -> None:
    """Downgrade schema."""
    # Every row is written while nobody reads. Where that takes too long, expand the other way.
    op.add_column("jobs", sa.Column("location", sa.String(100), nullable=True))
    op.execute("UPDATE jobs SET location = city")
    op.execute(FUNCTION)
    op.execute(TRIGGER)
    op.create_index(op.f("ix_jobs_location"), "jobs", ["location"])
