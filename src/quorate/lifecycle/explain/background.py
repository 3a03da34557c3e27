"""The bars that an explained bar is compared with: earlier ones of the same market.

They are drawn from the bars that the prediction itself reads, so that wherever a signal is computed it can be
explained. A Shapley value therefore says what distinguishes a bar from the last days of its market, not from the
training rows: what has been the same for days, such as a lasting high volatility, is part of the base.
"""

from __future__ import annotations

import numpy as np

from quorate.core.types import BoolArray, IntArray

# Multiples of the golden ratio, modulo 1, fill an interval evenly at every length (Weyl's sequence) and agree with no
# period of hours or days.
_GOLDEN = (np.sqrt(5.0) - 1) / 2


def draw_background(usable: BoolArray, bars: int) -> IntArray:
    """Rows spread over the usable ones, in order of time; always the same ones.

    Args:
        usable: (n,) rows in which every member has its whole window; the last row is the explained one.
        bars: most rows drawn.

    Returns:
        (M,) row numbers, M at most `bars`, without the last row; all usable rows where there are no more than `bars`.

    >>> draw_background(np.ones(101, np.bool_), 4).tolist()
    [23, 47, 61, 85]
    """
    earlier = np.flatnonzero(usable[:-1])
    if len(earlier) <= bars:
        return earlier
    places = np.unique((np.arange(1, bars + 1) * _GOLDEN % 1 * len(earlier)).astype(np.int64))
    drawn: IntArray = earlier[places]
    return drawn
