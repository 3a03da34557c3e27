"""Probability of backtest overfitting (PBO) by combinatorially symmetric cross-validation.

Time is cut into S blocks; each choice of S / 2 of them is once the in-sample part and the rest the out-of-sample part.
In each split, the configuration with the best in-sample Sharpe ratio is ranked among all out of sample. The probability
of backtest overfitting is the share of splits in which it ranks in the worse half.

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

# 16 blocks give 12,870 splits, as in the paper.
BLOCKS = 16
_LEAST_DAYS = 2  # of a block


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """Result of combinatorially symmetric cross-validation.

    Attributes:
        probability: share of splits in which the best in sample is not above the median out of sample.
        logits: (K,) ln(w / (1 - w)) of its relative rank w out of sample; at or below 0, overfit.
        loss: share of splits in which its Sharpe ratio is negative out of sample.
        past, future: (K,) its Sharpe ratio in sample and out of sample, of one period.
        configurations, blocks, periods: size of the input.
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
    """Probability of backtest overfitting of selecting the best of N configurations.

    Args:
        returns: (T, N) one row a period (a day), one column a configuration, all finite. The Sharpe ratio of constant
            returns counts as 0. The oldest rows are dropped so that all blocks have one size.
        blocks: S, even; there are K = S choose S / 2 splits.

    Raises:
        EvaluationError: fewer than two configurations, an odd number of blocks, too few periods, or NaN.
    """
    if returns.ndim != 2 or returns.shape[1] < 2 or not np.isfinite(returns).all():
        raise EvaluationError(
            "estimate the probability of backtest overfitting",
            found=f"returns of shape {returns.shape}, {int((~np.isfinite(returns)).sum())} values not finite",
            expected="finite returns of at least two configurations, (T, N)",
        )
    if blocks < 2 or blocks % 2 or len(returns) < blocks * _LEAST_DAYS:
        raise EvaluationError(
            "estimate the probability of backtest overfitting",
            found=f"{len(returns)} periods in {blocks} blocks",
            expected=f"an even number of blocks of at least {_LEAST_DAYS} periods",
        )
    length = len(returns) // blocks
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
    # Ties get their mean rank, so that duplicates of one configuration do not bias the rank.
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
    """Largest even number of blocks, at most 16, with at least two periods each; None if that is under 4.

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
    """Slope of the best configuration's out-of-sample Sharpe ratio on its in-sample one; NaN if the latter is constant.

    Below 0, a better in-sample result goes with a worse out-of-sample one.
    """
    past = found.past - found.past.mean()
    size = float(past @ past)
    return float(past @ found.future) / size if size > 1e-15 else math.nan
