"""Any number of processes gives the same walk-forward, to the last bit."""

import os
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.settings import (
    EvaluationSettings,
    LightGBMSettings,
    ModelSettings,
    NHiTSSettings,
    PolicySettings,
    Settings,
    TrainSettings,
    XGBoostSettings,
)
from quorate.evaluation.walk_forward.labelled_bars import build_rows
from quorate.evaluation.walk_forward.walk import WalkOptions, walk
from quorate.market import SyntheticMarket
from quorate.models.trees.xgboost import XGBoost
from quorate.targets import ForwardClass
from stubs.worker_fits import Located, steady_and_moody

pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.name != "posix", reason="there are no workers")]

MEMBERS = ("xgboost", "nhits", "lightgbm")
SETTINGS = Settings(
    models=ModelSettings(
        xgboost=XGBoostSettings(trees=10, depth=3),
        lightgbm=LightGBMSettings(trees=10, depth=3),
        nhits=NHiTSSettings(window=24, hidden=(16, 16, 16), epochs=2),
    ),
    train=TrainSettings(features="core14"),
    policy=PolicySettings(folds=3),
    evaluation=EvaluationSettings(resamples=100, folds=3, importance_rows=100),
)


@pytest.fixture(scope="module")
def rows():
    return build_rows(SyntheticMarket(seed=3, symbols=2, bars=900, edge=0.3).panel(), "core14", ForwardClass())


def walked(rows, workers):
    importance = Located(rows, MEMBERS, SETTINGS.evaluation)
    said = []
    options = WalkOptions(baselines=("logistic",), examination=importance, workers=workers)
    done = walk(rows, MEMBERS, SETTINGS, options, lambda *stage: said.append(stage))
    assert {process == os.getpid() for process in importance.processes} == {workers == 1}
    return done, importance.to_json(), {stage for stage in said if stage[1] == stage[2]}


def test_the_walk_is_the_same_in_one_process_and_in_three(rows):
    (one, importance, stages), (three, other, others) = walked(rows, 1), walked(rows, 3)
    for name, table in one.scores.items():
        np.testing.assert_array_equal(three.scores[name], table)
        assert np.isfinite(table[one.folds[-1].test]).any()
    for name, table in one.probabilities.items():
        np.testing.assert_array_equal(three.probabilities[name], table)
    np.testing.assert_array_equal(three.prior, one.prior)
    assert [policy.report for policy in three.policies] == [policy.report for policy in one.policies]
    assert [policy.calibration.content() for policy in three.policies] == [
        policy.calibration.content() for policy in one.policies
    ]
    assert other == importance
    assert [{name: fit.failure for name, fit in fits.items()} for fits in three.fits] == [
        dict.fromkeys((*MEMBERS, "logistic"))
    ] * 3
    assert others == stages
    assert {
        f"fold {fold}/3, {name} ({number}/4)" for fold in (1, 2, 3) for number, name in ((1, "xgboost"), (2, "nhits"))
    } <= {name for name, _, _ in stages}


def test_a_member_that_fails_in_another_process_abstains_with_its_reason(rows):
    once = replace(SETTINGS, policy=PolicySettings(refit="none"))
    done = walk(rows, ("moody", "steady"), once, WalkOptions(folds=2, build=steady_and_moody, workers=2))
    reasons = [str(fits["moody"].failure) for fits in done.fits]
    assert all("process " in reason and str(os.getpid()) not in reason for reason in reasons), reasons
    assert all(fits["steady"].failure is None for fits in done.fits)
    assert np.isnan(done.scores["moody"]).all()


@pytest.mark.parametrize(("threads", "expected"), [(0, {1}), (2, {2})])
def test_each_fit_has_one_thread_unless_the_setting_says_otherwise(rows, threads, expected, monkeypatch):
    seen = set()
    fit = XGBoost._fit

    def spied(model, request):
        seen.add(model.threads)
        fit(model, request)

    monkeypatch.setattr(XGBoost, "_fit", spied)
    few = replace(SETTINGS, train=replace(SETTINGS.train, threads=threads), policy=PolicySettings(refit="none"))
    walk(rows, ("xgboost",), few, WalkOptions(folds=1, workers=1))
    assert seen == expected
