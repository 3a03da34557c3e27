"""Mean contributions of the groups of features over the bars of an evaluation, for its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import BundleError, TooLittleHistoryError
from quorate.core.progress import Progress, silent
from quorate.core.types import DecisionFrame
from quorate.ensemble.inference.bar_checks import TRAINING_SPAN
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.ensemble.series.series import BEFORE_SERIES
from quorate.lifecycle.explain.attribution import Attribution
from quorate.lifecycle.explain.background import draw_background
from quorate.lifecycle.explain.explain_signal import explain_signal
from quorate.workflows.inputs.arguments import settings_of
from quorate.workflows.inputs.market_data import Data, open_source
from quorate.workflows.inputs.predictors import BundleLike, load_predictor

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.workflows.results import Evaluation


def add_contributions(
    evaluation: Evaluation,
    bundle: BundleLike,
    data: Data,
    *,
    settings: Settings | None = None,
    progress: Progress = silent,
) -> None:
    """Add mean absolute contributions to the scorecard of an evaluation, so that its report shows them.

    They are of `explain.report_bars` bars, spread evenly over all markets and times of the evaluation. Nothing is added
    to the evaluation of a stack, whose members have no classes.

    Args:
        evaluation: of the bundle.
        bundle: as `evaluate` took it.
        data: as `evaluate` took it.
        settings: None for those of quorate.toml and the environment.
        progress: called with each bar explained.

    Raises:
        BundleError: the bundle cannot be loaded.
        DataError: candles that cannot be read.
        ModelError: a member that fails.
    """
    settings = settings_of(settings)
    if evaluation.scorecard is None or not settings.explain.report_bars:
        return
    predictor = load_predictor(bundle, settings)
    timeframe = predictor.manifest.timeframe
    step, source = timeframe_ms(timeframe), open_source(data, tuple(evaluation.frames), timeframe)
    chosen = _spread(evaluation.frames, settings.explain.report_bars)
    found: list[tuple[tuple[str, ...], dict[str, list[float]]]] = []
    for number, (symbol, time) in enumerate(chosen, 1):
        candles = source.candles(symbol, timeframe, time - LIVE_BARS * step, time + step)
        progress("explaining", number, len(chosen))
        try:
            explained = explain_signal(
                predictor,
                candles,
                background=settings.explain.background,
                now=time + step,
                allow_training_span=True,
            )
        except (BundleError, TooLittleHistoryError):  # too few bars before it, or no vote
            continue
        scores: dict[str, Attribution] = dict(explained.members)
        if explained.ensemble is not None:
            scores["ensemble"] = explained.ensemble
        sizes = {name: np.abs(own.contributions[:, explained.explained]).tolist() for name, own in scores.items()}
        found.append((tuple(group.name for group in explained.groups), sizes))
    if found:
        evaluation.scorecard.figures["contributions"] = _means(found)


def _spread(frames: Mapping[str, DecisionFrame], bars: int) -> list[tuple[str, int]]:
    """Symbol and open time of so many decided bars, spread over all of them."""
    decided = [
        (symbol, int(time))
        for symbol, frame in frames.items()
        for time in frame.time[(frame.rule != TRAINING_SPAN) & (frame.rule != BEFORE_SERIES)]
    ]
    # One more flag, since the last one is of a bar that is not drawn.
    return [decided[place] for place in draw_background(np.ones(len(decided) + 1, np.bool_), bars)]


def _means(found: list[tuple[tuple[str, ...], dict[str, list[float]]]]) -> dict[str, Any]:
    """Figures of the report: member -> group -> mean over the bars at which the member voted."""
    groups = found[0][0]
    models = dict.fromkeys(model for _, sizes in found for model in sizes)
    means = {
        model: np.mean([sizes[model] for _, sizes in found if model in sizes], axis=0).tolist() for model in models
    }
    members = {model: dict(zip(groups, own, strict=True)) for model, own in means.items()}
    return {"bars": len(found), "groups": list(groups), "members": members}
