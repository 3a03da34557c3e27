"""Candles, funding and mark prices of many markets."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import ArgumentError, DataError, TrainingSpanError
from quorate.core.machine import whole_cores
from quorate.core.progress import Progress, silent
from quorate.core.text.plural import counted
from quorate.core.types import Candles, DecisionFrame, Funding, MarketStatistics
from quorate.market.source import CandleSource
from quorate.market.statistics import StatisticsSource

if TYPE_CHECKING:
    import pandas as pd

    from quorate.ensemble.inference import Predictor
    from quorate.trading.account.contract import Contract

#: A Freqtrade data folder, a source, candles, or frames; a mapping is symbol -> candles or frame.
Data: TypeAlias = Union[str, Path, CandleSource, Candles, "pd.DataFrame", Mapping[str, "Candles | pd.DataFrame"]]


def open_source(data: Data, symbols: Sequence[str] = (), timeframe: str | None = None) -> CandleSource:
    """Open candles in any of the forms that users have.

    Args:
        data: a Freqtrade data folder; a `CandleSource`; `Candles`; a pandas frame of one market, or with a column
            `symbol` or `pair` of several; or a mapping from symbol to `Candles` or frame. Which columns a frame may
            have: `market.frames.candles_from_frame`.
        symbols: of a frame without a column of symbols: its one symbol.
        timeframe: of frames; None to infer it from the distance of their rows.

    Raises:
        ArgumentError: none of these, or a frame whose symbol is not known.
        DataError: a folder that cannot be read, or candles that fail the quality checks.
        MissingExtraError: pandas is needed and not installed.
    """
    from quorate.market.memory import MemorySource

    if isinstance(data, str | Path):
        from quorate.market.files.freqtrade_folder import FreqtradeFolder

        return FreqtradeFolder(data)
    if isinstance(data, Candles):
        return MemorySource([data])
    if is_frame(data):
        from quorate.market.pandas_frames import candles_from_frame, split_frame

        parts = split_frame(data)
        if parts is not None:
            return MemorySource([candles_from_frame(part, symbol, timeframe) for symbol, part in parts.items()])
        if len(symbols) != 1:
            raise ArgumentError(
                "use the frame `data`",
                found=f"no column of symbols, and {len(symbols)} `symbols`",
                expected="one symbol",
                remedy="Name the market with `symbols`, or pass a mapping from symbol to frame.",
            )
        return MemorySource([candles_from_frame(data, symbols[0], timeframe)])
    if isinstance(data, Mapping):
        return MemorySource([_candles(symbol, each, timeframe) for symbol, each in data.items()])
    if isinstance(data, CandleSource):
        return data
    raise _unusable(data)


def require_data(data: Any) -> None:
    """Refuse what `open_source` cannot open, before anything is done.

    Raises:
        ArgumentError: of another type.
    """
    if not isinstance(data, str | Path | Candles | Mapping | CandleSource) and not is_frame(data):
        raise _unusable(data)


def is_frame(data: Any) -> bool:
    """Whether this is a pandas frame; pandas is not imported to find out."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def data_name(data: Data) -> str:
    """Name of the data for documents: the path of the folder, or the type of the object."""
    path = getattr(data, "path", data)
    return str(path) if isinstance(path, str | Path) else type(data).__name__


def read_contracts(source: CandleSource) -> dict[str, Contract]:
    """Symbol -> trading rules stored beside the candles; empty for sources that are not folders.

    Raises:
        TradingError: a file that cannot be read, or rules that contradict each other.
    """
    from quorate.trading.account import contracts

    path = getattr(source, "path", None)
    return contracts.read_contracts(path) if isinstance(path, Path) else {}


def read_panel(
    source: CandleSource,
    timeframe: str,
    symbols: Sequence[str],
    progress: Progress = silent,
    *,
    start: int | None = None,
    end: int | None = None,
) -> dict[str, Candles]:
    """Symbol -> candles of the span, and those before it that warm the features up.

    Symbols without a bar in the span are left out.

    Raises:
        DataError: no symbol, or none that has a bar there.
    """
    if not symbols:
        raise DataError(
            f"read {timeframe} candles", found=f"no market of {timeframe} in `data`", expected="at least one"
        )
    panel: dict[str, Candles] = {}
    for number, symbol in enumerate(symbols, 1):
        candles = source.candles(symbol, timeframe, warm_start(start, timeframe), end)
        if len(candles.between(start)):
            panel[symbol] = candles
        progress("reading candles", number, len(symbols))
    if not panel:
        raise DataError(
            f"read {timeframe} candles of {counted(len(symbols), 'market')}",
            found=f"no bar in the span; {_available(source, timeframe, symbols)}",
            expected=f"bars {_span(start, end)}",
            remedy="Choose another span with `start` and `end`.",
        )
    return panel


def read_funding(
    source: CandleSource, symbols: Sequence[str], start: int | None = None, end: int | None = None
) -> dict[str, Funding]:
    """Symbol -> funding settlements of the span, where the source has any."""
    found = {symbol: source.funding(symbol, start, end) for symbol in symbols}
    return {symbol: funding for symbol, funding in found.items() if funding is not None}


def read_statistics(source: CandleSource, symbols: Sequence[str], timeframe: str) -> dict[str, MarketStatistics]:
    """Symbol -> market statistics in intervals of a timeframe, where the source has any."""
    if not isinstance(source, StatisticsSource):
        return {}
    found = {symbol: source.statistics(symbol, timeframe) for symbol in symbols}
    return {symbol: statistics for symbol, statistics in found.items() if statistics is not None}


def read_marks(
    source: CandleSource, symbols: Sequence[str], timeframe: str, start: int | None, end: int | None
) -> dict[str, Candles]:
    """Symbol -> mark price candles of the span, where the source has any."""
    found = {symbol: source.mark(symbol, timeframe, start, end) for symbol in symbols}
    return {symbol: marks for symbol, marks in found.items() if marks is not None}


def warm_start(start: int | None, timeframe: str) -> int | None:
    """First bar in ms that the features at `start` need for their warm-up; None for the first there is."""
    from quorate.ensemble.inference.predictor import LIVE_BARS

    return None if start is None else start - LIVE_BARS * timeframe_ms(timeframe)


def same_kind(source: CandleSource, bundle: Predictor) -> tuple[str, ...]:
    """Every market of the source of the kind the bundle was trained on: perpetuals, or spot."""
    perpetual = any(":" in symbol for symbol in bundle.manifest.symbols)
    return source.symbols(bundle.manifest.timeframe, perpetual=perpetual)


def require_unseen(bundle: Predictor, start: int | None, end: int | None, *, allow: bool) -> bool:
    """Whether the span overlaps the bundle's training span; refused unless allowed.

    A series has no bundle for bars before its first one, so a span that begins earlier is refused even if allowed; it
    never overlaps the training span of the bundles that decide in it.

    Raises:
        TrainingSpanError: it overlaps and that is not allowed, or begins before the first bar of a series.
    """
    if bundle.first_bar is not None:
        if start is None or start < bundle.first_bar:
            raise TrainingSpanError(
                f"use bars {_span(start, end)}",
                found=f"a series whose first bundle decides from {format_ms(bundle.first_bar)} on",
                expected=f"`start` {format_ms(bundle.first_bar)} or later",
            )
        return False
    trained = (bundle.manifest.training_start, bundle.manifest.training_end)
    overlaps = (start is None or start < trained[1]) and (end is None or end > trained[0])
    if overlaps and not allow:
        raise TrainingSpanError(
            f"use bars {_span(start, end)}",
            found=f"bars inside the training span, {format_ms(trained[0])} to {format_ms(trained[1])}",
            expected=f"`start` {format_ms(trained[1])} or later",
            remedy="Or allow it with `allow_training_span=True`; the result is then marked.",
        )
    return overlaps


def predict_panel(
    bundle: Predictor,
    panel: Mapping[str, Candles],
    start: int | None,
    progress: Progress = silent,
    *,
    allow: bool,
    sets: bool = False,
) -> dict[str, DecisionFrame]:
    """Symbol -> decisions from `start` on; the bars before it only warm the features up.

    As many symbols at once as there are cores: an inference session uses one thread, and several may run it.
    """

    def predict(candles: Candles) -> DecisionFrame:
        return bundle.predict_frame(candles, allow_training_span=allow, sets=sets).between(start)

    frames = {}
    with ThreadPoolExecutor(whole_cores()) as threads:
        for number, (symbol, frame) in enumerate(zip(panel, threads.map(predict, panel.values()), strict=True), 1):
            frames[symbol] = frame
            progress("predicting", number, len(panel))
    return frames


def _available(source: CandleSource, timeframe: str, symbols: Sequence[str]) -> str:
    """The span of all candles, for an error."""
    known = [candles for candles in (source.candles(symbol, timeframe) for symbol in symbols) if len(candles)]
    if not known:
        return "the markets have no bars"
    first, last = min(int(each.time[0]) for each in known), max(int(each.time[-1]) for each in known)
    return f"the candles reach from {format_ms(first)} to {format_ms(last)}"


def _candles(symbol: str, data: Any, timeframe: str | None) -> Candles:
    """One entry of a mapping."""
    if isinstance(data, Candles):
        if data.symbol != symbol:
            raise ArgumentError(
                f"use `data` for {symbol}", found=f"candles of {data.symbol}", expected=f"candles of {symbol}"
            )
        return data
    if not is_frame(data):
        raise _unusable(data)
    from quorate.market.pandas_frames import candles_from_frame

    return candles_from_frame(data, symbol, timeframe)


def _unusable(data: Any) -> ArgumentError:
    return ArgumentError(
        "use `data`",
        found=f"an object of type {type(data).__name__}",
        expected="a folder, a CandleSource, Candles, a pandas frame, or a mapping from symbol to candles or frame",
    )


def _span(start: int | None, end: int | None) -> str:
    first = "the first" if start is None else format_ms(start)
    return f"from {first} to {'the newest' if end is None else format_ms(end)}"
