"""Which comes first: the target, the stop, or the end of patience.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import TargetError
from quorate.core.types import Action, Candles
from quorate.targets.labels import Labels
from quorate.targets.returns import forward_return, has_future, horizon_end
from quorate.targets.units import Unit, move_size, require_unit


@dataclass(frozen=True, slots=True)
class TripleBarrier:
    """BUY where a high reaches the take before a low reaches the stop, SELL the other way, HOLD where neither comes.

    A bar that touches both counts as the stop: nobody knows which came first.

    Args:
        take: distance of the take above the close, above 0.
        stop: distance of the stop below the close, above 0.
        timeout: bars after which the wait ends, at least 1.
        unit: what the distances are measured in, "return" (a fraction) or "volatility" (of this symbol, at this bar,
            over `timeout` bars; see `move_size`).

    Raises:
        TargetError: a distance, timeout or unit out of range.
    """

    take: float
    stop: float
    timeout: int
    unit: Unit = "return"

    def __post_init__(self) -> None:
        require_unit(self.unit)
        if not (0 < self.take < np.inf and 0 < self.stop < np.inf and self.timeout >= 1):
            raise TargetError(
                "label barriers",
                found=f"take {self.take}, stop {self.stop}, timeout {self.timeout}",
                expected="distances above 0 and a timeout of at least 1 bar",
            )

    @property
    def horizon(self) -> int:
        """The most bars that a label looks ahead."""
        return self.timeout

    def label(self, candles: Candles) -> Labels:
        """Labels of n bars: none where the next `timeout` bars are not all there, or the unit is not known or 0.

        A label's span ends with the bar that touched, so it may be shorter than the timeout. Its return is that of a
        long which leaves at the barrier, or at the open of a bar that opens beyond it.
        """
        size = move_size(candles, self.timeout, self.unit)
        known = has_future(candles, self.timeout) & (size > 0)
        y = np.full(len(candles), Action.HOLD, np.int8)
        span_end = horizon_end(candles, self.timeout)
        earned = np.where(known, forward_return(candles, self.timeout), np.nan)
        take, stop = candles.close * (1 + self.take * size), candles.close * (1 - self.stop * size)
        waiting = np.flatnonzero(known)
        for ahead in range(1, self.timeout + 1):
            bar = waiting + ahead
            stopped = candles.low[bar] <= stop[waiting]
            taken = ~stopped & (candles.high[bar] >= take[waiting])
            for touched, action, barrier, beyond in (
                (stopped, Action.SELL, stop, np.minimum),
                (taken, Action.BUY, take, np.maximum),
            ):
                rows = waiting[touched]
                y[rows] = action
                earned[rows] = beyond(barrier[rows], candles.open[rows + ahead]) / candles.close[rows] - 1
                span_end[rows] = candles.time[rows] + ahead * timeframe_ms(candles.timeframe)
            waiting = waiting[~(stopped | taken)]
        return Labels(y, known, span_end, earned)
