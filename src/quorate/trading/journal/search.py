"""Which records of a journal are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quorate.trading.journal.records import Record


@dataclass(frozen=True, slots=True)
class Search:
    """Conditions on records, all of which hold; None is no condition.

    Attributes:
        kinds: of these classes.
        symbol: of this market.
        text: part of the stored body, in upper or lower case.
        start: of a bar that opens at or after it, in ms UTC.
        end: of a bar that opens before it, in ms UTC.
        before: with a smaller number.
        after: with a larger number.
        keys: with one of these keys, of which a few hundred can be looked for at once.
    """

    kinds: Sequence[type[Record]] | None = None
    symbol: str | None = None
    text: str | None = None
    start: int | None = None
    end: int | None = None
    before: int | None = None
    after: int = 0
    keys: Sequence[str] | None = None
