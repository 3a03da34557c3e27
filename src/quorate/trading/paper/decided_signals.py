"""Signals on bars that have just closed, as the journal keeps them, and the orders that they ask for."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence

from quorate.core.errors import QuorateError
from quorate.core.types import Action, Candles, Signal
from quorate.features import Bars, atr_14
from quorate.trading.account.order import Order
from quorate.trading.engine import BarInputs
from quorate.trading.journal import records

_log = logging.getLogger(__name__)

Decide = Callable[[Sequence[Candles], int], list[Signal]]


def ask(decide: Decide, markets: Sequence[Candles], moment: int) -> list[Signal]:
    """A decision for every market; one that cannot be decided is left out, and said.

    Args:
        decide: who decides, of many markets at once.
        markets: their newest candle has just closed.
        moment: ms at which it closed.
    """
    if not markets:
        return []
    try:
        return decide(markets, moment)
    except QuorateError as error:
        _log.warning("not decided all at once: %s", error)
    signals = []
    for candles in markets:
        try:
            signals += decide([candles], moment)
        except QuorateError as error:
            _log.error("%s: not decided: %s", candles.symbol, error)
    return signals


def hear(signals: Sequence[Signal], time: int) -> list[BarInputs]:
    """What the guards hear of the signals on the bars at `time`, with what is written down of each."""
    return [
        BarInputs(
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


def orders(
    signals: Sequence[Signal], candles: Mapping[str, Candles], time: int, length_ms: int, holding_bars: int
) -> list[Order]:
    """The entries that the signals ask for, the most confident first, then by symbol.

    Args:
        signals: one a market, on the bars at `time`.
        candles: market -> closed candles, the newest the bar at `time`.
        time: open time in ms.
        length_ms: of a bar.
        holding_bars: the longest that a position lasts.
    """
    wanted = []
    for signal in signals:
        if signal.action == Action.HOLD:
            continue
        chances = signal.probabilities
        wanted.append(
            Order(
                symbol=signal.symbol,
                side=1 if signal.action == Action.BUY else -1,
                decided=time,
                due=time + (1 + holding_bars) * length_ms,
                confidence=signal.confidence if math.isfinite(signal.confidence) else 0.0,
                atr=float(atr_14(Bars(candles[signal.symbol]))[-1]),
                probability=math.nan if chances is None else chances[signal.action],
            )
        )
    return sorted(wanted, key=lambda order: (-order.confidence, order.symbol))
