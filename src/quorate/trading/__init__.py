"""Decisions to money: one simulated account, the same for backtest and paper trading."""

from quorate.trading.account.account import Account
from quorate.trading.account.bar import Bar, Settlement
from quorate.trading.account.contract import Contract
from quorate.trading.account.margin import CONSERVATIVE_TIERS, MarginTiers, Tier
from quorate.trading.account.order import Order, Refusal
from quorate.trading.account.position import Position, Reason, Trade
from quorate.trading.backtest.backtest import backtest
from quorate.trading.backtest.backtest_result import BacktestResult

__all__ = [
    "CONSERVATIVE_TIERS",
    "Account",
    "BacktestResult",
    "Bar",
    "Contract",
    "MarginTiers",
    "Order",
    "Position",
    "Reason",
    "Refusal",
    "Settlement",
    "Tier",
    "Trade",
    "backtest",
]
