"""The prices at which a position is to end, set at its entry."""

from __future__ import annotations

from quorate.trading.account.contract import Contract


def stop_price(entry_price: float, side: int, distance: float, contract: Contract) -> float:
    """The stop this far from the entry, or from the best price; rounded towards it, so that it never risks more."""
    return contract.round_price(entry_price - side * distance, side)


def target_price(entry_price: float, side: int, distance: float, contract: Contract) -> float:
    """The target, rounded away from the entry."""
    return contract.round_price(entry_price + side * distance, side)
