"""`quorate train --rolling`: one bundle after the other along time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quorate.cli.output import Tell
    from quorate.core.settings import Settings
    from quorate.ensemble.recipes import RecipeName
    from quorate.ensemble.training.train_ensemble import Trained
    from quorate.market.source import CandleSource


@dataclass(frozen=True, slots=True)
class TrainedSeries:
    """A published series and its bundles, oldest first."""

    path: Path
    id: str
    bundles: tuple[Trained, ...]


def train_series(
    source: CandleSource,
    symbols: tuple[str, ...],
    timeframe: str,
    start: int | None,
    end: int | None,
    models: Sequence[str],
    out: Path,
    settings: Settings,
    tell: Tell,
    period_ms: int,
    window_ms: int | None,
    *,
    recipe: RecipeName = "vote",
) -> TrainedSeries:
    """Train on every window between `start` and `end`, and publish the bundles as a series.

    A symbol without a bar in a window is left out of that window's bundle. Where the folder of bundles had no champion,
    the newest bundle becomes it.

    Args:
        source: of the candles.
        symbols: to train on.
        timeframe: of the bars.
        start: first bar that may train, ms; None for the first there is.
        end: exclusive; None for the end of the candles.
        models: registered names.
        out: folder of bundles.
        settings: of models, target, split and vote.
        tell: progress.
        period_ms: from one training to the next.
        window_ms: of each training span; None for the setting.
        recipe: what the members learn.

    Raises:
        BundleError: the span holds no whole window.
        DataError: a window in which no symbol has a bar.
        ModelError: a window on which the ensemble could not be trained.
    """
    from quorate.cli.panel import read_panel
    from quorate.cli.train import measure_of
    from quorate.core.clock import DAY_MS, format_ms, timeframe_ms
    from quorate.core.errors import DataError
    from quorate.ensemble.bundle.bundle_store import BundleStore
    from quorate.ensemble.series import publish, windows
    from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble

    panel = read_panel(source, timeframe, symbols, tell, start=start, end=end)
    if start is None:
        start = min(int(candles.time[0]) for candles in panel.values())
    if end is None:
        end = max(int(candles.time[-1]) for candles in panel.values()) + timeframe_ms(timeframe)
    spans = windows(start, end, window_ms or settings.series.window_days * DAY_MS, period_ms)
    store = BundleStore(out)
    crowned = out.is_dir() and store.champion() is not None
    made: list[Trained] = []
    for number, span in enumerate(spans, 1):
        own = {symbol: candles for symbol, candles in panel.items() if len(candles.between(span.start, span.end))}
        if not own:
            raise DataError(
                f"train the bundle of {format_ms(span.start)} to {format_ms(span.end)}",
                found="no bar of any symbol",
                expected="candles all along the series",
                remedy="Choose a span without such a hole with --from and --to.",
            )

        def told(what: str, done: int, total: int, number: int = number) -> None:
            tell(f"bundle {number}/{len(spans)}: {what}", done, total)

        made.append(
            train_ensemble(
                own,
                timeframe,
                TrainingSpec(
                    models=models,
                    settings=settings,
                    measure=measure_of(recipe, settings),
                    recipe=recipe,
                    start=span.start,
                    end=span.end,
                ),
                out,
                progress=told,
            )
        )
    newest = made[-1].manifest.id
    if not crowned:
        store.promote(newest, why="the newest of a series")
    path, name = publish(store, [trained.manifest.id for trained in made])
    return TrainedSeries(path, name, tuple(made))


def series_json(series: TrainedSeries) -> dict[str, Any]:
    """The form of `quorate train --rolling --json`."""
    from quorate.cli.summary import to_json
    from quorate.core.clock import iso_ms
    from quorate.ensemble.series.series import first_decided_bar

    return {
        "bundle": str(series.path),
        "id": series.id,
        "synthetic": any(trained.manifest.synthetic for trained in series.bundles),
        "bundles": [
            {**to_json(trained), "speaks_from": iso_ms(first_decided_bar(trained.manifest))}
            for trained in series.bundles
        ],
    }


def show_series(series: TrainedSeries) -> None:
    """The series for a person: who was trained on what, and from where each speaks."""
    from quorate.cli import output
    from quorate.core.clock import format_ms
    from quorate.ensemble.series.series import first_decided_bar

    rows = []
    for trained in series.bundles:
        manifest = trained.manifest
        loaded = sum(member.ok for member in trained.members)
        rows.append(
            (
                manifest.id,
                f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}",
                format_ms(first_decided_bar(manifest)),
                str(len(manifest.symbols)),
                f"{loaded}/{len(trained.members)}",
                f"{sum(member.seconds for member in trained.members):.1f} s",
            )
        )
    synthetic = any(trained.manifest.synthetic for trained in series.bundles)
    if synthetic:
        output.print_line(output.SYNTHETIC)
    columns = ("bundle", "trained on", "speaks from", "symbols", "members", "training")
    output.print_rows(f"Series of {len(rows)} bundles", columns, rows, synthetic=synthetic, prose=True)
    output.print_line(f"series {series.path}")
