"""Exits of a position: the first level that a bar reaches, and the next trailing stop."""

from __future__ import annotations

from typing import NamedTuple

from quorate.core.settings import ExitSettings
from quorate.trading.account.bar import Bar
from quorate.trading.account.contract import Contract
from quorate.trading.account.levels import stop_price
from quorate.trading.account.position import Position
from quorate.trading.account.trade import Reason


class Exit(NamedTuple):
    """A level that was reached, and its price before slippage."""

    reason: Reason
    price: float


def ended_at_open(position: Position, mark_open: float, last_open: float) -> Exit:
    """The exit of a position that is due at an open: its liquidation where the mark price opens beyond it."""
    if position.order.side * (mark_open - position.liquidation_price) <= 0:
        return Exit("liquidation", mark_open)
    return Exit("time", last_open)


def reached(position: Position, bar: Bar, settings: ExitSettings) -> Exit | None:
    """The exit inside this bar; None without one.

    The order of prices inside a bar is unknown, so the worst is assumed: the stop before the target, and a fill at the
    open where the open is beyond the stop. The nearer of stop and liquidation comes first: the stop, unless funding has
    brought the liquidation nearer or the mark price opens beyond it.
    """
    side, stop = position.order.side, position.stop
    target, liquidation = position.size.target, position.liquidation_price
    # Negated prices make the comparisons of a short those of a long: its `low` is `-high`.
    if side > 0:
        low, high, mark_low = bar.low, bar.high, bar.mark_low
    else:
        low, high, mark_low = -bar.high, -bar.low, -bar.mark_high
        stop, target, liquidation = -stop, -target, -liquidation
    if side * bar.mark_open <= liquidation:
        return Exit("liquidation", bar.mark_open)
    if side * bar.open <= stop:
        return Exit(_stopped(position), bar.open)
    if side * bar.open >= target and not settings.maker_target:
        return Exit("target", bar.open)
    if low <= stop and (liquidation <= stop or mark_low > liquidation):
        return Exit(_stopped(position), position.stop)
    if mark_low <= liquidation:
        return Exit("liquidation", position.liquidation_price)
    if high > target or (high == target and not settings.maker_target):
        return Exit("target", position.size.target)
    return None


def trailed_stop(position: Position, bar: Bar, settings: ExitSettings, contract: Contract) -> float:
    """The trailing stop after this bar has closed: at a distance from the best price, on whole ticks, never back.

    It moves between bars only, since the order of high and low inside a bar is unknown.
    """
    distance = settings.trail_atr * position.order.atr
    if position.order.side > 0:
        return max(position.stop, stop_price(bar.high, 1, distance, contract))
    return min(position.stop, stop_price(bar.low, -1, distance, contract))


def _stopped(position: Position) -> Reason:
    return "stop" if position.stop == position.size.stop else "trailing"
