"""Targets of many markets at one open: first what is reduced, then what is added."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from quorate.core.errors import TradingError
from quorate.trading.account.account import Account, BarOf
from quorate.trading.account.bar import Bar
from quorate.trading.account.costs import slipped
from quorate.trading.account.events import Unfilled
from quorate.trading.account.order import Refusal, TargetOrder
from quorate.trading.account.rebalancing.adjustment import Backing, addition, below_minimum, increased, reduced

#: Why nothing may be added to a market's position now; None where it may.
Stopped = Callable[[TargetOrder], Refusal | None]


class _Wanted(NamedTuple):
    """A target that may be filled: whole lots, negative for a short."""

    order: TargetOrder
    bar: Bar
    quantity: float


def rebalance(
    account: Account, time: int, bar_of: BarOf, targets: Iterable[TargetOrder], stopped: Stopped | None = None
) -> float:
    """Trade the positions by target towards their targets at the open of the bars at `time`.

    Called after `Account.at_open` of the same bars. Reductions fill before what is added, each in order of symbol, so
    that their cash is there and the order of the targets changes nothing. A target on the other side closes the
    position and opens one there. Quantities are whole lots, rounded towards 0; a change below the exchange's minimum is
    left undone, but a position can always be closed. What is not filled is an `Unfilled` event with its reason.

    Markets without a target are left alone, as is a position whose mark price opens beyond its liquidation price: it is
    liquidated by `Account.at_close`. On cross margin all positions are valued at the open first, as their profits and
    losses are margin; nothing is traded where the account has just been liquidated.

    Args:
        account: that trades.
        time: open time in ms.
        bar_of: symbol -> the bar at `time`, or None without one; only its open is used.
        targets: at most one a market.
        stopped: asked before something is added, after all reductions; None for no further limits.

    Returns:
        Value traded, at the fills.

    Raises:
        TradingError: two targets of one market, or a quantity that is not finite.
    """
    if account.cross:
        if account.liquidated == time:
            refuse_targets(account, targets, "liquidated")
            return 0.0
        _value(account, bar_of)
    wanted: list[_Wanted] = []
    for order in _sorted(targets):
        bar = bar_of(order.symbol)
        refusal = _refusal(account, order, bar)
        if refusal is None and bar is not None:
            size = math.copysign(account.contract(order.symbol).round_quantity(abs(order.quantity)), order.quantity)
            wanted.append(_Wanted(order, bar, size))
        else:
            _leave(account, order, order.quantity - _held(account, order.symbol), refusal or "no_next_bar")
    traded = 0.0
    for target in wanted:
        traded += _reduce(account, time, target)
    for target in wanted:
        traded += _add(account, time, target, stopped)
    return traded


def _value(account: Account, bar_of: BarOf) -> None:
    """Value the positions at the open."""
    for symbol, position in account.positions.items():
        bar = bar_of(symbol)
        if bar is not None and not bar.rescaled and bar.open > 0:
            position.mark = bar.open


def refuse_targets(account: Account, targets: Iterable[TargetOrder], reason: Refusal) -> None:
    """Leave targets unfilled; errors as of `rebalance`."""
    for order in _sorted(targets):
        _leave(account, order, order.quantity - _held(account, order.symbol), reason)


def _refusal(account: Account, order: TargetOrder, bar: Bar | None) -> Refusal | None:
    """Why nothing is traded for a target; None where it may be."""
    position = account.positions.get(order.symbol)
    if position is not None and not position.targeted:
        return "in_position"
    if bar is None or not bar.open > 0:
        return "no_next_bar"
    if bar.rescaled:
        return "new_scale"
    if position is None or position.cross:
        return None
    return "liquidated" if position.side * (bar.mark_open - position.liquidation_price) <= 0 else None


def _reduce(account: Account, time: int, target: _Wanted) -> float:
    """Close what a target does not want; the value traded."""
    order, bar, quantity = target
    position = account.positions.get(order.symbol)
    if position is None or (kept := position.side * quantity) >= position.size.quantity:
        return 0.0
    contract, costs = account.contract(order.symbol), account.costs
    if kept <= 0:
        position.funding_known &= bar.open_funding_known
        trade = account.close(order.symbol, time, bar.open, "rebalance")
        return trade.quantity * trade.exit_price
    leaving = contract.nearest_quantity(position.size.quantity - kept)
    if below_minimum(leaving, slipped(bar.open, -position.side, costs), contract, account.settings):
        if leaving > 0:
            _leave(account, order, -position.side * leaving, "below_minimum")
        return 0.0
    event = reduced(order, kept, time, bar.open, position, account, funding_known=bar.open_funding_known)
    account.take(event)
    return event.trade.quantity * event.exit.price


def _add(account: Account, time: int, target: _Wanted, stopped: Stopped | None) -> float:
    """Open or add what a target lacks; the value traded."""
    order, bar, quantity = target
    symbol, side = order.symbol, 1 if order.quantity > 0 else -1
    position, contract = account.positions.get(symbol), account.contract(symbol)
    missing = abs(quantity)
    if position is not None:
        missing = contract.nearest_quantity(missing - position.size.quantity)
        if missing <= 0:
            return 0.0
    elif order.quantity == 0:
        return 0.0
    refusal: Refusal | None = "spot_short" if side < 0 and contract.spot else None
    if refusal is None and missing == 0:
        refusal, missing = "below_minimum", abs(order.quantity)
    if refusal is None and stopped is not None:
        refusal = stopped(order)
    if refusal is not None:
        _leave(account, order, side * missing, refusal)
        return 0.0
    costs, cross = account.costs, account.cross
    price = slipped(bar.open, side, costs)
    backing = Backing.of(position, _room(account), bar.open, side, costs, cross=cross)
    added = addition(missing, bar.open if cross else price, backing, contract, account.settings)
    if added.quantity > 0:
        account.take(increased(order, added, time, bar.open, position, contract, costs, cross=cross))
    if added.limit is not None:
        _leave(account, order, side * contract.nearest_quantity(missing - added.quantity), added.limit)
    return added.quantity * price


def _room(account: Account) -> float:
    """What may become margin: the free margin, and what is left of the capital."""
    free, capital = account.free_usd, account.settings.capital_usd
    return min(free, capital - account.margin_usd) if capital else free


def _held(account: Account, symbol: str) -> float:
    position = account.positions.get(symbol)
    return 0.0 if position is None else position.signed_quantity


def _leave(account: Account, order: TargetOrder, quantity: float, reason: Refusal) -> None:
    account.take(Unfilled(order, quantity, reason))


def _sorted(targets: Iterable[TargetOrder]) -> list[TargetOrder]:
    """By symbol.

    Raises:
        TradingError: two of one market, or a quantity that is not finite.
    """
    ordered = sorted(targets)
    for number, order in enumerate(ordered):
        if not math.isfinite(order.quantity):
            raise TradingError(
                f"trade towards a target in {order.symbol}",
                found=f"a quantity of {order.quantity}",
                expected="a finite number of base units",
            )
        if number and ordered[number - 1].symbol == order.symbol:
            raise TradingError(
                f"trade towards a target in {order.symbol}", found="two targets", expected="one a market at each open"
            )
    return ordered
