"""What decides about access to the service: its token, the logins, the limits and the log."""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from quorate.core.sections.access import AccessSettings
from quorate.serving.access import refusal
from quorate.serving.access.access_log import AccessLog
from quorate.serving.access.attempts import Attempts
from quorate.serving.access.caller import Caller
from quorate.serving.access.hosts import Hosts
from quorate.serving.access.refusal import Refusal
from quorate.serving.access.sessions import Sessions
from quorate.serving.access.token import TOKEN, TokenCheck, TokenStore, read_hash, read_token

#: What the token for monitoring may read.
MONITORED = frozenset({"/metrics", "/health/ready"})


class Access:
    """The state of access to one service.

    Args:
        settings: the section `access`.

    Raises:
        AccessError: a file of a token that cannot be used. A service without a token yet answers nobody until there is
            one.
    """

    def __init__(self, settings: AccessSettings) -> None:
        folder = Path(settings.state).absolute()  # the process may change its working folder later
        if settings.bearer_file:
            self.token = TokenCheck(Path(settings.bearer_file).absolute(), read_token)
            read_token(self.token.path)
        else:
            self.token = TokenCheck(TokenStore(folder).path, read_hash)
            if self.token.path.exists():
                read_hash(self.token.path)
        self.monitor = TokenCheck(Path(settings.monitor_file).absolute(), read_token) if settings.monitor_file else None
        if self.monitor is not None:
            read_token(self.monitor.path)
        self.settings = settings
        self.sessions = Sessions(settings)
        self.attempts = Attempts(settings)
        self.hosts = Hosts(settings.hosts)
        self.log = AccessLog(folder, most_bytes=settings.log_bytes, files=settings.log_files)

    def caller(self, scope: Scope) -> Caller | Refusal:
        """The caller of a request, by its header Authorization or else by its cookie.

        Wrong tokens are counted. A cookie of a login that ended is no attempt: browsers send it by themselves.
        """
        headers = Headers(scope=scope)
        given = headers.getlist("authorization")
        if given:
            return self.check(_bearer(given), address_of(scope), scope["path"])
        session_id = session_cookie(scope)
        token = self.token.digest()
        session = self.sessions.find(session_id, token) if session_id else None
        if session is None:
            return refusal.no_token()
        return Caller("session", address_of(scope), session.token, session.name, session_id)

    def check(self, token: str, address: str, path: str = "") -> Caller | Refusal:
        """The caller who has a token, within the limits of attempts.

        Args:
            token: what was given.
            address: of the client.
            path: that is asked for; the token for monitoring counts there only where it may read.

        Raises:
            DataError: the access log cannot be written.
        """
        if seconds := self.attempts.refused_s(address):
            return refusal.too_many_attempts(seconds)
        if TOKEN.fullmatch(token):
            if self.token.is_right(token):
                return Caller("token", address, self.token.digest() or b"")
            if self.monitor is not None and path and self.monitor.is_right(token):
                return Caller("monitor", address, self.monitor.digest() or b"")
        if seconds := self.attempts.count(address):
            return refusal.too_many_attempts(seconds)
        self.log.write("wrong token", who="unknown", address=address, path=path or None)
        return refusal.wrong_token()

    def is_current(self, caller: Caller) -> bool:
        """Whether a caller still has access: an answer that goes on for hours asks again."""
        if caller.kind == "session":
            return self.sessions.find(caller.session_id, self.token.digest()) is not None
        if caller.kind == "monitor":
            return self.monitor is not None and self.monitor.digest() == caller.token
        return self.token.digest() == caller.token


def address_of(scope: Scope) -> str:
    """Address of the client; "unknown" where the server does not know it."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def is_secure(scope: Scope) -> bool:
    """Whether the client's connection is encrypted, by the service or by a trusted proxy."""
    return bool(scope["scheme"] == "https")


def cookie_name(scope: Scope, what: str) -> str:
    """Name of a cookie of the service.

    Cookies of a host go to all its ports: the port in the name keeps two services on one machine apart. Where the
    connection is encrypted, the prefix keeps other names of the domain from setting the cookie (RFC 6265bis, 4.1.3).
    """
    server = scope.get("server")
    return f"{'__Host-' if is_secure(scope) else ''}quorate-{what}-{server[1] if server else 0}"


def session_cookie(scope: Scope) -> str:
    """Id of the login that the browser sends; empty for none."""
    return cookies_of(scope).get(cookie_name(scope, "session"), "")


def cookies_of(scope: Scope) -> dict[str, str]:
    """The cookies of a request."""
    return cookie_parser("; ".join(Headers(scope=scope).getlist("cookie")))


def _bearer(values: list[str]) -> str:
    """The token of the header Authorization; empty for another scheme, or several headers."""
    scheme, _, token = values[0].partition(" ")
    return token.strip() if len(values) == 1 and scheme.lower() == "bearer" else ""
