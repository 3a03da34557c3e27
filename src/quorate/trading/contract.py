"""What an exchange lets one trade in a market: step of quantity, step of price, least value, margin tiers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from quorate.core.errors import TradingError
from quorate.trading.margin import CONSERVATIVE_TIERS, MarginTiers

# A quotient this close below a whole number of steps is that number: 0.3 / 0.1 is 2.9999999999999996.
_STEP_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Contract:
    """The trading rules of one market.

    Attributes:
        symbol: ccxt's name; without a colon it is spot: no shorts, no leverage, no funding, no liquidation.
        lot: step of the quantity in base units; 0 where unknown, then any quantity will do.
        tick: step of the price in quote units; 0 where unknown.
        minimum_usd: least value of an order.
        tiers: maintenance margins; unused for spot.

    Raises:
        TradingError: a negative or non-finite step or minimum.
    """

    symbol: str
    lot: float = 0.0
    tick: float = 0.0
    minimum_usd: float = 0.0
    tiers: MarginTiers = CONSERVATIVE_TIERS

    def __post_init__(self) -> None:
        for name in ("lot", "tick", "minimum_usd"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise TradingError(f"use the {name} of {self.symbol}", found=repr(value), expected="0 or more")

    @classmethod
    def from_ccxt(cls, market: Mapping[str, Any], tiers: Iterable[Mapping[str, Any]] | None = None) -> Self:
        """From ccxt's market structure (precision as tick sizes) and, for a perpetual, its leverage tiers.

        Raises:
            TradingError: a contract that is not linear with a size of 1, which this account cannot hold.
        """
        symbol = str(market["symbol"])
        size = market.get("contractSize")
        if market.get("inverse") or (market.get("contract") and size not in (None, 1, 1.0)):
            raise TradingError(
                f"trade {symbol}",
                found=f"an inverse contract or one of size {size}",
                expected="a linear contract of one base unit",
                remedy="Choose a USDT-margined perpetual.",
            )
        precision, limits = market.get("precision") or {}, market.get("limits") or {}
        minimum = (limits.get("cost") or {}).get("min")
        return cls(
            symbol,
            lot=float(precision.get("amount") or 0.0),
            tick=float(precision.get("price") or 0.0),
            minimum_usd=float(minimum or 0.0),
            tiers=CONSERVATIVE_TIERS if tiers is None else MarginTiers.from_ccxt(tiers),
        )

    @property
    def spot(self) -> bool:
        """No shorts, no leverage, no funding, no liquidation."""
        return ":" not in self.symbol

    def round_quantity(self, quantity: float) -> float:
        """Down to a whole number of lots.

        >>> Contract("BTC/USDT:USDT", lot=0.1).round_quantity(0.35)
        0.3
        """
        return quantity if self.lot == 0 else round(math.floor(quantity / self.lot + _STEP_TOLERANCE) * self.lot, 12)

    def round_price(self, price: float, direction: int) -> float:
        """To a whole number of ticks, up (direction 1) or down (-1).

        >>> Contract("BTC/USDT:USDT", tick=0.5).round_price(100.2, 1)
        100.5
        """
        if self.tick == 0:
            return price
        steps = price / self.tick
        whole = math.ceil(steps - _STEP_TOLERANCE) if direction > 0 else math.floor(steps + _STEP_TOLERANCE)
        return round(whole * self.tick, 12)
