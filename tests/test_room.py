"""A room: what is prepared for it, and one at work in which everything is killed once.

The rooms need what .ci/run installs beside the workbook; where that is missing, they are skipped.
"""

import asyncio
import csv
import json
import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from workbook import ROOT
from workbook.exercises import ids

if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from classroom import client, learner, rehearsal, room, server
from classroom.errors import RoomError
from classroom.rehearsal import HUB, LEARNERS, NOTEBOOKS, Room, Work

pytestmark = pytest.mark.author
MISSING = rehearsal.missing() if os.name == "posix" else "a room is served by Linux"
needs_room = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def command(folder: Path, *words: str) -> int:
    """`room …` on the command line."""
    parser = ArgumentParser()
    room.add_arguments(parser)
    return room.main(parser.parse_args(["--folder", str(folder), *words]))


# --- What is prepared


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ada\nAda\n", 'line 2: "Ada" cannot be a user name'),
        ("ada\n\nbob\nada\n", 'line 4: "ada" is there twice'),
        ("../ada", "line 1"),
        ("a" * 28, "at most 27"),
        ("zoë", "cannot be a user name"),
    ],
)
def test_a_name_that_cannot_be_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "names").write_text(text, encoding="utf-8")
    with pytest.raises(RoomError, match=says.replace(".", r"\.")):
        room.read_names(tmp_path / "names")


def test_names_are_read(tmp_path: Path) -> None:
    (tmp_path / "names").write_bytes(b"\xef\xbb\xbf# group A\r\nada\r\n\r\n bob-2 \r\n")
    assert room.read_names(tmp_path / "names") == ["ada", "bob-2"]


def test_without_a_room_each_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["ready"], ["start"], ["reset", "3"], ["results"], ["watch"]):
        assert command(tmp_path, *words) == 1
        assert capsys.readouterr().err.startswith(f"There is no room in {tmp_path}")


@pytest.mark.parametrize("value", ["=HYPERLINK(1)", "+1 is one step", "-1", "@x", "=", "plain", 7])
def test_no_report_is_a_formula(value: object) -> None:
    assert room.harmless(value) == (value if value in ("plain", 7) else f"'{value}")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--address", "http://192.0.2.7:8000"], "There are no names below 192.0.2.7"),
        (["--address", "http://[::1]"], "There are no names below ::1"),
        (["--address", "room.example.com"], "is not what learners type"),
        (["--address", "http://192.0.2.7:8000", "--one-origin"], ""),
        (["--address", "https://room.example.com"], ""),
        ([], ""),
    ],
)
def test_learners_pages_are_kept_apart_or_somebody_says_that_they_are_not(
    tmp_path: Path, words: list[str], says: str
) -> None:
    old = {
        "learners": ["ada"],
        "teachers": {"tess": "password"},
        "admin": "x",
        "bind": "http://127.0.0.1:1",
    }
    room.write(tmp_path / "room.json", json.dumps(old))  # of an older version
    parser = ArgumentParser()
    room.add_arguments(parser)
    given = parser.parse_args(["--folder", str(tmp_path), "prepare", *words])
    if says:
        with pytest.raises(RoomError, match=re.escape(says)):
            room.chosen(tmp_path, given)
        return
    found = room.chosen(tmp_path, given)
    assert set(found["codes"]) == {"ada", "tess"}
    apart = "--one-origin" not in words
    assert bool(room.origins(found)) == apart and ("tess" in room.people(found)) == apart


COMMAND = """
import argparse, sys
sys.path.append(sys.argv[1])
for name in sys.argv[2].split():
    sys.modules[name] = None
from classroom import room
parser = argparse.ArgumentParser()
room.add_arguments(parser)
sys.exit(room.main(parser.parse_args(sys.argv[3:])))
"""


@pytest.mark.parametrize(
    ("words", "without", "says"),
    [
        (["start"], "", "The hub at http://127.0.0.1:1 does not answer: "),
        (["start"], "tornado", "tornado.httpclient is missing in "),
        (["reset", "3"], "", "The hub at http://127.0.0.1:1 does not answer: "),
        (["reset", "3", "bob"], "", '"bob" is not a learner of this room.'),
        (["results"], "", "PostgreSQL: "),
        (["results", "nowhere/file.csv"], "", "PostgreSQL: "),
        (["prepare"], "", "PostgreSQL does not let us in: "),
        (["prepare", "--names", "nowhere"], "", "This did not work: No such file or directory"),
        (["prepare", "--teacher", "ada"], "", '"ada" is a teacher and a learner'),
    ],
)
def test_a_command_needs_no_jupyterhub_here_and_says_what_it_lacks(
    tmp_path: Path, words: list[str], without: str, says: str
) -> None:
    settings(tmp_path, bind="http://127.0.0.1:1")
    # Another folder, and nothing of the hub's: as the learners' environment has it.
    code = [sys.executable, "-c", COMMAND, str(ROOT), f"jupyterhub bcrypt {without}"]
    done = subprocess.run(
        [*code, "--folder", str(tmp_path), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(says)


def test_ready_names_everything_that_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings(tmp_path, bind="http://127.0.0.1:1")
    failed = command(tmp_path, "ready")
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not re.match(r"(ok    |open  |failed)  [a-z]+: ", line)] == []
    said = {line.split()[1]: line.split()[0] for line in lines}
    missing = {name for name, kind in said.items() if kind == "failed"}
    assert missing >= {"hub:", "postgresql:", "servers:", "versions:"}
    assert failed == len(missing)


def settings(folder: Path, **more: object) -> dict[str, Any]:
    """A room.json as `prepare` writes it."""
    given: dict[str, Any] = {
        "admin": "host=/nowhere user=postgres",
        "bind": "http://127.0.0.1:8000",
        "learners": ["ada"],
        "memory": "1G",
        "python": "/opt/learners/bin/python",
        "room": "room",
        "address": "http://localhost:8000",
        "one_origin": False,
        "codes": {"ada": "abcd-efgh", "tess": "ijkl-mnop"},
        "teachers": ["tess"],
        "token": "0" * 64,
    }
    room.write(folder / "room.json", json.dumps(given | more))
    return given | more


CONFIGURATION = """
import json, sys, types
if sys.argv[2] == "tljh":
    sys.modules["tljh"] = types.ModuleType("tljh")
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader
found = PyFileConfigLoader(sys.argv[1]).load_config()
def plain(value):
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else (
        value.to_dict() if hasattr(value, "to_dict") else value)
print(json.dumps(plain(found), default=str))
"""


def configuration(
    folder: Path, where: str = "", clone: Path = ROOT, **environment: str
) -> dict[str, Any]:
    """What jupyterhub_config.py says, as the hub's own Python reads it."""
    path = str(clone / "classroom" / "jupyterhub_config.py")
    env = {"PATH": os.environ["PATH"], "ROOM_FOLDER": str(folder), **environment}
    done = subprocess.run(
        [HUB, "-c", CONFIGURATION, path, where],
        env=env,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@needs_room
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="real accounts need root")
def test_a_real_room_has_separate_accounts_and_passwords(tmp_path: Path) -> None:
    settings(tmp_path)
    found = configuration(tmp_path)
    assert found["JupyterHub"]["spawner_class"] == "systemd"
    assert "CodeAuthenticator" in found["JupyterHub"]["authenticator_class"]
    assert found["SystemdSpawner"]["username_template"].startswith("room-")
    assert found["Spawner"]["mem_limit"] == "1G"
    assert (tmp_path / "hub").stat().st_mode & 0o077 == 0
    for near in ("yes", "1", "true"):  # one has to say what one gives up
        assert configuration(tmp_path, ROOM_TRIAL=near)["JupyterHub"]["spawner_class"] == "systemd"


@needs_room
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="real accounts need root")
def test_a_hub_without_its_proxy_says_what_to_do(tmp_path: Path) -> None:
    settings(tmp_path)
    path = str(ROOT / "classroom" / "jupyterhub_config.py")
    done = subprocess.run(
        [HUB, "-c", CONFIGURATION, path, ""],
        env={"PATH": "/nowhere", "ROOM_FOLDER": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    [line] = done.stderr.splitlines()
    assert line.endswith("sudo python3 -m workbook room install")


@needs_room
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="real accounts need root")
@pytest.mark.parametrize("open_to_all", [False, True])
def test_a_learners_server_has_ceilings(tmp_path: Path, open_to_all: bool) -> None:
    settings(tmp_path, network=open_to_all, admin="host=192.0.2.8 user=postgres")
    limits = configuration(tmp_path)["SystemdSpawner"]["unit_extra_properties"]
    denied = {"IPAddressDeny": "any", "IPAddressAllow": "localhost 192.0.2.8"}
    assert (denied.items() <= limits.items()) != open_to_all
    assert limits["TasksMax"] == "300" and limits["OOMPolicy"] == "continue"


@needs_room
def test_tljh_keeps_its_own_spawner_proxy_and_culler(tmp_path: Path) -> None:
    settings(tmp_path)
    found = configuration(tmp_path, "tljh")
    assert not {"spawner_class", "bind_url", "db_url"} & set(found["JupyterHub"])
    assert "cull" not in json.dumps(found["JupyterHub"]["services"])
    assert "CodeAuthenticator" in found["JupyterHub"]["authenticator_class"]
    assert found["Spawner"]["cmd"][0] == "/opt/learners/bin/python"


def test_a_learners_server_serves_their_desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WORKBOOK_HOME", "elsewhere")
    monkeypatch.chdir(tmp_path)
    calls: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda *call: calls.append(call))
    learner.serve(["--port=1"])
    [(_, command, environment)] = calls
    desk = tmp_path / "workbook" / "workspace"
    assert command[-1] == "--port=1" and f"--ServerApp.root_dir={desk}" in command
    assert environment["WORKBOOK_HOME"] == str(desk.parent) and Path.cwd() == desk
    assert (desk / room.FIRST.rpartition("/")[2]).exists()


# --- Kubernetes

KUBERNETES = ROOT / "classroom" / "kubernetes"


def text_of(name: str) -> str:
    """The text of a file for Kubernetes."""
    return (KUBERNETES / name).read_text(encoding="utf-8")


def values() -> dict[str, Any]:
    """Our values, with the files that `--set-file` adds."""
    found: dict[str, Any] = yaml.safe_load(text_of("values.yaml"))
    for each in found["hub"]["extraFiles"].values():
        each["stringData"] = (ROOT / "classroom" / Path(each["mountPath"]).name).read_text()
    return found


@pytest.fixture
def made_by_kubectl() -> dict[str, Any]:
    """What postgres.yaml makes, by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all(text_of("postgres.yaml"))}


def test_values_mount_what_the_hub_loads() -> None:
    hub = values()["hub"]
    [code] = hub["extraConfig"].values()
    compile(code, "extraConfig", "exec")
    mounted = {name: each["mountPath"] for name, each in hub["extraFiles"].items()}
    assert code.split('"')[1] in mounted.values()
    for name, path in mounted.items():
        told = f"--set-file hub.extraFiles.{name}.stringData=classroom/{Path(path).name}"
        assert told in text_of("values.yaml").split("hub:\n")[0]
    [mount], [volume] = hub["extraVolumeMounts"], hub["extraVolumes"]
    assert hub["extraEnv"]["ROOM_FOLDER"] == mount["mountPath"]
    assert mount["name"] == volume["name"]
    secret = volume["secret"]["secretName"]
    assert re.search(f"secret generic {secret} --from-file=.*/room.json\n", text_of("values.yaml"))


@needs_room
def test_the_hubs_pod_can_load_what_is_mounted(tmp_path: Path) -> None:
    settings(tmp_path)
    (tmp_path / "classroom").mkdir()
    for each in values()["hub"]["extraFiles"].values():
        path = tmp_path / "classroom" / Path(each["mountPath"]).name
        path.write_text(each["stringData"], encoding="utf-8")
    given = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "ROOM_TRIAL": "no isolation"}
    found = configuration(tmp_path, clone=tmp_path, **given)
    assert not {"bind_url", "db_url"} & set(found["JupyterHub"])
    assert not {"cmd", "mem_limit"} & set(found["Spawner"])
    services = [each["name"] for each in found["JupyterHub"]["services"]["extend"]]
    assert services == ["room", "watch"]


def test_image_is_what_the_values_start() -> None:
    image, single = text_of("Dockerfile"), values()["singleuser"]
    [(chart, hub)] = re.findall(r"chart (\S+) \(JupyterHub (\S+)\)", text_of("values.yaml"))
    assert f"--version {chart} " in text_of("values.yaml")
    assert f"\nARG JUPYTERHUB={hub}\n" in image
    tag = f"REGISTRY/{single['image']['name']}:{single['image']['tag']}"
    for text in (image, text_of("values.yaml")):
        assert f"docker build -f classroom/kubernetes/Dockerfile -t {tag} ." in text
    name = single["image"]["name"]
    assert f"--set singleuser.image.name=REGISTRY/{name} " in text_of("values.yaml")
    assert f"\nCMD {json.dumps(single['cmd'])}" in image
    file = Path(single["cmd"][1])
    assert f"\nCOPY . {file.parents[1]}\n" in image
    assert (ROOT / "classroom" / file.name).exists()
    assert f"\nWORKDIR {single['storage']['homeMountPath']}\n" in image
    assert single["defaultUrl"] == room.FIRST
    assert "\nUSER 1000\n" in image and "--require-hashes -r /tmp/requirements.lock" in image
    ignored = text_of("Dockerfile.dockerignore").splitlines()[1:]
    assert [line for line in ignored if line[0] != "!"] == ["*", "**/__pycache__"]
    assert all((ROOT / line[1:]).exists() for line in ignored if line[0] == "!")
    assert {"!alembic", "!classroom", "!notebooks", "!workbook"} <= set(ignored)


def test_hub_and_learners_reach_postgresql_and_no_neighbour(
    made_by_kubectl: dict[str, Any],
) -> None:
    service, policy = made_by_kubectl["Service"], made_by_kubectl["NetworkPolicy"]
    pods = made_by_kubectl["StatefulSet"]["spec"]
    labels = pods["template"]["metadata"]["labels"]
    assert pods["selector"]["matchLabels"] == service["spec"]["selector"] == labels
    assert policy["spec"]["podSelector"]["matchLabels"] == labels
    assert pods["serviceName"] == service["metadata"]["name"]
    assert f'--admin "host={service["metadata"]["name"]} user=postgres ' in text_of("values.yaml")
    [container] = pods["template"]["spec"]["containers"]
    [port] = [each["containerPort"] for each in container["ports"]]
    assert [each["port"] for each in service["spec"]["ports"]] == [port]
    [entrance] = policy["spec"]["ingress"]
    opened = [{"protocol": "TCP", "port": port}]
    assert entrance["ports"] == opened
    components = [each["podSelector"]["matchLabels"]["component"] for each in entrance["from"]]
    assert components == ["hub", "singleuser-server"]
    assert not policy["spec"].get("egress") and "Egress" in policy["spec"]["policyTypes"]
    given = values()
    for side in ("hub", "singleuser"):
        [rule] = given[side]["networkPolicy"]["egress"]
        assert rule == {"to": [{"podSelector": {"matchLabels": labels}}], "ports": opened}
    assert not any(given["singleuser"]["networkPolicy"]["egressAllowRules"].values())


def test_figures_for_postgresql_agree(made_by_kubectl: dict[str, Any]) -> None:
    [container] = made_by_kubectl["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    given = dict(each.removeprefix("-c").split("=") for each in container["args"])
    defaults = {"max_prepared_transactions": "0"}
    wanted = server.wanted(200)
    assert {name: int((defaults | given)[name]) for name in wanted} == wanted
    guide = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8").replace(",", "")
    rows = re.findall(r"^\| (\d+)[^|]*\|.*\| \d+ (\d+) \|$", guide, re.MULTILINE)
    assert len(rows) == 5
    for learners, most in rows:
        assert int(most) == server.wanted(int(learners))["max_connections"]


def test_postgresql_has_its_secret_and_keeps_its_data(made_by_kubectl: dict[str, Any]) -> None:
    spec = made_by_kubectl["StatefulSet"]["spec"]
    [container] = spec["template"]["spec"]["containers"]
    variables = {each["name"]: each for each in container["env"]}
    key = variables["POSTGRES_PASSWORD"]["valueFrom"]["secretKeyRef"]
    made = f"kubectl create secret generic {key['name']} --from-literal={key['key']}="
    assert made in text_of("postgres.yaml")
    [claim] = spec["volumeClaimTemplates"]
    kept = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    # From 18 on, the image keeps its data below a folder of the version.
    assert container["image"] == "postgres:18"
    assert kept.pop(claim["metadata"]["name"]) == "/var/lib/postgresql"
    assert set(kept) == {each["name"] for each in spec["template"]["spec"]["volumes"]}


# --- A room at work


@pytest.fixture(scope="module")
def made() -> Iterator[Room]:
    """A room for six, and one more who is looked at closely."""
    if MISSING:
        pytest.skip(MISSING)
    with rehearsal.a_room(7) as found:
        yield found


def test_everybody_gets_through_though_everything_is_killed_once(
    made: Room, tmp_path: Path
) -> None:
    names = made.names[:6]
    every = [Work() for _ in names]

    async def breaking() -> None:
        async def after(checks: int) -> None:
            while sum(len(done.checks) for done in every) < checks:
                await asyncio.sleep(0.2)

        await after(6)
        await asyncio.to_thread(rehearsal.kill_server, made, names[0])
        await after(30)
        await asyncio.to_thread(rehearsal.kill_database, made)
        await after(60)
        await asyncio.to_thread(rehearsal.kill_hub, made)

    async def lesson() -> None:
        assert await client.start(made.hub, names) == {}
        breaks = asyncio.create_task(breaking())
        await asyncio.gather(
            *(
                rehearsal.work(made, name, NOTEBOOKS, done, number=number)
                for number, (name, done) in enumerate(zip(names, every, strict=True))
            )
        )
        if any(done.problems for done in every):
            breaks.cancel()  # it may wait for checks that nobody makes any more
        else:
            await breaks

    asyncio.run(lesson())
    assert [problem for done in every for problem in done.problems] == []
    assert all(done.mistakes for done in every)
    assert sum(done.retries for done in every)
    expected = {each for each in ids() if int(each.split(".")[0]) < len(NOTEBOOKS)}
    for name in names:
        done = json.loads((made.home(name) / "progress.json").read_text())["done"]
        assert set(done) == expected
    # The reports: not one is missing of what was done, for all that was killed.
    assert command(made.place, "results", str(tmp_path / "results.csv")) == 0
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in names:
        mine = [row for row in rows if row["learner"] == name]
        assert {row["exercise"] for row in mine if row["outcome"] == "done"} == expected
        assert any(row["outcome"] in ("mistake", "not yet", "not attempted") for row in mine)


def test_a_kernel_outlives_the_hub_and_work_a_killed_server(made: Room) -> None:
    name = made.names[6]

    async def through_the_hubs_end() -> client.Done:
        assert await client.start(made.hub, [name]) == {}
        async with client.kernel(made.hub, name) as kernel:
            await kernel.run("kept = 42\nfrom workbook import start; start(4)")
            await asyncio.to_thread(rehearsal.kill_hub, made)
            return await kernel.run("print(kept)")

    assert asyncio.run(through_the_hubs_end()).text == "42\n"
    rehearsal.kill_database(made)
    rehearsal.kill_server(made, name)
    said = asyncio.run(client.run(made.hub, name, "from workbook import start; start(4)"))
    assert "You go on" in said.text


def test_a_learners_server_has_its_own_password_and_kernels_with_sockets(made: Room) -> None:
    name = made.names[6]

    async def look() -> tuple[str, str, str, list[tuple[object, ...]]]:
        assert await client.start(made.hub, [name]) == {}
        async with client.kernel(made.hub, name) as kernel:
            said = await kernel.run("import os, json; print(json.dumps(dict(os.environ)))")
            await kernel.run("import sys; from ipykernel.connect import get_connection_info")
            kind = await kernel.run("print(json.loads(get_connection_info())['transport'])")
            pipe = await kernel.run("print(sys.stdout.pub_thread._pipe_port)")
            listening = [
                tuple(found.laddr)
                for process in rehearsal.family(made, name)[1:]
                for found in process.net_connections("inet")
                if found.status == psutil.CONN_LISTEN
            ]
            return said.text, kind.text, pipe.text, listening

    text, kind, pipe, listening = asyncio.run(look())
    assert kind == "ipc\n"
    # One port is left, whatever the transport is: where forked children (multiprocessing) hand in
    # their output. ipykernel 7.4 has no option against it (kernelapp.py: IOPubThread(…, pipe=True));
    # it drops what does not begin with 16 random bytes (iostream.py: _setup_pipe_in).
    assert listening == [("127.0.0.1", int(pipe))]
    environment = json.loads(text)
    role = server.role_name(name)
    assert (environment["PGUSER"], environment["PGDATABASE"]) == (role, role)
    assert environment["WORKBOOK_HOME"] == str(made.home(name))
    given = room.settings(made.place)
    assert given["token"] not in text and "user=postgres" not in text
    assert Path(environment["PATH"].split(os.pathsep)[0]) == LEARNERS.parent


def test_reset_puts_one_learner_to_a_chapters_start(
    made: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    name = made.names[6]
    assert command(made.place, "reset", "3", name) == 0
    said = capsys.readouterr().out
    assert f"ok      {name}:" in said and "Chapter 3 starts with" in said
    assert command(made.place, "reset", "77", name) == 1
    said = capsys.readouterr().out
    assert "There is no chapter 77" in said and "restart" not in said
    assert command(made.place, "reset", "3", "nobody") == 1
    assert '"nobody" is not a learner of this room' in capsys.readouterr().err


def test_ready_says_what_is_missing_and_start_mends_it(
    made: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, name = made.place, made.names[6]
    assert command(folder, "start") == 0
    capsys.readouterr()
    asyncio.run(client.stop(made.hub, name))
    command(folder, "ready")
    said = capsys.readouterr().out
    assert f"failed  servers: {len(made.names) - 1} of {len(made.names)} are up" in said
    for check in ("hub", "origins", "postgresql", "settings", "disk", "memory", "versions"):
        assert f"ok      {check}: " in said, said
    assert command(folder, "start") == 0
    command(folder, "ready")
    assert f"ok      servers: {len(made.names)} of {len(made.names)}" in capsys.readouterr().out


def test_a_runaway_query_is_watched_for(made: Room) -> None:
    assert made.hub_process
    services = psutil.Process(made.hub_process.pid).children(recursive=True)
    watching = [each for each in services if each.cmdline()[-1:] == ["watch"]]
    assert len(watching) == 1, (made.folder / "hub.log").read_text()[-2000:]
    assert "Service watch exited" not in (made.folder / "hub.log").read_text()
