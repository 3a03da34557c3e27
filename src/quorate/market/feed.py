"""Protocol of a feed of closing bars: live from an exchange, or a replay of stored candles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from quorate.core.types import Candles, Funding


class Freshness(StrEnum):
    """Status of one market at one bar.

    FRESH: the bar is available. LATE: it was not available in time. STALE: `feed.stale_bars` or more bars are missing.
    FAULTY: the rows received are invalid, or too far from earlier prices to be believed yet. GONE: the exchange's
    market list lacks the market or marks it as not traded; a refusal of candles alone is LATE, then STALE.
    """

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    FAULTY = "faulty"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Notice:
    """Change of a feed's state, for logs and the journal.

    Attributes:
        kind: skew, down, up, revised, implausible (a price that is not believed), or the new status of a market.
        text: the message.
        symbol: the market; empty for the whole feed.
    """

    kind: str
    text: str
    symbol: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BarReport:
    """One closed bar of all markets of a feed.

    Attributes:
        time: the bar's open time in ms UTC.
        candles: market -> its newest closed candles, checked, at most as many as the feed keeps; the last is this bar.
            Markets without this bar are left out.
        status: market -> status, for every market of the feed.
        skew_ms: the exchange's clock minus the local clock; None where unknown, 0 in a replay.
        down: no request to the exchange succeeded.
        may_enter: whether the clocks agree well enough for new positions.
        notices: changes since the previous report.
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

    Errors of one market or of the network are a status and never raised. A bar that was reported can be requested
    again. Bars may be skipped but are requested in order, since a feed may drop what lies before the last one. Later
    windows hold the revised values of a candle that the exchange revised.
    """

    @property
    def timeframe(self) -> str:
        """Timeframe of the bars."""
        ...

    @property
    def symbols(self) -> tuple[str, ...]:
        """The markets, sorted."""
        ...

    def begin(self) -> int:
        """Open time of a new session's first bar, in ms UTC: live the newest closed one, in a replay the first one."""
        ...

    def wait(self, bar: int) -> BarReport | None:
        """Wait until the bar that opens at `bar` is closed, and report it.

        A live feed returns when every market has the bar or `feed.patience_s` seconds after the close, and at once for
        a bar that closed earlier.

        Returns:
            The report; None at the end of a replay or after `stop`.
        """
        ...

    def opens(self, time: int) -> Mapping[str, float]:
        """Market -> open price of the bar at `time`, closed or not; markets whose price is unknown are left out."""
        ...

    def marks(self, start: int, end: int, symbols: Collection[str] | None = None) -> Mapping[str, Candles]:
        """Market -> mark price candles that open at or after `start` and before `end`, in ms UTC.

        Markets whose mark prices are unknown are left out; `symbols` selects markets, by default all. The last candle
        may be of the bar that is not closed, because funding settles at its open price; live it holds only the open.
        """
        ...

    def funding(self, start: int, end: int, symbols: Collection[str] | None = None) -> Mapping[str, Funding]:
        """Market -> funding settlements at or after `start` and before `end`, in ms UTC; markets as in `marks`."""
        ...

    def age_ms(self, time: int) -> int:
        """Milliseconds since `time` by the exchange's clock; 0 in a replay."""
        ...

    def stop(self) -> None:
        """End a running `wait`, from another thread or a signal handler; later calls of `wait` return None."""
        ...
