"""Signals on bars that have just closed, their records for the journal, and their orders."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence

from quorate.core.errors import QuorateError
from quorate.core.types import Action, Candles, Signal
from quorate.trading.account.order import Order
from quorate.trading.account.orders import order_atr
from quorate.trading.decided_bar import DecidedBar
from quorate.trading.journal import records

_log = logging.getLogger(__name__)

#: Markets whose newest candle has just closed, and that time in ms -> a signal for each.
Decide = Callable[[Sequence[Candles], int], list[Signal]]


def decide_markets(decide: Decide, markets: Sequence[Candles], closed_at: int) -> list[Signal]:
    """The signal of every market; a market that fails is logged and left out.

    Args:
        decide: decides many markets at once.
        markets: with a candle that has just closed as the newest.
        closed_at: time of its close in ms.
    """
    if not markets:
        return []
    try:
        return decide(markets, closed_at)
    except QuorateError as error:
        _log.warning("deciding markets one by one, since deciding all at once failed: %s", error)
    signals = []
    for candles in markets:
        try:
            signals += decide([candles], closed_at)
        except QuorateError as error:
            _log.error("%s: no decision: %s", candles.symbol, error)
    return signals


def decided_bars(signals: Sequence[Signal], time: int) -> list[DecidedBar]:
    """The signals on the bars at `time` for the guards and the journal."""
    return [
        DecidedBar(
            signal.symbol,
            signal.action,
            signal.base,
            math.nan if signal.volatility is None else signal.volatility,
            records.DecidedRecord(
                time=time,
                symbol=signal.symbol,
                action=signal.action,
                confidence=signal.confidence,
                base=signal.base,
                consensus=signal.consensus,
                rule=signal.rule,
                line=signal.line(),
                volatility=signal.volatility,
                mode=signal.mode,
                votes=signal.votes,
                abstentions=signal.abstentions,
                forecasts=signal.forecasts,
                probabilities=signal.probabilities,
            ),
        )
        for signal in signals
    ]


def entry_orders(
    signals: Sequence[Signal], candles: Mapping[str, Candles], time: int, length_ms: int, holding_bars: int
) -> list[Order]:
    """Orders of the BUY and SELL signals, by descending confidence, then by symbol.

    Args:
        signals: one per market, on the bars at `time`.
        candles: market -> closed candles, of which the newest is the bar at `time`.
        time: open time in ms.
        length_ms: length of a bar.
        holding_bars: maximum number of bars that a position is held.
    """
    orders = []
    for signal in signals:
        if signal.action == Action.HOLD:
            continue
        probabilities = signal.probabilities
        orders.append(
            Order(
                symbol=signal.symbol,
                side=1 if signal.action == Action.BUY else -1,
                decided=time,
                due=time + (1 + holding_bars) * length_ms,
                confidence=signal.confidence if math.isfinite(signal.confidence) else 0.0,
                atr=float(order_atr(candles[signal.symbol])[-1]),
                probability=math.nan if probabilities is None else probabilities[signal.action],
            )
        )
    return sorted(orders, key=lambda order: (-order.confidence, order.symbol))
