"""`room install` on this machine: a room of a test's own is made, spoilt, mended and taught in.

It needs root and Debian's PostgreSQL, as .ci/run has them. systemd's files are written and looked
at; what systemd would start is started by hand, without accounts of the learners' own.
"""

import argparse
import asyncio
import contextlib
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from test_room import configuration

from classroom import client, install, rehearsal, room
from classroom.errors import RoomError
from workbook import ROOT

pytestmark = pytest.mark.author
if os.name != "posix" or os.geteuid() != 0 or not shutil.which("pg_createcluster"):
    pytest.skip("needs root on Debian or Ubuntu, with PostgreSQL", allow_module_level=True)
GUIDE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
NAME = "trial"


@dataclass
class Machine:
    """Where the room of these tests lies, and what it is called."""

    folder: Path
    bind: str

    @property
    def plan(self) -> install.Plan:
        given = {"room": NAME, "bind": self.bind, "learners": [], "teachers": []}
        return install.Plan(self.folder, given)

    def room(self, words: str) -> tuple[int, list[str]]:
        """`room …` with our folder and our files; its exit status and lines."""
        words = re.sub(r"\b(\w+\.(?:txt|html|csv))", f"{self.folder.parent}/\\1", words)
        parser, said = argparse.ArgumentParser(), io.StringIO()
        room.add_arguments(parser)
        given = parser.parse_args(["--folder", str(self.folder), *shlex.split(words)])
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = room.main(given)
        return status, said.getvalue().splitlines()

    def install(self, more: str = "") -> dict[str, str]:
        """What the install says of each of its steps."""
        words = f"install names.txt --room {NAME} --teacher ada --bind {self.bind} {more}"
        status, lines = self.room(words)
        assert status == 0, lines[-5:]
        found = [re.fullmatch(r"(ok|done|missing) +([^:]*)(:.*)?", line) for line in lines]
        return {each[2]: each[1] for each in found if each}


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    monkeypatch = pytest.MonkeyPatch()
    above = Path(tempfile.mkdtemp(prefix="i-", dir="/tmp"))
    above.chmod(0o711)
    found = Machine(above / "r", f"http://127.0.0.1:{rehearsal.free_port()}")
    (above / "names.txt").write_text("bob\ncyd\ndemo\n")
    ports = {"hub_port": rehearsal.free_port(), "proxy_port": rehearsal.free_port(), "admin": ""}
    found.folder.mkdir()
    if install.closed(found.plan):  # CI's clone may lie anywhere: its learners have no accounts
        monkeypatch.setattr(install, "STEPS", install.STEPS[1:])
    room.write(found.folder / "room.json", json.dumps(ports))
    try:
        yield found
    finally:
        monkeypatch.undo()
        for path in install.files(found.plan):
            path.unlink(missing_ok=True)
            if path.parent.name.endswith(".service.d") and path.parent.exists():
                path.parent.rmdir()
        if there := install.cluster(found.plan):
            subprocess.run(["pg_dropcluster", "--stop", there[0], there[1]], check=True)
        shutil.rmtree(above)


def test_a_dry_run_says_what_is_missing_and_changes_nothing(machine: Machine) -> None:
    said = machine.install("--dry-run")
    names = [step.name for step in install.STEPS]
    assert [*said] == names
    assert {said[name] for name in names[-4:]} == {"missing"}
    assert not install.cluster(machine.plan)
    assert [path.name for path in machine.folder.iterdir()] == ["room.json"]


def test_bad_input_is_one_line_before_anything_is_done(machine: Machine) -> None:
    for words, says in (
        ("install nowhere.txt", "This did not work: No such file"),
        ("install names.txt --address http://192.0.2.7", "There are no names below 192.0.2.7"),
        ("install names.txt --teacher bob", '"bob" is a teacher and a learner'),
    ):
        status, lines = machine.room(words)
        assert status == 1 and len(lines) == 1 and lines[0].startswith(says)


def test_a_room_is_made_and_the_second_time_nothing_is_left_to_do(machine: Machine) -> None:
    assert {*machine.install().values()} <= {"ok", "done"}
    assert {*machine.install().values()} == {"ok"}
    given = room.settings(machine.folder)
    assert given["learners"] == ["bob", "cyd", "demo"] and given["teachers"] == ["ada"]
    assert (machine.folder / "room.json").stat().st_mode & 0o077 == 0
    password = given["admin"].split("password=")[1]
    version, name, _, _ = install.cluster(machine.plan)
    log = Path(f"/var/log/postgresql/postgresql-{version}-{name}.log").read_text()
    assert "ready to accept connections" in log and password not in log


def test_a_clone_that_learners_cannot_reach_is_refused(tmp_path: Path) -> None:
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(install, "BASE", tmp_path / "closed" / "python")
    (tmp_path / "closed").mkdir(mode=0o700)
    with pytest.raises(RoomError, match=r"cannot get through .*: sudo git clone .* /opt/workbook"):
        install.elsewhere(install.Plan(tmp_path))
    monkeypatch.undo()


def test_systemd_takes_the_files(machine: Machine) -> None:
    unit = install.UNITS / install.service(machine.plan)
    config = configuration(machine.folder)["SystemdSpawner"]["unit_extra_properties"]
    limits = "\n".join(f"{name}={value}" for name, value in config.items())
    learners = machine.folder / "learners.service"  # as systemd-run makes it for each
    cluster = install.CLUSTERS_LIMITS.partition("[Service]")[2]
    learners.write_text(f"[Service]\nExecStart=/bin/true\n{limits}{cluster}")
    for path in (unit, learners):
        done = subprocess.run(
            ["systemd-analyze", "verify", path], capture_output=True, text=True, check=False
        )
        assert path.name not in done.stderr, done.stderr
    words = shlex.split(install.by_hand(machine.plan))
    assert words[0] == "sudo" and words[1] == f"ROOM_FOLDER={machine.folder}"


def test_what_was_spoilt_is_put_right_and_nothing_else(machine: Machine) -> None:
    version, name, _, _ = install.cluster(machine.plan)
    subprocess.run(["pg_ctlcluster", version, name, "stop"], check=True)
    (install.UNITS / install.service(machine.plan)).unlink()
    codes = room.settings(machine.folder)["codes"]
    (machine.folder.parent / "names.txt").write_text("bob\ncyd\ndemo\neve\n")
    said = machine.install()
    done = {name for name, kind in said.items() if kind == "done"}
    assert done == {"a PostgreSQL of the room's own", "the room", "the service"}
    after = room.settings(machine.folder)["codes"]
    assert codes.items() < after.items() and after.keys() - codes == {"eve"}


def test_a_password_that_was_lost_is_made_anew(machine: Machine) -> None:
    path = machine.folder / "room.json"
    given = room.settings(machine.folder)
    room.write(path, json.dumps({**given, "admin": given["admin"][:-4] + "lost"}))
    said = machine.install()
    assert [name for name, kind in said.items() if kind == "done"] == ["its superuser"]


def test_https_is_for_each_name(machine: Machine) -> None:
    plan = machine.plan
    plan.given |= {"address": "https://room.example.com", "one_origin": False}
    plan.given |= {"learners": ["bob", "a_b"], "teachers": ["ada"]}
    lines = install.caddyfile(plan).splitlines()
    names = lines[1].removesuffix(" {").split(", ")
    assert names[0] == "room.example.com" and names[2:] == [
        "ada.room.example.com",
        "bob.room.example.com",
    ]
    assert re.fullmatch(r"[a-z0-9-]+\.room\.example\.com", names[1])  # no certificate has a _
    assert lines[2].strip() == f"reverse_proxy {machine.bind.removeprefix('http://')}"


# --- The guide, followed word by word

DURING = {  # in this order; with what it says
    "room start": "3 of 3 servers are up",
    "room ready": "ok      servers: 3 of 3 are up",
    "room password bob": "bob signs in with the code",
    "room reset 3 bob": "ok      bob: ",
    "room page after.html": "after.html is about 0 checks, and names nobody.",
    "room results reports.csv": "0 reports are in ",
    "room install names.txt --network": "done    the room: network to be told",
    "room prepare --names names.txt": "3 learners may come to http://localhost",
}
ELSEWHERE = {
    "room": "a word that the guide explains",
    "sudo python3 -m workbook room": "what that word stands for",
    "room --folder ./room ready": "each of these tests names a folder",
    "sudo git clone ADDRESS /opt/workbook": "git's own; a clone that cannot be read is refused above",
    "room install names.txt --teacher ada --address https://room.example.com": "below, without Caddy",
    "room rehearse --learners 30": "test_room.py has seven learners: thirty take half an hour",
    "room prepare --one-origin": "test_room_browser.py",
    'room prepare --names names.txt --admin "host=127.0.0.1 user=postgres"': "`install` and the rehearsals call it, with addresses of their own",
    "nft -f /srv/room/connections.nft": "the hub's service calls it; a container may not",
    "room board": "opens JupyterLab until somebody closes it; test_board.py runs the board",
    "python3 -m workbook present": "test_stage.py",
    "ssh -L": "another program",
}


def test_every_command_of_the_guide_is_known() -> None:
    words = r"`((?:room|sudo|python3|nft|ROOM_FOLDER|npm|ssh)(?: [^`]*|=[^`]*)?)`"
    assert {*re.findall(words, GUIDE.replace("\n", " "))} == {*DURING, *ELSEWHERE}


@pytest.fixture(scope="module")
def hub(machine: Machine) -> Iterator[None]:
    """What the service would start, without accounts of the learners' own."""
    (machine.folder.parent / "names.txt").write_text("bob\ncyd\ndemo\n")
    machine.install()
    [_, variable, *command] = shlex.split(install.by_hand(machine.plan))
    env = {**os.environ, "ROOM_TRIAL": "no isolation", "ROOM_FOLDER": variable.partition("=")[2]}
    with (machine.folder.parent / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=machine.folder / "hub",
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    started: set[psutil.Process] = set()
    try:
        for _ in range(300):
            if install.answers(machine.plan):
                break
            assert process.poll() is None, (machine.folder.parent / "log").read_text()[-2000:]
            time.sleep(0.2)
        yield
        started = set(psutil.Process(process.pid).children(recursive=True))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        for each in started:
            with contextlib.suppress(psutil.Error):
                each.kill()


@pytest.mark.usefixtures("hub")
def test_ready_has_tried_what_it_says(machine: Machine) -> None:
    assert asyncio.run(client.start(room.connection(room.settings(machine.folder)), ["bob"])) == {}
    _, lines = machine.room("ready")
    said = {line.split(":")[0].split()[1]: line for line in lines}
    for name in ("hub", "origins", "proxy", "postgresql", "settings", "watch", "versions"):
        assert said[name].startswith("ok"), lines
    # Without systemd's units nothing limits these, and that is what it says.
    for name in ("processes", "homes", "network"):
        assert said[name].startswith("open"), lines


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("words", DURING)
def test_the_guide_is_followed(machine: Machine, words: str) -> None:
    _, lines = machine.room(words.removeprefix("room "))
    assert any(line.startswith(DURING[words]) or DURING[words] in line for line in lines), lines
