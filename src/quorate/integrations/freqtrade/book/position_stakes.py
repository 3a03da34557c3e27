"""Target quantities as Freqtrade's stakes, which are margins; Freqtrade turns them into quantities again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from quorate.trading import Contract

# Freqtrade cuts a stake's quantity down to whole lots: this much more outweighs float error, which could cost one.
_NOISE = 1e-10

# Freqtrade's default of `amount_reserve_percent`.
_RESERVE = 0.05


class PositionStakes:
    """Stakes of one pair.

    Args:
        market: ccxt's, for lots and minima; None where it is not known, which allows any quantity.
        pair: its name.
        precision_mode: ccxt's constant.
        config: Freqtrade's configuration, whose reserve over the exchange's minimum applies to what is added.
    """

    def __init__(
        self, market: Mapping[str, Any] | None, pair: str, precision_mode: int, config: Mapping[str, Any]
    ) -> None:
        self.contract = Contract(pair) if market is None else Contract.from_ccxt(market, precision_mode=precision_mode)
        self._reserve = 1.0 + float(config.get("amount_reserve_percent", _RESERVE))

    def opened(self, quantity: float, price: float, leverage: float) -> float:
        """Stake that opens a quantity, above 0; 0 below the exchange's minimum.

        Args:
            quantity: base units.
            price: of the order.
            leverage: of the trade.
        """
        whole = self.contract.round_quantity(quantity)
        if self._below_minimum(whole, price, self._reserve):
            return 0.0
        return whole * price / leverage * (1 + _NOISE)

    def adjusted(self, position: PositionSize, quantity: float, price: float) -> float:
        """Stake to add, or less than 0 to take out, so that a quantity is left; 0 where nothing is to change.

        Args:
            position: that is held.
            quantity: base units on its side, above 0.
            price: of the order.
        """
        change = self.contract.round_quantity(quantity) - position.quantity
        size = self.contract.nearest_quantity(abs(change))
        if self._below_minimum(size, price, self._reserve if change > 0 else 1.0):
            return 0.0
        if change > 0:
            return size * price / position.leverage * (1 + _NOISE)
        return -size * position.stake / position.quantity * (1 + _NOISE)

    def closes(self, quantity: float) -> bool:
        """Whether a target on a position's side, or against it, leaves nothing of it."""
        return self.contract.round_quantity(max(quantity, 0.0)) <= 0

    def _below_minimum(self, quantity: float, price: float, reserve: float) -> bool:
        contract = self.contract
        return (
            quantity <= 0
            or quantity < reserve * contract.minimum_amount
            or quantity * price < reserve * contract.minimum_usd
        )


class PositionSize(NamedTuple):
    """What an open trade holds: base units, its margin in the stake currency, and its leverage."""

    quantity: float
    stake: float
    leverage: float

    @classmethod
    def of(cls, trade: Any) -> PositionSize:
        """Of Freqtrade's trade."""
        return cls(float(trade.amount), float(trade.stake_amount), float(trade.leverage or 1.0))
