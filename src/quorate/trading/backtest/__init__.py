"""Backtests of decisions over stored candles."""

from quorate.trading.backtest.backtest import RuleOptions, backtest
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.backtest.target_weights import backtest_weights

__all__ = ["BacktestResult", "RuleOptions", "backtest", "backtest_weights"]
