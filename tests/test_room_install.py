"""`room install` on this machine: a room of a test's own is made, spoilt, mended and taught in.

It needs root and Debian's PostgreSQL, as .ci/run has them. systemd's files are written and looked
at; what systemd would start is started by hand, without accounts of the learners' own.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from classroom import install, rehearsal, room
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
        command = [sys.executable, "-m", "workbook", "room", "--folder", str(self.folder)]
        done = subprocess.run(
            [*command, *shlex.split(words)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, (done.stdout + done.stderr).splitlines()

    def install(self, more: str = "") -> dict[str, str]:
        """What the install says of each of its steps."""
        words = f"install names.txt --room {NAME} --teacher ada --bind {self.bind} {more}"
        status, lines = self.room(words)
        assert status == 0, lines
        found = [re.fullmatch(r"(ok|done|missing) +([^:]*)(:.*)?", line) for line in lines]
        return {each[2]: each[1] for each in found if each}


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    above = Path(tempfile.mkdtemp(prefix="i-", dir="/tmp"))
    above.chmod(0o711)
    found = Machine(above / "r", f"http://127.0.0.1:{rehearsal.free_port()}")
    (above / "names.txt").write_text("bob\ncyd\ndemo\n")
    ports = {"hub_port": rehearsal.free_port(), "proxy_port": rehearsal.free_port(), "admin": ""}
    found.folder.mkdir()
    room.write(found.folder / "room.json", json.dumps(ports))
    try:
        yield found
    finally:
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
    assert {said[name] for name in names[5:]} == {"missing"}
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


def test_systemd_takes_the_files(machine: Machine) -> None:
    unit = install.UNITS / install.service(machine.plan)
    done = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert unit.name not in done.stderr, done.stderr
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
