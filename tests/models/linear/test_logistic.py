"""Logistic and ridge regression against a scikit-learn pipeline and the closed form; damaged files."""

import json
import logging

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from quorate.core.errors import ModelError
from quorate.core.settings import LogisticSettings, ModelSettings
from quorate.models import build
from quorate.models.runtime import OnnxSession

WHOLE = ModelSettings(logistic=LogisticSettings(tail=0.0))


def rows(n=900, seed=2):
    random = np.random.default_rng(seed)
    X = (random.normal(size=(n, 4)) * (1, 50, 1e-4, 3) + (0, 900, 0, -7)).astype(np.float32)
    forward = 0.008 * X[:, 0] + 0.004 * random.normal(size=n)
    return X, np.where(forward > 0.005, 2, np.where(forward < -0.005, 0, 1)).astype(np.int8), forward


def fitted(task, settings=WHOLE, **kwargs):
    X, y, forward = rows()
    return build("logistic", task, settings, seed=1).fit(X, y if task == "class" else forward, **kwargs), X


def test_scores_equal_standardised_multinomial_regression():
    X, y, _ = rows()
    oracle = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, tol=1e-8, max_iter=2_000))
    oracle.fit(X.astype(np.float64), y)
    model, _ = fitted("class")
    np.testing.assert_allclose(model.predict_proba(X), oracle.predict_proba(X.astype(np.float64)), atol=1e-4)


def test_returns_equal_the_closed_form_of_ridge_regression():
    X, _, forward = rows()
    weight = np.linspace(0.1, 2, len(X))
    model, _ = fitted("return", weight=weight)
    mean = np.average(X, axis=0, weights=weight)
    Z = (X - mean) / np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
    intercept = np.average(forward, weights=weight)
    coefficients = np.linalg.solve((Z.T * weight) @ Z + np.eye(4), (Z.T * weight) @ (forward - intercept))
    np.testing.assert_allclose(model.predict(X), Z @ coefficients + intercept, rtol=0, atol=1e-9)


def test_rows_of_weight_0_have_no_effect():
    X, y, _ = rows()
    weight = (np.arange(len(X)) % 3 > 0).astype(float)
    some = build("logistic", "class", WHOLE, seed=1).fit(X, y, weight=weight)
    poisoned = np.where(weight[:, None] > 0, X, 1e6).astype(np.float32)
    other = build("logistic", "class", WHOLE, seed=1).fit(poisoned, y, weight=weight)
    np.testing.assert_array_equal(some.predict_proba(X), other.predict_proba(X))


def test_a_single_outlier_has_no_effect():
    X, y, _ = rows()
    spiked = X.copy()
    spiked[5, 1] = 3e38
    default = ModelSettings()
    clean = build("logistic", "class", default, seed=1).fit(X, y).predict_proba(X)
    outlier = build("logistic", "class", default, seed=1).fit(spiked, y)
    np.testing.assert_allclose(outlier.predict_proba(X), clean, atol=0.02)
    scores = outlier.predict_proba(spiked)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(OnnxSession(outlier.to_onnx(), 4, "logistic").run(spiked), scores, atol=1e-6)


@pytest.mark.parametrize("present", [(0, 2), (1, 2), (0, 1)])
def test_an_absent_class_scores_zero_and_the_others_as_a_binary_regression(present):
    X, y, _ = rows()
    kept = np.isin(y, present)
    model = build("logistic", "class", WHOLE, seed=1).fit(X[kept], y[kept])
    oracle = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, tol=1e-8, max_iter=2_000))
    expected = oracle.fit(X[kept].astype(np.float64), y[kept]).predict_proba(X[kept].astype(np.float64))
    scores = model.predict_proba(X[kept])
    np.testing.assert_allclose(scores[:, list(present)], expected, atol=1e-4)
    (absent,) = {0, 1, 2} - set(present)
    assert scores[:, absent].max() < 1e-15


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_rows_are_enough(count):
    X, y, _ = rows()
    scores = build("logistic", "class", ModelSettings(), seed=1).fit(X[:count], y[:count]).predict_proba(X)
    assert np.isfinite(scores).all()


def test_a_single_class_scores_1():
    X, y, _ = rows()
    scores = build("logistic", "class", WHOLE, seed=1).fit(X, np.ones_like(y)).predict_proba(X)
    np.testing.assert_allclose(scores, np.tile([0, 1, 0], (len(X), 1)), atol=1e-15)


def test_a_constant_feature_is_accepted():
    X, y, _ = rows()
    X[:, 2] = 0.1
    scores = build("logistic", "class", WHOLE, seed=1).fit(X, y).predict_proba(X)
    assert np.isfinite(scores).all()


def test_a_fit_that_does_not_converge_is_logged(caplog):
    settings = ModelSettings(logistic=LogisticSettings(iterations=1))
    with caplog.at_level(logging.WARNING):
        fitted("class", settings)
    assert "logistic: Newton solver did not converge" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.update(format="quorate-logistic-9"), "found 'quorate-logistic-9'; expected quorate-logistic-1"),
        (lambda t: t.pop("mean"), "KeyError"),
        (lambda t: t["mean"].pop(), "arrays of"),
        (lambda t: t.update(scale=[0.0] * 4), "arrays of"),
        (lambda t: t.update(weights=[1.0] * 4), "arrays of"),
        (lambda t: t["intercept"].__setitem__(0, float("nan")), "NaN in place of a number"),
        (lambda t: t.update(mean="x"), "could not convert"),
        (lambda t: t.update(weights=[[1.0]] * 4, intercept=[1.0]), "1 outputs; expected 3"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change, message):
    model, _ = fitted("class")
    path = tmp_path / "model.json"
    model.save(path)
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))
    with pytest.raises(ModelError, match=message):
        build("logistic", "class", WHOLE, seed=1).load(path)


@pytest.mark.parametrize("task", ["class", "return"])
def test_a_fit_keeps_products_of_matrices_to_one_thread(task, monkeypatch):
    from sklearn import linear_model
    from threadpoolctl import threadpool_info, threadpool_limits

    kind = linear_model.LogisticRegression if task == "class" else linear_model.Ridge
    fit, seen = kind.fit, []

    def spied(*arguments, **named):
        seen.extend(each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas")
        return fit(*arguments, **named)

    monkeypatch.setattr(kind, "fit", spied)
    X = np.random.default_rng(1).normal(size=(90, 3)).astype(np.float32)
    y = np.arange(90, dtype=np.int8) % 3 if task == "class" else X[:, 0].astype(np.float64)
    with threadpool_limits(2, "blas"):
        build("logistic", task, ModelSettings(), seed=1).fit(X, y)
    assert seen
    assert set(seen) == {1}
