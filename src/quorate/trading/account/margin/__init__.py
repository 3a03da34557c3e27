"""Margin: the exchange's tiers, and what an account on cross margin needs to keep its positions."""

from quorate.trading.account.margin.tiers import CONSERVATIVE_TIERS, MarginTiers, Tier

__all__ = ["CONSERVATIVE_TIERS", "MarginTiers", "Tier"]
