"""SELL, HOLD or BUY by the return over the next bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.errors import TargetError
from quorate.core.types import Action, Candles
from quorate.targets.labels import Labels
from quorate.targets.returns import forward_return, has_future, horizon_end


@dataclass(frozen=True, slots=True)
class ForwardClass:
    """BUY where the return over `horizon` bars is above `band`, SELL where below -`band`, else HOLD.

    Args:
        horizon: bars ahead, at least 1.
        band: a fraction, at least 0; a return of exactly the band is HOLD.

    Raises:
        TargetError: a horizon or band out of range.

    >>> hour = 3_600_000
    >>> close = np.array([100.0, 101.0, 101.2, 100.0])
    >>> candles = Candles("BTC/USDT", "1h", hour * np.arange(4), close, close, close, close, np.ones(4))
    >>> labels = ForwardClass(horizon=1, band=0.005).label(candles)
    >>> labels.y, labels.known
    (array([2, 1, 0, 1], dtype=int8), array([ True,  True,  True, False]))
    """

    horizon: int = 5
    band: float = 0.005

    def __post_init__(self) -> None:
        if self.horizon < 1 or not 0 <= self.band < np.inf:
            raise TargetError(
                "label classes",
                found=f"horizon {self.horizon}, band {self.band}",
                expected="a horizon of at least 1 bar and a band of at least 0",
            )

    def label(self, candles: Candles) -> Labels:
        """Labels of n bars; where the next `horizon` bars are not all there, none (y is then HOLD, known False)."""
        earned = forward_return(candles, self.horizon)
        y = np.full(len(candles), Action.HOLD, np.int8)
        y[earned > self.band] = Action.BUY
        y[earned < -self.band] = Action.SELL
        return Labels(y, has_future(candles, self.horizon), horizon_end(candles, self.horizon), earned)
