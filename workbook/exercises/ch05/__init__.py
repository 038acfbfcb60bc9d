"""What the exercises on the way back share."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from workbook import project
from workbook.exercises.kinds import history
from workbook.exercises.trial import IDS, lay_out
from workbook.server import database


@dataclass(frozen=True)
class MadeUp:
    """An Alembic project of its own with the scratch database."""

    folder: Path
    connection: sa.Connection

    def file(self, revision: str) -> Path:
        """The file of a made-up revision."""
        return self.folder / "alembic" / "versions" / f"{revision}.py"

    def run(self, command: str) -> None:
        """Run a command, such as `alembic upgrade head`. Raises what the migration does."""
        _, direction, target = command.split()
        scripts = project.scripts(self.folder)
        project.migrate(self.connection, scripts, target, down=direction == "downgrade")


@contextmanager
def made_up(sources: Mapping[str, str], after: str | None = None) -> Iterator[MadeUp]:
    """A project of made-up revisions, id to source, one after the other, and none of them applied.

    They come after a revision of the finished history, where one is named.
    """
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        database.scratch() as connection,
    ):
        made = MadeUp(Path(name), connection)
        lay_out(made.folder, history([after] if after else []))
        for down, (revision, source) in zip([after, *sources], sources.items(), strict=False):
            ids = IDS.format(revision=revision, down=down)
            made.file(revision).write_text(ids + source, encoding="utf-8")
        yield made


def functions(up: object, down: object) -> str:
    """upgrade() and downgrade() of a line or several."""
    text = ""
    for function, lines in (("upgrade", up), ("downgrade", down)):
        many = [lines] if isinstance(lines, str) else list(lines)  # type: ignore[call-overload]
        text += f"def {function}() -> None:\n" + "".join(f"    {line}\n" for line in many) + "\n\n"
    return text.rstrip() + "\n"
