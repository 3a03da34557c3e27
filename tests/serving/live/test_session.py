"""The account inside the process: trades, stops, follows the champion, and says why it ended."""

import time

import pytest

from quorate.core.clock import HOUR_MS
from quorate.serving import SessionSource
from quorate.trading.journal import Journal
from stubs.events import listening
from stubs.http import client
from stubs.waiting import eventually


@pytest.fixture
def inside(make_service, account, world):
    """Makes a service that runs the account over a replay."""

    def make(bars=60, *, data=None, **options):
        span = {"start": world.end, "end": world.end + bars * HOUR_MS}
        source = SessionSource(data or world.data, None, {**span, **options})
        return make_service(account=account, session=source, journal_s=0.05, events=500)

    return make


def state(page):
    return page.get("/paper/session").json()


def test_it_trades_and_its_events_come(inside, account):
    service = inside(40, speed=50.0)
    with client(service) as page, listening(page, "/events?after=0") as listener:
        eventually(lambda: state(page)["state"] == "ended")
        assert state(page)["error"] is None
        found = page.get("/paper").json()
        assert found["session"]["kind"] == "replay"
        listener.wait(lambda got: len(got.of("bar")) == 40)
        assert listener.of("bar")[-1].data["equity_usd"] == found["equity_usd"]
    assert len(account.status().to_pandas("equity")) == 40


def test_the_service_stops_it_after_a_complete_step(inside, account, trade):
    service = inside(150, speed=20.0)
    with client(service) as page:
        eventually(lambda: page.get("/paper").status_code == 200 and page.get("/paper").json()["last_bar"])
        assert state(page) == {"state": "running", "error": None}
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert service.session.state == "ended"
    bars = len(account.status().to_pandas("equity"))
    assert 0 < bars < 150
    trade(150)  # another session may continue: the account is released
    assert len(account.status().to_pandas("equity")) == 150
    assert account.status().document["session"]["number"] == 2


def test_a_new_champion_decides_from_the_next_bar_on(inside, account, world):
    service = inside(100, speed=40.0)
    with client(service) as page:
        eventually(lambda: page.get("/paper").status_code == 200 and page.get("/paper").json()["last_bar"])
        assert page.post(f"/bundles/{world.ids[1]}/promote", json={"why": "better"}).status_code == 200
        eventually(lambda: state(page)["state"] == "ended")
        assert state(page)["error"] is None
        assert page.get("/paper").json()["bundle"] == world.ids[1]
    started = [entry.record.bundle_id for entry in account.records(None, kinds="started")]
    assert started == list(world.ids)
    assert len(account.status().to_pandas("equity")) == 100


def test_a_session_that_cannot_trade_says_why(inside, world):
    service = inside(10, symbols="NONE/USDT:USDT")
    with client(service) as page:
        eventually(lambda: state(page)["state"] == "failed")
        assert "NONE/USDT:USDT" in state(page)["error"]
        assert page.get(f"/signals/{world.symbols[0]}").status_code == 200
        assert page.get("/paper").status_code == 404


def test_an_account_that_another_program_writes(inside, account):
    with Journal.open(account.url, account.name):
        service = inside(10)
        with client(service) as page:
            eventually(lambda: state(page)["state"] == "failed")
            assert "writing it" in state(page)["error"]


def test_without_one_there_is_none(page):
    assert page.get("/paper/session").json() is None
