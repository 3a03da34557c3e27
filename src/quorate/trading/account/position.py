"""Open positions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from quorate.core.settings import CostSettings, ExitSettings
from quorate.trading.account.contract import Contract
from quorate.trading.account.costs import Fill, maker_fill, new_tuple, taker_fill
from quorate.trading.account.order import NEVER, Order, TargetOrder
from quorate.trading.account.sizing import Size
from quorate.trading.account.trade import Reason, Trade


class Holding(NamedTuple):
    """Figures of a position after a change of its quantity.

    Attributes:
        size: quantity, margin, leverage and liquidation price at the whole margin; no stop and no target.
        entry: average prices and the sums of fees and slippage of what is still held.
        margin_left_usd, liquidation_price, funding_usd: as in `Position`; on cross margin the whole margin and 0.
    """

    size: Size
    entry: Fill
    margin_left_usd: float
    liquidation_price: float
    funding_usd: float


@dataclass(slots=True)
class Position:
    """An open position; the account changes it.

    A position by target is changed by later orders. It has no time exit, no stop and no target; both prices are NaN.
    On cross margin the whole equity backs it: it has no liquidation price of its own, and its losses have no limit.

    Attributes:
        order: that opened it. That of a position by target is never due and has the confidence 1.
        size: quantity, leverage, margin and levels at the entry, or after the last change.
        entry_time: open time in ms of the bar at whose open it filled.
        entry: the opening fill; after changes, the average prices and summed costs of what is still held.
        stop: current stop; a trailing stop moves.
        mark: price of the last valuation.
        margin_left_usd: isolated margin less the funding paid and not received again; negative where unrealised profit
            paid for it.
        liquidation_price: mark price at which it is liquidated now; funding that is paid brings it nearer. 0 where
            there is none.
        funding_usd: funding received so far; negative when paid.
        funding_known, mark_known: whether complete for every bar so far.
        cross: whether it is on cross margin.
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
    cross: bool = False

    @classmethod
    def of(cls, order: Order, size: Size, time: int, entry: Fill) -> Self:
        """The position that a fill opens."""
        return cls(order, size, time, entry, size.stop, entry.reference_price, size.margin_usd, size.liquidation_price)

    @classmethod
    def by_target(cls, target: TargetOrder, time: int, holding: Holding, *, cross: bool = False) -> Self:
        """The position that the fill of a target opens."""
        side = 1 if target.quantity > 0 else -1
        order = Order(target.symbol, side, target.decided, NEVER, confidence=1.0, atr=math.nan)
        price = holding.entry.reference_price
        return cls(order, holding.size, time, holding.entry, math.nan, price, *holding[2:], cross=cross)

    @property
    def symbol(self) -> str:
        return self.order.symbol

    @property
    def targeted(self) -> bool:
        """Whether it is a position by target."""
        return self.order.due == NEVER

    @property
    def signed_quantity(self) -> float:
        """Base units, negative for a short."""
        return self.order.side * self.size.quantity

    @property
    def side(self) -> int:
        """1 long, -1 short."""
        return self.order.side

    @property
    def unrealised_usd(self) -> float:
        """Profit at the last valuation, without the costs of closing; a loss is at most the margin that is left."""
        profit = self.order.side * self.size.quantity * (self.mark - self.entry.price)
        return profit if profit > -self.margin_left_usd or self.cross else -self.margin_left_usd

    @property
    def margin_usd(self) -> float:
        """Isolated margin, without funding; on cross margin the initial margin of its value at the last valuation."""
        return self.size.quantity * self.mark / self.size.leverage if self.cross else self.size.margin_usd

    def funding(self, rate: float, price: float, contract: Contract) -> tuple[float, float]:
        """Cash received in a settlement, and the liquidation price after it.

        It is paid from the margin and unrealised profit, at most all of them, and brings the liquidation nearer; what
        is received restores the margin first. On cross margin it is paid from the account, without a limit.
        """
        side, size, entry_price = self.order.side, self.size, self.entry.price
        quantity, left = size.quantity, self.margin_left_usd
        if self.cross:
            return -side * quantity * price * rate, 0.0
        worth = left + side * quantity * (price - entry_price)
        cash = max(-side * quantity * price * rate, -max(0.0, worth))
        left += cash
        if left < size.margin_usd and not contract.spot:
            return cash, contract.tiers.liquidation_price(side, quantity, entry_price, left)
        return cash, size.liquidation_price

    def change(self, holding: Holding, price: float) -> None:
        """Take the figures after a change, at this price before slippage."""
        self.size, self.entry, self.margin_left_usd, self.liquidation_price, self.funding_usd = holding
        self.mark = price

    def split(self, kept: float, contract: Contract) -> tuple[Position, Holding]:
        """The part that leaves, and the figures of the rest.

        Margin, funding and the costs of the entry are shared in proportion to the quantity.

        Args:
            kept: base units, more than 0 and less than are held.
            contract: the market's rules.
        """
        size, entry = self.size, self.entry
        quantity = contract.nearest_quantity(size.quantity - kept)
        share = quantity / size.quantity
        margin, left, funding = size.margin_usd * share, self.margin_left_usd * share, self.funding_usd * share
        fee, slippage = entry.fee_usd * share, entry.slippage_usd * share
        part = replace(
            self,
            size=size._replace(quantity=quantity, margin_usd=margin),
            entry=entry._replace(fee_usd=fee, slippage_usd=slippage),
            margin_left_usd=left,
            funding_usd=funding,
        )
        rest = held(
            self.order.side,
            size._replace(quantity=kept, margin_usd=size.margin_usd - margin),
            entry._replace(fee_usd=entry.fee_usd - fee, slippage_usd=entry.slippage_usd - slippage),
            self.margin_left_usd - left,
            self.funding_usd - funding,
            None if self.cross else contract,
        )
        return part, rest

    def exit_fill(self, price: float, reason: Reason, costs: CostSettings, exits: ExitSettings) -> Fill:
        """The fill of an exit at this price before slippage, within the margin that is left where it is isolated."""
        quantity = self.size.quantity
        if reason == "liquidation":
            fill = Fill(price, price, quantity * price * costs.liquidation_fee, 0.0)
        elif reason == "target" and exits.maker_target:
            fill = maker_fill(price, quantity, costs)
        else:
            fill = taker_fill(price, -self.order.side, quantity, costs)
        return fill if self.cross else self.isolated(fill)

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


def held(
    side: int, size: Size, entry: Fill, margin_left_usd: float, funding_usd: float, contract: Contract | None
) -> Holding:
    """Figures of a position with the liquidation prices at its whole margin and at what is left of it.

    Args:
        side: 1 long, -1 short.
        size: its liquidation price is replaced.
        entry: average prices.
        margin_left_usd: of the size's margin.
        funding_usd: received so far.
        contract: the market's rules; None on cross margin, which has no liquidation price.
    """
    if contract is None or contract.spot:
        return Holding(size, entry, margin_left_usd, size.liquidation_price, funding_usd)
    whole = contract.tiers.liquidation_price(side, size.quantity, entry.price, size.margin_usd)
    now = whole
    if margin_left_usd < size.margin_usd:
        now = contract.tiers.liquidation_price(side, size.quantity, entry.price, margin_left_usd)
    return Holding(size._replace(liquidation_price=whole), entry, margin_left_usd, now, funding_usd)
