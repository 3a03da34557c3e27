"""More requests than can be answered: they wait, are refused with Retry-After, and the service recovers at once."""

import threading
import time
from collections import Counter
from dataclasses import replace

import httpx2

from quorate.serving import Service
from stubs.served import SETTINGS
from stubs.service_client import bearer, known, raw, running


def test_a_service_under_overload_answers_429_and_recovers(make_service, world):
    service = make_service(threads=1, queue=4, patience_s=0.5)
    statuses, slow = Counter(), threading.Event()
    with running(service) as base:

        def ask():
            with httpx2.Client(base_url=base, timeout=30, headers=bearer(service)) as http:
                while not slow.is_set():
                    found = http.get("/signals")
                    statuses[found.status_code] += 1
                    if found.status_code == 429:
                        assert found.headers["Retry-After"] == "1"

        clients = [threading.Thread(target=ask) for _ in range(40)]
        for each in clients:
            each.start()
        time.sleep(2)
        with httpx2.Client(base_url=base, timeout=30, headers=bearer(service)) as http:
            assert http.get("/health/live").status_code == 200
            assert http.get("/health/ready").status_code == 200
        slow.set()
        for each in clients:
            each.join()
        over = time.monotonic()
        with httpx2.Client(base_url=base, timeout=30, headers=bearer(service)) as http:
            assert http.get("/signals").status_code == 200
            assert time.monotonic() - over < 1
            assert f'quorate_http_shed_total{{reason="queue"}} {service.work.shed}.0' in http.get("/metrics").text
    assert set(statuses) == {200, 429}
    assert service.work.shed >= statuses[429] > 0
    assert statuses[200] > 10


def test_requests_in_progress_are_bounded_and_live_is_always_answered(make_service):
    service = make_service(requests=3, body_s=3)
    part = b"POST /bundles/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"
    with running(service) as base:
        slow = [threading.Thread(target=raw, args=(base, known(service, part))) for _ in range(3)]
        for each in slow:
            each.start()
        end = time.monotonic() + 2
        while service.admission.requests < 3 and time.monotonic() < end:
            time.sleep(0.01)
        with httpx2.Client(base_url=base, timeout=10, headers=bearer(service)) as http:
            refused = http.get("/models")
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
            assert refused.json()["error"]["type"] == "OverloadedError"
            assert http.get("/health/live").status_code == 200
            for each in slow:
                each.join()
            assert http.get("/models").status_code == 200
            assert 'quorate_http_shed_total{reason="requests"} 1.0' in http.get("/metrics").text


def test_behind_a_proxy_its_clients_do_not_shut_each_other_out(world):
    """The threads go round the addresses that the trusted proxy says."""
    limits = replace(SETTINGS.serve, threads=1, queue=4, patience_s=5.0)
    access = replace(SETTINGS.access, proxies=("127.0.0.1",))
    service = Service(world.bundles, world.data, settings=replace(SETTINGS, serve=limits, access=access))
    greedy, done = Counter(), threading.Event()

    def ask(base):
        with httpx2.Client(base_url=base, timeout=30, headers=bearer(service)) as http:
            while not done.is_set():
                greedy[http.get("/signals", headers={"X-Forwarded-For": "203.0.113.1"}).status_code] += 1

    with running(service) as base:
        clients = [threading.Thread(target=ask, args=(base,)) for _ in range(16)]
        for each in clients:
            each.start()
        with httpx2.Client(base_url=base, timeout=30, headers=bearer(service)) as http:
            other = {"X-Forwarded-For": "203.0.113.2"}
            modest = [http.get("/signals", headers=other).status_code for _ in range(20)]
        done.set()
        for each in clients:
            each.join()
    assert modest == [200] * 20
    assert set(greedy) == {200, 429}
