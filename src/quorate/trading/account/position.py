"""Open positions and closed trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

from quorate.core.clock import iso_ms
from quorate.core.settings import CostSettings, ExitSettings
from quorate.trading.account.contract import Contract
from quorate.trading.account.costs import Fill, maker_fill, new_tuple, taker_fill
from quorate.trading.account.order import Order
from quorate.trading.account.sizing import Size

Reason = Literal["stop", "trailing", "target", "time", "liquidation", "end"]


@dataclass(slots=True)
class Position:
    """An open position; the account changes it.

    Attributes:
        order: that opened it.
        size: quantity, leverage, margin and levels at the entry.
        entry_time: open time in ms of the bar at whose open it filled.
        entry: the opening fill.
        stop: current stop; a trailing stop moves.
        mark: price of the last valuation.
        margin_left_usd: isolated margin less the funding paid and not received again; negative where unrealised profit
            paid for it.
        liquidation_price: mark price at which it is liquidated now; funding that is paid brings it nearer.
        funding_usd: funding received so far; negative when paid.
        funding_known, mark_known: whether complete for every bar so far.
    """

    order: Order
    size: Size
    entry_time: int
    entry: Fill
    stop: float
    mark: float
    margin_left_usd: float
    liquidation_price: float
    funding_usd: float = 0.0
    funding_known: bool = True
    mark_known: bool = True

    @classmethod
    def of(cls, order: Order, size: Size, time: int, entry: Fill) -> Self:
        """The position that a fill opens."""
        return cls(order, size, time, entry, size.stop, entry.reference_price, size.margin_usd, size.liquidation_price)

    @property
    def symbol(self) -> str:
        return self.order.symbol

    @property
    def side(self) -> int:
        """1 long, -1 short."""
        return self.order.side

    @property
    def unrealised_usd(self) -> float:
        """Profit at the last valuation, without the costs of closing; a loss is at most the margin that is left."""
        profit = self.order.side * self.size.quantity * (self.mark - self.entry.price)
        return profit if profit > -self.margin_left_usd else -self.margin_left_usd

    def funding(self, rate: float, price: float, contract: Contract) -> tuple[float, float]:
        """Cash received in a settlement, and the liquidation price after it.

        It is paid from the margin and unrealised profit, at most all of them, and brings the liquidation nearer; what
        is received restores the margin first.
        """
        side, size, entry_price = self.order.side, self.size, self.entry.price
        quantity, left = size.quantity, self.margin_left_usd
        worth = left + side * quantity * (price - entry_price)
        cash = max(-side * quantity * price * rate, -max(0.0, worth))
        left += cash
        if left < size.margin_usd and not contract.spot:
            return cash, contract.tiers.liquidation_price(side, quantity, entry_price, left)
        return cash, size.liquidation_price

    def exit_fill(self, price: float, reason: Reason, costs: CostSettings, exits: ExitSettings) -> Fill:
        """The fill of an exit at this price before slippage, within the margin that is left."""
        quantity = self.size.quantity
        if reason == "liquidation":
            fill = Fill(price, price, quantity * price * costs.liquidation_fee, 0.0)
        elif reason == "target" and exits.maker_target:
            fill = maker_fill(price, quantity, costs)
        else:
            fill = taker_fill(price, -self.order.side, quantity, costs)
        return self.isolated(fill)

    def isolated(self, fill: Fill) -> Fill:
        """An exit fill whose loss, fee included, is at most the margin that is left.

        A price beyond that of bankruptcy, at which the margin is lost, is replaced by it.
        """
        side, quantity = self.order.side, self.size.quantity
        left_usd = self.margin_left_usd + side * quantity * (fill.price - self.entry.price)
        if left_usd >= fill.fee_usd and left_usd >= 0:
            return fill
        price, reference, fee_usd, _ = fill
        if left_usd < 0:
            bankruptcy = max(0.0, self.entry.price - side * self.margin_left_usd / quantity)
            fee_usd *= bankruptcy / price
            price, left_usd = bankruptcy, 0.0
            reference = side * max(side * reference, side * bankruptcy)
        return Fill(price, reference, min(fee_usd, left_usd), quantity * abs(price - reference))

    def trade(self, time: int, reason: Reason, fill: Fill) -> Trade:
        """The trade that this exit fill, in the bar at `time`, makes of the position."""
        symbol, side, decided, _, confidence, _, _, _ = self.order
        quantity, leverage, margin_usd, stop, target, _ = self.size
        entry_price, entry_reference, entry_fee, entry_slippage = self.entry
        price, reference, fee, slippage = fill
        return new_tuple(
            Trade,
            (
                symbol,
                side,
                quantity,
                leverage,
                margin_usd,
                confidence,
                decided,
                self.entry_time,
                entry_price,
                time,
                price,
                stop,
                target,
                reason,
                side * quantity * (reference - entry_reference),  # gross_usd
                entry_fee + fee,
                entry_slippage + slippage,
                self.funding_usd,
                self.funding_known,
                self.mark_known,
            ),
        )


class Trade(NamedTuple):
    """A closed position. Prices in quote units, quantity in base units, times are open times of bars in ms.

    Attributes:
        side: 1 long, -1 short.
        decided: bar at whose close the entry was decided.
        entry_time: bar at whose open it filled.
        exit_time: bar in which it closed: at its open for `time`, at its close for `end`, inside for other reasons. At
            a bar from which on prices are at another scale: before it, at the last close, for `end`.
        entry_price, exit_price: fills, slippage included.
        stop, target: levels at the entry.
        reason: of the exit.
        gross_usd: result at the prices before slippage.
        fee_usd: fees of both fills, including that of a liquidation, less maker rebates.
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
