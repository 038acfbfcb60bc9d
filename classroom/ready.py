"""Is the room ready? A line for each check, with what to do. What can be tried is tried."""

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
from urllib.parse import urlsplit

from classroom import room, server
from classroom.server import RoomError

EACH = 300  # MB of memory: a server, a kernel and now and then an `alembic`
DISK = 500  # MB for the hub and what the learners make
MANY = 60  # connections that one account tries to hold without logging in
# What an account of this machine may do at PostgreSQL's doors: hold many, and be let in with a guess.
PROBE = """
import json, socket, sys
import psycopg2
doors, roles, many = json.loads(sys.argv[1])
for host, port in doors:
    held, open_to = [], []
    try:
        for _ in range(many):
            path = host.startswith("/")
            held.append(socket.socket(socket.AF_UNIX if path else socket.AF_INET))
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


@dataclass
class Look:
    """What the checks look at, and which servers the first has seen to be up."""

    folder: Path
    given: dict[str, Any]
    up: dict[str, bool] = field(default_factory=dict)


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


def postgresql(look: Look) -> str:
    begun = time.monotonic()
    server.watch(look.given["admin"], look.given["room"], room.WATCHED)
    milliseconds = (time.monotonic() - begun) * 1000
    if not server.is_current(look.given["admin"], look.given["room"]):
        raise RoomError("the room is of another version: python3 -m workbook room prepare")
    return f'answers in {milliseconds:.0f} ms, the room "{look.given["room"]}" is there'


def settings(look: Look) -> str:
    wrong = server.unfit(look.given["admin"], len(look.given["learners"]))
    if wrong:
        words = ", ".join(f"{name} {found} for {best}" for name, (found, best) in wrong.items())
        raise RoomError(f"{words}: python3 -m workbook room prepare, then restart PostgreSQL")
    return f"PostgreSQL has head room for {len(look.given['learners'])} learners"


def doors(look: Look) -> str:
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
    python = look.given["python"]
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode:
        raise RoomError(
            f"{python} lacks what a learner's server needs:"
            f" {python} -m pip install -c classroom/requirements.txt jupyterhub"
        )
    from classroom import client

    ours, hubs = done.stdout.strip(), asyncio.run(client.version(room.connection(look.given)))
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
    *(hub, origins, postgresql, settings, doors, servers, disk, memory, versions, readable)
]


def ready(folder: Path) -> int:
    """Print what each check finds; the exit status is the number of those that failed."""
    look = Look(folder, room.settings(folder))
    failed = 0
    for check in CHECKS:
        try:
            print(f"ok      {check.__name__}: {check(look)}")
        except (RoomError, OSError) as error:
            print(f"failed  {check.__name__}: {error}")
            failed += 1
    return failed
