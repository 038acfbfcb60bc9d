"""Processes beside a kernel: they answer, and none outlives it, its cell or its `with`."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import psycopg2
import pytest

from workbook.apart import Stopped
from workbook.beside import Beside

CODE = """
import os, subprocess, sys, time
import psycopg2

def answer(line, *given):
    print("to nobody")
    line.say("ready")
    line.over.wait()
    return given, os.environ["MARK"]

def fail(line):
    raise ValueError("no")

def leave(line):
    os._exit(3)

def deaf(line):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    line.say((os.getpid(), child.pid))
    time.sleep(600)

def holds(line):
    connection = psycopg2.connect("")
    connection.cursor().execute("SELECT pg_advisory_xact_lock(11)")
    line.say("ready")
    time.sleep(600)
"""
KERNEL = """
from workbook.beside import Beside
import sys, time
try:
    with Beside("code_beside:holds") as first, Beside("code_beside:deaf") as second:
        print(first.hear(30), second.hear(30), flush=True)
        {how}
finally:
    print("over", flush=True)
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code_beside.py").write_text(CODE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def start(name: str, *arguments: object) -> Beside:
    return Beside(f"code_beside:{name}", *arguments, MARK="x")


def deaf(process: Beside) -> list[psutil.Process]:
    """A process that hears nothing, and its child."""
    return [psutil.Process(pid) for pid in process.hear(30)]


def test_it_says_things_and_ends_when_it_is_asked(capfd: pytest.CaptureFixture[str]) -> None:
    with start("answer", 1, "two") as process:
        assert process.hear(30) == "ready"
        with pytest.raises(Stopped, match=r"not answered for 0\.1 seconds"):
            process.hear(0.1)
        assert process.end() == [((1, "two"), "x")]
    assert process.process.poll() is not None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "words"),
    [("fail", "ValueError: no"), ("leave", "has ended"), ("none", "no attribute")],
)
def test_an_end_of_its_own_has_words(name: str, words: str) -> None:
    with start(name) as process:
        for _ in range(2):
            with pytest.raises(Stopped, match=words):
                process.hear(30)
        assert process.end() == []


def test_what_does_not_listen_is_ended_with_its_children() -> None:
    process = start("deaf")
    family = deaf(process)
    assert process.end(0.1) == []
    assert psutil.wait_procs(family, timeout=20)[1] == []


def test_an_error_or_an_interrupt_in_the_with_ends_it() -> None:
    def interrupt() -> None:
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), start("deaf") as process:
        family = deaf(process)
        threading.Thread(target=interrupt).start()
        time.sleep(60)
    assert psutil.wait_procs(family, timeout=20)[1] == []


def test_it_ends_when_nobody_holds_it() -> None:
    process = start("deaf")
    family = deaf(process)
    del process
    gc.collect()
    assert psutil.wait_procs(family, timeout=20)[1] == []


@pytest.mark.parametrize(
    "how",
    ["time.sleep(600)", "sys.exit()", "1 / 0", "pass"],
    ids=["killed", "exit", "error", "end"],
)
def test_nothing_outlives_a_kernel(how: str, database: str) -> None:
    """Nor its sessions: a lock that one of them held is free again."""
    kernel = subprocess.Popen(
        [sys.executable, "-c", KERNEL.format(how=how)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert kernel.stdout
    said = kernel.stdout.readline()
    assert said.startswith(b"ready (")
    pids = [int(pid) for pid in said.split(b"(")[1].rstrip(b")\n").split(b", ")]
    family = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    family += psutil.Process(kernel.pid).children(recursive=True) if "sleep" in how else []
    if "sleep" in how:
        assert len({*family}) == 3
        kernel.kill()
    assert psutil.wait_procs(family, timeout=30)[1] == []
    kernel.wait()
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        for _ in range(100):
            cursor.execute("SELECT pg_try_advisory_xact_lock(11)")
            if cursor.fetchone() == (True,):
                break
            time.sleep(0.1)
        else:
            pytest.fail("its session is still there")
    connection.close()
