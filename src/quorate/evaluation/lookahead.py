"""What is too good to be true, and which column is to blame.

Two questions. Does a single column, or a model, tell the bars before a rise from those before a fall better than
anything in a real market does? And does a column change when the future is taken away? The second catches every
feature that reads later candles; the first also catches what was put into the matrix in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.types import Action, BoolArray, Candles, Float32Array, FloatArray
from quorate.evaluation.metrics import ClassArray, area
from quorate.evaluation.significance import Interval, TimeBlocks

# Two computations of one causal feature differ by rounding only; what reads a later bar differs by far more.
_TOLERANCE = 1e-4
_MOST_CUTS = 64


@dataclass(frozen=True, slots=True)
class Suspect:
    """A column or model that separates BUY from SELL implausibly well.

    Attributes:
        name: of the column or model.
        auc: area under the ROC curve of BUY against SELL rows; under 0.5 it points the other way.
        interval: of it.
    """

    name: str
    auc: float
    interval: Interval | None

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "auc": self.auc, "auc_ci": None if self.interval is None else list(self.interval)}


@dataclass(frozen=True, slots=True)
class Change:
    """A column that is another once later candles are taken away: it reads the future."""

    column: str
    symbol: str
    time: int
    whole: float
    cut: float

    def to_json(self) -> dict[str, Any]:
        return {
            "column": self.column,
            "symbol": self.symbol,
            "time": iso_ms(self.time),
            "whole": _finite(self.whole),
            "cut": _finite(self.cut),
        }


def suspects(
    columns: Mapping[str, FloatArray | Float32Array], y: ClassArray, blocks: TimeBlocks, limit: float
) -> tuple[Suspect, ...]:
    """Those whose area lies beyond `limit` (or below 1 - `limit`) with its whole interval, the clearest first.

    A column that hardly changes from day to day can line up with the few rises and falls of a short span by chance, so
    the interval must be clear of the limit too. Without enough blocks for an interval the area alone decides.

    Args:
        columns: name -> (n,) values; rows that are not finite are left out.
        y: (n,) classes; HOLD rows are left out.
        blocks: over the rows' times.
        limit: an area that nothing honest reaches, 0.5 to 1.
    """
    found = []
    for name, values in columns.items():
        rows = np.asarray(np.isfinite(values) & (y != Action.HOLD), np.bool_)
        rises = np.asarray(y[rows] == Action.BUY, np.bool_)
        auc = area(rises, np.asarray(values[rows], np.float64))
        if not abs(auc - 0.5) > limit - 0.5:
            continue
        part = blocks.select(rows)
        interval = part.interval(part.areas(rises, np.asarray(values[rows], np.float64)))
        if interval is None or interval[0] > limit or interval[1] < 1 - limit:
            found.append(Suspect(name, auc, interval))
    return tuple(sorted(found, key=lambda suspect: -abs(suspect.auc - 0.5)))


def changes(
    panel: Mapping[str, Candles],
    names: Sequence[str],
    compute: Callable[[Candles], Float32Array],
    *,
    start: int | None = None,
    seed: int = 0,
    cuts: int = _MOST_CUTS,
) -> tuple[Change, ...]:
    """Columns whose newest row is another when the candles after it are taken away; each once, where it was seen first.

    Args:
        panel: symbol -> candles.
        names: of the columns.
        compute: candles -> (n, F) features.
        start: bars from here on are looked at, ms; None for all.
        seed: of the choice of bars.
        cuts: bars that are looked at, over all symbols.
    """
    generator = np.random.default_rng(seed)
    symbols = [symbol for symbol, candles in panel.items() if len(candles.between(start)) > 1]
    chosen: list[str] = generator.choice(symbols, cuts).tolist() if symbols else []
    found: dict[str, Change] = {}
    for symbol in dict.fromkeys(chosen):
        candles = panel[symbol]
        first = len(candles) - len(candles.between(start))
        whole = compute(candles)
        for row in np.unique(generator.integers(first, len(candles) - 1, chosen.count(symbol))).tolist():
            cut = compute(candles[: row + 1])[-1]
            for column in np.flatnonzero(_differ(whole[row], cut)).tolist():
                change = Change(
                    names[column], symbol, int(candles.time[row]), float(whole[row, column]), float(cut[column])
                )
                found.setdefault(names[column], change)
    return tuple(found.values())


def _differ(whole: Float32Array, cut: Float32Array) -> BoolArray:
    """(F,) columns in which two rows are not the same; NaN equals NaN."""
    with np.errstate(invalid="ignore"):
        near = np.abs(whole - cut) <= _TOLERANCE * np.maximum(1.0, np.abs(whole))
    return np.asarray(~(near | (np.isnan(whole) & np.isnan(cut))))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
