"""Which columns are others once the future is taken away, or made absurd: those have read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.types import CANDLE_COLUMNS, PRICE_COLUMNS, BoolArray, Candles, Float32Array, FloatArray

# (F,) values of one bar, and what gives (n, F) of them.
Row = FloatArray | Float32Array
Compute = Callable[[Candles], FloatArray | Float32Array]

# Two computations of one causal feature differ by rounding only; what reads a later bar differs by far more.
_TOLERANCE = 1e-4
_MOST_CUTS = 64


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


def changes(
    panel: Mapping[str, Candles],
    names: Sequence[str],
    compute: Compute,
    *,
    start: int | None = None,
    seed: int = 0,
    cuts: int = _MOST_CUTS,
    warm: int = 0,
) -> tuple[Change, ...]:
    """Columns whose newest row is another when the candles after it are taken away; each once, where it was seen first.

    Args:
        panel: symbol -> candles.
        names: of the columns.
        compute: candles -> (n, F) features.
        start: bars from here on are looked at, ms; None for all.
        seed: of the choice of bars.
        cuts: bars that are looked at, over all symbols.
        warm: bars at the beginning of each market that are not looked at: what needs more than one can be computed.
    """
    return _recomputed(
        panel, names, compute, lambda candles, row: compute(candles[: row + 1])[-1], start, seed, cuts, warm
    )


def poisoned(
    panel: Mapping[str, Candles],
    names: Sequence[str],
    compute: Compute,
    *,
    start: int | None = None,
    seed: int = 0,
    cuts: int = _MOST_CUTS,
    warm: int = 0,
) -> tuple[Change, ...]:
    """Columns with a row that is another when the candles after it are absurd: prices a thousandfold, no volume.

    The arguments are those of `changes`. It also sees what reads a later bar only where there is one.
    """

    def again(candles: Candles, row: int) -> Row:
        changed: Row = compute(_absurd(candles, row))[row]
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
    """Columns that differ at random bars once they are computed again in another way."""
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


def _absurd(candles: Candles, row: int) -> Candles:
    """The same market up to a row, and nonsense after it."""
    columns = {name: getattr(candles, name).copy() for name in CANDLE_COLUMNS}
    for name in PRICE_COLUMNS:
        columns[name][row + 1 :] *= 1_000.0
    columns["volume"][row + 1 :] = 0.0
    return replace(candles, **columns)


def _differ(whole: Row, cut: Row) -> BoolArray:
    """(F,) columns in which two rows are not the same; NaN equals NaN."""
    with np.errstate(invalid="ignore"):
        near = np.abs(whole - cut) <= _TOLERANCE * np.maximum(1.0, np.abs(whole))
    return np.asarray(~(near | (np.isnan(whole) & np.isnan(cut))))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
