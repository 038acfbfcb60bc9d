"""13.4  The job of a GitLab pipeline that deploys, written alone."""

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
stage environment resource_group interruptible rules script before_script after_script needs image
variables services only except when tags timeout retry allow_failure dependencies artifacts cache
extends id_tokens secrets
"""
REQUEST = {"$CI_PIPELINE_SOURCE": "merge_request_event", "$CI_COMMIT_BRANCH": ""}
MAIN = {"$CI_PIPELINE_SOURCE": "push", "$CI_COMMIT_BRANCH": "main", "$CI_COMMIT_REF_NAME": "main"}
BRANCH = MAIN | {"$CI_COMMIT_BRANCH": "salary", "$CI_COMMIT_REF_NAME": "salary"}
NOBODY = "no job that deploys"
ANYWHERE = "a branch that deploys"
NEVER = "a push to main that deploys nothing"
BESIDE = "a deployment beside the tests"
TWO = "two deployments at the same moment"
CUT = "a deployment that the next one ends"
ANYWAY = "a deployment although the tests are red"

TEST = """
default:
  image: python:3.13

test:
  stage: test
  services:
    - name: postgres:18
      alias: postgres
  variables:
    POSTGRES_PASSWORD: for-this-job-alone
    PGHOST: postgres
    PGUSER: postgres
    PGPASSWORD: $POSTGRES_PASSWORD
    TEST_DATABASE: postgres
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  script:
    - pip install -r requirements.txt
    - pytest tests
    - alembic upgrade head
    - alembic check
"""
DEPLOY = """
deploy:
  stage: deploy
  environment: production
  resource_group: production
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  script:
    - pip install -r requirements.txt
    - alembic upgrade head
    - alembic current --check-heads
"""


def probe(source: str) -> list[str]:
    """What the pipeline lets happen, in words; the first thing alone."""
    found = read(source)
    if isinstance(found, str):
        return [WHOLE, found]
    return next(([name, *more] for name, *more in _wrong(found)), [])


def _wrong(pipeline: Mapping[Any, Any]) -> Iterator[list[str]]:
    test, deploy = pipeline.get("test"), pipeline.get("deploy")
    if not isinstance(deploy, dict) or not isinstance(test, dict):
        yield [NOBODY]
        return
    unknown = [f"{key}" for key in deploy if key not in JOB_KEYS.split()]
    if unknown or not isinstance(deploy.get("script"), str | list):
        yield [WHOLE, f"In the job deploy: {unknown[0] if unknown else 'no script'}."]
        return
    rules = deploy.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        yield [WHOLE, "In the job deploy: rules is a list, and each begins with - if:."]
        return
    try:
        if any(_runs(deploy, event) for event in (REQUEST, BRANCH)):
            yield [ANYWHERE]
        if not _runs(deploy, MAIN):
            yield [NEVER]
    except ValueError as error:
        yield [
            f"The check cannot read the rule {error}. GitLab compares $NAME with == to another $NAME or"
            ' to a "text", and puts no variable into a text.'
        ]
        return
    stages = pipeline.get("stages", ["build", "test", "deploy"])
    places = [job.get("stage", "test") for job in (test, deploy)]
    if missing := [each for each in places if each not in stages]:
        yield [WHOLE, f"The stages do not hold {missing[0]}."]
    needs = deploy.get("needs")
    named = [each.get("job") if isinstance(each, dict) else each for each in needs or []]
    waits = stages.index(places[0]) < stages.index(places[1]) if needs is None else "test" in named
    if not waits:
        yield [BESIDE]
    if not deploy.get("resource_group") or OF_EACH_RUN.search(str(deploy["resource_group"])):
        yield [TWO]
    if any(each.get("allow_failure") for each in (test, deploy, *rules)):
        yield [PASSED]
    if deploy.get("interruptible"):
        yield [CUT]
    if any(each.get("when") in ("always", "on_failure") for each in (deploy, *rules)):
        yield [ANYWAY]
    variables = [
        {**pipeline.get("variables", {}), **job.get("variables", {})} for job in (test, deploy)
    ]
    before = pipeline.get("default", {}).get("before_script", [])
    lines = [
        _lines(job.get("before_script", before)) + _lines(job["script"]) for job in (test, deploy)
    ]
    if where := typed(variables[1], lines[1], r"\$"):
        yield [TYPED, where]
    services = test.get("services") or pipeline.get("default", {}).get("services") or []
    if why := _no_server(variables[0], services):
        yield [SERVER, why]
    if not RED.search("\n".join(map(str, lines[0]))):
        yield [NO_TESTS]
    for each in found_by(*map(commands, lines)):
        yield [each]


def _no_server(variables: Mapping[str, Any], services: list[Any]) -> str:
    """Why a job's commands do not get to a PostgreSQL among its services; nothing: they do."""
    for each in services:
        service = each if isinstance(each, dict) else {"name": each}
        image = str(service.get("name")).partition(":")[0]
        if "postgres" in image:
            hosts = [str(service.get("alias", ""))] if "alias" in service else []
            given = {**variables, **(service.get("variables") or {})}
            return unreachable(variables, given, [*hosts, image.replace("/", "-")])
    return "It has no service with an image of PostgreSQL."


def _lines(script: str | list[object]) -> list[object]:
    return [script] if isinstance(script, str) else [*script]


def _runs(job: Mapping[str, Any], event: Mapping[str, str]) -> bool:
    """Whether a job runs at an event. Raises ValueError for a rule that is not understood."""
    if "rules" in job:
        for rule in job["rules"] or []:
            if _holds(str(rule.get("if", "'' == ''")), event):
                return bool(rule.get("when") != "never")
        return False
    if "only" in job:
        refs = job["only"].get("refs", []) if isinstance(job["only"], dict) else _lines(job["only"])
        return event["$CI_COMMIT_BRANCH"] in refs or "branches" in refs
    return event is not REQUEST  # without rules: each branch


def _holds(condition: str, event: Mapping[str, str]) -> bool:
    text = condition.replace('"', "'")
    known = {"$CI_DEFAULT_BRANCH": "main", "$CI_COMMIT_TAG": "", **event}
    for name in sorted(known, key=len, reverse=True):
        text = re.sub(rf"{re.escape(name)}\b", repr(known[name]), text)
    text = text.replace("&&", " and ").replace("||", " or ").replace("null", "''")
    if re.search(r"[A-Za-z_$~]+", re.sub(r"'[^']*'|\b(and|or)\b", "", text)):
        raise ValueError(condition)
    try:
        return bool(eval(text, {"__builtins__": {}}))  # names and calls are refused above
    except SyntaxError:
        raise ValueError(condition) from None


EXERCISE = Probed(
    file="gitlab-ci.yml",
    probe="workbook.exercises.ch13.ex4:probe",
    code=TEST + DEPLOY,
    shown=TEST + "\n# the job deploy",
    mistakes=(
        *MISTAKES,
        Mistake(
            NOBODY, "The file tests, and nothing migrates production.", "Write the job deploy."
        ),
        Mistake(
            ANYWHERE,
            "The job runs for a merge request or for a push to any branch: what nobody has approved"
            " yet migrates production.",
            "Its rules should hold for the default branch alone.",
        ),
        Mistake(
            NEVER,
            "After a merge into the default branch, the job does not run.",
            "Read its rules once more, for a push to main.",
        ),
        Mistake(
            BESIDE,
            "Jobs of a stage run side by side, and one without needs waits for nothing. The migration"
            " is applied while the tests are at work.",
            "GitLab's stages are build, test and deploy, in this order, where the file names none.",
        ),
        Mistake(
            TWO,
            "Two merges within a minute begin two pipelines, and both migrate.",
            "GitLab runs jobs of one resource group one after the other.",
        ),
        Mistake(
            CUT,
            "By default a newer pipeline of the same branch cancels jobs that are interruptible, half of"
            " their batches done.",
            "Leave the deployment as jobs are by default.",
        ),
        Mistake(
            ANYWAY,
            "A job with such a `when` does not ask whether the earlier ones succeeded.",
            "on_success, the default, is what a deployment needs.",
        ),
    ),
    task="write the job that deploys, for GitLab",
    hints=(
        "Five things: when it runs, what it waits for, that there is one at a time, what it does, and"
        " how it knows that it is done.",
        "rules with $CI_COMMIT_BRANCH, a stage after test, and a resource_group.",
        "The script ends with a command that fails where the database is not at the head.",
    ),
    why="stage says after what, rules say when, resource_group says one at a time, and the last command"
    " asks the database.",
    passed="You can write a job that deploys migrations.",
)

WRONG = edits(
    EXERCISE.filled,
    r"""
named otherwise  | \ndeploy:  | \nmigrate:  | no job that deploys
no rules  | \s rules:\n    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n  script:\n    - pip install -r requirements.txt\n    - alembic upgrade head\n    - alembic current  | \s script:\n    - alembic upgrade head\n    - alembic current  | a branch that deploys
the rules of the test  | \ndeploy:\n  stage: deploy\n  environment: production\n  resource_group: production\n  rules:\n  | \ndeploy:\n  stage: deploy\n  environment: production\n  resource_group: production\n  rules:\n    - if: $CI_PIPELINE_SOURCE == "merge_request_event"\n  | a branch that deploys
another name for the branch  | \n  resource_group: production\n  rules:\n    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH  | \n  resource_group: production\n  rules:\n    - if: $CI_COMMIT_BRANCH == "master"  | a push to main that deploys nothing
no stage  | \s stage: deploy\n  |  | a deployment beside the tests
needs nothing  | \s stage: deploy\n  | \s stage: deploy\n  needs: []\n  | a deployment beside the tests
a stage that is not there  | stage: deploy  | stage: production  | a file that is no pipeline
no group  | \s resource_group: production\n  |  | two deployments at the same moment
a group for each pipeline  | resource_group: production  | resource_group: $CI_PIPELINE_ID  | two deployments at the same moment
a failure passes  | resource_group: production  | resource_group: production\n  allow_failure: true  | a failure that is let pass
it may be interrupted  | resource_group: production  | resource_group: production\n  interruptible: true  | a deployment that the next one ends
always  | resource_group: production  | resource_group: production\n  when: always  | a deployment although the tests are red
the tests may fail  | test:\n  stage: test  | test:\n  stage: test\n  allow_failure: true  | a failure that is let pass
a group for each commit  | resource_group: production  | resource_group: $CI_COMMIT_SHA  | two deployments at the same moment
a rule that is no list  | production\n  rules:\n    - if  | production\n  rules:\n    if  | a file that is no pipeline
a password in the file  | \s resource_group: production  | \s variables:\n    PGPASSWORD: hunter2\n  resource_group: production  | a password that everybody can read
a password in a command  | - alembic upgrade head\n    - alembic current  | - PGPASSWORD=hunter2 alembic upgrade head\n    - alembic current  | a password that everybody can read
no server for the tests  | \s services:\n    - name: postgres:18\n      alias: postgres\n  |  | tests without a PostgreSQL
another host  | PGHOST: postgres  | PGHOST: localhost  | tests without a PostgreSQL
a variable in quotes  | \n  resource_group: production\n  rules:\n    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH  | \n  resource_group: production\n  rules:\n    - if: $CI_COMMIT_BRANCH == "$CI_DEFAULT_BRANCH"  | puts no variable into a text
SQL alone  | alembic upgrade head\n    - alembic current  | alembic upgrade head --sql\n    - alembic current  | runs none of them
no pytest  | \s   - pytest tests\n  |  | tests that nobody runs
no question afterwards  | \s   - alembic current --check-heads\n  |  | an upgrade that is believed
a question whose answer does not count  | --check-heads  | --check-heads || true  | an upgrade that is believed
the check is gone  | \s   - alembic check\n  |  | a model without a migration goes through
scripts, in the plural  | \s script:\n    - pip install -r requirements.txt\n    - alembic upgrade head\n    - alembic current  | \s scripts:\n    - alembic upgrade head\n    - alembic current  | a file that is no pipeline
a typing error of YAML  | rules:  | rules  | a file that is no pipeline
of GitHub's  | resource_group: production  | concurrency: production  | a file that is no pipeline
""",
)
RIGHT = edits(
    EXERCISE.filled,
    r"""
needs the test  | \s stage: deploy\n  | \s needs: [test]\n  stage: deploy\n
stages that are named  | default:\n  image  | stages: [test, deploy]\n\ndefault:\n  image
by hand  | == $CI_DEFAULT_BRANCH\n  script:\n    - pip install -r requirements.txt\n    - alembic upgrade head\n    - alembic current  | == $CI_DEFAULT_BRANCH\n      when: manual\n  script:\n    - pip install -r requirements.txt\n    - alembic upgrade head\n    - alembic current
by the old word  | \s rules:\n    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n  script:\n    - pip install -r requirements.txt\n    - alembic upgrade head\n    - alembic current  | \s only: [main]\n  script:\n    - alembic upgrade head\n    - alembic current
a secret by its name  | \s resource_group: production  | \s variables:\n    PGPASSWORD: $PRODUCTION_PASSWORD\n  resource_group: production
in one line  | alembic upgrade head\n    - alembic current  | alembic upgrade head && alembic current
""",
)
