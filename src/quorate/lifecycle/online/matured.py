"""Rows of all markets whose labels a bar has made known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import ModelError
from quorate.core.types import ActionArray, Candles, IntArray
from quorate.features import Bars, FeatureSet, Inputs, build
from quorate.features.rescaled import hide_rescaled
from quorate.targets.labels import Target


@dataclass(frozen=True, slots=True, eq=False)
class MaturedRows:
    """The newest bars of all markets, and the labels that are known at the close of the newest.

    Attributes:
        inputs: n bars, one market after the other, by time within each.
        labelled: (k,) int64, which of them have a label and all features.
        y: (k,) labels.
        known_at: (k,) int64, open time in ms of the bar whose close made each label known.
        bar: open time in ms of the newest bar.

    Raises:
        ModelError: a label that reads a later close than the newest.
    """

    inputs: Inputs
    labelled: IntArray
    y: ActionArray
    known_at: IntArray
    bar: int

    def __post_init__(self) -> None:
        early = self.known_at > self.bar
        if early.any():
            row = int(np.flatnonzero(early)[0])
            raise ModelError(
                f"learn at the close of {format_ms(self.bar)}",
                found=f"{int(early.sum())} labels that are not known yet, the first one that of "
                f"{format_ms(int(self.inputs.time[self.labelled[row]]))}, which reads the close of "
                f"{format_ms(int(self.known_at[row]))}",
                expected="labels whose horizon is over",
            )

    def __len__(self) -> int:
        return len(self.labelled)

    def places(self, window: int, after: int | None = None, until: int | None = None) -> IntArray:
        """Which of the k labelled rows have a complete window, (m,) int64.

        Args:
            window: bars.
            after: only labels that later closes than that of this bar have made known, ms.
            until: only labels that this bar's close or an earlier one has made known, ms.
        """
        chosen = self.inputs.whole(window)[self.labelled]
        if after is not None:
            chosen &= self.known_at > after
        if until is not None:
            chosen &= self.known_at <= until
        return np.flatnonzero(chosen)


def matured_rows(
    markets: Sequence[Candles], bar: int, bars: int, features: FeatureSet, target: Target, timeframe: str
) -> MaturedRows:
    """The rows of the newest bars up to one.

    Candles after the bar are cut off before labels are made, so that no label can read one.

    Args:
        markets: closed candles; those without this bar are left out.
        bar: open time in ms.
        bars: how many to read, up to and with it.
        features: columns.
        target: of the labels.
        timeframe: of the candles.
    """
    first = bar - (bars - 1) * timeframe_ms(timeframe)
    tables, times, numbers, labelled, labels, known = [], [], [], [], [], []
    begin = 0
    for number, candles in enumerate(sorted(markets, key=lambda market: market.symbol)):
        read = candles.between(first, bar + 1)
        if not len(read) or read.time[-1] != bar:
            continue
        X = build(Bars(read), features)
        hide_rescaled(X, Bars(read), read.timeframe, features.warmup)
        found = target.label(read)
        rows = np.flatnonzero(found.known & np.isfinite(X).all(axis=1))
        tables.append(X)
        times.append(read.time)
        numbers.append(np.full(len(read), number, np.int64))
        labelled.append(begin + rows)
        labels.append(found.y[rows].astype(np.int8))
        known.append(found.span_end[rows].astype(np.int64))
        begin += len(read)
    whole = np.empty(0, np.int64)
    inputs = Inputs(
        np.concatenate([np.empty((0, len(features.names)), np.float32), *tables]),
        np.concatenate([whole, *times]),
        timeframe,
        np.concatenate([whole, *numbers]),
    )
    return MaturedRows(
        inputs,
        np.concatenate([whole, *labelled]),
        np.concatenate([np.empty(0, np.int8), *labels]),
        np.concatenate([whole, *known]),
        bar,
    )
