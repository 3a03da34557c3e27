"""Regularised discriminant analysis against the normal densities of scipy; degenerate rows; damaged files."""

import json

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import ModelSettings, QDASettings
from quorate.models import build
from quorate.models.linear.qda import thirds
from quorate.models.runtime import OnnxSession, require_same

F = 3


def rows(n=700, seed=4):
    """Classes that differ in mean and covariance: a linear model cannot tell SELL and BUY from HOLD."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 3, n).astype(np.int8)
    X = random.normal(size=(n, F)) * np.where(y == 1, 0.5, 1.5)[:, None]
    X[:, 1] += 0.8 * X[:, 0]
    X[:, 0] += y - 1.0
    returns = 0.01 * X[:, 0] + 0.002 * random.normal(size=n)
    return (X * (1, 50, 1e-4) + (0, 900, 0)).astype(np.float32), y, returns


def model(task="class", **settings):
    return build("qda", task, ModelSettings(qda=QDASettings(tail=0.0, **settings)), seed=1)


def densities(X, classes, weight, pooled, identity):
    """(n, 3) log densities and (3,) priors, by Friedman's formulas on standardised rows."""
    X = X.astype(np.float64)
    mean = np.average(X, axis=0, weights=weight)
    Z = (X - mean) / np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
    W = np.array([weight[classes == k].sum() for k in range(3)])
    centres = [np.average(Z[classes == k], axis=0, weights=weight[classes == k]) for k in range(3)]
    S = [sum(w * np.outer(z - c, z - c) for z, w in zip(Z[classes == k], weight[classes == k], strict=True))
         for k, c in enumerate(centres)]  # fmt: skip
    found = []
    for k in range(3):
        C = ((1 - pooled) * S[k] + pooled * sum(S)) / ((1 - pooled) * W[k] + pooled * W.sum())
        C = (1 - identity) * C + identity * np.trace(C) / F * np.eye(F)
        found.append(multivariate_normal(centres[k], C).logpdf(Z))
    return np.stack(found, axis=1), W / W.sum()


@pytest.mark.parametrize(
    ("pooled", "identity", "power"),
    [(0, 1e-6, 1), (1, 0.3, 1), (0.4, 0.2, 0.3)],
    ids=["quadratic", "linear", "between"],
)
def test_scores_are_the_posterior_of_shrunk_normal_densities(pooled, identity, power):
    X, y, _ = rows()
    weight = np.random.default_rng(1).uniform(0.2, 3, len(y))
    logs, priors = densities(X, y, weight, pooled, identity)
    posterior = priors * np.exp(power * logs)
    found = model(pooled=pooled, identity=identity, power=power).fit(X, y, weight=weight).predict_proba(X)
    np.testing.assert_allclose(found, posterior / posterior.sum(axis=1, keepdims=True), atol=1e-9)


def test_returns_are_the_posterior_mean_over_thirds():
    X, _, returns = rows(n=600)
    ones = np.ones(len(X))
    classes = returns.argsort().argsort() // 200
    logs, priors = densities(X, classes, ones, 0.5, 0.1)
    posterior = priors * np.exp(0.2 * logs)
    levels = [returns[classes == k].mean() for k in range(3)]
    found = model("return", pooled=0.5, identity=0.1, power=0.2).fit(X, returns).predict(X)
    np.testing.assert_allclose(found, posterior @ levels / posterior.sum(axis=1), atol=1e-12)
    assert returns.min() < found.min() < 0 < found.max() < returns.max()


def test_a_class_that_differs_in_spread_alone_is_told_apart():
    X, y, _ = rows()
    X[:, 0] -= y  # equal means
    apart = model(pooled=0.1, power=1).fit(X, y).predict_proba(X)
    assert apart[y == 1, 1].mean() > 1.5 * apart[y != 1, 1].mean()
    together = model(pooled=1, power=1).fit(X, y).predict_proba(X)
    assert together[y == 1, 1].mean() < 1.2 * together[y != 1, 1].mean()


def test_thirds_have_equal_weight_and_keep_equal_returns_together():
    random = np.random.default_rng(2)
    returns, weight = random.normal(size=900), random.uniform(0.1, 2, 900)
    shares = np.bincount(thirds(returns, weight), weights=weight) / weight.sum()
    np.testing.assert_allclose(shares, 1 / 3, atol=0.01)
    assert set(thirds(np.zeros(5), np.ones(5))) == {1}
    assert thirds(np.array([0.0, 0, 0, 0, 1]), np.ones(5)).tolist() == [1, 1, 1, 1, 2]


def test_an_absent_class_scores_0_and_a_single_class_or_return_1():
    X, y, _ = rows()
    kept = y > 0
    fitted = model().fit(X[kept], y[kept])
    assert (fitted.predict_proba(X)[:, 0] == 0).all()
    require_same(fitted.output(X), OnnxSession(fitted.to_onnx(), F, "qda").run(X), "qda")
    alone = model().fit(X[y == 2], y[y == 2]).predict_proba(X)
    np.testing.assert_allclose(alone, np.eye(3)[np.full(len(X), 2)])
    np.testing.assert_allclose(model("return").fit(X, np.full(len(X), 0.004)).predict(X), 0.004)


def test_constant_and_repeated_columns_and_a_class_of_one_row_are_no_obstacle():
    X, y, _ = rows()
    poor = np.column_stack([X[:, 0], X[:, 0], np.full(len(X), 3e5, np.float32)]).astype(np.float32)
    for kept in (np.ones(len(y), bool), (y != 0) | (np.arange(len(y)) == np.flatnonzero(y == 0)[0])):
        found = model(pooled=0, identity=0.01, power=1).fit(poor[kept], y[kept]).predict_proba(poor)
        assert np.isfinite(found).all()
    same = np.ones((9, 2), np.float32)
    np.testing.assert_allclose(model().fit(same, np.arange(9) % 3).predict_proba(same), 1 / 3)


def test_rows_of_weight_0_have_no_effect():
    X, y, _ = rows()
    weight = (np.arange(len(X)) % 3 > 0).astype(float)
    poisoned = np.where(weight[:, None] > 0, X, 1e6).astype(np.float32)
    fits = [model().fit(some, y, weight=weight).predict_proba(X) for some in (X, poisoned)]
    np.testing.assert_array_equal(*fits)


@pytest.mark.parametrize("damage", [
    {"format": "quorate-logistic-1"}, {"roots": [[1.0]]}, {"scale": [1.0, 0.0, 1.0]}, {"constant": [0.0]},
    {"centres": [0.0]}, {"outcomes": "many"}, {"low": [1.0, "x", 2.0]},
])  # fmt: skip
def test_a_damaged_file_is_refused(tmp_path, damage):
    X, y, _ = rows()
    path = tmp_path / "qda.json"
    model().fit(X, y).save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))
    with pytest.raises(ModelError, match="load"):
        model().load(path)


@pytest.mark.parametrize("wrong", [{"pooled": 1.1}, {"identity": 0.0}, {"power": 0.0}, {"power": 2.0}, {"tail": 0.4}])
def test_settings_have_ranges(wrong):
    with pytest.raises(SettingsError, match=f"models.qda.{next(iter(wrong))}"):
        QDASettings(**wrong)
