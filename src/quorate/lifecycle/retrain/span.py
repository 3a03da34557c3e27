"""The span of a retraining and its candles."""

from __future__ import annotations

from pathlib import Path

from quorate.core.clock import DAY_MS, format_ms, newest_closed_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.progress import Progress
from quorate.core.settings import Settings
from quorate.core.types import Candles
from quorate.ensemble.bundle.manifest import Manifest
from quorate.workflows.inputs.market_data import Data, open_source, read_panel, warm_start


def closed_end(manifest: Manifest, now: int) -> int:
    """Close of the newest bar that is closed at `now`, ms: no bar from here on is read."""
    return newest_closed_ms(manifest.timeframe, now) + timeframe_ms(manifest.timeframe)


def span_start(manifest: Manifest, end: int, settings: Settings) -> int:
    """First bar of the training in ms, by the settings `retrain.span_days` and `retrain.anchored`.

    Args:
        manifest: of the champion.
        end: of the span, ms, exclusive.
        settings: that train, with the champion's own warm-up of a stack.
    """
    bar_ms = timeframe_ms(manifest.timeframe)
    # The rows of a stack begin so many bars after its span.
    ahead = settings.stack.warmup_bars * bar_ms if manifest.recipe == "stack" else 0
    if settings.retrain.anchored:
        return manifest.training_start - ahead
    length = manifest.training_end + bar_ms - manifest.training_start + ahead
    # In whole days: bars that are missing at an end would shorten the span a little with every run.
    days = settings.retrain.span_days or -(-length // DAY_MS)
    return end - days * DAY_MS


def download_newest(
    folder: Path, exchange: str, manifest: Manifest, start: int, settings: Settings, progress: Progress
) -> None:
    """Download what a folder lacks of the champion's markets.

    Args:
        folder: Freqtrade data folder.
        exchange: as ccxt names it.
        manifest: of the champion.
        start: first bar, ms; the bars before it that warm features up are downloaded too.
        settings: of the exchange.
        progress: of the download.

    Raises:
        ExchangeError: a request failed.
        DataError: a file is incomplete.
    """
    from quorate.workflows.download import download

    done = download(
        folder,
        exchange=exchange,
        symbols=manifest.symbols,
        timeframe=manifest.timeframe,
        start=warm_start(start, manifest.timeframe),
        settings=settings,
        progress=progress,
    )
    if not done.ok:
        broken = next((f"{file.symbol}: {file.error}" for file in done.files if file.error), "an incomplete file")
        raise DataError(
            f"download the newest candles into {folder}",
            found=broken,
            expected="every file complete",
            remedy="The next attempt continues the download.",
        )


def read_span(
    data: Data,
    manifest: Manifest,
    end: int,
    settings: Settings,
    progress: Progress,
    span: tuple[int, int] | None = None,
) -> tuple[dict[str, Candles], tuple[int, int]]:
    """Candles of the champion's markets, with those that warm features up, and the span: its start and its end in ms.

    Args:
        data: candles as `open_source` takes them.
        manifest: of the champion.
        end: ms; no bar from here on is read. The span ends with the newest bar before it.
        settings: of the span.
        progress: of reading.
        span: instead: the span that the run began with.

    Raises:
        DataError: candles that cannot be read, or no bar of any market.
    """
    source = open_source(data, manifest.symbols, manifest.timeframe)
    whole = read_panel(source, manifest.timeframe, manifest.symbols, progress, end=end)
    if span is None:
        newest = max(int(candles.time[-1]) for candles in whole.values()) + timeframe_ms(manifest.timeframe)
        span = (span_start(manifest, newest, settings), newest)
    start, last = span
    first = warm_start(start, manifest.timeframe)
    panel = {
        symbol: candles.between(first, last) for symbol, candles in whole.items() if len(candles.between(start, last))
    }
    if not panel:
        raise DataError(
            f"read the bars from {format_ms(start)} to {format_ms(last)}",
            found="none of any market",
            expected="the bars that the run began with",
        )
    return panel, span
