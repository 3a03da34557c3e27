"""Candles and funding of a book's pairs: stored ones in a backtest, those of the exchange in dry and live trading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.book.panel.funding_days import settled_by
from quorate.core.clock import timeframe_ms
from quorate.core.errors import FreqtradeError
from quorate.core.types import Candles, Funding
from quorate.integrations.freqtrade.frames import read_frame
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.workflows.book.markets import BookMarkets, read_markets

if TYPE_CHECKING:
    import pandas as pd

#: Timeframe of the candles and of the decisions.
TIMEFRAME = "4h"


def stored_markets(config: Mapping[str, Any], pairs: Sequence[str], end: int | None) -> BookMarkets:
    """All candles of the data folder up to a moment, however many the strategy asks Freqtrade for.

    So a backtest decides by the history that there is, with gaps as gaps, and not by start-up candles.

    Args:
        config: Freqtrade's configuration.
        pairs: of the book.
        end: ms, exclusive; None for the end of the candles.

    Raises:
        FreqtradeError: no candles of any pair.
        DataError: candles that cannot be read.
    """
    source = FreqtradeFolder(Path(config["datadir"]))
    stored = set(source.symbols(TIMEFRAME, perpetual=True))
    known = [pair for pair in pairs if pair in stored]
    if not known:
        raise FreqtradeError(
            f"read the candles of a book in {source.path}",
            found=f"no {TIMEFRAME} candles of its {len(pairs)} pairs",
            expected="candles of perpetuals, with funding and mark prices",
            remedy=f"Download them: freqtrade download-data --timeframes {TIMEFRAME} ...",
        )
    return read_markets(source, known, TIMEFRAME, end=end)


def live_markets(provider: Any, pairs: Sequence[str], moment: int) -> BookMarkets:
    """The closed candles that Freqtrade has of the pairs, and their settlements.

    Funding is unknown where Freqtrade has none; the carry then leaves the pair out.

    Args:
        provider: Freqtrade's data provider.
        pairs: of the book.
        moment: ms, the newest close that counts.

    Raises:
        FreqtradeError, CandleError, DataError: a frame that cannot be read.
    """
    candles: dict[str, Candles] = {}
    funding: dict[str, Funding | None] = {}
    timeframe = provider.get_funding_rate_timeframe()
    for pair in pairs:
        frame = provider.get_pair_dataframe(pair, TIMEFRAME)
        if not len(frame):
            continue  # not an exchange's market any more
        known = read_frame(frame, pair, TIMEFRAME).candles.between(end=moment)
        if len(known):
            candles[pair] = known
            funding[pair] = _settlements(provider.get_pair_dataframe(pair, timeframe, "funding_rate"), pair, moment)
    return BookMarkets(candles, funding)


def late_pairs(provider: Any, pairs: Sequence[str], moment: int) -> list[str]:
    """Pairs of which Freqtrade has the last candle but one before a moment, ms, and not the last one.

    A pair that has had none for longer does not trade any more.
    """
    frames = {pair: provider.get_pair_dataframe(pair, TIMEFRAME) for pair in pairs}
    before = moment - 2 * timeframe_ms(TIMEFRAME)
    return [pair for pair, frame in frames.items() if len(frame) and int(_times(frame["date"])[-1]) == before]


def _settlements(frame: pd.DataFrame, pair: str, moment: int) -> Funding | None:
    if not len(frame):
        return None
    time, rate = _times(frame["date"]), frame["open"].to_numpy(np.float64)
    known = np.isfinite(rate)
    settled = settled_by(Funding(pair, time[known], rate[known]), moment)
    return settled if len(settled) else None


def _times(dates: Any) -> Any:
    """(n,) int64 ms of a column of UTC dates."""
    return dates.dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
