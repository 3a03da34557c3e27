"""Candles in memory as a source; what every source promises is tested with the others."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.errors import CandleError, DataError, UnknownSymbolError
from quorate.core.types import Candles
from quorate.market import SyntheticMarket
from quorate.market.memory import MemorySource

MARKET = SyntheticMarket(seed=9, symbols=2, bars=60)
FIRST, SECOND = MARKET.names


def test_the_one_timeframe_is_known():
    hourly = MARKET.candles(FIRST)
    assert MemorySource([hourly]).timeframe == "1h"
    assert MemorySource([]).timeframe is None
    daily = replace(hourly[:1], timeframe="1d")
    assert MemorySource([hourly, daily]).timeframe is None


def test_a_row_that_cannot_be_true_is_refused():
    candles = MARKET.candles(FIRST)
    close = candles.close.copy()
    close[7] = np.nan
    with pytest.raises(CandleError, match="row 7"):
        MemorySource([replace(candles, close=close)])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"candles": [MARKET.candles(FIRST)] * 2}, "1h twice"),
        (
            {"candles": [MARKET.candles(FIRST), replace(MARKET.candles(FIRST), symbol="syna/usdt:usdt")]},
            "SYNA/USDT:USDT and syna/usdt:usdt, two names of one market",
        ),
        (
            {"candles": [MARKET.candles(FIRST), replace(MARKET.candles(FIRST), symbol="SYNAUSDT", timeframe="1h")]},
            "SYNA/USDT:USDT and SYNAUSDT, two names of one market",
        ),
        (
            {"candles": [MARKET.candles(FIRST)], "funding": {SECOND: MARKET.funding(SECOND)}},
            "without candles; expected candles",
        ),
        ({"candles": [MARKET.candles(FIRST)], "marks": [MARKET.candles(SECOND)]}, "without candles; expected candles"),
    ],
)
def test_what_does_not_belong_together_is_refused(arguments, words):
    with pytest.raises(DataError, match=words):
        MemorySource(**arguments)


def test_funding_and_marks_of_an_unknown_market_are_refused():
    source = MemorySource(MARKET.panel().values())
    assert source.funding(FIRST) is None
    assert source.mark(FIRST, "1h") is None
    for ask in (source.funding, lambda symbol: source.mark(symbol, "1h"), lambda symbol: source.candles(symbol, "1h")):
        with pytest.raises(UnknownSymbolError, match="Did you mean"):
            ask("SYNA/USDT")


def test_synthetic_candles_stay_marked():
    source = MemorySource(MARKET.panel().values())
    assert source.candles(FIRST, "1h").synthetic
    assert isinstance(source.candles(FIRST, "1h"), Candles)
