"""The headers Host and Origin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.serving.access.hosts import Hosts, is_same_origin, parse_host


@pytest.mark.parametrize(
    ("host", "arrived_at", "allowed"),
    [
        ("localhost", "127.0.0.1", True),
        ("localhost:8765", "127.0.0.1", True),
        ("LOCALHOST:8765", "127.0.0.1", True),
        ("localhost.", "127.0.0.1", True),
        ("127.0.0.1:8765", "127.0.0.1", True),
        ("127.0.0.1", "::ffff:127.0.0.1", True),
        ("[::1]:8765", "::1", True),
        ("[0:0:0:0:0:0:0:1]", "::1", True),
        ("quorate.example.org", "10.0.0.2", True),
        ("QUORATE.example.org:443", "10.0.0.2", True),
        ("10.0.0.2:8765", "10.0.0.2", True),
        ("10.0.0.9:8765", "10.0.0.2", False),  # an address that it does not listen on
        ("127.0.0.1", "10.0.0.2", False),
        ("evil.example", "127.0.0.1", False),
        ("localhost.evil.example", "127.0.0.1", False),
        ("evil.quorate.example.org", "127.0.0.1", False),
        ("127.0.0.1.evil.example", "127.0.0.1", False),
        ("127.1", "127.0.0.1", False),
        ("2130706433", "127.0.0.1", False),
        ("0", "127.0.0.1", False),
        ("localhost@evil.example", "127.0.0.1", False),
        ("localhost:8765@evil.example", "127.0.0.1", False),
        ("evil.example#localhost", "127.0.0.1", False),
        ("localhost:99999", "127.0.0.1", False),
        ("localhost:", "127.0.0.1", False),
        ("localhost:8765:8765", "127.0.0.1", False),
        ("localhost,evil.example", "127.0.0.1", False),
        ("localhost evil.example", "127.0.0.1", False),
        ("::1", "::1", False),
        ("[::1", "::1", False),
        ("", "127.0.0.1", False),
        ("[]", "", False),
        ("", "", False),
    ],
)
def test_hosts(host, arrived_at, allowed):
    assert Hosts(["quorate.example.org"]).allows(host, arrived_at) is allowed


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_is_judged(host, arrived_at):
    if Hosts(()).allows(host, "127.0.0.1"):
        assert parse_host(host)[0] in ("localhost", "127.0.0.1")
    Hosts(()).allows(host, arrived_at)


@pytest.mark.parametrize(
    ("origin", "scheme", "host", "same"),
    [
        ("http://localhost:8765", "http", "localhost:8765", True),
        ("http://LOCALHOST:8765", "http", "localhost:8765", True),
        ("http://localhost", "http", "localhost:80", True),
        ("https://q.example", "https", "q.example:443", True),
        ("http://[::1]:8765", "http", "[::1]:8765", True),
        ("http://localhost:3000", "http", "localhost:8765", False),
        ("https://localhost:8765", "http", "localhost:8765", False),
        ("http://q.example", "https", "q.example", False),
        ("http://127.0.0.1:8765", "http", "localhost:8765", False),
        ("http://evil.example", "http", "localhost:8765", False),
        ("http://localhost:8765.evil.example", "http", "localhost:8765", False),
        ("http://localhost:8765@evil.example", "http", "localhost:8765", False),
        ("http://localhost:8765/", "http", "localhost:8765", False),
        ("null", "http", "localhost:8765", False),
        ("", "http", "localhost:8765", False),
        ("http://", "http", "localhost:8765", False),
        ("http://[", "http", "localhost:8765", False),
    ],
)
def test_origins(origin, scheme, host, same):
    assert is_same_origin(origin, scheme, host) is same


@given(st.text(max_size=60))
def test_any_origin_is_judged(origin):
    is_same_origin(origin, "http", "localhost:8765")
