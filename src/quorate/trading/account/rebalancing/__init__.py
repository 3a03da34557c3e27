"""Positions by target: opened, added to, reduced and closed at an open."""

from quorate.trading.account.rebalancing.rebalance import rebalance, refuse_targets
from quorate.trading.account.rebalancing.weights import DecideWeights, held_weights, weight_orders

__all__ = ["DecideWeights", "held_weights", "rebalance", "refuse_targets", "weight_orders"]
