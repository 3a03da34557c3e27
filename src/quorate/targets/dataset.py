"""Data set: features and labels of many symbols in one matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from quorate.core.clock import format_ms
from quorate.core.errors import TargetError, TooLittleHistoryError
from quorate.core.types import Candles, Float32Array, FloatArray, IntArray
from quorate.features import Context, FeatureSet, Inputs, Sequences, build
from quorate.features.catalogue import resolve
from quorate.features.rescaled import hide_rescaled
from quorate.targets.labels import Labels, Target


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Rows to train on, of which all features and the label are known.

    Rows are ordered by symbol and, within a symbol, by time.

    Attributes:
        inputs: features of all bars, also of those without a row here, since windows contain them.
        row: (n,) int64, index of each row's bar in `inputs`.
        y: (n,) labels: int8 values of Action, or float64 returns.
        time: (n,) int64, open time of the bar in ms UTC.
        symbol: (n,) int16, index into `symbols`.
        span_end: (n,) int64, open time in ms UTC of the last bar whose close the label uses.
        forward_return: (n,) float64, fractions.
        symbols: the symbols of the panel, in its order, also those without a row.
        features: name of the feature set.
        candles: number of bars of the panel inside the span, with or without a row here.
    """

    inputs: Inputs
    row: IntArray
    y: npt.NDArray[Any]
    time: IntArray
    symbol: npt.NDArray[np.int16]
    span_end: IntArray
    forward_return: FloatArray
    symbols: tuple[str, ...]
    features: str
    candles: int

    def __len__(self) -> int:
        return len(self.y)

    @property
    def X(self) -> Float32Array:  # noqa: N802 - a matrix
        """(n, F) float32, finite: features of each row's bar."""
        return self.inputs.X[self.row]

    def with_columns(self, places: Sequence[int], features: str) -> Dataset:
        """The same rows with some of the columns.

        Args:
            places: of the columns, in order.
            features: name of the feature set that they are.
        """
        inputs = self.inputs
        chosen = np.ascontiguousarray(inputs.X[:, list(places)])
        return replace(self, inputs=Inputs(chosen, inputs.time, inputs.timeframe, inputs.symbol), features=features)

    def read(self, rows: IntArray, window: int) -> tuple[Float32Array | Sequences, IntArray]:
        """Inputs at `rows` for a member with windows of `window` bars, and the rows that have as many bars."""
        kept = rows[self.inputs.whole(window)[self.row[rows]]]
        return self.inputs.at(self.row[kept], window), kept


def build_dataset(
    panel: Mapping[str, Candles],
    features: str | FeatureSet,
    target: Target,
    start: int | None = None,
    end: int | None = None,
    contexts: Mapping[str, Context] | None = None,
    lead: int = 0,
) -> Dataset:
    """Build the data set of a panel: the rows with all features and a label.

    Args:
        panel: symbol -> candles. Bars before `start` serve as warm-up of the features and have no row.
        features: a feature set, or its name.
        target: labels the candles.
        start: first bar that may have a row, in ms UTC, inclusive; None for the first bar.
        end: in ms UTC, exclusive; neither features nor labels use bars from here on. None for no limit.
        contexts: symbol -> context, for feature sets with one; rows without it are left out.
        lead: number of bars before `start` that windows may contain.

    Raises:
        TargetError: no symbols, or candles of several timeframes.
        TooLittleHistoryError: no row with all features and a label.
        FeatureError, CandleError: as `quorate.features.build`.
    """
    _check(panel)
    wanted = resolve(features)
    histories = [candles.between(end=end) for candles in panel.values()]
    labels = [target.label(candles) for candles in histories]
    chosen = [_rows(candles, known, wanted.warmup, start) for candles, known in zip(histories, labels, strict=True)]
    first = [
        max(0, (rows[0] if len(rows) else len(candles)) - lead) for rows, candles in zip(chosen, histories, strict=True)
    ]
    counts = [len(candles) - skipped for candles, skipped in zip(histories, first, strict=True)]
    ends = np.cumsum(counts)
    X = np.empty((ends[-1], len(wanted.names)), np.float32)
    places = []
    for number, (symbol, candles) in enumerate(zip(panel, histories, strict=True)):
        skipped, begin = first[number], ends[number] - counts[number]
        if counts[number]:
            part = X[begin : ends[number]]
            part[:] = build(candles, wanted, (contexts or {}).get(symbol))[skipped:]
            hide_rescaled(part, candles, candles.timeframe, wanted.warmup)
        places.append(begin + chosen[number] - skipped)
        complete = np.isfinite(X[places[-1]]).all(axis=1)
        chosen[number], places[-1] = chosen[number][complete], places[-1][complete]
    if not sum(len(rows) for rows in chosen):
        raise _no_rows(histories, wanted.warmup, target, start, end)
    code = np.arange(len(panel), dtype=np.int16)
    time = np.concatenate([candles.time[skipped:] for candles, skipped in zip(histories, first, strict=True)])
    return Dataset(
        inputs=Inputs(X, time, histories[0].timeframe, np.repeat(code, counts)),
        row=np.concatenate(places),
        y=_gather([label.y for label in labels], chosen),
        time=_gather([candles.time for candles in histories], chosen),
        symbol=np.repeat(code, [len(rows) for rows in chosen]),
        span_end=_gather([label.span_end for label in labels], chosen),
        forward_return=_gather([label.forward_return for label in labels], chosen),
        symbols=tuple(panel),
        features=wanted.name,
        candles=sum(len(candles.between(start, end)) for candles in panel.values()),
    )


def _rows(candles: Candles, labels: Labels, warmup: int, start: int | None) -> IntArray:
    """Rows in the span, after the warm-up, with a label."""
    known = labels.known.copy()
    known[:warmup] = False
    if start is not None:
        known &= candles.time >= start
    return np.flatnonzero(known)


def _gather(columns: list[npt.NDArray[Any]], chosen: list[IntArray]) -> npt.NDArray[Any]:
    return np.concatenate([column[rows] for column, rows in zip(columns, chosen, strict=True)])


def _check(panel: Mapping[str, Candles]) -> None:
    timeframes = {candles.timeframe for candles in panel.values()}
    if len(timeframes) != 1:
        raise TargetError(
            "build a data set",
            found=f"candles of {len(panel)} symbols in timeframes {', '.join(sorted(timeframes)) or 'none'}",
            expected="at least one symbol, all in one timeframe",
        )
    if len(panel) > np.iinfo(np.int16).max:
        raise TargetError(
            "build a data set", found=f"{len(panel)} symbols", expected=f"at most {np.iinfo(np.int16).max}"
        )


def _no_rows(
    histories: list[Candles], warmup: int, target: Target, start: int | None, end: int | None
) -> TooLittleHistoryError:
    longest = max(histories, key=len)
    span = f"{format_ms(int(longest.time[0]))} to {format_ms(int(longest.time[-1]))}" if len(longest) else "no bar"
    requested = (
        f"from {'the start' if start is None else format_ms(start)} to {'the end' if end is None else format_ms(end)}"
    )
    return TooLittleHistoryError(
        f"build a data set {requested}",
        found=f"no row with all features and a label; the longest history has {len(longest)} bars, {span}",
        expected=f"more than {warmup} bars of warm-up, followed by {target.horizon} bars without a gap",
        remedy="Download a longer history or choose another span.",
    )
