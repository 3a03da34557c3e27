"""Extremely randomised trees against scikit-learn's own, next to their thresholds, and damaged files."""

import numpy as np
import pytest
import safetensors.numpy
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import ExtraTreesSettings, ModelSettings
from quorate.models import build
from quorate.models.runtime import OnnxSession, require_same

PLAIN = {"trees": 8, "depth": 5, "leaf_rows": 5, "leaf_share": 0.0, "colsample_node": 0.5, "tail": 0.0}


def rows(n=600, seed=3):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 5)).astype(np.float32)
    forward = 0.01 * X[:, 0] + 0.005 * random.normal(size=n)
    return X, np.where(forward > 0.005, 2, np.where(forward < -0.005, 0, 1)).astype(np.int8), forward


def model(task="class", **settings):
    return build(
        "extra_trees", task, ModelSettings(extra_trees=ExtraTreesSettings(**(PLAIN | settings))), seed=1, threads=1
    )


def oracle(kind):
    return kind(n_estimators=8, max_depth=5, min_samples_leaf=5, max_features=0.5, random_state=1)


def test_scores_and_returns_are_those_of_scikit_learn():
    X, y, forward = rows()
    # Columns whose quantiles are a power of two apart, so that they are fitted as they are.
    X = ((X - X.min(axis=0)) / np.ptp(X, axis=0)).astype(np.float32)
    weight = np.random.default_rng(5).uniform(0.5, 2, len(X))
    found = model().fit(X, y, weight=weight).predict_proba(X)
    expected = oracle(ExtraTreesClassifier).fit(X, y, sample_weight=weight).predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    unit = np.sqrt((forward**2).mean())
    expected = unit * oracle(ExtraTreesRegressor).fit(X, forward / unit).predict(X)
    np.testing.assert_allclose(model("return").fit(X, forward).predict(X), expected, atol=1e-8)


@pytest.mark.parametrize("task", ["class", "return"])
def test_the_graph_equals_the_model_next_to_the_thresholds_and_far_outside(task):
    X, y, forward = rows()
    fitted = model(task).fit(X, y if task == "class" else forward)
    session, arrays = OnnxSession(fitted.to_onnx(), 5, "extra_trees"), fitted._fitted
    thresholds = arrays.threshold[arrays.column >= 0]
    edges = np.resize(thresholds, (len(thresholds), 5)).astype(np.float32)
    beside = [np.nextafter(edges, np.float32(side)) for side in (np.inf, -np.inf)]
    for some in (X, edges, *beside, 1e30 * X):
        require_same(fitted.output(some), session.run(some), "extra_trees", tolerance=2e-6)
    # Rows one step beyond their threshold are in other leaves.
    assert (fitted.output(edges) != fitted.output(beside[0])).any()


def test_an_outlier_and_the_scale_of_a_column_change_nothing():
    X, y, _ = rows()
    expected = model(tail=0.01).fit(X, y).predict_proba(X)
    spiked, scaled = X.copy(), X * np.float32(2.0**-40)
    spiked[X[:, 1].argmax(), 1] = 3e38
    np.testing.assert_array_equal(model(tail=0.01).fit(spiked, y).predict_proba(X), expected)
    np.testing.assert_array_equal(model(tail=0.01).fit(scaled, y).predict_proba(scaled), expected)
    _, _, forward = rows()
    returns = model("return").fit(X, forward).predict(X)
    np.testing.assert_allclose(model("return").fit(X, 1e-9 * forward).predict(X), 1e-9 * returns, rtol=1e-4)


def test_leaves_have_their_least_rows_and_trees_their_depth():
    X, y, _ = rows()
    for leaf_rows, leaf_share, least in ((30, 0.0, 30), (1, 0.1, 60)):
        arrays = model(leaf_rows=leaf_rows, leaf_share=leaf_share, depth=30).fit(X, y)._fitted
        for root in arrays.roots:
            at = np.full(len(X), root)
            for _ in range(31):
                below = X[np.arange(len(X)), arrays.column[at]] <= arrays.threshold[at]
                at = np.where(below, arrays.left[at], arrays.right[at])
            assert np.unique(at, return_counts=True)[1].min() >= least
    stump = model(depth=1).fit(X, y)._fitted
    assert len(stump.column) == 3 * 8


def test_rows_of_weight_0_have_no_effect_and_constant_rows_give_their_mean():
    X, y, forward = rows()
    weight = (np.arange(len(X)) % 3 > 0).astype(float)
    poisoned = np.where(weight[:, None] > 0, X, 1e6).astype(np.float32)
    fits = [model().fit(some, y, weight=weight).predict_proba(X) for some in (X, poisoned)]
    np.testing.assert_array_equal(*fits)
    same = np.ones_like(X)
    alone = model("return").fit(same, forward)
    np.testing.assert_allclose(alone.predict(X), forward.mean(), atol=1e-9)
    require_same(alone.output(X), OnnxSession(alone.to_onnx(), 5, "extra_trees").run(X), "extra_trees")
    np.testing.assert_allclose(model("return").fit(X, 0 * forward).predict(X), 0)


def test_any_number_of_threads_gives_the_same_trees_and_progress_ends_at_all_of_them(tmp_path):
    X, y, _ = rows()
    steps, contents = [], []
    for threads in (1, 2):
        fitted = build("extra_trees", "class", ModelSettings(extra_trees=ExtraTreesSettings(**PLAIN)), seed=1,
                       threads=threads).fit(X, y, progress=lambda *step: steps.append(step))  # fmt: skip
        fitted.save(tmp_path / "file")
        contents.append((tmp_path / "file").read_bytes())
    assert contents[0] == contents[1]
    assert steps == [(done, 8) for done in range(1, 9)] * 2


def damaged(name, change):
    def apply(arrays):
        arrays[name] = change(arrays[name].copy())

    return apply


def put(place, value):
    def change(array):
        array[place] = value
        return array

    return change


@pytest.mark.parametrize("damage", [
    damaged("left", put(0, 0)), damaged("right", put(0, 10**6)), damaged("right", put(0, 1)),
    damaged("column", put(0, 5)), damaged("roots", put(1, 3)), damaged("threshold", put(0, np.nan)),
    damaged("value", lambda array: array[1:]), damaged("value", lambda array: array[:, 0]),
    damaged("column", lambda array: array.astype(np.int64)), damaged("left", lambda array: array[:-1]),
    damaged("value", lambda array: array[:, :1]),
])  # fmt: skip
def test_a_damaged_file_is_refused(tmp_path, damage):
    X, y, _ = rows()
    path = tmp_path / "file"
    model().fit(X, y).save(path)
    arrays = safetensors.numpy.load(path.read_bytes())
    damage(arrays)
    path.write_bytes(safetensors.numpy.save(arrays, {"format": "quorate-extra-trees-1"}))
    with pytest.raises(ModelError, match="load"):
        model().load(path)
    path.write_bytes(safetensors.numpy.save(arrays, {"format": "quorate-forest"}))
    with pytest.raises(ModelError, match="another format"):
        model().load(path)


@pytest.mark.parametrize("wrong", [{"trees": 0}, {"depth": 65}, {"colsample_node": 0.0}, {"leaf_rows": 0},
                                   {"leaf_share": 0.6}, {"tail": 0.3}])  # fmt: skip
def test_settings_have_ranges(wrong):
    with pytest.raises(SettingsError, match=f"models.extra_trees.{next(iter(wrong))}"):
        ExtraTreesSettings(**wrong)
