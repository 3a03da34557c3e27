"""A service under real uvicorn on a free loopback port, and a client of it."""

import socket
import threading
import time
from contextlib import contextmanager

import httpx2

from quorate.serving.access.token import TokenStore
from quorate.serving.server import Server, configuration, listen

# File of its hash -> token: services in one folder share one.
_tokens, _lock = {}, threading.Lock()


@contextmanager
def running(service):
    """Run a service in a thread; the base of its addresses."""
    with listen("127.0.0.1", 0, service.settings.access) as listener:
        server = Server(configuration(service))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until = time.monotonic() + 20
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                assert time.monotonic() < until
                time.sleep(0.005)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def token_of(service):
    """The token of a service, which is made when it is first asked for."""
    place = service.access.token.path
    with _lock:
        if place not in _tokens:
            _tokens[place] = TokenStore(place.parent).rotate()
    return _tokens[place]


def bearer(service):
    """The header of a service's token."""
    return {"Authorization": f"Bearer {token_of(service)}"}


def known(service, content):
    """Bytes of requests with the service's host and token in place of `Host: x`."""
    header = f"Host: 127.0.0.1\r\nAuthorization: {bearer(service)['Authorization']}\r\n"
    return content.replace(b"Host: x\r\n", header.encode())


@contextmanager
def client(service, **options):
    """A client of a running service, with its token."""
    headers = {**bearer(service), **options.pop("headers", {})}
    with running(service) as base, httpx2.Client(base_url=base, timeout=60, headers=headers, **options) as made:
        yield made


def raw(base, content, timeout=10):
    """Send bytes as they are, and read the answer until the server closes or pauses."""
    host, port = base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        connection.sendall(content)
        received = b""
        while b"\r\n\r\n" not in received:
            part = connection.recv(65_536)
            if not part:
                return received
            received += part
        connection.settimeout(0.2)
        try:
            while part := connection.recv(65_536):
                received += part
        except TimeoutError:
            pass
        return received
