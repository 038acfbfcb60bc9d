"""The lessons in JupyterLite: a folder of a static site where they open and run, nothing installed.

Python is Pyodide, PostgreSQL is PGlite, and the packages are those of this environment, without
what was compiled for this machine. What comes from npm and PyPI is pinned with its hash in
workbook/browser/, and kept in .site/ for the next time.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import psycopg2
from nbformat import v4
from packaging.requirements import Requirement
from psycopg2 import _psycopg

from workbook import ROOT, WorkbookError, desk
from workbook.browser.home import NOTE as IN_TAB
from workbook.contents import CHAPTERS

SOURCES = ROOT / "workbook" / "browser"
TOOLS = ROOT / ".site"
PINNED = ("package.json", "package-lock.json", "requirements.lock")
KERNEL = "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension"
SQL = "share/jupyter/labextensions/jupyterlabs-sql-codemirror"
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
PGLITE = ("index.js", "chunk-*.js", "pglite.wasm", "pglite.data", "initdb.wasm")
PACKAGES = ["alembic", "ipython", "ipython-sql", "comm", "fasteners", "pyyaml", "packaging"]
NEVER_IMPORTED = {"pexpect", "psutil", "greenlet"}
LEFT_OUT = ("/tests/", "/testing/suite/", "third_party/", "__pycache__/", "../")
LITE = "static/workbook"
OURS = "workbook-clone"  # in place of the clone, so that alembic/ there is not the package
COMPILED = {".so", ".pyd", ".pyx", ".pxd", ".c"}
CONFIGURATION = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {
        "appName": "Migrations workbook",
        "exposeAppInBrowser": True,
        "litePluginSettings": {
            "@jupyterlite/pyodide-kernel-extension:kernel": {
                "pyodideUrl": f"./{LITE}/start.mjs",
                "disablePyPIFallback": True,
                "loadPyodideOptions": {
                    "packages": [
                        "micropip",
                        "piplite",
                        "ipykernel",
                        "comm",
                        "pyodide-kernel",
                        "jedi",
                        "ipython",
                    ]
                },
            }
        },
    },
}


def link(lesson: str) -> str:
    """Where a lesson opens, seen from the root of the site."""
    return f"lite/lab/index.html?path=workspace/{lesson}"


def build(folder: Path) -> None:
    """Build `lite/` in a site's folder. Raises WorkbookError where a tool or the network fails."""
    npm, python = _tools()
    with tempfile.TemporaryDirectory() as name:
        draft = Path(name)
        lay_lessons(draft / "files" / "workspace")
        (draft / "jupyter-lite.json").write_text(json.dumps(CONFIGURATION))
        shutil.rmtree(folder / "lite", ignore_errors=True)
        options = {
            "contents": [str(draft / "files")],
            "output_dir": str(folder.absolute() / "lite"),
            "apps": ["lab"],
            "no_sourcemaps": True,
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [str(python / KERNEL), str(Path(sys.prefix) / SQL)],
        }
        configuration = json.dumps({"LiteBuildConfig": options})
        (draft / "jupyter_lite_config.json").write_text(configuration)
        build = "from jupyterlite_core.app import main; main()"
        _run([sys.executable, "-c", build, "build"], draft, PYTHONPATH=str(python))
    _runtime(npm / "node_modules", python, folder / "lite" / LITE)


def _tools() -> tuple[Path, Path]:
    """The folders of what npm and pip install, as it is pinned now."""
    digest = hashlib.sha256()
    for name in PINNED:
        digest.update((SOURCES / name).read_bytes())
    place = TOOLS / digest.hexdigest()[:12]
    npm, python = place / "npm", place / "python"
    if not place.exists():
        shutil.rmtree(TOOLS, ignore_errors=True)
        draft = TOOLS / "draft"
        for part in (draft / "npm", draft / "python"):
            part.mkdir(parents=True)
        for name in PINNED[:2]:
            shutil.copy(SOURCES / name, draft / "npm")
        program = shutil.which("npm")
        if not program:
            raise WorkbookError("The lessons for a browser need npm: install Node.js 20 or newer.")
        _run([program, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], draft / "npm")
        uv = shutil.which("uv") or shutil.which("uv", path=Path(sys.executable).parent)
        pip = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
        options = ["--no-deps", "--require-hashes", "--target", str(draft / "python")]
        _run([*pip, "install", *options, "-r", str(SOURCES / "requirements.lock")], draft)
        draft.rename(place)
    return npm, python


def _run(command: list[str], folder: Path, **variables: str) -> None:
    """Run a tool. Raises WorkbookError with the last that it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = (done.stdout.strip().splitlines() or ["it said nothing"])[-1]
        raise WorkbookError(f"{Path(command[0]).name} failed while the site was built: {last}")


def _runtime(npm: Path, python: Path, place: Path) -> None:
    """Lay down Python, its packages, PostgreSQL and a cluster."""
    (place / "pglite").mkdir(parents=True)
    for name in PYODIDE:
        shutil.copy(npm / "pyodide" / name, place)
    lock = json.loads((npm / "pyodide" / "pyodide-lock.json").read_text())
    lock["packages"] = {}  # nothing is there to be fetched when a cell imports it
    (place / "pyodide-lock.json").write_text(json.dumps(lock))
    library = npm / "@electric-sql" / "pglite" / "dist"
    for pattern in PGLITE:
        for each in library.glob(pattern):
            shutil.copy(each, place / "pglite")
    for name in ("start.mjs", "databases.mjs"):
        shutil.copy(SOURCES / name, place)
    cluster = [
        str(SOURCES / "cluster.mjs"),
        str(library / "index.js"),
        str(place / "cluster.tar.gz"),
    ]
    _run([shutil.which("node") or "node", *cluster], place)
    with zipfile.ZipFile(place / "packages.zip", "w", zipfile.ZIP_DEFLATED) as packages:
        for wheel in sorted((python / KERNEL / "static" / "pypi").glob("*.whl")):
            if not wheel.name.startswith(("widgets", "piplite")):
                with zipfile.ZipFile(wheel) as content:
                    for name in content.namelist():
                        packages.writestr(name, content.read(name))
        for name, path in [*_packages(), *_workbook()]:
            packages.write(path, name)
        for chapter in CHAPTERS.values():
            lesson = desk.written(desk.published(chapter.lesson))
            packages.writestr(f"{OURS}/notebooks/{chapter.lesson}", lesson)
        with tempfile.TemporaryDirectory() as folder:
            stand_in(Path(folder))
            for each in sorted(Path(folder).rglob("*.py")):
                packages.write(each, each.relative_to(folder))


def _packages() -> Iterator[tuple[str, Path]]:
    """The Python of the packages that lessons import, of the versions that are installed here."""
    seen: set[str] = set()
    rest = list(PACKAGES)
    here = {"sys_platform": "emscripten", "platform_system": "Emscripten", "extra": ""}
    here |= {
        "platform_machine": "wasm32",
        "python_version": "3.14",
        "python_full_version": "3.14.2",
    }
    while rest:
        name = rest.pop()
        if name in seen or name in NEVER_IMPORTED:
            continue
        seen.add(name)
        found = metadata.distribution(name)
        for line in found.requires or []:
            need = Requirement(line)
            if not need.marker or need.marker.evaluate(here):
                rest.append(need.name.lower().replace("_", "-"))
        for file in found.files or []:
            path = file.as_posix()
            whole = f"/{path}"
            if file.suffix not in COMPILED and not any(each in whole for each in LEFT_OUT):
                yield path, Path(str(found.locate_file(file)))


def _workbook() -> Iterator[tuple[str, Path]]:
    """This package, and the finished history that chapters start from."""
    for part in ("workbook", "alembic"):
        for path in sorted((ROOT / part).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and "__pycache__" not in name and "/browser/psycopg2/" not in name:
                yield f"{OURS}/{name}", path


def stand_in(folder: Path) -> None:
    """Lay psycopg2 into a folder with the C module's stand-in, and what that takes from the real one."""
    package = folder / "psycopg2"
    package.mkdir()
    for source in (Path(psycopg2.__file__).parent, SOURCES / "psycopg2"):
        for each in source.glob("*.py"):
            shutil.copy(each, package)
    shutil.copy(SOURCES / "pglite.py", folder)
    names = "Interface Database Data Operational Integrity Internal Programming NotSupported"
    own = [f"{each}Error" for each in names.split()] + [
        "QueryCanceledError",
        "TransactionRollbackError",
    ]
    classes = {name: _base(getattr(_psycopg, name)) for name in own}
    states = {code: (each.__name__, _base(each)) for code, each in _psycopg.sqlstate_errors.items()}
    types = {
        number: each.name
        for number, each in _psycopg.string_types.items()
        if each.name.isupper() and "JSON" not in each.name
    }
    tables: dict[str, Any] = {"CLASSES": classes, "SQLSTATES": states, "TYPES": types}
    text = "".join(f"{name} = {value!r}\n" for name, value in tables.items())
    (package / "_tables.py").write_text(text)


def _base(error: type) -> str:
    return error.__bases__[0].__name__


NOTE = """<div class="alert alert-block alert-info">

**This lesson runs in your browser's tab**, with a Python and a PostgreSQL of its own. {}
Files and database stay in this browser, for you to go on; `from workbook import take_home`, then
`take_home()` packs your work for a computer of your own. There is no terminal here, and what hangs
is ended in the menu Kernel, by Restart.

</div>"""


def lay_lessons(place: Path) -> None:
    """Lay the lessons that run in a tab into a folder, with a note that says so."""
    place.mkdir(parents=True, exist_ok=True)
    for chapter in CHAPTERS.values():
        if chapter.in_tab:
            notebook = desk.published(chapter.lesson)
            notebook["cells"].insert(
                1, v4.new_markdown_cell(NOTE.format(chapter.in_tab), id=IN_TAB)
            )
            (place / chapter.lesson).write_bytes(desk.written(notebook))
