"""The target weights of a book now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorate.core.clock import iso_ms


@dataclass(frozen=True, slots=True)
class TargetPosition:
    """The target of one market.

    Attributes:
        symbol: of the market.
        weight: target, as a signed fraction of equity.
        held: weight of a book that followed its targets so far.
        order: change of the weight at the next open.
        sleeves: sleeve -> its part of the weight, before band and limits.
        price: the last close.
    """

    symbol: str
    weight: float
    held: float
    order: float
    sleeves: Mapping[str, float]
    price: float

    def to_json(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "weight": self.weight,
            "held": self.held,
            "order": self.order,
            "sleeves": dict(self.sleeves),
            "price": self.price,
        }


@dataclass(frozen=True, slots=True)
class TargetBook:
    """The target weights of a book at the newest moment.

    Attributes:
        book: id.
        moment: ms, the close of the newest bar.
        equity_usd: of the account for which the limits were applied.
        followed_from: ms from which the held weights were followed.
        positions: with a target or a held weight, the largest first.
        abstentions: "sleeve.model" -> why it abstains.
        synthetic: whether some candles are synthetic.
    """

    book: str
    moment: int
    equity_usd: float
    followed_from: int
    positions: tuple[TargetPosition, ...]
    abstentions: Mapping[str, str]
    synthetic: bool

    @property
    def gross(self) -> float:
        """Sum of the sizes of the target weights."""
        return sum(abs(each.weight) for each in self.positions)

    @property
    def net(self) -> float:
        """Sum of the target weights."""
        return sum(each.weight for each in self.positions)

    @property
    def turnover(self) -> float:
        """Sum of the sizes of the orders."""
        return sum(abs(each.order) for each in self.positions)

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate signal --json` for a book."""
        return {
            "book": self.book,
            "time": iso_ms(self.moment),
            "equity_usd": self.equity_usd,
            "followed_from": iso_ms(self.followed_from),
            "gross": self.gross,
            "net": self.net,
            "turnover": self.turnover,
            "positions": [each.to_json() for each in self.positions],
            "abstentions": [{"model": name, "reason": why} for name, why in self.abstentions.items()],
            "synthetic": self.synthetic,
        }
