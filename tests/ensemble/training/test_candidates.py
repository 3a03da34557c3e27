"""The grid of thresholds and its candidates on rows worked by hand."""

import numpy as np
import pytest

from quorate.core.settings import VoteSettings
from quorate.ensemble.calibration.temperature import UNCHANGED
from quorate.ensemble.training.candidates import (
    Considered,
    SignalOutcome,
    Thresholds,
    calibrated_candidates,
    grid,
    never_acting,
    signal_outcome,
    would_act_at,
)
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy

POLICY = CalibratedPolicy(VoteSettings(), UNCHANGED, (-0.02, 0.0, 0.02), 0.002)


def probabilities_of(buy):
    buy = np.array(buy, float)
    return np.stack([np.zeros(len(buy)), 1 - buy, buy], axis=1)


def considered(buy, voters=2, limit=None):
    return Considered.of(POLICY, probabilities_of(buy), np.full(len(buy), voters), 2, limit)


def test_signal_outcome_by_hand():
    action, earned = np.array([2, 0, 1, 2]), np.array([0.01, -0.03, 0.5, -0.002])
    # 0.9 %, 2.9 %, nothing, -0.3 %.
    found = signal_outcome(action, earned, 0.001)
    assert found.signals == 3
    assert found.net_return == pytest.approx(0.035 / 3)
    assert signal_outcome(np.ones(4), earned, 0.001).to_json() == {"signals": 0, "net_bps": None}
    assert signal_outcome(action[:1], earned[:1], 0.0) == SignalOutcome(1, 0.01)


def test_every_pair_is_a_candidate_and_acts_where_both_thresholds_are_reached():
    buy = np.array([0.05, 0.2, 0.3, 0.4, 0.6, 0.8])
    found = considered(buy)
    # 2 % x 0.05 does not pay for 0.2 %.
    assert found.paying.tolist() == [False, True, True, True, True, True]
    pairs = grid(found, sets=False)
    assert len(pairs) == 7 * 7
    assert len(grid(found, sets=True)) == 98
    day, earned = np.array([0, 0, 1, 1, 2, 2]), np.array([0.0, 0.01, 0.02, 0.03, 0.04, 0.05])
    made = list(calibrated_candidates(found, pairs, earned, day, 3, 0.002))
    for pair, one in zip(pairs, made, strict=True):
        acted = found.paying & (0.02 * buy - 0.002 >= pair.net_return) & (buy >= pair.probability)
        assert (one.signals, one.buys) == (acted.sum(), acted.sum())
        applied = pair.apply(POLICY).decide_frame(probabilities_of(buy), np.full(6, 2), 2)
        np.testing.assert_array_equal(applied.action == 2, acted)
    assert made[0].values == pytest.approx([0.008, 0.023, 0.043])
    assert made[0].name == "calibrated from 0.0 bps and 0.0%"
    assert str(Thresholds(0.0005, 0.4, True)) == "calibrated from 5.0 bps and 40.0%, unambiguous"


def test_unambiguous_rows_have_the_class_of_their_side_only():
    # Sets hold classes of at least 0.3: HOLD and BUY at 0.6, BUY alone at 0.8. Unknown limits have empty sets.
    found = considered([0.6, 0.8, 0.8], limit=np.array([0.7, 0.7, np.nan]))
    assert found.paying.all()
    assert found.unambiguous.tolist() == [False, True, False]
    assert not considered([0.6, 0.8]).unambiguous.any()
    joined = Considered.concat([found, considered([0.05])])
    assert joined.paying.tolist() == [True, True, True, False]


def test_without_a_row_that_pays_there_is_no_candidate():
    found = considered([0.05, 0.08, 0.02])
    assert grid(found, sets=True) == []
    assert never_acting(POLICY, found).net_return == 0
    # 2 % x 0.08 less 0.2 %.
    assert would_act_at(POLICY, probabilities_of([0.05, 0.08]), np.full(2, 2), 2) == pytest.approx(-0.0004)
    assert would_act_at(POLICY, probabilities_of([0.9]), np.ones(1), 2) is None


def test_a_policy_that_must_not_act_is_silent_on_its_rows():
    found = considered([0.3, 0.8])
    shut = never_acting(POLICY, found)
    assert shut.net_return == pytest.approx(0.02 * 0.8 - 0.002)
    assert (shut.decide_frame(probabilities_of([0.3, 0.8]), np.full(2, 2), 2).action == 1).all()
