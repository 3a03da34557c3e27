"""Retraining of other kinds of ensembles: stacks, networks that start warm, and members that fail."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import ModelError
from quorate.core.sections.stack import StackModelSettings
from quorate.core.settings import NHiTSSettings, StackSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.lifecycle.retrain.retrain_champion import retrain
from quorate.models import registry
from quorate.models.trees import lightgbm
from stubs.retraining import SETTINGS, START, TIMEFRAME, Clock


def champion_of(folder, panel, settings, models, recipe="vote"):
    spec = TrainingSpec(models=models, settings=settings, recipe=recipe, end=START + 60 * DAY_MS)
    return train_ensemble(panel, TIMEFRAME, spec, folder).manifest


def test_a_stack_is_judged_by_the_error_of_its_predicted_return(steady, tmp_path):
    models = StackModelSettings(xgboost=SETTINGS.models.xgboost, lightgbm=SETTINGS.models.lightgbm)
    stack = StackSettings(folds=2, confidence_rows=40, warmup_bars=0, features="core14", models=models)
    settings = replace(SETTINGS, stack=stack)
    first = champion_of(tmp_path, steady.panel, settings, ("xgboost", "lightgbm"), "stack")
    run = retrain(tmp_path, steady.panel, settings=settings, clock=Clock(START + 67 * DAY_MS)).run
    assert run.state in ("kept", "promoted")
    assert [check["name"] for check in run.gate["checks"]] == ["rows", "members", "loss"]
    assert "squared error in percent^2" in run.gate["checks"][2]["found"]
    # Returns over 16 hours of a market that moves 1 to 3 % in them.
    assert 1 < run.gate["figures"]["champion_loss"] < 30
    store = BundleStore(tmp_path)
    made = store.manifest(run.bundle)
    assert (made.recipe, made.settings) == ("stack", store.manifest(first.id).settings)
    assert run.span[1] - run.span[0] == 52 * DAY_MS


@pytest.mark.slow
def test_networks_begin_at_the_champions_weights_where_its_rows_are_older(steady, tmp_path):
    nhits = NHiTSSettings(window=12, hidden=(8, 8, 8), epochs=1, warm_epochs=1)
    settings = replace(SETTINGS, models=replace(SETTINGS.models, nhits=nhits))
    first = champion_of(tmp_path, steady.panel, settings, ("xgboost", "nhits"))
    run = retrain(tmp_path, steady.panel, settings=settings, clock=Clock(START + 67 * DAY_MS)).run
    # A week later the rows that fitted and stopped the champion end before those that stop here.
    made = BundleStore(tmp_path).manifest(run.bundle)
    assert made.settings["start"] == first.id
    assert first.fitted_until < made.fitted_until


class Broken(lightgbm.LightGBM):
    name = "broken"

    def fit(self, X, y, **_):
        if Broken.fails:
            raise ModelError("fit broken", found="a member that cannot learn")
        return super().fit(X, y)


@pytest.mark.parametrize(("quorum", "passed"), [(0.6, True), (0.7, False)])
def test_a_member_that_fails_matters_where_the_quorum_needs_it(steady, tmp_path, monkeypatch, quorum, passed):
    monkeypatch.setitem(registry._BUILT_IN, "broken", ("broken_member", "Broken"))
    monkeypatch.setitem(sys.modules, "broken_member", SimpleNamespace(Broken=Broken))
    Broken.fails = False
    settings = replace(
        SETTINGS,
        vote=replace(SETTINGS.vote, quorum=quorum),
        retrain=replace(SETTINGS.retrain, margin=1.0, ece=1.0),
    )
    champion_of(tmp_path, steady.panel, settings, ("xgboost", "broken", "lightgbm"))
    Broken.fails = True
    run = retrain(tmp_path, steady.panel, settings=settings, clock=Clock(START + 67 * DAY_MS + HOUR_MS)).run
    members = next(check for check in run.gate["checks"] if check["name"] == "members")
    assert members["passed"] is passed
    assert "2 of 3 members (broken: " in members["found"]
    assert "cannot learn" in members["found"]
    assert run.state == ("promoted" if passed else "kept")
