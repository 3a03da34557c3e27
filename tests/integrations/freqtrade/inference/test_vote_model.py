"""The vote ensemble over given features: training, predictions, pickling."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from integrations.freqtrade.conftest import settings
from quorate.core.errors import ModelError
from quorate.core.sections.calibration import PolicySettings
from quorate.core.settings import NHiTSSettings
from quorate.core.types import Action
from quorate.features import Bars, build, volatility_20
from quorate.integrations.freqtrade.inference.vote_model import TrainingRows, fit_vote
from quorate.targets import ForwardClass

BTC = "BTC/USDT:USDT"


def training_rows(candles, train_end, stopping_start, end):
    X, labels = build(candles, "core14"), ForwardClass(5, 0.005).label(candles)
    rows = np.flatnonzero(np.isfinite(X).all(axis=1) & labels.known & (np.arange(len(candles)) < end))
    seams = (int(np.searchsorted(rows, seam)) for seam in (train_end, stopping_start))
    return TrainingRows(X[rows], labels.y[rows], candles.time[rows], np.ones(len(rows)), *seams)


@pytest.fixture(scope="module")
def trained(world):
    candles = world.panel[BTC]
    rows = training_rows(candles, 600, 605, 700)
    return fit_vote(rows, candles[:705], "1h", ("xgboost", "lightgbm"), settings()), candles


def test_it_finds_the_edge_of_the_synthetic_market_on_later_bars(trained):
    model, candles = trained
    later = candles[705:]
    decided, scores = model.decide(build(candles, "core14")[705:], later.time, later)
    y = ForwardClass(5, 0.005).label(later)
    acted = (decided.action != Action.HOLD) & y.known & (y.y != Action.HOLD)
    assert acted.sum() > 50
    # By chance the share is 0.5; in 50 trials it stays below 0.7 with a probability of 99.8 %.
    assert (decided.action[acted] == y.y[acted]).mean() > 0.7
    assert np.isfinite(scores).all()
    assert np.allclose(scores.sum(axis=1), 1.0)


def test_the_volatility_includes_the_bars_before_the_first(trained):
    """The first bars of a window have the same volatility as in the whole history."""
    model, candles = trained
    whole = volatility_20(Bars(candles))
    assert model._volatility(candles.time[705:710], candles[705:]) == pytest.approx(whole[705:710])
    assert model._volatility(candles.time[760:765], candles[705:]) == pytest.approx(whole[760:765])


@pytest.mark.parametrize("name", ["consensus", "closed"])
def test_it_decides_by_the_policy_of_the_settings(world, trained, name, caplog):
    classic, candles = trained
    rows = training_rows(candles, 600, 605, 700)
    wanted = replace(settings(), policy=PolicySettings(name=name))
    model = pickle.loads(pickle.dumps(fit_vote(rows, candles[:705], "1h", ("xgboost", "lightgbm"), wanted)))
    given = (build(candles, "core14")[705:], candles.time[705:], candles[705:])
    decided, other = model.decide(*given)[0], classic.decide(*given)[0]
    assert (decided.action != other.action).any()
    if name == "closed":
        assert set(decided.action) == {Action.HOLD}
    else:
        assert (decided.confidence == decided.base).all()
    asked = replace(settings(), freqtrade=replace(settings().freqtrade, policy="calibrated"))
    assert fit_vote(rows, candles[:705], "1h", ("xgboost", "lightgbm"), asked).decides == "classic"
    assert "the policy is classic, not calibrated" in caplog.text


def test_a_decision_does_not_depend_on_the_other_rows(trained):
    model, candles = trained
    X = build(candles, "core14")
    whole, _ = model.decide(X[705:], candles.time[705:], candles[705:])
    part, _ = model.decide(X[705:900], candles.time[705:900], candles[705:900])
    assert np.array_equal(whole.action[:195], part.action)
    assert np.allclose(whole.confidence[:195], part.confidence, atol=1e-6)


def test_a_pickled_copy_decides_the_same(trained):
    model, candles = trained
    X = build(candles, "core14")[705:800]
    before, _ = model.decide(X, candles.time[705:800], candles[705:800])
    after, _ = pickle.loads(pickle.dumps(model)).decide(X, candles.time[705:800], candles[705:800])
    assert np.array_equal(before.action, after.action)
    assert np.array_equal(before.confidence, after.confidence)


def test_rows_with_nan_have_no_votes(trained):
    model, candles = trained
    X = build(candles, "core14")[705:720].copy()
    X[3, 5] = np.nan
    decided, scores = model.decide(X, candles.time[705:720], candles[705:720])
    assert decided.rule[3] == "no_votes"
    assert np.isnan(scores[3]).all()
    assert np.isfinite(np.delete(scores, 3, axis=0)).all()


def test_a_member_with_a_window_reads_the_training_rows_before_the_first_bar(world):
    candles = world.panel[BTC]
    base = settings()
    models = replace(base.models, nhits=NHiTSSettings(window=24, hidden=(16, 16, 8), epochs=1))
    given = replace(base, models=models)
    model = fit_vote(
        training_rows(candles, 400, 405, 500), candles[:500], "1h", ("xgboost", "lightgbm", "nhits"), given
    )
    assert not model.failures
    X = build(candles, "core14")
    rows = slice(model_end := int(np.searchsorted(candles.time, model.time[-1])) + 1, model_end + 30)
    decided, _ = model.decide(X[rows], candles.time[rows], candles[rows])
    members = model._loaded_members()
    assert members.window == 24
    assert len(decided.action) == 30
    without = replace(model, X=model.X[:0], time=model.time[:0], _members=None)
    short, _ = without.decide(X[rows], candles.time[rows], candles[rows])
    assert len(short.action) == 30
    assert (decided.confidence[:23] != short.confidence[:23]).any()


def test_a_failed_member_abstains_and_one_member_is_too_few(world):
    candles = world.panel[BTC]
    rows = training_rows(candles, 400, 405, 500)
    model = fit_vote(rows, candles[:500], "1h", ("xgboost", "lightgbm", "nonsense"), settings())
    assert list(model.failures) == ["nonsense"]
    assert "no such model" in model.failures["nonsense"]
    with pytest.raises(ModelError, match="at least two members"):
        fit_vote(rows, candles[:500], "1h", ("xgboost", "nonsense"), settings())
