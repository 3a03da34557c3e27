"""Simulated trading: one account for backtests and paper trading, guards, journal."""

from quorate.trading.account.account import Account
from quorate.trading.account.bar import Bar, Settlement
from quorate.trading.account.contract import Contract
from quorate.trading.account.margin import CONSERVATIVE_TIERS, MarginTiers, Tier
from quorate.trading.account.order import Order, Refusal, TargetOrder
from quorate.trading.account.position import Position
from quorate.trading.account.sizing import sizing_for
from quorate.trading.account.trade import Reason, Trade
from quorate.trading.account_rules import AccountRules
from quorate.trading.backtest.backtest import backtest
from quorate.trading.backtest.backtest_result import BacktestResult

__all__ = [
    "CONSERVATIVE_TIERS",
    "Account",
    "AccountRules",
    "BacktestResult",
    "Bar",
    "Contract",
    "MarginTiers",
    "Order",
    "Position",
    "Reason",
    "Refusal",
    "Settlement",
    "TargetOrder",
    "Tier",
    "Trade",
    "backtest",
    "sizing_for",
]
