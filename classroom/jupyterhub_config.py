"""JupyterHub for a workshop: `ROOM_FOLDER=/srv/room jupyterhub -f classroom/jupyterhub_config.py`.

The Littlest JupyterHub loads the same file from its jupyterhub_config.d, Zero to JupyterHub from
hub.extraConfig: there they choose the spawner, the proxy and the culler, and this adds the
room. What differs from one room to the next is in room.json, which `room prepare` writes.
"""

import asyncio
import contextlib
import os
import pwd
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # at the end: nothing there may stand before a package

from classroom import room, server
from classroom.signin import CodeAuthenticator

c = get_config()  # type: ignore[name-defined]  # noqa: F821
FOLDER = Path(os.environ.get("ROOM_FOLDER", room.FOLDER))
SETTINGS = room.settings(FOLDER)
KUBERNETES = "KUBERNETES_SERVICE_HOST" in os.environ
TLJH = "tljh" in sys.modules
TRIAL = os.environ.get("ROOM_TRIAL") == "no isolation"  # for a rehearsal
ORIGINS = room.origins(SETTINGS)


# --- The learner's server: their own database, their own notebooks


async def prepare(spawner):  # type: ignore[no-untyped-def]
    """Make the learner's account, role and databases; hand their variables to their server."""
    name = spawner.user.name
    what = server.prepare_teacher if name in SETTINGS["teachers"] else server.prepare_learner
    try:
        given = await asyncio.to_thread(what, SETTINGS["admin"], name, SETTINGS["room"])
        if ACCOUNTS:
            await asyncio.to_thread(make_account, spawner.username_template.format(USERNAME=name))
    except Exception as error:
        # What the learner reads; the reason is the teacher's, in the hub's log.
        error.jupyterhub_message = (  # type: ignore[attr-defined]
            "The room's database does not answer: tell your teacher, then try again."
        )
        raise
    spawner.environment = {**spawner.environment, **given}


def make_account(account: str) -> None:
    """A system account with a closed home. Raises CalledProcessError."""
    with contextlib.suppress(KeyError):
        pwd.getpwnam(account)
        return
    command = ["useradd", "--create-home", "--key", "HOME_MODE=0700", "--shell", "/bin/bash"]
    subprocess.run([*command, account], check=True)


c.Spawner.pre_spawn_hook = prepare
c.Spawner.default_url = room.FIRST
c.Spawner.start_timeout = 300  # a cold start costs 3.5 s of CPU, and all of them may come at once
c.Spawner.http_timeout = 120
c.Spawner.poll_interval = 10  # a server that was killed is soon seen to be gone
c.JupyterHub.allow_named_servers = False
c.JupyterHub.cleanup_servers = False  # a hub that restarts leaves the learners at work
# The commands of `room`: what they need, and no more.
c.JupyterHub.load_roles.append(
    {
        "name": "room",
        "scopes": ["admin:users", "servers", "access:servers", "read:hub"],
        "services": ["room"],
    }
)
watch = [sys.executable, str(ROOT / "classroom" / "room.py"), "--folder", str(FOLDER), "watch"]
c.JupyterHub.services.append({"name": "room", "api_token": SETTINGS["token"]})
c.JupyterHub.services.append({"name": "watch", "command": watch})

if not KUBERNETES:  # there, the chart's values say it
    c.Spawner.cmd = [SETTINGS["python"], str(ROOT / "classroom" / "learner.py")]
    c.Spawner.mem_limit = SETTINGS["memory"]


# --- One machine: an account for each learner

STATE = Path("/srv/jupyterhub") if KUBERNETES else FOLDER / "hub"
ACCOUNTS = not (KUBERNETES or TLJH or TRIAL)  # TLJH's spawner makes its own

if ACCOUNTS:
    if os.geteuid() != 0:
        sys.exit("A room on one machine needs root: each learner gets an account of their own.")
    c.JupyterHub.spawner_class = "systemd"
    c.SystemdSpawner.username_template = "room-{USERNAME}"  # never somebody's who is there already
    c.SystemdSpawner.unit_name_template = "room-{USERNAME}"
    c.SystemdSpawner.default_shell = "/bin/bash"
if ACCOUNTS or TLJH:
    c.SystemdSpawner.isolate_tmp = True
    c.SystemdSpawner.isolate_devices = True
    c.SystemdSpawner.disable_user_sudo = True
    # Ceilings of each server: processes, the size of one file. What was killed for its memory ends
    # alone. Nor is there a network beyond this machine, unless the teacher wants one.
    limits = {"TasksMax": "300", "LimitFSIZE": "1G", "LimitCORE": "0", "OOMPolicy": "continue"}
    if not SETTINGS.get("network"):
        limits |= {"IPAddressDeny": "any", "IPAddressAllow": server.addresses(SETTINGS["admin"])}
    c.SystemdSpawner.unit_extra_properties = limits
if not (KUBERNETES or TLJH):
    c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
    c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
    c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
    from classroom import install

    c.ConfigurableHTTPProxy.command = [install.proxy()]
    if not install.proxy():
        sys.exit("The hub needs its proxy, and Node: sudo python3 -m workbook room install")
    c.JupyterHub.bind_url = SETTINGS["bind"]
    c.JupyterHub.hub_port = SETTINGS.get("hub_port", 8081)
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{SETTINGS.get('proxy_port', 8001)}"
    cull = ["--timeout=3600", "--cull-every=300", "--concurrency=5"]
    c.JupyterHub.services.append(
        {"name": "cull", "command": [sys.executable, "-m", "jupyterhub_idle_culler", *cull]}
    )
    c.JupyterHub.load_roles.append(
        {
            "name": "cull",
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
            "services": ["cull"],
        }
    )
    c.JupyterHub.last_activity_interval = 60


# --- Each learner's pages have an origin of their own
#
# A learner decides what their server sends. From the hub's own origin, a page of theirs could act
# as whoever opens it: make a token, read a neighbour's files, run code in a neighbour's kernel.

if ORIGINS:
    c.JupyterHub.subdomain_host = ORIGINS
    # Nor may it set a cookie for the hub; browsers keep that promise with https alone.
    c.JupyterHub.cookie_host_prefix_enabled = ORIGINS.startswith("https:")
# Nobody needs a token from a page, or can make one: that is what "self" would allow besides.
roles = [
    {"name": "user", "scopes": ["read:users!user", "servers!user", "access:servers!user"]},
    {
        "name": "teacher",
        "scopes": ["admin-ui", "list:users", "read:users", "servers", "access:servers"],
        "users": room.teachers(SETTINGS),
    },
]
c.JupyterHub.load_roles.extend(roles)


# --- Who may come: the names that `room prepare` was given, each with the code on their card

if not KUBERNETES:
    STATE.mkdir(mode=0o700, exist_ok=True)
c.JupyterHub.authenticator_class = CodeAuthenticator
c.CodeAuthenticator.folder = str(FOLDER)
c.FirstUseAuthenticator.dbm_path = str(STATE / "passwords.dbm")
c.FirstUseAuthenticator.min_password_length = 8
c.Authenticator.username_pattern = room.USERNAME
c.Authenticator.allowed_users = room.people(SETTINGS)
c.Authenticator.auth_refresh_age = 60
if TRIAL:
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(FOLDER / "homes" / "{username}")
