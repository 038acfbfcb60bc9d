"""Releases of the learner's application, served side by side, and visitors who ask all of them."""

import contextlib
import http.client
import json
import logging
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from workbook import WorkbookError, project
from workbook.apart import Stopped
from workbook.pictures.visits import show_visits
from workbook.server import database

if TYPE_CHECKING:
    from workbook.beside import Beside, Line

START = 30  # seconds for a release to begin to serve
ANSWER = 15  # seconds that a visitor waits; a lock_timeout is over long before
ROUNDS = 8  # of visits to each release before and after what happens in between
PATIENCE = 20  # seconds for these
APPLICATION = "jobboard.api"
FAILED = object()


@dataclass
class Release:
    """A copy of jobboard/ as it was, served on a port of its own by a process of its own."""

    name: str
    port: int
    process: "Beside"
    folder: tempfile.TemporaryDirectory[str]

    def end(self) -> None:
        """End its process, and remove the copy."""
        self.process.end()
        self.folder.cleanup()


RUNNING: dict[str, Release] = {}  # those that visitors are sent to


def serve(name: str) -> None:
    """Serve a copy of jobboard/ as it is now under a name.

    Visitors are sent to it once it answers; a former release of that name ends after that. The
    workbook's releases end with the kernel. Raises WorkbookError where it does not begin to serve.
    """
    from workbook.beside import Beside

    source = project.workspace() / "jobboard"
    if not (source / "api.py").is_file():
        raise WorkbookError("There is no jobboard/api.py yet: run the cell that writes it.")
    folder = tempfile.TemporaryDirectory(prefix="release-", ignore_cleanup_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, Path(folder.name) / "jobboard", ignore=ignored)
    process = Beside("workbook.releases:answer", folder.name, PGAPPNAME=name)
    try:
        port = process.hear(START)
    except Stopped as stopped:
        process.end(0)
        folder.cleanup()
        raise WorkbookError(f"{name} does not begin to serve: {stopped}.") from None
    before = RUNNING.get(name)
    RUNNING[name] = Release(name, port, process, folder)
    if before:
        before.end()
    print(f"{name} serves jobboard/ as it is now.")


def retire(*names: str) -> None:
    """Send nobody to these releases any more, and end them; all of them where none is named."""
    for name in names or tuple(RUNNING):
        if name not in RUNNING:
            runs = " and ".join(RUNNING) or "none"
            raise WorkbookError(f"No release is called {name!r}: {runs} runs.")
        RUNNING.pop(name).end()


# ---- in a release's own process ------------------------------------------------------------------


def answer(line: "Line", folder: str) -> None:
    """Serve the application in a folder until the kernel asks for the end; says on which port."""
    import uvicorn
    from fastapi import Request
    from fastapi.responses import PlainTextResponse

    def reason(request: Request, error: Exception) -> PlainTextResponse:
        """With a 500 goes the first line of what stands in the log, for a visitor to report."""
        return PlainTextResponse((str(error) or repr(error)).splitlines()[0], 500)

    sys.path.insert(0, folder)
    logging.disable()
    configuration = uvicorn.Config(f"{APPLICATION}:app", log_config=None)
    configuration.load()
    sys.modules[APPLICATION].app.add_exception_handler(Exception, reason)
    server = uvicorn.Server(configuration)

    def watch() -> None:
        line.over.wait()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        line.say(listening.getsockname()[1])
        server.run([listening])


# ---- visitors ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """One request: when, to which release, and what was wrong with the answer; "": nothing."""

    second: float
    release: str
    wrong: str


@dataclass
class Visitors:
    """Ask every release, all the time, while the body of a `with` runs.

    A round is a job that is posted at one release, read at all of them, moved to another city, and
    read at all of them again. An answer that is no success counts as an error, and so
    does a city that is not the one that was written. The jobs are gone in the end.
    """

    visits: list[Visit] = field(default_factory=list)
    began: float = 0  # seconds: when the body began and ended, counted as the visits are
    ended: float = 0
    _rounds: Counter[str] = field(default_factory=Counter)
    _jobs: set[int] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def asked(self) -> dict[str, int]:
        """How many requests went to each release."""
        return dict(Counter(each.release for each in self.visits))

    @property
    def errors(self) -> dict[str, int]:
        """How many of them got no right answer."""
        wrong = Counter(each.release for each in self.visits if each.wrong)
        return {name: wrong[name] for name in self.asked}

    def reasons(self) -> dict[str, str]:
        """What was wrong most often, for each release where something was."""
        found: dict[str, Counter[str]] = {}
        for each in self.visits:
            if each.wrong:
                found.setdefault(each.release, Counter())[each.wrong] += 1
        return {name: every.most_common(1)[0][0] for name, every in found.items()}

    def __enter__(self) -> Self:
        if not RUNNING:
            raise WorkbookError(
                "No release is served, and those of a kernel end with it: serve one first."
            )
        self._counter = _counter()
        self._start = time.monotonic()
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self._thread.start()
        self._wait()
        self.began = self._now()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            self.ended = self._now()
            if not kind:
                self._wait()
        finally:
            self._over.set()
            self._thread.join()
            _tidy(self._jobs, self._counter)
        if not kind:
            show_visits(self)

    def _now(self) -> float:
        return time.monotonic() - self._start

    def _wait(self) -> None:
        """Wait until every release has been visited some times more."""
        wanted = {name: self._rounds[name] + ROUNDS for name in RUNNING}
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._thread.is_alive():
            if all(self._rounds[name] >= least for name, least in wanted.items()):
                return
            time.sleep(0.01)

    def _visit(self) -> None:
        number = 0
        while not self._over.is_set():
            for release in tuple(RUNNING.values()):
                number += 1
                self._round(release, number)
                self._rounds[release.name] += 1
                time.sleep(0.005)

    def _round(self, release: Release, number: int) -> None:
        job = self._ask(release, "POST", f"/jobs?title=Visit&city=Place%20{number}")
        if type(job) is not int:
            return
        self._jobs.add(job)
        self._read(job, f"Place {number}")
        if self._ask(release, "PUT", f"/jobs/{job}?city=Port%20{number}") is not FAILED:
            self._read(job, f"Port {number}")

    def _read(self, job: int, city: str) -> None:
        for release in tuple(RUNNING.values()):
            self._ask(release, "GET", f"/jobs/{job}", city)

    def _ask(self, release: Release, method: str, path: str, city: str = "") -> Any:
        """What a release answers, and note it; FAILED where that is an error."""
        try:
            status, text = _request(release, method, path)
        except (OSError, http.client.HTTPException) as error:
            if RUNNING.get(release.name) is not release:
                return FAILED  # replaced since: nobody is sent there any more
            status, text = 503, f"no answer, {error}"
        answer = json.loads(text) if status < 400 else FAILED
        wrong = f"{status}: {text}" if answer is FAILED else ""
        if city and answer not in (city, FAILED):
            wrong = "another city than was written" if answer else "no city, where one was written"
        self.visits.append(Visit(self._now(), release.name, wrong))
        return answer


def _request(release: Release, method: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", release.port, timeout=ANSWER)
    with contextlib.closing(connection):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def _counter() -> int:
    """Where the sequence of jobs.id stands. Raises WorkbookError."""
    try:
        with database.engine().connect() as connection:
            query = "SELECT coalesce(pg_sequence_last_value('jobs_id_seq'), 0)"
            return int(connection.exec_driver_sql(query).scalar_one())
    except sa.exc.DBAPIError as error:
        raise WorkbookError(
            f"There are no jobs to visit: {str(error.orig).splitlines()[0]}."
        ) from None


def _tidy(jobs: set[int], counter: int) -> None:
    """Delete the visitors' jobs, and set the sequence back to where it stood."""
    query = sa.text("SELECT setval('jobs_id_seq', greatest(max(id), :now, 1)) FROM jobs")
    with contextlib.suppress(sa.exc.DBAPIError), database.engine().begin() as connection:
        connection.execute(sa.text("DELETE FROM jobs WHERE id = ANY(:ids)"), {"ids": [*jobs]})
        connection.execute(query, {"now": counter})
