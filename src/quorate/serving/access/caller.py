"""Who makes a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from starlette.requests import HTTPConnection
from starlette.types import Scope

# Key of a request's scope.
_KEY = "quorate.access.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request, as `AccessControl` established it.

    Attributes:
        kind: with the service's token, by a login, with the token for monitoring, or with none where none is needed.
        address: of the client; behind trusted proxies the one that they say.
        token: SHA-256 of the token that gave access.
        name: that the person gave at the login.
        session_id: of the login.
    """

    kind: Literal["token", "session", "monitor", "anyone"]
    address: str
    token: bytes = b""
    name: str = ""
    session_id: str = ""

    @property
    def who(self) -> str:
        """The caller for records: of a journal, of the bundles' history, of the access log.

        >>> Caller("session", "127.0.0.1", name="Ann").who, Caller("token", "10.0.0.7").who
        ('Ann (dashboard) at 127.0.0.1', 'token at 10.0.0.7')
        """
        kind = "dashboard" if self.kind == "session" else self.kind
        return f"{self.name} ({kind}) at {self.address}" if self.name else f"{kind} at {self.address}"


def caller_of(request: HTTPConnection) -> Caller:
    """The caller of a request that passed `AccessControl`; a route may take it by `Depends(caller_of)`."""
    found: Caller = request.scope[_KEY]
    return found


def set_caller(scope: Scope, caller: Caller) -> None:
    """Note the caller in the scope of a request."""
    scope[_KEY] = caller
