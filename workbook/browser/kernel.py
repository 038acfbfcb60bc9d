"""What a kernel in a browser lacks: a server to find, and processes to start, `!alembic` above all.

Both are done in this one Python. A learner's own loops are watched, as nothing can interrupt them.
"""

import contextlib
import importlib
import io
import logging
import os
import pickle
import shlex
import struct
import sys
import time
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SECONDS = 60  # for the loops of one cell
OWN = ("jobboard", "practice", "models")  # what a learner's project brings to import
HERE = {"PGHOST": "browser", "PGUSER": "learner", "PGDATABASE": "jobboard"}


def begin(home: str) -> None:
    """Before IPython: where the project and its database are, and what this platform lacks."""
    os.environ.update(HERE, WORKBOOK_HOME=home)
    os.geteuid = lambda: 1000  # nobody in particular
    _module("piplite", piplite=_module("piplite.piplite"), install=_no_packages)
    startup = Path.home() / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    startup.joinpath("workbook.py").write_text(
        f"from {__name__} import attach\nattach(get_ipython())\ndel attach\n"
    )


def _module(name: str, **content: Any) -> types.ModuleType:
    module = sys.modules.setdefault(name, types.ModuleType(name))
    module.__dict__.update(content)
    return module


def _nothing(*_: Any) -> None:
    """A lock: there is nobody else here."""


def _terminal(*_: Any) -> bytes:
    """The size of the terminal that IPython gives to commands elsewhere."""
    return struct.pack("HHHH", 24, 80, 0, 0)


async def _no_packages(*_: Any, **__: Any) -> None:
    raise OSError("Nothing can be installed in the browser.")


def attach(shell: Any) -> None:
    """Give commands to a kernel's shell, and the workbook's own extension."""

    def system(line: str) -> None:
        shell.user_ns["_exit_code"] = command(shell.var_expand(line, depth=1), sys.stdout)

    def getoutput(line: str, split: bool = True, depth: int = 0) -> Any:
        from IPython.utils.text import SList

        said = io.StringIO()
        command(shell.var_expand(line, depth=depth + 1), said)
        return SList(said.getvalue().splitlines()) if split else said.getvalue()

    _module(
        "fcntl", ioctl=_terminal, lockf=_nothing, flock=_nothing, LOCK_EX=2, LOCK_NB=4, LOCK_UN=8
    )
    _module("termios", TIOCGWINSZ=0, TCSAFLUSH=2)
    shell.system = shell.system_piped = shell.system_raw = system
    shell.getoutput = getoutput
    shell.extension_manager.load_extension("workbook.magics")
    import pglite  # type: ignore[import-not-found]
    from psycopg2._psycopg import restarted  # type: ignore[attr-defined]

    hook, run = shell.displayhook, shell.kernel.run
    finish = hook.finish_displayhook
    # A picture has shown itself, and there is nothing left for an output of the cell's.
    hook.finish_displayhook = lambda: finish() if hook.data else None

    async def watched(code: str) -> Any:
        with limit(SECONDS, "<ipython-input"):
            return await pglite.in_turn(run(code), restarted)

    shell.kernel.run = watched


def command(line: str, said: Any) -> int:
    """Run a command line as a terminal would, as far as there is such a command; its status."""
    words = shlex.split(line, comments=True)
    if words[:1] != ["alembic"]:
        print(f"{words[0] if words else ''}: there is no such command in the browser", file=said)
        return 127
    from alembic.config import CommandLine

    def alembic() -> None:
        CommandLine(prog="alembic").main(words[1:])

    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        return status(alembic, words)


def status(function: Callable[[], object], argv: list[str]) -> int:
    """The exit status of a Python that would do this alone; what it has to say is printed."""
    with alone(Path.cwd(), dict(os.environ), argv):
        try:
            function()
        except SystemExit as error:
            if isinstance(error.code, str):
                print(error.code, file=sys.stderr)
                return 1
            return error.code or 0
        except BaseException:  # noqa: BLE001 - a program ends here
            traceback.print_exc()
            return 1
    return 0


def call(request: bytes, seconds: float) -> tuple[bool, bytes]:
    """What workbook.apart asks a new Python for: whether it took too long, and the result."""
    function, arguments, folder, environment, _ = pickle.loads(request)
    nowhere = io.StringIO()
    try:
        with (
            alone(Path(folder), environment, ["-c"]),
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
            limit(seconds, folder, os.environ.get("TMPDIR", "/tmp")),
        ):
            module, name = function.split(":")
            return False, pickle.dumps(getattr(importlib.import_module(module), name)(*arguments))
    except TooLong:
        return True, b""
    except BaseException:  # noqa: BLE001 - its process would have ended
        return False, b""


@contextlib.contextmanager
def alone(folder: Path, environment: dict[str, str], argv: list[str]) -> Iterator[None]:
    """As if in a Python of one's own: its folder, environment, modules, path and logging."""
    before = dict(os.environ), Path.cwd(), sys.path[:], sys.argv, sys.dont_write_bytecode, sys.stdin
    modules, loggers = _take_modules(), _loggers()
    try:
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        sys.path[:] = ["", *[each for each in sys.path if each and not each.startswith("/drive")]]
        # Two versions of a file, written in the same second, would share one .pyc.
        sys.argv, sys.dont_write_bytecode, sys.stdin = argv, True, io.StringIO()
        importlib.invalidate_caches()
        yield
    finally:
        _take_modules()
        sys.modules.update(modules)
        variables, folder, sys.path[:], sys.argv, sys.dont_write_bytecode, sys.stdin = before
        os.environ.clear()
        os.environ.update(variables)
        os.chdir(folder)
        for logger, state in _loggers().items():
            handlers, level, disabled, propagate = loggers.get(logger, ([], 0, False, True))
            logger.handlers[:] = handlers
            logger.level, logger.disabled, logger.propagate = level, disabled, propagate
            logger._cache.clear()  # type: ignore[attr-defined]
            del state


def _take_modules() -> dict[str, types.ModuleType]:
    """Take what a learner's project brought out of sys.modules."""
    own = [name for name in sys.modules if name.split(".")[0] in OWN]
    return {name: sys.modules.pop(name) for name in own}


def _loggers() -> dict[logging.Logger, tuple[list[logging.Handler], int, bool, bool]]:
    every = [logging.root, *logging.root.manager.loggerDict.values()]
    return {
        each: (each.handlers[:], each.level, each.disabled, each.propagate)
        for each in every
        if isinstance(each, logging.Logger)
    }


# ---- a loop without an end -----------------------------------------------------------------------


class TooLong(BaseException):
    """A learner's code has looped for longer than it may."""


@contextlib.contextmanager
def limit(seconds: float, *files: str) -> Iterator[None]:
    """End a loop in code from these files once the time is over, by raising TooLong in it.

    Code from elsewhere is asked once for each of its loops, and costs nothing from then on.
    """
    watch: Any = vars(sys)["monitoring"]  # since Python 3.12
    tool = 4
    if watch.get_tool(tool):  # of a cell that has called a check: the narrower limit counts
        outer = watch.register_callback(tool, watch.events.JUMP, None)
    else:
        outer = None
        watch.use_tool_id(tool, "workbook")
    until = time.monotonic() + seconds

    def jumped(code: types.CodeType, at: int, to: int) -> object:
        if not code.co_filename.startswith(files):
            return watch.DISABLE
        if time.monotonic() > until:
            raise TooLong(f"this loop did not come to an end in {seconds:g} seconds")
        return None

    watch.register_callback(tool, watch.events.JUMP, jumped)
    watch.set_events(tool, watch.events.JUMP)
    watch.restart_events()
    try:
        yield
    finally:
        if outer:
            watch.register_callback(tool, watch.events.JUMP, outer)
            watch.restart_events()
        else:
            watch.set_events(tool, 0)
            watch.register_callback(tool, watch.events.JUMP, None)
            watch.free_tool_id(tool)
