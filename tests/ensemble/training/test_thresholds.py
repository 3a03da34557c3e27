"""Thresholds on rows worked by hand, and the rows_of of the policy."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.settings import CalibrationSettings, PolicySettings, Settings, VoteSettings
from quorate.ensemble.calibration.temperature import UNCHANGED
from quorate.ensemble.training.fit_policy import HoldoutScores, fit_policy
from quorate.ensemble.training.thresholds import PolicyRows, SignalOutcome, fit_thresholds, signal_outcome, would_act_at
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy

POLICY = CalibratedPolicy(VoteSettings(), UNCHANGED, (-0.02, 0.0, 0.02), 0.002)


def rows_of(buy, earned, voters=2):
    """Rows with these probabilities of BUY, and 0 of SELL."""
    buy, earned = np.array(buy, float), np.array(earned, float)
    p = np.stack([np.zeros(len(buy)), 1 - buy, buy], axis=1)
    return PolicyRows(p, np.full(len(buy), voters), earned, np.arange(len(buy)), None, 2)


def test_signal_outcome_by_hand():
    action = np.array([2, 0, 1, 2])
    earned = np.array([0.01, -0.03, 0.5, -0.002])
    # 0.9 %, 2.9 %, nothing, -0.3 %: a mean of 35/30 %; the first and the last share a block.
    found = signal_outcome(action, earned, np.array([0, 1, 2, 0]), 0.001)
    assert found.signals == 3
    assert found.net_return == pytest.approx(0.035 / 3)
    off = np.array([0.009 - 0.003, 0.029]) - np.array([2, 1]) * 0.035 / 3
    assert found.error == pytest.approx(np.sqrt((off**2).sum() * 2) / 3)
    nothing = signal_outcome(np.ones(4), earned, np.arange(4), 0.001)
    assert nothing.to_json() == {"signals": 0, "net_bps": None, "error_bps": None}
    assert signal_outcome(action[:1], earned[:1], np.zeros(1), 0.0) == SignalOutcome(1, 0.01, float("inf"))


def test_thresholds_keep_the_rows_with_a_profit():
    # Expected: 2 % x P(BUY) less 0.2 %. Rows of 0.3 lose, rows of 0.8, every fourth, win.
    buy = np.where(np.arange(200) % 4 == 0, 0.8, 0.3)
    random = np.random.default_rng(1)
    earned = np.where(buy > 0.5, 0.02, -0.01) + random.normal(0, 0.001, 200)
    fitted, made = fit_thresholds(POLICY, rows_of(buy, earned), signals=30)
    assert made.signals == 50
    assert made.net_return == pytest.approx(0.018, abs=5e-4)
    action = fitted.decide_frame(rows_of(buy, earned).probabilities, np.full(200, 2), 2).action
    np.testing.assert_array_equal(action == 2, buy > 0.5)
    # If more signals are required than have a profit, no pair has a gain, and the policy acts on none of these rows.
    closed, made = fit_thresholds(POLICY, rows_of(buy, earned), signals=51)
    assert made.signals == 0
    assert not (closed.decide_frame(rows_of(buy, earned).probabilities, np.full(200, 2), 2).action != 1).any()
    assert closed.net_return == pytest.approx(0.02 * 0.8 - 0.002)


def test_without_a_profit_it_never_acts_and_reports_when_it_would():
    rows = rows_of([0.05, 0.08, 0.02], [0.1, 0.1, 0.1])
    fitted, made = fit_thresholds(POLICY, rows, signals=1)
    assert made.signals == 0
    assert (fitted.net_return, fitted.probability) == (0, 0)
    # 2 % x 0.08 less 0.2 %.
    assert would_act_at(POLICY, rows) == pytest.approx(-0.0004)
    assert would_act_at(POLICY, rows_of([0.9], [0.1], voters=1)) is None


HOUR = 3_600_000


def holdout(seed, start, n=3_000, skill=1.0, pays=True):
    """Rows of four markets with members of this skill."""
    random = np.random.default_rng(seed)
    y = random.choice(3, n, p=[0.3, 0.4, 0.3]).astype(np.int8)
    logits = skill * np.eye(3)[y] + random.normal(size=(n, 3))
    true = np.exp(logits)
    true /= true.sum(axis=1, keepdims=True)
    time = start + HOUR * (np.arange(n) // 4)
    earned = np.where(pays, 1, -1) * (y - 1) * 0.01
    tables = {"xgboost": true, "lightgbm": 0.9 * true + 0.1 / 3}
    return HoldoutScores(tables, y, time, time + 5 * HOUR, earned, np.full(n, 0.01))


LATER = 10_000 * HOUR


def test_a_policy_with_a_profit_is_preferred_to_one_that_does_not_act():
    # Scores too low for the floor of the classic policy.
    settings = replace(Settings(), policy=PolicySettings(signals=20))
    fitted = fit_policy(holdout(1, 0), holdout(2, LATER), settings, 2)
    assert fitted.policy == "calibrated"
    assert fitted.report["worth"]["calibrated"]["net_bps"] > 20
    assert set(fitted.calibration.members) == {"xgboost", "lightgbm"}
    assert fitted.calibration.policy.returns == pytest.approx((-0.01, 0.0, 0.01))


def test_classic_is_chosen_without_skill_and_after_a_reversal():
    settings = replace(Settings(), policy=PolicySettings(signals=20))
    assert fit_policy(holdout(1, 0, skill=0.0), holdout(2, LATER, skill=0.0), settings, 2).policy == "classic"
    reversed_market = fit_policy(holdout(1, 0), holdout(2, LATER, pays=False), settings, 2)
    assert reversed_market.policy == "classic"
    assert (
        reversed_market.report["worth"]["calibrated"]["net_bps"] < 0
        or reversed_market.report["worth"]["calibrated"]["signals"] < 20
    )


def test_a_policy_set_by_name_is_used_if_it_could_be_fitted():
    by_name = replace(Settings(), policy=PolicySettings(name="calibrated"))
    assert fit_policy(holdout(1, 0, skill=0.0), holdout(2, LATER, skill=0.0), by_name, 2).policy == "calibrated"
    few = replace(by_name, calibration=CalibrationSettings(rows=5_000))
    nothing = fit_policy(holdout(1, 0), holdout(2, LATER), few, 2)
    assert nothing.policy == "classic"
    assert nothing.calibration.policy is None
    assert nothing.report["lacking"]["ensemble"] == "3000 rows with scores, of at least 5000"


def test_the_order_of_rows_does_not_matter():
    early, late = holdout(1, 0), holdout(2, LATER)
    plain = fit_policy(early, late, Settings(), 2)
    mixed = np.random.default_rng(3).permutation(3_000)
    other = fit_policy(early.rows(mixed), late.rows(mixed), Settings(), 2)
    assert other.policy == plain.policy
    assert other.report["calibrated"]["probability"] == pytest.approx(plain.report["calibrated"]["probability"])
    assert other.calibration.policy.conformal.level == pytest.approx(plain.calibration.policy.conformal.level)


def test_without_rows_to_choose_on_classic_is_used():
    early = holdout(1, 0)
    fitted = fit_policy(early, early.rows(np.empty(0, np.int64)), Settings(), 2)
    assert (fitted.policy, fitted.report["why"]) == ("classic", "no row to choose a policy on")
    assert fitted.calibration.policy is not None
