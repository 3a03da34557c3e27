"""A client of server-sent events: reads a stream in a thread and keeps what came."""

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, IncompleteRead
from typing import Any


@dataclass
class Received:
    """One event as its client got it, with the monotonic time of its arrival."""

    kind: str
    data: dict[str, Any]
    id: str | None
    at: float = field(default_factory=time.monotonic)


class Listener:
    """What a stream has sent so far."""

    def __init__(self):
        self.events: list[Received] = []
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.comments = 0
        self.ended = threading.Event()
        self.changed = threading.Condition()

    def of(self, kind):
        return [event for event in self.events if event.kind == kind]

    def wait(self, enough, timeout=60):
        """Wait until `enough(self)`; the last value is returned."""
        until = time.monotonic() + timeout
        with self.changed:
            while not (found := enough(self)):
                left = until - time.monotonic()
                assert left > 0, f"only {[(event.kind, event.id) for event in self.events][-5:]} came"
                self.changed.wait(left)
        return found

    def take(self, lines):
        kind, data, number = "message", None, None
        for line in lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                kind = value
            elif name == "data":
                data = value
            elif name == "id":
                number = value
            elif not name:
                self.comments += 1
        if data is not None:
            with self.changed:
                self.events.append(Received(kind, json.loads(data), number))
                self.changed.notify_all()


@contextmanager
def listening(http, path="/events", headers=None):
    """A listener to a stream of a client's server until the block ends, on a connection of its own."""
    listener = Listener()
    connection = HTTPConnection(http.base_url.host, http.base_url.port, timeout=60)
    connection.request("GET", path, headers={**dict(http.headers), **(headers or {})})
    answer = connection.getresponse()
    listener.headers, listener.status = {name.lower(): value for name, value in answer.getheaders()}, answer.status

    def read():
        lines = []
        # The end of the block closes the connection in the middle of an answer.
        with suppress(IncompleteRead, OSError, ValueError):
            while line := answer.readline():
                if line.strip():
                    lines.append(line.decode().rstrip("\n"))
                else:
                    listener.take(lines)
                    lines = []
        listener.ended.set()
        with listener.changed:
            listener.changed.notify_all()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield listener
    finally:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
        thread.join(20)
        answer.close()
        connection.close()
