"""Data of the study: candles, features (computed once), labels, and returns from open to open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from quorate.core.clock import HOUR_MS
from quorate.core.types import BoolArray, Candles, FloatArray, Funding, IntArray
from quorate.evaluation import LabelledBars, build_rows
from quorate.market import FreqtradeFolder
from quorate.targets import ForwardClass, Target

STEP = 6  # hours between the bars used for training, scoring and trading
TIMEFRAME = "1h"


@dataclass(frozen=True, eq=False)
class Perpetuals:
    """All perpetuals over a span.

    Attributes:
        panel: symbol -> candles up to the end of the span, including earlier ones for warm-up.
        funding: symbol -> settlements, where known.
        start, end: of the span, ms; the end is exclusive.
        base: every bar of the span with every column of `extended` and `core14`.
    """

    panel: Mapping[str, Candles]
    funding: Mapping[str, Funding]
    start: int
    end: int
    base: LabelledBars
    _earned: dict[int, FloatArray] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, start: int, end: int) -> Perpetuals:
        """Read all perpetuals with a bar in the span."""
        source = FreqtradeFolder(folder)
        panel = {name: source.candles(name, TIMEFRAME, end=end) for name in source.symbols(TIMEFRAME, perpetual=True)}
        panel = {name: candles for name, candles in panel.items() if len(candles.between(start))}
        read = {name: source.funding(name, end=end) for name in panel}
        funding = {name: found for name, found in read.items() if found is not None and len(found)}
        # The label does not matter: each trial replaces it.
        parts = [build_rows(panel, name, ForwardClass(1, 0.0), start, end, funding) for name in ("extended", "core14")]
        base, small = parts
        new = [place for place, column in enumerate(small.columns) if column not in base.columns]
        X = np.concatenate([base.X, small.X[:, new]], axis=1)
        columns = (*base.columns, *(small.columns[place] for place in new))
        return cls(panel, funding, start, end, replace(base, X=X, columns=columns))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Columns of the tables."""
        return tuple(self.panel)

    @cached_property
    def time(self) -> IntArray:
        """(T,) int64 ms, rows of the tables: every `STEP` hours of the span."""
        return np.arange(self.start, self.end, STEP * HOUR_MS)

    @cached_property
    def sampled(self) -> IntArray:
        """Rows of `base` on the grid."""
        return np.flatnonzero((self.base.time - self.start) % (STEP * HOUR_MS) == 0)

    def rows(self, target: Target, columns: tuple[str, ...], name: str) -> LabelledBars:
        """Bars of the grid with a subset of the columns and the labels of a target."""
        base, kept = self.base, self.sampled
        counts = [int(((kept >= span.start) & (kept < span.stop)).sum()) for span in base.spans.values()]
        ends = np.cumsum(counts).tolist()
        y, known = np.empty(len(base), np.int8), np.empty(len(base), np.bool_)
        span_end = np.empty(len(base), np.int64)
        for symbol, span in base.spans.items():
            labels, own = target.label(self.panel[symbol]), slice(span.start - span.stop, None)
            y[span], known[span], span_end[span] = labels.y[own], labels.known[own], labels.span_end[own]
        X = base.X[np.ix_(kept, [base.columns.index(column) for column in columns])]
        return replace(
            base,
            X=X,
            columns=columns,
            features=name,
            y=y[kept],
            known=known[kept],
            usable=np.isfinite(X).all(axis=1),
            time=base.time[kept],
            span_end=span_end[kept],
            volatility=base.volatility[kept],
            spans={s: slice(end - n, end) for s, n, end in zip(base.spans, counts, ends, strict=True)},
        )

    def table(self, values: FloatArray) -> FloatArray:
        """(T, S) table of (n,) values of the sampled rows; NaN where a symbol has no bar."""
        found = np.full((len(self.time), len(self.symbols)), np.nan)
        rows = self.sampled
        symbol = np.searchsorted([span.stop for span in self.base.spans.values()], rows, side="right")
        found[(self.base.time[rows] - self.start) // (STEP * HOUR_MS), symbol] = values
        return found

    def column(self, name: str) -> FloatArray:
        """(T, S) float64, one feature."""
        return self.table(self.base.X[self.sampled, self.base.columns.index(name)].astype(np.float64))

    def earned(self, hours: int) -> FloatArray:
        """(T, S) return from the open after each bar to the open `hours` later; NaN if either is missing."""
        if hours in self._earned:
            return self._earned[hours]
        found = np.full((len(self.time), len(self.symbols)), np.nan)
        for place, candles in enumerate(self.panel.values()):
            first, here = _looked_up(candles.time, self.time + HOUR_MS)
            last, there = _looked_up(candles.time, self.time + (1 + hours) * HOUR_MS)
            both = here & there
            found[both, place] = candles.open[last[both]] / candles.open[first[both]] - 1
        self._earned[hours] = found
        return found

    @cached_property
    def paid(self) -> FloatArray:
        """(T, S) funding paid by a long position in the step after each bar's next open; NaN if unknown."""
        found = np.full((len(self.time), len(self.symbols)), np.nan)
        for place, symbol in enumerate(self.panel):
            settled = self.funding.get(symbol)
            if settled is None:
                continue
            total = np.concatenate([[0.0], np.cumsum(settled.rate)])
            begin, end = self.time + HOUR_MS, self.time + (1 + STEP) * HOUR_MS
            known = (begin >= settled.time[0]) & (end <= settled.time[-1])
            after, until = (np.searchsorted(settled.time, moment, side="right") for moment in (begin, end))
            found[known, place] = (total[until] - total[after])[known]
        return found

    @cached_property
    def volume_rank(self) -> FloatArray:
        """(T, S) rank by quote volume over the 30 days before each bar's close; 0 is the highest volume."""
        days, found = 30, np.full((len(self.time), len(self.symbols)), np.nan)
        for place, candles in enumerate(self.panel.values()):
            total = np.concatenate([[0.0], np.cumsum(candles.close * candles.volume)])
            last = np.searchsorted(candles.time, self.time, side="right")
            first = np.searchsorted(candles.time, self.time - days * 24 * HOUR_MS, side="right")
            found[:, place] = np.where(last > first, total[last] - total[first], np.nan)
        return np.asarray(np.argsort(np.argsort(-np.nan_to_num(found, nan=0.0), axis=1), axis=1), np.float64)


def _looked_up(times: IntArray, wanted: IntArray) -> tuple[IntArray, BoolArray]:
    places = np.minimum(np.searchsorted(times, wanted), len(times) - 1)
    return places, times[places] == wanted
