"""A room for trial: PostgreSQL, JupyterHub and learners who work through notebooks 00 to 03.

`python3 -m workbook room rehearse --learners 30` measures one; tests/test_room.py breaks one.
Its hub isolates nobody: it is for a machine without learners.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import psycopg2
from tornado.httpclient import HTTPClientError

from classroom import client, install, room, server
from classroom.errors import RoomError
from workbook import ROOT, WorkbookError
from workbook.contents import CHAPTERS
from workbook.exercises import answers, load
from workbook.server import postgres

HUB = Path(os.environ.get("ROOM_HUB", install.HUB))
LEARNERS = Path(os.environ.get("ROOM_LEARNERS", install.LEARNERS))
NOTEBOOKS = [CHAPTERS[number].lesson.removesuffix(".ipynb") for number in range(4)]
IMPORTS = "from workbook import check, hint, progress, solution\n"
HBA = """local all postgres,learner peer map=workbook
local all all scram-sha-256
"""
TRIES = 4  # of a notebook that a kill got in the way of


def missing() -> str:
    """Why no room can be made here, or nothing."""
    if not install.proxy():
        return "there is no configurable-http-proxy: python3 -m workbook room install"
    for python, packages in (
        (HUB, "jupyterhub, jupyterhub_idle_culler, psycopg2"),
        (LEARNERS, "jupyterhub, jupyterlab, workbook"),
    ):
        done = subprocess.run(
            ["sh", "-c", f'"{python}" -c "import {packages}"'], check=False, cwd="/"
        )
        if done.returncode:
            return f"{python} does not have {packages}: python3 -m workbook room install"
    return ""


# --- The room


@dataclass
class Room:
    """A room that runs, and how often something in it was killed."""

    folder: Path
    names: list[str]
    admin: str = ""
    kills: int = 0
    mending: int = 0  # kills that are not made good yet
    hub_process: subprocess.Popen[bytes] | None = None
    pids: set[psutil.Process] = field(default_factory=set)

    @property
    def place(self) -> Path:
        """The room's own folder; a short name, for the sockets in the homes below it."""
        return self.folder / "r"

    @property
    def configuration(self) -> Path:
        """The hub's own."""
        return self.folder / "jupyterhub_config.py"

    @property
    def hub(self) -> client.Hub:
        """For the client."""
        return room.connection(room.settings(self.place))

    def home(self, name: str) -> Path:
        """A learner's WORKBOOK_HOME."""
        return self.place / "homes" / name / "workbook"


@contextlib.contextmanager
def a_room(count: int, *more: str, more_configuration: str = "") -> Iterator[Room]:
    """PostgreSQL and a hub for so many learners, l1 and so on; everything goes at the end.

    `more` is for `room prepare`, and `more_configuration` for the hub.
    """
    # Not below TMPDIR: the kernels' sockets lie there, and their paths are limited to 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="r-", dir="/tmp"))
    folder.chmod(0o711)
    made = Room(folder, [f"l{number}" for number in range(1, count + 1)])
    (folder / "names").write_text("\n".join(made.names))
    try:
        address = postgres.start(folder)
        made.admin = f"host={address['PGHOST']} port={address['PGPORT']} user=postgres"
        postgres._write(data(made) / "room_hba.conf", HBA)
        with server._connected(made.admin) as connected, connected.cursor() as cursor:
            cursor.execute(f"ALTER SYSTEM SET hba_file = '{data(made) / 'room_hba.conf'}'")
        parser = argparse.ArgumentParser()
        room.add_arguments(parser)
        words = ["--folder", str(made.place), "prepare", "--admin", made.admin]
        words += ["--names", str(folder / "names"), "--teacher", "teacher"]
        words += ["--python", str(LEARNERS), "--bind", f"http://127.0.0.1:{free_port()}"]
        if room.main(parser.parse_args([*words, *more])):
            raise WorkbookError("No room can be prepared.")
        postgres.stop(folder)  # it starts with the settings that `prepare` has written
        start_database(made)
        given = room.settings(made.place)
        ours = ROOT / "classroom" / "jupyterhub_config.py"
        made.configuration.write_text(f'load_subconfig("{ours}")\n{more_configuration}')
        given |= {"hub_port": free_port(), "proxy_port": free_port()}
        room.write(made.place / "room.json", json.dumps(given))
        start_hub(made)
        yield made
    finally:
        end(made)
        shutil.rmtree(postgres.cluster_home(folder), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def data(made: Room) -> Path:
    """PostgreSQL's own folder."""
    [found] = postgres.cluster_home(made.folder).glob("[0-9]*/")
    return found


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_database(made: Room) -> None:
    """Start PostgreSQL; what is left of a killed one may be in the way for a moment."""
    for _ in range(60):
        with contextlib.suppress(WorkbookError, psycopg2.Error):
            postgres.start(made.folder)
            return
        time.sleep(0.5)
    raise WorkbookError("PostgreSQL does not start again.")


def start_hub(made: Room) -> None:
    """JupyterHub with our configuration; waits until it answers."""
    keep = ("PATH", "HOME", "LANG", "PYTHONDONTWRITEBYTECODE")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    environment["ROOM_FOLDER"] = str(made.place)
    environment["ROOM_TRIAL"] = "no isolation"
    command = [str(HUB), "-m", "jupyterhub", "-f", str(made.configuration)]
    with (made.folder / "hub.log").open("ab") as log:
        made.hub_process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=made.place / "hub",
            env=environment,
            start_new_session=True,
        )
    for _ in range(600):
        with contextlib.suppress(RoomError):
            asyncio.run(client.users(made.hub))
            return
        if made.hub_process.poll() is not None:
            break
        time.sleep(0.2)
    raise WorkbookError((made.folder / "hub.log").read_text()[-3000:])


def remember(made: Room) -> None:
    """Note every process of the hub's, to find them when it is gone."""
    if made.hub_process and made.hub_process.poll() is None:
        with contextlib.suppress(psutil.Error):
            made.pids |= set(psutil.Process(made.hub_process.pid).children(recursive=True))


@contextlib.contextmanager
def broken(made: Room) -> Iterator[None]:
    """From a kill until what was killed is there again."""
    made.mending += 1
    try:
        yield
    finally:
        made.kills += 1
        made.mending -= 1


def kill_hub(made: Room) -> None:
    """SIGKILL for the hub and start it again; proxy and servers are left as they are."""
    remember(made)
    assert made.hub_process
    with broken(made):
        made.hub_process.kill()
        made.hub_process.wait()
        start_hub(made)


def kill_database(made: Room) -> None:
    """SIGKILL for PostgreSQL, and start it again."""
    with broken(made):
        process = postgres._postmaster(data(made))
        assert process
        process.kill()
        process.wait(20)
        start_database(made)


def kill_server(made: Room, name: str) -> None:
    """SIGKILL for a learner's server, which the hub starts again; its kernels end by themselves."""
    with broken(made):
        [first, *_] = family(made, name)
        first.kill()
        first.wait(20)
        asyncio.run(available(made, name))


def family(made: Room, name: str) -> list[psutil.Process]:
    """A learner's server and what it has started."""
    place = f"--ServerApp.root_dir={made.home(name) / 'workspace'}"
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if place in process.cmdline():
                return [process, *process.children(recursive=True)]
    return []


def end(made: Room) -> None:
    """Leave nothing running."""
    remember(made)
    for name in made.names:
        made.pids |= set(family(made, name))
    if made.hub_process and made.hub_process.poll() is None:
        made.hub_process.send_signal(signal.SIGINT)
        try:
            made.hub_process.wait(20)
        except subprocess.TimeoutExpired:
            made.hub_process.kill()
            made.hub_process.wait()
    for each in made.pids:
        with contextlib.suppress(psutil.Error):
            each.kill()  # psutil knows it from another with the same pid
    postgres.stop(made.folder)


# --- A learner at work


@dataclass
class Work:
    """What a learner went through: seconds of each check, and what went wrong."""

    checks: list[float] = field(default_factory=list)
    mistakes: int = 0
    problems: list[str] = field(default_factory=list)
    retries: int = 0


@dataclass(frozen=True)
class Step:
    """A cell, and words that it has to print; a check is timed."""

    code: str
    says: str = ""
    fails: bool = False  # the lesson shows an error here


def steps(notebook: str, number: int) -> list[Step]:
    """What the learner of this number does in a notebook: one in three checks before they solve."""
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text())["cells"]
    found = []
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        code = "".join(cell["source"])
        tags = cell["metadata"].get("tags", [])
        if "exercise" in tags:
            id = ".".join(cell["id"].split("-")[1:3])
            found += steps_of(id, number)
        elif code.startswith(("check(", "from workbook import check")):
            id = code.split('check("')[1].split('"')[0]
            found.append(Step(IMPORTS + code, f"{id}  Done"))
        else:
            found.append(Step(code, fails="raises-exception" in tags))
    return found


def steps_of(id: str, number: int) -> list[Step]:
    """A wrong answer and its check for one learner in three, then the solution."""
    exercise = load(id)
    wrong = [each for each in answers(id)[0] if each.says]
    found = []
    # The wrong ones of 3.2 change the database.
    if (number + int(id.split(".")[1])) % 3 == 0 and id != "3.2":
        answer = wrong[number % len(wrong)]
        found = [Step(cell) for cell in answer.typed(exercise)]
        argument = f", {answer.given!r}" if answer.given is not None else ""
        found.append(Step(f'{IMPORTS}check("{id}"{argument})', answer.says))
    solved = exercise.solution.strip()
    if "check(" in solved:
        return [*found, Step(IMPORTS + solved, f"{id}  Done")]
    return [*found, *map(Step, exercise.solved)]


async def work(
    made: Room, name: str, notebooks: list[str], done: Work, pause: float = 0, number: int = 0
) -> None:
    """Go through notebooks cell by cell; after a kill, from the chapter's start in a new kernel."""
    for notebook in notebooks:
        for attempt in range(TRIES):
            before, cells = made.kills, steps(notebook, number)
            if attempt:  # what a kill left half done would be made a second time
                afresh = cells[0].code.removesuffix(")") + ", fresh=True)"
                cells[0] = replace(cells[0], code=afresh)
            problem = await go_through(made, name, cells, done, pause)
            if not problem:
                break
            # A kill may need a moment to be noticed; without one, there is no excuse.
            await asyncio.sleep(1)
            if (made.kills == before and not made.mending) or attempt == TRIES - 1:
                done.problems.append(f"{name} {notebook}: {problem}")
                return
            done.retries += 1
            while made.mending:
                await asyncio.sleep(0.2)
            await available(made, name)


async def available(made: Room, name: str) -> None:
    """Wait until the learner's server is up, and start it if need be."""
    for _ in range(60):
        with contextlib.suppress(OSError, HTTPClientError, RoomError):
            if not await client.start(made.hub, [name], seconds=200):
                host = await client.host_of(made.hub, name)
                await client.call(made.hub, "GET", f"/user/{name}/api/status", host=host)
                return
        await asyncio.sleep(1)


async def go_through(made: Room, name: str, cells: list[Step], done: Work, pause: float) -> str:
    """Run cells in a kernel of their own; the first problem, in words, or nothing."""
    try:
        async with client.kernel(made.hub, name) as kernel:
            for cell in cells:
                if pause:
                    await asyncio.sleep(random.expovariate(1 / pause))
                begun = time.monotonic()
                said = await kernel.run(cell.code, 300)
                if "check(" in cell.code:
                    done.checks.append(time.monotonic() - begun)
                    done.mistakes += "  Done" not in said.text
                if bool(said.error) != cell.fails or cell.says not in said.text:
                    return f"{cell.code[-200:]!r} said {said.error or said.text!r}"
    except (OSError, HTTPClientError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


# --- Measure


def memory(made: Room) -> list[tuple[float, float]]:
    """Proportional memory of each learner's server and of all that it has started, in MiB."""

    def pss(process: psutil.Process) -> float:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        return int(text.split("\nPss:")[1].split()[0]) / 1024

    found = []
    for name in made.names:
        first, *others = family(made, name)
        found.append((pss(first), sum(map(pss, others))))
    return found


async def first_cells(made: Room) -> list[tuple[float, float]]:
    """A kernel for everybody, its first cell run; memory while all of them are there."""
    cell = steps(NOTEBOOKS[0], 0)[0].code

    @contextlib.asynccontextmanager
    async def one(name: str) -> AsyncIterator[None]:
        async with client.kernel(made.hub, name) as kernel:
            said = await kernel.run(cell, 300)
            assert said.text and not said.error, said  # the learner alone has been here before
            yield

    async with contextlib.AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(one(name)) for name in made.names))
        return memory(made)


async def measure(made: Room, pause: float) -> int:
    """Print what a room of this size costs; returns how many learners did not get through."""
    begun = time.monotonic()

    def lap(words: str) -> None:
        nonlocal begun
        print(f"{time.monotonic() - begun:7.1f} s  {words}", flush=True)
        begun = time.monotonic()

    alone = Work()
    first = made.names[:1]
    await client.start(made.hub, first)
    for number in range(3):
        await work(made, first[0], NOTEBOOKS, alone, number=number)
    lap(f"one learner alone, three times through: {len(alone.checks)} checks")
    await client.stop(made.hub, first[0])
    begun = time.monotonic()
    problems = await client.start(made.hub, made.names, 2 * (os.cpu_count() or 1))
    lap(f"cold: {len(made.names) - len(problems)} of {len(made.names)} servers are up")
    sizes = await first_cells(made)
    lap("their first kernel and first cell")
    await first_cells(made)
    lap("warm: a new kernel and the first cell for all of them")
    servers, kernels = zip(*sizes, strict=True)
    print(
        f"memory for each (PSS): server {statistics.mean(servers):.0f} MiB, kernel"
        f" {statistics.mean(kernels):.0f} MiB; all {sum(servers) + sum(kernels):.0f} MiB"
    )
    every = [Work() for _ in made.names]
    begun = time.monotonic()
    await asyncio.gather(
        *(
            work(made, name, NOTEBOOKS, done, pause, number)
            for number, (name, done) in enumerate(zip(made.names, every, strict=True))
        )
    )
    checks = [each for done in every for each in done.checks]
    lap(f"all at work, {pause:g} s between two cells on average: {len(checks)} checks")
    failed = [problem for done in every for problem in (*alone.problems, *done.problems)]
    print(*failed, sep="\n")
    before, after = (statistics.quantiles(each, n=20)[-1] for each in (alone.checks, checks))
    print(
        f"check, 95th percentile: {before:.2f} s alone, {after:.2f} s with all at work"
        f" ({after / before:.1f} times); median {statistics.median(alone.checks):.2f} s and"
        f" {statistics.median(checks):.2f} s"
    )
    green = sum(not done.problems for done in every)
    mistakes = sum(done.mistakes for done in every)
    print(f"{green} of {len(every)} learners are through, {mistakes} wrong answers on the way.")
    return len(every) - green


def main(learners: int, pause: float) -> int:
    """Make a room for so many, measure it, take it away; how many did not get through."""
    if missing():
        install.bring(install.Plan(room.FOLDER), install.BASIS[1:])
    if reason := missing():
        raise RoomError(f"No room can be made: {reason}.")
    with a_room(learners) as made:
        return asyncio.run(measure(made, pause))
