"""Python commands without the second that a new Python takes to import SQLAlchemy and Alembic.

A process that has imported them forks for each: the same code in a process of its own, at a tenth
of the price. It reads a line of JSON for each command and answers with one. POSIX only.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class Server:
    """A running process of that kind; `run` stands in for subprocess.run."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, command: list[str], **options: Any) -> SimpleNamespace:
        """As subprocess.run for `python -m <module>`; may raise TimeoutExpired."""
        assert command[:2] == [sys.executable, "-m"], command
        assert self.process.stdin and self.process.stdout
        request = {
            "command": command[2:],
            "input": options.get("input", ""),
            "cwd": str(options.get("cwd") or Path.cwd()),
            "env": options.get("env") or dict(os.environ),
            "timeout": options.get("timeout", 60),
        }
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer is None:
            raise subprocess.TimeoutExpired(command, request["timeout"])
        return SimpleNamespace(stdout=answer)

    def stop(self) -> None:
        """End the process."""
        self.process.communicate()


def serve() -> None:
    """Take requests until standard input ends."""
    from alembic.config import main as alembic

    from workbook.exercises import trial

    for line in sys.stdin:
        request = json.loads(line)
        module, *arguments = request["command"]
        given, taken = os.pipe(), os.pipe()
        pid = os.fork()
        if not pid:
            os.chdir(request["cwd"])
            os.environ.clear()
            os.environ.update(request["env"])
            os.dup2(given[0], 0)
            os.dup2(taken[1], 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            for end in (*given, *taken):
                os.close(end)
            sys.stdin = os.fdopen(0)
            try:
                if module == "alembic":
                    alembic(argv=arguments)
                else:
                    assert module == "workbook.exercises.trial", module
                    trial.main()
            finally:  # whatever happened, this copy must not go on with the loop
                os._exit(0)
        os.close(given[0])
        os.close(taken[1])
        with os.fdopen(given[1], "w") as pipe:
            pipe.write(request["input"])
        print(json.dumps(result(pid, taken[0], request["timeout"])), flush=True)


def result(pid: int, end: int, seconds: float) -> str | None:
    """What the process wrote, or None when it had to be killed."""
    os.set_blocking(end, False)
    limit, text, ended = time.monotonic() + seconds, b"", False
    with os.fdopen(end, "rb", buffering=0) as file:
        while True:
            ended = ended or os.waitpid(pid, os.WNOHANG)[0] == pid
            text += file.read() or b""
            if ended:
                return text.decode()
            if time.monotonic() > limit:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return None
            time.sleep(0.002)


if __name__ == "__main__":
    serve()
