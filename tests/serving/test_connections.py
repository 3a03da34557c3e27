"""Connections: their number, and those that never send a request."""

import resource
import socket
import time
from contextlib import ExitStack, suppress

import httpx2
import pytest

from quorate.serving.connections import allow_connections
from stubs.service_client import running


def connect(base):
    host, port = base.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=5)


def closed(connection, seconds=3.0):
    """What is received until the server closes the connection; None if it does not."""
    connection.settimeout(seconds)
    received = b""
    try:
        while part := connection.recv(1_000):
            received += part
    except ConnectionResetError:
        pass
    except TimeoutError:
        return None
    return received


def test_connections_beyond_the_limit_are_answered_503(make_service):
    with running(make_service(connections=5, header_s=5)) as base, ExitStack() as stack:
        held = [stack.enter_context(connect(base)) for _ in range(5)]
        time.sleep(0.1)
        refused = closed(stack.enter_context(connect(base)))
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1" in refused
        held.pop().close()
        time.sleep(0.1)
        assert httpx2.get(f"{base}/health/live").status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET /health/live HTTP/1.1\r\n", b"G"])
def test_a_connection_without_a_whole_request_is_closed(make_service, sent):
    with running(make_service(header_s=0.3)) as base, connect(base) as connection:
        began = time.monotonic()
        connection.sendall(sent)
        assert closed(connection) == b""
        assert 0.2 < time.monotonic() - began < 2


def test_a_trickle_of_bytes_does_not_keep_a_connection(make_service):
    with running(make_service(header_s=0.4)) as base, connect(base) as connection:
        began = time.monotonic()
        with suppress(OSError):
            while time.monotonic() - began < 5:
                connection.sendall(b"X")
                time.sleep(0.05)
        assert time.monotonic() - began < 2


def test_the_second_request_of_a_connection_has_the_same_time(make_service):
    with running(make_service(header_s=0.4)) as base, connect(base) as connection:
        whole = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(3):
            connection.sendall(whole)
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.3)
        connection.sendall(whole[:20])
        began = time.monotonic()
        assert closed(connection) == b""
        assert 0.3 < time.monotonic() - began < 2


def test_the_limit_of_open_files_is_raised_as_far_as_it_can_be():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert allow_connections(400) == 400
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 528
        assert allow_connections(10**9) < 10**9
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
