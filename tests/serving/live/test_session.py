"""The account inside the process: trades, stops, follows the champion, and says why it ended."""

import time
from dataclasses import replace
from statistics import median

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import ExchangeSettings, FeedSettings
from quorate.serving import Service, SessionSource
from quorate.trading.journal import Journal
from quorate.workflows.paper import PaperAccount
from stubs.binance import BinanceStub
from stubs.events import listening
from stubs.served import SETTINGS
from stubs.service_client import client
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
    service = inside(150, speed=5.0)
    with client(service) as page:
        eventually(lambda: page.get("/paper").status_code == 200 and page.get("/paper").json()["last_bar"])
        assert state(page) == {"state": "running", "error": None}
        began = time.monotonic()
    assert time.monotonic() - began < 20  # the rest would have taken 30 s
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
        with client(service) as page:  # it stops while it stands by
            eventually(lambda: state(page)["state"] == "standby")
            assert "writing it" in state(page)["error"]
    assert service.session.state == "ended"


def test_without_one_there_is_none(page):
    assert page.get("/paper/session").json() is None


def test_a_bar_of_an_exchange_is_an_event_within_two_seconds(world, tmp_path):
    """Live candles of the stub of Binance, traded in the process and shown to a stream."""
    last = int(world.market.candles(world.symbols[0]).time[-6])
    with BinanceStub(world.data, now=last + HOUR_MS + 60_000) as stub:
        settings = replace(
            SETTINGS,
            exchange=ExchangeSettings(name="binanceusdm", url=stub.url, pause_s=0.005, paced=False),
            feed=FeedSettings(settle_s=0.0, poll_s=0.02, patience_s=0.3, window_bars=400),
        )
        account = PaperAccount("live", f"sqlite:///{tmp_path / 'live.sqlite'}", settings=settings)
        service = Service(
            world.bundles,
            exchange="binanceusdm",
            account=account,
            session=SessionSource(None, "binanceusdm"),
            settings=settings,
            clock=stub.clock,
        )
        with client(service) as page, listening(page, "/events?after=0&kinds=bar,signal") as listener:
            took = []
            for number in range(1, 6):
                began = time.monotonic()
                stub.clock.advance(HOUR_MS)
                listener.wait(lambda got, number=number: len(got.of("bar")) >= number)
                took.append(listener.of("bar")[-1].at - began)
            # The first is that of the start; of the others the median, since other programs may hold the machine up.
            assert median(took[1:]) < 2
            assert state(page) == {"state": "running", "error": None}
            found = page.get("/paper").json()
            assert found["session"]["kind"] == "live"
            assert found["last_bar"] == listener.of("bar")[-1].data["time"]
            # Of later bars candles are late by the local clock, which does not jump as the exchange's does.
            assert {event.data["symbol"] for event in listener.of("signal")} == set(world.symbols[:2])
            assert "quorate_journal_lag_seconds{" in eventually(
                lambda: "quorate_equity_usd{" in (text := page.get("/metrics").text) and text
            )
