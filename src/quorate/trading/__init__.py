"""Decisions to money: one simulated account, the same for backtest and paper trading."""

from quorate.trading.account import Account
from quorate.trading.backtest import backtest
from quorate.trading.bar import Bar, Settlement
from quorate.trading.contract import Contract
from quorate.trading.margin import CONSERVATIVE_TIERS, MarginTiers, Tier
from quorate.trading.order import Order, Refusal
from quorate.trading.position import Position, Reason, Trade
from quorate.trading.result import BacktestResult

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
