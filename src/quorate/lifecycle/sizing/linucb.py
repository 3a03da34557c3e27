"""LinUCB, a linear contextual bandit with one model a share, and the ridge regression that it is with full information.

Reference: Li, Chu, Langford and Schapire (2010), A contextual-bandit approach to personalized news article
recommendation, algorithm 1 (disjoint linear models), with the identity there times a penalty. A bandit sees the reward
of the arm that it took. Of a closed trade the reward of every share is known, so nothing has to be explored: the ridge
regression of all rewards on the context uses all of it, and is what the bandit would converge to.
"""

from __future__ import annotations

import heapq

import numpy as np

from quorate.core.sections.sizing import SizingSettings
from quorate.core.types import FloatArray
from quorate.lifecycle.sizing.sized_market import SizedTrades
from quorate.trading.sizing import CONTEXT, SHARES, SizingPolicy
from quorate.trading.sizing.context import DECISION


class LinUCB:
    """Disjoint linear bandit.

    Args:
        inputs: number d of columns of a context.
        arms: number of arms.
        exploration: width of the upper bound, in standard deviations (alpha).
        penalty: of squared coefficients; 1 in the paper.

    Attributes:
        inverse: (arms, d, d) inverse of penalty x identity plus the sum of x x^T of each arm's updates.
        rewarded: (arms, d) sum of reward x x of each arm's updates.
    """

    def __init__(self, inputs: int, arms: int, exploration: float, penalty: float = 1.0) -> None:
        self.exploration = exploration
        self.inverse: FloatArray = np.stack([np.eye(inputs) / penalty] * arms)
        self.rewarded: FloatArray = np.zeros((arms, inputs))

    @property
    def coefficients(self) -> FloatArray:
        """(arms, d) ridge estimate of each arm."""
        return np.asarray(np.einsum("aij,aj->ai", self.inverse, self.rewarded))

    def bounds(self, x: FloatArray) -> FloatArray:
        """(arms,) upper bounds of the expected reward in a (d,) context."""
        spread = np.sqrt(np.einsum("i,aij,j->a", x, self.inverse, x))
        return np.asarray(self.coefficients @ x + self.exploration * spread)

    def choose(self, x: FloatArray) -> int:
        """The arm with the highest bound; the first of equal ones."""
        return int(np.argmax(self.bounds(x)))

    def update(self, arm: int, x: FloatArray, reward: float) -> None:
        """Learn the reward of an arm in a context (Sherman and Morrison's formula for the inverse)."""
        turned = self.inverse[arm] @ x
        self.inverse[arm] -= np.outer(turned, turned) / (1 + x @ turned)
        self.rewarded[arm] += reward * x


def fit_linucb(trades: SizedTrades, settings: SizingSettings) -> SizingPolicy:
    """The policy of a bandit that sized these trades in order, by its estimates without the bound.

    At each decision it has learnt the rewards of the trades that were closed by then, of the arms that it took.
    """
    standard, X = _standard(trades)
    rewards = trades.rewards(settings.aversion)
    bandit = LinUCB(X.shape[1], len(SHARES), settings.exploration, settings.penalty)
    waiting: list[tuple[int, int, int]] = []
    for number in range(len(trades)):
        while waiting and waiting[0][0] <= trades.decided[number]:
            _, past, arm = heapq.heappop(waiting)
            bandit.update(arm, X[past], rewards[past, arm])
        heapq.heappush(waiting, (int(trades.known[number]), number, bandit.choose(X[number])))
    for _, past, arm in sorted(waiting):
        bandit.update(arm, X[past], rewards[past, arm])
    return _linear(standard, bandit.coefficients)


def fit_ridge(trades: SizedTrades, settings: SizingSettings) -> SizingPolicy:
    """The policy of a ridge regression of every share's reward on the context."""
    standard, X = _standard(trades)
    square = X.T @ X + settings.penalty * np.eye(X.shape[1])
    found: FloatArray = np.asarray(np.linalg.solve(square, X.T @ trades.rewards(settings.aversion)), np.float64)
    return _linear(standard, found.T)


def _standard(trades: SizedTrades) -> tuple[SizingPolicy, FloatArray]:
    """A policy of no preference that standardises the inputs, and (n, 1 + k) its inputs after a column of ones.

    Rows with an unknown input are 0: they teach nothing. Inputs that do not vary are left out.
    """
    inputs, means, scales = [], [], []
    for name in DECISION:
        column = trades.contexts[:, CONTEXT.index(name)]
        known = column[np.isfinite(column)]
        if known.size and known.std() > 1e-12:
            inputs.append(name)
            means.append(known.mean())
            scales.append(known.std())
    none = np.zeros((len(SHARES), len(inputs))), np.zeros(len(SHARES))
    standard = SizingPolicy(tuple(inputs), np.array(means), np.array(scales), (none,))
    X = np.column_stack([np.ones(len(trades)), standard.standardised(trades.contexts)])
    unknown = np.isnan(X).any(axis=1)
    X[unknown] = 0.0
    return standard, X


def _linear(standard: SizingPolicy, coefficients: FloatArray) -> SizingPolicy:
    """The policy of (5, 1 + k) coefficients, the constant first."""
    layer = np.ascontiguousarray(coefficients[:, 1:]), np.ascontiguousarray(coefficients[:, 0])
    return SizingPolicy(standard.inputs, standard.mean, standard.scale, (layer,))
