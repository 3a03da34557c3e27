"""Simulated futures account: orders, fills, margin, funding, exits and sizing."""

from quorate.trading.account.account import Account
from quorate.trading.account.bar import Bar, Settlement
from quorate.trading.account.contract import Contract
from quorate.trading.account.margin import CONSERVATIVE_TIERS, MarginTiers, Tier
from quorate.trading.account.order import Order, Refusal, TargetOrder
from quorate.trading.account.position import Position
from quorate.trading.account.trade import Reason, Trade

__all__ = [
    "CONSERVATIVE_TIERS",
    "Account",
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
]
