"""An open position, and the trade it becomes when it is closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from quorate.core.clock import iso_ms
from quorate.trading.account.costs import Fill
from quorate.trading.account.order import Order
from quorate.trading.account.sizing import Size

Reason = Literal["stop", "trailing", "target", "time", "liquidation", "end"]


@dataclass(slots=True)
class Position:
    """A position while it is open; the account changes it.

    Attributes:
        order: what opened it.
        size: quantity, leverage, margin and levels at the entry.
        entry_time: open time in ms of the bar at whose open it was filled.
        entry: the fill.
        stop: where the stop is now; a trailing one moves.
        mark: last price it was valued at.
        funding_usd: received so far; negative when paid.
        funding_known, mark_known: for every bar so far.
    """

    order: Order
    size: Size
    entry_time: int
    entry: Fill
    stop: float
    mark: float
    funding_usd: float = 0.0
    funding_known: bool = True
    mark_known: bool = True

    @property
    def symbol(self) -> str:
        return self.order.symbol

    @property
    def side(self) -> int:
        """1 long, -1 short."""
        return self.order.side

    @property
    def unrealised_usd(self) -> float:
        """Profit at the last valuation, before the costs of closing."""
        return self.order.side * self.size.quantity * (self.mark - self.entry.price)


@dataclass(frozen=True, slots=True)
class Trade:
    """A closed position. Prices in quote units, quantity in base units, times are open times of bars in ms.

    Attributes:
        side: 1 long, -1 short.
        decided: the bar whose close decided the entry.
        entry_time: the bar at whose open it was filled.
        exit_time: the bar in which it was closed: at its open for `time`, at its close for `end`, inside for the rest.
        entry_price, exit_price: fills, slippage included.
        stop, target: levels at the entry.
        reason: what closed it.
        gross_usd: result at the prices before slippage.
        fee_usd: fees of both fills, a liquidation's included; a maker's rebate makes it smaller.
        slippage_usd: lost to slippage in both fills.
        funding_usd: received; negative when paid.
        funding_known: no settlement was missing while it was open.
        mark_known: the exchange's mark price was there for every bar.
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
        """What the account gained: gross - fees - slippage + funding."""
        return self.gross_usd - self.fee_usd - self.slippage_usd + self.funding_usd

    @property
    def value_usd(self) -> float:
        """Value of the position at its entry."""
        return self.quantity * self.entry_price

    @property
    def net_return(self) -> float:
        """Net result as a fraction of the position's value at its entry, leverage left out."""
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
            "stop": self.stop,
            "target": self.target,
            "reason": self.reason,
            "gross_usd": self.gross_usd,
            "fee_usd": self.fee_usd,
            "slippage_usd": self.slippage_usd,
            "funding_usd": self.funding_usd,
            "net_usd": self.net_usd,
            "funding_known": self.funding_known,
            "mark_known": self.mark_known,
        }
