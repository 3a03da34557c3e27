"""Requests that are refused, and the answer to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from quorate.core.errors import AccessError
from quorate.serving.errors import error_response

#: Where a browser without a login is sent.
LOGIN = "/login"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that goes no further.

    Attributes:
        status: of HTTP.
        error: what was attempted, found and expected, and what to do.
        headers: of the answer.
    """

    status: int
    error: AccessError
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(refusal: Refusal, request: Request) -> Response:
    """The answer: the login page for a browser that has none, else the error as the command line's --json has it."""
    if refusal.status == 401 and request.method in ("GET", "HEAD"):
        if "hx-request" in request.headers:
            return Response(status_code=401, headers={**refusal.headers, "HX-Redirect": LOGIN})
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"{LOGIN}?next={quote(request.url.path)}", status_code=303)
    # A body was not read: the connection cannot be used again.
    unread = "content-length" in request.headers or "transfer-encoding" in request.headers
    headers = {**refusal.headers, **({"Connection": "close"} if unread else {})}
    return error_response(refusal.error, refusal.status, headers)


def wrong_host(host: str) -> Refusal:
    """Another name than those of the service, which a page of another site may have made a browser use."""
    found = f"the host {host[:100]!a}" if host else "no single header Host"
    return Refusal(
        421,
        AccessError(
            "answer the request",
            found=found,
            expected="localhost, the address that the service listens on, or a name of the setting access.hosts",
            remedy="If it is the service's name, add it to access.hosts.",
        ),
    )


def other_origin(found: str) -> Refusal:
    """A request to change something that a page of another origin made."""
    return Refusal(
        403,
        AccessError(
            "change anything for this request",
            found=found,
            expected="a request from the service's own pages",
            remedy="If a proxy in front encrypts, name it in access.proxies and let it pass the headers Host and "
            "X-Forwarded-Proto on.",
        ),
    )


def no_token() -> Refusal:
    """Neither a token nor a login."""
    return Refusal(
        401,
        AccessError(
            "answer the request",
            found="no token",
            expected="the service's token as bearer in the header Authorization, or a login at /login",
            remedy="The service showed its token at its first start; make a new one: quorate token --new.",
        ),
        {"WWW-Authenticate": 'Bearer realm="quorate"'},
    )


def wrong_token() -> Refusal:
    """A token that is not right, or several."""
    return Refusal(
        401,
        AccessError(
            "answer the request",
            found="a wrong token",
            expected="the service's token as bearer in one header Authorization",
            remedy="If it is lost, make a new one: quorate token --new.",
        ),
        {"WWW-Authenticate": 'Bearer realm="quorate", error="invalid_token"'},
    )


def too_many_attempts(seconds: int) -> Refusal:
    """Too many wrong tokens."""
    return Refusal(
        429,
        AccessError(
            "check the token",
            found="too many wrong tokens",
            expected="the right one",
            remedy=f"Wait {seconds} s.",
        ),
        {"Retry-After": str(seconds)},
    )


def wrong_csrf_token() -> Refusal:
    """A request of a login without the CSRF token of its session."""
    return Refusal(
        403,
        AccessError(
            "change anything for this request",
            found="no CSRF token of this login",
            expected="it in the header X-CSRF-Token, or in the field csrf of a form",
            remedy="Load the page again.",
        ),
    )


def monitor_only() -> Refusal:
    """The token for monitoring, elsewhere."""
    return Refusal(
        403,
        AccessError(
            "answer the request",
            found="the token for monitoring",
            expected="it for GET /metrics and /health/ready only",
        ),
    )


def not_recorded(error: Exception) -> Refusal:
    """A request to change something that cannot be recorded."""
    return Refusal(
        503,
        AccessError(
            "change anything for this request",
            found=f"an access log that cannot be written ({error})",
            expected="a record of every change",
            remedy="Free space in the state folder.",
        ),
        {"Retry-After": "10"},
    )
