"""Tuning of the penalty out of fold."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.errors import ModelError
from quorate.core.settings import StackSettings
from quorate.ensemble.stack.linear import ridge
from quorate.ensemble.stack.tuning import tune

FOLD = np.repeat(np.arange(4), 100)


def purge(fit, predict):
    return fit


def world(seed=1, skill=0.5):
    random = np.random.default_rng(seed)
    predicted = random.normal(size=(400, 3))
    return predicted, skill * predicted[:, 0] + random.normal(size=400)


def test_each_fold_is_predicted_by_the_folds_before_it():
    predicted, y = world()
    found = tune(predicted, y, FOLD, purge, StackSettings(ridge=(2.0,)), 7)
    assert np.isnan(found.best.predicted[:100]).all()
    for number in (1, 2, 3):
        held_out, before = number == FOLD, number > FOLD
        expected = predicted[held_out] @ ridge(predicted[before], y[before], 2.0)
        np.testing.assert_allclose(found.best.predicted[held_out], expected)
    errors = (y - found.best.predicted)[100:]
    assert found.best.mse == pytest.approx((errors**2).mean())


def test_later_returns_change_no_earlier_prediction():
    predicted, y = world()
    settings = StackSettings(ridge=(0.5,))
    poisoned = np.where(FOLD >= 2, 100.0, y)
    one, other = (tune(predicted, labels, FOLD, purge, settings, 7).best.predicted for labels in (y, poisoned))
    np.testing.assert_array_equal(one[FOLD <= 2], other[FOLD <= 2])
    assert not np.allclose(one[FOLD == 3], other[FOLD == 3])


@pytest.mark.parametrize(("skill", "strength"), [(2.0, 0.001), (0.0, 1000.0)])
@pytest.mark.parametrize("method", ["ridge"])
def test_the_penalty_is_small_with_skill_and_large_without(skill, strength, method):
    predicted, y = world(skill=skill)
    settings = replace(StackSettings(), method=method, ridge=(1000.0, 0.001, 1.0))
    found = tune(predicted, y, FOLD, purge, settings, 7)
    assert found.best.strength == strength
    assert [trial.strength for trial in found.trials] == [0.001, 1.0, 1000.0]


def test_purged_rows_are_left_out_of_the_fit():
    predicted, y = world()
    sizes = []

    def purge_near(fit, held_out):
        sizes.append((int(fit.sum()), int(held_out.sum())))
        return fit & (np.arange(400) < np.flatnonzero(held_out)[0] - 10)

    found = tune(predicted, y, FOLD, purge_near, StackSettings(ridge=(1.0,)), 7)
    assert sizes == [(100, 100), (200, 100), (300, 100)]
    np.testing.assert_allclose(found.best.predicted[100:200], predicted[100:200] @ ridge(predicted[:90], y[:90], 1.0))


def test_one_fold_is_an_error():
    predicted, y = world()
    with pytest.raises(ModelError, match="in 1 fold"):
        tune(predicted, y, np.zeros(400, np.int64), purge, StackSettings(), 7)


@pytest.mark.parametrize("method", ["ridge", "lasso", "blending", "voting", "forest"])
def test_every_method_gives_a_combiner(method):
    predicted, y = world(skill=1.0)
    settings = StackSettings(method=method, forest_trees=20)
    found = tune(predicted, y, FOLD, purge, settings, 7)
    predictions = found.fit(predicted, y).combine(predicted)
    assert predictions.shape == (400,)
    assert np.corrcoef(predictions, y)[0, 1] > 0.3
