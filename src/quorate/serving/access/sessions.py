"""Logins of browsers: random ids in a cookie, of which the service keeps the hash, in memory only.

An id is made at the login and nowhere else, so that no one can plant one beforehand (session fixation), and a login
ends the one that the browser had. A restart ends all.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from quorate.core.clock import now_ms
from quorate.core.sections.access import AccessSettings


@dataclass(frozen=True, slots=True)
class Session:
    """A login.

    Attributes:
        name: that the person gave, for the records; empty for none.
        began: ms UTC.
        ends: of the clock of `Sessions`, s.
        token: SHA-256 of the token that opened it; it ends with that token.
    """

    name: str
    began: int
    ends: float
    token: bytes


class Sessions:
    """The logins that are open, by the hash of their ids.

    Args:
        settings: how long and how many.
        clock: returns seconds that only grow.
    """

    def __init__(self, settings: AccessSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.lasts_s = round(settings.session_hours * 3_600)
        self._most, self._clock = settings.sessions, clock
        self._open: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    def open(self, name: str, token: bytes) -> str:
        """Begin a session; the oldest ends if there are too many.

        Returns:
            Its id, 256 random bits.
        """
        self._forget_ended()
        while len(self._open) >= self._most:
            del self._open[next(iter(self._open))]
        made = secrets.token_urlsafe(32)
        self._open[_hash(made)] = Session(name, now_ms(), self._clock() + self.lasts_s, token)
        return made

    def find(self, session_id: str, token: bytes | None) -> Session | None:
        """The session of an id; None if there is none, it ended, or another token is right now.

        Args:
            session_id: of the cookie.
            token: SHA-256 of the right token; None if there is none.
        """
        key = _hash(session_id)
        session = self._open.get(key)
        if session is None:
            return None
        if self._clock() < session.ends and token is not None and hmac.compare_digest(session.token, token):
            return session
        del self._open[key]
        return None

    def close(self, session_id: str) -> None:
        """End a session, if it is open."""
        self._open.pop(_hash(session_id), None)

    def _forget_ended(self) -> None:
        now = self._clock()
        self._open = {key: session for key, session in self._open.items() if now < session.ends}


def csrf_token(session_id: str) -> str:
    """The token that a POST of this session carries beside the cookie.

    Bound to the session: who does not know the id cannot compute it, and it ends with the session. Nothing is stored.
    """
    return hmac.new(session_id.encode("utf-8", "surrogatepass"), b"quorate csrf 1", sha256).hexdigest()


def is_csrf_token(given: str, session_id: str) -> bool:
    """Whether a CSRF token is that of the session."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), csrf_token(session_id).encode())


def _hash(session_id: str) -> bytes:
    return sha256(session_id.encode("utf-8", "surrogatepass")).digest()
