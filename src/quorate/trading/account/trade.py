"""Closed trades."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

from quorate.core.clock import iso_ms

Reason = Literal["stop", "trailing", "target", "time", "liquidation", "end", "rebalance"]


class Trade(NamedTuple):
    """A closed position, or the part by which a position by target was reduced.

    Prices in quote units, quantity in base units, times are open times of bars in ms.

    Attributes:
        side: 1 long, -1 short.
        decided: bar at whose close the entry was decided.
        entry_time: bar at whose open it filled.
        exit_time: bar in which it closed: at its open for `time` and `rebalance`, at its close for `end`, inside for
            other reasons; a liquidation on cross margin is at either. At a bar from which on prices are at another
            scale: before it, at the last close, for `end`.
        entry_price, exit_price: fills, slippage included; the entry of a position by target is its average.
        stop, target: levels at the entry; NaN for a position by target.
        reason: of the exit.
        gross_usd: result at the prices before slippage.
        fee_usd: fees of both fills, including that of a liquidation, less maker rebates and, on cross margin, less what
            the exchange bears of a loss beyond the equity.
        slippage_usd: slippage of both fills.
        funding_usd: funding received; negative when paid.
        funding_known: whether no settlement was missing while it was open.
        mark_known: whether the exchange's mark price was known for every bar.
    """

    symbol: str
    side: int
    quantity: float
    leverage: float
    margin_usd: float
    confidence: float
    decided: int
    entry_time: int
    entry_price: float
    exit_time: int
    exit_price: float
    stop: float
    target: float
    reason: Reason
    gross_usd: float
    fee_usd: float
    slippage_usd: float
    funding_usd: float
    funding_known: bool
    mark_known: bool

    @property
    def net_usd(self) -> float:
        """Net result: gross - fees - slippage + funding."""
        return self.gross_usd - self.fee_usd - self.slippage_usd + self.funding_usd

    @property
    def value_usd(self) -> float:
        """Value at the entry."""
        return self.quantity * self.entry_price

    @property
    def net_return(self) -> float:
        """Net result as a fraction of the value at the entry, without leverage."""
        return self.net_usd / self.value_usd

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate backtest --json`."""
        return {
            "symbol": self.symbol,
            "side": "long" if self.side > 0 else "short",
            "quantity": self.quantity,
            "leverage": self.leverage,
            "margin_usd": self.margin_usd,
            "confidence": self.confidence,
            "decided": iso_ms(self.decided),
            "entry_time": iso_ms(self.entry_time),
            "entry_price": self.entry_price,
            "exit_time": iso_ms(self.exit_time),
            "exit_price": self.exit_price,
            "stop": None if math.isnan(self.stop) else self.stop,
            "target": None if math.isnan(self.target) else self.target,
            "reason": self.reason,
            "gross_usd": self.gross_usd,
            "fee_usd": self.fee_usd,
            "slippage_usd": self.slippage_usd,
            "funding_usd": self.funding_usd,
            "net_usd": self.net_usd,
            "funding_known": self.funding_known,
            "mark_known": self.mark_known,
        }
