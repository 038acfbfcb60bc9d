"""Containers, conda and Binder, as far as they go without a container: nothing here starts one."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
import yaml
from packaging.specifiers import SpecifierSet
from test_launch import free_port

from workbook import ROOT
from workbook.server import postgres
from workbook.server.database import drop

pytestmark = pytest.mark.author
SCRIPTS = Path(sys.executable).parent
SECRETS = {"POSTGRES_PASSWORD": "password-for-tests", "JUPYTER_TOKEN": "token-for-tests"}
PATIENCE = 60  # seconds until something that starts is given up
NOBODY = 65534


def tool(name: str) -> str:
    """A program that the tests' lock installs."""
    found = shutil.which(name, path=str(SCRIPTS))
    assert found, f"{name} is missing: pip install -r requirements-test.lock"
    return found


def run(words: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program and keep what it says; in the repository's root if nothing else is named."""
    more = {"cwd": ROOT} | more
    return subprocess.run(words, capture_output=True, text=True, check=False, **more)


def compose(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the real Compose on our file; neither a developer's variables nor their .env count."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    if "--env-file" not in arguments:
        arguments = ("--env-file", os.devnull, *arguments)
    return run([tool("docker-compose"), *arguments], env=kept | variables)


def resolved(**variables: str) -> dict[str, Any]:
    """The project as Compose understands it."""
    answer = compose("config", "--format", "json", **(SECRETS | variables))
    assert answer.returncode == 0, answer.stderr
    project: dict[str, Any] = json.loads(answer.stdout)
    return project


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The project with every variable at its default."""
    return resolved()


@pytest.fixture(scope="module")
def services(project: dict[str, Any]) -> dict[str, Any]:
    """Its services by name."""
    found: dict[str, Any] = project["services"]
    return found


def published(services: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The ports that each service opens on the host."""
    return {name: service["ports"] for name, service in services.items() if "ports" in service}


# docker-compose.yml


def test_compose_and_hadolint_accept_the_files() -> None:
    hadolint = [tool("hadolint"), "--no-color"]
    images = ("container/Dockerfile", "classroom/kubernetes/Dockerfile")
    for answer in (compose("config", "--quiet", **SECRETS), run([*hadolint, *images])):
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


@pytest.mark.parametrize("value", [None, ""], ids=["unset", "empty"])
@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_secret_is_one_line(name: str, value: str | None) -> None:
    given = {key: word for key, word in (SECRETS | {name: value}).items() if word is not None}
    answer = compose("config", "--quiet", **given)
    assert answer.returncode != 0
    (line,) = answer.stderr.strip().splitlines()
    assert f"required variable {name} is missing" in line
    assert "copy .env.example to .env and fill it in" in line


def test_env_example_explains_every_variable() -> None:
    variables = json.loads(compose("config", "--variables", "--format", "json", **SECRETS).stdout)
    expected = {
        (name, variable["DefaultValue"], not variable["Required"])
        for name, variable in variables.items()
    }
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    lines = re.findall(r"^(#?)([A-Z_]+)=(.*)$", text, re.MULTILINE)
    # what has a default is commented out and shows it; what must be filled in is empty
    assert {(name, value, bool(comment)) for comment, name, value in lines} == expected
    for _, name, _ in lines:
        assert re.search(rf"^# [^\n]+\n(#[^\n]*\n)*#?{name}=", text, re.MULTILINE), name
    assert compose("--env-file", ".env.example", "config", "--quiet").returncode != 0


def test_only_this_machine_reaches_the_ports_and_each_can_be_changed(
    services: dict[str, Any],
) -> None:
    ports = published(services)
    changed = published(resolved(DB_PORT="1", API_PORT="2", LAB_PORT="3")["services"])
    assert {name: each["published"] for name, (each,) in changed.items()} == {
        "db": "1",
        "api": "2",
        "lab": "3",
    }
    for name, (port,) in ports.items():
        assert port["host_ip"] == changed[name][0]["host_ip"] == "127.0.0.1"
        assert port["published"] != changed[name][0]["published"]
        assert port["target"] == changed[name][0]["target"]
    assert not [name for name, service in services.items() if "network_mode" in service]


def test_services_and_what_each_waits_for(
    project: dict[str, Any], services: dict[str, Any]
) -> None:
    """Learner and API have a database each; migrate ends, so its exit status says it all."""
    db, migrate, api, lab = (services[name] for name in ("db", "migrate", "api", "lab"))
    waits = {
        name: {on: how["condition"] for on, how in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }
    healthy, migrated = {"db": "service_healthy"}, {"migrate": "service_completed_successfully"}
    assert waits == {"db": {}, "migrate": healthy, "api": migrated, "lab": healthy}
    assert not {"restart", "deploy", "healthcheck"} & set(migrate)
    for service in (db, api, lab):
        assert {"interval", "timeout", "retries"} <= set(service["healthcheck"])
    password, token = SECRETS.values()
    only = {"POSTGRES_PASSWORD": password, "POSTGRES_INITDB_ARGS": ""}
    assert db["environment"] | {"POSTGRES_INITDB_ARGS": ""} == only
    role = {"PGHOST": "db", "PGPORT": "5432", "PGUSER": "learner", "PGPASSWORD": password}
    assert migrate["environment"] == api["environment"] == role | {"PGDATABASE": "jobboard_api"}
    only = role | {"PGDATABASE": "jobboard", "JUPYTER_TOKEN": token, "LAB_URL": ""}
    assert lab["environment"] | {"LAB_URL": ""} == only
    # the image for 18 and newer keeps its data below here, not in .../data
    (volume,) = db["volumes"]
    assert re.fullmatch(r"postgres:18(\.\d+)?(-[a-z]+)?", db["image"])
    assert (volume["type"], volume["target"]) == ("volume", "/var/lib/postgresql")
    assert volume["source"] in project["volumes"]


def test_learners_work_is_in_the_clone(services: dict[str, Any]) -> None:
    (mount,) = services["lab"]["volumes"]
    assert (mount["type"], Path(mount["source"])) == ("bind", ROOT)
    assert not mount.get("read_only")
    assert dockerfile("WORKDIR") == [mount["target"]]  # where the project is installed from
    assert services["lab"]["user"] == "1000:1000"
    assert dockerfile("USER") == ["1000"]
    changed = resolved(WORKBOOK_UID="7", WORKBOOK_GID="8")["services"]["lab"]
    assert changed["user"] == "7:8"


def test_role_owns_its_databases_and_is_no_superuser(
    project: dict[str, Any], services: dict[str, Any], tmp_path: Path
) -> None:
    from test_room_server import a_server, ask  # which skips this on Windows

    (config,) = services["db"]["configs"]
    assert re.fullmatch(r"/docker-entrypoint-initdb\.d/[\w.]+\.sql", config["target"])
    script = tmp_path / "role.sql"
    script.write_text(project["configs"][config["source"]]["content"].replace("$$", "$"))
    password = "it's a \"password\" \\ with :'traps'"
    with a_server() as admin:
        # as the image leaves it: one superuser, with the password
        ask(admin, "DROP OWNED BY learner; DROP ROLE learner; ALTER ROLE postgres PASSWORD 'x'")
        psql = [str(postgres.binaries() / "psql"), "-v", "ON_ERROR_STOP=1", "--no-psqlrc"]
        secret = os.environ | {"POSTGRES_PASSWORD": password}
        done = run([*psql, "-d", admin, "-f", str(script)], env=secret)
        assert done.returncode == 0, done.stderr
        roles = """SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolpassword IS NULL
            FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY rolname"""
        assert ask(admin, roles) == [
            ("jobboard_api", False, False, False, True),
            ("learner", False, True, False, False),
            ("postgres", True, True, True, True),
        ]
        psycopg2.connect(admin, user="learner", password=password).close()


# What the services run, started here as it is in the container


def command(service: dict[str, Any], port: int, *, check: bool = False) -> list[str]:
    """A service's command, or its health check, on another port and on loopback alone."""
    words: list[str] = service["healthcheck"]["test"][1:] if check else service["command"]
    target = str(service["ports"][0]["target"]) if "ports" in service else "none"
    # Compose doubles the dollars of what it prints
    changed = [w.replace("$$", "$").replace(target, str(port)) for w in words]
    return [word.replace("0.0.0.0", "127.0.0.1") for word in changed]


def in_path(**variables: str) -> dict[str, str]:
    """os.environ with this environment's programs first, as in the image."""
    return os.environ | {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"} | variables


def get(port: int, path: str, **headers: str) -> int:
    """The status of an answer; 0 where nobody listens."""
    try:
        return httpx.get(
            f"http://127.0.0.1:{port}{path}", headers=headers, timeout=PATIENCE
        ).status_code
    except httpx.TransportError:
        return 0


@contextmanager
def started(words: list[str], port: int, log: Path, **variables: str) -> Iterator[None]:
    """A server that a service's command starts; it ends when it is asked to, as Docker asks."""
    program = shutil.which(words[0], path=in_path()["PATH"])
    assert program, words[0]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [program, *words[1:]], cwd=ROOT, env=in_path(**variables), stdout=file, stderr=file
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not get(port, "/"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        assert get(port, "/") == 0
    finally:
        process.kill()
        process.wait()


def healthy(service: dict[str, Any], port: int) -> bool:
    """What the service's own health check says."""
    check = command(service, port, check=True)
    assert check[0] == "python"
    return run([sys.executable, *check[1:]]).returncode == 0


def test_api_is_healthy_once_migrate_has_run(
    services: dict[str, Any], database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, migrate, port = services["api"], services["migrate"], free_port()
    monkeypatch.setenv("PGDATABASE", f"{database}_api")  # as on a new volume: not there yet
    try:
        assert not healthy(api, port)
        with started(command(api, port), port, tmp_path / "log"):
            assert get(port, "/health") == 503
            assert not healthy(api, port)
            program, *words = command(migrate, 0)
            migrated = run([tool(program), *words])
            assert migrated.returncode == 0, migrated.stderr
            assert get(port, "/health") == 200
            assert healthy(api, port)
    finally:
        drop(f"{database}_api")


@pytest.mark.skipif(os.name == "nt", reason="the container's shell is not there on Windows")
def test_lab_serves_whoever_has_the_token(
    services: dict[str, Any], database: str, tmp_path: Path
) -> None:
    lab, port = services["lab"], free_port()
    folders = {
        name: str(tmp_path / name)
        for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    url = "http://127.0.0.1:1"  # as if LAB_PORT were 1
    secret = {"JUPYTER_TOKEN": SECRETS["JUPYTER_TOKEN"], "LAB_URL": url}
    log = tmp_path / "log"
    assert not healthy(lab, port)
    with started(command(lab, port), port, log, **folders, **secret):
        assert healthy(lab, port)
        assert get(port, "/api/contents/00_start_here.ipynb") == 403
        token = f"token {SECRETS['JUPYTER_TOKEN']}"
        assert get(port, "/api/contents/00_start_here.ipynb", Authorization=token) == 200
    assert f"{url}/lab" in log.read_text()


@pytest.mark.skipif(os.name == "nt", reason="the container's shell is not there on Windows")
def test_lab_says_whose_the_folder_is(services: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    folder.mkdir()
    folder.chmod(0o555)
    root = os.geteuid() == 0
    somebody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}
    answer = run(command(services["lab"], 0), cwd=folder, **somebody)
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    owner = folder.stat()
    assert f"WORKBOOK_UID={owner.st_uid} and WORKBOOK_GID={owner.st_gid} into .env" in line


# container/Dockerfile


def dockerfile(instruction: str) -> list[str]:
    """The arguments of every instruction of a kind, in order."""
    text = (ROOT / "container" / "Dockerfile").read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return re.findall(rf"^{instruction} (.*)$", code.replace("\\\n", ""), re.MULTILINE)


def sent_to_docker() -> set[str]:
    """What of the root reaches the builder: the names that Dockerfile.dockerignore lets through."""
    text = (ROOT / "container" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    first, *rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert first == "*"
    kept = {rule[1:] for rule in rules if rule.startswith("!")}
    assert all(re.fullmatch(r"\w[\w.-]*", name) for name in kept), "only names, so nothing hides"
    assert [rule for rule in rules if not rule.startswith("!")] == ["**/__pycache__"]
    return kept


def test_every_copied_file_is_there_and_not_ignored() -> None:
    copied = {
        source.rstrip("/")
        for arguments in dockerfile("COPY")
        for source in [word for word in arguments.split() if not word.startswith("--")][:-1]
    }
    assert copied == sent_to_docker()
    assert [name for name in copied if not (ROOT / name).exists()] == []


# environment.yml and postBuild


def environment() -> tuple[list[str], list[str]]:
    """conda's part and pip's part of environment.yml."""
    loaded = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert set(loaded) == {"name", "channels", "dependencies"}
    assert loaded["channels"] == ["conda-forge", "nodefaults"]
    *conda, pip = loaded["dependencies"]
    assert list(pip) == ["pip"]
    return conda, pip["pip"]


def test_environment_is_python_and_the_lock() -> None:
    conda, pip = environment()
    specs = dict(spec.partition("=")[::2] for spec in conda)
    assert all(re.fullmatch(r"[a-z]+(=\d+\.\d+)?", spec) for spec in conda)
    assert set(specs) == {"python", "pip"}
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert specs["python"] in SpecifierSet(pyproject["project"]["requires-python"])
    assert dockerfile("FROM") == [f"python:{specs['python']}-slim"]
    assert pip == ["-r requirements.lock"]  # conda, mamba and pip resolve it beside this file


def test_binder_finds_environment_yml() -> None:
    # each of these would make repo2docker look elsewhere, or leave files out
    for name in ("Dockerfile", "binder", ".binder", ".dockerignore", ".containerignore"):
        assert not (ROOT / name).exists(), name


@pytest.mark.skipif(os.name == "nt", reason="Binder is Linux")
def test_binder_opens_the_desk(tmp_path: Path) -> None:
    for name in ("workbook", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "postBuild", tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pip").write_text('#!/bin/sh\necho "$*"\n')
    (tmp_path / "bin" / "pip").chmod(0o755)
    base = getattr(sys, "_base_executable", sys.executable)  # no environment that we have made
    (tmp_path / "bin" / "python").symlink_to(base)
    path = os.pathsep.join([str(tmp_path / "bin"), os.defpath])
    packages = {"PYTHONPATH": sysconfig.get_path("purelib"), "HOME": str(tmp_path), "PATH": path}
    built = run(["./postBuild"], cwd=tmp_path, env=packages)
    assert (built.returncode, built.stdout.split()[-2:]) == (0, ["-e", "."]), built.stderr
    settings = json.loads((tmp_path / ".jupyter" / "jupyter_server_config.json").read_text())
    folder = Path(settings["ServerApp"]["root_dir"])
    assert folder == tmp_path / "workspace"
    assert (folder / settings["LabApp"]["default_url"].rpartition("/")[2]).exists()


def test_the_workbook_is_installed_and_the_finished_project_is_not(tmp_path: Path) -> None:
    search = "from importlib.util import find_spec as f; print(bool(f('workbook')), f('jobboard'))"
    assert run([sys.executable, "-c", search], cwd=tmp_path).stdout.split() == ["True", "None"]
