"""Backtests of decisions over stored candles."""

from quorate.trading.backtest.backtest import RuleOptions, backtest
from quorate.trading.backtest.backtest_result import BacktestResult

__all__ = ["BacktestResult", "RuleOptions", "backtest"]
