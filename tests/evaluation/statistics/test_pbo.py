from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from quorate.core.errors import EvaluationError
from quorate.evaluation.statistics.pbo import backtest_overfitting, degradation


def plainly(returns: np.ndarray, blocks: int) -> list[float]:
    """The paper's algorithm, one split after the other: the logits."""
    parts = np.split(returns, blocks)
    logits = []
    for past in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[place] for place in past])
        outside = np.concatenate([parts[place] for place in range(blocks) if place not in past])
        best = int(np.argmax([column.mean() / column.std(ddof=1) for column in inside.T]))
        later = [column.mean() / column.std(ddof=1) for column in outside.T]
        rank = sorted(later).index(later[best]) + 1
        relative = rank / (len(later) + 1)
        logits.append(math.log(relative / (1 - relative)))
    return logits


@pytest.mark.parametrize(("seed", "blocks"), [(0, 4), (1, 6), (2, 8)])
def test_it_is_the_papers_algorithm(seed: int, blocks: int) -> None:
    returns = np.random.default_rng(seed).normal(0.001, 0.01, (blocks * 12, 7))
    found, slow = backtest_overfitting(returns, blocks), plainly(returns, blocks)
    assert found.logits == pytest.approx(slow)
    assert found.probability == pytest.approx(np.mean(np.array(slow) <= 1e-12))
    assert (found.configurations, found.periods) == (7, blocks * 12)


def test_two_blocks_by_hand() -> None:
    """A wins in the first half and loses in the second, B the other way round: each choice is the worse one later."""
    up, down = [0.02, 0.01, 0.02, 0.01], [-0.02, -0.01, -0.02, -0.01]
    found = backtest_overfitting(np.column_stack([up + down, down + up]), 2)
    # The best of either half ranks last of two: w = 1 / 3, ln(1 / 2).
    assert found.logits == pytest.approx([math.log(0.5)] * 2)
    assert (found.probability, found.loss) == (1.0, 1.0)


def test_among_equals_the_choice_is_a_coin_and_with_skill_it_is_not() -> None:
    rng = np.random.default_rng(3)
    noise = [backtest_overfitting(rng.normal(0, 0.01, (320, 10))).probability for _ in range(20)]
    assert 0.35 < np.mean(noise) < 0.65
    skilled = rng.normal(0, 0.01, (320, 10))
    skilled[:, 4] += 0.004
    found = backtest_overfitting(skilled)
    assert found.probability < 0.01
    assert found.loss < 0.01
    assert len(found.logits) == 12_870


def test_a_fixed_total_makes_the_best_of_the_past_the_worst_of_the_future() -> None:
    """Where everyone earns the same in the end, what one half gains the other has to lose."""
    returns = np.random.default_rng(4).normal(0, 0.01, (160, 8))
    found = backtest_overfitting(returns - returns.mean(axis=0))
    assert found.probability > 0.9
    assert degradation(found) < 0


def test_an_idle_configuration_and_copies_are_no_trouble() -> None:
    returns = np.random.default_rng(5).normal(0, 0.01, (64, 2))
    found = backtest_overfitting(np.column_stack([returns, returns, np.zeros(64)]), 8)
    assert 0 <= found.probability <= 1
    assert np.isfinite(found.logits).all()
    same = backtest_overfitting(np.repeat(returns[:, :1], 3, axis=1), 8)
    assert same.logits == pytest.approx(np.zeros(70))  # always in the middle of its copies
    assert same.probability == 1.0


@pytest.mark.parametrize(
    ("returns", "blocks"),
    [
        (np.zeros((40, 1)), 4),
        (np.zeros(40), 4),
        (np.full((40, 2), np.nan), 4),
        (np.zeros((40, 2)), 3),
        (np.zeros((6, 2)), 4),
    ],
)
def test_what_cannot_be_split_is_refused(returns: np.ndarray, blocks: int) -> None:
    with pytest.raises(EvaluationError):
        backtest_overfitting(returns, blocks)
