"""In which order a table without a header has its columns: as most do, or as an exchange answers, by their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quorate.core.types.arrays import FloatArray

PRICES = ("open", "high", "low", "close")
VALUES = (*PRICES, "volume")

# Most columns that an order needs.
MOST = 6

# Columns after the time; "" is one that candles do not need. Sources: the exchanges' documentation of their candles.
_USUAL = VALUES
_OTHERS = (
    ("low", "high", "open", "close", "volume"),  # Coinbase
    ("open", "close", "high", "low", "volume"),  # KuCoin, Bitfinex
    ("", "close", "high", "low", "open", "volume"),  # Gate, API
    ("volume", "close", "high", "low", "open"),  # Gate, files
)
_WITH_MEAN = (*PRICES, "", "volume")  # Kraken: the mean price stands before the volume

# Rows that a mean price needs to be told from a volume that happens to lie between low and high.
_LEAST_ROWS = 3


def ordered(columns: Sequence[FloatArray]) -> tuple[dict[str, FloatArray], tuple[str, ...]]:
    """Open, high, low, close and volume of a table without a header.

    The usual order, unless most rows contradict it and none contradicts that of an exchange.

    Args:
        columns: the columns after the time, at most `MOST`; four where there is no volume.

    Returns:
        Name -> column, and what was decided; nothing for the usual order.
    """
    order = _order(columns)
    found = {name: column for name, column in zip(order, columns, strict=False) if name}
    if order == _USUAL:
        return found, ()
    names = ", ".join(name or "another" for name in order[: len(columns)])
    return found, (f"the columns without a header are {names}, by their values",)


def _order(columns: Sequence[FloatArray]) -> tuple[str, ...]:
    usual = dict(zip(_USUAL, columns, strict=False))
    needed = usual.keys()
    wrong = _impossible(usual)
    if wrong > 1 and 2 * wrong > len(columns[0]):
        for order in _OTHERS:
            found = dict(zip(order, columns, strict=False))
            if found.keys() >= needed and not _impossible(found):
                return order
    elif len(columns) == MOST and _is_mean(usual):
        return _WITH_MEAN
    return _USUAL


def _impossible(values: Mapping[str, FloatArray]) -> int:
    """Number of rows whose high or low does not hold the open and the close."""
    with np.errstate(invalid="ignore"):
        top, bottom = np.fmax(values["open"], values["close"]), np.fmin(values["open"], values["close"])
        return int(((values["high"] < top) | (values["low"] > bottom)).sum())


def _is_mean(values: Mapping[str, FloatArray]) -> bool:
    """Whether the fifth column is a price: between low and high on all rows, or 0 where nothing was traded."""
    fifth = values["volume"]
    traded = fifth > 0
    inside = (fifth >= values["low"]) & (fifth <= values["high"])
    return int(traded.sum()) >= _LEAST_ROWS and bool((inside | ~traded).all())
