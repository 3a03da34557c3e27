"""The policy chosen by the evidence: open with skill that pays, closed without, and by name."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.settings import CalibrationSettings, PolicySettings, Settings, VoteSettings
from quorate.ensemble.training.cross_fitting import cross_fit
from quorate.ensemble.training.fit_policy import fit_policy
from quorate.ensemble.training.holdout import HoldoutScores
from quorate.ensemble.training.out_of_fold import stretch_numbers

HOUR = 3_600_000
LATER = 10_000 * HOUR
MEMBERS = {"xgboost", "lightgbm"}


def holdout(seed, start, n=9_600, skill=1.0, pays=True):
    """Rows of four markets with members of this skill; 9,600 are 100 days."""
    random = np.random.default_rng(seed)
    y = random.choice(3, n, p=[0.3, 0.4, 0.3]).astype(np.int8)
    logits = skill * np.eye(3)[y] + random.normal(size=(n, 3))
    true = np.exp(logits)
    true /= true.sum(axis=1, keepdims=True)
    time = start + HOUR * (np.arange(n) // 4)
    earned = np.where(pays, 1, -1) * (y - 1) * 0.01
    tables = {"xgboost": true, "lightgbm": 0.9 * true + 0.1 / 3}
    return HoldoutScores(tables, y, time, time + 5 * HOUR, earned, np.full(n, 0.01))


def slices(seed=2, **options):
    return holdout(seed, LATER, 1_500, **options), holdout(seed + 1, LATER + 1_000 * HOUR, 1_500, **options)


def test_skill_that_pays_opens_with_the_numbers():
    fitted = fit_policy(*slices(), Settings(), 2, holdout(1, 0))
    assert fitted.policy == "calibrated"
    evidence = fitted.report["evidence"]
    assert f"calibrated: {fitted.report['why']}" == evidence["text"]
    assert evidence["text"].startswith("calibrated: best of 100 candidates (")
    assert evidence["table"][0]["candidate"] == "classic"
    assert len(evidence["table"]) == 10
    # The first of five stretches has no earlier rows.
    assert evidence["days"] == pytest.approx(80, abs=1)
    assert set(evidence["members"]) == set(fitted.calibration.members) == MEMBERS
    assert fitted.report["later"]["calibrated"]["net_bps"] > 20
    assert fitted.calibration.policy.net_return >= 0
    assert fitted.calibration.policy.returns == pytest.approx((-0.01, 0.0, 0.01), abs=5e-4)


def test_without_skill_it_is_closed_and_the_calibrated_policy_would_not_act():
    fitted = fit_policy(*slices(skill=0.0), Settings(), 2, holdout(1, 0, skill=0.0))
    assert fitted.policy == "closed"
    assert f"closed: {fitted.report['why']}" == fitted.report["evidence"]["text"]
    assert fitted.report["later"]["calibrated"]["signals"] == 0


def test_few_days_are_not_enough_whatever_they_earned():
    fitted = fit_policy(*slices(), Settings(), 2, holdout(1, 0, n=3_000))
    assert fitted.policy == "closed"
    assert "days, of at least 30" in fitted.report["why"]
    few = replace(Settings(), policy=PolicySettings(days=20))
    assert fit_policy(*slices(), few, 2, holdout(1, 0, n=3_000)).policy == "calibrated"


def test_later_rows_of_the_whole_ensemble_can_contradict():
    fitted = fit_policy(*slices(pays=False), Settings(), 2, holdout(1, 0))
    assert fitted.policy == "closed"
    assert "but on the later choosing slice the whole ensemble earned -" in fitted.report["why"]
    assert fitted.report["evidence"]["policy"] == "closed"
    assert fitted.report["later"]["calibrated"]["net_bps"] < 0


def test_without_members_out_of_fold_the_calibration_slice_is_the_evidence():
    calibrate, choose = holdout(2, LATER, 6_000), holdout(3, LATER + 2_000 * HOUR, 6_000)
    fitted = fit_policy(calibrate, choose, Settings(), 2, replace(holdout(1, 0), scores={}), {"xgboost": "slow"})
    assert fitted.policy == "calibrated"
    assert fitted.report["rows"]["out_of_fold"] == 0
    assert fitted.report["evidence"]["left_out"] == {"xgboost": "slow"}
    assert fit_policy(*slices(), Settings(), 2).policy == "closed"


def test_the_evidence_covers_the_members_that_were_fitted_again():
    rows = holdout(1, 0)
    fitted = fit_policy(*slices(), Settings(), 4, replace(rows, scores={"xgboost": rows.scores["xgboost"]}))
    assert fitted.report["evidence"]["members"] == ["xgboost"]
    assert fitted.report["maps"]["xgboost"]["rows"] == 9_600
    # The other member has the rows of the calibration slice.
    assert fitted.report["maps"]["lightgbm"]["rows"] == 1_500


def test_nothing_is_fitted_on_the_rows_that_confirm():
    calibrate, choose = slices()
    rows = holdout(1, 0)
    fitted = fit_policy(calibrate, choose, Settings(), 2, rows)
    assert fitted.policy == "calibrated"
    other = replace(choose, forward_return=choose.forward_return / 2)
    assert _fitted(fit_policy(calibrate, other, Settings(), 2, rows)) == _fitted(fitted)
    reversed_ = replace(choose, forward_return=-choose.forward_return)
    contradicted = fit_policy(calibrate, reversed_, Settings(), 2, rows)
    assert contradicted.policy == "closed"
    assert _fitted(contradicted) == _fitted(fitted)


def _fitted(found):
    """Everything that is fitted but the level of the prediction sets."""
    calibrated = found.calibration.policy.to_json()
    maps = {name: one.to_json() for name, one in found.calibration.members.items()}
    return calibrated, maps, found.calibration.policy.ensemble.to_json(), found.report["evidence"]["table"]


def test_a_policy_set_by_name_is_used_if_it_could_be_fitted():
    by_name = replace(Settings(), policy=PolicySettings(name="calibrated"))
    fitted = fit_policy(*slices(skill=0.0), by_name, 2, holdout(1, 0, skill=0.0))
    assert (fitted.policy, fitted.report["why"]) == ("calibrated", "asked for by the settings")
    assert fitted.report["evidence"]["policy"] == "closed"
    few = replace(by_name, calibration=CalibrationSettings(rows=50_000))
    nothing = fit_policy(*slices(), few, 2, holdout(1, 0))
    assert nothing.policy == "closed"
    assert nothing.calibration.policy is None
    assert nothing.report["lacking"]["ensemble"] == "9600 rows with scores, of at least 50000"
    assert nothing.report["why"].endswith("there are 9600 rows with scores, of at least 50000")


def test_the_order_of_rows_does_not_matter():
    early, late, rows = *slices(), holdout(1, 0)
    plain = fit_policy(early, late, Settings(), 2, rows)
    mixed = np.random.default_rng(3).permutation(1_500)
    other = fit_policy(
        early.rows(mixed), late.rows(mixed), Settings(), 2, rows.rows(np.random.default_rng(4).permutation(9_600))
    )
    assert other.report["evidence"]["text"] == plain.report["evidence"]["text"]
    assert other.calibration.policy.net_return == pytest.approx(plain.calibration.policy.net_return)
    assert other.calibration.policy.conformal.level == pytest.approx(plain.calibration.policy.conformal.level)


def test_no_rows_are_closed():
    empty = holdout(1, 0).rows(np.empty(0, np.int64))
    fitted = fit_policy(empty, empty, Settings(), 2)
    assert (fitted.policy, fitted.report["why"]) == ("closed", "no row out of fold to choose a policy on")
    assert fitted.calibration.policy is None


def test_later_rows_change_nothing_in_earlier_stretches():
    """Labels, returns and scores of the last stretch are replaced; what was considered before it stays."""
    rows = holdout(1, 0)
    stretch = stretch_numbers(rows.time, 5)
    last = stretch == 4
    random = np.random.default_rng(9)
    changed = replace(
        rows,
        y=np.where(last, 2 - rows.y, rows.y).astype(np.int8),
        forward_return=np.where(last, random.normal(0, 0.1, len(rows)), rows.forward_return),
        scores={
            name: np.where(last[:, None], random.dirichlet([1, 1, 1], len(rows)), table)
            for name, table in rows.scores.items()
        },
    )
    one, other = (cross_fit(each, stretch, Settings(), 0.0014) for each in (rows, changed))
    early = stretch[stretch > 0] < 4
    for name in ("side", "expected_return", "confidence", "paying", "unambiguous"):
        np.testing.assert_array_equal(getattr(one.considered, name)[early], getattr(other.considered, name)[early])
    for name in MEMBERS:
        np.testing.assert_array_equal(one.calibrated[name][early], other.calibrated[name][early])
    assert not np.array_equal(one.considered.expected_return[~early], other.considered.expected_return[~early])
    assert one.considered.unambiguous.any()


def test_a_stretch_reads_only_labels_that_end_before_it():
    """A label that reaches into the next stretch has no influence there."""
    rows = holdout(1, 0)
    stretch = stretch_numbers(rows.time, 5)
    reaching = (stretch == 1) & (rows.span_end >= rows.time[stretch == 2].min())
    assert reaching.sum() == 20
    changed = replace(
        rows,
        y=np.where(reaching, 2 - rows.y, rows.y).astype(np.int8),
        forward_return=np.where(reaching, 9.0, rows.forward_return),
    )
    second = stretch[stretch > 0] == 2
    one, other = (cross_fit(each, stretch, Settings(), 0.0014).considered for each in (rows, changed))
    np.testing.assert_array_equal(one.expected_return[second], other.expected_return[second])
    # From the third stretch on they are known.
    assert not np.array_equal(one.expected_return, other.expected_return)


def test_the_first_stretch_has_no_part():
    rows = holdout(1, 0)
    assert cross_fit(rows, np.zeros(len(rows), np.int64), Settings(), 0.0014) is None
    found = cross_fit(rows, stretch_numbers(rows.time, 5), replace(Settings(), vote=VoteSettings(quorum=1.0)), 0.0014)
    assert found.rows.time.min() == 480 * HOUR
