"""Streams of days as they would be if nothing changed, and what a watcher would see on them.

Candles are autocorrelated: two weeks of the same market differ far more than two samples of independent rows, and
textbook p-values cry wolf. Here the days of a known span are drawn again in blocks of consecutive days, and a statistic
is computed every day over the newest days, as a watcher computes it: the block bootstrap keeps what days within a block
have to do with each other, all symbols and all columns together.

A limit is set on whole years: with probability `1 - chance` a stationary year crosses it on no day and in no column.
This is the family-wise error rate over all columns and all looks. Few blocks know neither the spread nor the extremes:
a limit is at least as far out as the normal distribution says, and as far in Student's t as in it.

Source: Politis and Romano (1992), a circular block-resampling procedure; Westfall and Young (1993), step-down maxT,
here its first step: one quantile of the yearly maximum over columns, each in units of its own spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from quorate.core.clock import YEAR_DAYS
from quorate.core.sections.drift import DriftSettings
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.statistics.student_t import as_far_in_t

# Least spread of yearly maxima: a column that never varied has a limit as well.
_LEAST_SPREAD = 1e-9
_MOST_SHARE = 1 - 1e-9
# With fewer degrees of freedom a limit would be as good as infinite.
_LEAST_FREEDOM = 3.0

# Blocks of the bootstrap: as many as this where they are neither shorter nor longer than so many days.
_BLOCKS, _SHORTEST_BLOCK, _LONGEST_BLOCK = 18, 7, 28

#: Parts that are shorter than this many windows are no reference.
FEWEST_WINDOWS = 2

#: Called with (days, ...) sums of the known days and (looks, ...) sums of windows: (looks, k) statistics.
Statistic = Callable[[FloatArray, FloatArray], FloatArray]

#: Scale on which a distance is about proportional to a shift of the mean: "root" for those that grow with its square,
#: "share" for those between 0 and 1, or as it is.
Scale = Literal["root", "share", "none"]


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How streams are drawn and watched.

    Attributes:
        window_days: newest days over which a statistic is computed, every day.
        block_days: consecutive days that are drawn together.
        resamples: number of years drawn.
        seed: of the draws.
    """

    window_days: int
    block_days: int
    resamples: int
    seed: int

    def freedom(self, days: int) -> float:
        """Degrees of freedom of a spread that is known from a number of days, at least 3.

        Overlapping blocks know it as well as 1.5 times as many separate ones (Künsch 1989).
        """
        return max(_LEAST_FREEDOM, 1.5 * days / self.block_days - 1)

    def tail(self, chance: float, columns: int) -> float:
        """Chance of one column at one of a year's separate windows, so that all of them together have `chance`."""
        return chance * self.window_days / (columns * YEAR_DAYS)


def plan_of(settings: DriftSettings, days: int) -> StreamPlan:
    """How years are drawn from a number of known days.

    Regimes of the market last for weeks. Blocks are as long as still leaves some number of them, and never shorter
    than a week.
    """
    block = settings.block_days or min(max(days // _BLOCKS, _SHORTEST_BLOCK), _LONGEST_BLOCK)
    return StreamPlan(settings.window_days, block, settings.resamples, settings.seed)


def window_sums(days: FloatArray, window: int) -> FloatArray:
    """(n - window + 1, ...) sums of each `window` consecutive rows of (n, ...).

    >>> window_sums(np.array([1.0, 2.0, 3.0]), 2)
    array([3., 5.])
    """
    total = np.concatenate([np.zeros((1, *days.shape[1:])), np.cumsum(days, axis=0, dtype=np.float64)])
    return np.asarray(total[window:] - total[:-window])


def drawn_days(known: int, length: int, block: int, generator: np.random.Generator) -> IntArray:
    """(length,) numbers of known days, in blocks of consecutive ones from random first days; the last is followed by
    the first.
    """
    starts = generator.integers(known, size=-(-length // block))
    return np.asarray(((starts[:, None] + np.arange(block)) % known).reshape(-1)[:length], np.int64)


def stationary_years(days: FloatArray, statistic: Statistic, plan: StreamPlan) -> Iterator[FloatArray]:
    """Yield the (looks, k) statistics of each drawn year.

    What is known of the market is drawn too: a watcher knows the market from as many days as there are in `days`, and
    their error is part of what it sees.

    Args:
        days: (n, ...) sums of each known day.
        statistic: of known days and windows.
        plan: of the streams.
    """
    generator = np.random.default_rng(plan.seed)
    n = len(days)
    for _ in range(plan.resamples):
        known = days[drawn_days(n, n, plan.block_days, generator)]
        year = days[drawn_days(n, YEAR_DAYS + plan.window_days - 1, plan.block_days, generator)]
        yield statistic(known, window_sums(year, plan.window_days))


def upper_limits(
    years: Sequence[FloatArray], chance: float, days: int, plan: StreamPlan, scale: Scale = "none"
) -> FloatArray:
    """(k,) limits of (looks, k) statistics, which a stationary year crosses with probability `chance` in any column on
    any day.

    Args:
        years: statistics of each drawn year.
        chance: above 0, below 1.
        days: number of known days.
        plan: by which years were drawn.
        scale: on which columns are compared, in units of their own standard deviation.
    """
    scaled = [_to_scale(year, scale) for year in years]
    mean = np.mean([year.mean(axis=0) for year in scaled], axis=0)
    spread = np.sqrt(np.mean([((year - mean) ** 2).mean(axis=0) for year in scaled], axis=0))
    units = np.maximum(spread, _LEAST_SPREAD)
    drawn = float(np.quantile([((year - mean) / units).max() for year in scaled], 1 - chance))
    normal = -NormalDist().inv_cdf(plan.tail(chance, len(mean)))
    return _from_scale(mean + as_far_in_t(max(drawn, normal), plan.freedom(days)) * spread, scale)


def _to_scale(values: FloatArray, scale: Scale) -> FloatArray:
    if scale == "none":
        return values
    return np.sqrt(values) if scale == "root" else np.arctanh(np.minimum(values, _MOST_SHARE))


def _from_scale(values: FloatArray, scale: Scale) -> FloatArray:
    if scale == "none":
        return values
    return np.square(values) if scale == "root" else np.tanh(values)
