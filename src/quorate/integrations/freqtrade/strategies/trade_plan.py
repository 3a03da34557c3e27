"""Exit plan and leverage of one Freqtrade trade, by the rules of the account."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

from quorate.core.clock import timeframe_ms
from quorate.core.settings import ExitSettings
from quorate.trading import Contract, MarginTiers
from quorate.trading.account.levels import stop_price, target_price

# Freqtrade rounds a stop to a tick, towards the entry. A stop this much further away, as a fraction of its price and of
# the tick, outweighs float error, which could add a tick.
_PRICE_NOISE, _TICK_NOISE = 1e-10, 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """Exit levels and latest exit time of a position.

    Attributes:
        side: 1 long, -1 short.
        stop, target: prices.
        atr: ATR(14) at the decision, in price units.
        opened: open time in ms of the bar of the fill.
        due: time in ms of the time exit.
    """

    side: int
    stop: float
    target: float
    atr: float
    opened: int
    due: int

    def exit_reason(self, now: int, price: float) -> str | None:
        """Return "time", "stop" or "target" if the position ends at this time and price, else None.

        >>> plan = Plan(1, 98.0, 105.0, 1.0, 0, 18_000_000)
        >>> plan.exit_reason(3_600_000, 101.0), plan.exit_reason(3_600_000, 97.5), plan.exit_reason(18_000_000, 101.0)
        (None, 'stop', 'time')
        """
        if now >= self.due:
            return "time"
        if self.side * price <= self.side * self.stop:
            return "stop"
        return "target" if self.side * price >= self.side * self.target else None

    def trailing_stop(self, best: float, exits: ExitSettings, contract: Contract) -> float:
        """Return the stop after a best price of `best`; it moves only in the direction of the position."""
        if not exits.trail_atr:
            return self.stop
        trailing = stop_price(best, self.side, exits.trail_atr * self.atr, contract)
        return max(self.stop, trailing) if self.side > 0 else min(self.stop, trailing)

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON, as stored with the trade in Freqtrade's database."""
        return asdict(self)

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
        """Convert from JSON."""
        return cls(**tree)


def make_plan(
    entry_price: float,
    side: int,
    atr: float,
    opened: int,
    bars: int,
    timeframe: str,
    exits: ExitSettings,
    contract: Contract,
    liquidation_price: float | None,
) -> Plan:
    """Make the plan of a position that was filled at `entry_price`, by the account's rules.

    The stop is at most half the distance to the liquidation price away, at any leverage.

    Args:
        entry_price: of the fill.
        side: 1 long, -1 short.
        atr: ATR(14) of the bar of the decision, in price units.
        opened: open time in ms of the bar of the fill.
        bars: after which the position is closed, unless `exits.time_bars` is set.
        timeframe: of those bars.
        exits: distances and time exit.
        contract: for the price step.
        liquidation_price: of the exchange; None for spot.
    """
    distance = exits.stop_atr * atr
    distance = min(distance, abs(entry_price - (liquidation_price or 0.0)) / 2)
    return Plan(
        side=side,
        stop=stop_price(entry_price, side, distance, contract),
        target=target_price(entry_price, side, distance * exits.target_ratio, contract),
        atr=atr,
        opened=opened,
        due=opened + (exits.time_bars or bars) * timeframe_ms(timeframe),
    )


def stop_ratio(stop: float, price: float, side: int, leverage: float, tick: float = 0.0) -> float:
    """Convert a stop to Freqtrade's form: its distance as a fraction of `price`, times the leverage; at least 0.

    Args:
        stop: price.
        price: to which the distance is relative.
        side: 1 long, -1 short.
        leverage: of the trade.
        tick: step of the price; 0 where unknown.

    >>> round(stop_ratio(98.0, 100.0, 1, 5.0), 6)
    0.1
    """
    noise = stop * _PRICE_NOISE
    stop -= side * (min(noise, tick * _TICK_NOISE) if tick else noise)
    return max(0.0, side * (price - stop) / price) * leverage


def fit_leverage(
    limit: float, price: float, side: int, distance: float, value_per_leverage: float, tiers: MarginTiers
) -> float:
    """Return the largest leverage at which the stop is within half the distance to the liquidation price.

    It is `limit`, or a whole number below it; at least 1.

    Args:
        limit: maximum by the settings and the exchange.
        price: of the entry.
        side: 1 long, -1 short.
        distance: of the stop, in price units.
        value_per_leverage: margin of the position in the stake currency, its value at a leverage of 1.
        tiers: margin tiers of the exchange.
    """
    leverage = max(1.0, limit)
    while leverage > 1:
        quantity = value_per_leverage * leverage / price
        liquidation = tiers.liquidation_price(side, quantity, price, value_per_leverage)
        if distance <= side * (price - liquidation) / 2:
            return leverage
        leverage = math.ceil(leverage) - 1.0
    return 1.0
