"""13.3  A workflow for GitHub Actions, which lets through what it should stop."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from workbook.exercises import Mistake, edits
from workbook.exercises.ch13.pipeline import (
    MISTAKES,
    NO_TESTS,
    OF_EACH_RUN,
    PASSED,
    RED,
    SERVER,
    TYPED,
    WHOLE,
    commands,
    found_by,
    read,
    typed,
    unreachable,
)
from workbook.exercises.kinds import Probed

JOB_KEYS = """
name permissions needs if runs-on environment concurrency outputs env defaults steps timeout-minutes
strategy continue-on-error container services uses with secrets
"""
MAIN = "refs/heads/main"
# What happens, and what the expressions of a condition then are.
PULL = {"github.event_name": "pull_request", "github.ref": "refs/pull/7/merge"}
PULL |= {"github.ref_name": "7/merge", "github.base_ref": "main"}
PUSH = {"github.event_name": "push", "github.ref": MAIN, "github.ref_name": "main"}
UNTESTED = "a pull request that nothing tests"
DEPLOYS = "a pull request that deploys"
NO_NEED = "a deployment that does not wait for the tests"
TWO = "two deployments at the same moment"
CANCELLED = "a deployment that the next one ends"
NEVER = "a push to main that deploys nothing"
STRANGER = "a pull request with the rights of main"
KEPT = r"\$\{\{\s*secrets\.|\$\w"

CODE = """
name: migrations

on:
  push:
    branches: [main]
  pull_request:

permissions:
  contents: read

env:
  PIP_DISABLE_PIP_VERSION_CHECK: "1"

jobs:
  test:
    runs-on: ubuntu-latest
    services:
      postgres:
        image: postgres:18
        env:
          POSTGRES_PASSWORD: for-this-job-alone
        ports: ["5432:5432"]
        options: --health-cmd pg_isready --health-interval 2s --health-retries 15
    env:
      PGHOST: localhost
      PGUSER: postgres
      PGPASSWORD: for-this-job-alone
      TEST_DATABASE: postgres
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-python@v6
        with:
          python-version: "3.13"
      - run: pip install -r requirements.txt
      - run: pytest tests
      - run: alembic upgrade head
      - run: alembic check

  deploy:
    needs: test
    if: github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    environment: production
    concurrency:
      group: production
      cancel-in-progress: false
    env:
      PGHOST: ${{ secrets.PGHOST }}
      PGUSER: jobboard_owner
      PGPASSWORD: ${{ secrets.PGPASSWORD }}
      PGDATABASE: jobboard
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-python@v6
        with:
          python-version: "3.13"
      - run: pip install -r requirements.txt
      - run: alembic upgrade head
      - run: alembic current --check-heads
"""
SHOWN = (
    CODE.replace("  pull_request:\n", "")
    .replace("      - run: alembic check\n", "")
    .replace("    needs: test\n    if: github.ref == 'refs/heads/main'\n", "")
    .replace("cancel-in-progress: false", "cancel-in-progress: true")
    .replace("      - run: alembic current --check-heads\n", "")
    .replace('env:\n  PIP_DISABLE_PIP_VERSION_CHECK: "1"\n\n', "")
)
CODE = CODE.replace('env:\n  PIP_DISABLE_PIP_VERSION_CHECK: "1"\n\n', "")


def probe(source: str) -> list[str]:
    """What the workflow lets happen, in words; the first thing alone."""
    found = read(source)
    if isinstance(found, str):
        return [WHOLE, found]
    return next(([name, *more] for name, *more in _wrong(found)), [])


def _wrong(workflow: Mapping[Any, Any]) -> Iterator[list[str]]:
    jobs = workflow.get("jobs")
    if not isinstance(jobs, dict) or not {"test", "deploy"} <= {*jobs}:
        yield [WHOLE, "It needs the jobs test and deploy."]
        return
    for name, job in jobs.items():
        unknown = (
            [f"{key}" for key in job if key not in JOB_KEYS.split()]
            if isinstance(job, dict)
            else [""]
        )
        if unknown or not isinstance(job.get("steps"), list):
            yield [WHOLE, f"In the job {name}: {unknown[0] if unknown else 'no steps'}."]
            return
        missing = [each for each in _needs(job) if each not in jobs]
        if missing:
            yield [WHOLE, f"The job {name} needs {missing[0]}, and there is no such job."]
            return
    try:
        yield from _when(workflow, jobs)
    except ValueError as error:
        yield [
            f"The check cannot read the condition {error}. GitHub compares with == and quotes with '."
        ]
        return
    yield from _deployment(workflow, jobs["deploy"])
    variables, lines = _variables(workflow, jobs["deploy"]), _runs(jobs["deploy"])
    if where := typed(variables, lines, KEPT):
        yield [TYPED, where]
    if why := _no_server(workflow, jobs["test"]):
        yield [SERVER, why]
    if any(job.get("continue-on-error") for job in jobs.values()):
        yield [PASSED]
    if not RED.search("\n".join(_lines(jobs["test"]))):
        yield [NO_TESTS]
    for each in found_by(*(commands(_lines(jobs[name])) for name in ("test", "deploy"))):
        yield [each]


def _variables(workflow: Mapping[Any, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    """The environment of a job's commands, all of its steps together."""
    places = [workflow, job, *filter(_is_step, job["steps"])]
    return {name: value for each in places for name, value in (each.get("env") or {}).items()}


def _is_step(step: object) -> bool:
    return isinstance(step, dict)


def _runs(job: Mapping[str, Any]) -> list[str]:
    return [str(each.get("run", "")) for each in filter(_is_step, job["steps"])]


def _no_server(workflow: Mapping[Any, Any], job: Mapping[str, Any]) -> str:
    """Why the commands of a job do not get to a PostgreSQL; nothing: they do."""
    variables, services = _variables(workflow, job), job.get("services") or {}
    found = [name for name, each in services.items() if "postgres" in str(each.get("image"))]
    if not found:
        return "It has no service with an image of PostgreSQL."
    service, port = services[found[0]], variables.get("PGPORT", 5432)
    if "container" in job:
        return unreachable(variables, service.get("env") or {}, found)
    if f"{port}:5432" not in map(str, service.get("ports") or []):
        return f"No port of the machine that is {port} leads to the service's 5432."
    return unreachable(variables, service.get("env") or {}, ("localhost", "127.0.0.1"))


def _when(workflow: Mapping[Any, Any], jobs: Mapping[str, Any]) -> Iterator[list[str]]:
    if "pull_request_target" in (workflow.get("on") or ()):
        yield [STRANGER]
    if not (_started(workflow, PULL) and _holds(jobs["test"], PULL)):
        yield [UNTESTED]
    if _started(workflow, PULL) and _holds(jobs["deploy"], PULL):
        yield [DEPLOYS]
    if not all(_started(workflow, PUSH) and _holds(jobs[name], PUSH) for name in jobs):
        yield [NEVER]
    anyway = re.search(r"\b(always|failure|cancelled)\(\)", str(jobs["deploy"].get("if")))
    if "test" not in _needs(jobs["deploy"]) or anyway:
        yield [NO_NEED]


def _deployment(workflow: Mapping[Any, Any], job: Mapping[str, Any]) -> Iterator[list[str]]:
    places = [each.get("concurrency") for each in (job, workflow)]
    groups = [{"group": each} if isinstance(each, str) else each for each in places if each]
    if not any(each.get("group") and not OF_EACH_RUN.search(str(each["group"])) for each in groups):
        yield [TWO]
    if any(
        str(each.get("cancel-in-progress", False)).lower().strip("${} ") != "false"
        for each in groups
    ):
        yield [CANCELLED]


def _needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs") or []
    return [needs] if isinstance(needs, str) else [*needs]


def _lines(job: Mapping[str, Any]) -> list[str]:
    steps = [each for each in job["steps"] if isinstance(each, dict)]
    return [str(each["run"]) for each in steps if each.get("run") and not _tolerant(each)]


def _tolerant(step: Mapping[str, Any]) -> bool:
    return bool(step.get("continue-on-error")) or "if" in step


def _started(workflow: Mapping[Any, Any], event: Mapping[str, str]) -> bool:
    on = workflow.get("on") or {}
    on = {on: None} if isinstance(on, str) else dict.fromkeys(on) if isinstance(on, list) else on
    name = event["github.event_name"]
    told = on.get(name) or {}
    if "paths" in told or "synchronize" not in told.get("types", ["synchronize"]):
        return False  # not for every state of the pull request
    branches = told.get("branches")
    return name in on and (branches is None or "main" in branches)


def _holds(job: Mapping[str, Any], event: Mapping[str, str]) -> bool:
    """Whether a job's condition holds. Raises ValueError for one that is not understood."""
    told = str(job.get("if", "true"))
    text = re.sub(r"^\s*\$\{\{(.*)\}\}\s*$", r"\1", told)
    text = re.sub(r"\b(always\(\)|success\(\)|true)", "True", text)
    text = re.sub(r"\b(failure\(\)|cancelled\(\)|false)", "False", text)
    for name in sorted(event, key=len, reverse=True):
        text = re.sub(rf"{re.escape(name)}(?![\w.])", repr(event[name]), text)
    text = text.replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"!(?!=)", " not ", text)
    if re.search(r"[A-Za-z_]+", re.sub(r"'[^']*'|\b(and|or|not|True|False)\b", "", text)):
        raise ValueError(told)
    try:
        return bool(eval(text, {"__builtins__": {}}))  # names and calls are refused above
    except SyntaxError:
        raise ValueError(told) from None


EXERCISE = Probed(
    file="migrations.yml",
    probe="workbook.exercises.ch13.ex3:probe",
    code=CODE,
    shown=SHOWN,
    mistakes=(
        *MISTAKES,
        Mistake(
            UNTESTED,
            "A pull request into main begins no run of the tests. When the change is in main already,"
            " they tell what has happened, and cannot prevent it any more.",
            "`on` lists the events that begin a run.",
        ),
        Mistake(
            DEPLOYS,
            "A pull request begins a run, and this job runs with it: what nobody has approved yet"
            " migrates production.",
            "A job can have a condition.",
        ),
        Mistake(
            NO_NEED,
            "Jobs run side by side. The migration is applied while the tests are still at work, or"
            " although they are red.",
            "A job can say which other job it needs.",
        ),
        Mistake(
            TWO,
            "Two merges within a minute begin two runs, and both migrate.",
            "Put the deployment into a concurrency group.",
        ),
        Mistake(
            CANCELLED,
            "The next merge ends a migration that is under way, half of its batches done. In a group,"
            " the later run should wait for the earlier one.",
            "Look at what the group does with a run in progress.",
        ),
        Mistake(
            NEVER,
            "With these events and conditions, a push to main leaves one of the jobs out.",
            "Read the conditions once more, for a push to main.",
        ),
        Mistake(
            STRANGER,
            "pull_request_target runs the file that is in main, on the commit that is in main, with"
            " main's secrets: the change is not tested, and where it is fetched all the same, its author"
            " has the secrets.",
            "There is another event for a pull request.",
        ),
    ),
    task="repair a workflow for GitHub Actions",
    hints=(
        "Go through the story: a pull request is opened; it is merged; another one a minute later.",
        "Two lines decide when it runs: an event is missing, and then the deployment needs a"
        " condition, github.ref.",
        "A job that needs another waits for it. A run in progress has to be let finish.",
        "After the tests, one command compares models and tables. After the upgrade, one asks"
        " whether the database is at the head.",
    ),
    why="Tests before the merge, one deployment at a time and none cut short, and no step that is only"
    " believed.",
    passed="You can say what a pipeline lets through, and close it.",
)

IF = "    if: github.ref == 'refs/heads/main'\n"
WRONG = edits(
    EXERCISE.filled,
    r"""
no pull request  | \s pull_request:\n  |  | a pull request that nothing tests
a pull request deploys  | \s   if: github.ref == 'refs/heads/main'\n  |  | a pull request that deploys
a pull request alone deploys  | github.ref == 'refs/heads/main'  | github.event_name == 'pull_request'  | a pull request that deploys
never  | refs/heads/main  | main  | a push to main that deploys nothing
no need  | \s   needs: test\n  |  | a deployment that does not wait for the tests
in any case  | github.ref ==  | always() && github.ref ==  | a deployment that does not wait for the tests
no group  | \s   concurrency:\n      group: production\n      cancel-in-progress: false\n  |  | two deployments at the same moment
a group for each run  | group: production  | group: ${{ github.run_id }}  | two deployments at the same moment
a group for each merge  | group: production  | group: deploy-${{ github.event.head_commit.id }}  | two deployments at the same moment
one revision alone  | alembic upgrade head\n      - run: alembic current  | alembic upgrade e3a7c25d9b18\n      - run: alembic current  | leaves out what comes after that
the earlier one is ended  | cancel-in-progress: false  | cancel-in-progress: true  | a deployment that the next one ends
no check  | \s     - run: alembic check\n  |  | a model without a migration goes through
a check whose failure is let pass  | alembic check  | alembic check || true  | a model without a migration goes through
a check that may fail  | - run: alembic check  | - run: alembic check\n        continue-on-error: true  | a model without a migration goes through
a check before the upgrade  | - run: alembic upgrade head\n      - run: alembic check  | - run: alembic check\n      - run: alembic upgrade head  | In a project where all is well, alembic check fails
no question afterwards  | \s     - run: alembic current --check-heads\n  |  | an upgrade that is believed
current alone  | \s--check-heads  |  | an upgrade that is believed
a stamp  | - run: alembic upgrade head\n      - run: alembic current  | - run: alembic stamp head\n      - run: alembic current  | No command of the job deploy is alembic upgrade
no pytest  | \s     - run: pytest tests\n  |  | tests that nobody runs
pytest may fail  | pytest tests  | pytest tests || true  | tests that nobody runs
a job that may fail  | \s   needs: test\n  | \s   needs: test\n    continue-on-error: true\n  | a failure that is let pass
a group for each commit  | group: production  | group: ${{ github.sha }}  | two deployments at the same moment
when it is closed  | \s pull_request:\n  | \s pull_request:\n    types: [closed]\n  | a pull request that nothing tests
need, misspelt  | needs: test  | need: test  | a file that is no pipeline
another job's name  | needs: test  | needs: tests  | a file that is no pipeline
a tab  | \s   needs: test  | \tneeds: test  | a file that is no pipeline
no service  | ports: ["5432:5432"]  | ports: []  | tests without a PostgreSQL
another port  | 5432:5432  | 5433:5432  | tests without a PostgreSQL
another host  | PGHOST: localhost  | PGHOST: postgres  | tests without a PostgreSQL
another password than the service's  | PGPASSWORD: for-this-job-alone  | PGPASSWORD: postgres  | tests without a PostgreSQL
a password in the file  | ${{ secrets.PGPASSWORD }}  | hunter2  | a password that everybody can read
a password in an address  | PGPASSWORD: ${{ secrets.PGPASSWORD }}  | DATABASE_URL: postgresql://jobboard_owner:hunter2@db.example/jobboard  | a password that everybody can read
a password in a command  | - run: alembic upgrade head\n      - run: alembic current  | - run: PGPASSWORD=hunter2 alembic upgrade head\n      - run: alembic current  | a password that everybody can read
a variable that is no secret  | secrets.PGPASSWORD  | vars.PGPASSWORD  | a password that everybody can read
with the rights of main  | pull_request:  | pull_request_target:  | a pull request with the rights of main
after a failure, too  | github.ref ==  | (success() || failure()) && github.ref ==  | a deployment that does not wait for the tests
SQL alone  | - run: alembic upgrade head\n      - run: alembic current  | - run: alembic upgrade head --sql\n      - run: alembic current  | runs none of them
""",
)
RIGHT = edits(
    EXERCISE.filled,
    r"""
events in a list  | on:\n  push:\n    branches: [main]\n  pull_request:\n  | on: [push, pull_request]\n
by the event, too  | github.ref ==  | github.event_name == 'push' && github.ref ==
by the branch's name  | github.ref == 'refs/heads/main'  | ${{ github.ref_name == 'main' }}
not for a pull request  | github.ref == 'refs/heads/main'  | github.event_name != 'pull_request'
installed in the same step  | - run: pip install -r requirements.txt\n      - run: alembic upgrade head\n      - run: alembic current  | - run: pip install -r requirements.txt && alembic upgrade head\n      - run: alembic current
with a limit for locks  | - run: alembic upgrade head\n      - run: alembic current  | - run: PGOPTIONS="-c lock_timeout=2s" alembic upgrade head\n      - run: alembic current
several commands in a step  | - run: alembic upgrade head\n      - run: alembic current --check-heads  | - run: |\n          alembic upgrade head\n          alembic current --check-heads
a group by its name alone  | concurrency:\n      group: production\n      cancel-in-progress: false  | concurrency: production
needs in a list  | needs: test  | needs: [test]
""",
)
