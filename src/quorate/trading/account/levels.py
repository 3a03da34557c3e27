"""Stop and target prices."""

from __future__ import annotations

from quorate.trading.account.contract import Contract


def stop_price(entry_price: float, side: int, distance: float, contract: Contract) -> float:
    """Stop at this distance from the entry or the best price, rounded towards it so that it never risks more."""
    return contract.round_price(entry_price - side * distance, side)


def target_price(entry_price: float, side: int, distance: float, contract: Contract) -> float:
    """Target at this distance from the entry, rounded away from it."""
    return contract.round_price(entry_price + side * distance, side)
