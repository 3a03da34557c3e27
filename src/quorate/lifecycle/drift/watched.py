"""What a watch of a bundle reads: the bundle, what it keeps of its training, and the candles since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.core.clock import newest_closed_ms, timeframe_ms
from quorate.core.errors import ArgumentError, BundleError
from quorate.core.progress import Progress
from quorate.core.types import Candles
from quorate.evaluation.drift_reference import FILE_NAME, DriftReference
from quorate.workflows.inputs.market_data import open_source, read_panel
from quorate.workflows.inputs.selection import moment_ms, split_names

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.ensemble.inference import Bundle
    from quorate.market.source import CandleSource
    from quorate.workflows.inputs.market_data import Data
    from quorate.workflows.inputs.selection import Moment


def open_bundle(path: Path, settings: Settings) -> tuple[Path, Bundle]:
    """Folder of the bundle that a path means, and the bundle without its bench; of a series its newest.

    Raises:
        BundleError: no bundle there.
    """
    from quorate.ensemble.bundle.champion_path import champion_path
    from quorate.workflows.inputs.predictors import load_predictor

    folder = champion_path(path)
    predictor = load_predictor(folder, settings)
    if predictor.first_bar is not None:
        folder = folder.parent / predictor.newest.id
    return folder, predictor.newest


def read_reference(folder: Path, bundle: Bundle, window_days: int) -> DriftReference:
    """What a bundle keeps of its training.

    Args:
        folder: of the bundle.
        bundle: of the folder.
        window_days: of the settings, for the error.

    Raises:
        BundleError: it keeps nothing, or something of another training.
    """
    from quorate.ensemble.bundle.bundle_files import read_file

    attempted = f"check the bundle {folder} for drift"
    if FILE_NAME not in bundle.manifest.files:
        raise BundleError(
            attempted,
            found=f"a bundle without {FILE_NAME}",
            expected=f"one of this version whose training part has at least two windows of {window_days} days",
            remedy="Train it again, on a longer span or with a shorter `drift.window_days`.",
        )
    reference = DriftReference.parse(read_file(folder, bundle.manifest, FILE_NAME), attempted)
    foreign = {feature.name for feature in reference.features} - set(bundle.manifest.feature_names)
    if foreign:
        raise BundleError(attempted, found=f"the feature {min(foreign)} in {FILE_NAME}", expected="the bundle's own")
    return reference


def read_watched(
    bundle: Bundle,
    data: Data,
    symbols: Sequence[str] | str | None,
    until: Moment | None,
    now: int,
    progress: Progress,
    start: int | None = None,
) -> dict[str, Candles]:
    """Market -> its closed candles after the rows that anything was fitted on, and the warm-up before them.

    Args:
        bundle: that is watched.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        symbols: markets; None for those of the training that the data has.
        until: end of the newest bar, exclusive; None for the newest one closed at `now`.
        now: ms.
        progress: of reading candles.
        start: open time of the first bar, ms; None for the first one after the rows that anything was fitted on.

    Raises:
        ArgumentError: no market.
        DataError: candles that cannot be read, or none after the training part.
    """
    timeframe, length = bundle.manifest.timeframe, timeframe_ms(bundle.manifest.timeframe)
    source = open_source(data, split_names(symbols), timeframe)
    wanted = split_names(symbols) or _trained_markets(source, bundle)
    end, limit = newest_closed_ms(timeframe, now) + length, moment_ms("until", until)
    end = end if limit is None else min(end, limit)
    first = bundle.manifest.used_until if start is None else start
    panel = read_panel(source, timeframe, wanted, progress, start=first, end=end)
    return {symbol: candles.between(end=end - length + 1) for symbol, candles in panel.items()}


def newest_close(panel: Mapping[str, Candles]) -> int:
    """When the newest bar of any market closes, ms."""
    return max(int(candles.time[-1]) + timeframe_ms(candles.timeframe) for candles in panel.values())


def _trained_markets(source: CandleSource, bundle: Bundle) -> tuple[str, ...]:
    """Markets of the training that a source has.

    Raises:
        ArgumentError: none of them.
    """
    held = set(source.symbols(bundle.manifest.timeframe))
    wanted = tuple(symbol for symbol in bundle.manifest.symbols if symbol in held)
    if not wanted:
        raise ArgumentError(
            "choose the markets to watch",
            found=f"none of the training's {len(bundle.manifest.symbols)} markets in `data`",
            expected="candles of at least one, or `symbols`",
        )
    return wanted
