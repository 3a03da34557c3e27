"""The best of many candidates judged against the best of as many candidates without any merit.

The best of many means is above 0 by chance alone. Its bound therefore uses the distribution of the maximum: days are
resampled in blocks, each candidate's values are recentred to a mean of 0, and the largest studentised mean over all
candidates is noted. A candidate's lower bound is its mean less the 95 % quantile of these maxima times its standard
error; it holds for all candidates at once.

References: White (2000), A Reality Check for Data Snooping, Econometrica 68; Romano and Wolf (2005), Stepwise Multiple
Testing as Formalized Data Snooping, Econometrica 73 (studentised maxima); Politis and Romano (1992), A Circular
Block-Resampling Procedure for Stationary Data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.types import BoolArray, FloatArray, IntArray

# Resamples with fewer days of a candidate say nothing about it.
_FEWEST_DAYS = 5

# Keeps the statistic of values without any variation finite.
_LEAST_ERROR = 1e-12

# A resample that misses the few days that differ has hardly any error of its own; at least this share of the
# candidate's error is used.
_ERROR_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class BestOfMany:
    """Means of k candidates over days, with bounds that hold for all eligible ones at once.

    Attributes:
        mean: (k,) over the days with a value; NaN without any.
        error: (k,) standard error as of independent days; NaN with fewer than two days.
        days: (k,) int64, days with a value.
        lower, upper: (k,) bounds; NaN where not eligible.
        best: the eligible candidate with the largest mean / error, the first of equal ones; None without one.
    """

    mean: FloatArray
    error: FloatArray
    days: IntArray
    lower: FloatArray
    upper: FloatArray
    best: int | None


def best_of_many(
    values: FloatArray, eligible: BoolArray, *, confidence: float = 0.95, resamples: int = 1_999, seed: int = 7
) -> BestOfMany:
    """Judge candidates by their daily values.

    Args:
        values: (days, k) one value a day and candidate, in order of time; NaN on days without one.
        eligible: (k,) candidates that may be chosen; the choice must not depend on the values' means.
        confidence: of each one-sided bound.
        resamples: of the bootstrap.
        seed: of the resamples.
    """
    known = np.isfinite(values)
    days = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean = np.divide(total, days, out=np.full(values.shape[1], np.nan), where=days > 0)
    centred = np.where(known, values - mean, 0.0)
    spread = np.divide((centred**2).sum(axis=0), days - 1, out=np.full(len(days), np.nan), where=days > 1)
    error = np.sqrt(spread / np.maximum(days, 1))
    allowed = eligible & (days >= _FEWEST_DAYS)
    lower, upper = np.full(len(days), np.nan), np.full(len(days), np.nan)
    if not allowed.any():
        return BestOfMany(mean, error, days, lower, upper, None)
    draws = _draws(len(values), resamples, seed)
    scale = np.maximum(error, _LEAST_ERROR)
    highest, lowest = _extremes(centred[:, allowed], known[:, allowed], scale[allowed], draws)
    lower[allowed] = mean[allowed] - np.quantile(highest, confidence) * scale[allowed]
    upper[allowed] = mean[allowed] - np.quantile(lowest, 1 - confidence) * scale[allowed]
    best = int(np.argmax(np.where(allowed, mean / scale, -np.inf)))
    return BestOfMany(mean, error, days, lower, upper, best)


def block_days(days: int) -> int:
    """Length of a block: the cube root of the number of days, the order that is best for a mean's variance.

    >>> block_days(30), block_days(125), block_days(1_000)
    (4, 5, 10)
    """
    return max(1, int(np.ceil(round(days ** (1 / 3), 9))))


def _draws(days: int, resamples: int, seed: int) -> FloatArray:
    """(resamples, days) how often each resample of circular blocks contains each day."""
    length = block_days(days)
    starts = np.random.default_rng(seed).integers(0, days, (resamples, -(-days // length)))
    drawn = ((starts[:, :, None] + np.arange(length)) % days).reshape(resamples, -1)[:, :days]
    flat = (np.arange(resamples)[:, None] * days + drawn).ravel()
    return np.bincount(flat, minlength=resamples * days).reshape(resamples, days).astype(np.float64)


def _extremes(
    centred: FloatArray, known: BoolArray, scale: FloatArray, draws: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(resamples,) largest and smallest studentised mean over all candidates in each resample; 0 if there is none."""
    days = draws @ known.astype(np.float64)
    mean = draws @ centred / np.maximum(days, 1)
    spread = (draws @ centred**2 - days * mean**2) / np.maximum(days - 1, 1)
    error = np.maximum(np.sqrt(np.maximum(spread, 0.0) / np.maximum(days, 1)), _ERROR_SHARE * scale)
    enough = days >= _FEWEST_DAYS
    statistic = np.where(enough, mean / error, 0.0)
    return statistic.max(axis=1), statistic.min(axis=1)
