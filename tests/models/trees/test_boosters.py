"""The tree models: both tasks, reproducible files, and graphs that equal the model."""

import hashlib
import re

import numpy as np
import onnx
import pytest
import xgboost

from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import LightGBMSettings, ModelSettings, XGBoostSettings
from quorate.models import StoppingRows, build, names
from quorate.models.export import content
from quorate.models.runtime import OnnxSession, require_same

SMALL = ModelSettings(
    xgboost=XGBoostSettings(trees=15, l2_share=0.0), lightgbm=LightGBMSettings(trees=15, l2_share=0.0)
)
MEMBERS = ("xgboost", "lightgbm")
TASKS = ("class", "return")


def rows(n=1_200, features=5, seed=3):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, features)).astype(np.float32)
    forward = 0.01 * X[:, 0] + 0.01 * random.normal(size=n)
    y = np.where(forward > 0.005, 2, np.where(forward < -0.005, 0, 1)).astype(np.int8)
    return X, y, forward


def fitted(name, task, **kwargs):
    X, y, forward = rows()
    return build(name, task, SMALL, seed=1, threads=1).fit(X, y if task == "class" else forward, **kwargs), X


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", MEMBERS)
def test_the_graph_equals_the_model_also_next_to_the_thresholds(name, task):
    model, X = fitted(name, task)
    # Rows next to the thresholds, where a threshold rounded up would change the leaf.
    edges = np.concatenate([X, np.nextafter(X, np.float32(np.inf)), np.nextafter(X, np.float32(-np.inf))])
    require_same(model.output(edges), OnnxSession(model.to_onnx(), 5, name).run(edges), name, tolerance=1e-6)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", MEMBERS)
def test_files_are_reproducible_and_scores_independent_of_the_batch(name, task, tmp_path):
    digests = set()
    for attempt in range(2):
        model, X = fitted(name, task)
        path = tmp_path / str(attempt)
        model.save(path)
        digests.add((hashlib.sha256(path.read_bytes()).digest(), hashlib.sha256(model.to_onnx()).digest()))
        again = build(name, task, SMALL, seed=9).load(path)
        np.testing.assert_array_equal(again.output(X), model.output(X))
        session = OnnxSession(model.to_onnx(), 5, name)
        np.testing.assert_array_equal(session.run(X[7:8]), session.run(X)[7:8])
    assert len(digests) == 1


@pytest.mark.parametrize("name", MEMBERS)
def test_scores_are_distributions_in_class_order(name):
    model, X = fitted(name, "class")
    scores = model.predict_proba(X)
    assert scores.shape == (len(X), 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)
    assert scores[X[:, 0] > 1.5].argmax(axis=1).mean() > 1.8
    assert scores[X[:, 0] < -1.5].argmax(axis=1).mean() < 0.2


@pytest.mark.parametrize("name", MEMBERS)
def test_an_absent_class_keeps_its_column(name):
    X, y, _ = rows()
    y = np.where(y == 0, 1, y).astype(np.int8)
    scores = build(name, "class", SMALL, seed=1).fit(X, y).predict_proba(X)
    assert scores.shape == (len(X), 3)
    assert scores[:, 0].max() < 0.05


@pytest.mark.parametrize("name", MEMBERS)
def test_weights_are_used_and_progress_is_reported(name):
    X, y, _ = rows()
    steps = []
    weight = np.where(y == 2, 1.0, 1e-3)
    scores = build(name, "class", SMALL, seed=1).fit(X, y, weight=weight, progress=lambda *s: steps.append(s))
    assert steps == [(step, 15) for step in range(1, 16)]
    assert scores.predict_proba(X)[:, 2].mean() > 0.8


@pytest.mark.parametrize("name", MEMBERS)
def test_invalid_rows_are_refused(name):
    X, y, _ = rows(50)
    with_nan = X.copy()
    with_nan[3, 2] = np.nan
    model = build(name, "class", SMALL, seed=1)
    for invalid, labels, message in (
        (with_nan, y, "NaN or infinity in row 3"),
        (X, y + 5, "labels"),
        (X[:10], y, r"X \(10, 5\), y \(50,\)"),
        (X[:0], y[:0], "no rows"),
    ):
        with pytest.raises(ModelError, match=message):
            model.fit(invalid, labels)
    with pytest.raises(ModelError, match="no fitted model"):
        model.predict_proba(X)


@pytest.mark.parametrize("name", MEMBERS)
def test_an_invalid_file_is_refused(name, tmp_path):
    path = tmp_path / "model"
    for junk in (b"", b"\x00garbage", b"tree\nversion=v4\n"):
        path.write_bytes(junk)
        with pytest.raises(ModelError, match="load"):
            build(name, "class", SMALL, seed=1).load(path)


def test_invalid_graphs_and_different_outputs_are_refused():
    model, _ = fitted("xgboost", "class")
    with pytest.raises(ModelError, match="5 inputs; expected 14"):
        OnnxSession(model.to_onnx(), 14, "xgboost")
    with pytest.raises(ModelError, match="ONNX"):
        OnnxSession(b"no graph", 5, "xgboost")
    with pytest.raises(ModelError, match="1 of 2 rows off"):
        require_same(np.zeros((2, 3)), np.array([[0, 0, 0], [0, 1.0, 0]]), "xgboost")
    with pytest.raises(ModelError, match="1 of 2 rows off"):
        require_same(np.zeros((2, 3)), np.array([[0, 0, 0], [0, np.nan, 0]]), "xgboost")


def test_an_unknown_model_is_refused_with_the_closest_name():
    assert names()[:2] == MEMBERS
    with pytest.raises(ModelError, match="Did you mean 'lightgbm'"):
        build("lightgmb", "class", SMALL, seed=1)


def test_lightgbm_stops_early_and_keeps_the_trees_of_the_lowest_loss():
    X, y, _ = rows()
    settings = ModelSettings(lightgbm=LightGBMSettings(trees=400, patience=5, l2_share=0.0))
    noise = np.random.default_rng(1).integers(0, 3, 300).astype(np.int8)
    stopping = StoppingRows(X[-300:], noise)
    model = build("lightgbm", "class", settings, seed=1, threads=1)
    assert model.stops_early
    assert not build("lightgbm", "class", ModelSettings(), seed=1).stops_early
    stopped = model.fit(X[:-300], y[:-300], stopping=stopping)
    few = build(
        "lightgbm", "class", ModelSettings(lightgbm=LightGBMSettings(trees=400, l2_share=0.0)), seed=1, threads=1
    )
    assert stopped._booster.num_trees() < few.fit(X[:-300], y[:-300])._booster.num_trees() / 4
    # With random labels the first trees have the lowest loss, and only those are kept.
    alone = ModelSettings(lightgbm=LightGBMSettings(trees=stopped._booster.num_trees() // 3, l2_share=0.0))
    same = build("lightgbm", "class", alone, seed=1, threads=1).fit(X[:-300], y[:-300])
    np.testing.assert_array_equal(stopped.output(X), same.output(X))


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("task", TASKS)
def test_regularisation_by_shares_does_not_depend_on_the_number_of_rows(name, task):
    X, y, forward = rows()
    target = y if task == "class" else forward
    whole = {"subsample": 1.0, "colsample": 1.0, "trees": 20, "l2_share": 0.0, "leaf_share": 0.0}
    regularised = {**whole, "l2_share": 0.2, "leaf_share": 0.1}

    def output(shares, times):
        settings = ModelSettings(
            xgboost=XGBoostSettings(**shares), lightgbm=LightGBMSettings(**shares, random_splits=False)
        )
        model = build(name, task, settings, seed=1, threads=1)
        return model.fit(np.repeat(X, times, axis=0), np.repeat(target, times)).output(X)

    np.testing.assert_allclose(output(regularised, 1), output(regularised, 4), atol=2e-3 * np.abs(target).max())
    spread = [output(shares, 1).std(axis=0).max() for shares in (regularised, {**regularised, "l2_share": 0.0}, whole)]
    assert spread[0] < 0.8 * spread[1] < 0.8 * spread[2]


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_no_leaf_is_smaller_than_its_share_of_the_rows(share, tmp_path):
    X, y, _ = rows()
    settings = ModelSettings(
        lightgbm=LightGBMSettings(trees=5, leaf_share=share, subsample=1.0),
        xgboost=XGBoostSettings(trees=1, leaf_share=share, subsample=1.0),
    )
    build("lightgbm", "class", settings, seed=1, threads=1).fit(X, y).save(tmp_path / "trees")
    counts = [
        int(count)
        for line in (tmp_path / "trees").read_text().splitlines()
        if line.startswith("leaf_count=")
        for count in line.partition("=")[2].split()
    ]
    assert len(counts) > 5 * 3
    assert share * len(X) <= min(counts) < 2 * share * len(X)
    # XGBoost weights a row by the hessian of its loss: 4 / 9 for equal class probabilities.
    build("xgboost", "class", settings, seed=1, threads=1).fit(X, y).save(tmp_path / "trees")
    booster = xgboost.Booster()
    booster.load_model(bytearray((tmp_path / "trees").read_bytes()))
    covers = [
        float(cover) for tree in booster.get_dump(with_stats=True) for cover in re.findall(r"leaf=.*cover=(\S+)", tree)
    ]
    assert len(covers) > 3
    assert share * len(X) * 4 / 9 <= min(covers) < 2 * share * len(X) * 4 / 9


@pytest.mark.parametrize("kind", [XGBoostSettings, LightGBMSettings])
@pytest.mark.parametrize("change", [{"leaf_share": 0.6}, {"leaf_share": -0.1}, {"l2_share": -1.0}])
def test_shares_out_of_range_are_refused(kind, change):
    with pytest.raises(SettingsError, match=next(iter(change))):
        kind(**change)


def test_bytes_do_not_depend_on_the_order_of_the_operator_sets():
    model = onnx.load_from_string(fitted("lightgbm", "class")[0].to_onnx())
    written = content(model)
    sets = list(model.opset_import)
    assert len(sets) > 1
    del model.opset_import[:]
    model.opset_import.extend(reversed(sets))
    assert model.SerializeToString(deterministic=True) != written
    assert content(model) == written


@pytest.mark.parametrize("name", MEMBERS)
def test_any_number_of_threads_gives_the_same_trees(name, tmp_path):
    generator = np.random.default_rng(5)
    X = generator.standard_normal((6_000, 12)).astype(np.float32)
    y = generator.integers(0, 3, len(X)).astype(np.int8)
    for threads in (1, 2, 3):
        build(name, "class", ModelSettings(), seed=1, threads=threads).fit(X, y).save(tmp_path / str(threads))
    # LightGBM names the number of threads among its parameters.
    files = [re.sub(rb"num_threads: \d+", b"", (tmp_path / str(threads)).read_bytes()) for threads in (1, 2, 3)]
    assert files[0] == files[1] == files[2]
