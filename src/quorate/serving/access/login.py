"""The login page: it exchanges the token for a cookie of a session, without a script.

SameSite=Strict keeps the cookie from requests that other sites start, HttpOnly from scripts, and Secure from
connections without encryption where the login had one. The form has a CSRF token of its own, bound to a cookie of
before the login, so that no other site logs a browser in.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from quorate.core.errors import DataError
from quorate.core.redaction import redact
from quorate.serving.access.access import Access, address_of, cookie_name, cookies_of, is_secure, session_cookie
from quorate.serving.access.caller import Caller, caller_of
from quorate.serving.access.form import TooLargeFormError, is_form, parse_form, read_body
from quorate.serving.access.refusal import LOGIN, Refusal
from quorate.serving.access.sessions import csrf_token, is_csrf_token

_PAGES = Path(__file__).parent / "pages"

# Longest name of a person in the records.
_MOST_NAME = 60

# How long a login form stays valid, s.
_FORM_S = 3_600


def login_routes(access: Access, home: str) -> list[Route]:
    """Routes of the login page and of the end of a session.

    Args:
        access: tokens, sessions, limits and log.
        home: path of the page that a login opens if none was asked for.
    """
    pages = _LoginPages(access, home)
    return [
        Route(LOGIN, pages.show, methods=["GET"]),
        Route(LOGIN, pages.log_in, methods=["POST"]),
        Route("/logout", pages.log_out, methods=["POST"]),
        Route("/login.css", _file("login.css"), methods=["GET"]),
        Route("/icon.svg", _file("icon.svg"), methods=["GET"]),
    ]


class _LoginPages:
    def __init__(self, access: Access, home: str) -> None:
        self._access, self._home = access, home

    async def show(self, request: Request) -> Response:
        """The form; for a browser that is logged in, who it is and how to log out."""
        return self._page(request, local_path(request.query_params.get("next", ""), self._home))

    async def log_in(self, request: Request) -> Response:
        """Open a session for the right token."""
        if not is_form(request.headers.get("content-type", "")):
            return self._page(request, self._home, 415, "The form could not be read. Load the page again.")
        try:
            form = parse_form(await read_body(request.receive))
        except TooLargeFormError:
            return self._page(request, self._home, 413, "The form is too large.")
        after = local_path(form.get("next", ""), self._home)
        planted = cookies_of(request.scope).get(cookie_name(request.scope, "login"), "")
        if not planted or not is_csrf_token(form.get("csrf", ""), planted):
            return self._page(request, after, 403, "This form has expired, or cookies are blocked. Please try again.")
        address = address_of(request.scope)
        try:
            caller = self._access.check(form.get("token", "").strip(), address)
            if isinstance(caller, Refusal):
                return self._refused(request, after, caller, form.get("name", "")[:_MOST_NAME])
            # The token is known by now: should it stand in the field of the name too, it goes no further.
            caller = Caller("session", address, caller.token, _name(form.get("name", "")))
            await run_in_threadpool(self._access.log.write, "login", who=caller.who, address=address)
        except DataError as error:
            return self._page(request, after, 503, f"Logins cannot be recorded now: {error}")
        self._access.sessions.close(session_cookie(request.scope))
        response = RedirectResponse(after, status_code=303)
        session_id = self._access.sessions.open(caller.name, caller.token)
        _set_cookie(response, request, "session", session_id, self._access.sessions.lasts_s)
        _set_cookie(response, request, "login", "", 0)
        return response

    async def log_out(self, request: Request) -> Response:
        """End the session of the request; `AccessControl` has checked its CSRF token."""
        self._access.sessions.close(caller_of(request).session_id)
        response = RedirectResponse(LOGIN, status_code=303)
        _set_cookie(response, request, "session", "", 0)
        return response

    def _refused(self, request: Request, after: str, why: Refusal, name: str) -> Response:
        if why.status == 429:
            seconds = why.headers["Retry-After"]
            return self._page(
                request, after, 429, f"Too many wrong tokens. Try again in {seconds} s.", headers=why.headers
            )
        return self._page(request, after, why.status, "This is not the service's token.", name=name)

    def _page(
        self,
        request: Request,
        after: str,
        status: int = 200,
        error: str = "",
        headers: Mapping[str, str] | None = None,
        name: str = "",
    ) -> Response:
        session_id = session_cookie(request.scope)
        session = self._access.sessions.find(session_id, self._access.token.digest()) if session_id else None
        planted = cookies_of(request.scope).get(cookie_name(request.scope, "login"), "") or secrets.token_urlsafe(32)
        page = _template().render(
            error=error,
            after=after,
            name=name,
            csrf=csrf_token(planted),
            token_exists=self._access.token.digest() is not None,
            session=session,
            session_csrf=csrf_token(session_id) if session else "",
            home=self._home if self._home != LOGIN else "",
        )
        response = HTMLResponse(page, status_code=status, headers=headers)
        if session is None:
            _set_cookie(response, request, "login", planted, _FORM_S)
        return response


def local_path(text: str, otherwise: str) -> str:
    """A path of this service that a browser cannot take for another site's address.

    >>> local_path("/journal", "/"), local_path("//evil.example", "/"), local_path("https:/evil.example", "/")
    ('/journal', '/', '/')
    """
    if not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable() or len(text) > 500:
        return otherwise
    return text


def _name(text: str) -> str:
    """A name as it stands in the records: one line without secrets."""
    return redact("".join(letter for letter in text if letter.isprintable())).strip()[:_MOST_NAME]


def _set_cookie(response: Response, request: Request, what: str, value: str, lasts_s: int) -> None:
    response.set_cookie(
        cookie_name(request.scope, what),
        value,
        max_age=lasts_s,
        path="/",
        secure=is_secure(request.scope),
        httponly=True,
        samesite="strict",
    )


def _file(name: str) -> Any:
    async def file(_: Request) -> Response:
        return FileResponse(_PAGES / name)

    return file


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # here: the service starts sooner

    environment = Environment(loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("login.html")
