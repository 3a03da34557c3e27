"""Closed trades of an account by market, and its days, on figures worked by hand."""

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.trading.account.trade import Trade
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.workflows.paper.figures import DayResult, MarketResult, day_results, market_results

START = parse_ms("2026-05-01")


def trade(symbol, exit_time, gross):
    """Costs of 3: a fee of 1, slippage of 0.5 and 1.5 of funding."""
    return Trade(
        symbol, 1, 1.0, 5.0, 100.0, 0.8, exit_time - 2 * HOUR_MS, exit_time - HOUR_MS, 100.0, exit_time, 101.0, 90.0,
        110.0, "time", gross, 1.0, 0.5, -1.5, True, True,
    )  # fmt: skip


@pytest.fixture
def result():
    """Bars at 0, 12 and 23 o'clock of the first day, and at 1 o'clock of the third."""
    time = np.array([START, START + 12 * HOUR_MS, START + 23 * HOUR_MS, START + 2 * DAY_MS + HOUR_MS])
    trades = (
        trade("B/USDT", START + 12 * HOUR_MS, 13.0),
        trade("A/USDT", START + 23 * HOUR_MS, 13.0),
        trade("C/USDT", START + 2 * DAY_MS, -45.0),
        trade("A/USDT", START + 2 * DAY_MS + HOUR_MS, 3.0),
    )
    equity = np.array([1_000.0, 1_010.0, 1_020.0, 969.0])
    return BacktestResult("1h", ("A/USDT",), "USD", 1_000.0, trades, time, equity, 0.5, {}, False, (), ())


def test_trades_by_market_the_best_first(result):
    assert market_results(result) == [
        MarketResult("A/USDT", 2, 1, 10.0, 6.0),  # a net result of 0 is no win
        MarketResult("B/USDT", 1, 1, 10.0, 3.0),
        MarketResult("C/USDT", 1, 0, -48.0, 3.0),
    ]


def test_the_newest_days_with_their_change(result):
    assert day_results(result, 14) == [
        DayResult("2026-05-03", -51.0, -0.05, 2, 0),
        DayResult("2026-05-02", 0.0, 0.0, 0, 0),  # without a bar: as at the end of the day before
        DayResult("2026-05-01", 20.0, 0.02, 2, 2),
    ]
    assert [row.day for row in day_results(result, 2)] == ["2026-05-03", "2026-05-02"]


def test_without_a_bar_there_is_no_day(result):
    empty = BacktestResult("1h", (), "USD", 1_000.0, (), result.time[:0], result.equity_usd[:0], 0.0, {}, False, (), ())
    assert (day_results(empty, 5), market_results(empty)) == ([], [])
