"""A learner's code in a process of its own: no end, no answer, an interrupt, a kernel that dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from workbook import apart

CODE = """
import os, signal, sys, time

def answer(*given):
    print("to nobody")
    return given, os.getcwd(), os.environ["MARK"]

def sleep():
    time.sleep(600)

def leave():
    sys.exit(3)

def child():
    if os.fork():
        time.sleep(0.2)
    return "once"

def server():
    return os.getppid()
"""


@pytest.fixture(autouse=True, params=[True, False], ids=["forked", "a new Python"])
def way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of getting a process, and a module for them to call."""
    (tmp_path / "code_of_a_learner.py").write_text(CODE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(apart, "FORKS", request.param)
    monkeypatch.setattr(apart, "SERVERS", {})


forked = pytest.mark.parametrize("way", [True], indirect=True, ids=["forked"])


def call(name: str, *arguments: object, seconds: float = 30, folder: Path | None = None) -> object:
    place = folder or Path.cwd()
    function = f"code_of_a_learner:{name}"
    return apart.call(function, *arguments, seconds=seconds, folder=place, MARK="x")


def test_an_answer_comes_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert call("answer", 1, "two", folder=tmp_path) == ((1, "two"), str(tmp_path), "x")
    assert capfd.readouterr() == ("", "")


def test_what_never_ends_is_ended() -> None:
    with pytest.raises(apart.Stopped, match=r"did not come to an end in 1\.5 seconds"):
        call("sleep", seconds=1.5)
    assert call("answer") == ((), str(Path.cwd()), "x")


@pytest.mark.parametrize("name", ["leave", "no_such_name"])
def test_an_end_without_an_answer(name: str) -> None:
    with pytest.raises(apart.Stopped, match="ends Python itself"):
        call(name)


def test_a_copy_of_itself_does_not_answer() -> None:
    assert call("child") == "once"


@forked
def test_the_server_may_be_gone() -> None:
    first = call("server")
    assert first == call("server")
    [server] = apart.SERVERS.values()
    server.kill()
    assert call("server") != first


def test_an_interrupt_is_the_learners() -> None:
    def interrupt() -> None:
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        call("sleep", seconds=60)
    assert call("answer", 1) == ((1,), str(Path.cwd()), "x")  # not the answer of the call before


@forked
def test_nothing_outlives_a_kernel_that_is_killed() -> None:
    """The one that forks is there from the import of `check` on, and ends with what it forked."""
    code = (
        "from pathlib import Path; from workbook import apart, check; import threading, time\n"
        "assert len(apart.SERVERS) == apart.FORKS\n"
        "threading.Thread(target=lambda: apart.call('time:sleep', 600, seconds=600,"
        " folder=Path())).start()\n"
        "time.sleep(3); print('ready', flush=True); time.sleep(600)"
    )
    kernel = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert kernel.stdout
    kernel.stdout.readline()
    family = psutil.Process(kernel.pid).children(recursive=True)
    assert len(family) == 2  # the one that forks, and the one that sleeps
    kernel.kill()
    assert psutil.wait_procs(family, timeout=20)[1] == []
    kernel.wait()
