"""Shards: which of several processes answers for a market, by a hash of its name alone.

This is the one place that decides it, so that services, commands and a proxy in front of them agree without talking to
each other. The number of a market's shard, of N:

    1 + (the 8 bytes of BLAKE2b of the symbol in UTF-8, as a big-endian unsigned integer) modulo N

that is `1 + int.from_bytes(hashlib.blake2b(symbol.encode(), digest_size=8).digest(), "big") % N`. BLAKE2b is that of
RFC 7693 with a digest of 8 bytes, no key, no salt. With another N most markets move to another shard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from quorate.core.errors import ArgumentError

_DIGEST_BYTES = 8
_TEXT = re.compile(r"([1-9]\d{0,8})/([1-9]\d{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` disjoint parts of all markets.

    Args:
        number: 1 to `count`.
        count: shards in all, at least 1.

    >>> shard = Shard.parse("2/3")
    >>> shard, str(shard)
    (Shard(number=2, count=3), '2/3')
    >>> [str(shard.of(symbol)) for symbol in ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")]
    ['3/3', '3/3', '2/3']
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise _invalid(f"{self.number}/{self.count}")

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that a text such as "2/3" names: the second of three.

        Raises:
            ArgumentError: not of this form, or a number that is not 1 to the number of shards.
        """
        found = _TEXT.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise _invalid(repr(text)[:60])
        return cls(int(found[1]), int(found[2]))

    def of(self, symbol: str) -> Shard:
        """The shard of a market, of as many as these are."""
        # A symbol of a request may hold half of a surrogate pair, which has no UTF-8; it is no market's.
        digest = blake2b(symbol.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
        return Shard(1 + int.from_bytes(digest, "big") % self.count, self.count)

    def holds(self, symbol: str) -> bool:
        """Whether a market is of this shard."""
        return self.of(symbol) == self

    def select(self, symbols: Iterable[str]) -> tuple[str, ...]:
        """The markets of this shard, in their order."""
        return tuple(symbol for symbol in symbols if self.holds(symbol))

    def require(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """The markets of this shard, in their order.

        Raises:
            ArgumentError: none of them is.
        """
        found = self.select(symbols)
        if not found:
            raise ArgumentError(
                "choose the markets",
                found=f"none of shard {self} among {len(symbols)}",
                expected="at least one",
                remedy="Use fewer shards.",
            )
        return found

    def split(self, parts: int) -> tuple[Shard, ...]:
        """Shards that together hold exactly the markets of this one.

        >>> [str(part) for part in Shard(2, 3).split(2)]
        ['2/6', '5/6']
        """
        return tuple(Shard(self.number + part * self.count, self.count * parts) for part in range(parts))


#: The only shard of one process that answers for all markets.
ALL = Shard(1, 1)


def _invalid(found: str) -> ArgumentError:
    return ArgumentError(
        "choose a shard",
        found=found,
        expected="K/N with whole numbers, K from 1 to N, such as 2/3 for the second of three",
    )
