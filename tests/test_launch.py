"""The two commands: the set-up against installers that fail, JupyterLab from start to end.

The set-up is driven with a `uv` and a `pip` of our own, which note what they are asked for and fail
on demand; a real first set-up is what runs before any of this.
"""

import ast
import contextlib
import json
import os
import re
import runpy
import shutil
import signal
import site
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg2
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

from workbook import ROOT, WorkbookError, home
from workbook.contents import CHAPTERS
from workbook.launch import cli, doctor, lab
from workbook.server import postgres

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and scripts of POSIX")

BASE = getattr(sys, "_base_executable", sys.executable)  # a Python outside of any environment
PATIENCE = 60  # seconds, for a machine that has much else to do

# Our uv, and pip, and venv, each in the few lines that the set-up needs of them.
INSTALLER = """\
#!{python} -ES
import json, os, signal, sys, time
here = {here!r}
arguments = sys.argv[1:]
step = "venv" if "venv" in arguments[:1] else "project" if "-e" in arguments else "install"
step = "version" if arguments == ["--version"] else "get uv" if arguments[-1] == "uv" else step
with open(here + "/log", "a") as log:
    log.write(json.dumps([step, *arguments]) + "\\n")
plan = json.load(open(here + "/plan")).get(step, {{}})
venv = os.path.join(os.getcwd(), ".venv")
packages = venv + "/lib/python%d.%d/site-packages" % sys.version_info[:2]
half = venv + "/half-made-by-" + step
if step in ("venv", "install"):
    open(half, "w").close()
if "sleep" in plan:
    with open(here + "/new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(here + "/new", here + "/sleeping")
    time.sleep(plan["sleep"])
if "kill" in plan:
    with open(here + "/plan", "w") as file:
        file.write("{{}}")
    os.kill(os.getpid(), signal.SIGKILL)
if "fail" in plan:
    sys.exit(plan["fail"])
if step in ("venv", "install"):
    os.makedirs(packages, exist_ok=True)
    os.remove(half)
if step == "venv":
    os.makedirs(venv + "/bin", exist_ok=True)
    os.symlink({python!r}, venv + "/bin/python")
    for name, text in [("pyvenv.cfg", "home = " + os.path.dirname({python!r}) + "\\n"),
                       (packages[len(venv) + 1:] + "/stubs.pth", here + "/stubs")]:
        with open(venv + "/" + name, "w") as file:
            file.write(text)
elif step == "install":
    open(packages + "/jupyterlab.py", "w").close()
"""
INSIDE = """\
import json, os, sys
def main(argv):
    strange = [name for name in os.environ if name.startswith(("PYTHON", "PIP"))]
    print("inside", json.dumps([sys.prefix, os.getcwd(), argv, strange]))
    return 7
"""


@dataclass
class Clone:
    """A copy of what the set-up reads, in a path with a space, with installers of our own."""

    root: Path
    tools: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def begin(self, *arguments: str, python: str = BASE) -> "subprocess.Popen[str]":
        home = {"HOME": str(self.tools / "home"), "LANG": "C.UTF-8"}
        return begin(python, *arguments, cwd=self.root, env=home | self.environment)

    def run(self, *arguments: str, python: str = BASE) -> "subprocess.CompletedProcess[str]":
        return finish(self.begin(*arguments, python=python))

    def plan(self, **steps: Mapping[str, object]) -> None:
        """What the installers do at each step; nothing said, they succeed."""
        (self.tools / "plan").write_text(json.dumps(steps))

    def asked(self) -> list[list[str]]:
        """What the installers were asked for since the last time."""
        log = self.tools / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [call for line in lines if (call := json.loads(line))[0] != "version"]

    def steps(self) -> list[str]:
        return [call[0] for call in self.asked()]

    def asleep(self) -> int:
        """Wait until an installer sleeps; its pid."""
        wait_for((self.tools / "sleeping").exists)
        return int((self.tools / "sleeping").rename(self.tools / "seen").read_text())

    def interrupt(self, number: signal.Signals) -> "subprocess.CompletedProcess[str]":
        """A start that gets a signal when an installer sleeps."""
        running = self.begin()
        installer = self.asleep()
        os.killpg(running.pid, number)
        if number == signal.SIGKILL:  # the installer outlives us, and keeps others waiting
            os.kill(installer, number)
        return finish(running)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    root, tools = tmp_path / "my clone", tmp_path / "tools"
    (root / "workbook" / "launch").mkdir(parents=True)
    (root / "workbook" / "launch" / "__init__.py").touch()
    (tools / "home").mkdir(parents=True)
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(ROOT / "workbook" / name, root / "workbook")
    (root / "workbook" / "launch" / "cli.py").write_text(INSIDE)
    for name in ("pyproject.toml", "requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / name, root)
    program = INSTALLER.format(python=BASE, here=str(tools))
    (tools / "uv").write_text(program)
    (tools / "uv").chmod(0o755)
    clone = Clone(root, tools, {"PATH": str(tools)})
    clone.plan()
    return clone


@pytest.fixture
def ready(clone: Clone) -> Clone:
    """The same where the set-up is done, with a file of the user's in .venv."""
    assert_inside(clone.run(), clone)
    (clone.venv / "mine").touch()
    clone.asked()
    return clone


@pytest.fixture
def clone_without_uv(clone: Clone) -> Clone:
    """The same where `python -m venv` and pip have to do."""
    stubs = clone.tools / "stubs"
    for name in ("venv", "pip"):
        (stubs / name).mkdir(parents=True)
        (stubs / name / "__init__.py").touch()
        program = INSTALLER.format(python=BASE, here=str(clone.tools))
        (stubs / name / "__main__.py").write_text(
            program.replace("arguments = sys.argv[1:]", f"arguments = ['{name}', *sys.argv[1:]]")
        )
    (clone.tools / "uv").unlink()
    packages = site.getusersitepackages().replace(str(Path.home()), str(clone.tools / "home"))
    Path(packages).mkdir(parents=True)
    (Path(packages) / "usercustomize.py").write_text(f"import sys; sys.path[:0] = [{str(stubs)!r}]")
    clone.plan(**{"get uv": {"fail": "no network"}})
    return clone


def begin(python: str, *arguments: str, cwd: Path, env: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [python, "-m", "workbook", *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is so; fails after a time that only a defect needs."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, condition
        time.sleep(0.05)


def assert_inside(done: "subprocess.CompletedProcess[str]", clone: Clone, *argv: str) -> None:
    """The set-up is done, and the command line goes on in .venv."""
    assert done.stderr == ""
    told = done.stdout.splitlines()[-1].partition(" ")
    assert told[0] == "inside", done.stdout
    expected = [str(clone.venv), str(clone.root), list(argv), []]
    assert json.loads(told[2]) == expected
    assert done.returncode == 7
    assert not list(clone.venv.glob("half-made*"))


def assert_one_line(done: "subprocess.CompletedProcess[str]", line: str, status: int = 1) -> None:
    """The command failed, and what it said of its own is one line, the last."""
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert line in lines[-1], done.stderr
    assert sum(line in each for each in lines) == 1, done.stderr


# The set-up


def test_first_and_second_start(clone: Clone) -> None:
    done = clone.run("a", "b", "--", "--no-browser", "--port=1")
    assert_inside(done, clone, "a", "b", "--", "--no-browser", "--port=1")
    venv, install, project = clone.asked()
    assert venv[1] == "venv" and venv[-1] == str(clone.venv)
    assert install[1:3] == ["pip", "install"]
    assert ["--require-hashes", "-r", str(clone.root / "requirements.lock")] == install[-3:]
    assert ["--no-deps", "--no-build-isolation", "-e", str(clone.root)] == project[-4:]
    assert [line[:5] for line in done.stdout.splitlines()[:3]] == ["[1/3]", "[2/3]", "[3/3]"]
    done = clone.run("doctor")
    assert_inside(done, clone, "doctor")
    assert len(done.stdout.splitlines()) == 1
    assert_inside(clone.run(python=str(clone.venv / "bin" / "python")), clone)
    assert clone.asked() == []


@pytest.mark.parametrize("shim", [False, True], ids=["no uv", "one that does not work"])
def test_pip_where_there_is_no_uv(clone_without_uv: Clone, shim: bool) -> None:
    """Or a shim of pyenv's, for instance."""
    clone = clone_without_uv
    if shim:
        (clone.tools / "uv").write_text("#!/bin/sh\necho uv: command not found >&2; exit 127\n")
        (clone.tools / "uv").chmod(0o755)
    assert_inside(clone.run(), clone)
    venv, get_uv, install, _ = clone.asked()
    assert venv[:2] == ["venv", "venv"] and get_uv[0] == "get uv"
    assert install[:3] == ["install", "pip", "install"]
    assert ["--require-hashes", "-r", str(clone.root / "requirements.lock")] == install[-3:]
    assert_inside(clone.run(), clone)
    assert clone.asked() == []


def test_no_venv_module(clone_without_uv: Clone) -> None:
    clone = clone_without_uv
    missing = clone.tools / "stubs" / "ensurepip.py"
    missing.write_text("raise ImportError\n")
    assert_one_line(clone.run(), "sudo apt install python3-venv")
    missing.unlink()
    assert_inside(clone.run(), clone)


@pytest.mark.parametrize("more", ["test", "site"])
def test_what_needs_more_installs_the_lock_of_the_tests(ready: Clone, more: str) -> None:
    assert_inside(ready.run(more, "-x"), ready, more, "-x")
    install, _ = ready.asked()
    assert install[-1] == str(ready.root / "requirements-test.lock")
    for command in (more, "doctor"):
        assert_inside(ready.run(command), ready, command)
    assert ready.asked() == []


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("requirements.lock", ["install", "project"]),
        ("pyproject.toml", ["install", "project"]),
        (".venv/lib", ["install", "project"]),  # an upgrade of Python: no packages for it
        (".venv/bin", ["venv", "install", "project"]),
    ],
)
def test_what_has_changed_or_gone_is_installed_again(
    ready: Clone, name: str, steps: list[str]
) -> None:
    if name.startswith(".venv"):
        shutil.rmtree(ready.root / name)
    else:
        change(ready.root / name)
    assert_inside(ready.run(), ready)
    assert ready.steps() == steps
    assert (ready.venv / "mine").exists() == ("venv" not in steps)
    assert_inside(ready.run(), ready)
    assert ready.asked() == []


def change(path: Path) -> None:
    with path.open("a") as file:
        file.write("\n# changed\n")


def test_another_python_uses_the_same_environment(ready: Clone) -> None:
    other = run_as(ready, "sys.version = 'another'")
    assert other.returncode == 7 and ready.asked() == []


def run_as(clone: Clone, setting: str) -> "subprocess.CompletedProcess[str]":
    """A start in a Python that is another in this."""
    code = f"import runpy, sys; {setting}; runpy.run_module('workbook', None, '__main__')"
    command, env = [BASE, "-c", code], clone.environment
    return subprocess.run(
        command, cwd=clone.root, env=env, capture_output=True, text=True, check=False
    )


def test_an_environment_of_the_users_own(clone: Clone) -> None:
    (clone.venv / "bin").mkdir(parents=True)
    (clone.venv / "bin" / "python").symlink_to(BASE)
    (clone.venv / "pyvenv.cfg").write_text(f"home = {Path(BASE).parent}\n")
    mine = clone.venv / "mine"
    mine.touch()
    assert_inside(clone.run(), clone)
    assert clone.steps() == ["install", "project"] and mine.exists()


@pytest.mark.parametrize("way", ["copied", "renamed"])
def test_a_clone_that_was_moved(ready: Clone, way: str) -> None:
    """Its scripts and the project that it imports are those of the folder that it was made in."""
    other = replace(ready, root=ready.root.with_name(way))
    if way == "copied":
        shutil.copytree(ready.root, other.root, symlinks=True)
        assert_inside(ready.run(), ready)
    else:
        ready.root.rename(other.root)
    assert_inside(other.run("doctor"), other, "doctor")
    assert other.steps() == ["venv", "install", "project"]
    assert not (other.venv / "mine").exists()
    assert_inside(other.run(), other)
    link = replace(ready, root=ready.root.with_name("link"))
    link.root.symlink_to(other.root)
    assert link.run().returncode == 7
    assert other.steps() == []


def test_a_copys_environment_does_not_work_in_the_original(tmp_path: Path) -> None:
    """As VS Code starts a kernel: without the launcher, which would make it again."""
    venv.create(tmp_path / ".venv", symlinks=True, with_pip=False)
    (tmp_path / ".venv" / ".workbook-ready").touch()
    code = "import sys; sys.path.append(sys.argv[1]); import workbook; workbook.home()"
    python = tmp_path / ".venv" / "bin" / "python"
    done = subprocess.run(
        [python, "-c", code, ROOT], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert f"run python3 -m workbook in {tmp_path} once" in done.stderr


@pytest.mark.parametrize("whose", ["ours", "another's"])
def test_the_workbook_in_the_users_python(clone: Clone, whose: str) -> None:
    """It serves as it is, unless it is there for another clone."""
    packages = clone.tools / "packages"
    about = packages / "migrations_workbook-1.dist-info"
    about.mkdir(parents=True)
    (packages / "jupyterlab.py").touch()
    place = clone.root if whose == "ours" else clone.tools
    (about / "METADATA").write_text("Name: migrations-workbook\n")
    (about / "direct_url.json").write_text(json.dumps({"url": place.as_uri()}))
    clone.environment["PYTHONPATH"] = str(packages)
    assert clone.run().returncode == 7
    assert clone.venv.exists() == (whose != "ours")


def test_variables_that_lead_to_other_files(clone: Clone) -> None:
    """PYTHONHOME is for another Python, and what shadows our packages is on PYTHONPATH."""
    values = {"PYTHONPATH": "/nowhere", "PYTHONOPTIMIZE": "2", "PYTHONINSPECT": "1"}
    clone.environment |= values | {"PIP_TARGET": "/nowhere", "PYTHONHOME": sys.base_prefix}
    for python in (BASE, BASE, str(clone.venv / "bin" / "python")):
        assert_inside(clone.run(python=python), clone)


def test_something_else_that_is_called_venv(clone: Clone) -> None:
    clone.venv.mkdir()
    mine = clone.venv / "mine"
    mine.touch()
    assert_one_line(clone.run(), "There is a .venv here that the workbook did not make")
    assert clone.asked() == [] and mine.exists()


FULL = "error: Failed to install: pandas\n  Caused by: No space left on device (os error 28)"
FAILURES = {
    "error: Request failed after 3 retries\n  cause: client error (Connect)\n  cause: dns error\n"
    "  cause: failed to lookup address information": "check the network",
    "WARNING: Retrying after connection broken by 'NewConnectionError'\n"
    "ERROR: No matching distribution found for alembic==1.20.1": "check the network",
    "error: operation timed out": "check the network",
    FULL: "The disk is full",
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left": "disk is full",
    "error: failed to write\n  Caused by: Disk quota exceeded (os error 122)": "disk is full",
    "  Failed to download `pandas==3.1.1`\n  Caused by: Hash mismatch for `pandas==3.1.1`": "is not the",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated "
    "the package versions, please update the hashes.": "not the one that the lock names",
    "error: client error (Connect)\n  Caused by: invalid peer certificate: UnknownIssuer": "trusted",
    "error: failed to create `/x/.venv`: Permission denied (os error 13)": "folder of your own",
    "OSError: [Errno 30] Read-only file system: '/x/.venv'": "Read-only file system: '/x/.venv': mend",
    "error: something new\nhint: look here": "This did not work: hint: look here",
}


@pytest.mark.parametrize(
    ("step", "words"),
    [*((("install"), words) for words in FAILURES), ("venv", FULL), ("project", FULL)],
    ids=range(len(FAILURES) + 2),
)
def test_a_failure_in_one_line(clone: Clone, step: str, words: str) -> None:
    clone.plan(**{step: {"fail": words}})
    assert_one_line(clone.run(), FAILURES[words])
    assert not (clone.venv / ".workbook-ready").exists()
    clone.plan()
    clone.asked()
    assert_inside(clone.run(), clone)
    assert clone.steps() == ["venv", "install", "project"]


def test_a_killed_installer_gets_another_chance(clone: Clone) -> None:
    clone.plan(install={"kill": True})
    assert_inside(clone.run(), clone)
    assert clone.steps() == ["venv", "install", "install", "project"]


def test_venv_is_a_file(clone: Clone) -> None:
    clone.venv.touch()
    assert_one_line(clone.run(), "File exists")


@pytest.mark.parametrize("step", ["venv", "install", "project"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted(clone: Clone, step: str, number: signal.Signals) -> None:
    clone.plan(**{step: {"sleep": PATIENCE}})
    done = clone.interrupt(number)
    if number == signal.SIGINT:
        assert_one_line(done, "Stopped. Nothing is broken", status=130)
        assert len(done.stderr.splitlines()) == 1
    clone.plan()
    clone.asked()
    assert_inside(clone.run(), clone)
    assert clone.steps() == ["venv", "install", "project"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_while_it_installs_again(ready: Clone, number: signal.Signals) -> None:
    """What looks installed then may be half there, and nothing of the user's is deleted."""
    change(ready.root / "requirements.lock")
    ready.plan(install={"sleep": PATIENCE})
    ready.interrupt(number)
    ready.plan()
    ready.asked()
    assert_inside(ready.run(), ready)
    install, _ = ready.asked()
    assert install[-1] == "--reinstall" and (ready.venv / "mine").exists()


def test_what_the_set_up_does_quietly_can_be_imported() -> None:
    """Its failure would be seen by nobody."""
    found = runpy.run_path(str(ROOT / "workbook" / "__main__.py"))
    for name in ("DATABASE", "STOP"):
        imports = found[name].rpartition(";")[0]
        subprocess.run([sys.executable, "-c", imports], cwd=ROOT, check=True)


def test_two_at_once(clone: Clone) -> None:
    clone.plan(venv={"sleep": 0.5}, install={"sleep": 0.5})
    running = [clone.begin() for _ in range(3)]
    done = [finish(process) for process in running]
    for each in done:
        assert_inside(each, clone)
    assert clone.steps() == ["venv", "install", "project"]
    waited = [each for each in done if "Another set-up is at work" in each.stdout]
    assert len(waited) == 2


def test_an_installer_that_outlives_us_keeps_others_waiting(clone: Clone) -> None:
    clone.plan(install={"sleep": 2})
    first = clone.begin()
    clone.asleep()
    first.kill()
    clone.plan()
    done = clone.run()
    assert "Another set-up is at work" in done.stdout
    assert_inside(done, clone)
    assert clone.steps() == ["venv", "install", "venv", "install", "project"]
    finish(first)


@pytest.mark.parametrize("command", ["doctor", "room", "room install"])
def test_help_needs_no_set_up(clone: Clone, command: str) -> None:
    shutil.copy(ROOT / "workbook" / "launch" / "cli.py", clone.root / "workbook" / "launch")
    shutil.copytree(ROOT / "classroom", clone.root / "classroom")
    done = clone.run(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: python3 -m workbook {command}")
    assert clone.asked() == [] and not clone.venv.exists()


def test_a_room_has_an_environment_of_its_own(clone: Clone) -> None:
    python = clone.root / ".room" / "learners" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho $PWD: $*\n")
    python.chmod(0o755)
    done = clone.run("room", "ready")
    assert done.stdout == f"{clone.root}: -m workbook room ready\n"
    assert clone.asked() == [] and not clone.venv.exists()


# An old Python


def test_an_old_python_says_so(clone: Clone) -> None:
    done = run_as(clone, "sys.version_info = (3, 10, 4, 'final', 0)")
    assert_one_line(done, "Python 3.11 or newer is needed, and this is 3.10.")


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_an_old_python_can_read_this_far(name: str) -> None:
    tree = ast.parse((ROOT / "workbook" / name).read_text(), feature_version=(3, 6))
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            message = f"{name}:{node.lineno}: a TypeError before Python 3.9: put it in quotes"
            assert node.value.id not in {"dict", "list", "set", "tuple", "type"}, message


# The command line


@pytest.mark.parametrize("command", ["", *(each.__name__ for each in cli.COMMANDS)])
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*command.split(), "--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: python3 -m workbook {command}".rstrip())
    assert len(shown.split("\n\n")[1]) > 20  # a sentence that says what it does


@pytest.mark.parametrize("argv", [["unheard-of"], ["reset", "two"], ["stop", "it"]])
def test_a_wrong_command_line(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(argv)
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("python3 -m workbook")


def test_somebody_who_reads_no_further_is_no_failure() -> None:
    command = [sys.executable, "-m", "workbook", "present", "--list", "--path", "long"]
    code = "import sys, time; time.sleep(int(sys.argv[1]))"
    for seconds in ("0", "2"):  # the reader may be gone before a word was said, or after some
        reader = subprocess.Popen([sys.executable, "-c", code, seconds], stdin=subprocess.PIPE)
        done = subprocess.run(
            command, cwd=ROOT, stdout=reader.stdin, stderr=subprocess.PIPE, text=True, check=False
        )
        assert reader.stdin
        reader.stdin.close()
        reader.wait()
        assert (done.stderr, done.returncode) == ("", 0)


def test_what_follows_two_dashes_is_jupyters() -> None:
    assert cli.split(["--", "--port=1", "--", "x"]) == ([], ["--port=1", "--", "x"])
    ours = lab.lab_arguments([])
    assert f"--ServerApp.root_dir={home() / 'workspace'}" in ours
    given = ["--ServerApp.root_dir=elsewhere", "--KernelManager.transport=tcp"]
    left = lab.lab_arguments(given)
    assert not [each for each in left if "root_dir" in each or "transport" in each]


@pytest.mark.parametrize("length", [20, 52, 60, 200])
def test_kernels_use_sockets_where_their_paths_fit(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        runtime = Path(folder) / ("x" * (length - len(folder) - 1))
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
        ipc = "--KernelManager.transport=ipc" in lab.lab_arguments([])
        assert ipc == (length <= 52)
        assert not list(runtime.glob("*"))


@dataclass
class Place:
    """A home of a test's own, for the real thing."""

    folder: Path
    environment: dict[str, str]
    started: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def command(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        env = self.environment | variables
        self.started.append(begin(sys.executable, *arguments, cwd=ROOT, env=env))
        return self.started[-1]

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return finish(self.command(*arguments, **variables))

    @property
    def runtime(self) -> Path:
        return Path(self.environment["HOME"]) / ".local/share/jupyter/runtime"

    def server(self) -> Path:
        """Where JupyterLab says who it is."""
        return next(self.runtime.glob("jpserver-*.json"), self.runtime)

    def remains(self) -> list[str]:
        """Every process that has this home in its environment, or serves its database."""
        cluster = postgres.cluster_home(self.folder / ".postgres")
        found = []
        for process in psutil.process_iter():
            try:
                home = process.environ().get("WORKBOOK_HOME", "")
                if home == str(self.folder) or cluster in Path(process.cwd()).parents:
                    found.append(f"{process.pid} {' '.join(process.cmdline())}")
            except psutil.Error:
                continue
        return found


# Notes in JupyterLab and in each of its kernels which addresses it asks for.
WATCH = """\
import os, sys
def note(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        address = arguments[1] if event == "socket.connect" else arguments[0]
        address = address[0] if isinstance(address, tuple) else address
        with open(os.environ["WATCH_LOG"], "a") as log:
            log.write(f"{event} {address}\\n")
sys.addaudithook(note)
"""


@pytest.fixture
def place() -> Iterator[Place]:
    with new_place() as place:
        yield place


@contextlib.contextmanager
def new_place() -> Iterator[Place]:
    """Short, because of the sockets' paths; and nothing of the tests' own server."""
    with tempfile.TemporaryDirectory(prefix="wb-", dir="/tmp") as name:
        folder = Path(name) / "my work"
        folder.mkdir()
        for file in (".jupyter/jupyter_server_config.py", ".ipython/profile_default/startup/w.py"):
            (Path(name) / file).parent.mkdir(parents=True)
            (Path(name) / file).write_text(WATCH)
        drop = ("PG", "WORKBOOK", "JUPYTER", "JPY", "DATABASE_URL", "PYTEST", "PYTHONDONTWRITE")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
        environment |= {
            "HOME": name,
            "WORKBOOK_HOME": str(folder),
            "WATCH_LOG": str(folder / "addresses"),
        }
        place = Place(folder, environment)
        try:
            yield place
        finally:
            for process in place.started:
                process.kill()
            wait_for(lambda: not any("-m workbook" in line for line in place.remains()), 20)
            postgres.stop(folder / ".postgres")
            cluster = postgres.cluster_home(folder / ".postgres")
            shutil.rmtree(cluster, ignore_errors=True)


def test_doctor_when_all_is_well(place: Place) -> None:
    done = place.run("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.startswith("ok ") for line in done.stdout.splitlines())
    assert len(done.stdout.splitlines()) == 7
    assert place.remains()
    assert place.run("stop").stdout == "Stopped.\n"
    assert place.run("stop").stdout == "It was not running.\n"


@pytest.mark.parametrize(
    ("variables", "failing"),
    [
        ({"PGHOST": "/nowhere"}, ["server", "scratch"]),
        ({"DATABASE_URL": "postgresql://me@127.0.0.1:1/db"}, ["server", "scratch"]),
        (
            {"PGHOST": "/nowhere", "WORKBOOK_HOME": "/dev/null"},
            ["folder", "lessons", "kernel", "server", "scratch"],
        ),
    ],
)
def test_doctor_says_what_is_wrong(
    place: Place, variables: dict[str, str], failing: list[str]
) -> None:
    done = place.run("doctor", **variables)
    lines = done.stdout.splitlines()
    assert [line.split()[1].rstrip(":") for line in lines if line.startswith("failed")] == failing
    assert (done.returncode, done.stderr, len(lines)) == (len(failing), "", 7)


def test_doctor_looks_as_a_kernel_does(place: Place) -> None:
    """What hides a package where the lessons are run, and a path that Alembic cannot have."""
    desk = place.folder / "workspace"
    desk.mkdir()
    (desk / "alembic.py").touch()
    done = place.run("doctor", PGHOST="/nowhere")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("failed  kernel:"))
    assert str(desk / "alembic.py") in line
    percent = str(place.folder / "100%")
    failed = place.run("doctor", PGHOST="/nowhere", WORKBOOK_HOME=percent).stdout
    assert "failed  kernel: Alembic cannot work in" in failed and "percent sign" in failed


def test_doctor_says_what_postgresql_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def scratch() -> str:
        raise psycopg2.errors.DiskFull("could not extend file\nHINT:  Check free disk space.")

    monkeypatch.setattr(doctor, "CHECKS", (scratch,))
    assert doctor.doctor() == 1
    assert capsys.readouterr().out == "failed  scratch: could not extend file\n"


@pytest.mark.parametrize("command", ["", "reset", "reset 4"])
@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("WORKBOOK_HOME", "/dev/null/here", "Not a directory"),
        ("PGHOST", "/nowhere", "PostgreSQL does not let us in"),
    ],
)
def test_what_no_command_can_do(
    place: Place, command: str, variable: str, value: str, words: str
) -> None:
    done = place.run(*command.split(), **{variable: value})
    assert_one_line(done, words)
    assert len(done.stderr.splitlines()) == 1


def test_reset_and_restore(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def says(*argv: str) -> str:
        assert cli.main(list(argv)) == 0
        return capsys.readouterr().out

    assert "nothing" in says("reset")
    assert "Chapter 4 starts with" in says("reset", "4")
    work = tmp_path / "workspace" / "jobboard" / "models.py"
    work.write_text("mine = 1\n")
    assert "To bring it back" in says("reset")
    assert not work.exists()
    (name,) = (line.split()[0] for line in says("restore").splitlines() if " files" in line)
    assert f'"{name}" is back' in says("restore", name)
    assert work.read_text() == "mine = 1\n"
    for argv, words in ((["restore", "other"], "Nothing is put aside"), (["reset", "99"], "99")):
        with pytest.raises(WorkbookError, match=words):
            cli.main(argv)


# JupyterLab


@dataclass
class Lab:
    """JupyterLab as the launcher started it."""

    launcher: "subprocess.Popen[str]"
    pid: int
    token: str
    web: httpx.Client

    @property
    def url(self) -> str:
        return f"{self.web.base_url}/"

    def ask(self, path: str, body: object = None) -> Any:
        """An answer of its REST API."""
        answer = self.web.request("GET" if body is None else "POST", path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def launch(place: Place, *before: str) -> Lab:
    """Start the workbook and wait until JupyterLab answers. Ours stand before `--`."""
    port = free_port()
    ours = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0"]
    launcher = place.command(*before, "--", *ours)
    web = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)

    def up() -> bool:
        assert launcher.poll() is None, launcher.communicate()[1]
        with contextlib.suppress(httpx.TransportError):
            return web.get("api").is_success and bool(json.loads(place.server().read_text()))
        return False

    wait_for(up)
    about = json.loads(place.server().read_text())
    web.headers["Authorization"] = f"token {about['token']}"
    return Lab(launcher, about["pid"], about["token"], web)


def connect(place: Place, lab: Lab) -> BlockingKernelClient:
    """A kernel, ready."""
    kernel = lab.ask("api/kernels", {"name": "python3"})["id"]
    client = BlockingKernelClient(connection_file=str(place.runtime / f"kernel-{kernel}.json"))
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE)
    return client


def evaluate(client: BlockingKernelClient, expression: str) -> Any:
    """The value of an expression in a kernel."""
    message = client.execute_interactive("", user_expressions={"x": expression}, timeout=PATIENCE)
    return ast.literal_eval(message["content"]["user_expressions"]["x"]["data"]["text/plain"])


async def in_terminal(lab: Lab, name: str, line: str) -> str:
    """What a terminal shows after a line is typed, up to the word END."""
    address = f"ws://{lab.web.base_url.netloc.decode()}/terminals/websocket/{name}"
    connection = await websocket_connect(f"{address}?token={lab.token}")
    connection.write_message(json.dumps(["stdin", f"{line}; echo E''ND\r"]))
    shown = ""
    while "END" not in shown:
        message = await connection.read_message()
        assert message, shown
        kind, *rest = json.loads(message)
        shown += rest[0] if kind == "stdout" else ""
    connection.close()
    return re.sub(r"\x1b\[[?\d;]*\w|\r", "", shown)


VARIABLES = "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS"


def test_jupyterlab_as_the_launcher_starts_it(place: Place) -> None:
    """From its first answer to its own Shut Down: one start, because that is what takes time."""
    lab = launch(place)
    # the token is asked for
    for path in ("api/contents", "lab", "api/terminals"):
        assert httpx.get(lab.web.base_url.join(path)).status_code in (302, 401, 403)
    assert len(lab.token) >= 40
    seen = [each["name"] for each in lab.ask("api/contents")["content"]]
    assert sorted(seen) == [chapter.lesson for chapter in CHAPTERS.values()]
    page = lab.web.get("/", follow_redirects=True).url.path
    assert page == "/lab/tree/00_start_here.ipynb"
    settings = lab.web.get("lab").text
    assert '"news": {"disabled": true}' in settings
    assert '"disabledExtensions": ["nbdime-jupyterlab"]' in settings
    # what no lesson uses is not loaded: it takes longer to start than all of ours
    for path in ("lsp/status", "nbdime/api/diff"):
        assert lab.web.get(path).status_code == 404
    # it listens for this machine only
    family = psutil.Process(lab.pid).children(recursive=True)
    listening = [
        connection.laddr.ip
        for process in [psutil.Process(lab.pid), *family]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) <= {"127.0.0.1", "::1"} and listening
    # no news, no look for updates
    notification = lab.ask("lab/api/settings/@jupyterlab/apputils-extension:notification")
    defaults = {key: notification["schema"]["properties"][key]["default"] for key in CALLS}
    assert defaults == CALLS
    # a kernel, and a terminal, see the database and the environment
    client = connect(place, lab)
    assert client.transport == "ipc"
    shown = evaluate(client, f"{{key: __import__('os').environ[key] for key in {VARIABLES!r}}}")
    assert shown["PGHOST"] != os.environ.get("PGHOST") and shown["PGDATABASE"] == "jobboard"
    scripts = str(Path(sys.executable).parent)
    path = evaluate(client, "__import__('os').environ['PATH']")
    assert path.split(os.pathsep)[0] == scripts
    client.stop_channels()
    terminal = lab.ask("api/terminals", {})["name"]
    line = "pwd; printf '%s\\n' " + " ".join(f'"${name}"' for name in ("PATH", *VARIABLES))
    screen = IOLoop(make_current=False).run_sync(lambda: in_terminal(lab, terminal, line))
    assert f"\n{place.folder / 'workspace'}\n{scripts}{os.pathsep}" in screen
    assert all(f"\n{shown[key]}\n" in screen for key in VARIABLES)
    # a second start says where the first one is, and takes nothing from under it
    second = place.run()
    url = f"http://localhost:{lab.web.base_url.port}/lab?token="
    assert_one_line(second, f"The workbook is open already: {url}")
    assert lab.ask("api/kernels") and postgres.running(place.folder / ".postgres")
    # nobody was phoned
    addresses = set((place.folder / "addresses").read_text().splitlines())
    outside = {line for line in addresses if not line.split(" ", 1)[1].startswith(LOCAL)}
    assert addresses and not outside
    # its own Shut Down
    lab.ask("api/shutdown", {})
    done = finish(lab.launcher)
    assert done.returncode == 0
    assert "Traceback" not in done.stdout + done.stderr
    assert "without encryption" not in done.stderr
    assert not place.remains()


CALLS = {"checkForUpdates": False, "fetchNews": "false"}
LOCAL = ("localhost", "127.0.0.1", "::1", "/", "b'", "None")


ENDS = {
    "Ctrl-C": 0,
    "terminated": 143,
    "launcher killed": -9,
    "JupyterLab killed": 247,
    "guard killed": 0,
}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_leaves_nothing_running(place: Place, end: str) -> None:
    lab = launch(place)
    connect(place, lab).stop_channels()
    lab.ask("api/terminals", {})
    assert len(place.remains()) >= 5  # launcher, guard, JupyterLab, kernel, PostgreSQL, terminal
    match end:
        case "Ctrl-C":
            os.killpg(lab.launcher.pid, signal.SIGINT)
        case "terminated":
            lab.launcher.terminate()
        case "launcher killed":
            lab.launcher.kill()
        case "JupyterLab killed":
            os.kill(lab.pid, signal.SIGKILL)
        case "guard killed":
            (guard,) = (line for line in place.remains() if line.endswith("workbook _guard"))
            os.kill(int(guard.split()[0]), signal.SIGKILL)
            assert_one_line(place.run(), "The workbook is open already")
            assert lab.ask("api/kernels") and postgres.running(place.folder / ".postgres")
            os.killpg(lab.launcher.pid, signal.SIGINT)
    wait_for(lambda: not place.remains(), 15)
    done = finish(lab.launcher)
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == ENDS[end]


def test_ctrl_c_before_jupyterlab_is_up(place: Place) -> None:
    """At any point: while PostgreSQL is made, and while JupyterLab starts."""
    cluster = postgres.cluster_home(place.folder / ".postgres")
    moments: list[Callable[[], object]] = [
        lambda: list(cluster.glob("initdb-*")),
        lambda: any("-m jupyterlab" in line for line in place.remains()),
    ]
    for moment in moments:
        running = place.command("--", "--no-browser")
        wait_for(moment)
        os.killpg(running.pid, signal.SIGINT)
        done = finish(running)
        assert "Traceback" not in done.stdout + done.stderr
        assert not place.remains()


def test_a_port_that_is_taken(place: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = place.run("--", "--no-browser", f"--port={port}", "--ServerApp.port_retries=0")
    assert done.returncode == 1
    assert f"port {port} is not available" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not place.remains()
