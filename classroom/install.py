"""A room from nothing, on Debian 12 or Ubuntu 24.04: what has to be so, and what makes it so.

`room install names.txt` goes through STEPS and does what is missing, so that a second run repairs.
The first four make the two environments and the proxy; `room rehearse` and the tests use them too.
Standard library alone: there is no environment yet.
"""

import argparse
import hashlib
import importlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from classroom import room
from classroom.errors import RoomError

ROOT = room.ROOT
PLACE = ROOT / ".room"
HUB, LEARNERS = (PLACE / name / "bin" / "python" for name in ("hub", "learners"))
PROXY = PLACE / "node_modules" / ".bin" / "configurable-http-proxy"
BASE = Path(getattr(sys, "_base_executable", sys.executable))
PROXYS_VERSION = "5.1.0"  # the last for Debian's Node 18
RECIPES = {  # the environments: each line is for `pip install`
    "hub": ["-r classroom/requirements.txt"],
    "learners": [
        "-r requirements.lock",
        "-c classroom/requirements.txt jupyterhub",
        "--no-deps --no-build-isolation -e .",
    ],
}
MADE_FROM = ("classroom/requirements.txt", "requirements.lock", "pyproject.toml")
UNITS = Path("/etc/systemd/system")
CADDYFILE = Path("/etc/caddy/Caddyfile")
UNIT = """# Written by `room install`, which writes it anew.
[Unit]
Description=JupyterHub of the room "{room}"
Wants=network-online.target
After=network-online.target postgresql.service

[Service]
Environment=ROOM_FOLDER={folder}
WorkingDirectory={folder}/hub
ExecStartPre=-/usr/sbin/nft -f {folder}/connections.nft
ExecStart={hub} -m jupyterhub -f {root}/classroom/jupyterhub_config.py
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
# A process that wants more gets an error of its own; else the kernel chooses whose process ends.
CLUSTERS_LIMITS = """# Written by `room install`, which writes it anew.
[Service]
LimitAS=3G
"""
CADDY = """# Written by `room install`, which writes it anew; what was here is in Caddyfile.before.
{names} {{
	reverse_proxy {bind}
}}
"""
MOST_NAMES = 45  # Let's Encrypt gives 50 certificates a week below one domain
DOMAINS = """import json, sys
from jupyterhub.utils import subdomain_hook_idna
domain, *names = json.load(sys.stdin)
print(*[subdomain_hook_idna(name, domain, "user") for name in names])
"""
GETS_IN = """import sys
from pathlib import Path
from classroom import room, server
given = room.settings(Path(sys.argv[1]))
server.doors(given["admin"])
"""
FITS = """import sys
from pathlib import Path
from classroom import room, server
given = room.settings(Path(sys.argv[1]))
if not server.is_current(given["admin"], given["room"]):
    print("the database is not there, or of another version")
print(*server.unfit(given["admin"], len(given["learners"])))
"""


@dataclass
class Plan:
    """What is to be made: the room's folder, and its settings as far as they are chosen."""

    folder: Path
    given: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)  # for `room prepare`

    @property
    def room(self) -> str:
        """Its name, which its service has too."""
        return str(self.given["room"])

    @property
    def cluster(self) -> str:
        """The name of its PostgreSQL: no - in it, which systemd would take apart."""
        return f"workbook_{self.room}"

    @property
    def domain(self) -> str:
        """The name that is to be served with https; "" where there is none."""
        url = urlsplit(self.given.get("address", ""))
        return str(url.hostname) if url.scheme == "https" else ""


@dataclass(frozen=True)
class Step:
    """Something that has to be so: what it lacks, "" if nothing, and how to make it so."""

    name: str
    lacks: Callable[[Plan], str]
    do: Callable[[Plan], None]


def main(arguments: argparse.Namespace) -> int:
    """Make this machine a room, or say what would be done; returns the exit status."""
    os.umask(0o022)  # learners read the environments
    plan = Plan(arguments.folder.resolve())
    if not arguments.names:
        bring(plan, BASIS, arguments.dry_run)
        return 0
    if os.geteuid() != 0:
        raise RoomError("This changes the machine: sudo python3 -m workbook room install …")
    # Bad input ends here, before anything is done.
    known = {"admin": None, "python": str(LEARNERS)}
    if not (plan.folder / "room.json").exists():
        known["admin"] = "still to be made"
    plan.given = room.chosen(plan.folder, argparse.Namespace(**vars(arguments) | known))
    plan.words = ["--names", str(arguments.names.resolve()), "--python", str(LEARNERS)]
    for name in ("room", "memory", "bind", "address"):
        if getattr(arguments, name):
            plan.words += [f"--{name}", getattr(arguments, name)]
    for name in ("one_origin", "network"):
        if (said := getattr(arguments, name)) is not None:
            plan.words.append(f"--{'' if said else 'no-'}{name.replace('_', '-')}")
    for name in arguments.teacher or []:
        plan.words += ["--teacher", name]
    bring(plan, [*STEPS, *([HTTPS] if plan.domain else [])], arguments.dry_run)
    if arguments.dry_run:
        print("Nothing was changed.")
        return 0
    if not plan.domain:
        print(f"No https: the address {plan.given['address']} is for this machine alone.")
    print(f"Print {plan.folder / 'cards.html'}: each card has a name's code.")
    if not has_systemd():
        print(f"systemd does not run here: start the hub with: {by_hand(plan)}")
    print("An hour before the lesson: python3 -m workbook room start, then room ready")
    return 0


def bring(plan: Plan, steps: list[Step], dry_run: bool = False) -> None:
    """Do what is missing and say it, a line for each step. Raises RoomError."""
    for step in steps:
        missing = step.lacks(plan)
        if missing and not dry_run:
            print(f"...     {step.name}: {missing}", flush=True)
            try:
                step.do(plan)
            except setup().SetUpError as error:
                raise RoomError(f"{step.name}: {error}") from None
            if still := step.lacks(plan):
                raise RoomError(f"{step.name}: {still}")
        words = f"{step.name}{': ' if missing else ''}{missing}"
        print(f"{'ok' if not missing else 'missing' if dry_run else 'done':8}{words}", flush=True)


def setup() -> Any:
    """What makes .venv: its tools, and its words for what goes wrong."""
    return importlib.import_module("workbook.__main__")


def run(*command: object) -> None:
    """Run a command in sight. Raises SetUpError with its reason."""
    setup().run([str(word) for word in command])


def asked(*command: object, told: str = "") -> tuple[int, str]:
    """A command's status and what it said, in one line; 127 where there is no such command."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, input=told, capture_output=True, text=True, check=False, cwd=ROOT
        )
    except OSError as error:
        return 127, str(error.strerror)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return done.returncode, lines[-1].strip() if lines else ""


# --- The clone, packages, environments


def closed(plan: Plan) -> str:
    for place in (ROOT / "workbook", BASE):
        for path in place.resolve().parents:
            if not path.stat().st_mode & 0o001:
                return f"learners cannot get through {path}"
    return ""


def elsewhere(plan: Plan) -> None:
    raise RoomError(
        f"{closed(plan)}: sudo git clone {ROOT} /opt/workbook, and in it"
        " sudo /usr/bin/python3 -m workbook room install …"
    )


def packages(plan: Plan) -> list[str]:
    """Debian's packages that are not installed."""
    names = ["python3-venv", "postgresql", *([] if shutil.which("npm") else ["nodejs", "npm"])]
    if plan.given:
        names += ["nftables", *(["caddy"] if plan.domain else [])]
    if not shutil.which("dpkg-query"):
        raise RoomError("This is neither Debian nor Ubuntu: docs/teaching.md says what is needed.")
    return [
        name
        for name in names
        if not asked("dpkg-query", "-Wf${Status}", name)[1].startswith("install ok")
    ]


def install_packages(plan: Plan) -> None:
    if os.geteuid() != 0:
        raise RoomError(f"sudo apt-get install {' '.join(packages(plan))}, then the same again.")
    run("apt-get", "update", "-q")
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q"]
    run(*quiet, "--no-install-recommends", *packages(plan))


def proxy() -> str:
    """The path of the hub's proxy, ours or one that is on PATH; "" without it, or without Node."""
    path = f"{PROXY.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return (shutil.which("node") and shutil.which(PROXY.name, path=path)) or ""


def no_proxy(plan: Plan) -> str:
    status, said = asked(PROXY, "--version")
    same = (status, said) == (0, PROXYS_VERSION)
    return "" if same else f"configurable-http-proxy {PROXYS_VERSION}"


def install_proxy(plan: Plan) -> None:
    name = f"configurable-http-proxy@{PROXYS_VERSION}"
    run("npm", "install", "--silent", "--no-fund", "--prefix", PLACE, name)


def stamp(name: str) -> str:
    """What an environment is made from, and where."""
    digest = hashlib.sha256(repr([str(ROOT), RECIPES[name]]).encode())
    for file in MADE_FROM:
        digest.update((ROOT / file).read_bytes())
    return digest.hexdigest()


def environment(name: str) -> Step:
    """A step that makes one of RECIPES."""
    place = PLACE / name
    mark = place / ".made-from"

    def lacks(plan: Plan) -> str:
        status, _ = asked(place / "bin" / "python", "-c", "import jupyterhub, psycopg2")
        if status:
            return "not there yet"
        return "" if mark.exists() and mark.read_text() == stamp(name) else "of another version"

    def do(plan: Plan) -> None:
        mark.unlink(missing_ok=True)
        python = place / "bin" / "python"
        if asked(python, "-m", "pip", "--version")[0]:  # none yet, or one that has lost its Python
            run(BASE, "-m", "venv", "--clear", place)
        uv = setup().find_uv()
        if not uv and asked(python, "-m", "pip", "install", "-q", "uv")[0] == 0:
            uv = place / "bin" / "uv"  # a minute less than pip takes
        pip = [uv, "pip", "install", "-q", "--python"] if uv else []
        for line in RECIPES[name]:
            command = [*pip, python] if uv else [python, "-m", "pip", "install", "-q"]
            run(*command, *line.split())
        mark.write_text(stamp(name))

    return Step(f"the environment of the {name}", lacks, do)


# --- PostgreSQL: a cluster of the room's own, so that no other database here is touched


def cluster(plan: Plan) -> list[str]:
    """Version, name, port and status of the room's cluster, or nothing."""
    done = subprocess.run(
        ["pg_lsclusters", "--no-header"], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return next((row[:4] for row in rows if row[1] == plan.cluster), [])


def no_cluster(plan: Plan) -> str:
    if not shutil.which("pg_lsclusters") or not (found := cluster(plan)):
        return "not there yet"
    version, name, _, status = found
    said = asked("pg_conftool", "--short", version, name, "show", "unix_socket_permissions")[1]
    if said != "0770":
        return "every account reaches its socket"
    return "" if status.startswith("online") else f"it is {status}"


def make_cluster(plan: Plan) -> None:
    if not cluster(plan):
        versions = sorted(
            Path("/usr/lib/postgresql").glob("[0-9]*/bin/initdb"),
            key=lambda path: int(path.parts[4]),
        )
        ways = ["--locale", "C.UTF-8", "--encoding", "UTF8", "--", "--auth-local=peer"]
        run(
            "pg_createcluster",
            versions[-1].parts[4],
            plan.cluster,
            *ways,
            "--auth-host=scram-sha-256",
        )
    version, name, _, status = cluster(plan)
    run("pg_conftool", version, name, "set", "unix_socket_permissions", "0770")
    run("pg_ctlcluster", version, name, "restart" if status.startswith("online") else "start")


def no_superuser(plan: Plan) -> str:
    if not (plan.folder / "room.json").exists():
        return "the hub has no password yet"
    found = cluster(plan) if shutil.which("pg_lsclusters") else []
    if not found or f"port={found[2]} " not in room.settings(plan.folder).get("admin", ""):
        return "room.json names another PostgreSQL"
    status, said = asked(LEARNERS, "-c", GETS_IN, plan.folder)
    return said if status else ""


def make_superuser(plan: Plan) -> None:
    """A password that is in room.json, and on no command line."""
    _, _, port, _ = cluster(plan)
    password = secrets.token_hex(24)
    psql = ["runuser", "-u", "postgres", "--", "env", "-i", "PATH=/usr/bin:/bin", "psql"]
    psql += ["-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "/var/run/postgresql"]
    told = f"ALTER ROLE postgres PASSWORD '{password}';"
    status, said = asked(*psql, "-p", port, "-d", "postgres", told=told)
    if status:
        raise RoomError(f"PostgreSQL: {said}")
    plan.folder.mkdir(parents=True, exist_ok=True)
    path = plan.folder / "room.json"
    before = room.settings(plan.folder) if path.exists() else {}
    admin = f"host=127.0.0.1 port={port} user=postgres password={password}"
    room.write(path, json.dumps(before | {"admin": admin}, indent=1))


# --- The room


def changed(plan: Plan) -> list[str]:
    """The settings that room.json does not have yet, or has otherwise."""
    path = plan.folder / "room.json"
    there = room.settings(plan.folder) if path.exists() else {}
    made = ("admin", "codes", "token")
    return [name for name in plan.given if name not in made and plan.given[name] != there.get(name)]


def not_prepared(plan: Plan) -> str:
    if other := changed(plan):
        people = f"{len(plan.given['learners'])} learners, {len(plan.given['teachers'])} teachers"
        return f"{', '.join(other)} to be told: {people}"
    if not (plan.folder / "cards.html").exists():
        return "no cards yet"
    return asked(LEARNERS, "-c", FITS, plan.folder)[1]


def prepare(plan: Plan) -> None:
    other = {*changed(plan)} - {"learners"}  # names are read at each login
    command = [LEARNERS, "-m", "workbook", "room", "--folder", plan.folder, "prepare", *plan.words]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, check=False)
    if done.returncode:
        raise RoomError("`room prepare` says what is in the way.")
    if asked(LEARNERS, "-c", FITS, plan.folder)[1]:  # what PostgreSQL reads at its start
        version, name, *_ = cluster(plan)
        run("pg_ctlcluster", version, name, "restart")
    if other and has_systemd():
        run("systemctl", "try-restart", service(plan))


# --- What runs, and starts with the machine


def has_systemd() -> bool:
    """Whether systemd runs here, and not only its files are there."""
    return Path("/run/systemd/system").is_dir()


def service(plan: Plan) -> str:
    return f"workbook-{plan.room}.service"


def files(plan: Plan) -> dict[Path, str]:
    """What systemd and nftables are to read."""
    found = cluster(plan) if shutil.which("pg_lsclusters") else []
    version, _, port, _ = found or ["", "", "5432", ""]
    unit = UNIT.format(room=plan.room, folder=plan.folder, hub=HUB, root=ROOT)
    rules = (ROOT / "classroom" / "connections.nft").read_text(encoding="utf-8")
    rules = rules.replace("5432", port).replace("workbook_room", f"workbook_{plan.room}")
    limits = UNITS / f"postgresql@{version}-{plan.cluster}.service.d" / "workbook.conf"
    return {
        UNITS / service(plan): unit,
        limits: CLUSTERS_LIMITS,
        plan.folder / "connections.nft": rules,
    }


def differ(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text


def not_served(plan: Plan) -> str:
    if other := [path.name for path, text in files(plan).items() if differ(path, text)]:
        return f"{', '.join(other)} to be written"
    if not has_systemd():
        return ""
    if asked("systemctl", "is-enabled", "-q", service(plan))[0]:
        return "the hub does not start with the machine"
    return "" if answers(plan) else "the hub does not answer"


def answers(plan: Plan) -> bool:
    """Whether the hub does, through its proxy."""
    try:
        with urllib.request.urlopen(f"{plan.given['bind']}/hub/api/", timeout=5):
            return True
    except (OSError, urllib.error.URLError):
        return False


def serve(plan: Plan) -> None:
    for path, text in files(plan).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if not has_systemd():
        return
    run("systemctl", "daemon-reload")
    run("systemctl", "enable", "-q", service(plan))
    run("systemctl", "restart", service(plan))
    for _ in range(60):
        if answers(plan):
            return
        time.sleep(1)
    raise RoomError(f"The hub does not answer: journalctl -u {service(plan)} says why.")


def by_hand(plan: Plan) -> str:
    """What the service does, as a command."""
    unit = files(plan)[UNITS / service(plan)]
    said = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
    return f"sudo {said['Environment']} {said['ExecStart']}"


def caddyfile(plan: Plan) -> str:
    """Each learner's name by itself: Caddy gets a certificate for it without a DNS of ours."""
    names = [plan.domain]
    if room.origins(plan.given):
        people = sorted(room.people(plan.given))
        status, said = asked(HUB, "-c", DOMAINS, told=json.dumps([plan.domain, *people]))
        names += said.split() if status == 0 else []
    return CADDY.format(names=", ".join(names), bind=urlsplit(plan.given["bind"]).netloc)


def no_https(plan: Plan) -> str:
    return f"{CADDYFILE.name} to be written" if differ(CADDYFILE, caddyfile(plan)) else ""


def serve_https(plan: Plan) -> None:
    if len(room.people(plan.given)) > MOST_NAMES and room.origins(plan.given):
        raise RoomError(
            f"more than {MOST_NAMES} names need a wildcard certificate: docs/teaching.md, Why names"
        )
    before = CADDYFILE.with_name("Caddyfile.before")
    if CADDYFILE.exists() and not before.exists():
        shutil.copy(CADDYFILE, before)
    CADDYFILE.write_text(caddyfile(plan), encoding="utf-8")
    run("caddy", "validate", "--config", CADDYFILE)
    if has_systemd():
        run("systemctl", "reload-or-restart", "caddy")


BASIS = [
    Step("packages", lambda plan: " ".join(packages(plan)), install_packages),
    Step("the hub's proxy", no_proxy, install_proxy),
    environment("hub"),
    environment("learners"),
]
STEPS = [
    Step("a place that learners can read", closed, elsewhere),
    *BASIS,
    Step("a PostgreSQL of the room's own", no_cluster, make_cluster),
    Step("its superuser", no_superuser, make_superuser),
    Step("the room", not_prepared, prepare),
    Step("the service", not_served, serve),
]
HTTPS = Step("https", no_https, serve_https)
