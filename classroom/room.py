"""The room's commands: install, prepare, ready, start, reset, results; `watch` is the hub's.

A room on one machine has one folder:

    room.json         its settings, the administrator's address and passwords: root's alone
    hub/              what JupyterHub keeps

They run wherever the workbook does. Standard library alone at import time: the hub imports this
too, and has neither JupyterLab nor the workbook; and `install` begins where there is nothing.
"""

import argparse
import asyncio
import contextlib
import csv
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # at the end: nothing there may stand before a package

from classroom import cards
from classroom.errors import RoomError

if TYPE_CHECKING:
    from classroom.client import Hub

FOLDER = Path("/srv/room")
FIRST = "/lab/tree/00_start_here.ipynb"
USERNAME = r"[a-z][a-z0-9_-]{0,26}"  # with "room-" before it, the name of an account
WATCHED = 150  # seconds: longer than the statement_timeout that learners begin with
BOARD = ("board.ipynb", "board.py")
LEFT = (
    "All pages come from one address: who opens a neighbour's page lets it do in their own server"
    " whatever they can. No teacher signs in at the hub; `room board` shows the board beside it."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands below a parser."""
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"the room's own ({FOLDER})")
    commands = parser.add_subparsers(dest="room_command", metavar="what", required=True)

    def command(name: str, words: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")

    words = "make this machine (Debian 12, Ubuntu 24.04) a room; again: put right what is missing"
    bare = command("install", words)
    words = "a file with a learner's user name in each line; without it, only what `rehearse` needs"
    bare.add_argument("names", nargs="?", type=Path, help=words)
    bare.add_argument("--dry-run", action="store_true", help="say what is missing, change nothing")
    first = command("prepare", "make the room, or bring it up to date: database, names")
    first.add_argument("--names", type=Path, help="a file with a learner's user name in each line")
    first.add_argument("--admin", help="a libpq address of a PostgreSQL superuser")
    first.add_argument("--python", help="the learners' Python (the one that runs this)")
    for each in (bare, first):
        add_settings(each)
    forgotten = command("password", "print a new code for who forgot the password; the old is void")
    forgotten.add_argument("name", help="a learner's or a teacher's user name")
    command("ready", "say whether the room is ready, a line for each check")
    ahead = command("start", "start learners' servers ahead of the lesson, a few at a time")
    ahead.add_argument("count", nargs="?", type=int, help="so many of the names (all)")
    reset = command("reset", "put learners to a chapter's start; their work is put aside")
    reset.add_argument("chapter", type=int, help="0 for an empty project and an empty database")
    reset.add_argument("learner", nargs="*", help="only these; without a name, all")
    results = command("results", "write every report to the room as CSV")
    results.add_argument("file", nargs="?", type=Path, help="where to (the terminal)")
    after = command("page", "write how the lesson went as one HTML file that names nobody")
    after.add_argument("file", type=Path, help="where to, for instance after.html")
    command("board", "open the board here, beside the hub: where teachers cannot use theirs")
    rehearse = command("rehearse", "measure a room of its own: learners who work through 00 to 03")
    rehearse.add_argument("--learners", type=int, default=6, help="how many at once (6)")
    rehearse.add_argument(
        "--pause", type=float, default=10, help="seconds between two of their cells (10)"
    )
    command("watch", "for the hub: end what learners have left running")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """What a room may be told; what is not named stays as it was."""
    parser.add_argument("--teacher", action="append", help="a teacher's user name; may be repeated")
    parser.add_argument("--room", help="the room's name, and its database's (room)")
    parser.add_argument("--memory", help="each learner's limit (1G)")
    parser.add_argument("--bind", help="where the hub listens (http://127.0.0.1:8000)")
    parser.add_argument("--address", help="what learners type (http://localhost:8000)")
    for name, words in (
        ("--one-origin", "where *.address cannot lead here: learners' pages are not kept apart"),
        ("--network", "learners' servers reach more than this machine"),
    ):
        parser.add_argument(name, action=argparse.BooleanOptionalAction, help=words)


def main(arguments: argparse.Namespace) -> int:
    """Run a command; returns the exit status. What the user can put right is one line."""
    try:
        match arguments.room_command:
            case "install":
                from classroom import install

                return install.main(arguments)
            case "prepare":
                return prepare(arguments)
            case "password":
                return password(arguments.folder, arguments.name)
            case "ready":
                from classroom import ready

                return ready.ready(arguments.folder)
            case "board":
                return board(arguments.folder)
            case "start":
                return asyncio.run(start(arguments.folder, arguments.count))
            case "reset":
                return asyncio.run(reset(arguments.folder, arguments.chapter, arguments.learner))
            case "results":
                return results(arguments.folder, arguments.file)
            case "page":
                return page(arguments.folder, arguments.file)
            case "rehearse":
                from classroom import rehearsal

                return rehearsal.main(arguments.learners, arguments.pause)
            case _:
                watch(arguments.folder)
    except RoomError as error:
        print(error, file=sys.stderr)
    except ImportError as error:
        print(
            f"{error.name} is missing in {sys.executable}: take `python3 -m workbook room`, which"
            " brings what it needs.",
            file=sys.stderr,
        )
    except BrokenPipeError:  # `... | head`: who reads no further needs no word
        raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"This did not work: {error.strerror or error}{where}", file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    return 1


# --- Before the lesson


def settings(folder: Path) -> dict[str, Any]:
    """What room.json says. Raises RoomError."""
    path = folder / "room.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RoomError(
            f"There is no room in {folder}: make one with `python3 -m workbook room prepare`, or"
            " name its folder with --folder."
        ) from None
    except PermissionError:
        raise RoomError(f"{path} is for the one who made the room: use sudo.") from None
    except ValueError:
        raise RoomError(f"{path} is damaged: it is not JSON.") from None
    return found


def prepare(arguments: argparse.Namespace) -> int:
    """Make the room, or bring it up to date; what is not named stays as it was."""
    from classroom import server

    folder: Path = arguments.folder.resolve()
    given = chosen(folder, arguments)
    server.prepare_room(given["admin"], given["room"])
    print(f'The database "{given["room"]}" is ready for reports.')
    for line in server.set_up(given["admin"], len(given["learners"])):
        print(line)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # learners fetch the notebooks from here, and list nothing
    (folder / "hub").mkdir(mode=0o700, exist_ok=True)
    write(folder / "room.json", json.dumps(given, indent=1))
    write(folder / "cards.html", cards.page(given, sorted(people(given))))
    print(f"{len(given['learners'])} learners may come to {given['address']}.")
    print(f"Print {folder / 'cards.html'} and hand out the cards: each has a name's code.")
    if origins(given):
        print(f"Every learner's pages come from an address of their own: {origins(given, 'NAME')}")
    else:
        print(LEFT)
    return 0


def chosen(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """What room.json is to say. Raises RoomError."""
    given: dict[str, Any] = {"learners": [], "teachers": [], "codes": {}}
    given |= {"one_origin": False, "network": False}
    given |= {"room": "room", "memory": "1G", "python": sys.executable}
    given |= {"token": secrets.token_hex(32), "bind": "http://127.0.0.1:8000"}
    if (folder / "room.json").exists():
        given |= settings(folder)  # one of an older version has no codes yet
    for name in (
        *("admin", "room", "memory", "python", "bind", "address", "one_origin", "network"),
    ):
        if getattr(arguments, name) is not None:
            given[name] = getattr(arguments, name)
    if "admin" not in given:
        raise RoomError(
            "Say how to reach PostgreSQL as a superuser, for instance:"
            ' --admin "host=/var/run/postgresql user=postgres"'
        )
    given.setdefault("address", given["bind"].replace("//127.0.0.1", "//localhost"))
    check_address(given)
    if arguments.names:
        given["learners"] = read_names(arguments.names)
    for name in arguments.teacher or []:
        checked(name, "--teacher")
    given["teachers"] = sorted({*given["teachers"], *(arguments.teacher or [])})
    if both := set(given["teachers"]) & set(given["learners"]):
        raise RoomError(f'"{min(both)}" is a teacher and a learner: one name for each.')
    names = [*given["learners"], *given["teachers"]]
    given["codes"] = {name: given["codes"].get(name) or new_code() for name in names}
    return given


def check_address(given: dict[str, Any]) -> None:
    """Raises RoomError where learners' pages cannot be kept apart, and nobody has said so."""
    url = urlsplit(given["address"])
    if url.scheme not in ("http", "https") or not url.hostname or url.path.strip("/"):
        raise RoomError(
            f'"{given["address"]}" is not what learners type: --address https://room.example.com'
        )
    if given["one_origin"] or (re.search("[a-z]", url.hostname) and ":" not in url.hostname):
        return
    raise RoomError(
        f"There are no names below {url.hostname}: give the room a name with --address, so that"
        " each learner's pages have an address of their own, or say --one-origin."
    )


def origins(given: dict[str, Any], name: str = "") -> str:
    """The address below which each name has its own, and that of a name; "" where none has."""
    if given["one_origin"]:
        return ""
    url = urlsplit(given["address"])
    return f"{url.scheme}://{name}{'.' * bool(name)}{url.netloc}"


def teachers(given: dict[str, Any]) -> list[str]:
    """The teachers who may use the hub: where one page reaches all, nobody with more rights."""
    return list(given["teachers"]) if origins(given) else []


def people(given: dict[str, Any]) -> set[str]:
    """Everybody who may sign in."""
    return {*given["learners"], *teachers(given)}


def new_code() -> str:
    """A one-time code to be read from paper: no letters that look like others."""
    letters = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def password(folder: Path, name: str) -> int:
    """Give a name a new code; the old password is void, and their server is stopped."""
    from classroom import client

    given = settings(folder)
    if name not in people(given):
        raise RoomError(f'"{name}" is nobody who may sign in here.')
    given["codes"][name] = new_code()
    write(folder / "room.json", json.dumps(given, indent=1))
    write(folder / "cards.html", cards.page(given, [name]))
    print(f"{name} signs in with the code {given['codes'][name]} and chooses a password anew.")
    with contextlib.suppress(Exception):  # a server that is down, and a hub
        asyncio.run(client.stop(connection(given), name))
    return 0


def read_names(path: Path) -> list[str]:
    """User names, one a line; empty lines and those that begin with # do not count.

    Raises RoomError, OSError.
    """
    names: list[str] = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise RoomError(f"{path} is not a text file in UTF-8.") from None
    for number, line in enumerate(lines, 1):
        name = line.strip()
        if name and not name.startswith("#"):
            checked(name, f"{path}, line {number}")
            if name in names:
                raise RoomError(f'{path}, line {number}: "{name}" is there twice.')
            names.append(name)
    return names


def checked(name: str, where: str) -> None:
    """Raises RoomError for what cannot be a user name."""
    if not re.fullmatch(USERNAME, name):
        raise RoomError(
            f'{where}: "{name}" cannot be a user name. Take at most 27 small letters, digits, - and'
            " _, a letter first."
        )


def write(path: Path, text: str) -> None:
    """Replace a file that only its owner may read, in one step."""
    handle, draft = tempfile.mkstemp(dir=path.parent)  # with mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(draft).replace(path)


def connection(given: dict[str, Any]) -> "Hub":
    """The hub of these settings."""
    from classroom.client import Hub

    return Hub(given["bind"], given["token"], urlsplit(origins(given)).netloc)


async def start(folder: Path, count: int | None) -> int:
    """Start servers ahead of the lesson; returns how many did not come."""
    from classroom import client

    given = settings(folder)
    wanted = given["learners"][:count]
    up = await client.users(connection(given))
    begun, missing = time.monotonic(), [name for name in wanted if not up.get(name)]

    def told(name: str, problem: str) -> None:
        print(f"{'failed' if problem else 'ok':6}  {name}{': ' if problem else ''}{problem}")

    problems = await client.start(connection(given), missing, 2 * (os.cpu_count() or 1), told=told)
    seconds = time.monotonic() - begun
    print(f"{len(wanted) - len(problems)} of {len(wanted)} servers are up, {seconds:.0f} s.")
    return len(problems)


# --- During and after the lesson


async def reset(folder: Path, chapter: int, names: list[str]) -> int:
    """Put these learners, or all, to a chapter's start; returns how many that failed for."""
    from tornado.httpclient import HTTPClientError

    from classroom import client

    given = settings(folder)
    if unknown := set(names) - set(given["learners"]):
        raise RoomError(f'"{min(unknown)}" is not a learner of this room.')
    names = names or given["learners"]
    code = "from workbook import starts\n"
    code += f"starts.start({chapter}, fresh=True)" if chapter else "starts.reset()"
    hub, places = connection(given), asyncio.Semaphore(2 * (os.cpu_count() or 1))
    await client.users(hub)  # one line if it does not answer, and not one for each learner
    problems = await client.start(hub, names)

    async def one(name: str) -> bool:
        if name in problems:
            print(f"failed  {name}: {problems[name]}")
            return False
        async with places:
            try:
                done = await client.run(hub, name, code)
            except (OSError, HTTPClientError) as error:  # TimeoutError is an OSError
                done = client.Done(error=str(error) or "no answer")
        words = done.error or " ".join(done.text.split("\n")).strip()
        print(f"{'failed' if done.error else 'ok':6}  {name}: {words}")
        return not done.error

    ends = await asyncio.gather(*(one(name) for name in names))
    if any(ends):
        print("Learners restart their kernel and run the chapter's first cell.")
    return ends.count(False)


def reports(folder: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The reports in the room's database, the oldest first, and their columns. Raises RoomError."""
    import psycopg2

    given = settings(folder)
    try:
        with psycopg2.connect(given["admin"], dbname=given["room"]) as connected:
            cursor = connected.cursor()
            cursor.execute("SET search_path = pg_catalog")
            cursor.execute("SELECT * FROM room.results ORDER BY at, learner")
            rows = cursor.fetchall()
            return [column.name for column in cursor.description or ()], rows
    except psycopg2.Error as error:
        raise RoomError(f"PostgreSQL: {str(error).strip().splitlines()[0]}") from None


def page(folder: Path, path: Path) -> int:
    """Write what the board's `page` makes of the reports."""
    names, rows = reports(folder)
    import pandas  # type: ignore[import-untyped,unused-ignore]

    from classroom import board

    path.write_text(board.page(pandas.DataFrame(rows, columns=names)), encoding="utf-8")
    print(f"{path} is about {len(rows)} checks, and names nobody.")
    return 0


def results(folder: Path, path: Path | None) -> int:
    """Write the reports as CSV."""
    names, rows = reports(folder)
    opened = path.open("w", newline="", encoding="utf-8") if path else None
    with opened or contextlib.nullcontext(sys.stdout) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(names)
        table.writerows([map(harmless, row) for row in rows])
    if path:
        print(f"{len(rows)} reports are in {path}.")
    return 0


def board(folder: Path) -> int:
    """Open the board in a JupyterLab of its own, on this machine's loopback; its exit status."""
    given = settings(folder)
    from classroom import server
    from workbook.launch import lab

    name = (*given["teachers"], "teacher")[0]
    with tempfile.TemporaryDirectory() as place:
        for file in BOARD:
            shutil.copy(ROOT / "classroom" / file, place)
        words = [f"--ServerApp.root_dir={place}", "--LabApp.default_url=/lab/tree/board.ipynb"]
        return subprocess.call(
            [sys.executable, "-m", "jupyterlab", *lab.lab_arguments(words), *words],
            env=lab.lab_environment() | server.prepare_teacher(given["admin"], name, given["room"]),
            cwd=place,
        )


def harmless(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@")) else value


# --- What the hub starts


def watch(folder: Path) -> None:
    """Call server.watch every second, as long as the hub runs; wait for a database that is away."""
    from classroom import server

    given = settings(folder)
    said, hub = "", os.getppid()
    while os.getppid() == hub:  # the hub that comes after a killed one has a watch of its own
        try:
            ended = server.watch(given["admin"], given["room"], WATCHED)
            words = f"ended {ended} that ran too long" if ended else ""
        except RoomError as error:
            words = str(error)
        if words and words != said:
            print(f"watch: {words}", file=sys.stderr, flush=True)
        said = words
        time.sleep(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="room")
    add_arguments(parser)
    sys.exit(main(parser.parse_args()))
