"""Class labels: SELL, HOLD or BUY by the forward return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.errors import TargetError
from quorate.core.sections.learning import TargetSettings
from quorate.core.types import Action, Candles
from quorate.targets.labels import Labels
from quorate.targets.returns import forward_return, horizon_end
from quorate.targets.units import Unit, move_size, require_unit

_DEFAULT = TargetSettings()


@dataclass(frozen=True, slots=True)
class ForwardClass:
    """BUY where the return over `horizon` bars is above the band, SELL where below its negative, else HOLD.

    Args:
        horizon: bars ahead, at least 1.
        band: at least 0; a return of exactly the band is HOLD.
        unit: of the band, "return" (a fraction) or "volatility" (multiples of this symbol's at this bar, over the
            horizon; see `move_size`).

    Raises:
        TargetError: a horizon, band or unit out of range.

    >>> hour = 3_600_000
    >>> close = np.array([100.0, 101.0, 101.2, 100.0])
    >>> candles = Candles("BTC/USDT", "1h", hour * np.arange(4), close, close, close, close, np.ones(4))
    >>> labels = ForwardClass(horizon=1, band=0.005).label(candles)
    >>> labels.y, labels.known
    (array([2, 1, 0, 1], dtype=int8), array([ True,  True,  True, False]))
    """

    horizon: int = _DEFAULT.horizon
    band: float = _DEFAULT.band
    unit: Unit = "return"

    def __post_init__(self) -> None:
        require_unit(self.unit)
        if self.horizon < 1 or not 0 <= self.band < np.inf:
            raise TargetError(
                "define class labels",
                found=f"`horizon` {self.horizon}, `band` {self.band}",
                expected="a horizon of at least 1 bar and a band of at least 0",
            )

    def label(self, candles: Candles) -> Labels:
        """Label n bars; unknown where one of the next `horizon` bars is missing, or the unit is NaN."""
        band = self.band * move_size(candles, self.horizon, self.unit)
        earned = forward_return(candles, self.horizon)
        y = np.full(len(candles), Action.HOLD, np.int8)
        y[earned > band] = Action.BUY
        y[earned < -band] = Action.SELL
        known = np.isfinite(earned) & np.isfinite(band)
        earned[~known] = np.nan
        return Labels(y, known, horizon_end(candles, self.horizon), earned)
