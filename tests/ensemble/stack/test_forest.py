"""The ONNX graph of the forest against scikit-learn."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from quorate.core.settings import StackSettings
from quorate.ensemble.stack.forest import fit_forest

SETTINGS = StackSettings(method="forest", forest_trees=30)


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(4)
    predicted = 0.002 * random.normal(size=(600, 3))
    return predicted, predicted[:, 0] + 0.01 * random.normal(size=600)


def test_the_graph_equals_scikit_learns_forest(rows):
    predicted, y = rows
    unit = np.sqrt((y**2).mean())
    known = RandomForestRegressor(
        n_estimators=30, max_depth=3, min_samples_leaf=0.05, max_features=1, random_state=7
    ).fit((predicted / unit).astype(np.float32), y / unit)
    forest = fit_forest(predicted, y, SETTINGS, 7)
    new = 0.002 * np.random.default_rng(5).normal(size=(2_000, 3))
    expected = unit * known.predict((new / unit).astype(np.float32))
    np.testing.assert_allclose(forest.combine(new), expected, rtol=0, atol=1e-5 * unit)


def test_the_same_seed_gives_the_same_graph_and_one_row_equals_many(rows):
    predicted, y = rows
    one, two, other = (fit_forest(predicted, y, SETTINGS, seed) for seed in (7, 7, 8))
    assert one.graph == two.graph
    assert one.graph != other.graph
    together = one.combine(predicted[:50])
    np.testing.assert_array_equal(together, [one.combine(predicted[row : row + 1])[0] for row in range(50)])


def test_a_row_with_a_missing_member_has_no_return(rows):
    predicted, y = rows
    incomplete = predicted[:3].copy()
    incomplete[1, 2] = np.nan
    assert np.isnan(fit_forest(predicted, y, SETTINGS, 7).combine(incomplete)).tolist() == [False, True, False]
