"""Processes that work beside a notebook, such as traffic or a served application, and end with it.

Each is a new Python whose standard input is a pipe from the kernel. It ends, with all that it has
begun, when that pipe does: the kernel is gone, however that came about, or nobody here holds it.
"""

import contextlib
import importlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import weakref
from types import TracebackType
from typing import IO, Any, NoReturn, Self

from workbook.apart import PYTHON, SESSION, Stopped, receive, send

PATIENCE = 5  # seconds, for one that has been asked to end


class Beside:
    """A call of "module:function" in a process of its own, with environment variables added.

    The function is called with a Line and the arguments; these, and what it says, go through
    pickle. The end of `with`, or `end`, ends it.
    """

    def __init__(self, function: str, *arguments: object, **variables: str) -> None:
        environment = {**os.environ, **variables, "PYTHONDONTWRITEBYTECODE": "1"}
        self._said: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.process = subprocess.Popen(
            [*PYTHON, "workbook.beside"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            **SESSION,
        )
        assert self.process.stdin and self.process.stdout
        weakref.finalize(self, self.process.stdin.close)  # Python keeps a process that runs
        listen = (self.process.stdout, self._said)
        threading.Thread(target=_listen, args=listen, daemon=True).start()
        with contextlib.suppress(OSError):  # gone already: hear() says so
            send(self.process.stdin, pickle.dumps((function, arguments)))

    def hear(self, seconds: float) -> Any:
        """The next thing that it says; its function's result is the last.

        Raises Stopped where nothing comes in time, or nothing more will.
        """
        try:
            kind, value = self._said.get(timeout=seconds)
        except queue.Empty:
            raise Stopped(f"it has not answered for {seconds:g} seconds") from None
        if kind == "said":
            return value
        self._said.put((kind, value))  # for the next who asks
        raise Stopped(value)

    def ask(self) -> None:
        """Ask it to come to its end, which `line.over` tells its function, and do not wait."""
        assert self.process.stdin
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(b".")
            self.process.stdin.flush()

    def end(self, seconds: float = PATIENCE) -> list[Any]:
        """Ask it to end, and see to it that it does; what it has said since it was heard last."""
        self.ask()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:  # an interrupt, too
            self.close()
        said = []
        with contextlib.suppress(Stopped):
            while True:
                said.append(self.hear(seconds))
        return said

    def close(self) -> None:
        """End it at once, and with it what it has begun."""
        assert self.process.stdin
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if kind:
            self.close()
        else:
            self.end()


def _listen(stream: IO[bytes], said: "queue.Queue[tuple[str, Any]]") -> None:
    """Hand over what comes at once, so that nobody there waits for a reader here."""
    with contextlib.suppress(OSError, EOFError), stream:
        while True:
            said.put(pickle.loads(receive(stream)))
    said.put(("gone", "its process has ended"))


# ---- in the other process ------------------------------------------------------------------------


class Line:
    """To the kernel: what to tell it, and whether it has asked for the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.over = threading.Event()
        self._stream = stream
        self._turn = threading.Lock()

    def say(self, value: object, kind: str = "said") -> None:
        """Tell the kernel something that pickle can carry."""
        with self._turn:
            send(self._stream, pickle.dumps((kind, value)))


def _watch(source: IO[bytes], over: threading.Event) -> NoReturn:
    """End this process and what it has begun when the kernel has let go of the pipe."""
    while source.read(1):
        over.set()
    _end()


def _end() -> NoReturn:
    if os.name == "posix":  # it leads a session of its own
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


def _main() -> NoReturn:
    source = os.fdopen(os.dup(0), "rb")
    line = Line(os.fdopen(os.dup(1), "wb"))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    sys.stdout, sys.stderr = (open(each, "w") for each in (1, 2))  # noqa: PTH123, SIM115
    try:
        function, arguments = pickle.loads(receive(source))
        threading.Thread(target=_watch, args=(source, line.over), daemon=True).start()
        module, name = function.split(":")
        line.say(getattr(importlib.import_module(module), name)(line, *arguments))
    except BaseException as error:  # noqa: BLE001 - whatever it was, the kernel should know
        with contextlib.suppress(OSError):
            line.say(f"{type(error).__name__}: {error}", "failed")
    finally:
        _end()


if __name__ == "__main__":
    _main()
