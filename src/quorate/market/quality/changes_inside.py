"""Bars that open at one price scale and close at another: a redenomination while the bar ran.

Such a bar is a suspicion only. A market that loses four fifths of its price within a bar looks the same until later
bars are known, and those are not known when an account has to act. So nothing but a check of files uses this: it tells
the user, who knows whether the market was redenominated, and can leave the bar out with `quorate data split`.
"""

from __future__ import annotations

from math import log

import numpy as np

from quorate.core.scale_changes import ADJACENT, MOVES, ScaleChange
from quorate.core.types import BarColumns

# Closes before a bar whose median move is the market's volatility there, and the least number for which it is known.
_NEWEST, _LEAST = 200, 20

# Bars on each side of it that have to be at its old and its new scale: a spike and a crash go back or on within them.
_NEAR = 3


def changes_inside(bars: BarColumns) -> tuple[ScaleChange, ...]:
    """Find the bars inside which the price scale seems to change.

    The close is at least `ADJACENT` times the open, or the inverse; that exceeds `MOVES` median close-to-close moves of
    the bars before, once these are known; the closes of three bars before are nearer to the bar's open than half that
    way, and those of up to three bars after to its close. A bar with no bar after it is none yet.

    Args:
        bars: of one market, sorted by time, prices above 0.

    Returns:
        The bars, oldest first; the factor is close over open.
    """
    moves = np.log(bars.close / bars.open)
    found = []
    for bar in np.flatnonzero(np.abs(moves) >= log(ADJACENT) - 1e-9).tolist():
        earlier, later = bars.close[max(0, bar - _NEWEST) : bar], bars.close[bar + 1 : bar + 1 + _NEAR]
        if len(earlier) <= _LEAST or not len(later):
            continue
        size = abs(float(moves[bar]))
        usual = float(np.median(np.abs(np.diff(np.log(earlier)))))
        apart = np.log(np.concatenate([earlier[-_NEAR:] / bars.open[bar], later / bars.close[bar]]))
        if size > MOVES * usual and np.abs(apart).max() < size / 2:
            found.append(ScaleChange(bar, int(bars.time[bar]), float(bars.close[bar] / bars.open[bar]), 0))
    return tuple(found)
