"""What a pipeline's file does: when its jobs run, and what their commands find in real projects."""

import contextlib
import importlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from workbook import project
from workbook.contents import CHAPTERS
from workbook.exercises import Mistake
from workbook.exercises.child import emptied

WHOLE = "a file that is no pipeline"
LOOSE = "a model without a migration goes through"
UNASKED = "an upgrade that is believed"
NO_TESTS = "tests that nobody runs"
PASSED = "a failure that is let pass"
TYPED = "a password that everybody can read"
SERVER = "tests without a PostgreSQL"
BEFORE = r"\s*(\w+=(\"[^\"]*\"|'[^']*'|\S*)\s+)*((uv|poetry) run )?(python3? -m )?"
RED = re.compile(rf"^{BEFORE}pytest\b(?!.*[|;])", re.MULTILINE)
# What holds a password as it is, unless a service's reference stands there.
SECRET = re.compile(r"PASSW|_PWD|SECRET|TOKEN", re.IGNORECASE)
IN_URL = re.compile(r"://[^\s:/@]*:([^\s@]+)@")
ASSIGNED = re.compile(r"(\w+)=(\S+)")
# Marks of a group that each run has for itself.
OF_EACH_RUN = re.compile(r"run_(id|number)|head_commit|\.sha\b|_SHA\b|PIPELINE_I|JOB_ID")
MISTAKES = (
    Mistake(
        WHOLE,
        "The service that runs it would refuse it, and nothing would be tested or deployed.",
        "Mend that place first.",
    ),
    Mistake(
        LOOSE,
        "The commands of the test job were run in a project whose Job has a column that no migration"
        " makes, and all of them went well.",
        "One of Alembic's commands compares the models with the tables.",
    ),
    Mistake(
        UNASKED,
        "The commands of the deployment were run in a project whose env.py loses the transaction: the"
        " upgrade says Running upgrade, exits with 0, and nothing is in the database.",
        "Ask the database afterwards, with a command that fails where it is not at the head.",
    ),
    Mistake(
        NO_TESTS,
        "In the job test, no line is pytest alone, whose failure ends the job.",
        "Bring back the line that runs the tests.",
    ),
    Mistake(
        TYPED,
        "Whoever may read the repository reads it there, in every copy, and in its history when it has"
        " long been changed.",
        "The service keeps secrets outside of the file, and hands them to the job that deploys.",
    ),
    Mistake(
        SERVER,
        "The commands of the test job find no server, or it does not let them in.",
        "Hold what the commands are told against the service that the job has.",
    ),
    Mistake(
        PASSED,
        "A job may fail, and the pipeline goes on as if it were green.",
        "Neither the tests nor the deployment are allowed to fail.",
    ),
)
MODEL = "    salary: Mapped[int | None]\n    company: Mapped"
LOST = '    with connectable.connect() as connection:\n        connection.exec_driver_sql("SELECT 1")\n'


def read(source: str) -> Mapping[Any, Any] | str:
    """A file of YAML; in words, why it is none. YAML takes a bare `on` for true: here it is a word."""
    try:
        found = yaml.safe_load(source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "it cannot be read"
        return f"Line {mark.line + 2} of the cell: {what}." if mark else f"{what}."
    if not isinstance(found, dict):
        return "At its top, it has to have keys."
    return {"on" if key is True else key: value for key, value in found.items()}


def commands(lines: Iterable[object]) -> list[list[str]]:
    """The calls of alembic among lines of shell. One whose failure is let pass does not count."""
    found = []
    for line in "\n".join(map(str, lines)).splitlines():
        calls = [] if "|" in line or ";" in line else line.split("&&")
        words = [re.sub(f"^{BEFORE}", "", call).split() for call in calls]
        found += [each[1:] for each in words if each[:1] == ["alembic"]]
    return found


def typed(variables: Mapping[str, Any], lines: Iterable[object], kept: str) -> str:
    """Where a job that deploys holds a password as it is; `kept` matches what stands for a secret."""
    for name, value in [*variables.items(), *ASSIGNED.findall("\n".join(map(str, lines)))]:
        secrets = [str(value)] if SECRET.search(name) else IN_URL.findall(str(value))
        if any(not re.search(kept, each) for each in secrets):
            return f"In the job deploy: {name}."
    return ""


def unreachable(
    variables: Mapping[str, Any], service: Mapping[str, Any], hosts: Iterable[str]
) -> str:
    """What keeps a job's commands from its server, in words; nothing: they are let in."""
    wanted = {
        "PGHOST": [*hosts],
        "PGUSER": [service.get("POSTGRES_USER", "postgres")],
        "PGPASSWORD": [service.get("POSTGRES_PASSWORD")],
    }
    for name, values in wanted.items():
        found = str(variables.get(name, ""))
        if "$" not in found and found not in values:
            return f"{name} is {found}, and the service has {' or '.join(map(str, values))}."
    return ""


def found_by(test: list[list[str]], deploy: list[list[str]]) -> Iterator[str]:
    """What the jobs' commands let through, or refuse without a reason. Runs them."""
    if any("--sql" in call for call in deploy):
        yield "In the job deploy, alembic with --sql prints the statements, and runs none of them."
        return
    if "upgrade" not in [word for call in deploy for word in call[:1]]:
        yield "No command of the job deploy is alembic upgrade, with its failure ending the job."
        return
    for call in [each for each in deploy if each[:1] == ["upgrade"]]:
        if not any(re.search(r"(^|@)heads?$", each) for each in call[1:]):
            yield f"In the job deploy, alembic {' '.join(call)} leaves out what comes after that."
            return
    if stops := _stops(test, "good") or _stops(deploy, "good"):
        yield f"In a project where all is well, alembic {stops} fails."
        return
    if not _stops(test, "drift"):
        yield LOOSE
        return
    if not _stops(deploy, "lost"):
        yield UNASKED


def _stops(calls: list[list[str]], kind: str) -> str:
    """The first command that fails in such a project, on an empty database; nothing: none does.

    The one whose env.py loses the transaction has no revision that needs to be outside of it.
    """
    folder = Path(kind).absolute()
    if not folder.exists():
        project.lay_out(folder, CHAPTERS[10 if kind == "lost" else 13].start)
        models, env = folder / "jobboard" / "models.py", folder / "alembic" / "env.py"
        if kind == "drift":
            _replace(models, "    company: Mapped", MODEL)
        if kind == "lost":
            _replace(env, LOST.splitlines(keepends=True)[0], LOST)
    with emptied(), contextlib.chdir(folder):
        for name in [name for name in sys.modules if name.split(".")[0] == "jobboard"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        for call in calls:
            if _code(call):
                return " ".join(call)
    return ""


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, path
    path.write_text(text.replace(old, new), encoding="utf-8")


def _code(call: list[str]) -> object:
    """The exit code of an alembic command in this folder."""
    from alembic.config import main

    before = [*sys.path]
    try:
        main(argv=call)
    except SystemExit as error:
        return error.code
    except Exception:  # noqa: BLE001 - as a command, it would print a traceback and fail
        return 1
    finally:
        sys.path[:] = before
    return 0
