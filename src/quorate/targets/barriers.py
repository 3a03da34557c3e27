"""Triple-barrier labels: take profit, stop loss or timeout, whichever is reached first.

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
    """BUY where a high reaches the take before a low reaches the stop, SELL the other way round, else HOLD.

    A bar that reaches both counts as the stop, since the order within a bar is unknown.

    Args:
        take: distance of the take above the close, above 0.
        stop: distance of the stop below the close, above 0.
        timeout: maximum number of bars, at least 1.
        unit: of the distances, "return" (fractions) or "volatility" (multiples of this symbol's at this bar, over
            `timeout` bars; see `move_size`).

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
                "define triple-barrier labels",
                found=f"`take` {self.take}, `stop` {self.stop}, `timeout` {self.timeout}",
                expected="distances above 0 and a timeout of at least 1 bar",
            )

    @property
    def horizon(self) -> int:
        """Maximum number of bars that a label looks ahead."""
        return self.timeout

    def label(self, candles: Candles) -> Labels:
        """Label n bars; unknown where one of the next `timeout` bars is missing, or the unit is NaN or 0.

        The span of a label ends with the bar that reached a barrier. Its return is that of a long that exits at the
        barrier, or at the open of a bar that opens beyond it.
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
            for reached, action, barrier, beyond in (
                (stopped, Action.SELL, stop, np.minimum),
                (taken, Action.BUY, take, np.maximum),
            ):
                rows = waiting[reached]
                y[rows] = action
                earned[rows] = beyond(barrier[rows], candles.open[rows + ahead]) / candles.close[rows] - 1
                span_end[rows] = candles.time[rows] + ahead * timeframe_ms(candles.timeframe)
            waiting = waiting[~(stopped | taken)]
        return Labels(y, known, span_end, earned)
