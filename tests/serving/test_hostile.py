"""Hostile requests: each is answered 4xx with an error document, and the service goes on."""

import json
import select
import socket
import threading
import time
from dataclasses import replace

import httpx2
import pytest

from quorate.core.sections.access import AccessSettings
from quorate.serving import Service
from quorate.serving.errors import ErrorDocument
from stubs.served import SETTINGS
from stubs.service_client import bearer, client, known, raw, running

KB = 1024
BOMB = b"[" * 100_000 + b"]" * 100_000

# Body -> status. All are sent as JSON to a route that takes {"why": text}.
BODIES = {
    "nan": (b'{"why": NaN}', 400),
    "infinity": (b'{"why": -Infinity}', 400),
    "1e999": (b'{"why": 1e999}', 400),
    "-1e999": (b'{"why": [-1e999]}', 400),
    "long number": (b'{"why": ' + b"9" * 5_000 + b"}", 400),
    "lone surrogate": (b'{"why": "\\ud800"}', 400),
    "lone surrogate as a key": (b'{"\\udfff": 1}', 400),
    "reversed surrogates": (b'{"why": "\\udc00\\ud800"}', 400),
    "key twice": (b'{"why": "a", "why": "b"}', 400),
    "deep lists": (BOMB, 400),
    "deep objects": (b'{"why":' * 40_000 + b"1" + b"}" * 40_000, 413),
    "deep objects within the size": (b'{"a":' * 30_000 + b"1" + b"}" * 30_000, 400),
    "depth 17": (b"[" * 17 + b"]" * 17, 400),
    "nothing": (b"", 422),
    "blank": (b"   ", 400),
    "half a document": (b'{"why": "a"', 400),
    "two documents": (b'{"why": "a"}{"why": "b"}', 400),
    "no UTF-8": (b'{"why": "\xff\xfe"}', 400),
    "UTF-16": ('{"why": "a"}'.encode("utf-16"), 400),
    "surrogates in UTF-8": (b'{"why": "\xed\xa0\x80"}', 400),
    "zero bytes": (b"\0" * 64, 400),
    "a comment": (b'{"why": "a" /* b */}', 400),
    "a number": (b"1", 422),
    "a text": (b'"why"', 422),
    "null": (b"null", 422),
    "a list": (b'[{"why": "a"}]', 422),
    "another type: number": (b'{"why": 1}', 422),
    "another type: null": (b'{"why": null}', 422),
    "another type: list": (b'{"why": ["a"]}', 422),
    "another type: object": (b'{"why": {"a": 1}}', 422),
    "another type: flag": (b'{"why": true}', 422),
    "unknown key": (b'{"why": "a", "by": "root"}', 422),
    "__proto__": (b'{"__proto__": {"why": "a"}}', 422),
    "a long text": (json.dumps({"why": "a" * 1_001}).encode(), 422),
    "a pair of surrogates is one character": (b'{"why": "\\ud83d\\ude00"}', 409),
    "the last size that is read": (b'{"why": ""' + b" " * (256 * KB - 11) + b"}", 409),
    "one byte more": (b'{"why": ""' + b" " * (256 * KB - 10) + b"}", 413),
    "a megabyte": (b" " * 1024 * KB, 413),
}
PATHS = [
    "/signals/" + "A" * 5_000,
    "/signals/%00",
    "/signals/%ff%fe",
    "/signals/%ed%a0%80",
    "/signals/../../etc/passwd",
    "/signals/..%2f..%2fetc%2fpasswd",
    "/signals/NaN",
    "/signals/$%7Bjndi:ldap://x%7D",
    "/signals/' OR 1=1 --",
    "/signals/%0d%0aSet-Cookie:%20a=b",
    "/signals//",
    "/signals/<script>alert(1)</script>",
    "/bundles/NaN",
    "/bundles/" + "a" * 65,
    "/bundles/%e2%80%ae",
    "/nothing",
    "/health",
    "/docs",
    "/redoc",
]
QUERIES = ["", ",", "%00", "%ff", "%ed%a0%80", "A" * 20_001, "A," * 9_000, "NaN", "1e999", "a=b&symbols="]


@pytest.fixture(scope="module")
def survivor(trained):
    """One service for all requests that it must survive."""
    settings = replace(SETTINGS, access=AccessSettings(state=str(trained.folder / "service")))
    return Service(trained.folder / "bundles", trained.folder / "data", settings=settings)


@pytest.fixture(scope="module")
def base(survivor):
    with running(survivor) as found:
        yield found


@pytest.fixture(scope="module")
def shared(survivor, base):
    with httpx2.Client(base_url=base, timeout=20, headers=bearer(survivor)) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_failure(caplog):
    yield
    assert [record for record in caplog.records if record.levelname == "CRITICAL"] == []


def refused(found, status):
    assert found.status_code == status, found.text[:300]
    ErrorDocument.model_validate_json(found.content)


@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize("name", BODIES)
def test_bodies(shared, name, chunked):
    content, status = BODIES[name]
    # Chunks come without a length.
    sent = (content[at : at + 10_000] for at in range(0, len(content), 10_000)) if chunked else content
    found = shared.post("/bundles/rollback", content=sent, headers={"Content-Type": "application/json"})
    refused(found, status)
    assert shared.get("/health/live").status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x"])
def test_bodies_of_other_kinds(shared, kind):
    refused(shared.post("/bundles/rollback", content=b'{"why": "a"}', headers={"Content-Type": kind}), 422)
    refused(shared.post("/bundles/rollback", content=b" " * 257 * KB, headers={"Content-Type": kind}), 413)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_paths(shared, path, method):
    found = shared.request(method, path)
    assert 400 <= found.status_code < 500
    ErrorDocument.model_validate_json(found.content)
    assert "Set-Cookie" not in found.headers
    assert found.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("query", QUERIES)
def test_queries(shared, query):
    found = shared.get(f"/signals?symbols={query}")
    assert found.status_code in (404, 422)
    ErrorDocument.model_validate_json(found.content)


def test_a_body_where_none_is_expected(shared, trained):
    path = f"/signals/{trained.market.names[0]}"
    assert shared.request("GET", path, content=b'{"a": 1}').status_code == 200
    kind = {"Content-Type": "application/json"}
    refused(shared.request("GET", path, content=b'{"a": NaN}', headers=kind), 400)
    refused(shared.request("GET", path, content=b" " * 257 * KB), 413)


def test_values_are_not_echoed(shared):
    found = shared.post("/bundles/rollback", json={"why": 1234567890123, "secret": "never-echoed"})
    assert found.status_code == 422
    assert "1234567890123" not in found.text
    assert "never-echoed" not in found.text


RAW = {
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "two lengths": b"POST /bundles/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "length and chunks": b"POST /bundles/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "negative length": b"POST /bundles/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "no number as length": b"POST /bundles/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    "huge length": b"POST /bundles/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "no chunk": b"POST /bundles/rollback HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "no host": b"GET /signals HTTP/1.1\r\n\r\n",
    "control characters": b"GET /sig\x01nals HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": b"GET /signals/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "absolute address": b"GET http://elsewhere/nothing HTTP/1.1\r\nHost: x\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_bytes_that_are_no_request(shared, survivor, base, name):
    received = raw(base, known(survivor, RAW[name]))
    status = received.split(b" ", 2)[1:2]
    assert status == [] or 400 <= int(status[0]) < 500, received[:300]
    assert shared.get("/health/live").status_code == 200


def test_a_slow_body_is_given_up(make_service):
    service = make_service(body_s=0.3)
    with running(service) as base:
        began = time.monotonic()
        start = b"POST /bundles/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
        received = raw(base, known(service, start))
        assert received.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in received.lower()
        assert 0.2 < time.monotonic() - began < 5


def test_a_client_that_leaves_in_the_middle_is_forgotten(make_service):
    service = make_service()
    part = b"POST /bundles/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{"
    with running(service) as base:
        host, port = base.removeprefix("http://").split(":")
        for _ in range(20):
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(known(service, part))
        end = time.monotonic() + 5
        while service.admission.requests and time.monotonic() < end:
            time.sleep(0.01)
        assert service.admission.requests == 0


def test_bodies_in_memory_are_bounded(make_service):
    """Many long bodies at the same time: the sum is limited, whatever each of them may have."""
    service = make_service(body_bytes=1_024, body_s=10)
    part = b"POST /bundles/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: 1024\r\n\r\n" + b" " * 1_000
    with running(service) as base:
        host, port = base.removeprefix("http://").split(":")
        held = []
        try:
            for _ in range(80):
                held.append(socket.create_connection((host, int(port)), timeout=5))
                held[-1].sendall(known(service, part))
            answered, end = [], time.monotonic() + 5
            while len(answered) < 80 - 65 and time.monotonic() < end:
                answered = select.select(held, [], [], 0.05)[0]
            time.sleep(0.1)  # for answers that must not come
            answered = select.select(held, [], [], 0)[0]
            assert [connection.recv(100)[:12] for connection in answered] == [b"HTTP/1.1 503"] * (80 - 65)
        finally:
            for connection in held:
                connection.close()
        with client(service) as http:
            end = time.monotonic() + 5
            while time.monotonic() < end:
                if http.post("/bundles/rollback", json={}).status_code == 409:
                    break
            else:
                pytest.fail("bodies of clients that left are still counted")


def test_many_hostile_clients_at_once(shared):
    statuses = []

    def attack():
        for content, status in list(BODIES.values())[:12]:
            found = shared.post("/bundles/rollback", content=content, headers={"Content-Type": "application/json"})
            statuses.append(found.status_code == status)

    threads = [threading.Thread(target=attack) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [True] * len(threads) * 12
