"""Connections of a service: how many there may be, and how long one may take to send a request.

Uvicorn closes connections that are idle after an answer. One that never sends a whole request would stay forever, and
each takes a file descriptor, of which the files that the service reads need some too.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# Descriptors that are left to files, databases and the processes' own.
_RESERVED = 128

_REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def bounded_protocol(most: int, header_s: float) -> type[H11Protocol]:
    """Uvicorn's protocol with limits.

    Args:
        most: connections at the same time; further ones are answered 503 and closed.
        header_s: from the first byte, or the opening of the connection, to the end of a request's headers.
    """

    class BoundedProtocol(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.write(_REFUSAL)
                transport.close()
            else:
                self._deadline = self.loop.call_later(header_s, transport.close)

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():  # refused
                return
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._forget_deadline()
            elif self._deadline is None and self.conn.trailing_data[0]:
                self._deadline = self.loop.call_later(header_s, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget_deadline()
            super().connection_lost(exc)

        def _forget_deadline(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return BoundedProtocol


def allow_connections(wanted: int) -> int:
    """Raise this process's limit of open files as far as connections need it and the system lets it.

    Returns:
        The number of connections for which there are descriptors, at most `wanted`.
    """
    try:
        import resource
    except ImportError:  # a system without this limit
        return wanted
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = most == resource.RLIM_INFINITY
    needed = wanted + _RESERVED
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if unlimited else min(needed, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - _RESERVED))
