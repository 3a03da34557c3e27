"""Train a series: one bundle after the other along time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from quorate.core.clock import DAY_MS, format_ms, timeframe_ms
from quorate.core.errors import DataError
from quorate.core.progress import Part, Progress, RunEstimate, silent
from quorate.workflows.inputs.arguments import folder_of, require_arguments, require_callback, with_features
from quorate.workflows.inputs.market_data import Data, read_panel
from quorate.workflows.inputs.selection import Selection, open_selection, period_ms
from quorate.workflows.results.training import TrainResult
from quorate.workflows.results.training_series import SeriesResult
from quorate.workflows.train import Method, training_spec

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.core.types import Candles
    from quorate.ensemble.recipes import RecipeName
    from quorate.ensemble.series import TrainingWindow


# Expected seconds of a training until one of the series has ended: two minutes for 100 markets and 90 days of hours.
_SECONDS_A_CANDLE = 5e-4


def train_rolling(
    data: Data,
    out: str | Path,
    *,
    every: str | timedelta,
    window: str | timedelta | None = None,
    recipe: RecipeName = "vote",
    method: Method | None = None,
    models: Sequence[str] | str | None = None,
    features: str | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> SeriesResult:
    """Train on every window between `start` and `end`, and publish the bundles as a series.

    A symbol without a bar in a window is left out of that window's bundle. No bundle becomes champion before the series
    is complete; then the newest one does, if the folder has no champion and it was measured on at least
    `bundle.evidence` test rows. A champion that the folder has by then stays.

    Networks whose setting `warm_epochs` is above 0 begin at the weights of the newest bundle of the series whose
    training rows all end before the rows that stop, calibrate, choose and test here.

    Args:
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        out: folder of bundles; created if missing.
        every: time from one training to the next, such as "30d" or "4w".
        window: length of each training span, such as "180d"; None for the setting `series.window_days`.
        recipe: as of `train`.
        method: as of `train`.
        models: as of `train`.
        features: as of `train`; "auto" chooses on the first window, and all bundles of the series have these columns.
        settings: None for those of quorate.toml and the environment.
        progress: called with each stage's name, units done and units in all.
        **selection: `symbols` or `top`, `timeframe`, `start` and `end`, see `Selection`.

    Raises:
        ArgumentError: arguments that are missing or contradict each other.
        BundleError: the span holds no whole window.
        DataError: candles that cannot be read or used, or a window in which no symbol has a bar.
        ModelError: a window on which the ensemble could not be trained.
    """
    from quorate.ensemble.bundle.bundle_store import BundleStore
    from quorate.ensemble.column_choice import without_refits
    from quorate.ensemble.series import publish, windows
    from quorate.ensemble.training.earlier_training import EarlierTraining
    from quorate.ensemble.training.train_ensemble import train_ensemble
    from quorate.evaluation.cards.write_card import attempt_card
    from quorate.features.column import AUTO
    from quorate.market.quality.quiet_bars import count_quiet
    from quorate.workflows.runs.first_champion import promote_first

    require_arguments(train_rolling, selection, Selection.__optional_keys__)
    require_callback(progress=progress)
    progress = RunEstimate.of(progress)
    store = BundleStore(folder_of("out", out))
    period, length = period_ms("every", every), None if window is None else period_ms("window", window)
    spec = training_spec(recipe, method, models, settings, features)
    auto = spec.settings.train.features == AUTO
    source, markets = open_selection(data, selection, spec.settings)
    panel = read_panel(source, markets.timeframe, markets.symbols, progress, start=markets.start, end=markets.end)
    start, end = _span(panel, markets.start, markets.end)
    spans = windows(start, end, length or spec.settings.series.window_days * DAY_MS, period)
    if store.folder.is_dir():
        store.champion()  # a damaged pointer is an error before hours of training
    made: list[TrainResult] = []
    earlier: list[EarlierTraining] = []
    candles = [_candles_of(span, panel) for span in spans]
    progress.plan({
        number: Part("bundle", max(1, sum(map(len, each.values()))), _SECONDS_A_CANDLE)
        for number, each in enumerate(candles, 1)
    })  # fmt: skip
    for number, (span, own) in enumerate(zip(spans, candles, strict=True), 1):
        progress.begin(number)
        trained = train_ensemble(
            own,
            markets.timeframe,
            replace(spec, start=span.start, end=span.end, earlier=tuple(earlier)),
            store.folder,
            progress=_numbered(progress, f"bundle {number}/{len(spans)}"),
            promote=False,
        )
        progress.end(number)
        earlier.append(EarlierTraining(trained.path, trained.manifest))
        # Bundles of a series have the same columns. Those of a choice are known from the first training on.
        # Rows of later windows may be among those that chose.
        settings = without_refits(spec.settings) if auto else spec.settings
        spec = replace(spec, settings=with_features(settings, trained.manifest.features, recipe))
        quiet = count_quiet(panel, span.start, span.end)
        made.append(TrainResult(trained, quiet, card_failure=attempt_card(trained.path)))
    path, name = publish(store, [result.id for result in made])
    series = SeriesResult(path, name, tuple(made))
    series.require_summary()
    newest = made[-1].manifest
    champion = promote_first(store, newest, spec.settings.bundle, "the newest of a series")
    return replace(series, champion=champion)


def _span(panel: Mapping[str, Candles], start: int | None, end: int | None) -> tuple[int, int]:
    """The span in ms; where it is open, from the first bar or to the close of the last one."""
    if start is None:
        start = min(int(candles.time[0]) for candles in panel.values())
    if end is None:
        end = max(int(candles.time[-1]) + timeframe_ms(candles.timeframe) for candles in panel.values())
    return start, end


def _candles_of(window: TrainingWindow, panel: Mapping[str, Candles]) -> dict[str, Candles]:
    """The symbols that have a bar in a window."""
    own = {symbol: candles for symbol, candles in panel.items() if len(candles.between(window.start, window.end))}
    if not own:
        raise DataError(
            f"train the bundle of {format_ms(window.start)} to {format_ms(window.end)}",
            found="no bar of any symbol",
            expected="candles in every window of the series",
            remedy="Choose a span without such a gap with `start` and `end`.",
        )
    return own


def _numbered(progress: Progress, title: str) -> Progress:
    def report(stage: str, done: int, total: int) -> None:
        progress(f"{title}: {stage}", done, total)

    return report
