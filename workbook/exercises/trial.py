"""Runs a learner's migration or models in a process of its own, against the scratch database.

Reads a request as JSON from standard input, and writes what happened to standard output: the line
"ready", a line of JSON for the reference where it is asked for, and one for the learner. A process
of its own, because a learner's code may hang, exit, or leave things behind.
"""

import contextlib
import faulthandler
import functools
import importlib
import json
import linecache
import os
import shutil
import sys
import traceback
import types
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from workbook import project, schema
from workbook.server import database

SEED = """
INSERT INTO companies (name) VALUES ('Ada Analytics'), ('Borealis Books');
INSERT INTO jobs (title, description, company_id)
SELECT 'Job ' || n, 'Described.', 1 + mod(n, 2) FROM generate_series(1, 4) AS n;
"""
IDS = """
revision = "{revision}"
down_revision = {down!r}
branch_labels = None
depends_on = None
"""
# The learner's text is a file of its own, so that line numbers are the learner's; the ids come
# last, so that a text which brings its own is a part of the history all the same.
PRACTICE = """
from pathlib import Path
from alembic import op
import sqlalchemy as sa
source = Path(__file__).parents[2] / "practice.py"
exec(compile(source.read_bytes(), source, "exec", dont_inherit=True))
"""


def main() -> None:
    """One request, one answer."""
    request = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the learner's code prints, or a command that it runs, is not the answer
    faulthandler.dump_traceback_later(request["limit"], exit=True)  # if nobody is left to end us
    run = migrations if request["kind"] == "revision" else models
    with engine().connect() as connection, answer:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        print("ready", file=answer, flush=True)
        for who in request["who"]:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            result = run(connection, Path(request["folder"]) / who, request)
            print(json.dumps(result), file=answer, flush=True)


@functools.cache
def engine() -> sa.Engine:
    """The scratch database's; one for all, because SQLAlchemy asks each new one many questions."""
    return database.engine()


def migrations(connection: sa.Connection, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Up, down and up again, with rows; stops at the first error."""
    result: dict[str, Any] = {"steps": [], "error": None, "before": read(connection), "rows": {}}
    before = request["before"]
    columns: dict[str, list[str]] = {}

    def step(name: str, revision: str | None) -> bool:
        try:
            if name == "read":
                project.scripts(folder).get_heads()
            elif revision:
                change(folder, revision, request["seconds"], down=name == "downgrade")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a learner's code may raise anything
            result["error"] = {"step": name, **described(error, folder)}
            return False
        found = {"name": name, "schema": read(connection), "rows": rows(connection, columns)}
        result["steps"].append(found)
        return True

    if not step("read", None):
        return result
    if before != "base":
        if not step("before", before):
            return result
        seed(connection)
        result["before"] = read(connection)
        columns = {name: [*each["columns"]] for name, each in result["before"]["tables"].items()}
        result["rows"] = rows(connection, columns)
    known = project.scripts(folder)
    # An exercise about the first revision is about that one, whatever has been built on top of it.
    target = known.get_bases() if before == "base" else known.get_heads()
    if len(target) != 1:
        ids = ", ".join(sorted(target))
        result["error"] = {"step": "read", "name": "heads", "message": ids, "line": ""}
        return result
    if not step("upgrade", target[0]) or not request["down"]:
        return result
    if before == "base":
        seed(connection)
    if step("downgrade", before):
        step("upgrade again", target[0])
    return result


def seed(connection: sa.Connection) -> None:
    """Put rows into the tables; tables of another shape get none."""
    with contextlib.suppress(sa.exc.DBAPIError):
        connection.exec_driver_sql(SEED)


def rows(connection: sa.Connection, columns: dict[str, list[str]]) -> dict[str, str]:
    """What the rows of each table hold in these columns, in short; tables without them are left out.

    So rows that a migration loses or changes are seen, whatever else it does to the table.
    """
    found = {}
    quote = connection.dialect.identifier_preparer.quote
    for table, names in columns.items():
        row = f"ROW({', '.join(map(quote, names))})::text"
        query = f"SELECT md5(string_agg({row}, '' ORDER BY {row})) FROM {quote(table)}"
        with contextlib.suppress(sa.exc.DBAPIError):
            found[table] = str(connection.exec_driver_sql(query).scalar())
    return found


def change(folder: Path, revision: str, seconds: int, down: bool = False) -> None:
    """Migrate on a connection of its own, in a transaction, as `alembic` does."""
    with engine().connect() as connection:
        connection.exec_driver_sql(f"SET statement_timeout = '{seconds}s'")
        connection.commit()
        project.migrate(connection, project.scripts(folder), revision, down=down)


def models(connection: sa.Connection, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The tables that a model makes, and what the exercise's probe prints."""
    for name in [name for name in sys.modules if name.split(".")[0] == "jobboard"]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    result: dict[str, Any] = {"steps": [], "error": None, "before": read(connection), "rows": {}}
    step = "import"
    try:
        base = importlib.import_module("jobboard.models").Base
        module = sys.modules["practice"] = types.ModuleType("practice")
        source = folder / "practice.py"
        code = compile(source.read_bytes(), source, "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102
        step = "configure"
        from sqlalchemy.orm import clear_mappers, configure_mappers

        configure_mappers()
        step = "create"
        base.metadata.create_all(connection)
        result["steps"].append({"name": "create", "schema": read(connection), "rows": {}})
        step = "probe"
        result["probe"] = {
            words: repr(eval(probe, module.__dict__)) for words, probe in request["probes"].items()
        }
        clear_mappers()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a learner's code may raise anything
        result["error"] = {"step": step, **described(error, folder)}
    finally:
        sys.path.remove(str(folder))
    return result


def read(connection: sa.Connection) -> dict[str, Any]:
    """The scratch database's schema, ready for JSON."""
    return asdict(schema.read(connection))


def described(error: BaseException, folder: Path) -> dict[str, str]:
    """An exception's kind, first line and the learner's own line that led to it."""
    name, message = type(error).__name__, str(error)
    if isinstance(error, sa.exc.DBAPIError) and error.orig:
        name, message = type(error.orig).__name__, str(error.orig)
    line = ""
    if isinstance(error, SyntaxError):
        line, message = (error.text or "").strip(), f"line {error.lineno}: {error.msg}"
    elif isinstance(error, ValueError) and "null bytes" in message:
        message = f"line 1: {message}"  # a SyntaxError only since Python 3.11.4
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(folder):
            line = linecache.getline(frame.filename, frame.lineno or 0).strip()
    return {"name": name, "message": (message.strip().splitlines() or [name])[0], "line": line}


def lay_out(folder: Path, kind: str, revisions: list[Path], source: str, before: str) -> None:
    """Make the project that a trial runs: models, or revisions and one more after `before`."""
    folder.mkdir()
    if source:
        (folder / "practice.py").write_text(source, encoding="utf-8", newline="")
    if kind == "model":
        shutil.copytree(project.MODELS / "jobboard", folder / "jobboard")
        return
    versions = folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    for revision in revisions:
        shutil.copy(revision, versions)
    if source:
        ids = IDS.format(revision="practice", down=before)
        (versions / "practice.py").write_text(PRACTICE + ids, encoding="utf-8")


if __name__ == "__main__":
    main()
