"""`python3 -m workbook`: makes the environment the first time, then runs on inside it.

Standard library only, and no syntax newer than Python 3.6: an old Python has to be able to read
this far to say that it is too old.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]))
READY = os.path.join(VENV, ".workbook-ready")  # where .venv was made, and from which locks
UNFINISHED = os.path.join(VENV, ".workbook-unfinished")  # there while the environment is made
LEARNERS = os.path.join(ROOT, ".room", "learners")  # an environment that `room install` makes
DATABASE = "from workbook.server import database; database.connect_environment()"
STOP = "from workbook import home; from workbook.server import postgres; "
STOP += "postgres.stop(home() / '.postgres')"
# What leads a Python or pip to files or to ways that are not those of their environment.
STRANGE = ["PYTHON" + name for name in ("HOME", "PATH", "STARTUP", "INSPECT", "OPTIMIZE")]
STRANGE += ["PYTHONSAFEPATH", "PYTHONWARNINGS", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"]
STRANGE += ["PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"]
QUIET = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
AGAIN = "then run the same command again"
REASONS = [
    (
        ("No space left", "not enough space", "Errno 28", "quota"),
        "The disk is full: make room, " + AGAIN,
    ),
    (
        ("certificate",),
        "The download is not trusted: if a proxy of your organisation is in the way, set "
        "SSL_CERT_FILE to its certificates, " + AGAIN,
    ),
    (
        ("dns error", "resolve", "connect", "timed out", "Max retries", "No matching distribution"),
        "The packages cannot be downloaded: check the network, " + AGAIN,
    ),
    (("hashes", "Hash mismatch"), "A package is not the one that the lock names: see above"),
    (
        ("Permission denied", "Read-only file system", "Access is denied", "not permitted"),
        "{}: mend the rights of that place, or clone the workbook into a folder of your own, "
        + AGAIN,
    ),
]


def main(argv):
    """Run a command line; returns the exit status."""
    if sys.version_info < (3, 11):
        return fail(
            "Python 3.11 or newer is needed, and this is %d.%d. Install one from python.org, "
            "then run the command with it, for instance: python3.13 -m workbook"
            % sys.version_info[:2]
        )
    testing = argv[:1] in (["test"], ["site"])  # which need more than learners do
    asks = {"-h", "--help"} & set(argv[: argv.index("--")] if "--" in argv else argv)
    try:
        ready = asks or is_install(argv) or inside(testing)
        room = os.path.join(LEARNERS, "bin", "python")
        if argv[:1] == ["room"] and not ready and os.path.exists(room):
            if not same(sys.prefix, LEARNERS):
                os.chdir(ROOT)
                os.execv(room, [room, "-m", "workbook"] + argv)
        strange = [] if ready and not in_venv() else set(STRANGE) & set(os.environ)
        for name in strange:
            del os.environ[name]
        if not ready:
            with alone():
                if in_venv() or not is_ready(testing):
                    set_up(testing)
        if not ready or strange:
            command = [PYTHON, "-m", "workbook"] + argv
            if os.name == "nt":
                return subprocess.call(command, cwd=ROOT)
            os.chdir(ROOT)
            os.execv(PYTHON, command)
        from workbook import WorkbookError
        from workbook.launch import cli

        try:
            status = cli.main(argv)
            sys.stdout.flush()  # here, where somebody who reads no further can be let go
            return status
        except BrokenPipeError:  # `... | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 0
        except WorkbookError as error:
            return fail(str(error))
    except KeyboardInterrupt:
        return fail("Stopped. Nothing is broken: the same command goes on from here.", 130)
    except SetUpError as error:
        return fail(str(error))
    except (OSError, subprocess.SubprocessError) as error:
        return fail(explain(str(error)))


class SetUpError(Exception):
    """Why the environment could not be made, in one line."""


def fail(line, status=1):
    """Print one line where errors go; returns the exit status."""
    print(line, file=sys.stderr)
    return status


def is_install(argv):
    """Whether this makes environments of its own, with the standard library alone."""
    words = argv[3:4] if argv[1:2] == ["--folder"] else argv[1:2]
    return argv[:1] == ["room"] and words == ["install"]


def in_venv():
    """Whether this is the Python of our .venv."""
    return os.path.realpath(sys.prefix) == os.path.realpath(VENV)


def inside(testing):
    """Whether this Python has all that is needed: our .venv, or one that somebody else made."""
    from importlib import metadata, util
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    if not util.find_spec("jupyterlab"):  # in .venv too: a new Python does not see its packages
        return False
    if in_venv():
        return is_ready(testing)
    try:  # conda, a container, an environment of the user's own
        told = metadata.distribution("migrations-workbook").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return False
    place = urlsplit(json.loads(told)["url"]) if told else None
    return not place or place.scheme != "file" or same(url2pathname(place.path), ROOT)


def same(one, other):
    """Whether two paths lead to the same folder."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def stamp(testing):
    """What an installation is made from: the lock and the project's own file."""
    digest = hashlib.sha256()
    for name in [lock(testing), "pyproject.toml"]:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def lock(testing):
    """The lock file of learners, or the one that holds what tests and site need as well."""
    return "requirements-test.lock" if testing else "requirements.lock"


def made():
    """The stamps of what .venv holds and the folder that it was made in, as far as it is ready."""
    try:
        with open(READY, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def moved():
    """Whether .venv was made in another folder, by a copied or renamed clone: it leads there."""
    return any(os.path.isabs(line) and not same(line, VENV) for line in made())


def is_ready(testing):
    """Whether .venv is complete, made here, and from the locks as they are now."""
    return os.path.exists(PYTHON) and stamp(testing) in made() and not moved()


@contextlib.contextmanager
def alone():
    """Wait for another set-up of this clone. Raises KeyboardInterrupt.

    This file is what is locked, never written. The installers inherit the lock: one that goes on
    after we were killed still has .venv to itself.
    """
    with open(os.path.abspath(__file__), "rb") as file:
        os.set_inheritable(file.fileno(), True)
        waiting = False
        while True:
            try:
                if os.name == "nt":
                    import msvcrt

                    file.seek(2**30)  # beyond its end: others have to read it
                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                else:
                    import fcntl

                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except (BlockingIOError, PermissionError):
                if not waiting:
                    print("Another set-up is at work here: waiting for its end", flush=True)
                waiting = True
                time.sleep(0.2)
            except OSError:  # a file system that knows no locks
                break
        yield


def set_up(testing):
    """Make .venv and install the lock into it. Raises SetUpError, OSError, KeyboardInterrupt."""
    if not os.path.exists(PYTHON) or os.path.exists(UNFINISHED) or moved():
        make_environment()
    # What an interrupted installation left may look installed: all of it again, then.
    again = not os.path.exists(READY) and not os.path.exists(UNFINISHED)
    if os.path.exists(READY):
        os.remove(READY)
    with open(os.path.join(ROOT, lock(testing))) as file:
        count = sum("==" in line for line in file)
    print("[2/3] Installing about %d packages, once" % count, flush=True)
    uv = find_uv()
    if uv:
        install = [uv, "pip", "install", "--python", PYTHON]
    else:
        install = [PYTHON, "-m", "pip", "install", "--progress-bar", "on"]
    packages = ["--require-hashes", "-r", os.path.join(ROOT, lock(testing))]
    run(install + packages + (["--reinstall" if uv else "--force-reinstall"] if again else []))
    print("[3/3] Installing the workbook itself, and making the database", flush=True)
    # At the same time, as neither needs the other. What goes wrong with the server is said later,
    # by the command that wants it.
    server = None if testing else begin([PYTHON, "-c", DATABASE], **QUIET)
    try:
        run(install + ["-q", "--no-deps", "--no-build-isolation", "-e", ROOT])
    except BaseException:  # Ctrl-C too
        if server:
            server.wait()
            quietly([PYTHON, "-c", STOP])
        raise
    if server:
        server.wait()
    stamps = [stamp(False)] + ([stamp(True)] if testing else [])
    with open(READY, "w", encoding="utf-8") as file:
        file.write("\n".join(stamps + [VENV]))
    if os.path.exists(UNFINISHED):
        os.remove(UNFINISHED)


def make_environment():
    """Make .venv, empty, in place of one that is not finished, not made here or without a Python."""
    print("[1/3] Making a Python environment in .venv", flush=True)
    os.makedirs(VENV, exist_ok=True)
    if os.listdir(VENV) and not os.path.exists(UNFINISHED) and not os.path.exists(READY):
        raise SetUpError(
            "There is a .venv here that the workbook did not make, and it holds no Python that "
            "runs: rename or remove it, " + AGAIN
        )
    open(UNFINISHED, "w").close()  # the first thing that is there, and the last that goes
    for name in os.listdir(VENV):
        path = os.path.join(VENV, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif path != UNFINISHED:
            os.remove(path)
    uv = find_uv()
    base = getattr(sys, "_base_executable", sys.executable)  # not the one that was in .venv
    if uv:
        run([uv, "venv", "-q", "--allow-existing", "--python", base, VENV])
        return
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise SetUpError(
            "Python's venv module is missing. On Debian and Ubuntu: sudo apt install python3-venv, "
            + AGAIN
        )
    run([base, "-m", "venv", VENV])


def find_uv():
    """The user's uv, or the one in .venv, put there first if there is pip; None without any.

    It is many times faster than pip, which does where uv cannot be had.
    """
    own = os.path.join(os.path.dirname(PYTHON), "uv")
    for uv in [shutil.which("uv"), shutil.which(own)]:
        if uv and quietly([uv, "--version"]):  # pyenv's may be there and not work
            return uv
    if os.path.exists(PYTHON):
        quietly([PYTHON, "-m", "pip", "install", "--retries", "1", "uv"])
    return shutil.which(own)


def quietly(command):
    """Whether a command succeeds; what it says is lost."""
    return subprocess.call(command, **QUIET) == 0


def begin(command, **ways):
    """Start a command in a session of its own: Ctrl-C is for us, not for its traceback."""
    if os.name == "nt":
        ways["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        ways["start_new_session"] = True
    ways["env"] = dict(os.environ, PIP_USER="0")  # which a pip.conf may want otherwise
    return subprocess.Popen(command, cwd=ROOT, close_fds=False, **ways)  # the lock goes with it


def run(command):
    """Run a command in sight of the user. Raises SetUpError with the reason when it fails."""
    # Once more for its words: in sight, it had the terminal for its progress.
    for ways in ({}, {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}):
        process = begin(command, stdin=subprocess.DEVNULL, **ways)
        try:
            words = process.communicate()[0]
        except BaseException:
            process.kill() if os.name == "nt" else os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if process.returncode == 0:
            return
    raise SetUpError(explain(words.decode(errors="replace")))


def explain(text):
    """The one line for what a tool printed when it failed."""
    if shutil.disk_usage(ROOT).free < 20e6:
        return REASONS[0][1]
    for signs, line in REASONS:
        said = [each for each in text.splitlines() if any(sign in each for sign in signs)]
        if said:
            return line.format(said[-1].strip())
    lines = text.strip().splitlines()
    return "This did not work: " + (lines[-1] if lines else "no reason was given")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
