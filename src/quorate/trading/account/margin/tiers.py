"""Margin tiers of an exchange: maximum leverage, maintenance margin and liquidation price of a position.

The maintenance margin of a position of value N is `N x rate - deduction` of N's tier; deductions make it continuous
(https://www.binance.com/en/support/faq/detail/b3c689c1f50a44cabb3a84e663b81d93).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple, Self

from quorate.core.errors import TradingError


class Tier(NamedTuple):
    """One row of an exchange's table of maintenance margins.

    Attributes:
        most_usd: maximum position value of this tier.
        maintenance: maintenance margin of the part of the value that lies in this tier, as a fraction.
        leverage: maximum.
    """

    most_usd: float
    maintenance: float
    leverage: float


@dataclass(frozen=True, slots=True)
class MarginTiers:
    """Table of maintenance margins of one perpetual, smallest positions first.

    Raises:
        TradingError: no rows, values or rates that do not increase, or leverage above 1 / maintenance.

    >>> MarginTiers([Tier(10_000, 0.01, 50), Tier(50_000, 0.02, 25)]).leverage(20_000)
    25
    """

    rows: Sequence[Tier]
    # Of each tier: its end, its deduction, and 1 less and plus its maintenance margin.
    _lines: tuple[tuple[float, float, float, float], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rows = tuple(self.rows)
        if not rows:
            raise TradingError("build a table of margin tiers", found="no rows", expected="one tier or more")
        for tier in rows:
            if not (
                tier.most_usd > 0 and 0 <= tier.maintenance < 1 and 1 <= tier.leverage <= 1 / (tier.maintenance or 1e-9)
            ):
                raise TradingError(
                    "build a table of margin tiers",
                    found=str(tier),
                    expected="a positive value, maintenance from 0 to 1 and leverage from 1 to 1 / maintenance",
                )
        deductions = [0.0]
        for below, tier in pairwise(rows):
            if tier.most_usd <= below.most_usd or tier.maintenance < below.maintenance:
                raise TradingError(
                    "build a table of margin tiers",
                    found=f"{tier} after {below}",
                    expected="increasing values and maintenance margins",
                )
            deductions.append(deductions[-1] + below.most_usd * (tier.maintenance - below.maintenance))
        object.__setattr__(self, "rows", rows)
        lines = [
            (most_usd, deduction, 1 - maintenance, 1 + maintenance)
            for (most_usd, maintenance, _), deduction in zip(rows, deductions, strict=True)
        ]
        object.__setattr__(self, "_lines", tuple(lines))

    @classmethod
    def from_ccxt(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Table from one symbol's rows of ccxt's `fetch_leverage_tiers`.

        Raises:
            TradingError: a row without maxNotional, maintenanceMarginRate or maxLeverage.
        """
        keys = ("maxNotional", "maintenanceMarginRate", "maxLeverage")
        tiers = []
        for row in rows:
            missing = [key for key in keys if row.get(key) is None]
            if missing:
                raise TradingError(
                    "read leverage tiers", found=f"a row without {', '.join(missing)}", expected=str(keys)
                )
            tiers.append(Tier(*(float(row[key]) for key in keys)))
        return cls(tiers)

    @property
    def most_usd(self) -> float:
        """Maximum value of a position."""
        return self.rows[-1].most_usd

    def leverage(self, value_usd: float) -> float:
        """Maximum leverage of a position of this value; 0 beyond the table."""
        for most_usd, _, leverage in self.rows:
            if value_usd <= most_usd:
                return leverage
        return 0.0

    def most_at(self, leverage: float) -> float:
        """Maximum value of a position at this leverage; 0 where no tier allows it.

        >>> MarginTiers([Tier(10_000, 0.01, 50), Tier(50_000, 0.02, 25)]).most_at(30)
        10000
        """
        most = 0.0
        for most_usd, _, allowed in self.rows:
            if allowed < leverage:
                break
            most = most_usd
        return most

    def maintenance(self, value_usd: float) -> float:
        """Maintenance margin of a position of this value; beyond the table that of its last tier.

        >>> MarginTiers([Tier(10_000, 0.01, 50), Tier(50_000, 0.02, 25)]).maintenance(20_000)
        300.0
        """
        # It is the maximum of the tiers' lines.
        rates = (tier.maintenance for tier in self.rows)
        return max(value_usd * rate - line[1] for rate, line in zip(rates, self._lines, strict=True))

    def liquidation_price(self, side: int, quantity: float, entry_price: float, margin_usd: float) -> float:
        """Mark price at which margin plus unrealised profit equals the maintenance margin.

        Args:
            side: 1 long, -1 short.
            quantity: base units.
            entry_price: quote units.
            margin_usd: isolated margin.

        Returns:
            A price; 0 for a long without liquidation.
        """
        value = quantity * entry_price
        # Each tier's line gives one price. The maintenance margin is the maximum of the lines, so the first price
        # reached on the way down (long) or up (short) is the liquidation price. The lines of tiers above the one in
        # which it lies, and above the next one, are lower by more than float error.
        found, beyond = (0.0 if side > 0 else math.inf), False
        for most_usd, deduction, left, due in self._lines:
            if side > 0:
                price = (value - (margin_usd + deduction)) / (quantity * left)
                if price > found:
                    found = price
            else:
                price = (value + (margin_usd + deduction)) / (quantity * due)
                if price < found:
                    found = price
            if beyond:
                break
            beyond = quantity * found <= most_usd
        return found


# Stricter than the tables of the large exchanges for all but their newest coins: the maintenance margin is half of the
# initial margin in every tier. Used where the exchange's table is unknown.
CONSERVATIVE_TIERS = MarginTiers(
    (
        Tier(5_000, 0.02, 25),
        Tier(25_000, 0.025, 20),
        Tier(100_000, 0.05, 10),
        Tier(250_000, 0.10, 5),
        Tier(1_000_000, 0.125, 4),
        Tier(2_000_000, 0.25, 2),
        Tier(math.inf, 0.50, 1),
    )
)
