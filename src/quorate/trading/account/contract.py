"""Trading rules of a market: steps of quantity and price, minimum order value and amount, margin tiers."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Self

from quorate.core.errors import TradingError
from quorate.trading.account.margin import CONSERVATIVE_TIERS, MarginTiers

# Quotients this close to a whole number of steps count as it: 0.3 / 0.1 is 2.9999999999999996. The first is relative to
# the quotient, for float error; the second is in ticks, for prices from longer calculations.
_FLOAT_TOLERANCE = 16 * sys.float_info.epsilon
_TICK_TOLERANCE = 1e-9

# Number of steps from which a float cannot express a single one: such values are not rounded.
_MOST_STEPS = 1 / sys.float_info.epsilon

# ccxt's constants for the unit of `precision`.
_DECIMAL_PLACES, _TICK_SIZE = 2, 4


@dataclass(frozen=True, slots=True)
class Contract:
    """The trading rules of one market.

    Attributes:
        symbol: ccxt's name; without a colon it is spot: no shorts, no leverage, no funding, no liquidation.
        lot: step of the quantity in base units; 0 where unknown, which allows any quantity.
        tick: step of the price in quote units; 0 where unknown, which allows any price.
        minimum_usd: minimum value of an order.
        tiers: maintenance margins; unused for spot.
        minimum_amount: minimum quantity of an order in base units.
        spot: whether the market is spot.

    Raises:
        TradingError: a negative or non-finite step or minimum.
    """

    symbol: str
    lot: float = 0.0
    tick: float = 0.0
    minimum_usd: float = 0.0
    tiers: MarginTiers = CONSERVATIVE_TIERS
    minimum_amount: float = 0.0
    spot: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spot", ":" not in self.symbol)
        for name in ("lot", "tick", "minimum_usd", "minimum_amount"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise TradingError(f"use the {name} of {self.symbol}", found=repr(value), expected="0 or more")

    @classmethod
    def from_ccxt(
        cls,
        market: Mapping[str, Any],
        tiers: Iterable[Mapping[str, Any]] | None = None,
        precision_mode: int = _TICK_SIZE,
    ) -> Self:
        """From ccxt's market structure and, for a perpetual, its leverage tiers.

        Args:
            market: its symbol, precision, limits and contract size.
            tiers: the perpetual's rows of `fetch_leverage_tiers`; conservative ones where None or empty.
            precision_mode: ccxt's constant for steps or decimal places. Significant digits define no steps, which are
                then unknown.

        Raises:
            TradingError: an inverse contract, which the account does not support.
        """
        symbol = str(market["symbol"])
        if market.get("inverse"):
            raise TradingError(
                f"trade {symbol}",
                found="an inverse contract",
                expected="a linear one",
                remedy="Choose a USDT-margined perpetual.",
            )
        # Exchanges count perpetuals in contracts, the account in base units.
        size = float(market.get("contractSize") or 1.0) if market.get("contract") else 1.0
        precision, limits = market.get("precision") or {}, market.get("limits") or {}
        cost, amount = (limits.get(name) or {} for name in ("cost", "amount"))
        rows = tuple(tiers or ())
        return cls(
            symbol,
            lot=_decimal(_step(precision.get("amount"), precision_mode) * size),
            tick=_step(precision.get("price"), precision_mode),
            minimum_usd=float(cost.get("min") or 0.0),
            tiers=MarginTiers.from_ccxt(rows) if rows else CONSERVATIVE_TIERS,
            minimum_amount=_decimal(float(amount.get("min") or 0.0) * size),
        )

    def round_quantity(self, quantity: float) -> float:
        """The quantity rounded down to a whole number of lots.

        >>> Contract("BTC/USDT:USDT", lot=0.1).round_quantity(0.35)
        0.3
        """
        if self.lot == 0:
            return quantity
        lots = quantity / self.lot
        if lots >= _MOST_STEPS:
            return quantity
        # Not the tolerance of prices: more than float error above the quantity could exceed the free margin.
        whole = math.floor(lots + _FLOAT_TOLERANCE * lots)
        return round(whole * self.lot, _decimals(self.lot))

    def nearest_quantity(self, quantity: float) -> float:
        """The quantity without float error: a sum or difference of whole lots as a whole number of lots.

        >>> Contract("BTC/USDT:USDT", lot=0.1).nearest_quantity(0.1 + 0.2)
        0.3
        """
        if self.lot == 0 or quantity / self.lot >= _MOST_STEPS:
            return quantity
        return round(round(quantity / self.lot) * self.lot, _decimals(self.lot))

    def round_price(self, price: float, direction: int) -> float:
        """The price rounded to a whole number of ticks, up (direction 1) or down (-1).

        >>> Contract("BTC/USDT:USDT", tick=0.5).round_price(100.2, 1)
        100.5
        """
        if self.tick == 0:
            return price
        ticks = price / self.tick
        if abs(ticks) >= _MOST_STEPS:
            return price
        tolerance = max(_TICK_TOLERANCE, _FLOAT_TOLERANCE * abs(ticks))
        whole = math.ceil(ticks - tolerance) if direction > 0 else math.floor(ticks + tolerance)
        return round(whole * self.tick, _decimals(self.tick))


@cache
def _decimals(step: float) -> int:
    """Number of decimals of the multiples of a step: 13 for 1e-13, 0 for whole numbers."""
    return max(0, -int(Decimal(repr(_decimal(step))).normalize().as_tuple().exponent))


def _decimal(value: float) -> float:
    """The value without float error: 0.1 * 0.001 is 0.0001, not 0.00010000000000000002."""
    return float(f"{value:.12g}")


def _step(precision: float | None, mode: int) -> float:
    """The step of a ccxt precision; 0 where it is unknown."""
    if precision is None or mode not in (_DECIMAL_PLACES, _TICK_SIZE):
        return 0.0
    return float(precision) if mode == _TICK_SIZE else float(f"1e{-int(precision)}")
