"""Who sent a request."""

from __future__ import annotations

from starlette.requests import Request

#: Key of a request's scope under which access control names the caller, for the records of changes.
CALLER = "quorate.caller"


def caller(request: Request) -> str:
    """Name of the caller for records."""
    return str(request.scope[CALLER])


def address(request: Request) -> str:
    """Address of the client; "local" where the transport has none."""
    return "local" if request.client is None else request.client.host
