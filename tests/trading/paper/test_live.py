"""Live sessions on an exchange's REST, through the real ccxt: the clock jumps from close to close."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.settings import AccountSettings, ExchangeSettings, FeedSettings, GuardSettings, PaperSettings
from quorate.market import SyntheticMarket
from quorate.market.exchange import Exchange, LiveFeed
from quorate.trading.journal import FeedRecord, FilledRecord, GuardMovedRecord, Journal, RefusedRecord, ValuedRecord
from quorate.trading.oversight import Oversight
from quorate.trading.paper import AccountConfig, PaperSession
from stubs.binance import BinanceStub
from stubs.scripted import World

START = parse_ms("2024-01-01")
BARS = 640
FIRST = START + 520 * HOUR_MS


class SteppedFeed(LiveFeed):
    """The live feed, on a clock that jumps to the close of the awaited bar; `before` may change the exchange first."""

    stub: BinanceStub
    last: int
    before: Callable[[int], None]

    def wait(self, bar):
        if bar > self.last:
            return None
        self.stub.clock.set(max(self.stub.clock(), bar + HOUR_MS + 100))
        self.before(bar)
        return super().wait(bar)


@pytest.fixture(scope="module")
def market():
    return SyntheticMarket(seed=11, symbols=3, bars=BARS, start=START)


@pytest.fixture(scope="module")
def served(market, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    market.write(folder)
    return folder


@pytest.fixture
def stub(served):
    with BinanceStub(served, now=FIRST + HOUR_MS + 100) as stub:
        yield stub


@pytest.fixture
def world(market):
    """Decisions on every bar; funding as the exchange has it, no mark prices."""
    candles = {symbol: market.candles(symbol) for symbol in market.names}
    funding = {symbol: market.funding(symbol) for symbol in market.names}
    config = AccountConfig(5, AccountSettings(positions=3), oversight=None)
    return World(candles, funding, {}, config, seed=4, start=FIRST, end=FIRST + 60 * HOUR_MS)


@pytest.fixture
def live(stub, world, tmp_path):
    """Run a session over some bars; returns it after its end."""

    def run(
        bars: int,
        *,
        before: Callable[[int], None] = lambda _: None,
        config: AccountConfig | None = None,
        skew_ms: int = 0,
    ) -> PaperSession:
        settings = ExchangeSettings(url=stub.url, timeout_s=2.0, pause_s=0.005, attempts=1, paced=False)
        quick = FeedSettings(settle_s=0.0, poll_s=0.02, patience_s=0.1, attempts=1)
        clock = (lambda: stub.clock() + skew_ms) if skew_ms else stub.clock
        with Exchange(settings, clock=clock) as exchange, Journal.open(url(tmp_path), "live") as journal:
            feed = SteppedFeed(exchange, world.candles, "1h", quick)
            feed.stub, feed.before, feed.last = stub, before, FIRST + (bars - 1) * HOUR_MS
            session = PaperSession(
                feed,
                world.decide,
                journal,
                config or world.config,
                bundle_id="script",
                mode="live",
                settings=PaperSettings(open_patience_s=0.05, open_pause_s=0.02),
            )
            session.run()
        return session

    return run


def url(folder):
    return f"sqlite:///{folder}/journal.sqlite"


def records(folder, *kinds):
    with Journal.open(url(folder), "live", role="reader") as journal:
        return [entry.record for entry in journal.read(kinds=kinds)]


def test_a_live_session_trades_what_the_backtest_trades(live, world):
    session = live(60)
    expected = [trade for trade in world.backtest().trades if trade.reason != "end"]
    got = session.engine.account.trades
    assert len(got) > 5
    assert [(t.symbol, t.side, t.decided, t.entry_time, t.exit_time, t.reason) for t in got] == [
        (t.symbol, t.side, t.decided, t.entry_time, t.exit_time, t.reason) for t in expected
    ]
    # The exchange's marks are its last prices here, but for the rounding of its own prices.
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.net_usd == pytest.approx(theirs.net_usd, abs=0.01)


def test_an_exchange_that_is_down_for_10_bars(live, world, stub, tmp_path):
    away = range(20, 30)
    down, back = FIRST + away[0] * HOUR_MS, FIRST + (away[-1] + 1) * HOUR_MS

    def before(bar):
        if bar == down:
            stub.stop()
        elif bar == back:
            stub.start()

    guarded = replace(world.config, oversight=Oversight(GuardSettings(drawdown_usd=1e6, loss_usd=1e6)))
    session = live(60, before=before, config=guarded)
    fills = records(tmp_path, FilledRecord)
    assert any(fill.time < down for fill in fills)
    assert any(fill.time > back for fill in fills), "it goes on by itself"
    # The bar before the exchange went away had its open asked for in time.
    assert not [fill.time for fill in fills if down < fill.time <= back], "nothing is entered while it is away"
    told = [notice.notice for notice in records(tmp_path, FeedRecord)]
    assert "down" in told
    assert "up" in told
    moves = [
        (move.before, move.after)
        for move in records(tmp_path, GuardMovedRecord)
        if move.guard == "feed" and not move.symbol
    ]
    assert moves == [("ACTIVE", "REDUCING"), ("REDUCING", "ACTIVE")]
    closes = [valued.time for valued in records(tmp_path, ValuedRecord) if valued.phase == "close"]
    assert closes == [FIRST + bar * HOUR_MS for bar in range(60)], "every bar is in the journal, once"
    assert session.engine.account.trades


def test_stops_that_were_reached_while_the_exchange_was_down(live, world, stub, tmp_path):
    """The position's stop is touched in a bar that came late: it is closed by it, not by where the price is later."""
    config = replace(world.config, horizon=40)
    plain = live(12, config=config)
    assert plain.engine.account.positions or plain.engine.account.trades
    away = FIRST + 12 * HOUR_MS, FIRST + 40 * HOUR_MS

    def outage(bar):
        if bar == away[0]:
            stub.stop()
        elif bar == away[1]:
            stub.start()

    open_before = dict(plain.engine.account.positions.items())
    after = live(42, before=outage, config=config).engine.account
    stopped = 0
    for symbol, position in open_before.items():
        bars = world.candles[symbol].between(away[0], away[1] + 1)
        touched = bars.low.min() <= position.stop if position.side > 0 else bars.high.max() >= position.stop
        trade = next((trade for trade in after.trades if trade.symbol == symbol and trade.exit_time >= away[0]), None)
        if touched:
            assert trade is not None
            assert (trade.reason, trade.exit_time) == ("stop", away[1])
            # The newest bar alone would not have shown it.
            newest = bars.tail(1)
            stopped += not newest.low[0] <= position.stop <= newest.high[0]
    assert stopped, "the scenario has a stop that only a late bar touched"


def test_an_open_that_is_long_past_is_entered_no_more(live, world, stub, tmp_path):
    live(20)
    with_intents = next(
        bar
        for bar in range(20, 59)
        if any(world.signal(symbol, FIRST + bar * HOUR_MS).action != 1 for symbol in world.candles)
    )

    def overslept(bar):
        if bar == FIRST + with_intents * HOUR_MS:
            stub.clock.advance(61_000)

    live(with_intents + 2, before=overslept)
    late = [record for record in records(tmp_path, RefusedRecord) if record.reason == "late"]
    assert [record.time for record in late] == [FIRST + (with_intents + 1) * HOUR_MS] * len(late)
    assert late


@pytest.mark.parametrize(("skew_ms", "enters"), [(3_000, True), (15_000, False)])
def test_clocks_that_are_apart(live, tmp_path, skew_ms, enters):
    live(25, skew_ms=skew_ms)
    assert bool(records(tmp_path, FilledRecord)) is enters
    assert any(record.reason == "no_trust" for record in records(tmp_path, RefusedRecord)) is not enters
    assert "skew" in [notice.notice for notice in records(tmp_path, FeedRecord)]
