"""Who may sign in: the names in room.json, each with the code from their card and then a password.

JupyterHub's firstuseauthenticator, with one condition: where it would keep whatever password comes
first, the one-time code has to come with it. room.json is read at each login, so names that come
late and codes that are new need no restart of the hub.
"""

import asyncio
import dbm
import hashlib
import time
from pathlib import Path
from typing import Any

from firstuseauthenticator import (  # type: ignore[import-not-found,unused-ignore]
    FirstUseAuthenticator,
)
from traitlets import Unicode, default  # type: ignore[import-not-found,unused-ignore]

from classroom import room

FREE = 5  # wrong guesses before one has to wait
LONGEST = 60  # seconds; a neighbour who guesses on purpose keeps nobody out for longer


class CodeAuthenticator(FirstUseAuthenticator):  # type: ignore[misc,unused-ignore]
    """Passwords that are set with a code, and hold until the name gets another code."""

    folder = Unicode(config=True, help="The room's folder, with room.json")

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.wrong: dict[
            tuple[str, str], tuple[int, float]
        ] = {}  # guesses, and the last one's time
        self.one_at_a_time = asyncio.Lock()  # a dbm file has one writer

    @default("request_otp")  # type: ignore[untyped-decorator,unused-ignore]
    def _asks_for_a_code(self) -> bool:
        return True

    @default("otp_prompt")  # type: ignore[untyped-decorator,unused-ignore]
    def _words(self) -> str:
        return "Code from your card, only the first time (then choose your password above):"

    def codes(self) -> dict[str, str]:
        """The code of everybody who may come."""
        given = room.settings(Path(self.folder))
        names = room.people(given)
        return {name: code for name, code in given["codes"].items() if name in names}

    def check_allowed(self, username: str, authentication: Any = None) -> bool:
        """Whether the name is in room.json now."""
        return username in self.codes()

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """The user of this name and password, or of this code with a password to keep."""
        name = self.normalize_username(data["username"])
        who = (name, str(handler.request.remote_ip))
        async with self.one_at_a_time:
            if seconds := self.wait(who):
                handler.custom_login_error = f"Too many wrong guesses: wait {seconds} seconds."
                return None
            found = name in self.codes() and await self.let_in(handler, name, data)
        if found:
            self.wrong.pop(who, None)
            return {"name": name, "admin": False}
        self.wrong[who] = (self.wrong.get(who, (0, 0))[0] + 1, time.monotonic())
        return None

    async def let_in(self, handler: Any, name: str, data: dict[str, str]) -> bool:
        """Whether the password is the one of this code's time, or the code is right."""
        code = self.codes()[name]
        if used(self.dbm_path, name) == mark(code):
            return bool(await super().authenticate(handler, data))
        if mark(data.get("otp", "")) != mark(code):
            handler.custom_login_error = (
                "The first time, type the code from your card, and a password that you choose."
            )
            return False
        forget(self.dbm_path, name)
        if not await super().authenticate(handler, data):
            return False
        with dbm.open(self.dbm_path, "c", 0o600) as passwords:
            passwords[f"{name}/code"] = mark(code)
        return True

    def wait(self, who: tuple[str, str]) -> int:
        """How many seconds somebody at this address has to wait with the next guess at this name."""
        guesses, last = self.wrong.get(who, (0, 0.0))
        pause = min(LONGEST, 2 ** (guesses - FREE + 3)) if guesses >= FREE else 0
        return max(0, round(last + pause - time.monotonic() + 0.5)) if pause else 0

    async def refresh_user(self, user: Any, handler: Any = None, **_: Any) -> bool:
        """Whether a login still holds: not after `room password`, and not for a name that left."""
        async with self.one_at_a_time:
            code = self.codes().get(user.name)
            kept = used(self.dbm_path, user.name)
        return code is not None and kept in ("", mark(code))


def mark(code: str) -> str:
    """What is kept of a code; small and capital letters, blanks and - do not count."""
    return hashlib.sha256(code.lower().replace("-", "").replace(" ", "").encode()).hexdigest()


def used(path: str, name: str) -> str:
    """The mark of the code that a name's password was set with, or nothing."""
    with dbm.open(path, "c", 0o600) as passwords:
        return passwords.get(f"{name}/code", b"").decode()


def forget(path: str, name: str) -> None:
    """Delete a password, if there is one."""
    with dbm.open(path, "c", 0o600) as passwords:
        for key in (name, f"{name}/code"):
            if key in passwords:
                del passwords[key]
