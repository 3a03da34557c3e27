"""Does choosing the best of several configurations by their past pay, or does it pick the luckiest?

Combinatorially symmetric cross-validation: time is cut into S blocks; every choice of S / 2 of them is once the past
and the others the future. In each, the configuration with the best Sharpe ratio in the past is looked up among all in
the future. The probability of backtest overfitting is how often it ends in the worse half.

Reference: Bailey, Borwein, López de Prado and Zhu (2017), The Probability of Backtest Overfitting, Journal of
Computational Finance 20 (4), 39-69.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.types import FloatArray

# 12,870 splits, as in the paper.
BLOCKS = 16
_LEAST_DAYS = 2  # in a block


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """What became of the best.

    Attributes:
        probability: share of splits in which the best of the past is not above the median of the future.
        logits: (K,) ln(w / (1 - w)) of the best's relative rank w in the future; at or below 0, overfit.
        loss: share of splits in which it has a negative Sharpe ratio in the future.
        past, future: (K,) its Sharpe ratio in both, of one period.
        configurations, blocks, periods: what was looked at.
    """

    probability: float
    logits: FloatArray
    loss: float
    past: FloatArray
    future: FloatArray
    configurations: int
    blocks: int
    periods: int


def backtest_overfitting(returns: FloatArray, blocks: int = BLOCKS) -> Overfitting:
    """The probability of backtest overfitting of a choice among N configurations.

    Args:
        returns: (T, N) one row a period (a day), one column a configuration, all finite. A configuration that never
            varies in a split counts as a Sharpe ratio of 0 there. Leading rows that do not fill a block are left out.
        blocks: S, even; K = S over S / 2 splits.

    Raises:
        EvaluationError: fewer than two configurations, an odd number of blocks, too few periods, or NaN.
    """
    if returns.ndim != 2 or returns.shape[1] < 2 or not np.isfinite(returns).all():
        raise EvaluationError(
            "find the probability of overfitting",
            found=f"returns of shape {returns.shape}, {int((~np.isfinite(returns)).sum())} not finite",
            expected="finite returns of at least two configurations, (T, N)",
        )
    if blocks < 2 or blocks % 2 or len(returns) < blocks * _LEAST_DAYS:
        raise EvaluationError(
            "find the probability of overfitting",
            found=f"{len(returns)} periods in {blocks} blocks",
            expected=f"an even number of blocks of at least {_LEAST_DAYS} periods",
        )
    length = len(returns) // blocks
    # Blocks are of one size: the oldest periods that are left over go.
    cut = returns[len(returns) - length * blocks :].reshape(blocks, length, -1)  # (S, T / S, N)
    sums, squares = cut.sum(axis=1), (cut**2).sum(axis=1)
    chosen = np.array(list(combinations(range(blocks), blocks // 2)))
    inside = np.zeros((len(chosen), blocks))
    np.put_along_axis(inside, chosen, 1.0, axis=1)
    n = length * blocks // 2
    past = _sharpes(inside @ sums, inside @ squares, n)
    future = _sharpes((1 - inside) @ sums, (1 - inside) @ squares, n)
    best, rows = past.argmax(axis=1), np.arange(len(chosen))
    reached = future[rows, best]
    # Mean rank of equals, so that copies of one configuration stand in the middle of themselves.
    below = (future < reached[:, None]).sum(axis=1)
    equal = (future == reached[:, None]).sum(axis=1)
    relative = (below + (equal + 1) / 2) / (returns.shape[1] + 1)
    logits = np.log(relative / (1 - relative))
    return Overfitting(
        probability=float((logits <= 1e-12).mean()),
        logits=logits,
        loss=float((reached < 0).mean()),
        past=past[rows, best],
        future=reached,
        configurations=returns.shape[1],
        blocks=blocks,
        periods=length * blocks,
    )


def fitting_blocks(periods: int) -> int | None:
    """The most blocks, at most 16 and even, that leave each at least two periods; None where even four do not.

    >>> fitting_blocks(260), fitting_blocks(20), fitting_blocks(7)
    (16, 10, None)
    """
    most = min(BLOCKS, periods // _LEAST_DAYS // 2 * 2)
    return most if most >= 4 else None


def _sharpes(sums: FloatArray, squares: FloatArray, n: int) -> FloatArray:
    """(K, N) Sharpe ratios from sums of returns and of their squares over n periods."""
    mean = sums / n
    variance = np.maximum(squares / n - mean**2, 0.0) * n / (n - 1)
    flat = variance <= 1e-18
    return np.asarray(np.where(flat, 0.0, mean / np.sqrt(variance + flat)))


def degradation(found: Overfitting) -> float:
    """Slope of the best's Sharpe ratio in the future over that in the past; NaN where the past does not vary.

    Below 0, the better it looked, the worse it became.
    """
    past = found.past - found.past.mean()
    size = float(past @ past)
    return float(past @ found.future) / size if size > 1e-15 else math.nan
