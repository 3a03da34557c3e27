"""Limits of wrong tokens: for each address, and for all of them together."""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from quorate.core.sections.access import AccessSettings

# Length of the networks that one customer of a provider has, in bits (RFC 6177).
_IPV6_BITS = 64

# All addresses that are none, as a proxy may pass them on.
_OTHERS = "others"


class Attempts:
    """Counts of wrong tokens in fixed windows.

    An address with too many is refused, its right tokens too, until its window ends. When there are too many of all
    addresses, wrong tokens are no longer counted or logged, and right ones are accepted from every address that is not
    refused itself. So attackers with many addresses lock nobody out, and at most `attempts_total` addresses are kept
    for a window.
    """

    def __init__(self, settings: AccessSettings) -> None:
        window_s = settings.attempts_window_s
        self._one = RateLimitItemPerSecond(settings.attempts, window_s, namespace="address")
        self._all = RateLimitItemPerSecond(settings.attempts_total, window_s, namespace="all")
        # Moving windows of this storage keep the name of every address for good; fixed ones forget it.
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def refused_s(self, address: str) -> int:
        """Seconds until an address may try again; 0 if it may now."""
        return self._left_s(self._one, group_of(address))

    def count(self, address: str) -> int:
        """Count a wrong token of an address that may try.

        Returns:
            0 if it was counted; else the seconds until wrong tokens are counted again.
        """
        left_s = self._left_s(self._all)
        if not left_s:
            self._limiter.hit(self._all)
            self._limiter.hit(self._one, group_of(address))
        return left_s

    def _left_s(self, limit: RateLimitItemPerSecond, *names: str) -> int:
        if self._limiter.test(limit, *names):
            return 0
        return max(1, math.ceil(self._limiter.get_window_stats(limit, *names).reset_time - time.time()))


def group_of(address: str) -> str:
    """What stands for an address in the counts: an IPv4 address, or an IPv6 network of 64 bits.

    >>> group_of("2001:db8::7:1"), group_of("::ffff:192.0.2.1"), group_of("not an address")
    ('2001:db8::/64', '192.0.2.1', 'others')
    """
    try:
        found = ip_address(address)
    except ValueError:
        return _OTHERS
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found), _IPV6_BITS), strict=False))
