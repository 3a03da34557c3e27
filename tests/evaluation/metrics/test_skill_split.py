"""Skill divided into volatility and direction: by hand, as an identity, and where scores know one part alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.skill_split import PartLosses, only_volatility, skill_parts, split_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

SETTINGS = EvaluationSettings(resamples=100)


def hours(n: int) -> TimeBlocks:
    return TimeBlocks(np.arange(n) * HOUR_MS, SETTINGS)


def drawn(n: int = 2_400, seed: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True P(move) and P(up | move) of rows, and the classes drawn from them."""
    random = np.random.default_rng(seed)
    move, up = random.uniform(0.1, 0.9, n), random.uniform(0.2, 0.8, n)
    moved, rose = random.random(n) < move, random.random(n) < up
    return move, up, np.where(moved, np.where(rose, 2, 0), 1).astype(np.int8)


def composed(move: Any, up: Any, n: int) -> np.ndarray:
    move, up = np.broadcast_to(move, n), np.broadcast_to(up, n)
    return np.stack([move * (1 - up), 1 - move, move * up], axis=1)


def test_two_rows_by_hand() -> None:
    y, scores = np.array([2, 1]), np.array([[0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])
    prior = np.array([[0.25, 0.5, 0.25]] * 2)
    losses = PartLosses.of(y, scores)
    np.testing.assert_allclose(losses.volatility, [-math.log(0.8), -math.log(0.8)])
    np.testing.assert_allclose(losses.direction, [-math.log(0.75), 0.0], atol=1e-15)
    whole = (math.log(4) + math.log(2)) / 2
    parts = skill_parts(y, scores, prior)
    assert parts.volatility == pytest.approx((2 * math.log(2) + 2 * math.log(0.8)) / 2 / whole)
    assert parts.direction == pytest.approx((math.log(2) + math.log(0.75)) / 2 / whole)


rows = st.lists(st.tuples(st.integers(0, 2), *[st.floats(1e-9, 1.0)] * 6), min_size=1, max_size=40)


@given(rows)
def test_both_parts_sum_to_the_skill(made: list[tuple[float, ...]]) -> None:
    table = np.array(made)
    y = table[:, 0].astype(np.int8)
    scores, prior = (part / part.sum(axis=1, keepdims=True) for part in (table[:, 1:4], table[:, 4:]))
    whole = classification.skill_vs_prior(y, scores, prior)
    parts = skill_parts(y, scores, prior)
    loss = classification.log_loss(y, prior)
    if math.isfinite(whole) and loss > 1e-3:
        assert abs(sum(parts) - whole) * min(1.0, loss) < 1e-12


def test_scores_that_know_one_part_have_no_skill_in_the_other() -> None:
    move, up, y = drawn()
    n = len(y)
    prior = np.bincount(y, minlength=3) / n
    shares = np.broadcast_to(prior, (n, 3))
    rising = prior[2] / (prior[0] + prior[2])
    of_volatility = skill_parts(y, composed(move, rising, n), shares)
    of_direction = skill_parts(y, composed(1 - prior[1], up, n), shares)
    assert of_volatility.volatility > 0.05
    assert abs(of_volatility.direction) < 1e-12
    assert of_direction.direction > 0.03
    assert abs(of_direction.volatility) < 1e-12
    # Overconfidence about the side costs direction and leaves volatility as it was.
    wrong = skill_parts(y, composed(move, 1 - up, n), shares)
    assert wrong.volatility == pytest.approx(of_volatility.volatility, abs=1e-12)
    assert wrong.direction < -0.03


def test_figures_have_intervals_around_them() -> None:
    move, up, y = drawn()
    figures = split_figures(y, composed(move, up, len(y)), np.full((len(y), 3), 1 / 3), hours(len(y)))
    for part in (figures, figures["vs_span"]):
        for name in ("volatility", "direction"):
            low, high = part[f"{name}_ci"]
            assert low < part[name] < high


def test_the_span_s_own_shares_take_away_what_the_prior_could_not_know() -> None:
    """Against a prior of calm days, a model that only knows the span's shares has skill; against the span, none."""
    _, _, y = drawn()
    n = len(y)
    span = np.bincount(y, minlength=3) / n
    calm = np.broadcast_to([0.05, 0.9, 0.05], (n, 3))
    figures = split_figures(y, np.broadcast_to(span, (n, 3)), calm, hours(n))
    assert figures["volatility"] > 0.1
    own = figures["vs_span"]
    assert [abs(own[name]) < 1e-12 for name in ("skill", "volatility", "direction")] == [True] * 3
    assert own["skill"] == pytest.approx(own["volatility"] + own["direction"], abs=1e-12)


def test_what_cannot_be_known_says_why() -> None:
    y = np.ones(200, np.int8)
    scores, blocks = np.full((200, 3), 1 / 3), hours(200)
    unforeseen = split_figures(y, scores, np.broadcast_to([0.5, 0.0, 0.5], (200, 3)), blocks)
    assert unforeseen["volatility"] is None
    assert unforeseen["missing"]["direction_ci"] == "no HOLD in the training rows"
    assert unforeseen["vs_span"]["missing"]["skill"] == "every row is of one class"
    none = split_figures(y[:0], scores[:0], scores[:0], blocks.select(np.zeros(200, bool)))
    assert none["missing"]["volatility"] == none["vs_span"]["missing"]["skill"] == "no vote"
    few = split_figures(np.array([0, 1, 2]), scores[:3], scores[:3], hours(3))
    assert few["volatility_ci"] is None
    assert few["missing"]["volatility_ci"] == "1 blocks of time are too few"


def beside(ends: list[float] | None) -> dict[str, Any]:
    return {"skill": {"vs_log_har": {"log_loss_ci": ends}}}


def test_models_that_are_not_better_than_log_har_are_named_in_a_sentence() -> None:
    models = {
        "ensemble": beside([-0.002, 0.001]),
        "xgboost": beside([-0.004, -0.001]),
        "lightgbm": beside([0.001, 0.003]),
        "nhits": beside(None),
        "log_har": {"skill": {}},
    }
    found = only_volatility(models)
    assert found is not None
    assert found["models"] == ["ensemble", "lightgbm"]
    assert found["about"] == (
        "ensemble and lightgbm: not better than log_har by the interval, so they know nothing but volatility."
    )
    better = only_volatility({"xgboost": models["xgboost"]})
    assert better == {"models": [], "about": ""}
    assert only_volatility({"ensemble": {"skill": {}}}) is None
