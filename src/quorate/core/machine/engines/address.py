"""Addresses of clusters: refused within seconds where they are wrong or nobody answers."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from quorate.core.errors import WorkerError
from quorate.core.sections.engine import EngineSettings

_EXPECTED = {
    "dask": "tcp://host:8786 or tls://host:8786, as the scheduler prints it",
    "ray": "ray://host:10001, host:6379 or auto",
}
# The greeting of a client of HTTP/2 with empty settings; the server's begins with the head of a frame of settings.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_FRAME_BYTES, _SETTINGS = 9, 4

_REMEDY = {
    "dask": "Start it with `dask scheduler` and `dask worker tcp://host:8786 --nthreads 1`, or leave engine.address "
    "empty for a cluster on this machine.",
    "ray": "Start it with `ray start --head`, or leave engine.address empty for a cluster on this machine.",
}


def require_reachable(engine: EngineSettings) -> None:
    """Check that somebody listens at the address of a cluster; "auto" is left to Ray.

    Raises:
        WorkerError: an address of another form, or nobody answers within `timeout_s`.
    """
    if engine.name == "ray" and engine.address == "auto":
        return
    schemes = ("tcp", "tls") if engine.name == "dask" else ("ray", "")
    parts = urlsplit(engine.address if "://" in engine.address else f"//{engine.address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is no number
        host, port = None, None
    if parts.scheme not in schemes or not host or not port:
        raise unreachable(engine, f"the address {engine.address!r}")
    try:
        with socket.create_connection((host, port), engine.timeout_s) as connection:
            if engine.name == "ray" and os.environ.get("RAY_USE_TLS", "0") in ("", "0"):
                _require_http2(connection, engine)
    except OSError as error:
        raise unreachable(engine, f"no answer at {engine.address} ({error.strerror or error})") from error


def _require_http2(connection: socket.socket, engine: EngineSettings) -> None:
    """Check that a server answers as those of gRPC do (RFC 9113, section 3.4).

    Ray itself waits for minutes for a server that is silent, and then ends the program.
    """
    connection.sendall(_PREFACE)
    frame = connection.recv(_FRAME_BYTES, socket.MSG_WAITALL)
    if len(frame) < _FRAME_BYTES or frame[3] != _SETTINGS:
        raise unreachable(engine, f"a server at {engine.address} that is not Ray's")


def unreachable(engine: EngineSettings, found: str) -> WorkerError:
    """The error of a cluster that cannot be used."""
    return WorkerError(
        f"reach the {engine.name} cluster",
        found=found,
        expected=f"a cluster at the setting engine.address: {_EXPECTED[engine.name]}",
        remedy=_REMEDY[engine.name],
    )
