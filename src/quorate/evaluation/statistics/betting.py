"""Test by betting: is the mean of a bounded series above or below 0? Valid however often it is looked at.

A gambler stakes a fraction f of the wealth on each value x, of which |x| <= b is known before the outcome: the wealth
is multiplied by 1 + f x / c, where c is the largest bound b so far. While the expected value is at most 0, no stake
makes the wealth grow on average, so by Ville's inequality it ever reaches 1 / alpha with a probability of at most
alpha. The wealth is the e-value: evidence, at any time, that the expected value is above 0.

The fractions are fixed, and the wealth is the mean over them, so nothing has to be estimated first. Fixed fractions
also bear an expectation that changes over time: by 1 + z <= exp(z), the expected wealth is at most 1 where the expected
values, divided by c, add up to at most 0, though single ones may be above it (as long as they do not depend on earlier
outcomes).

Outcomes may take several bars, as labels of a horizon of h bars do. Bets that overlap are put into h lanes, each with a
wealth of its own: a bet begins no sooner than the one before it in its lane ends, and the e-value is the mean over
lanes. The bars between tell something about an open bet, and one could stop just before it is lost; so an open bet
counts as lost in full. The wealth once all bets are settled is never below that, and Ville's inequality holds for it.

Sources: Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting", JRSS B 86, 1-27;
Choe and Ramdas (2023), "Comparing sequential forecasters", Operations Research 72, 1368-1387; lanes as in Henzi and
Ziegel (2022), "Valid sequential inference on probability forecast performance", Biometrika 109, 647-663.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.types import FloatArray

#: Fractions of the wealth that are staked. The best one depends on the mean; more of them share the wealth further,
#: fewer lie farther from the best. Five need the fewest bars for means of 0.07 to 0.5 standard deviations.
FRACTIONS: tuple[float, ...] = (0.75, 0.3, 0.12, 0.05, 0.02)

# A value and its bound are sums in another order, so that the value may pass the bound by rounding.
_ROUNDING = 1e-9
# Halvings of the interval of possible means: to 1e-12 of its width.
_HALVINGS = 40


class BettingTest:
    """Bets on a series of values: that they are above 0 on average, and that they are below.

    One series, or many side by side for simulations.

    Args:
        lanes: number of bets whose outcomes overlap.
        shape: of many series; empty for one.
        fractions: of the wealth that are staked, each above 0 and below 1.
    """

    def __init__(self, lanes: int = 1, *, shape: tuple[int, ...] = (), fractions: Sequence[float] = FRACTIONS) -> None:
        self._fractions = np.asarray(fractions, np.float64)
        if lanes < 1 or not len(fractions) or not ((self._fractions > 0) & (self._fractions < 1)).all():
            raise EvaluationError(
                "bet on a mean",
                found=f"{lanes} lanes, fractions {', '.join(map(str, fractions)) or 'none'}",
                expected="at least one lane, and fractions above 0 and below 1",
            )
        self._lanes = lanes
        self._above: FloatArray = np.zeros((*shape, lanes, len(self._fractions)))
        self._below: FloatArray = np.zeros_like(self._above)
        self._largest: FloatArray = np.zeros(shape)
        # Bounds of the open bets, and what they were staked on: the largest bound by then.
        self._open: list[deque[tuple[FloatArray, FloatArray]]] = [deque() for _ in range(lanes)]
        self._settled: list[tuple[int, FloatArray, FloatArray]] = []

    def place(self, lane: int, bound: FloatArray | float) -> None:
        """Open a bet in a lane; it counts as lost until it is settled.

        Args:
            lane: its number, from 0.
            bound: of the absolute value, known now; (shape). With 0, nothing is at stake.
        """
        known = np.asarray(bound, np.float64)
        self._largest = np.maximum(self._largest, known)
        self._open[lane].append((known, self._largest))

    def settle(self, lane: int, value: FloatArray | float) -> None:
        """Settle the oldest open bet of a lane.

        Args:
            lane: its number, from 0.
            value: (shape), of either sign.

        Raises:
            EvaluationError: no open bet in the lane, or a value beyond its bound.
        """
        known = np.asarray(value, np.float64)
        if not self._open[lane]:
            raise EvaluationError(
                "settle a bet", found=f"none that is open in lane {lane}", expected="a bet placed in it"
            )
        bound, scale = self._open[lane].popleft()
        if not (np.abs(known) <= bound + _ROUNDING * (1 + bound)).all():
            raise EvaluationError(
                "settle a bet",
                found=f"a value beyond its bound by {float(np.max(np.abs(known) - bound)):g}, or none",
                expected="absolute values up to the bound that was known when the bet was placed",
            )
        held = np.clip(known, -bound, bound)
        self._settled.append((lane, held, scale))
        self._above[..., lane, :] += _growth(held, scale, 0.0, self._fractions)
        self._below[..., lane, :] += _growth(-held, scale, 0.0, self._fractions)

    @property
    def log_above(self) -> FloatArray:
        """(shape) natural logarithm of the e-value for an expected value above 0."""
        return _log_mean(self._above + self._lost())

    @property
    def log_below(self) -> FloatArray:
        """(shape) natural logarithm of the e-value for an expected value below 0."""
        return _log_mean(self._below + self._lost())

    def bounds(self, alpha: float) -> tuple[float, float] | None:
        """Confidence sequence of the mean of one series: the means that bets against them have not ruled out.

        Each bound holds at all times at once with a probability of at least 1 - alpha, if the expected value is the
        same throughout. The lower one is above 0 exactly where the e-value for that is above 1 / alpha, and likewise
        the upper one.

        Args:
            alpha: of each bound.

        Returns:
            Lower and upper bound; None before the first bet is settled.
        """
        if not self._settled:
            return None
        lane = np.array([each for each, _, _ in self._settled], np.int64)
        value = np.array([float(each) for _, each, _ in self._settled])
        scale = np.array([float(each) for _, _, each in self._settled])
        return self._lower(lane, value, scale, alpha), -self._lower(lane, -value, scale, alpha)

    def _lower(self, lane: np.ndarray, value: FloatArray, scale: FloatArray, alpha: float) -> float:
        """The largest mean for which bets that the mean is larger have a wealth of 1 / alpha, found by halving.

        The wealth falls with the mean that is bet against, since no value is beyond its scale.
        """
        lost, needed = self._lost(), -np.log(alpha)

        def is_ruled_out(mean: float) -> bool:
            wealth = np.zeros((self._lanes, len(self._fractions)))
            np.add.at(wealth, lane, _growth(value, scale, mean, self._fractions))
            return bool(_log_mean(wealth + lost) >= needed)

        low, high = -float(scale[-1]), float(scale[-1])
        if not is_ruled_out(low):
            return low
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if is_ruled_out(middle) else (low, middle)
        return low

    def _lost(self) -> FloatArray:
        """(lanes, fractions) logarithm of what is left of the wealth if every open bet is lost."""
        count = np.array([len(bets) for bets in self._open], np.float64)
        return np.asarray(count[:, None] * np.log1p(-self._fractions))


def _growth(value: FloatArray, scale: FloatArray, mean: float, fractions: FloatArray) -> FloatArray:
    """(..., fractions) logarithm of what a bet that the mean is larger multiplies the wealth by."""
    stake = scale + abs(mean)
    gained = np.divide(value - mean, stake, out=np.zeros_like(stake), where=stake > 0)
    return np.asarray(np.log1p(gained[..., None] * fractions))


def _log_mean(logs: FloatArray) -> FloatArray:
    """Logarithm of the mean of exp over the last two axes."""
    most = logs.max(axis=(-2, -1), keepdims=True)
    return np.asarray(np.log(np.exp(logs - most).mean(axis=(-2, -1))) + most[..., 0, 0])
