"""The checks on columns of a user's own, on seeded synthetic candles, before they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial

import numpy as np

from quorate.core.errors import FeatureError
from quorate.features.checks.failures import TOLERANCE, ColumnCheck, ColumnFailure
from quorate.features.checks.markets import EXTREMES, SYMBOL, CheckMarket, extreme, random_walk, with_gaps
from quorate.features.checks.properties import (
    finiteness,
    live_tail,
    newest_rows,
    poisoned_future,
    repetition,
    truncation,
)
from quorate.features.column import Column
from quorate.features.own import OwnColumn

Property = Callable[[Sequence[Column], CheckMarket], ColumnFailure | None]

_BARS = 640
_EXTREME_BARS = 440
# The first row that is cut off: later than the longest warm-up.
_FIRST_CUT = 400


def require_sound(columns: Iterable[OwnColumn]) -> None:
    """Refuse columns that fail a check; each column is checked once in a process.

    Raises:
        FeatureError: naming the column, the check, the bar and both values.
    """
    for column in columns:
        error = check_own(column).error
        if error is not None:
            raise error


def check_own(own: OwnColumn) -> ColumnCheck:
    """Run every check on a column of a user's own."""
    return ColumnCheck(own.source, _first_failure(own.column))


@cache
def _first_failure(column: Column) -> ColumnFailure | None:
    """By itself: next to others it would be given the bars that those need, and a short warm-up would not show."""
    for market, check in _plan():
        try:
            failure = check((column,), market)
        except FeatureError as error:
            return ColumnFailure(column.name, "computation", market.label, detail=error.found)
        if failure is not None:
            return failure
    return None


def _plan() -> Iterator[tuple[CheckMarket, Property]]:
    random = np.random.default_rng(0)
    for market in _markets():
        last = len(market.candles) - 1
        cuts, poisons, rows = (random.integers(_FIRST_CUT, last, number).tolist() for number in (6, 4, 3))
        yield market, repetition
        yield market, partial(truncation, cuts=cuts)
        yield market, partial(poisoned_future, cuts=poisons, seed=0)
        yield market, live_tail
        yield market, partial(newest_rows, rows=[last, *rows], tolerance=TOLERANCE)
    for market in _extreme_markets():
        yield market, finiteness


@cache
def _markets() -> tuple[CheckMarket, ...]:
    """A usual market; one with pauses and gaps; a coin worth a fraction of a cent; short bars.

    The unit of the third one's prices (see `Bars`) is another one for its newest 498 candles, so that a column in units
    of price differs.
    """
    walks = (
        ("a random walk, 1h", random_walk(_BARS, 1)),
        ("a random walk with pauses and gaps, 1h", with_gaps(random_walk(_BARS + 20, 2, quiet=True, price=6e4), 3)),
        ("a random walk near 1e-8, 4h", random_walk(_BARS, 7, timeframe="4h", price=1e-8)),
        ("a random walk with pauses, 5m", random_walk(_BARS, 5, timeframe="5m", quiet=True, price=1.0)),
    )
    return tuple(CheckMarket({SYMBOL: candles}, label=label) for label, candles in walks)


@cache
def _extreme_markets() -> tuple[CheckMarket, ...]:
    return tuple(
        CheckMarket(
            {SYMBOL: extreme(kind, _EXTREME_BARS, seed=6, traded=traded)},
            label=f"{kind} prices{'' if traded else ' without volume'}",
        )
        for kind in EXTREMES
        for traded in (True, False)
    )
