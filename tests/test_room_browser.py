"""A page on a learner's server, opened by the teacher and by a neighbour who are signed in.

In a real browser, on JupyterHub as it comes, on a room without addresses of its learners' own, and
on a room as it is made. The first shows that each attack is one.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from test_room import MISSING, command

from classroom import client, rehearsal, room

pytestmark = pytest.mark.author
if MISSING:
    pytest.skip(MISSING, allow_module_level=True)

# What the hub was before: one origin, and a teacher who is an administrator.
AS_IT_COMES = """
from classroom.signin import CodeAuthenticator
class Administrators(CodeAuthenticator):
    async def authenticate(self, handler, data):
        found = await super().authenticate(handler, data)
        return found and {"name": found["name"], "admin": found["name"] == "teacher"}
c.JupyterHub.authenticator_class = Administrators
c.Administrators.folder = c.CodeAuthenticator.folder
c.JupyterHub.subdomain_host = ""
c.JupyterHub.load_roles = [
    {"name": "room", "services": ["room"],
     "scopes": ["admin:users", "servers", "access:servers", "read:hub"]}]
"""
PAGE = """<script>
const sleep = ms => new Promise(done => setTimeout(done, ms));
async function opened(url, look) {  // what can be seen of another page of whoever came
  const other = window.open(url);
  for (let i = 0; i < 40; i++) {
    await sleep(250);
    try { const seen = look(other); if (seen) { return [other, seen]; } } catch { }
  }
  return [window, ""];
}
async function attack(hub, server, visitor, victim) {
  const done = {};
  async function attempt(name, from, xsrf, url, method, body, token) {
    const headers = {"Content-Type": "application/json"};
    if (xsrf) { headers["X-XSRFToken"] = xsrf; }
    if (token) { headers["Authorization"] = "token " + token; }
    try {
      const how = {method, headers, body: body && JSON.stringify(body), credentials: "include"};
      const answer = await from.fetch(url, how);
      const text = await answer.text();
      done[name] = answer.ok;
      return answer.ok && text ? JSON.parse(text) : {};
    } catch { done[name] = false; return {}; }
  }
  const [home, xsrf] = await opened(hub + "/hub/home", page => page.jhdata.xsrf_token);
  const api = hub + "/hub/api/users";
  const made = await attempt("make a token", home, xsrf, `${api}/${visitor}/tokens`, "POST", {});
  await attempt("list users", home, xsrf, api, "GET");
  await attempt("create a user", home, xsrf, `${api}/friend-of-${visitor}`, "POST");
  const find = page => /_xsrf=([^;]+)/.exec(page.document.cookie)[1];
  const [lab, key] = made.token ? [window, ""] : await opened(server + "/lab", find);
  await attempt("read files", lab, key, server + "/api/contents", "GET", null, made.token);
  await attempt("start a kernel", lab, key, server + "/api/kernels", "POST", {}, made.token);
  await attempt("stop a server", home, xsrf, `${api}/${victim}/server`, "DELETE");
  try { await navigator.serviceWorker.register("worker.js", {scope: "/"}); done["stay"] = true; }
  catch { done["stay"] = false; }
  done["see cookies"] = /jupyterhub/.test(document.cookie);
  return done;
}
</script>"""
EVERYTHING = {"make a token", "list users", "create a user", "read files", "start a kernel"}
EVERYTHING |= {"stop a server"}


def apart(function: Callable[..., Any], *given: Any) -> Any:
    """Call something that has a loop of its own: Playwright has one in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *given).result()


@dataclass
class Hub:
    """A room of two, and a browser."""

    kind: str
    made: rehearsal.Room
    browser: Browser

    @property
    def given(self) -> dict[str, Any]:
        return room.settings(self.made.place)

    def server(self, name: str) -> str:
        own = room.origins(self.given, name) if self.kind == "origins" else self.given["address"]
        return f"{own}/user/{name}"

    def enter(self, name: str, password: str, code: str = "") -> tuple[BrowserContext, Page]:
        """Sign in as somebody, in a browser of their own."""
        context = self.browser.new_context()
        page = context.new_page()
        page.goto(f"{self.given['address']}/hub/login")
        page.fill("#username_input", name)
        page.fill("#password_input", password)
        page.fill("#otp_input", code)
        page.click("#login_submit")
        page.wait_for_load_state()
        return context, page


def start(made: rehearsal.Room, *names: str) -> None:
    """Start these servers, or every learner's."""
    assert apart(asyncio.run, client.start(made.hub, names or made.names)) == {}


@pytest.fixture(scope="module", params=["as it comes", "one origin", "origins"])
def hub(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Hub]:
    more = ["--one-origin"] if request.param == "one origin" else []
    extra = AS_IT_COMES if request.param == "as it comes" else ""
    with contextlib.ExitStack() as stack:
        made = apart(stack.enter_context, rehearsal.a_room(2, *more, more_configuration=extra))
        place = made.home("l1").parent / ".jupyter"
        place.mkdir(parents=True)
        (place / "page.html").write_text(PAGE)
        (place / "worker.js").write_text("")
        paths = f"c.ServerApp.extra_static_paths = [{str(place)!r}]"
        (place / "jupyter_server_config.py").write_text(paths)
        start(made)
        yield Hub(request.param, made, chromium)


def attacked(hub: Hub, visitor: str) -> set[str]:
    """What the page of l1 can do to l2 when somebody who is signed in opens it."""
    code = hub.given["codes"][visitor]
    context, page = hub.enter(visitor, "a good password", code)
    if page.locator("#login_submit").count():
        return set()
    if visitor == "l2":
        page.goto(hub.server("l2") + "/lab")  # they were at work
    page.goto(hub.server("l1") + "/static/page.html")
    words = ", ".join(map(json.dumps, (hub.given["address"], hub.server("l2"), visitor, "l2")))
    done = page.evaluate(f"attack({words})")
    context.close()
    start(hub.made)
    return {name for name, worked in done.items() if worked}


def test_a_page_that_the_teacher_opens(hub: Hub) -> None:
    assert attacked(hub, "teacher") == (EVERYTHING if hub.kind == "as it comes" else set())


def test_a_page_that_a_neighbour_opens(hub: Hub) -> None:
    left = {
        "as it comes": EVERYTHING - {"list users", "create a user"},
        "one origin": {"read files", "start a kernel", "stop a server"},  # `ready` says so
        "origins": set[str](),
    }
    assert attacked(hub, "l2") == left[hub.kind]


@pytest.mark.parametrize("hub", ["origins"], indirect=True)
def test_a_name_belongs_to_who_has_its_code(hub: Hub) -> None:
    place, code = hub.made.place, hub.given["codes"]["l1"]
    right, other = "a good password", "another password"

    def enters(name: str, password: str, code: str = "") -> bool:
        context, page = hub.enter(name, password, code)
        entered = not page.locator("#login_submit").count()
        context.close()
        return entered

    assert not enters("l1", right)
    assert not enters("l1", right, "aaaa-aaaa")
    assert not enters("l1", "short", code)
    assert enters("l1", right, code.upper().replace("-", " "))
    assert not enters("l1", other, code), "a code is good for once"
    assert enters("l1", right)
    assert not enters("nobody", right)
    # Forgotten: the old password is void, and the new code is for this name alone.
    assert apart(command, place, "password", "l1") == 0
    new = hub.given["codes"]["l1"]
    assert new != code and f"<b>{new}</b>" in (place / "cards.html").read_text()
    assert not enters("l1", right) and not enters("l1", right, code)
    assert not enters("l2", other, new)
    assert enters("l1", other, new) and enters("l1", other)
    # A name that comes late, while the hub runs.
    (place / "late").write_text("l1\nl2\nlate\n")
    assert apart(command, place, "prepare", "--names", str(place / "late")) == 0
    assert enters("late", right, hub.given["codes"]["late"])
    # Guesses.
    for _ in range(5):
        assert not enters("late", other)
    context, page = hub.enter("late", other)
    assert "Too many wrong guesses: wait" in page.inner_text("body")
    context.close()
    assert enters("l2", right, hub.given["codes"]["l2"]), (
        "somebody else's guesses are somebody else's"
    )


@pytest.mark.parametrize("hub", ["origins"], indirect=True)
def test_a_teacher_has_the_board(hub: Hub) -> None:
    start(hub.made, "teacher")
    desk = hub.made.home("teacher") / "workspace"
    assert {"board.ipynb", "board.py"} <= {path.name for path in desk.iterdir()}
    assert "board.py" not in {path.name for path in (hub.made.home("l1") / "workspace").iterdir()}
