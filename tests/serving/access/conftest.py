"""A small application behind the middleware of access, on a real server."""

import json
import re
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from quorate.core.sections.access import AccessSettings
from quorate.serving.access import Access, SecurityHeaders, caller_of, first_token, login_routes, middleware
from stubs.web import ask, served

MONITOR = "0123456789abcdef0123456789abcdef"
FORM = ("Content-Type", "application/x-www-form-urlencoded")


async def who(request: Request):
    caller = caller_of(request)
    body = (await request.body()).decode()
    return JSONResponse({"who": caller.who, "kind": caller.kind, "address": caller.address, "body": body})


async def live(_):
    return PlainTextResponse("ok")


async def fail(_):
    raise RuntimeError("a failure of a route")


async def ticks(_):
    import anyio

    async def lines():
        while True:
            yield "data: tick\n\n"
            await anyio.sleep(0.02)

    return StreamingResponse(lines(), media_type="text/event-stream")


async def weaker(_):
    return PlainTextResponse("", headers={"Cache-Control": "public", "Content-Security-Policy": "default-src *"})


async def scripted(_):
    return HTMLResponse("""<title>kept</title><script>document.title = "inline"</script>
        <img src="http://127.0.0.1:9/x"><p style="color: red" onclick="document.title = 'handler'">text</p>""")


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Site:
    """The application, its state, and requests to it."""

    def __init__(self, port, access, token, folder):
        self.port, self.access, self.token, self.folder = port, access, token, folder
        self.bearer = ("Authorization", f"Bearer {token}")

    def ask(self, method, path, *headers, **more):
        return ask(self.port, method, path, *headers, **more)

    def log(self):
        path = self.folder / "state" / "access.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def login(self, token=None, name="Ann", after="/who"):
        """Log in as a browser does."""
        form = self.ask("GET", f"/login?next={after}")
        cookie = ("Cookie", form.headers["set-cookie"].split(";")[0])
        fields = {"token": token or self.token, "name": name, "next": after, "csrf": csrf_of(form)}
        answer = self.ask("POST", "/login", cookie, FORM, body=urlencode(fields))
        return answer, SimpleNamespace(cookie=cookie_of(answer, "session"))

    def csrf(self, cookie):
        return csrf_of(self.ask("GET", "/login", cookie))


def csrf_of(page):
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def cookie_of(answer, what):
    found = [one.split(";")[0] for one in answer.headers.get_all("set-cookie") or () if f"quorate-{what}" in one]
    return ("Cookie", found[0]) if found else None


@contextmanager
def site(folder, *, host="127.0.0.1", server=None, **settings):
    """The application with settings of access."""
    settings = AccessSettings(state=str(folder / "state"), **settings)
    token = first_token(settings, "test")
    access = Access(settings)
    routes = [
        Route("/health/live", live),
        Route("/who", who, methods=METHODS),
        Route("/metrics", who),
        Route("/health/ready", who, methods=METHODS),
        Route("/fail", fail, methods=METHODS),
        Route("/ticks", ticks),
        Route("/weaker", weaker),
        Route("/scripted", scripted),
        *login_routes(access, home="/who"),
    ]
    app = SecurityHeaders(Starlette(routes=routes, middleware=middleware(access)))
    with served(app, host=host, **(server or {})) as port:
        yield Site(port, access, token, folder)


@pytest.fixture
def make_site(tmp_path):
    """`site` in a folder of the test."""

    @contextmanager
    def make(**settings):
        with site(tmp_path, **settings) as made:
            yield made

    return make


@pytest.fixture
def here(make_site):
    """The application with the defaults and a token for monitoring."""
    with make_site() as made:
        yield made


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """The application for tests that leave it as it was; wrong tokens are not limited."""
    with site(tmp_path_factory.mktemp("shared"), attempts=1_000, attempts_total=100_000) as made:
        yield made
