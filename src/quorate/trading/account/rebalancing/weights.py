"""Weights of positions: signed fractions of the equity, from what is held and towards quantities."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping

from quorate.core.clock import format_ms
from quorate.core.errors import TradingError, close_match
from quorate.trading.account.account import Account
from quorate.trading.account.order import TargetOrder

#: (open time in ms of the bar that has just closed, equity at that close, symbol -> weight held) -> symbol -> target
#: weight; None where nothing is to change.
DecideWeights = Callable[[int, float, Mapping[str, float]], Mapping[str, float] | None]


def held_weights(account: Account) -> dict[str, float]:
    """Symbol -> value of its position at the last valuation as a signed fraction of equity; empty without equity."""
    equity = account.equity_usd
    if not equity > 0:
        return {}
    return {
        symbol: position.order.side * position.size.quantity * position.mark / equity
        for symbol, position in account.positions.items()
    }


def weight_orders(
    account: Account,
    time: int,
    wanted: Mapping[str, float],
    known: Collection[str],
    close_of: Callable[[str], float | None],
) -> tuple[list[TargetOrder], list[str]]:
    """Quantities of weights at the closes of the bars at `time`; 0 of what is held and not named.

    Args:
        account: after that close.
        time: open time in ms of the bars after which was decided.
        wanted: symbol -> target weight.
        known: symbols that may be held.
        close_of: symbol -> its last close; None before its first.

    Returns:
        The targets, and the markets whose price is unknown yet.

    Raises:
        TradingError: a weight that is not finite, or of another market.
    """
    equity, unknown = account.equity_usd, []
    targets = [TargetOrder(symbol, time, 0.0) for symbol in account.positions if symbol not in wanted]
    for symbol, weight in wanted.items():
        if symbol not in known:
            raise TradingError(
                f"trade the weights decided on {format_ms(time)}",
                found=f"a weight of {symbol}",
                expected="weights of the markets of the run",
                remedy=close_match(symbol, known),
            )
        if not math.isfinite(weight):
            raise TradingError(
                f"trade the weights decided on {format_ms(time)}",
                found=f"a weight of {weight} of {symbol}",
                expected="a finite fraction of equity",
            )
        if weight == 0 and symbol not in account.positions:
            continue
        close = close_of(symbol)
        if close is None:
            unknown.append(symbol)
        else:
            targets.append(TargetOrder(symbol, time, weight * equity / close))
    return targets, unknown
