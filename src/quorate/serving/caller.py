"""Who sent a request."""

from __future__ import annotations

from starlette.requests import Request

from quorate.serving.access.caller import caller_of


def caller(request: Request) -> str:
    """Name of the caller for records."""
    return caller_of(request).who


def address(request: Request) -> str:
    """Address of the client; "local" where the transport has none."""
    return "local" if request.client is None else request.client.host
