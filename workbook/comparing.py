"""What Alembic's comparison sees of a change to the models."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.orm import declarative_base

from workbook import WorkbookError
from workbook.look import first_line
from workbook.server import database

ENUM = "    status: Mapped[str | None] = mapped_column(Enum('draft', 'open', name='job_status'))"
WITH_ENUM = """
SET LOCAL lock_timeout = '2s';
CREATE TYPE job_status AS ENUM ('draft', 'open');
ALTER TABLE jobs ADD status job_status
"""


def alembic_sees(old: str, new: str, **options: Any) -> list[str]:
    """What `alembic check` would list, did jobboard/models.py say `new` in place of `old`.

    The models are a copy; they and the database have one column more, the enum jobs.status, and
    nothing of it stays. `options` go to Alembic's `context.configure`. Raises WorkbookError.
    """
    try:
        text = Path("jobboard/models.py").read_text(encoding="utf-8") + ENUM
        if old not in text:
            raise WorkbookError(
                f"There is no {old!r} in jobboard/models.py to put another text for."
            )
        made: dict[str, Any] = {"Base": declarative_base(), **vars(sa)}
        exec(text.replace("from jobboard.database import Base", "").replace(old, new), made)  # noqa: S102 - theirs
        database.connect_environment()
        with database.engine().connect() as connection:  # and no commit
            connection.exec_driver_sql(WITH_ENUM)
            context = MigrationContext.configure(connection, opts=options)
            found = compare_metadata(context, made["Base"].metadata)
    except WorkbookError:
        raise
    except Exception as error:  # noqa: BLE001 - models can raise anything
        raise WorkbookError(f"These models cannot be compared: {first_line(error)}") from None
    return [each[0][0] if isinstance(each, list) else each[0] for each in found]
