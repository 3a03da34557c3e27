"""What a feed of closing bars promises: live from an exchange, or a replay of stored candles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from quorate.core.types import Candles, Funding


class Freshness(StrEnum):
    """How one market stands at one bar.

    FRESH: the bar is here. LATE: it is not, and was not waited for any longer. STALE: nothing new for as many bars as
    the settings call stale. FAULTY: what came cannot be true, and was not believed. GONE: the exchange does not know
    the market, or no longer trades it.
    """

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    FAULTY = "faulty"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about a feed that a person should read, and a journal keep.

    Attributes:
        kind: skew, down, up, revised, or how a market stands now.
        symbol: the market it is about; empty where it is about the whole feed.
        text: in words.
    """

    kind: str
    text: str
    symbol: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BarReport:
    """One bar, closed, of all markets of a feed.

    Attributes:
        time: the bar's open time in ms UTC.
        candles: market -> its newest closed candles, at most as many as the feed keeps, the newest of them this bar;
            without the markets that have none. They are judged, and nothing in them may be later than this bar.
        status: market -> how it stands, for every market of the feed.
        skew_ms: the exchange's clock minus ours; None where it is not known. A replay has none: 0.
        down: the exchange did not answer at all.
        may_enter: whether the clocks are close enough for new positions.
        notices: what happened since the report before.
    """

    time: int
    candles: Mapping[str, Candles]
    status: Mapping[str, Freshness]
    skew_ms: int | None = 0
    down: bool = False
    may_enter: bool = True
    notices: tuple[Notice, ...] = field(default=())


@runtime_checkable
class Feed(Protocol):
    """Bars of many markets as they close.

    A feed never raises for the trouble of one market or of the network: that is a status. Asking again for a bar that
    has been reported gives that bar again. Bars may be skipped, but are asked for in order: what lies before the last
    one may be forgotten. A candle that the exchange revised stands so in later windows.
    """

    @property
    def timeframe(self) -> str:
        """Of the bars."""
        ...

    @property
    def symbols(self) -> tuple[str, ...]:
        """The markets, sorted."""
        ...

    def begin(self) -> int:
        """The bar that a new session starts with: live the newest closed one, in a replay the first of its span."""
        ...

    def wait(self, bar: int) -> BarReport | None:
        """The bar that opens at `bar`, once it is closed.

        Live it returns within seconds of the close, as soon as every market's bar is here or the patience of the
        settings has run out; at once for a bar that closed long ago.

        Returns:
            The report; None once there will be no such bar: the replay is over, or the feed was stopped.
        """
        ...

    def opens(self, time: int) -> Mapping[str, float]:
        """Market -> the first price of the bar that opens at `time`, running or closed; without the unknown."""
        ...

    def marks(self, start: int, end: int, symbols: Collection[str] | None = None) -> Mapping[str, Candles]:
        """Market -> mark price candles that open at or after `start` and before `end`.

        Of the named markets, by default all; without those whose marks are unknown. The last may be of the bar that
        runs, since its open is the price of what settles there: live it knows no more than its open.
        """
        ...

    def funding(self, start: int, end: int, symbols: Collection[str] | None = None) -> Mapping[str, Funding]:
        """Market -> settlements at or after `start` and before `end`; markets as with `marks`."""
        ...

    def age_ms(self, time: int) -> int:
        """How long ago that was, by the exchange's clock; 0 in a replay, which is never late."""
        ...

    def stop(self) -> None:
        """End a running `wait`, from another thread or a signal handler; `wait` gives None from now on."""
        ...
