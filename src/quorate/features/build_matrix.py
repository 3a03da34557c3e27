"""Candles to a matrix, by one path for training, backtest, paper trading, serving and Freqtrade."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from quorate.core.arguments import require_type
from quorate.core.types import Candles, Float32Array, FloatArray
from quorate.features.bars import Bars
from quorate.features.catalogue import COLUMNS, FeatureSet, resolve
from quorate.features.context import Context
from quorate.features.market_stack import MarketStack
from quorate.features.matrix import fill, hold
from quorate.features.panel_context import require_context


def build(
    candles: Candles | Bars, features: str | FeatureSet, context: Context | None = None, *, newest: int | None = None
) -> Float32Array:
    """Features of every bar. Row i depends on bars 0 to i and none that follow.

    Args:
        candles: closed candles of one market, or `Bars` of them to share intermediate results.
        features: a feature set, or its name; `feature_set` gives one with columns of your own.
        context: read by `extended` besides the symbol's own candles; ignored by other sets. `Bars` hold their own.
        newest: compute only so many of the newest rows, all that a live signal needs; None for all n.

    Returns:
        (n, F) or (newest, F) float32, F columns as `feature_names` lists them, within float32's finite range. NaN in
        the first `warmup` rows of each column and nowhere else, but for a context column where its context is missing.

    Raises:
        FeatureError: an unknown set; one that reads context, and there is none or it does not fit the candles; a
            column of a user's own that fails.
        CandleError: a price that is not finite and positive, or a volume that is not finite and at least 0.

    >>> import quorate
    >>> hours = 3_600_000 * np.arange(60)
    >>> price = 100 + np.sin(np.arange(60))
    >>> candles = quorate.Candles("BTC/USDT", "1h", hours, price, price + 1, price - 1, price, np.ones(60))
    >>> X = build(candles, "core14")
    >>> X.shape, X.dtype, int(np.isfinite(X).all(axis=1).argmax())
    ((60, 14), dtype('float32'), 49)
    """
    wanted = resolve(features)
    if context is not None:
        require_type("compute features", "context", context, Context, "a Context, from quorate.features.contexts")
    if newest is not None:
        require_type("compute features", "newest", newest, (int, np.integer), "a number of rows")
    bars = candles if isinstance(candles, Bars) else Bars(candles, context)
    if wanted.context:
        require_context(bars, wanted.name)
    rows = len(bars) if newest is None else min(newest, len(bars))
    X = np.empty((rows, len(wanted.columns)), np.float32)
    fill(X, bars, wanted.columns)
    return X


def live(markets: Sequence[Bars], features: str | FeatureSet, newest: int) -> list[tuple[Float32Array, float]]:
    """`build` of the newest rows and `volatility_20` of the last one, as live signals read them, computed together.

    Args:
        markets: bars of each, at least one bar; markets of one length share the calls of numpy, with the same results.
        features: a feature set, or its name.
        newest: rows of features.

    Returns:
        For each market (newest, F) float32, or as many rows as there are bars; and the volatility, NaN where unknown.

    Raises:
        FeatureError: as `build`.
    """
    wanted = resolve(features)
    if wanted.context:
        for bars in markets:
            require_context(bars, wanted.name)
    gate = COLUMNS["volatility_20"]
    columns = wanted.columns if gate in wanted.columns else (*wanted.columns, gate)
    found: list[tuple[Float32Array, float]] = [_NOTHING] * len(markets)
    for together in _alike(markets, newest + wanted.warmup):
        bars = markets[together[0]]
        # Double precision for the gate, as in a frame: both must be on the same side of a limit.
        rows = np.empty((len(together), min(newest, len(bars)), len(columns)))
        if len(together) == 1:
            fill(rows[0], bars, columns)
        else:
            fill(rows, MarketStack([markets[number] for number in together]), columns)
        with np.errstate(over="ignore"):
            X = rows[..., : len(wanted.columns)].astype(np.float32)
        hold(X)
        volatilities = rows[:, -1, columns.index(gate)].tolist()
        for number, own, volatility in zip(together, X, volatilities, strict=True):
            found[number] = own, volatility
    return found


_NOTHING = (np.empty((0, 0), np.float32), math.nan)

# Numbers of all markets that are computed together, so that what columns share stays in the processor's cache.
_TOGETHER = 8_192


def _alike(markets: Sequence[Bars], bars: int) -> Iterator[list[int]]:
    """Places of markets of one length and timeframe, as many at a time as have `_TOGETHER` bars, `bars` of each."""
    if len(markets) == 1:
        yield [0]
        return
    alike: dict[tuple[int, str], list[int]] = {}
    for number, market in enumerate(markets):
        alike.setdefault((len(market), market.timeframe), []).append(number)
    most = max(1, _TOGETHER // bars)
    for numbers in alike.values():
        for first in range(0, len(numbers), most):
            yield numbers[first : first + most]


def volatility_20(bars: Bars, *, newest: int | None = None) -> FloatArray:
    """Sample standard deviation of the last 20 one-bar changes, a fraction; the vote's volatility gate reads it.

    Args:
        bars: of one market.
        newest: compute only so many of the newest rows; None for all n.

    Returns:
        (n,) or (newest,) float64, NaN in the first 20 rows of the history.
    """
    rows = len(bars) if newest is None else min(newest, len(bars))
    volatility = np.empty((rows, 1))
    fill(volatility, bars, (COLUMNS["volatility_20"],))
    return volatility[:, 0]


def atr_14(bars: Bars) -> FloatArray:
    """Average true range over 14 bars in quote currency; stops are measured in it.

    Returns:
        (n,) float64, NaN in the first 14 rows.
    """
    return bars.atr(14) * bars.unit
