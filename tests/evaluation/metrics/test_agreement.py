"""Effective number of votes: known correlations give known numbers."""

import numpy as np
import pytest

from quorate.core.clock import DAY_MS
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.metrics.agreement import agreement_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

SETTINGS = EvaluationSettings(resamples=200)


def scores(action):
    table = np.full((len(action), 3), 0.2)
    table[np.arange(len(action)), action] = 0.6
    return table


def figures(y, actions, abstains=None):
    n = len(y)
    tables = {f"m{number}": scores(action) for number, action in enumerate(actions)}
    if abstains is not None:
        tables["m0"][abstains] = np.nan
    return agreement_figures(y, tables, TimeBlocks(np.arange(n) * DAY_MS // 10, SETTINGS))


def members(right):
    """(k, n) actions of members that are right where `right` is True; all labels are BUY."""
    return np.where(right, 2, 0)


def test_independent_members_are_as_many_votes_as_they_are():
    random = np.random.default_rng(1)
    n = 20_000
    found = figures(np.full(n, 2), members(random.random((4, n)) < 0.6))
    assert found["effective_votes"] == pytest.approx(4, abs=0.1)
    low, high = found["effective_votes_ci"]
    assert 3.9 < low < high <= 4
    assert found["rows"] == n


def test_copies_are_one_vote():
    right = np.random.default_rng(2).random(500) < 0.5
    found = figures(np.full(500, 2), members(np.stack([right] * 3)))
    assert found["effective_votes"] == pytest.approx(1)
    assert found["effective_votes_ci"] == pytest.approx([1, 1])
    assert found["same_vote"] == [[1.0] * 3] * 3


def test_a_correlation_worked_by_hand():
    # Right together on 3 of 8 rows, wrong together on 3, apart on 2: r = (3/8 - 1/4) / (1/4) = 1/2, and 4 / 2.5 votes.
    right = np.array([[1, 1, 1, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 0, 0, 1]], bool)
    found = figures(np.full(8, 2), members(right))
    assert found["correlation"] == [pytest.approx([1.0, 0.5]), pytest.approx([0.5, 1.0])]
    assert found["mean_correlation"] == pytest.approx(0.5)
    assert found["effective_votes"] == pytest.approx(1.6)
    assert found["same_vote"][0] == [1.0, 0.75]
    assert found["effective_votes_ci"] is None
    assert found["missing"]["effective_votes_ci"] == "1 blocks of time are too few"


def test_only_rows_on_which_all_voted_count():
    right = np.random.default_rng(3).random((2, 100)) < 0.5
    found = figures(np.full(100, 2), members(right), abstains=np.arange(100) < 40)
    assert found["rows"] == 60
    assert found["same_vote"][0][1] == pytest.approx((right[0, 40:] == right[1, 40:]).mean())


@pytest.mark.parametrize(
    ("right", "why"),
    [
        (np.ones((2, 10), bool), "m0 is right on every row, or on none"),
        (np.ones((1, 10), bool), "fewer than two members"),
        (np.ones((2, 0), bool), "no row on which all members voted"),
    ],
)
def test_what_cannot_be_measured_is_said(right, why):
    found = figures(np.full(right.shape[1], 2), members(right))
    assert found["effective_votes"] is None
    assert found["missing"]["effective_votes"] == why


def test_two_that_always_differ_are_one_vote():
    right = np.array([[1, 0] * 5, [0, 1] * 5], bool)
    assert figures(np.full(10, 2), members(right))["effective_votes"] == pytest.approx(1)


def test_two_pairs_are_two_votes():
    random = np.random.default_rng(4)
    first, second = random.random((2, 20_000)) < 0.5
    found = figures(np.full(20_000, 2), members(np.stack([first, first, second, second])))
    assert found["effective_votes"] == pytest.approx(2, abs=0.01)


def test_leans_are_compared_where_the_largest_scores_are_the_same():
    tables = {"up": np.array([[0.1, 0.5, 0.4], [0.2, 0.5, 0.3]]), "down": np.array([[0.3, 0.5, 0.2], [0.2, 0.5, 0.3]])}
    found = agreement_figures(np.array([1, 2]), tables, TimeBlocks(np.arange(2), SETTINGS))
    assert found["same_vote"][0][1] == 1.0
    assert found["lean_correlation"][0][1] == pytest.approx(-1)


def test_no_member():
    assert agreement_figures(np.full(3, 2), {}, TimeBlocks(np.arange(3), SETTINGS))["members"] == []
