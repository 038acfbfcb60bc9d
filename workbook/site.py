"""An Alembic project and its database as they stand: looked at, never run and never changed.

Revision files are read as text, since importing them would run them; the database answers in a
transaction that may only read.
"""

import ast
import configparser
import contextlib
import os
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from workbook import WorkbookError
from workbook.server import database

PATIENCE = "-c statement_timeout=3s -c lock_timeout=1s -c default_transaction_read_only=on"
HOLDERS = """
SELECT a.pid, coalesce(a.usename, ''), a.state, left(regexp_replace(a.query, '\\s+', ' ', 'g'), 80),
    extract(epoch FROM now() - a.state_change)::int, array_agg(DISTINCT l.relation::regclass::text)
FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND l.granted
    AND l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
JOIN pg_class c ON c.oid = l.relation
WHERE a.pid <> pg_backend_pid() AND a.datname = current_database()
    AND c.relnamespace <> 'pg_catalog'::regnamespace
GROUP BY 1, 2, 3, 4, 5 ORDER BY 5 DESC
"""


@dataclass(frozen=True)
class File:
    """A revision file: its ids, as far as its text gives them."""

    path: Path
    revision: str
    down: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """The project in a folder; `own`: on the workbook's database, not on what alembic.ini names."""

    folder: Path
    own: bool = True

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """What alembic.ini and pyproject.toml say of Alembic; empty where there is neither."""
        found: dict[str, str] = {}
        with contextlib.suppress(OSError, tomllib.TOMLDecodeError):
            text = (self.folder / "pyproject.toml").read_text(encoding="utf-8")
            said = tomllib.loads(text).get("tool", {}).get("alembic", {})
            found |= {key: str(value) for key, value in said.items()}
        parser = configparser.RawConfigParser()
        with contextlib.suppress(OSError, configparser.Error, UnicodeDecodeError):
            parser.read(self.folder / "alembic.ini", encoding="utf-8")
            found |= dict(parser["alembic"]) if parser.has_section("alembic") else {}
        return {key: value.replace("%(here)s", str(self.folder)) for key, value in found.items()}

    @cached_property
    def files(self) -> tuple[File, ...]:
        """The revision files, by name."""
        place = self.folder / (self.settings.get("script_location") or "alembic") / "versions"
        return tuple(_revisions(place))

    @property
    def heads(self) -> list[str]:
        """The revisions that no other comes after."""
        below = {each for file in self.files for each in file.down}
        return sorted({file.revision for file in self.files} - below)

    def file(self, revision: str) -> File | None:
        return next((each for each in self.files if revision and each.revision == revision), None)

    def twice(self) -> list[str]:
        """The ids that more than one file has."""
        counted = Counter(each.revision for each in self.files)
        return sorted(each for each, number in counted.items() if number > 1)

    def missing(self) -> list[tuple[File, str]]:
        """The files that come after a revision which no file has."""
        known = {each.revision for each in self.files}
        return [(each, down) for each in self.files for down in each.down if down not in known]

    def path(self, file: Path) -> str:
        """A path as one would type it in the project."""
        with contextlib.suppress(ValueError):
            return file.resolve().relative_to(self.folder.resolve()).as_posix()
        return file.name

    def ask(self, query: str, **values: Any) -> list[Any]:
        """What the database answers; nothing where it does not, or has no such table."""
        with contextlib.suppress(SQLAlchemyError, WorkbookError, OSError, ImportError):
            engine = self._engine()
            with engine.connect() as connection:
                return list(connection.execute(sa.text(query), values).all())
        return []

    @cached_property
    def answers(self) -> bool:
        """Whether there is a PostgreSQL that can be asked."""
        return bool(self.ask("SELECT 1"))

    @cached_property
    def at(self) -> list[str] | None:
        """The revisions that the database stands at; None where it has no such table."""
        if not self.ask("SELECT WHERE to_regclass('alembic_version') IS NOT NULL"):
            return None
        return [row[0] for row in self.ask("SELECT version_num FROM alembic_version ORDER BY 1")]

    @property
    def lost(self) -> list[str]:
        """The revisions that the database stands at, and that no file has."""
        return [each for each in self.at or () if not self.file(each)]

    @cached_property
    def tables(self) -> list[str]:
        """The tables that are there, without Alembic's own."""
        query = "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        query += " WHERE relkind IN ('r', 'p') AND nspname = current_schema() ORDER BY 1"
        return [name for (name,) in self.ask(query) if name != "alembic_version"]

    def holders(self, table: str = "") -> list[str]:
        """Who holds locks on tables of the database now, in words."""
        return [
            f"Session {pid} ({user}, {state}, for {seconds} s) holds locks on {', '.join(tables)}:"
            f" its last statement was {query}"
            for pid, user, state, query, seconds, tables in self.ask(HOLDERS)
            if not table or table in tables
        ]

    def shows(self) -> Iterator[str]:
        """The catalogue's ids of the mistakes that one sees without any error."""
        if self.twice():
            yield "C04"
        if self.missing():
            yield "C03"
        elif len(self.heads) > 1:
            yield "C01"
        if self.lost:
            yield "C02"
        if any(len(each.revision) > 32 for each in self.files):
            yield "C12"
        if self.files and self.answers and not self.at and self.tables:
            yield "B20"
        if self.ask("SELECT FROM pg_index WHERE NOT indisvalid"):
            yield "D05"
        if any("idle in transaction" in each for each in self.holders()):
            yield "E01"

    def _engine(self) -> sa.Engine:
        """Raises WorkbookError where there is no address."""
        if self.own:
            database.connect_environment()
            url = sa.make_url(database.URL)
        else:
            url = self._address()
        return sa.create_engine(
            url, poolclass=sa.NullPool, connect_args={"connect_timeout": 3, "options": PATIENCE}
        )

    def _address(self) -> sa.URL:
        """Where the project's database is, for psycopg2; raises WorkbookError."""
        for said in (self.settings.get("sqlalchemy.url", ""), os.environ.get("DATABASE_URL", "")):
            with contextlib.suppress(SQLAlchemyError, ValueError):
                url = sa.make_url(
                    said.replace("%%", "%").replace("postgres://", "postgresql://", 1)
                )
                if url.get_backend_name() == "postgresql":
                    return url.set(drivername="postgresql+psycopg2")
        raise WorkbookError("There is no address of a PostgreSQL.")


def _revisions(folder: Path) -> Iterator[File]:
    for path in sorted(folder.rglob("*.py")) if folder.is_dir() else ():
        with contextlib.suppress(OSError, SyntaxError, ValueError):
            said = dict(_assigned(ast.parse(path.read_text(encoding="utf-8"))))
            if isinstance(said.get("revision"), str):
                down = said.get("down_revision")
                several = down if isinstance(down, tuple | list) else [down]
                parents = tuple(each for each in several if isinstance(each, str))
                yield File(path, said["revision"], parents)


def _assigned(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """The names at the top of a module that are given a constant."""
    for each in tree.body:
        targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
        value = getattr(each, "value", None)
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            if value is not None and isinstance(targets[0], ast.Name):
                yield targets[0].id, ast.literal_eval(value)
