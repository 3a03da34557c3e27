"""CatBoost against the library's own predictions, on its own file; graphs next to the borders; damaged files."""

import json

import numpy as np
import pytest

from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import CatBoostSettings, ModelSettings
from quorate.models import build
from quorate.models.runtime import OnnxSession, require_same

catboost = pytest.importorskip("catboost", reason="catboost is not installed: pip install 'quorate[zoo]'")

SMALL = {"trees": 12, "depth": 3, "l2_share": 0.0}


def rows(n=600, seed=3):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 5)).astype(np.float32)
    forward = 0.01 * X[:, 0] + 0.005 * random.normal(size=n)
    return X, np.where(forward > 0.005, 2, np.where(forward < -0.005, 0, 1)).astype(np.int8), forward


def model(task="class", **settings):
    own = CatBoostSettings(**(SMALL | settings))
    return build("catboost", task, ModelSettings(catboost=own), seed=1, threads=1)


def by_catboost(fitted, X, path, kind):
    """Predictions of the library for the member's own file."""
    fitted.save(path)
    return catboost.CatBoost().load_model(str(path), format="json").predict(X, prediction_type=kind)


def edges(fitted):
    """Rows on the borders of the trees and one step beside them."""
    trees = fitted._fitted.trees
    on = np.resize(trees.threshold[trees.column >= 0], (200, 5)).astype(np.float32)
    return np.concatenate([on, np.nextafter(on, np.float32(np.inf)), np.nextafter(on, np.float32(-np.inf))])


def test_scores_are_those_of_catboost_from_the_same_file_and_its_graph(tmp_path):
    X, y, _ = rows()
    fitted = model().fit(X, y, weight=np.random.default_rng(5).uniform(0.5, 2, len(X)))
    for some in (X, edges(fitted), 1e30 * X):
        expected = by_catboost(fitted, some, tmp_path / "model.json", "Probability")
        np.testing.assert_allclose(fitted.predict_proba(some), expected, atol=1e-6)
        require_same(fitted.output(some), OnnxSession(fitted.to_onnx(), 5, "catboost").run(some), "catboost")


def test_returns_are_those_of_catboost_from_the_same_file_and_its_graph(tmp_path):
    X, _, forward = rows()
    fitted = model("return").fit(X, forward)
    some = np.concatenate([X, edges(fitted)])
    expected = by_catboost(fitted, some, tmp_path / "model.json", "RawFormulaVal")
    np.testing.assert_allclose(fitted.predict(some), expected, atol=1e-8)
    require_same(fitted.output(some), OnnxSession(fitted.to_onnx(), 5, "catboost").run(some), "catboost", 1e-7)
    assert np.corrcoef(fitted.predict(X), forward)[0, 1] > 0.8


@pytest.mark.parametrize("present", [(1, 2), (0, 2)])
def test_an_absent_class_scores_0_and_one_class_or_return_alone_is_certain(present, tmp_path):
    X, y, _ = rows()
    kept = np.isin(y, present)
    fitted = model().fit(X[kept], y[kept])
    (absent,) = {0, 1, 2} - {*present}
    scores = fitted.predict_proba(X)
    assert scores[:, absent].max() < 1e-15
    np.testing.assert_allclose(scores[:, present], by_catboost(fitted, X, tmp_path / "m", "Probability"), atol=1e-6)
    steps = []
    alone = model().fit(X[y == 2], y[y == 2], progress=lambda *step: steps.append(step))
    assert (alone.predict_proba(X)[:, 2] > 1 - 1e-15).all()
    assert steps == [(12, 12)]
    require_same(alone.output(X), OnnxSession(alone.to_onnx(), 5, "catboost").run(X), "catboost")
    np.testing.assert_allclose(model("return").fit(X, np.full(len(X), 0.004)).predict(X), 0.004)


def test_rows_of_weight_0_have_no_effect_and_penalties_grow_with_the_rows():
    X, y, _ = rows()
    weight = (np.arange(len(X)) % 3 > 0).astype(float)
    poisoned = np.where(weight[:, None] > 0, X, 1e6).astype(np.float32)
    fits = [model().fit(some, y, weight=weight).predict_proba(X) for some in (X, poisoned)]
    np.testing.assert_array_equal(*fits)
    spreads = [
        model(l2=0.0, l2_share=share).fit(X, y).predict_proba(X).std(axis=0).mean() for share in (0.0, 0.1, 100.0)
    ]
    assert spreads[0] > spreads[1] > 5 * spreads[2]


def test_a_file_holds_nothing_of_the_machine_or_the_time(tmp_path):
    X, y, _ = rows()
    model().fit(X, y).save(tmp_path / "model.json")
    assert set(json.loads((tmp_path / "model.json").read_text())) == {
        "features_info", "oblivious_trees", "quorate", "scale_and_bias"}  # fmt: skip


def change(*path, to):
    def apply(document):
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = to

    return apply


SPLIT = ("oblivious_trees", 0, "splits", 0)


@pytest.mark.parametrize("damage", [
    change("quorate", "columns", to=0), change("quorate", "columns", to=True), change("quorate", "present", to=[0, 3]),
    change("quorate", "present", to=[1, 0, 2]), change("quorate", to={}), change("scale_and_bias", to=[1, [0.0]]),
    change("oblivious_trees", 0, "leaf_values", to=[1.0] * 5), change("oblivious_trees", 0, "leaf_values", 0, to="x"),
    change(*SPLIT, "split_type", to="OneHotFeature"), change(*SPLIT, "float_feature_index", to=5),
    change(*SPLIT, "float_feature_index", to=-1), change(*SPLIT, "border", to=1e300),
    change("oblivious_trees", 0, "splits", to=[{"split_type": "FloatFeature"}] * 40), change("oblivious_trees", to=7),
])  # fmt: skip
def test_a_damaged_file_is_refused(tmp_path, damage):
    X, y, _ = rows()
    path = tmp_path / "model.json"
    model(trees=1).fit(X, y).save(path)
    document = json.loads(path.read_text())
    damage(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ModelError, match="load"):
        model().load(path)


@pytest.mark.parametrize("wrong", [{"trees": 0}, {"depth": 17}, {"learning_rate": 0.0}, {"subsample": 1.1},
                                   {"colsample": 0.0}, {"l2": -1.0}, {"l2_share": -1.0}])  # fmt: skip
def test_settings_have_ranges(wrong):
    with pytest.raises(SettingsError, match=f"models.catboost.{next(iter(wrong))}"):
        CatBoostSettings(**wrong)
