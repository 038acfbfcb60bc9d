"""A learner's code in a process of its own: it may hang, exit, or leave things behind.

Where the platform can fork, the process is forked from one that has imported everything already,
so nobody waits for imports. That one begins with `warm_up`, answers one call after the other, and
ends with the kernel or after a quarter of an hour without work. Elsewhere each call gets a new
Python. What the code prints goes nowhere, and reading from the user meets the end of the file.
"""

import contextlib
import importlib
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sa

SECONDS = 30  # then a learner's code is taken to hang
STATEMENT_SECONDS = 10  # for a single SQL statement
FORKS = hasattr(os, "fork") and sys.platform != "emscripten"
IDLE = 15 * 60  # seconds
TURN = threading.Lock()
# By the process that began it: a kernel may fork.
SERVERS: dict[int, "subprocess.Popen[bytes]"] = {}
PYTHON = [sys.executable, "-P", "-m"]  # -P: no file of the learner's stands before a package
COMMAND = [*PYTHON, "workbook.apart"]
SESSION: dict[str, Any] = {
    "cwd": sys.prefix,
    "stderr": subprocess.DEVNULL,
    "start_new_session": True,  # an interrupt is for the kernel
}


class Stopped(Exception):
    """The code did not come to a result; the message says why, as the end of a sentence."""


def call(function: str, *arguments: Any, seconds: float, folder: Path, **variables: str) -> Any:
    """Call "module:function" in a process of its own, in a folder, with environment variables.

    Arguments and result go through pickle. Raises Stopped when it takes longer than `seconds`, or
    ends its process.
    """
    environment = {**os.environ, **variables, "PYTHONDONTWRITEBYTECODE": "1"}
    request = pickle.dumps((function, arguments, str(folder), environment, seconds))
    late, result = _ask(request) if FORKS else _once(request, seconds)
    if late:
        raise Stopped(f"it did not come to an end in {seconds:g} seconds")
    try:
        return pickle.loads(result)
    except Exception:  # noqa: BLE001 - nothing, or whatever code has written that meddles with it
        raise Stopped("it ends Python itself") from None


def on_database(connection: "sa.Connection", function: str, *arguments: Any, folder: Path) -> Any:
    """Call it on the database of a connection, with the limits of time, and end its sessions.

    A statement goes on in the server when its program is gone.
    """
    session = f"apart-{uuid.uuid4().hex}"  # not to end those who wait here for their turn
    options = f"{os.environ.get('PGOPTIONS', '')} -c statement_timeout={STATEMENT_SECONDS}s"
    name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
    variables = {"PGDATABASE": name, "PGAPPNAME": session, "PGOPTIONS": options}
    try:
        return call(function, *arguments, seconds=SECONDS, folder=folder, **variables)
    finally:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = current_database() AND application_name = '{session}'"
        )


def warm_up() -> None:
    """Begin the process that the others are forked from, without waiting for it."""
    if FORKS:
        with contextlib.suppress(OSError), TURN:
            _server()


def _server() -> "subprocess.Popen[bytes]":
    server = SERVERS.get(os.getpid())
    if not server or server.poll() is not None:
        server = SERVERS[os.getpid()] = subprocess.Popen(
            [*COMMAND, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **SESSION
        )
    return server


def _ask(request: bytes) -> tuple[bool, bytes]:
    """Whether it took too long, and what came back."""
    with TURN:
        for chance in (1, 2):  # it may have gone to sleep for good since the last call
            server = _server()
            assert server.stdin and server.stdout
            try:
                send(server.stdin, request)
                answer = receive(server.stdout)
            except (OSError, EOFError):
                server.kill()
                server.wait()
                if chance == 2:
                    raise Stopped("its process was ended from outside") from None
            except BaseException:  # a learner's interrupt: the answer would be the next call's
                server.terminate()
                server.wait()
                raise
            else:
                late, result = pickle.loads(answer)
                return late, result
    raise AssertionError


def _once(request: bytes, seconds: float) -> tuple[bool, bytes]:
    """The same in a new Python."""
    if sys.platform == "emscripten":  # a browser's tab, where there is one Python
        from workbook.browser import kernel

        return kernel.call(request, seconds)
    try:
        done = subprocess.run(
            [*COMMAND, "once"],
            input=request,
            stdout=subprocess.PIPE,
            timeout=seconds,
            check=False,
            **SESSION,
        )
    except subprocess.TimeoutExpired:
        return True, b""
    return False, done.stdout


def send(stream: IO[bytes], message: bytes) -> None:
    """Send a message. Raises OSError where the other end is gone."""
    stream.write(struct.pack("!Q", len(message)) + message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """The next message; raises EOFError where the other end is gone."""
    head = stream.read(8)
    message = stream.read(struct.unpack("!Q", head)[0]) if len(head) == 8 else b""
    if not message:
        raise EOFError
    return message


# ---- in the other process ------------------------------------------------------------------------


def serve() -> None:
    """Answer calls from standard input, each in a fork, until it ends or nothing comes."""
    import workbook.exercises.child  # noqa: F401 - with it come SQLAlchemy and Alembic

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    source = os.fdopen(0, "rb", buffering=0)
    with contextlib.suppress(EOFError):
        while select.select([source], [], [], IDLE)[0]:
            request = receive(source)
            with contextlib.suppress(Exception):  # its fork meets the error again, and tells it
                importlib.import_module(pickle.loads(request)[0].split(":")[0])  # once, not in each
            send(sys.stdout.buffer, pickle.dumps(_forked(request)))


def _forked(request: bytes) -> tuple[bool, bytes]:
    """Run a request in a fork; end it and what it began when it is done or its time is over."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.setsid()
        os.close(reading)
        _run(request, os.fdopen(writing, "wb"))
    os.close(writing)
    until = time.monotonic() + pickle.loads(request)[-1]
    result, ended, late = b"", False, False
    try:
        while not ended and not late:
            late = time.monotonic() > until
            ready = select.select([0, reading], [], [], 0.02 if result else 0.2)[0]
            if reading in ready:
                part = os.read(reading, 1 << 20)
                result += part
                ended = not part  # it, and whatever it has forked itself, has let go of the pipe
            if 0 in ready:
                raise EOFError  # nobody asks while an answer is due: the kernel is gone
            ended = ended or os.waitpid(pid, os.WNOHANG)[0] == pid
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        os.set_blocking(reading, False)
        with contextlib.suppress(BlockingIOError):
            while part := os.read(reading, 1 << 20):
                result += part
        os.close(reading)
    return late, result


def _run(request: bytes, answer: IO[bytes]) -> None:
    """Do what a request asks for, write the result, and end the process, whatever happens."""
    process = os.getpid()
    function, arguments, folder, environment, _ = pickle.loads(request)
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        sys.stdin, sys.stdout, sys.stderr = (open(each, mode) for each, mode in enumerate("rww"))  # noqa: PTH123, SIM115
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        module, name = function.split(":")
        result = pickle.dumps(getattr(importlib.import_module(module), name)(*arguments))
        if os.getpid() == process:  # not a copy that the code has made of itself
            answer.write(result)
            answer.flush()
    finally:
        os._exit(0)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        _run(sys.stdin.buffer.read(), os.fdopen(os.dup(1), "wb"))
