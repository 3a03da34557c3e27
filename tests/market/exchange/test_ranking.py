"""Top markets of an exchange: the same as by the history in a folder."""

import pytest

from quorate.core.clock import DAY_MS
from quorate.core.errors import DataError, ExchangeDownError, TooLittleHistoryError
from quorate.core.settings import UniverseSettings
from quorate.market import top as rank_folder
from quorate.market.exchange import top
from stubs.binance import Fault

from .conftest import END, START


@pytest.mark.parametrize("start", [START, START + 35 * DAY_MS])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_ranking_is_that_of_the_folder(exchange, truth, start, count):
    ranked = top(exchange, count, start)
    assert ranked.symbols == rank_folder(truth, "1h", count, start)
    assert "within 30 days" in ranked.rule


def test_without_history_the_tickers_rank_and_say_so(exchange, truth):
    """A span that begins now, ranked over its own day: nothing is closed by then."""
    ranked = top(exchange, 2, END, UniverseSettings(days=1))
    assert len(ranked.symbols) == 2
    found = top(exchange, 2, END + 40 * DAY_MS)
    assert "last 24 hours" in found.rule
    day = {
        name: float(candles.close @ candles.volume)
        for name in truth.names
        for candles in [truth.candles(name, start=END - DAY_MS)]
    }
    assert found.symbols == tuple(sorted(day, key=day.get, reverse=True)[:2])


def test_more_than_there_are(exchange):
    with pytest.raises(TooLittleHistoryError, match="3 with trades"):
        top(exchange, 4, START)
    with pytest.raises(DataError, match="at least 1"):
        top(exchange, 0, START)


def test_a_market_that_went_away_is_left_out_and_an_outage_is_an_error(connect, stub):
    exchange = connect(attempts=2)
    assert len(exchange.symbols("1d")) == 3
    stub.answers.delisted.add("SYNBUSDT")
    assert "SYNB/USDT:USDT" not in top(exchange, 2, START).symbols
    stub.faults.add(Fault("status", path="klines", code=500, times=0))
    with pytest.raises(ExchangeDownError):
        top(exchange, 2, START)
