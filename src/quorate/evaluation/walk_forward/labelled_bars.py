"""Features and label of every bar of a panel, computed once and shared by all folds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import EvaluationError
from quorate.core.types import (
    ActionArray,
    BoolArray,
    Candles,
    Float32Array,
    FloatArray,
    Funding,
    IntArray,
    MarketStatistics,
)
from quorate.features import Bars, Context, FeatureSet, Inputs, build, contexts, volatility_20
from quorate.features.catalogue import COLUMNS, resolve
from quorate.features.matrix import fill
from quorate.features.rescaled import hide_rescaled
from quorate.targets import Target


@dataclass(frozen=True, eq=False)
class LabelledBars:
    """Bars of all symbols: the symbols are concatenated, each in order of time.

    Unlike a `Dataset`, it includes bars that cannot be trained on, since they need a decision too.

    Attributes:
        X: (n, F) float32; NaN where a feature is unknown.
        columns: (F,) names.
        features: the feature set, or its name.
        contexts: symbol -> context, if the feature set uses one.
        y: (n,) int8 classes; undefined where not `known`.
        known: (n,) bool, the label is known.
        usable: (n,) bool, every feature is finite.
        time: (n,) int64 open times in ms.
        span_end: (n,) int64 open time in ms of the last bar whose close the label reads.
        forward_return: (n,) float64, a fraction; NaN where not `known`.
        volatility: (n,) float64 volatility_20; NaN in warm-up rows.
        spans: symbol -> its rows.
        timeframe: of every bar.
        synthetic: symbols of the synthetic market.
        beside: further column -> (n,) float32, which only baselines read; NaN where unknown.
    """

    X: Float32Array
    columns: tuple[str, ...]
    features: str | FeatureSet
    contexts: Mapping[str, Context]
    y: ActionArray
    known: BoolArray
    usable: BoolArray
    time: IntArray
    span_end: IntArray
    forward_return: FloatArray
    volatility: FloatArray
    spans: Mapping[str, slice]
    timeframe: str
    synthetic: frozenset[str] = frozenset()
    beside: Mapping[str, Float32Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time)

    def __getstate__(self) -> dict[str, Any]:
        """The state for other processes, which fit and score: without what computed the rows."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**own, "features": "", "contexts": {}}

    @property
    def trainable(self) -> BoolArray:
        """(n,) bool, rows that can be trained on: features and label are known."""
        return self.known & self.usable

    @cached_property
    def inputs(self) -> Inputs:
        """The rows as inputs of models with any window."""
        return self._inputs(self.X)

    def columns_for(self, reads: Collection[str]) -> tuple[str, ...]:
        """Columns to fit a model on that looks up `reads`: the feature set, or those alone where it lacks one of them.

        The feature set as well where a column is nowhere: the model then says which one.
        """
        lacks = not set(reads) <= set(self.columns)
        return tuple(reads) if lacks and set(reads) <= {*self.columns, *self.beside} else self.columns

    def inputs_of(self, columns: Sequence[str]) -> Inputs:
        """The rows with these columns alone, of the feature set or beside it; without names, those of the set."""
        if not columns or tuple(columns) == self.columns:
            return self.inputs
        place = {name: number for number, name in enumerate(self.columns)}
        chosen = [self.X[:, place[name]] if name in place else self.beside[name] for name in columns]
        return self._inputs(np.stack(chosen, axis=1))

    def _inputs(self, X: Float32Array) -> Inputs:
        counts = [span.stop - span.start for span in self.spans.values()]
        return Inputs(X, self.time, self.timeframe, np.repeat(np.arange(len(counts)), counts))

    @property
    def bar_ms(self) -> int:
        """Length of a bar in ms."""
        return timeframe_ms(self.timeframe)


def build_rows(
    panel: Mapping[str, Candles],
    features: str | FeatureSet,
    target: Target,
    start: int | None = None,
    end: int | None = None,
    funding: Mapping[str, Funding] | None = None,
    beside: Collection[str] = (),
    statistics: Mapping[str, MarketStatistics] | None = None,
) -> LabelledBars:
    """Features, labels and volatility of every bar in the span.

    Args:
        panel: symbol -> candles, all of one timeframe. Bars before `start` warm up the features and give no row.
        features: a feature set, or its name; its context, if any, is computed from the panel, `funding` and
            `statistics`.
        target: class target to predict.
        start: first bar, ms, inclusive; None for the first of the panel.
        end: exclusive, ms; bars from here on are used neither by features nor by labels.
        funding: symbol -> settlements.
        beside: columns that baselines read besides the feature set; those of the catalogue that need no context are
            computed.
        statistics: symbol -> market statistics in the panel's timeframe.

    Raises:
        EvaluationError: no bar in the span, or several timeframes.
        FeatureError, CandleError: see `build`.
    """
    timeframes = {candles.timeframe for candles in panel.values()}
    if len(timeframes) != 1:
        raise EvaluationError(
            "walk forward", found=f"candles of {len(timeframes)} timeframes", expected="symbols of one timeframe"
        )
    histories = {symbol: candles.between(end=end) for symbol, candles in panel.items()}
    first = {
        symbol: 0 if start is None else int(np.searchsorted(candles.time, start))
        for symbol, candles in histories.items()
    }
    counts = [len(candles) - first[symbol] for symbol, candles in histories.items()]
    ends = np.cumsum(counts).tolist()
    if not ends[-1]:
        raise EvaluationError("walk forward", found="no bar in the span", expected="candles from `start` to `end`")
    spans = {symbol: slice(last - count, last) for symbol, count, last in zip(histories, counts, ends, strict=True)}
    wanted = resolve(features)
    around = contexts(histories, funding, statistics=statistics) if wanted.context else {}
    n = ends[-1]
    further = [name for name in beside if name not in wanted.names and name in COLUMNS and not COLUMNS[name].context]
    aside = np.empty((n, len(further)), np.float32)
    X = np.empty((n, len(wanted.names)), np.float32)
    y, known = np.empty(n, np.int8), np.empty(n, np.bool_)
    time, span_end = np.empty(n, np.int64), np.empty(n, np.int64)
    forward_return, volatility = np.empty(n), np.empty(n)
    for symbol, candles in histories.items():
        rows, own = spans[symbol], slice(first[symbol], None)
        bars, labels = Bars(candles, around.get(symbol)), target.label(candles)
        X[rows] = build(bars, wanted)[own]
        hide_rescaled(X[rows], candles, candles.timeframe, wanted.warmup)
        if further:
            aside[rows] = _columns(bars, further)[own]
            hide_rescaled(aside[rows], candles, candles.timeframe, max(COLUMNS[name].warmup for name in further))
        volatility[rows] = volatility_20(bars)[own]
        y[rows], known[rows], span_end[rows] = labels.y[own], labels.known[own], labels.span_end[own]
        forward_return[rows] = labels.forward_return[own]
        time[rows] = candles.time[own]
    return LabelledBars(
        X=X,
        columns=wanted.names,
        features=wanted,
        contexts=around,
        y=y,
        known=known,
        usable=np.asarray(np.isfinite(X).all(axis=1)),
        time=time,
        span_end=span_end,
        forward_return=forward_return,
        volatility=volatility,
        spans=spans,
        timeframe=timeframes.pop(),
        synthetic=frozenset(symbol for symbol, candles in panel.items() if candles.synthetic),
        beside=dict(zip(further, np.ascontiguousarray(aside.T), strict=True)),
    )


def _columns(bars: Bars, names: Sequence[str]) -> Float32Array:
    """(n, K) float32 columns of the catalogue, as `build` computes them."""
    X = np.empty((len(bars), len(names)), np.float32)
    fill(X, bars, tuple(COLUMNS[name] for name in names))
    return X
