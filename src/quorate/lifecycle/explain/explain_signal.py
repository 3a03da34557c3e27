"""Explain the decision at a market's newest closed bar, or what changed it since an earlier one.

Every member runs once on the inputs of all coalitions of its groups of features, with each bar of the background:
groups of the coalition are those of the explained bar, the others those of the background bar. The mean over the
background is the interventional value of the coalition, and Shapley values of these 2^k values are the contributions.
The score of the vote itself is the value of the whole coalition, so that base and contributions add up to it.

Sources: Lundberg and Lee, A Unified Approach to Interpreting Model Predictions, 2017; Janzing et al., Feature Relevance
Quantification in Explainable AI: A Causal Problem, 2020 (interventional values).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quorate.core.clock import format_ms, now_ms, timeframe_ms
from quorate.core.errors import ArgumentError, BundleError, TooLittleHistoryError
from quorate.core.types import Candles, Float32Array, FloatArray, IntArray
from quorate.ensemble.inference import Bundle, Predictor
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.evaluation.feature_groups import FeatureGroup, feature_groups
from quorate.features import Bars, Inputs, live
from quorate.features.rescaled import hide_rescaled
from quorate.lifecycle.explain.attribution import Attribution, coalition_values, hybrid_inputs, weighted_mean
from quorate.lifecycle.explain.background import draw_background
from quorate.lifecycle.explain.explanation import Explanation
from quorate.lifecycle.explain.tree_columns import column_attributions
from quorate.workflows.results.signals import MarketSignal
from quorate.workflows.signals import predict_markets


def explain_signal(
    predictor: Predictor,
    candles: Candles,
    *,
    background: int,
    since: int | None = None,
    now: int | None = None,
    allow_training_span: bool = False,
) -> Explanation:
    """The decision at the newest closed bar of a market, with what contributed to it.

    Args:
        predictor: bundle or series.
        candles: of the market, in the bundle's timeframe.
        background: earlier bars that the bar is compared with, at least 1.
        since: time in ms, to explain the change since the newest bar that had opened by then: that bar is the whole
            background.
        now: current time in ms; None for the clock.
        allow_training_span: also explain bars of the training span; the signal is marked.

    Raises:
        ArgumentError: no bar had opened by `since`, or it was the same bar.
        BundleError: fewer than two members are loaded, so that the fallback rules decided; or no member voted.
        ModelError: a member that voted fails on other inputs, or its native file cannot be read.
        TooLittleHistoryError: no closed bar, or no earlier one with the history that the members read.
        CandleError, TrainingSpanError: as `Bundle.predict`.
    """
    now = now_ms() if now is None else now
    closed = candles.closed(now)
    if not len(closed):
        raise TooLittleHistoryError(f"explain {candles.symbol}", found="no closed bar", expected="at least one")
    bundle = predictor.bundle_at(int(closed.time[-1]))
    if bundle.mode == "none":
        raise BundleError(
            f"explain {candles.symbol}",
            found="fewer than two members that could be loaded: the fallback rules decide",
            expected="a bundle in the mode full or partial",
        )
    later = _Bar.read(bundle, closed, now, allow_training_span=allow_training_span)
    earlier = None if since is None else _earlier(bundle, closed, since, allow_training_span=allow_training_span)
    models = [model for model in later.scores if earlier is None or model in earlier.scores]
    if not models:
        reasons = "; ".join(f"{out.model}: {out.reason}" for out in later.signal.signal.abstentions)
        raise BundleError(f"explain {candles.symbol}", found=f"no vote ({reasons})", expected="at least one")
    groups = feature_groups(bundle.features.names)
    if earlier is None:
        rows = later.background(bundle, models, background)
        times = tuple(later.inputs.time[rows].tolist())
    else:
        rows, times = earlier.last, (earlier.signal.time,)
    values = {
        model: _values(bundle, model, groups, later, earlier or later, rows, None if earlier is None else earlier)
        for model in models
    }
    ensemble = _ensemble(bundle, values)
    return Explanation(
        bundle=bundle.id,
        signal=later.signal,
        groups=groups,
        columns=bundle.features.names,
        features=later.features,
        members={model: Attribution.of(table.mean(axis=1)) for model, table in values.items()},
        ensemble=None if ensemble is None else Attribution.of(ensemble.mean(axis=1)),
        trees=column_attributions(bundle, models, later.features, None if earlier is None else earlier.features),
        background=times,
        earlier=None if earlier is None else earlier.signal,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Bar:
    """A bar as the members read it.

    Attributes:
        signal: the decision.
        inputs: features of the bars that the decision is computed from, the bar last.
        scores: member -> (C,) score or predicted return, of those that voted.
    """

    signal: MarketSignal
    inputs: Inputs
    scores: Mapping[str, FloatArray]

    @classmethod
    def read(cls, bundle: Bundle, candles: Candles, now: int, *, allow_training_span: bool) -> _Bar:
        """The last of some closed candles."""
        made = predict_markets(bundle, [candles], now=now, allow_training_span=allow_training_span)[0]
        bars = Bars(candles.tail(LIVE_BARS))
        ((X, _),) = live([bars], bundle.features, len(bars))
        hide_rescaled(X, bars, bars.timeframe, bundle.features.warmup)
        scores = {vote.model: np.array(vote.scores) for vote in made.signal.votes if vote.scores is not None}
        scores |= {own.model: np.array([own.predicted_return]) for own in made.signal.forecasts}
        return cls(made, Inputs(X, bars.time, bars.timeframe), scores)

    @property
    def features(self) -> Float32Array:
        """(F,) features of the bar."""
        row: Float32Array = self.inputs.X[-1]
        return row

    @property
    def last(self) -> IntArray:
        """(1,) number of the bar's own row."""
        return np.array([len(self.inputs) - 1])

    def background(self, bundle: Bundle, models: list[str], bars: int) -> IntArray:
        """Numbers of earlier rows that all these members can read.

        Raises:
            TooLittleHistoryError: there is none.
        """
        window = max(bundle.members.sessions[model].window for model in models)
        rows = draw_background(self.inputs.whole(window), bars)
        if not len(rows):
            raise TooLittleHistoryError(
                f"explain {self.signal.symbol}",
                found=f"no bar before {format_ms(self.signal.time)} with known features on the {window} bars up to it",
                expected="at least one, that the bar can be compared with",
            )
        return rows


def _earlier(bundle: Bundle, candles: Candles, since: int, *, allow_training_span: bool) -> _Bar:
    """The newest bar that had opened by `since`, as it was decided then.

    Raises:
        ArgumentError: there is no such bar before the last one.
    """
    found = candles.between(None, since + 1)
    if not 0 < len(found) < len(candles):
        raise ArgumentError(
            f"explain what changed {candles.symbol}",
            found=f"`since` {format_ms(since)}",
            expected=f"a time from {format_ms(int(candles.time[0]))} to before {format_ms(int(candles.time[-1]))}, "
            "the bar that is explained",
        )
    now = int(found.time[-1]) + timeframe_ms(candles.timeframe)
    return _Bar.read(bundle, found, now, allow_training_span=allow_training_span)


def _values(
    bundle: Bundle,
    model: str,
    groups: tuple[FeatureGroup, ...],
    bar: _Bar,
    other: _Bar,
    rows: IntArray,
    base: _Bar | None,
) -> FloatArray:
    """(2^k, M, C) values of every coalition of a member.

    Args:
        bundle: of the member.
        model: the member.
        groups: of its columns.
        bar: that is explained.
        other: with the rows of the background.
        rows: (M,) their numbers.
        base: the bar of the background, where its score is known; None to compute the scores of the background.
    """
    window = bundle.members.sessions[model].window
    newest = bar.inputs.at(bar.last, window)[:][0]
    compared: Float32Array = other.inputs.at(rows, window)[:]
    outputs = bundle.members.outputs(model, hybrid_inputs(newest, compared, groups))
    values = coalition_values(outputs, bar.scores[model], len(rows))
    if base is not None:
        values[0] = base.scores[model]
    return values


def _ensemble(bundle: Bundle, values: Mapping[str, FloatArray]) -> FloatArray | None:
    """(2^k, M, C) values of the ensemble; None where a member of a stack is missing."""
    if bundle.stack is None:
        return weighted_mean(values, {model: bundle.manifest.policy.weight(model) for model in values})
    if not set(bundle.stack.members) <= values.keys():
        return None
    columns = np.stack([values[model][..., 0] for model in bundle.stack.members], axis=-1)
    combined = bundle.stack.combiner.combine(columns.reshape(-1, columns.shape[-1]))
    return combined.reshape(*columns.shape[:-1], 1)
