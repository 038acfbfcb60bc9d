"""`python3 -m workbook`: makes the environment the first time, then runs on inside it.

Standard library only, and no syntax newer than Python 3.6: an old Python has to be able to read
this far to say that it is too old.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]))
READY = os.path.join(VENV, ".workbook-ready")  # the stamps of the locks that are installed
UNFINISHED = os.path.join(VENV, ".workbook-unfinished")  # there while the environment is made
AGAIN = "then run the same command again"
REASONS = [
    (("No space left", "not enough space", "Errno 28"), "The disk is full: make room, " + AGAIN),
    (
        ("dns error", "resolve", "connect", "timed out", "Max retries", "No matching distribution"),
        "The packages cannot be downloaded: check the network, " + AGAIN,
    ),
    (("hashes", "Hash mismatch"), "A package is not the one that the lock names: see above"),
]


def main(argv):
    """Run a command line; returns the exit status."""
    if sys.version_info < (3, 11):
        return fail(
            "Python 3.11 or newer is needed, and this is %d.%d. Install one from python.org, "
            "then run the command with it, for instance: python3.13 -m workbook"
            % sys.version_info[:2]
        )
    testing = argv[:1] == ["test"]
    try:
        if not inside(testing):
            set_up(testing)
            command = [PYTHON, "-m", "workbook"] + argv
            if os.name == "nt":
                return subprocess.call(command, cwd=ROOT)
            os.chdir(ROOT)
            os.execv(PYTHON, command)
        from workbook import WorkbookError, cli

        try:
            return cli.main(argv)
        except WorkbookError as error:
            return fail(str(error))
    except KeyboardInterrupt:
        return fail("Stopped. Nothing is broken: the same command goes on from here.", 130)
    except SetUpError as error:
        return fail(str(error))
    except OSError as error:
        return fail(explain(str(error)))


class SetUpError(Exception):
    """Why the environment could not be made, in one line."""


def fail(line, status=1):
    """Print one line where errors go; returns the exit status."""
    print(line, file=sys.stderr)
    return status


def inside(testing):
    """Whether this Python has all that is needed: our .venv, or one that somebody else made."""
    if os.path.realpath(sys.prefix) == os.path.realpath(VENV):
        return is_ready(testing)
    from importlib import metadata

    try:  # conda, a container, an environment of the user's own
        metadata.version("migrations-workbook")
    except metadata.PackageNotFoundError:
        return False
    return True


def stamp(testing):
    """What an installation is made from: the lock, the project's own file and this Python."""
    digest = hashlib.sha256(sys.version.encode())
    for name in [lock(testing), "pyproject.toml"]:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def lock(testing):
    """The lock file of learners, or the one that holds what the project's tests need as well."""
    return "requirements-test.lock" if testing else "requirements.lock"


def is_ready(testing):
    """Whether .venv is complete and made from the locks as they are now."""
    try:
        with open(READY) as file:
            stamps = file.read().split()
    except OSError:
        return False
    return os.path.exists(PYTHON) and stamp(testing) in stamps


def set_up(testing):
    """Make .venv and install the lock into it. Raises SetUpError, OSError, KeyboardInterrupt."""
    if is_ready(testing):
        return
    if os.path.exists(UNFINISHED) or not os.path.exists(PYTHON):
        shutil.rmtree(VENV, ignore_errors=True)
    uv = shutil.which("uv")
    if not os.path.exists(PYTHON):
        print("[1/3] Making a Python environment in .venv", flush=True)
        os.makedirs(VENV)
        open(UNFINISHED, "w").close()
        if uv:
            run([uv, "venv", "-q", "--allow-existing", "--python", sys.executable, VENV])
        else:
            make_venv()
    if os.path.exists(READY):
        os.remove(READY)
    with open(os.path.join(ROOT, lock(testing))) as file:
        count = sum("==" in line for line in file)
    print("[2/3] Installing %d packages, once" % count, flush=True)
    if not uv:  # many times faster than pip; pip does where it cannot be had
        uv = os.path.join(os.path.dirname(PYTHON), "uv")
        if not shutil.which(uv):
            subprocess.call([PYTHON, "-m", "pip", "install", "-q", "uv"], stderr=subprocess.DEVNULL)
    if shutil.which(uv):
        install = [uv, "pip", "install", "--python", PYTHON]
    else:
        install = [PYTHON, "-m", "pip", "install", "--progress-bar", "on"]
    run(install + ["--require-hashes", "-r", os.path.join(ROOT, lock(testing))])
    print("[3/3] Installing the workbook itself", flush=True)
    run(install + ["-q", "--no-deps", "--no-build-isolation", "-e", ROOT])
    stamps = [stamp(False)] + ([stamp(True)] if testing else [])
    with open(READY, "w") as file:
        file.write("\n".join(stamps))
    if os.path.exists(UNFINISHED):
        os.remove(UNFINISHED)


def make_venv():
    """`python -m venv`, with a word for the Linux distributions that sell it separately."""
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        shutil.rmtree(VENV)
        raise SetUpError(
            "Python's venv module is missing. On Debian and Ubuntu: sudo apt install python3-venv, "
            + AGAIN
        )
    venv.create(VENV, with_pip=True)


def run(command):
    """Run a command in sight of the user. Raises SetUpError with the reason when it fails."""
    if subprocess.call(command, cwd=ROOT, stdin=subprocess.DEVNULL) == 0:
        return
    # Once more for its words: in sight, it had the terminal for its progress.
    again = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if again.returncode:
        raise SetUpError(explain(again.stdout.decode(errors="replace")))


def explain(text):
    """The one line for what a tool printed when it failed."""
    if shutil.disk_usage(ROOT).free < 20e6:
        return REASONS[0][1]
    for signs, line in REASONS:
        if any(sign in text for sign in signs):
            return line
    lines = text.strip().splitlines()
    return "Setting up stopped: " + (lines[-1] if lines else "no reason was given")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
