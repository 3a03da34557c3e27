"""The clock and feed guards, by hand."""

from quorate.trading.guards import ClocksCompared, FeedChecked, Guards

from .conftest import BTC, ETH, NOON, take


def test_a_clock_that_is_off_reduces_until_it_is_not() -> None:
    guards = Guards()
    assert take(guards, guards.on(ClocksCompared(NOON, 11_000, close=False))) == [("clock", "ACTIVE", "REDUCING")]
    assert guards.may_enter(BTC, NOON).why == "clock: our clock and the exchange's are 11.0 s apart"
    assert take(guards, guards.on(ClocksCompared(NOON, None, close=True))) == []  # unknown
    assert take(guards, guards.on(ClocksCompared(NOON, -3_000, close=True))) == [("clock", "REDUCING", "ACTIVE")]


def test_a_stale_feed_reduces_all_markets_and_a_stale_market_only_itself() -> None:
    guards = Guards()
    take(guards, guards.on(FeedChecked(NOON, stale=True, symbol=BTC)))
    assert [guards.may_enter(symbol, NOON).allowed for symbol in (BTC, ETH)] == [False, True]
    take(guards, guards.on(FeedChecked(NOON, stale=True)))
    assert [guards.may_enter(symbol, NOON).allowed for symbol in (BTC, ETH)] == [False, False]
    take(guards, guards.on(FeedChecked(NOON, stale=False)))
    assert guards.may_enter(BTC, NOON).why == "feed: no candles of BTC/USDT:USDT for too long"
    take(guards, guards.on(FeedChecked(NOON, stale=False, symbol=BTC)))
    assert guards.may_enter(BTC, NOON) == (True, None, "")
