"""Thresholds chosen on rows worked by hand, and which policy a judgement prefers."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.settings import CalibrationSettings, PolicySettings, Settings, VoteSettings
from quorate.ensemble.calibration.temperature import UNCHANGED
from quorate.ensemble.training.fit_policy import HoldoutScores, learn
from quorate.ensemble.training.thresholds import PolicyChoice, Worth, fit_thresholds, worth, would_act_at
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy

POLICY = CalibratedPolicy(VoteSettings(), UNCHANGED, (-0.02, 0.0, 0.02), 0.002)


def choice(buy, earned, voters=2):
    """Rows that lean to BUY by as much as they are given, SELL never coming."""
    buy, earned = np.array(buy, float), np.array(earned, float)
    p = np.stack([np.zeros(len(buy)), 1 - buy, buy], axis=1)
    return PolicyChoice(p, np.full(len(buy), voters), earned, np.arange(len(buy)), None, 2)


def test_worth_by_hand():
    action = np.array([2, 0, 1, 2])
    earned = np.array([0.01, -0.03, 0.5, -0.002])
    # 0.9 %, 2.9 %, nothing, -0.3 %: a mean of 35/30 %; the first and the last share a block.
    found = worth(action, earned, np.array([0, 1, 2, 0]), 0.001)
    assert found.signals == 3
    assert found.net_return == pytest.approx(0.035 / 3)
    off = np.array([0.009 - 0.003, 0.029]) - np.array([2, 1]) * 0.035 / 3
    assert found.error == pytest.approx(np.sqrt((off**2).sum() * 2) / 3)
    nothing = worth(np.ones(4), earned, np.arange(4), 0.001)
    assert nothing.to_json() == {"signals": 0, "net_bps": None, "error_bps": None}
    assert worth(action[:1], earned[:1], np.zeros(1), 0.0) == Worth(1, 0.01, float("inf"))


def test_the_threshold_leaves_what_pays():
    # Expected: 2 % x P(BUY) less 0.2 %. Rows of 0.3 lose, rows of 0.8 win; every fourth is of the latter.
    buy = np.where(np.arange(200) % 4 == 0, 0.8, 0.3)
    random = np.random.default_rng(1)
    earned = np.where(buy > 0.5, 0.02, -0.01) + random.normal(0, 0.001, 200)
    fitted, made = fit_thresholds(POLICY, choice(buy, earned), signals=30)
    assert made.signals == 50
    assert made.net_return == pytest.approx(0.018, abs=5e-4)
    action = fitted.judge_frame(choice(buy, earned).probabilities, np.full(200, 2), 2).action
    np.testing.assert_array_equal(action == 2, buy > 0.5)
    # With more signals asked for than pay, all that is left loses, and it acts on nothing that these rows promised.
    shut, made = fit_thresholds(POLICY, choice(buy, earned), signals=51)
    assert made.signals == 0
    assert not (shut.judge_frame(choice(buy, earned).probabilities, np.full(200, 2), 2).action != 1).any()
    assert shut.net_return == pytest.approx(0.02 * 0.8 - 0.002)


def test_where_nothing_pays_it_never_acts_and_says_when_it_would():
    rows = choice([0.05, 0.08, 0.02], [0.1, 0.1, 0.1])
    fitted, made = fit_thresholds(POLICY, rows, signals=1)
    assert made.signals == 0
    assert (fitted.net_return, fitted.probability) == (0, 0)
    # 2 % x 0.08 less 0.2 %.
    assert would_act_at(POLICY, rows) == pytest.approx(-0.0004)
    assert would_act_at(POLICY, choice([0.9], [0.1], voters=1)) is None


HOUR = 3_600_000


def evidence(seed, start, n=3_000, skill=1.0, pays=True):
    """Rows of four markets whose members know the class as well as `skill` says."""
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


def test_a_policy_that_pays_is_preferred_to_one_that_does_not_act():
    # Scores of little certainty: the classic floor lets none of them through.
    settings = replace(Settings(), policy=PolicySettings(signals=20))
    judged = learn(evidence(1, 0), evidence(2, LATER), settings, 2)
    assert judged.policy == "calibrated"
    assert judged.report["worth"]["calibrated"]["net_bps"] > 20
    assert set(judged.calibration.members) == {"xgboost", "lightgbm"}
    assert judged.calibration.policy.returns == pytest.approx((-0.01, 0.0, 0.01))


def test_without_skill_and_where_the_market_has_turned_classic_stays():
    settings = replace(Settings(), policy=PolicySettings(signals=20))
    assert learn(evidence(1, 0, skill=0.0), evidence(2, LATER, skill=0.0), settings, 2).policy == "classic"
    turned = learn(evidence(1, 0), evidence(2, LATER, pays=False), settings, 2)
    assert turned.policy == "classic"
    assert turned.report["worth"]["calibrated"]["net_bps"] < 0 or turned.report["worth"]["calibrated"]["signals"] < 20


def test_what_is_asked_for_by_name_is_taken_where_there_is_anything_to_take():
    asked = replace(Settings(), policy=PolicySettings(name="calibrated"))
    assert learn(evidence(1, 0, skill=0.0), evidence(2, LATER, skill=0.0), asked, 2).policy == "calibrated"
    few = replace(asked, calibration=CalibrationSettings(rows=5_000))
    nothing = learn(evidence(1, 0), evidence(2, LATER), few, 2)
    assert nothing.policy == "classic"
    assert nothing.calibration.policy is None
    assert nothing.report["lacking"]["ensemble"] == "3000 rows with scores, of at least 5000"


def test_the_order_of_rows_does_not_matter():
    early, late = evidence(1, 0), evidence(2, LATER)
    plain = learn(early, late, Settings(), 2)
    mixed = np.random.default_rng(3).permutation(3_000)
    other = learn(early.rows(mixed), late.rows(mixed), Settings(), 2)
    assert other.policy == plain.policy
    assert other.report["calibrated"]["probability"] == pytest.approx(plain.report["calibrated"]["probability"])
    assert other.calibration.policy.conformal.level == pytest.approx(plain.calibration.policy.conformal.level)


def test_no_row_to_choose_on_leaves_the_vote():
    early = evidence(1, 0)
    judged = learn(early, early.rows(np.empty(0, np.int64)), Settings(), 2)
    assert (judged.policy, judged.report["why"]) == ("classic", "no row to choose a policy on")
    assert judged.calibration.policy is not None
