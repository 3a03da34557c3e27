"""Policies by name: what a vote needs before it acts, as data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from quorate.core.errors import VoteError, close_match
from quorate.core.sections.vote import VoteSettings

CLASSIC = VoteSettings()

# Sums of weights this close are a tie, and a value this close to a limit reaches it: a mean of four scores of 0.70
# must not miss 0.70 by the last bit.
TOLERANCE = 1e-9

# What the name of a consensus ends with where the volatility gate stopped it.
VOLATILITY_HOLD = "_volatility_hold"

POLICIES: Mapping[str, VoteSettings] = MappingProxyType(
    {
        # Three of four, as `quorate.toml` has it by default.
        "classic": CLASSIC,
        # A deployment that lets two of four act, at the price of a floor that their boost makes hard to reach.
        "lowered": VoteSettings(quorum=0.5),
    }
)


def quorum_count(share: float, members: int) -> int:
    """How many members a share of them is, rounded up: 3 of 4, 4 of 5 for 0.75.

    >>> [quorum_count(0.75, n) for n in (1, 2, 3, 4, 5, 8)]
    [1, 2, 3, 3, 4, 6]
    """
    return math.ceil(share * members - TOLERANCE)


def policy(name: str) -> VoteSettings:
    """The policy of that name, for `decide` and `decide_frame`.

    Raises:
        VoteError: no such policy; the close match is named.

    >>> policy("classic").quorum, policy("lowered").quorum
    (0.75, 0.5)
    """
    if name not in POLICIES:
        raise VoteError(
            f"find the policy '{name}'",
            found="no such policy",
            expected=f"one of {', '.join(POLICIES)}",
            remedy=close_match(name, POLICIES),
        )
    return POLICIES[name]
