"""Middleware that lets a request through, or answers it.

In this order: the host that it names; for what changes anything, its origin; who makes it; for a login, the CSRF token;
and a record of it. Answers that go on, such as streams of events, end with the access of their caller.
"""

from __future__ import annotations

import logging
import secrets

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from quorate.core.errors import DataError
from quorate.serving.access import refusal
from quorate.serving.access.access import MONITORED, Access, address_of
from quorate.serving.access.caller import Caller, set_caller
from quorate.serving.access.form import TooLargeFormError, is_form, parse_form, read_body, replay
from quorate.serving.access.hosts import is_same_origin
from quorate.serving.access.refusal import LOGIN, Refusal, answer
from quorate.serving.access.sessions import is_csrf_token

#: What needs no token. Nothing else is open, unknown paths included.
OPEN = frozenset({"/health/live", LOGIN, "/login.css", "/icon.svg"})

# Requests that change nothing (RFC 9110, section 9.2.1).
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# A page of the same origin, or none at all: a person who typed the address, or a program.
_OWN_SITE = frozenset({"same-origin", "none"})

_log = logging.getLogger("quorate.serving.access")


def middleware(access: Access) -> list[Middleware]:
    """The middleware of access, outermost first; `SecurityHeaders` belong around the whole application."""
    trusted = list(access.settings.proxies)
    return [
        # uvicorn's own comes from its defaults, which trust every program on this machine; it has to be off.
        *([Middleware(ProxyHeadersMiddleware, trusted_hosts=trusted)] if trusted else []),
        Middleware(AccessControl, access=access),
    ]


class AccessControl:
    """The middleware.

    Args:
        app: the application behind it.
        access: tokens, logins, limits and log.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # the service has none
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        found = self._judge(scope)
        if isinstance(found, Caller) and found.kind == "session" and request.method not in _SAFE:
            found, receive = await self._with_csrf_token(found, request.headers, receive)
        if isinstance(found, Refusal):
            await answer(found, request)(scope, receive, send)
            return
        set_caller(scope, found)
        if found.kind == "anyone":
            await self._app(scope, receive, send)
        elif request.method in _SAFE:
            await self._answer(scope, receive, send, found)
        else:
            await self._recorded(scope, receive, send, found)

    def _judge(self, scope: Scope) -> Caller | Refusal:
        """The caller of a request that may go on, as far as its headers say."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        server = scope.get("server")
        if len(hosts) != 1 or not self._access.hosts.allows(hosts[0], str(server[0]) if server else ""):
            return refusal.wrong_host(hosts[0] if len(hosts) == 1 else "")
        if scope["method"] not in _SAFE and (found := _other_origin(headers, scope["scheme"], hosts[0])):
            return refusal.other_origin(found)
        if scope["path"] in OPEN:
            return Caller("anyone", address_of(scope))
        try:
            caller = self._access.caller(scope)
        except DataError as error:
            return refusal.not_recorded(error)
        if isinstance(caller, Caller) and caller.kind == "monitor":
            allowed = scope["method"] in ("GET", "HEAD") and scope["path"] in MONITORED
            return caller if allowed else refusal.monitor_only()
        return caller

    async def _with_csrf_token(
        self, caller: Caller, headers: Headers, receive: Receive
    ) -> tuple[Caller | Refusal, Receive]:
        """The caller if the request has the CSRF token of the login, and what the route receives."""
        given = headers.get("x-csrf-token", "")
        if not given and is_form(headers.get("content-type", "")):
            try:
                body = await read_body(receive)
                given = parse_form(body).get("csrf", "")
            except TooLargeFormError:
                return refusal.wrong_csrf_token(), receive
            receive = replay(body, receive)
        return (caller if is_csrf_token(given, caller.session_id) else refusal.wrong_csrf_token()), receive

    async def _recorded(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        """Answer a request that may change something; a record of it is on disk before, and of its outcome after."""
        number = secrets.token_hex(4)
        ended = False

        async def record(event: str, **details: str | int) -> None:
            # In a thread: it waits for the disk.
            await run_in_threadpool(
                self._access.log.write, event, who=caller.who, address=caller.address, request=number, **details
            )

        async def record_outcome(status: int) -> None:
            nonlocal ended
            ended = True
            try:
                await record("outcome", status=status)
            except DataError as error:  # the change is made, and its request recorded
                _log.error("%s", error)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                await record_outcome(message["status"])
            await send(message)

        try:
            await record("request", method=scope["method"], path=scope["path"])
        except DataError as error:
            await answer(refusal.not_recorded(error), Request(scope))(scope, receive, send)
            return
        try:
            await self._answer(scope, receive, noting, caller)
        except Exception:
            if not ended:
                await record_outcome(500)  # the application's outermost layer answers
            raise

    async def _answer(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        """Answer for as long as the caller has access."""

        async def guarded(message: Message) -> None:
            if message.get("more_body") and not self._access.is_current(caller):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                raise _AccessEndedError
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except _AccessEndedError:
            return


class _AccessEndedError(Exception):
    """The caller's login or token ended while the answer was on its way."""


def _other_origin(headers: Headers, scheme: str, host: str) -> str:
    """What says that another site's page made a request; empty if nothing does."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in _OWN_SITE:
        return f"a request that is {site[:30]!a} to the service"
    origin = headers.get("origin")
    if origin is not None and not is_same_origin(origin, scheme, host):
        return f"the origin {origin[:100]!a} at the host {host[:100]!a}"
    return ""
