"""Stored candles by a clock; the contract of sources is tested with the others'."""

from quorate.core.clock import HOUR_MS
from quorate.market.revealed import RevealedCandles
from quorate.market.synthetic import SyntheticMarket

MARKET = SyntheticMarket(seed=2, symbols=1, bars=100)
SYMBOL = MARKET.names[0]
FIRST = int(MARKET.candles(SYMBOL).time[0])


def test_a_bar_is_there_from_its_close_on():
    now = FIRST + 10 * HOUR_MS - 1
    source = RevealedCandles(MARKET, lambda: now)
    assert len(source.candles(SYMBOL, "1h")) == 9
    now += 1
    assert len(source.candles(SYMBOL, "1h")) == 10
    assert source.candles(SYMBOL, "1h").time[-1] + HOUR_MS == now


def test_an_earlier_end_holds():
    source = RevealedCandles(MARKET, lambda: FIRST + 50 * HOUR_MS)
    assert len(source.candles(SYMBOL, "1h", end=FIRST + 20 * HOUR_MS)) == 20
    assert len(source.candles(SYMBOL, "1h", end=FIRST + 80 * HOUR_MS)) == 50


def test_funding_is_known_when_it_is_settled():
    settled = MARKET.funding(SYMBOL).time
    for now in (int(settled[3]) - 1, int(settled[3])):
        found = RevealedCandles(MARKET, lambda now=now: now).funding(SYMBOL)
        assert found.time[-1] == (settled[2] if now < settled[3] else settled[3])
