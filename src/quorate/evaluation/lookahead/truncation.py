"""Detection of look-ahead: columns whose values change when later candles are removed or perturbed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.types import CANDLE_COLUMNS, PRICE_COLUMNS, BoolArray, Candles, Float32Array, FloatArray

# (F,) values of one bar, and a function that computes (n, F) values.
Row = FloatArray | Float32Array
Compute = Callable[[Candles], FloatArray | Float32Array]

# Two computations of a causal feature differ by rounding only; look-ahead makes a far larger difference.
_TOLERANCE = 1e-4
_MOST_CUTS = 64


@dataclass(frozen=True, slots=True)
class Change:
    """A column whose value at one bar depends on later candles.

    Attributes:
        column: name.
        symbol: market.
        time: open time of the bar in ms.
        whole: value computed with the later candles.
        cut: value computed without them, or with perturbed ones.
    """

    column: str
    symbol: str
    time: int
    whole: float
    cut: float

    def to_json(self) -> dict[str, Any]:
        """JSON-safe document; NaN and infinity become null."""
        return {
            "column": self.column,
            "symbol": self.symbol,
            "time": iso_ms(self.time),
            "whole": _finite(self.whole),
            "cut": _finite(self.cut),
        }


def truncation_changes(
    panel: Mapping[str, Candles],
    names: Sequence[str],
    compute: Compute,
    *,
    start: int | None = None,
    seed: int = 0,
    cuts: int = _MOST_CUTS,
    warm: int = 0,
) -> tuple[Change, ...]:
    """Columns whose newest row changes when the candles after it are removed; each once, at the first such bar.

    Args:
        panel: symbol -> candles.
        names: of the columns.
        compute: candles -> (n, F) values.
        start: first bar to be checked, ms; None for all.
        seed: of the choice of bars.
        cuts: number of bars to check, over all symbols.
        warm: bars at the start of each market to skip, so that `compute` always gets more candles than these.
    """
    return _recomputed(
        panel, names, compute, lambda candles, row: compute(candles[: row + 1])[-1], start, seed, cuts, warm
    )


def perturbation_changes(
    panel: Mapping[str, Candles],
    names: Sequence[str],
    compute: Compute,
    *,
    start: int | None = None,
    seed: int = 0,
    cuts: int = _MOST_CUTS,
    warm: int = 0,
) -> tuple[Change, ...]:
    """Columns with a row that changes when the candles after it are perturbed: prices times 1,000, volume 0.

    The arguments are those of `truncation_changes`. Unlike truncation this also detects code that reads a later bar
    only if there is one.
    """

    def again(candles: Candles, row: int) -> Row:
        changed: Row = compute(_perturbed(candles, row))[row]
        return changed

    return _recomputed(panel, names, compute, again, start, seed, cuts, warm)


def _recomputed(
    panel: Mapping[str, Candles],
    names: Sequence[str],
    compute: Compute,
    again: Callable[[Candles, int], Row],
    start: int | None,
    seed: int,
    cuts: int,
    warm: int,
) -> tuple[Change, ...]:
    """Columns that differ at random bars when `again` recomputes them."""
    generator = np.random.default_rng(seed)
    first_rows = {symbol: max(warm, len(candles) - len(candles.between(start))) for symbol, candles in panel.items()}
    symbols = [symbol for symbol, candles in panel.items() if len(candles) - first_rows[symbol] > 1]
    chosen: list[str] = generator.choice(symbols, cuts).tolist() if symbols else []
    found: dict[str, Change] = {}
    for symbol in dict.fromkeys(chosen):
        candles = panel[symbol]
        first = first_rows[symbol]
        whole = compute(candles)
        for row in np.unique(generator.integers(first, len(candles) - 1, chosen.count(symbol))).tolist():
            cut = again(candles, row)
            for column in np.flatnonzero(_differ(whole[row], cut)).tolist():
                change = Change(
                    names[column], symbol, int(candles.time[row]), float(whole[row, column]), float(cut[column])
                )
                found.setdefault(names[column], change)
    return tuple(found.values())


def _perturbed(candles: Candles, row: int) -> Candles:
    """The same candles up to a row, perturbed ones after it."""
    columns = {name: getattr(candles, name).copy() for name in CANDLE_COLUMNS}
    for name in PRICE_COLUMNS:
        columns[name][row + 1 :] *= 1_000.0
    columns["volume"][row + 1 :] = 0.0
    return replace(candles, **columns)


def _differ(whole: Row, cut: Row) -> BoolArray:
    """(F,) columns in which two rows differ by more than rounding; NaN equals NaN."""
    with np.errstate(invalid="ignore"):
        near = np.abs(whole - cut) <= _TOLERANCE * np.maximum(1.0, np.abs(whole))
    return np.asarray(~(near | (np.isnan(whole) & np.isnan(cut))))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
