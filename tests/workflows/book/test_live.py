"""A book on the live candles of an exchange: the real client, a stub of its REST, a clock that jumps to each close."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from tests.book.conftest import BAR, make_market

from quorate.core.clock import DAY_MS, parse_ms
from quorate.core.errors import ArgumentError, DataError
from quorate.core.settings import AccountSettings, BookSettings, ExchangeSettings, FeedSettings, PaperSettings, Settings
from quorate.market import exchange as exchanges
from quorate.market import write_candles, write_funding
from quorate.market.exchange import Exchange, LiveFeed
from quorate.trading.journal import FeedRecord, IncreasedRecord, Journal, TargetRecord, UnfilledRecord
from quorate.workflows.book.train import train_book
from quorate.workflows.paper import PaperAccount
from stubs.binance import BinanceStub
from stubs.binance.faults import Fault

CUT = parse_ms("2021-07-15")
SETTINGS = replace(
    Settings(),
    book=BookSettings(
        markets=8, carry_markets=8, age_days=30, members=("logistic", "lightgbm"), quorum=2, volume_share=1.0
    ),
    account=AccountSettings(equity_usd=100_000.0, leverage=2.0),
    feed=FeedSettings(settle_s=0.0, poll_s=0.02, patience_s=0.1, attempts=1),
    paper=PaperSettings(open_patience_s=0.05, open_pause_s=0.02),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A folder with the candles and settlements that the exchange has."""
    folder = tmp_path_factory.mktemp("served")
    market = make_market(10, 230, holes=False)
    for symbol, candles in market.candles.items():
        write_candles(folder, candles)
        if (funding := market.funding[symbol]) is not None:
            write_funding(folder, funding)
    return folder


@pytest.fixture(scope="module")
def book(served, tmp_path_factory):
    return train_book(served, tmp_path_factory.mktemp("books"), settings=SETTINGS, end=CUT)


class Live:
    """Sessions of one account; `before` may change the exchange before each bar."""

    def __init__(self, stub, folder, book, monkeypatch):
        self.stub, self.book, self.folder = stub, book, folder
        self.before, self.last = (lambda _: None), 0
        live = self

        class Stepped(LiveFeed):
            def wait(self, bar):
                if bar > live.last:
                    return None
                live.stub.clock.set(max(live.stub.clock(), bar + BAR + 100))
                live.before(bar)
                return super().wait(bar)

        monkeypatch.setattr(exchanges, "LiveFeed", Stepped)
        monkeypatch.setattr(exchanges, "Exchange", partial(Exchange, clock=stub.clock))

    def run(self, end, **options):
        """Trade the bars that open before `end`, in ms; the session's status."""
        self.last = end - BAR
        exchange = ExchangeSettings(url=self.stub.url, timeout_s=5.0, pause_s=0.005, attempts=1, paced=False)
        account = PaperAccount("live", self.url, settings=replace(SETTINGS, exchange=exchange))
        with account.session(self.book, exchange="binanceusdm", **options) as session:
            return session.run()

    @property
    def url(self):
        return f"sqlite:///{self.folder}/journal.sqlite"

    def records(self, *kinds):
        return records(self.url, "live", *kinds)


def records(url, account, *kinds):
    with Journal.open(url, account, role="reader") as journal:
        return [entry.record for entry in journal.read(kinds=kinds)]


@pytest.fixture
def live(served, book, tmp_path, monkeypatch):
    # The last bar of the training has just closed.
    with BinanceStub(served, now=CUT + 100) as stub:
        yield Live(stub, tmp_path, book, monkeypatch)


def test_live_targets_are_those_of_a_replay(live, served, book, tmp_path):
    end = CUT + 3 * DAY_MS
    live.run(end)
    replayed = PaperAccount("replay", live.url, settings=SETTINGS)
    with replayed.session(book, served, start=CUT, end=end) as session:
        session.run()
    expected = records(live.url, "replay", TargetRecord)
    # A replay ends before the moment at which the live session decides once more.
    found = [record for record in live.records(TargetRecord) if record.time < end - BAR]
    assert len(expected) > 20
    assert [(r.time, r.order.symbol) for r in found] == [(r.time, r.order.symbol) for r in expected]
    # The exchange's lots leave a little of each position, and so of the equity that sizes the next ones.
    np.testing.assert_allclose(
        [record.order.quantity for record in found], [record.order.quantity for record in expected], rtol=0.02
    )
    assert live.records(IncreasedRecord)


def test_a_new_account_decides_at_its_first_bar(live):
    noon = CUT + 2 * BAR
    live.stub.clock.set(noon + 100)
    live.run(noon + 2 * BAR)
    first = live.records(TargetRecord)
    assert {record.time for record in first} == {noon - BAR}
    filled = live.records(IncreasedRecord)
    assert filled
    assert {record.time for record in filled} == {noon}


def test_weights_wait_for_a_feed_with_too_few_markets(live):
    day = CUT + DAY_MS

    def before(bar):
        live.stub.faults.clear()
        if bar == day - BAR:
            for name in ("C01USDT", "C02USDT"):
                live.stub.faults.add(Fault("missing", "klines", name, times=0, since=bar))

    live.before = before
    live.run(day + 2 * BAR)
    times = {record.time for record in live.records(TargetRecord)}
    assert day - BAR not in times
    assert day in times
    (waited,) = [record for record in live.records(FeedRecord) if record.notice == "waiting"]
    assert waited.time == day - BAR
    assert waited.detail == "no weights decided: 8 of 10 markets have the bar, fewer than 90%"


def test_what_is_held_of_a_market_without_the_bar_stays(live):
    day = CUT + DAY_MS
    live.run(day - BAR)
    held = sorted(PaperAccount("live", live.url).status().document["positions"], key=lambda each: each["symbol"])
    assert held
    name = held[0]["symbol"]
    fault = Fault("missing", "klines", name.partition("/")[0] + "USDT", times=0, since=day - BAR)
    live.before = lambda bar: live.stub.faults.clear() or (bar == day - BAR and live.stub.faults.add(fault))
    live.run(day)
    decided = {record.order.symbol for record in live.records(TargetRecord) if record.time == day - BAR}
    assert decided
    assert name not in decided
    assert name in {each["symbol"] for each in PaperAccount("live", live.url).status().document["positions"]}


def test_a_day_that_began_without_a_session_is_made_up_for(live):
    live.run(CUT + 3 * BAR)
    before = live.records(TargetRecord)
    # Nobody is there when the day begins, nor at the open after it.
    live.stub.clock.set(CUT + DAY_MS + BAR // 2)
    live.run(CUT + DAY_MS + 2 * BAR)
    after = live.records(TargetRecord)[len(before) :]
    assert {record.reason for record in live.records(UnfilledRecord) if record.time == CUT + DAY_MS} == {"late"}
    assert CUT + DAY_MS in {record.time for record in after}
    assert any(record.time == CUT + DAY_MS + BAR for record in live.records(IncreasedRecord))


def test_a_session_that_resumes_decides_the_day_once(live):
    live.run(CUT + BAR)
    live.run(CUT + 3 * BAR)
    # The first session decided the day.
    assert {record.time for record in live.records(TargetRecord)} == {CUT - BAR}


def test_what_a_book_cannot_do_live_is_refused(live, served, book):
    with pytest.raises(ArgumentError, match="`top`"):
        live.run(CUT + BAR, top=5)
    with pytest.raises(ArgumentError, match="neither `data` nor `exchange`"), PaperAccount().session(book):
        pass
    with pytest.raises(ArgumentError, match="`timeframe` '1h'"):
        live.run(CUT + BAR, timeframe="1h")


def test_an_exchange_without_the_markets_is_refused(book, tmp_path, monkeypatch):
    folder = tmp_path / "other"
    folder.mkdir()
    market = make_market(2, 40)
    for symbol, candles in list(market.candles.items())[:1]:
        write_candles(folder, replace(candles, symbol=symbol.replace("BTC", "XYZ")))
    with BinanceStub(folder, now=CUT + 100) as stub, pytest.raises(DataError, match="lists none of its markets"):
        Live(stub, tmp_path, book, monkeypatch).run(CUT + BAR)
