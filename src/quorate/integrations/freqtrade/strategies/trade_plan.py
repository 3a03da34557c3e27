"""How one trade is to end, and what it may be: the account's own rules, applied to Freqtrade's trades."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

from quorate.core.clock import timeframe_ms
from quorate.core.settings import ExitSettings
from quorate.trading import Contract, MarginTiers
from quorate.trading.account.levels import stop_price, target_price

# A stop that Freqtrade rounds to a tick is rounded towards the entry; by so little it is kept from the next tick.
_TICK_NOISE = 1e-10


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a position ends.

    Attributes:
        side: 1 long, -1 short.
        stop, target: prices.
        atr: ATR(14) known when it was decided, in price units.
        opened: open time in ms of the bar in which it was filled.
        due: time in ms from which it is closed at the latest.
    """

    side: int
    stop: float
    target: float
    atr: float
    opened: int
    due: int

    def over(self, now: int, price: float) -> str | None:
        """Why the position ends at this price: time, or a level that lies behind it; None while it goes on.

        >>> plan = Plan(1, 98.0, 105.0, 1.0, 0, 18_000_000)
        >>> plan.over(3_600_000, 101.0), plan.over(3_600_000, 97.5), plan.over(18_000_000, 101.0)
        (None, 'stop', 'time')
        """
        if now >= self.due:
            return "time"
        if self.side * price <= self.side * self.stop:
            return "stop"
        return "target" if self.side * price >= self.side * self.target else None

    def trailed(self, best: float, exits: ExitSettings, contract: Contract) -> float:
        """The stop once the best price so far is `best`: it follows at a distance and never goes back."""
        if not exits.trail_atr:
            return self.stop
        followed = stop_price(best, self.side, exits.trail_atr * self.atr, contract)
        return max(self.stop, followed) if self.side > 0 else min(self.stop, followed)

    def to_json(self) -> dict[str, Any]:
        """For Freqtrade's database, which keeps it with the trade."""
        return asdict(self)

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Self:
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
    """The plan of a position that was filled at `entry_price`, by the account's rules.

    The stop is at most half the way to the liquidation, whatever the leverage came to be.

    Args:
        entry_price: the fill.
        side: 1 long, -1 short.
        atr: of the bar on whose close it was decided.
        opened: open time in ms of the bar of the fill.
        bars: that it lasts at most.
        timeframe: of those bars.
        exits: distances, and another number of bars where it names one.
        contract: tick.
        liquidation_price: as the exchange has it; None for spot.
    """
    distance = exits.stop_atr * atr
    room = abs(entry_price - (liquidation_price or 0.0)) / 2
    distance = min(distance, room)
    return Plan(
        side=side,
        stop=stop_price(entry_price, side, distance, contract),
        target=target_price(entry_price, side, distance * exits.target_ratio, contract),
        atr=atr,
        opened=opened,
        due=opened + (exits.time_bars or bars) * timeframe_ms(timeframe),
    )


def stop_ratio(stop: float, price: float, side: int, leverage: float) -> float:
    """The stop as Freqtrade wants it: its distance from `price` as a share of it, times the leverage; at least 0.

    >>> round(stop_ratio(98.0, 100.0, 1, 5.0), 6)
    0.1
    """
    stop -= side * stop * _TICK_NOISE
    return max(0.0, side * (price - stop) / price) * leverage


def fit_leverage(
    most: float, price: float, side: int, distance: float, value_per_leverage: float, tiers: MarginTiers
) -> float:
    """The leverage at which the stop lies within half the way to the liquidation: `most`, or whole numbers below it.

    Args:
        most: as set, and as the exchange allows.
        price: of the entry.
        side: 1 long, -1 short.
        distance: of the stop, in price units.
        value_per_leverage: the position's margin in the stake's currency, its value at a leverage of 1.
        tiers: of the exchange.
    """
    leverage = max(1.0, most)
    while leverage > 1:
        quantity = value_per_leverage * leverage / price
        liquidation = tiers.liquidation_price(side, quantity, price, value_per_leverage)
        if distance <= side * (price - liquidation) / 2:
            return leverage
        leverage = math.ceil(leverage) - 1.0
    return 1.0
