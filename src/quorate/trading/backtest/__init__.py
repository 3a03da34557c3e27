"""Decisions over stored candles to trades and equity."""

from quorate.trading.backtest.backtest import backtest
from quorate.trading.backtest.backtest_result import BacktestResult

__all__ = ["BacktestResult", "backtest"]
