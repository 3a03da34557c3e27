"""Events over real uvicorn: every record once, in time, again after a break; slow and superfluous clients."""

import resource
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest

from quorate.core.clock import parse_ms
from quorate.serving.live.events import LiveEvent
from quorate.trading.journal import DecidedRecord, ValuedRecord
from stubs.events import listening
from stubs.service_client import client, known
from stubs.waiting import eventually

KINDS = {"filled": "fill", "closed": "close", "guard": "guard", "ladder": "ladder", "decided": "signal"}


def expected(account, after=0):
    """(kind, number) of the events of the journal."""
    return [
        ("bar" if isinstance(entry.record, ValuedRecord) else KINDS[entry.record.kind], str(entry.seq))
        for entry in account.records(None, after=after)
        if entry.record.kind in KINDS or (isinstance(entry.record, ValuedRecord) and entry.record.phase == "close")
    ]


def got(listener):
    """Those of the journal; performance is measured meanwhile."""
    return [(event.kind, event.id) for event in listener.events if event.id is not None]


def test_every_event_of_the_account_comes_once_and_in_order(page, account, trade, shown):
    with listening(page) as listener:
        assert listener.status == 200
        assert listener.headers["content-type"].startswith("text/event-stream")
        trade(30, speed=60.0)
        wanted = expected(account)
        listener.wait(lambda found: len(got(found)) >= len(wanted))
        assert got(listener) == wanted
        assert {kind for kind, _ in wanted} >= {"bar", "signal", "guard"}
        bar = listener.of("bar")[-1].data
        assert bar["time"] == account.status().document["last_bar"]
        assert bar["equity_usd"] == account.status().document["equity_usd"]
        signal = listener.of("signal")[0].data
        assert signal["votes"][0]["scores"]
        assert signal["symbol"]
        guard = listener.of("guard")[0].data
        assert (guard["before"], guard["after"]) != (None, None)
        assert shown.admission.streams == 1
        assert shown.admission.requests == 0
    eventually(lambda: shown.admission.streams == 0 and len(shown.events) == 0)


def test_an_event_comes_within_two_seconds_of_its_bar(page, account, trade):
    """The journal is written by a session beside the service."""
    trade(2)
    written = {}

    def note(record):
        if isinstance(record, DecidedRecord):
            written.setdefault(record.time, time.monotonic())

    with listening(page, "/events?kinds=signal") as listener:
        eventually(lambda: page.get("/paper").status_code == 200)
        trade(20, speed=10.0, listener=note)
        last = account.status().document["last_bar"]
        listener.wait(lambda found: sum(event.data["time"] == last for event in found.events) == 3)
    delays = [event.at - written[bar] for event in listener.events if (bar := parse_ms(event.data["time"])) in written]
    assert len(delays) == 3 * 20
    assert median(delays) < 2  # other programs may hold the machine up for some of the bars


def test_a_client_that_comes_back_gets_what_it_missed(page, account, trade):
    trade(4)
    every = expected(account)
    place = len(every) // 2
    with listening(page, headers={"Last-Event-ID": every[place][1]}) as listener:
        listener.wait(lambda found: len(got(found)) >= len(every) - place - 1)
        trade(2)
        wanted = expected(account, int(every[place][1]))
        listener.wait(lambda found: len(got(found)) >= len(wanted))
        assert got(listener) == wanted
    with listening(page, f"/events?after={every[place][1]}&kinds=bar") as listener:
        bars = [event for event in expected(account, int(every[place][1])) if event[0] == "bar"]
        listener.wait(lambda found: len(got(found)) >= len(bars))
        assert got(listener) == bars


def test_one_that_missed_too_much_is_told_so(page, account, trade):
    trade(60)
    assert len(expected(account)) > 200
    with listening(page, "/events?after=0") as listener:
        (event,) = listener.wait(lambda found: found.of("skipped"))
        assert event.data["after"] == 0
        trade(1)
        listener.wait(lambda found: found.of("bar"))


def test_events_before_the_account_exists(page, account, trade):
    with listening(page, "/events?after=0") as listener:
        trade(2)
        wanted = expected(account)
        listener.wait(lambda found: len(got(found)) >= len(wanted))
        assert got(listener) == wanted


def test_a_new_champion_is_an_event(page, world):
    with listening(page, "/events?kinds=bundle") as listener:
        page.post(f"/bundles/{world.ids[1]}/promote", json={"why": "x"})
        (event,) = listener.wait(lambda found: found.of("bundle"))
        assert (event.data["result"], event.data["bundle"], event.data["previous"]) == (
            "swapped", world.ids[1], world.ids[0],
        )  # fmt: skip
        assert event.id is None


def test_signs_of_life(page):
    with listening(page) as listener:
        eventually(lambda: listener.comments >= 3)
    assert listener.events == []


def test_streams_have_places_of_their_own(make_service, account):
    service = make_service(account=account, streams=2, requests=1)
    with client(service) as page, listening(page) as first, listening(page) as second:
        assert (first.status, second.status) == (200, 200)
        refused = page.get("/events")
        assert (refused.status_code, refused.json()["error"]["type"]) == (429, "OverloadedError")
        assert refused.headers["Retry-After"] == "1"
        assert page.get("/health/live").status_code == 200
        assert page.get("/models").status_code == 200  # the one request in progress


def test_a_client_that_does_not_read_is_dropped(make_service, account):
    service = make_service(account=account, events=50, heartbeat_s=0.2, stall_s=0.5)
    with client(service) as page:
        address = (page.base_url.host, page.base_url.port)
        with socket.create_connection(address) as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            silent.sendall(known(service, b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n"))
            eventually(lambda: service.admission.streams == 1)
            until = time.monotonic() + 60
            while service.admission.streams and time.monotonic() < until:
                service.events.publish_from_thread(LiveEvent.of("bar", {"text": "x" * 100_000}))
                time.sleep(0.01)
            assert service.admission.streams == 0
        with listening(page) as quick:
            service.events.publish_from_thread(LiveEvent.of("bar", {"n": 1}))
            quick.wait(lambda found: found.of("bar"))


def test_a_slow_client_gets_a_last_event(make_service, account):
    service = make_service(account=account, events=5)
    with client(service) as page, listening(page) as listener:
        eventually(lambda: len(service.events) == 1)
        loop = service.events._loop
        many = [LiveEvent.of("bar", {"n": number}) for number in range(9)]
        loop.call_soon_threadsafe(service.events.publish, *many)
        (event,) = listener.wait(lambda found: found.of("dropped"))
        assert "more than 5 events" in event.data["reason"]
        assert listener.ended.wait(60)


def test_streams_end_when_the_server_stops(make_service, account):
    service = make_service(account=account, stop_s=120)
    with client(service) as page, listening(page) as listener:
        eventually(lambda: len(service.events) == 1)
        began = time.monotonic()
    assert time.monotonic() - began < 60
    assert listener.ended.wait(60)


@pytest.mark.parametrize(
    "asked",
    [
        {"path": "/events?kinds=nonsense"},
        {"path": "/events?after=-1"},
        {"path": f"/events?after={2**63}"},
        {"path": "/events", "headers": {"Last-Event-ID": "nonsense"}},
        {"path": "/events", "headers": {"Last-Event-ID": str(10**30)}},
    ],
)
def test_hostile_requests(page, asked, shown):
    answer = page.get(asked["path"], headers=asked.get("headers"))
    assert answer.status_code == 422
    assert shown.admission.streams == 0
    assert len(shown.events) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
def test_idle_streams_are_small(make_service, account):
    """Of the whole process, client and server: 200 streams, each under 50 KB."""
    service = make_service(account=account, streams=1_000, heartbeat_s=600)
    with client(service) as page, ExitStack() as sockets:

        def open_streams(count):
            before = service.admission.streams
            for _ in range(count):
                made = sockets.enter_context(socket.create_connection((page.base_url.host, page.base_url.port)))
                made.sendall(known(service, b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n"))
            eventually(lambda: service.admission.streams == before + count)

        open_streams(20)
        before = resident()
        open_streams(200)
        each = (resident() - before) / 200
        assert each < 50_000, f"{each:,.0f} bytes"
        assert page.get("/health/live").status_code == 200


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
