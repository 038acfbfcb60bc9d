"""A learner's side of a room: notebooks that are published, brought up to date and served.

The hub starts this file for a learner, in the learner's account and environment, and the room's
commands take `publish` from here. The file `bundle` is the clone's last commit.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # at the end: nothing there may stand before a package

from classroom.server import RoomError

BUNDLE = "workbook.bundle"
BRANCH = "workbook"


def publish(clone: Path, folder: Path) -> None:
    """Put the clone's last commit where learners' servers fetch it. Raises RoomError.

    A bundle is one file that any account can read: git fetches from no repository of another's.
    """
    trust = ["-c", f"safe.directory={clone}"]
    if git("-C", str(clone), "rev-parse", "--is-shallow-repository", before=trust) == "true":
        raise RoomError("The clone is shallow: run git fetch --unshallow there first.")
    with tempfile.TemporaryDirectory(dir=folder) as draft:
        whole, named = f"{draft}/whole", f"{draft}/named"
        git("-C", str(clone), "bundle", "create", "-q", whole, "HEAD", before=trust)
        git("init", "-q", "--bare", f"{draft}/bare")
        git("-C", f"{draft}/bare", "fetch", "-q", whole, f"HEAD:refs/heads/{BRANCH}")
        git("-C", f"{draft}/bare", "bundle", "create", "-q", named, BRANCH)
        Path(named).chmod(0o644)
        Path(named).replace(folder / BUNDLE)


def git(*arguments: str, before: list[str] | None = None) -> str:
    """What a git command prints. Raises RoomError with its last line."""
    command = ["git", *(before or []), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise RoomError("git is missing: install it.") from None
    if done.returncode:
        raise RoomError(f"git does not do it: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return done.stdout.strip()


def serve(rest: list[str]) -> None:
    """Bring a learner's notebooks up to date, then become their server. In their account."""
    from workbook.launch import lab

    folder = Path.home() / "workbook"
    try:
        for line in bring(Path(os.environ["ROOM_BUNDLE"]), folder):
            print(line, flush=True)
    except (OSError, RoomError, subprocess.SubprocessError) as error:
        if not folder.exists():
            raise
        print(f"The notebooks stay as they are: {error}", file=sys.stderr, flush=True)
    os.environ["WORKBOOK_HOME"] = str(folder)
    os.chdir(folder)
    from jupyter_core.paths import jupyter_runtime_dir

    if not lab.has_room_for_sockets(Path(jupyter_runtime_dir())):
        os.environ["JUPYTER_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="jupyter-")
    place = f"--ServerApp.root_dir={folder}"
    arguments = [*lab.lab_arguments([place]), place, *rest]
    command = [sys.executable, "-m", "jupyterhub.singleuser", *arguments]
    os.execve(sys.executable, command, lab.lab_environment())


def bring(bundle: Path, folder: Path) -> list[str]:
    """Clone the notebooks, or bring those that are there up to date; gives what was done.

    nbgitpuller commits what the learner has changed and merges what is new; where both have changed
    the same lines, the learner's stay. Raises RoomError, OSError, SubprocessError.
    """
    from nbgitpuller.pull import GitPuller  # type: ignore[import-not-found,unused-ignore]

    said: list[str] = []
    if not (folder / ".git").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".draft-") as draft:
            fresh = Path(draft) / "workbook"  # whole or not at all, though it be killed half-way
            said += GitPuller(str(bundle), str(fresh), branch=BRANCH, depth=0).pull()
            if not folder.exists():
                fresh.rename(folder)
                return said
            (fresh / ".git").rename(folder / ".git")  # the learner's files, back under git
    git("-C", str(folder), "remote", "set-url", "origin", str(bundle))
    mine = {path: path.read_bytes() for path in folder.glob("notebooks/*.ipynb")}
    try:
        said += GitPuller(str(bundle), str(folder), branch=BRANCH, depth=0).pull()
    except Exception as error:  # nbgitpuller raises bare ones, too
        if (folder / ".git" / "MERGE_HEAD").exists():
            git("-C", str(folder), "merge", "--abort")
        raise RoomError(str(error)) from error
    for path, text in mine.items():
        if is_json(text) and path.exists() and not is_json(path.read_bytes()):
            path.write_bytes(text)  # lines were merged that do not make a notebook
            said.append(f"{path.name} stays as it was\n")
    return said


def is_json(text: bytes) -> bool:
    """Whether a notebook can be read."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    serve(sys.argv[1:])
