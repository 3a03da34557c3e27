"""TCP proxy that can lose the response of a server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Proxy that forwards connections to a local port.

    Attributes:
        port: port that it listens on.
        lose_answer_to: when a client has sent these bytes, they are forwarded, but the connection is closed instead of
            returning the response; applies once.
    """

    def __init__(self, target: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._target = target
        self._lines: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.lose_answer_to: bytes | None = None
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        for line in [self._listener, *self._lines]:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._lines += [client, server]
                lost = threading.Event()
                for way in ((client, server, self._to_server), (server, client, self._to_client)):
                    thread = threading.Thread(target=way[2], args=(*way[:2], lost))
                    self._threads.append(thread)
                    thread.start()

    def _to_server(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while sent := client.recv(65536):
                if self.lose_answer_to is not None and self.lose_answer_to in sent:
                    self.lose_answer_to = None
                    lost.set()
                server.sendall(sent)
            server.shutdown(socket.SHUT_WR)

    def _to_client(self, server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while answered := server.recv(65536):
                if lost.is_set():
                    break
                client.sendall(answered)
            client.shutdown(socket.SHUT_RDWR)
            server.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """Run a proxy until the block ends."""
    running = Proxy(target)
    try:
        yield running
    finally:
        running.close()
