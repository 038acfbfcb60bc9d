"""Is the room ready? A line for each check, with what to do. What can be tried is tried.

A line that begins with `open` says what is not limited here; a lesson can be held all the same.
"""

import asyncio
import json
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from classroom import install, room, server
from classroom.errors import RoomError

EACH = 300  # MB of memory: a server, a kernel and now and then an `alembic`
DISK = 500  # MB for the hub and what the learners make
MANY = 60  # connections that one account tries to hold without logging in
PROCESSES = 500  # that a learner tries to start
HOME = 2 * 10**9  # bytes that a learner tries to take in their home
# What an account of this machine may do at PostgreSQL's doors: hold many, and be let in with a guess.
PROBE = """
import json, socket, sys
import psycopg2
doors, roles, many = json.loads(sys.argv[1])
for host, port in doors:
    held, open_to = [], []
    try:
        for _ in range(many):
            kinds = {"/": socket.AF_UNIX, ":": socket.AF_INET6}
            path = host.startswith("/")
            held.append(socket.socket(kinds.get(host[0], socket.AF_INET)))
            held[-1].settimeout(2)
            held[-1].connect(f"{host}/.s.PGSQL.{port}" if path else (host, port))
    except OSError:
        held.pop().close()
    count = len(held)
    for each in held:
        each.close()
    for role, name in roles if count else []:
        try:
            psycopg2.connect(host=host, port=port, user=role, dbname=name, password="a guess",
                             connect_timeout=5).close()
            open_to.append(role)
        except psycopg2.Error:
            pass
    print(json.dumps([host, count, open_to]))
"""


FORKS = """
import os, sys, time
made = []
try:
    for _ in range(int(sys.argv[1])):
        made.append(os.fork())
        if not made[-1]:
            time.sleep(60)
            os._exit(0)
except OSError:
    pass
for each in made:
    os.kill(each, 9)
    os.waitpid(each, 0)
print(len(made))
"""
# What a learner may take, tried in a kernel of theirs: processes, bytes of their home.
TAKE = """
import json, os, subprocess, sys
from pathlib import Path
code, size = FORKS, SIZE
done = subprocess.run([sys.executable, "-c", code, "MANY"], capture_output=True, text=True)
taken, files = 0, [Path.home() / f".tried-{number}" for number in range(4)]
try:
    for each in files:
        with each.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size // len(files))
        taken += size // len(files)
except OSError:
    pass
for each in files:
    each.unlink(missing_ok=True)
print("TAKEN", json.dumps([int(done.stdout or 0), taken]))
"""


class Open(RoomError):
    """What is not limited, and how it could be."""


@dataclass
class Look:
    """What the checks look at, and what the earlier ones have found."""

    folder: Path
    given: dict[str, Any]
    up: dict[str, bool] = field(default_factory=dict)
    taken: list[int] = field(default_factory=list)


def hub(look: Look) -> str:
    from classroom import client

    look.up.update(asyncio.run(client.users(room.connection(look.given))))
    return f"{look.given['bind']} answers"


def origins(look: Look) -> str:
    if not room.origins(look.given):
        return room.LEFT
    for name in sorted(room.people(look.given)):
        host = urlsplit(room.origins(look.given, name)).hostname
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            if not str(host).endswith(".localhost"):  # browsers know those by themselves
                raise RoomError(
                    f"{host} leads nowhere: see docs/teaching.md, Why names, or"
                    " python3 -m workbook room prepare --one-origin"
                ) from None
    return f"each learner's pages come from their own, as {room.origins(look.given, 'NAME')}"


def proxy(look: Look) -> str:
    if answer_of(f"http://127.0.0.1:{look.given.get('proxy_port', 8001)}/api/routes") == 200:
        raise RoomError("any account here can lead the proxy elsewhere: restart the hub")
    address = look.given["address"]
    if answer_of(f"{address}/hub/api/") != 200:
        raise RoomError(f"nobody answers at {address}: see docs/teaching.md, Why names")
    return f"{address} leads here, and no account can change where the proxy leads"


def answer_of(url: str) -> int:
    """The status of an answer; 0 without one."""
    try:
        with urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError):
        return 0


def postgresql(look: Look) -> str:
    begun = time.monotonic()
    current = server.is_current(look.given["admin"], look.given["room"])
    milliseconds = (time.monotonic() - begun) * 1000
    if not current:
        raise RoomError("the room is of another version: python3 -m workbook room prepare")
    return f'answers in {milliseconds:.0f} ms, the room "{look.given["room"]}" is there'


def settings(look: Look) -> str:
    wrong = server.unfit(look.given["admin"], len(look.given["learners"]))
    if wrong:
        words = ", ".join(f"{name} {found} for {best}" for name, (found, best) in wrong.items())
        raise RoomError(f"{words}: python3 -m workbook room prepare, then restart PostgreSQL")
    return f"PostgreSQL has head room for {len(look.given['learners'])} learners"


def watch(look: Look) -> str:
    if not server.is_watched(look.given["admin"]):
        raise RoomError("nobody ends what learners leave running: restart the hub, which does")
    size = f"{server.LARGEST // 10**6} MB"
    return f"at work: locks, memory, what runs too long, databases that grow beyond {size}"


def doors(look: Look) -> str:
    if lines := server.trusting(look.given["admin"]):
        raise RoomError(f"pg_hba.conf asks for no password: {lines[0]}: scram-sha-256 or peer")
    return judged(*tried(look.given, account(look.given)))


def judged(open_to: list[tuple[str, str]], held: dict[str, int]) -> str:
    """What an account may not do at the doors. Raises RoomError for what it may do."""
    for host, role in open_to:
        raise RoomError(
            f"any account may be {role} at {host} with a guess: scram-sha-256 in pg_hba.conf"
        )
    for host in [host for host, count in held.items() if count >= MANY]:
        remedy = "nft -f classroom/connections.nft"
        if host.startswith("/"):
            remedy = "unix_socket_permissions = '0770', and learners come by host=127.0.0.1"
        raise RoomError(f"one account can hold all connections at {host}: {remedy}")
    return f"no account gets in by a guess, or holds {MANY} connections"


def account(given: dict[str, Any]) -> str | None:
    """An account with no more rights than a learner's; None where we cannot become one."""
    if os.geteuid() != 0:
        return None
    for name in (f"room-{given['learners'][0]}" if given["learners"] else "nobody", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


def tried(given: dict[str, Any], user: str | None) -> tuple[list[tuple[str, str]], dict[str, int]]:
    """Where a role opens to a guess, and how many connections one account holds at each door."""
    places, superuser = server.doors(given["admin"])
    roles = [(superuser, "postgres")]
    roles += [(server.role_name(name),) * 2 for name in given["learners"][:1]]
    command = [given["python"], "-c", PROBE, json.dumps([places, roles, MANY])]
    who: dict[str, Any] = {}
    if user:
        who = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd="/", env={}, **who
    )
    if done.returncode:
        raise RoomError(f"the doors cannot be tried: {(done.stderr.splitlines() or ['?'])[-1]}")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    open_to = [(host, role) for host, _, roles in found for role in roles]
    return open_to, {host: count for host, count, _ in found}


def servers(look: Look) -> str:
    count = sum(look.up.get(name, False) for name in look.given["learners"])
    words = f"{count} of {len(look.given['learners'])} are up"
    if count < len(look.given["learners"]):
        raise RoomError(f"{words}: python3 -m workbook room start")
    return words


def take(look: Look) -> list[int]:
    """What one learner could take: processes, and bytes of a home."""
    if not look.taken:
        name = next((name for name in look.given["learners"] if look.up.get(name)), None)
        if not name:
            raise RoomError("is tried in a learner's server: python3 -m workbook room start 1")
        if shutil.disk_usage(look.folder).free < 2 * HOME:
            raise RoomError(f"is not tried with less than {2 * HOME // 10**9} GB of the disk free")
        from classroom import client

        code = TAKE.replace("FORKS", repr(FORKS)).replace("SIZE", str(HOME))
        code = code.replace("MANY", str(PROCESSES))
        said = asyncio.run(client.run(room.connection(look.given), name, code))
        if "TAKEN" not in said.text:
            raise RoomError(
                f"could not be tried in the server of {name}: {said.error or said.text}"
            )
        look.taken = json.loads(said.text.split("TAKEN")[1])
    return look.taken


def processes(look: Look) -> str:
    count = take(look)[0]
    if count >= PROCESSES:
        raise Open(f"a learner may start {count} and more: the service of `room install` limits it")
    return f"a learner may start {count} more"


def unit(look: Look, name: str) -> str:
    """What systemd holds a learner's server to; "" where it has none."""
    up = next((each for each in look.given["learners"] if look.up.get(each)), "")
    status, said = install.asked("systemctl", "show", "-P", name, f"room-{up}.service")
    return "" if status or said == "infinity" else said


def memories(look: Look) -> str:
    limit = unit(look, "MemoryMax")
    if not limit:
        raise Open(f"nothing limits a learner's server to {look.given['memory']} here")
    return f"a learner's server may take {int(limit) // 2**20} MiB"


def homes(look: Look) -> str:
    taken = take(look)[1]
    if taken >= HOME:
        raise Open(f"a learner may fill {taken // 10**9} GB and more: set a quota where homes lie")
    return f"a learner's home ends at {taken // 10**6} MB"


def network(look: Look) -> str:
    if look.given.get("network"):
        return "learners' servers may reach what this machine reaches, as you chose"
    if not unit(look, "IPAddressDeny"):
        raise Open("learners' servers reach what this machine reaches: nothing limits it here")
    return "learners' servers reach this machine alone"


def disk(look: Look) -> str:
    free = shutil.disk_usage(look.folder).free // 10**6
    needed = DISK + 20 * len(look.given["learners"])
    if free < needed:
        raise RoomError(f"{free} MB are free, and {needed} are needed: make room")
    return f"{free} MB free"


def memory(look: Look) -> str:
    import psutil

    free = psutil.virtual_memory().available // 10**6
    more = sum(not look.up.get(name, False) for name in look.given["learners"])
    if free < more * EACH:
        raise RoomError(f"{free} MB are free, and {more} more servers need {more * EACH}")
    return f"{free} MB free, {more} more servers need {more * EACH}"


def versions(look: Look) -> str:
    code = "import jupyterhub, workbook; print(jupyterhub.__version__)"
    failed, ours = install.asked(look.given["python"], "-c", code)
    if failed:
        raise RoomError(
            f"{look.given['python']} lacks what a learner's server needs:"
            " python3 -m workbook room install"
        )
    from classroom import client

    hubs = asyncio.run(client.version(room.connection(look.given)))
    if hubs.split(".")[0] != ours.split(".")[0]:
        raise RoomError(f"the hub is JupyterHub {hubs}, the learners' {ours}")
    return f"JupyterHub {hubs}, learners' side {ours}"


def readable(look: Look) -> str:
    for name in (room.ROOT / "workbook", room.ROOT / "notebooks", Path(look.given["python"])):
        for path in (name, *name.parents, *name.resolve().parents):
            if not path.stat().st_mode & 0o001:
                raise RoomError(f"learners cannot get through {path}: move the clone elsewhere")
    return "learners can read the workbook and its Python"


CHECKS: list[Callable[[Look], str]] = [
    *(hub, origins, proxy, postgresql, settings, watch, doors, servers),
    *(processes, memories, homes, network, disk, memory, versions, readable),
]


def ready(folder: Path) -> int:
    """Print what each check finds; the exit status is the number of those that failed."""
    look = Look(folder, room.settings(folder))
    failed = 0
    for check in CHECKS:
        try:
            print(f"ok      {check.__name__}: {check(look)}")
        except Open as error:
            print(f"open    {check.__name__}: {error}")
        except (RoomError, OSError) as error:
            print(f"failed  {check.__name__}: {error}")
            failed += 1
    return failed
