"""Positions by target: opened, added to, reduced and closed at an open."""

from quorate.trading.account.rebalancing.rebalance import rebalance, refuse_targets

__all__ = ["rebalance", "refuse_targets"]
