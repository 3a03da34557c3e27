"""Candles and funding of the markets of a book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quorate.book.panel import DailyPanel, PositionOutcomes
from quorate.book.panel.funding_days import settled_by
from quorate.core.clock import DAY_MS
from quorate.core.errors import DataError
from quorate.core.progress import Progress, silent
from quorate.core.types import Candles, Funding
from quorate.market import universe
from quorate.market.source import CandleSource

if TYPE_CHECKING:
    from quorate.core.settings import BookSettings, UniverseSettings

#: Timeframes of candles from which a book is built, the preferred first.
TIMEFRAMES = ("4h", "1h", "2h", "30m", "15m", "5m", "1m")


@dataclass(frozen=True, slots=True, eq=False)
class BookMarkets:
    """The markets of a book.

    Attributes:
        candles: symbol -> candles.
        funding: symbol -> settlements; None where unknown.
    """

    candles: Mapping[str, Candles]
    funding: Mapping[str, Funding | None]

    @property
    def synthetic(self) -> bool:
        """Whether some candles are synthetic."""
        return any(candles.synthetic for candles in self.candles.values())

    def panel(self, settings: BookSettings) -> DailyPanel:
        """What is known at the start of each day.

        Raises:
            DataError: candles that a book cannot use.
        """
        return DailyPanel.of(self.candles, self.funding, settings)

    def outcomes(self, panel: DailyPanel) -> PositionOutcomes:
        """What came of positions, for labels and returns; `panel` is of these markets."""
        return PositionOutcomes.of(panel, self.funding)


def read_markets(
    source: CandleSource,
    symbols: Sequence[str] = (),
    timeframe: str | None = None,
    *,
    start: int | None = None,
    end: int | None = None,
    settings: UniverseSettings | None = None,
    progress: Progress = silent,
) -> BookMarkets:
    """Read candles and funding.

    Args:
        source: of both.
        symbols: perpetuals; none for all of the source, one a coin, without stablecoins.
        timeframe: of the candles; None for 4h of each market that has them, else for the next shorter one.
        start: ms of the first bar; None for the first there is.
        end: ms, exclusive; None for the end of the candles.
        settings: which coins are stablecoins.
        progress: called with the markets read and in all.

    Raises:
        DataError: no perpetual, an unknown market or timeframe, or no bar in the span.
    """
    from quorate.core.settings import UniverseSettings

    timeframes = (timeframe,) if timeframe is not None else TIMEFRAMES
    known = {length: set(source.symbols(length, perpetual=True)) for length in timeframes}
    if not symbols:
        found = sorted(set().union(*known.values()))
        eligible = universe.eligible(found, settings or UniverseSettings())
        symbols = _one_a_coin(eligible)
    if not symbols:
        raise DataError(
            "read the markets of a book",
            found=f"no perpetuals with candles of {' or '.join(timeframes[:2])}",
            expected="USDT-margined perpetuals",
            remedy="Download them: quorate data download --top 50 --timeframe 4h ...",
        )
    candles: dict[str, Candles] = {}
    funding: dict[str, Funding | None] = {}
    for number, symbol in enumerate(symbols, 1):
        length = next((each for each in timeframes if symbol in known[each]), timeframes[0])
        read = source.candles(symbol, length, start, end)
        if len(read):
            candles[symbol] = read
            # The settlement at the end is known with the last bar.
            settled = source.funding(symbol, start, None if end is None else end + DAY_MS)
            funding[symbol] = settled if end is None or settled is None else settled_by(settled, end)
        progress("reading candles", number, len(symbols))
    if not candles:
        raise DataError(
            f"read {len(symbols)} markets of a book", found="no bar in the span", expected="candles in the span"
        )
    return BookMarkets(candles, funding)


def _one_a_coin(symbols: Sequence[str]) -> tuple[str, ...]:
    """One perpetual of each base currency: that in USDT where there is one."""
    coins: dict[str, str] = {}
    for symbol in sorted(symbols, key=lambda name: (not name.endswith(":USDT"), name)):
        coins.setdefault(symbol.partition("/")[0], symbol)
    return tuple(sorted(coins.values()))
