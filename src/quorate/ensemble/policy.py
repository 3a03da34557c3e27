"""Policies by name: what a vote needs before it acts, as data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from quorate.core.errors import VoteError, close_match
from quorate.core.settings import VoteSettings

CLASSIC = VoteSettings()

POLICIES: Mapping[str, VoteSettings] = MappingProxyType(
    {
        # Three of four, as `quorate.toml` has it by default.
        "classic": CLASSIC,
        # A deployment that lets two of four act, at the price of a floor that their boost makes hard to reach.
        "lowered": VoteSettings(quorum=0.5),
    }
)


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
