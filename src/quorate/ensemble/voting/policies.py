"""Named settings of the classic vote."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from quorate.core.sections.vote import VoteSettings

CLASSIC = VoteSettings()

# Sums of weights this close are a tie, and a value this close to a limit reaches it: rounding must not keep a mean of
# four scores of 0.70 below 0.70.
TOLERANCE = 1e-9

# Suffix of the consensus name where the volatility gate held the signal.
VOLATILITY_HOLD = "_volatility_hold"

POLICIES: Mapping[str, VoteSettings] = MappingProxyType(
    {
        # Three of four, the default of `quorate.toml`.
        "classic": CLASSIC,
        # Two of four are enough to act; the boost of a split makes the floor hard to reach.
        "lowered": VoteSettings(quorum=0.5),
    }
)


def quorum_count(share: float, members: int) -> int:
    """Number of members that a share stands for, rounded up: for 0.75, 3 of 4 and 4 of 5.

    >>> [quorum_count(0.75, n) for n in (1, 2, 3, 4, 5, 8)]
    [1, 2, 3, 3, 4, 6]
    """
    return math.ceil(share * members - TOLERANCE)
