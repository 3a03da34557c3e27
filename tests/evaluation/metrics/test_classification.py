from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn import metrics as sk

from quorate.core.errors import EvaluationError
from quorate.evaluation.metrics import classification

# Three rows worked by hand: right and sure, wrong, right by a little.
HAND_Y = np.array([2, 0, 1], np.int8)
HAND_SCORES = np.array([[0.1, 0.1, 0.8], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3]])


def drawn(seed: int, n: int = 400, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet([2.0, 3.0, 2.0], size=n)
    if ties:
        scores = np.round(scores, 1)
        scores[:, 1] = 1 - scores[:, 0] - scores[:, 2]
        scores = np.clip(scores, 0, None)
        scores /= scores.sum(axis=1, keepdims=True)
    y = np.array([rng.choice(3, p=0.5 * row + 0.5 / 3) for row in scores], np.int8)
    return y, scores


def predicted(scores: np.ndarray) -> np.ndarray:
    """The class that each row predicts: HOLD unless one side is above it and above the other side."""
    return np.array([0 if s > max(h, b) else 2 if b > max(s, h) else 1 for s, h, b in scores])


def test_hand_worked_values() -> None:
    assert classification.log_loss(HAND_Y, HAND_SCORES) == pytest.approx(
        -(math.log(0.8) + math.log(0.2) + math.log(0.4)) / 3, rel=1e-12
    )
    # Squared distances of the three rows, class by class: 1 + 1 + 4, 64 + 25 + 9 and 9 + 36 + 9 hundredths.
    assert classification.brier(HAND_Y, HAND_SCORES) == pytest.approx((0.06 + 0.98 + 0.54) / 3, rel=1e-12)
    assert classification.accuracy(HAND_Y, HAND_SCORES) == pytest.approx(2 / 3)
    # SELL: 0.2 against 0.1 and 0.3: one half. HOLD: 0.4 against 0.1 and 0.5: one half. BUY: 0.8 beats both.
    assert classification.auc(HAND_Y, HAND_SCORES) == pytest.approx((0.5 + 0.5 + 1) / 3)
    even = np.full(3, 1 / 3)
    assert classification.skill_vs_prior(HAND_Y, HAND_SCORES, even) == pytest.approx(
        1 - classification.log_loss(HAND_Y, HAND_SCORES) / math.log(3)
    )
    # Winning scores 0.8 right, 0.5 wrong, 0.4 right, each alone in its bin of five.
    assert classification.ece(HAND_Y, HAND_SCORES, 5) == pytest.approx((0.2 + 0.5 + 0.6) / 3)
    assert classification.confusion(HAND_Y, HAND_SCORES.argmax(axis=1)).tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("ties", [False, True])
def test_agrees_with_scikit_learn_and_scipy(seed: int, ties: bool) -> None:
    y, scores = drawn(seed, ties=ties)
    returns = np.random.default_rng(seed + 100).normal(size=len(y)) + scores[:, 2]
    assert classification.log_loss(y, scores) == pytest.approx(sk.log_loss(y, scores, labels=[0, 1, 2]), rel=1e-12)
    assert classification.accuracy(y, scores) == pytest.approx(sk.accuracy_score(y, predicted(scores)))
    one_hot = np.eye(3)[y]
    assert classification.brier(y, scores) == pytest.approx(
        sum(sk.brier_score_loss(one_hot[:, k], scores[:, k]) for k in range(3)), rel=1e-12
    )
    assert classification.auc(y, scores) == pytest.approx(sk.roc_auc_score(y, scores, multi_class="ovr"), rel=1e-12)
    expected = stats.spearmanr(scores[:, 2] - scores[:, 0], returns).statistic
    assert classification.rank_ic(scores, returns) == pytest.approx(expected, rel=1e-9)
    matrix = sk.confusion_matrix(y, scores.argmax(axis=1), labels=[0, 1, 2])
    assert classification.confusion(y, scores.argmax(axis=1)).tolist() == matrix.tolist()


def test_a_tie_of_sell_and_buy_predicts_hold() -> None:
    """Such a row is right where the class is HOLD, and its score is that of HOLD, as in the vote."""
    scores = np.array([[0.4, 0.2, 0.4]] * 3)
    assert classification.row_correct(np.array([0, 1, 2]), scores).tolist() == [0.0, 1.0, 0.0]
    assert classification.reliability(np.array([1]), scores[:1], 5).rows.tolist() == [1, 0, 0, 0, 0]


def test_the_calibration_error_equals_a_plain_loop() -> None:
    y, scores = drawn(5)
    total = 0.0
    for low, high in zip(np.linspace(0, 1, 11)[:-1], np.linspace(0, 1, 11)[1:], strict=True):
        inside = [i for i in range(len(y)) if low < scores[i].max() <= high]
        if inside:
            sure = sum(scores[i].max() for i in inside) / len(inside)
            right = sum(scores[i].argmax() == y[i] for i in inside) / len(inside)
            total += len(inside) / len(y) * abs(sure - right)
    assert classification.ece(y, scores, 10) == pytest.approx(total, rel=1e-12)


def test_abstentions_are_left_out_and_never_a_hold() -> None:
    y, scores = drawn(3)
    gappy = scores.copy()
    gappy[::3] = np.nan
    gappy[1, 0] = np.inf  # a row that is only partly finite is an abstention too
    rows = classification.voted(gappy)
    assert rows.sum() == len(y) - len(y[::3]) - 1
    returns = np.random.default_rng(0).normal(size=len(y))
    prior = np.array([0.3, 0.4, 0.3])
    assert classification.log_loss(y, gappy) == pytest.approx(classification.log_loss(y[rows], scores[rows]))
    assert classification.brier(y, gappy) == pytest.approx(classification.brier(y[rows], scores[rows]))
    assert classification.accuracy(y, gappy) == pytest.approx(classification.accuracy(y[rows], scores[rows]))
    assert classification.auc(y, gappy) == pytest.approx(classification.auc(y[rows], scores[rows]))
    assert classification.ece(y, gappy, 10) == pytest.approx(classification.ece(y[rows], scores[rows], 10))
    assert classification.rank_ic(gappy, returns) == pytest.approx(classification.rank_ic(scores[rows], returns[rows]))
    assert classification.skill_vs_prior(y, gappy, prior) == pytest.approx(
        classification.skill_vs_prior(y[rows], scores[rows], prior)
    )


@settings(max_examples=40)
@given(hnp.arrays(np.int8, st.integers(3, 60), elements=st.integers(0, 2)), st.integers(0, 2**31 - 1))
def test_the_prior_has_no_skill_and_a_seer_has_all(y: np.ndarray, seed: int) -> None:
    prior = np.random.default_rng(seed).dirichlet([3, 3, 3])
    constant = classification.prior_scores(prior, len(y))
    assert classification.skill_vs_prior(y, constant, prior) == pytest.approx(0, abs=1e-12)
    area = classification.auc(y, constant)
    assert math.isnan(area) if len(set(y.tolist())) < 3 else area == 0.5
    seer = np.eye(3)[y]
    assert classification.log_loss(y, seer) == pytest.approx(0, abs=1e-12)
    assert classification.brier(y, seer) == 0
    assert classification.accuracy(y, seer) == 1
    assert classification.ece(y, seer, 10) == 0
    assert classification.skill_vs_prior(y, seer, prior) == pytest.approx(1)


@settings(max_examples=30)
@given(st.integers(0, 2**31 - 1))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    y, scores = drawn(seed, n=80, ties=True)
    rng = np.random.default_rng(seed)
    returns, order = rng.normal(size=80), rng.permutation(80)
    prior = np.array([0.3, 0.4, 0.3])
    for before, after in [
        (classification.log_loss(y, scores), classification.log_loss(y[order], scores[order])),
        (classification.brier(y, scores), classification.brier(y[order], scores[order])),
        (classification.auc(y, scores), classification.auc(y[order], scores[order])),
        (classification.ece(y, scores, 10), classification.ece(y[order], scores[order], 10)),
        (classification.rank_ic(scores, returns), classification.rank_ic(scores[order], returns[order])),
        (
            classification.skill_vs_prior(y, scores, prior),
            classification.skill_vs_prior(y[order], scores[order], prior),
        ),
    ]:
        assert after == pytest.approx(before, rel=1e-9, nan_ok=True)


def test_a_zero_for_what_happened_costs_much_but_not_infinity() -> None:
    certain = np.array([[0.0, 1.0, 0.0]])
    assert classification.log_loss(np.array([0]), certain) == pytest.approx(-math.log(np.finfo(float).eps))


@pytest.mark.parametrize("rows", [0, 4])
def test_no_voted_row_is_nan_not_a_number(rows: int) -> None:
    y, scores = np.zeros(rows, np.int8), np.full((rows, 3), np.nan)
    values = [classification.log_loss(y, scores), classification.brier(y, scores), classification.accuracy(y, scores)]
    values += [
        classification.auc(y, scores),
        classification.ece(y, scores, 10),
        classification.rank_ic(scores, np.zeros(rows)),
    ]
    values.append(classification.skill_vs_prior(y, scores, np.full(3, 1 / 3)))
    assert all(math.isnan(value) for value in values)


def test_a_constant_lean_has_no_rank_correlation() -> None:
    flat = np.tile([0.2, 0.6, 0.2], (10, 1))
    assert math.isnan(classification.rank_ic(flat, np.arange(10.0)))


@pytest.mark.parametrize(
    ("y", "scores", "word"),
    [
        ([0, 1], [[0.2, 0.3, 0.5]], "shape|labels"),
        ([3], [[0.2, 0.3, 0.5]], "label 3"),
        ([-1], [[0.2, 0.3, 0.5]], "label -1"),
        ([0], [[0.2, 0.3, 0.6]], "sum to 1"),
        ([0], [[-0.2, 0.6, 0.6]], "at least 0"),
    ],
)
def test_strange_rows_are_refused(y: list[int], scores: list[list[float]], word: str) -> None:
    with pytest.raises(EvaluationError, match=word):
        classification.check_scores(np.array(y), np.array(scores))


def test_an_abstention_passes_the_check() -> None:
    classification.check_scores(np.array([0, 1]), np.array([[np.nan] * 3, [0.2, 0.3, 0.5]]))


@pytest.mark.parametrize("prior", [[0.5, 0.5], [0.5, 0.4, 0.4], [-0.1, 0.6, 0.5], [math.nan, 0.5, 0.5]])
def test_a_prior_that_is_no_share_is_refused(prior: list[float]) -> None:
    with pytest.raises(EvaluationError, match="class prior"):
        classification.prior_scores(np.array(prior), 4)


def test_rows_may_have_priors_of_their_own() -> None:
    y = np.array([0, 1, 2, 2], np.int8)
    priors = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.2, 0.2, 0.6]])
    scores = np.array([[0.6, 0.2, 0.2], [np.nan] * 3, [0.1, 0.2, 0.7], [0.1, 0.4, 0.5]])
    expected = 1 - np.log([0.6, 0.7, 0.5]).sum() / np.log([0.5, 0.6, 0.6]).sum()
    assert classification.skill_vs_prior(y, scores, priors) == pytest.approx(expected)
    with pytest.raises(EvaluationError, match=r"or \(4, 3\)"):
        classification.prior_scores(priors[:2], 4)
    with pytest.raises(EvaluationError, match="sum to 1"):
        classification.prior_scores(priors * 2, 4)


def test_an_area_is_the_chance_that_a_positive_row_outscores_a_negative_one() -> None:
    assert classification.binary_auc(
        np.array([True, False, True, False]), np.array([3.0, 1.0, 2.0, 2.0])
    ) == pytest.approx(3.5 / 4)
    assert np.isnan(classification.binary_auc(np.array([True, True]), np.array([1.0, 2.0])))
