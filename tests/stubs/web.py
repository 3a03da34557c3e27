"""Applications on a real server: uvicorn on loopback, in a thread."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def served(app: Any, **options: Any) -> Iterator[int]:
    """Serve an application while the block runs; yields the port."""
    listener = socket.create_server((options.pop("host", "127.0.0.1"), 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server ended"
            time.sleep(0.005)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


class Answer:
    """Status, headers and body of an answer; several headers of one name stay apart."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode()


def ask(
    port: int,
    method: str,
    path: str,
    *headers: tuple[str, str],
    body: str | bytes = b"",
    host: str | None = "",
    address: str = "127.0.0.1",
) -> Answer:
    """One request as it is, so that headers can be missing, double or wrong.

    Args:
        port: of the server.
        method: of the request.
        path: of the request.
        headers: name and value.
        body: sent with its length.
        host: header Host; empty for localhost and the port, None for no such header.
        address: of the client's end.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20, source_address=(address, 0))
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        if host is not None:
            connection.putheader("Host", host or f"localhost:{port}")
        for name, value in headers:
            connection.putheader(name, value)
        content = body.encode() if isinstance(body, str) else body
        if content:
            connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content or None)
        return Answer(connection.getresponse())
    finally:
        connection.close()
