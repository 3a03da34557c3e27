"""Changes of one position towards a target: what is added, what leaves, and what the limits leave unfilled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, Self

from quorate.core.settings import AccountSettings, CostSettings
from quorate.trading.account.account import Account
from quorate.trading.account.contract import Contract
from quorate.trading.account.costs import Fill, taker_fill
from quorate.trading.account.events import Increased, Reduced
from quorate.trading.account.order import Refusal, TargetOrder
from quorate.trading.account.position import Holding, Position, held
from quorate.trading.account.sizing import Size


class Addition(NamedTuple):
    """What an account may add to a position.

    Attributes:
        quantity: base units, whole lots; 0 where nothing may be added.
        leverage: maximum for the whole position.
        limit: why it is less than was wanted; None where it is not.
    """

    quantity: float
    leverage: float
    limit: Refusal | None


class Backing(NamedTuple):
    """What backs a position before something is added to it.

    Attributes:
        value_usd: of the position at its entry prices; on cross margin at the open.
        margin_usd: of the position.
        room_usd: what may become margin and pay costs.
        cost: of each unit of value added: the fee; on cross margin, where the open is the price, the slippage too.
    """

    value_usd: float
    margin_usd: float
    room_usd: float
    cost: float

    @classmethod
    def of(
        cls, position: Position | None, room_usd: float, price: float, side: int, costs: CostSettings, *, cross: bool
    ) -> Self:
        """Of an addition on a side at a price before slippage."""
        fee, slippage = costs.taker_fee, costs.slippage
        cost = fee * (1 + side * slippage) + slippage if cross else fee
        if position is None:
            return cls(0.0, 0.0, room_usd, cost)
        return cls(
            position.size.quantity * (price if cross else position.entry.price), position.margin_usd, room_usd, cost
        )


def addition(wanted: float, price: float, backing: Backing, contract: Contract, account: AccountSettings) -> Addition:
    """How much of a wanted quantity the free margin, the exchange's tiers, lots and minima allow.

    After it, the position's margin is at least its value divided by the leverage that the tiers allow for that value,
    at most the account's. A greater value may be allowed less leverage: as much is added as there is margin for. The
    number of positions is no limit: it shares the equity out among entries of equal rank, while
    targets come with their own shares.

    Args:
        wanted: base units to add, whole lots.
        price: of the fill, slippage included; on cross margin of the open.
        backing: of the position before.
        contract: the market's rules.
        account: maximum leverage and minimum order.
    """
    value_before, margin_before, room_usd, cost = backing
    value, leverage = 0.0, 0.0
    for allowed, most_usd in _leverages(contract, account):
        # Margin for what is added and its costs; where the leverage falls, also what the rest of the position lacks.
        lacking = max(0.0, value_before / allowed - margin_before)
        possible = min((room_usd - lacking) / (1 / allowed + cost), most_usd - value_before)
        if possible >= wanted * price:
            return _whole(wanted, price, allowed, None, contract, account)
        if possible > value or not leverage:
            value, leverage = possible, allowed
    full = value_before + max(value, 0.0) >= contract.tiers.most_usd * (1 - 1e-12) and not contract.spot
    return _whole(max(0.0, value) / price, price, leverage, "no_tier" if full else "no_margin", contract, account)


def _leverages(contract: Contract, account: AccountSettings) -> Iterator[tuple[float, float]]:
    """Leverages that a position may have, falling, each with the maximum value at it."""
    if contract.spot:
        yield 1.0, math.inf
        return
    lower = sorted({tier.leverage for tier in contract.tiers.rows if tier.leverage < account.leverage}, reverse=True)
    for leverage in (account.leverage, *lower):
        most_usd = contract.tiers.most_at(leverage)
        if most_usd > 0:
            yield leverage, most_usd


def _whole(
    quantity: float,
    price: float,
    leverage: float,
    limit: Refusal | None,
    contract: Contract,
    account: AccountSettings,
) -> Addition:
    """A quantity in whole lots; 0 where it is below the minimum."""
    if limit is not None:
        quantity = contract.round_quantity(quantity)
    if below_minimum(quantity, price, contract, account):
        return Addition(0.0, leverage, limit or "below_minimum")
    return Addition(quantity, leverage, limit)


def below_minimum(quantity: float, price: float, contract: Contract, account: AccountSettings) -> bool:
    """Whether an order is less than one lot or the exchange's minimum order."""
    least_usd = contract.minimum_usd or account.minimum_usd
    return quantity <= 0 or quantity < contract.minimum_amount or quantity * price < least_usd


def increased(
    order: TargetOrder,
    added: Addition,
    time: int,
    price: float,
    position: Position | None,
    contract: Contract,
    costs: CostSettings,
    *,
    cross: bool = False,
) -> Increased:
    """The event of adding a quantity, more than 0, at a price before slippage; to a position on cross margin or not."""
    side, quantity, leverage = 1 if order.quantity > 0 else -1, added.quantity, added.leverage
    fill = taker_fill(price, side, quantity, costs)
    value, entry, margin_before, left, funding, whole = quantity * fill.price, fill, 0.0, 0.0, 0.0, quantity
    if position is not None:
        old, entry_before, margin_before = position.size.quantity, position.entry, position.size.margin_usd
        left, funding, whole = position.margin_left_usd, position.funding_usd, contract.nearest_quantity(old + quantity)
        value += old * entry_before.price
        entry = Fill(
            value / whole,
            (old * entry_before.reference_price + quantity * price) / whole,
            entry_before.fee_usd + fill.fee_usd,
            entry_before.slippage_usd + fill.slippage_usd,
        )
    if cross:
        margin = whole * price / leverage
        size = Size(whole, leverage, margin, math.nan, math.nan, 0.0)
        return Increased(order, time, fill, quantity, held(side, size, entry, margin, funding, None))
    # A position that was opened at a lower leverage keeps its margin.
    margin = max(margin_before + quantity * fill.price / leverage, value / leverage)
    size = Size(whole, value / margin, margin, math.nan, math.nan, 0.0)
    holding: Holding = held(side, size, entry, left + (margin - margin_before), funding, contract)
    return Increased(order, time, fill, quantity, holding)


def reduced(
    order: TargetOrder,
    kept: float,
    time: int,
    price: float,
    position: Position,
    account: Account,
    *,
    funding_known: bool,
) -> Reduced:
    """The event of reducing a position to a quantity at a price before slippage.

    Args:
        order: the target.
        kept: base units, whole lots, more than 0 and less than are held.
        time: open time of the bar in ms.
        price: its open.
        position: that is reduced.
        account: that holds it.
        funding_known: whether no settlement is missing up to this open since the last bar.
    """
    part, rest = position.split(kept, account.contract(order.symbol))
    part.funding_known &= funding_known
    fill = account.within(part, part.exit_fill(price, "rebalance", account.costs, account.exits))
    return Reduced(order, part.trade(time, "rebalance", fill), fill, rest)
