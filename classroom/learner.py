"""A learner's side of a room: their lessons are laid on their desk, and JupyterLab serves it.

The hub starts this file for a learner, in the learner's account and environment. The lessons are
those of the clone that the hub runs from, as they are at that moment.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path


def serve(rest: list[str]) -> None:
    """Lay a learner's lessons, then become their server."""
    from jupyter_core.paths import jupyter_runtime_dir

    from workbook import desk, home
    from workbook.launch import lab

    os.environ["WORKBOOK_HOME"] = str(Path.home() / "workbook")
    for line in desk.lay():
        print(line, file=sys.stderr, flush=True)
    os.chdir(home() / "workspace")
    if "WORKBOOK_ROOM" not in os.environ:  # a teacher's, which reports to no room
        for name in ("board.ipynb", "board.py"):
            shutil.copyfile(Path(__file__).with_name(name), name)
    if not lab.has_room_for_sockets(Path(jupyter_runtime_dir())):
        os.environ["JUPYTER_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="jupyter-")
    command = [sys.executable, "-P", "-m", "jupyterhub.singleuser", *lab.lab_arguments([]), *rest]
    os.execve(sys.executable, command, lab.lab_environment())


if __name__ == "__main__":
    serve(sys.argv[1:])
