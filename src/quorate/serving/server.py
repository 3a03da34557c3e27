"""A service on a socket: start-up, log lines, and the clean stop."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI

from quorate.core.errors import SettingsError
from quorate.serving.app import create_app
from quorate.serving.connections import allow_connections, bounded_protocol
from quorate.serving.service import Service

_log = logging.getLogger(__name__)


def serve(service: Service) -> None:
    """Answer requests until Ctrl-C or SIGTERM; requests in progress then have `serve.stop_s` to end.

    Raises:
        SettingsError: an address that cannot be used, or is not this machine's own.
    """
    settings = service.settings.serve
    with listen(settings.host, settings.port) as listener:
        server = Server(configuration(service))
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        _log.info("listening on http://%s:%d", shown, port)
        server.run(sockets=[listener])
    _log.info("stopped")


class Server(uvicorn.Server):
    """Uvicorn's server, which ends in order after SIGINT or SIGTERM: the original sends itself the signal again."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End event streams first, which would keep their connections open; then as the original."""
        if isinstance(self.config.app, FastAPI):
            self.config.app.state.stop()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at the first signal, at once at a second Ctrl-C; in the main thread only, which alone gets signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def configuration(service: Service) -> uvicorn.Config:
    """Uvicorn's configuration: one process, no log of its own, no header that names the software."""
    settings = service.settings.serve
    return uvicorn.Config(
        create_app(service),
        http=bounded_protocol(allow_connections(settings.connections), settings.header_s),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=round(settings.keep_alive_s),
        timeout_graceful_shutdown=round(settings.stop_s),
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on a loopback address.

    Raises:
        SettingsError: another address, or one that cannot be used.
    """
    attempted = f"listen on {host} port {port}"
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if not ip_address(place[0]).is_loopback:
            raise SettingsError(
                attempted,
                found=f"the address {place[0]}, which others can reach",
                expected="an address of this machine only, such as 127.0.0.1",
            )
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(2048)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise SettingsError(
            attempted,
            found=error.strerror or str(error),
            expected="a free port of this machine",
            remedy="Choose another one with `host` and `port`.",
        ) from error
    return listener
