"""A service on a socket: start-up, log lines, and the clean stop."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from quorate.core.errors import SettingsError
from quorate.core.sections.access import AccessSettings
from quorate.serving.access import bind_addresses
from quorate.serving.app import create_app
from quorate.serving.connections import allow_connections, bounded_protocol
from quorate.serving.service import Service

_log = logging.getLogger(__name__)


def serve(service: Service) -> None:
    """Answer requests until Ctrl-C or SIGTERM; requests in progress then have `serve.stop_s` to end.

    Raises:
        AccessError: an address that others can reach, without encryption.
        SettingsError: an address that cannot be used.
    """
    settings = service.settings.serve
    access = service.settings.access
    with listen(settings.host, settings.port, access) as listener:
        server = Server(configuration(service))
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        _log.info("listening on http%s://%s:%d", "s" if access.tls_certificate_file else "", shown, port)
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
    settings, access = service.settings.serve, service.settings.access
    return uvicorn.Config(
        create_app(service),
        http=bounded_protocol(allow_connections(settings.connections), settings.header_s),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # those of this machine are trusted by default; access control trusts the configured ones
        ssl_certfile=access.tls_certificate_file or None,
        ssl_keyfile=access.tls_key_file or None,
        lifespan="on",
        timeout_keep_alive=round(settings.keep_alive_s),
        timeout_graceful_shutdown=round(settings.stop_s),
    )


def listen(host: str, port: int, access: AccessSettings) -> socket.socket:
    """A listening socket.

    Args:
        host: address, or a name of it.
        port: 0 for any free one.
        access: what encrypts, without which others must not reach the address.

    Raises:
        AccessError: an address that others can reach, without encryption.
        SettingsError: one that cannot be used.
    """
    attempted = f"listen on {host} port {port}"
    address = bind_addresses(host, access)[0]
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
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
