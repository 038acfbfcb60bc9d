"""A small client of JupyterHub: start servers ahead of a lesson, run code in a learner's kernel.

What is relied on is JupyterHub's REST API, Jupyter Server's /api/kernels and the kernel messaging
protocol over websockets (version 5, as jupyter_client describes it).
"""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from classroom.errors import RoomError


@dataclass(frozen=True)
class Hub:
    """Where the hub is, such as http://127.0.0.1:8000, and a token of a service of its own.

    Users' servers, and so the hub, may have names of their own that only browsers can find.
    """

    url: str
    token: str
    name: str = ""  # the hub's, with its port


@dataclass
class Done:
    """What a cell did: what it printed, with the text of its results, and its error if there was one."""

    text: str = ""
    error: str = ""


async def call(
    hub: Hub, method: str, path: str, body: object = None, seconds: float = 60, host: str = ""
) -> Any:
    """One request below the hub's address; its JSON. Raises HTTPClientError, OSError."""
    request = HTTPRequest(
        hub.url.rstrip("/") + path,
        method=method,
        headers={**_headers(hub, host), "Content-Type": "application/json"},
        body=None if body is None else json.dumps(body),
        allow_nonstandard_methods=True,
        connect_timeout=10,
        request_timeout=seconds,
    )
    response = await AsyncHTTPClient().fetch(request)
    try:
        return json.loads(response.body) if response.body else None
    except ValueError:  # the hub's page for a server that is not there, at the end of a redirection
        raise HTTPClientError(503, "a page in place of an answer", response) from None


def _headers(hub: Hub, host: str = "") -> dict[str, str]:
    named = host or hub.name
    return {"Authorization": f"token {hub.token}", **({"Host": named} if named else {})}


async def host_of(hub: Hub, name: str) -> str:
    """The name and port that a user's running server has. Raises HTTPClientError, OSError."""
    user = await call(hub, "GET", f"/hub/api/users/{name}")
    return str(urlsplit(user["servers"].get("", {}).get("url", "")).netloc)


async def users(hub: Hub) -> dict[str, bool]:
    """Every user that the hub knows, and whether their server is ready. Raises RoomError."""
    found: dict[str, bool] = {}
    while page := await _told(hub, f"/hub/api/users?limit=200&offset={len(found)}"):
        for each in page:
            found[each["name"]] = bool(each["servers"].get("", {}).get("ready"))
    return found


async def version(hub: Hub) -> str:
    """The hub's version of JupyterHub. Raises RoomError."""
    return str((await _told(hub, "/hub/api/"))["version"])


async def _told(hub: Hub, path: str) -> Any:
    """What the hub's API answers. Raises RoomError."""
    try:
        return await call(hub, "GET", path)
    except HTTPClientError as error:
        if error.code == 403:
            raise RoomError(f"The hub at {hub.url} is not this room's: restart it.") from None
        raise RoomError(f"The hub at {hub.url} does not answer as it should: {error}.") from None
    except (OSError, ValueError) as error:
        raise RoomError(f"The hub at {hub.url} does not answer: {error}.") from None


async def start(
    hub: Hub,
    names: Iterable[str],
    at_once: int = 4,
    seconds: float = 300,
    told: Callable[[str, str], None] = lambda name, problem: None,
) -> dict[str, str]:
    """Start these users' servers, a few at a time; a problem in words for each that did not come.

    `told` hears of each as it is done, with its problem or "".
    """
    places = asyncio.Semaphore(at_once)

    async def one(name: str) -> tuple[str, str]:
        async with places:
            try:
                await asyncio.wait_for(_start(hub, name), seconds)
                problem = ""
            except TimeoutError:
                problem = f"not there after {seconds:.0f} s: see the hub's log"
            except (OSError, HTTPClientError, RoomError) as error:
                problem = str(error)
        told(name, problem)
        return name, problem

    ends = await asyncio.gather(*(one(name) for name in names))
    return {name: problem for name, problem in ends if problem}


async def _start(hub: Hub, name: str) -> None:
    """Ask for a server, and wait until it is ready."""
    path = f"/hub/api/users/{name}"
    while True:
        try:
            user = await call(hub, "GET", path)
        except HTTPClientError as error:
            if error.code != 404:
                raise
            user = await call(hub, "POST", path, {})  # a name that came late
        state = user["servers"].get("", {})
        if state.get("ready"):
            return
        if not state.get("pending"):
            try:
                await call(hub, "POST", f"{path}/server", {})
            except HTTPClientError as error:
                if error.code == 500:
                    raise RoomError(_message(error)) from None
                if error.code not in (400, 429, 503):  # on its way already, or others first
                    raise
        await asyncio.sleep(0.5)


def _message(error: HTTPClientError) -> str:
    with contextlib.suppress(ValueError, AttributeError, KeyError):
        return str(json.loads(error.response.body)["message"])  # type: ignore[union-attr]
    return str(error)


async def stop(hub: Hub, name: str) -> None:
    """Stop a user's server and wait for its end. Raises HTTPClientError, OSError."""
    path = f"/hub/api/users/{name}"
    await call(hub, "DELETE", f"{path}/server")
    while (await call(hub, "GET", path))["servers"]:
        await asyncio.sleep(0.2)


@dataclass
class Kernel:
    """A kernel of a user's server, and the socket to it; the socket may be opened anew."""

    hub: Hub
    user: str
    id: str
    host: str
    socket: WebSocketClientConnection | None = None
    session: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def path(self) -> str:
        """Its address below the hub's."""
        return f"/user/{self.user}/api/kernels/{self.id}"

    async def run(self, code: str, seconds: float = 120) -> Done:
        """Run a cell and wait for its end.

        A connection that breaks is made anew. Raises TimeoutError, and ConnectionError when the
        kernel is gone.
        """
        if self.socket is None:
            await self.connect()
        assert self.socket
        message: dict[str, Any] = {
            "header": _header("execute_request", self.session),
            "parent_header": {},
            "metadata": {},
            "content": {"code": code, "silent": False, "store_history": True, "allow_stdin": False},
            "channel": "shell",
            "buffers": [],
        }
        done = Done()
        waiting = {"reply", "idle"}
        end = time.monotonic() + seconds
        try:
            await self.socket.write_message(json.dumps(message))
        except WebSocketClosedError:
            await self._again()
            await self.socket.write_message(json.dumps(message))
        while waiting:
            left = end - time.monotonic()
            received = await asyncio.wait_for(self.socket.read_message(), left)
            if received is None:
                await self._again()  # the server kept for our session what was said meanwhile
                continue
            answer = json.loads(received)
            if answer["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                waiting -= _note(done, answer)
        return done

    async def _again(self) -> None:
        """Open the socket anew, if the kernel is still there. Raises ConnectionError."""
        for _ in range(10):
            await asyncio.sleep(1)
            try:
                await call(self.hub, "GET", self.path, host=self.host)
                await self.connect()
                return
            except HTTPClientError as error:
                if error.code == 404:
                    break
            except OSError:
                continue  # a proxy that is about to come back
        self.socket = None
        raise ConnectionError(f"the kernel of {self.user} does not answer any more")

    async def connect(self) -> None:
        """Open the socket to its channels. Raises HTTPClientError, OSError."""
        url = self.hub.url.rstrip("/").replace("http", "ws", 1) + self.path
        request = HTTPRequest(
            f"{url}/channels?session_id={self.session}",
            headers=_headers(self.hub, self.host),
            connect_timeout=30,
        )
        self.socket = await websocket_connect(request)

    async def close(self) -> None:
        """End the kernel."""
        if self.socket:
            self.socket.close()
        with contextlib.suppress(HTTPClientError, OSError):
            await call(self.hub, "DELETE", self.path, host=self.host)


def _header(kind: str, session: str) -> dict[str, str]:
    return {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "username": "",
        "session": session,
        "date": "",
        "version": "5.3",
    }


def _note(done: Done, answer: dict[str, Any]) -> set[str]:
    """Take what a message says; what need not be waited for any longer."""
    content = answer["content"]
    match answer["header"]["msg_type"]:
        case "stream":
            done.text += content["text"]
        case "execute_result" | "display_data":
            done.text += content["data"].get("text/plain", "") + "\n"
        case "error":
            done.error = f"{content['ename']}: {content['evalue']}"
        case "execute_reply":
            if content["status"] == "aborted":
                done.error = "aborted"
            return {"reply"}
        case "status" if content["execution_state"] == "idle":
            return {"idle"}
    return set()


@contextlib.asynccontextmanager
async def kernel(hub: Hub, user: str, folder: str = "notebooks") -> AsyncIterator[Kernel]:
    """A new kernel in a user's running server, ended at the end. Raises HTTPClientError, OSError.

    It works in the folder that is named, below the one that their file browser shows.
    """
    path = f"/user/{user}/api/kernels"
    host = await host_of(hub, user)
    body = {"name": "python3", "path": folder}
    model = await call(hub, "POST", path, body, seconds=180, host=host)
    made = Kernel(hub, user, model["id"], host)
    try:
        await made.connect()
        yield made
    finally:
        await made.close()


async def run(hub: Hub, user: str, code: str, seconds: float = 120) -> Done:
    """Run a piece of code in a kernel of its own. Raises HTTPClientError, OSError, TimeoutError."""
    async with kernel(hub, user) as one:
        return await one.run(code, seconds)
