"""Fitting a stack of members that each see a part of the signal, and of members without skill."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.errors import ModelError
from quorate.core.settings import Settings
from quorate.core.types import Float32Array
from quorate.ensemble.stack.fit_stack import fit_stack, predict_out_of_fold
from quorate.models.linear.logistic import Logistic
from quorate.targets import time_split


def seeing(column):
    """Ridge regression on one feature only."""

    def shown(X) -> Float32Array:
        out = np.zeros_like(np.asarray(X))
        out[:, column] = np.asarray(X)[:, column]
        return out

    class Half(Logistic):
        def _fit(self, request):
            super()._fit(replace(request, X=shown(request.X)))

        def _infer(self, X):
            return super()._infer(shown(X))

    return lambda: Half("return", Settings().models, seed=1)


class Failing(Logistic):
    def _fit(self, request):
        raise ModelError("fit failing", found="an error")


def measure(y, predicted, mean, time, forward_return):
    return {"rmse": float(np.sqrt(((y - predicted) ** 2).mean())), "n": len(y)}


def fitted(planted, method="ridge", columns=(0, 1), more=()):
    dataset = planted.dataset
    split = time_split(dataset.time, dataset.span_end, 0.7, 0.15)
    makers = {f"sees_{column}": seeing(column) for column in columns}
    graphs = {
        name: make().fit(dataset.X[split.train], dataset.y[split.train]).to_onnx() for name, make in makers.items()
    }
    makers |= {name: lambda: Failing("return", Settings().models, seed=1) for name in more}
    settings = replace(Settings(), stack=replace(Settings().stack, method=method, forest_trees=50))
    out_of_fold = predict_out_of_fold(makers, dataset, split, settings, 4, lambda *_: None)
    return fit_stack(out_of_fold, graphs, dataset, split, settings, measure)


@pytest.mark.parametrize("method", ["ridge", "lasso", "blending", "voting"])
def test_the_stack_is_better_than_each_member(planted, method):
    found = fitted(planted, method)
    rmse = {name: parts["test"]["rmse"] for name, parts in found.figures.items()}
    for other in ("sees_0", "sees_1", "predict_zero", "predict_mean"):
        assert rmse["stack"] < rmse[other]
        assert found.about["improvement"]["test"][other] > 0
    if method in ("ridge", "blending"):
        # Each member is unbiased for its own part, so the weights are about 1.
        np.testing.assert_allclose(list(found.about["weights"].values()), 1.0, atol=0.2)
        assert rmse["stack"] == pytest.approx(0.01, rel=0.05)


def test_a_forest_is_better_than_each_member(planted):
    found = fitted(planted, "forest")
    rmse = {name: parts["test"]["rmse"] for name, parts in found.figures.items()}
    assert rmse["stack"] < min(rmse["sees_0"], rmse["sees_1"])


def test_all_figures_are_on_the_same_rows(planted):
    found = fitted(planted)
    for part in ("out_of_fold", "validation", "test"):
        assert len({parts[part]["n"] for parts in found.figures.values()}) == 1
    assert list(found.figures) == ["sees_0", "sees_1", "stack", "predict_zero", "predict_mean"]


def test_without_skill_the_stack_predicts_about_zero(planted):
    found = fitted(planted, columns=(2,))
    rmse = {name: parts["test"]["rmse"] for name, parts in found.figures.items()}
    assert rmse["stack"] == pytest.approx(rmse["predict_zero"], rel=1e-3)


def test_a_member_that_fails_out_of_fold_is_left_out_with_the_reason(planted):
    found = fitted(planted, more=("failing",))
    assert found.stack.members == ("sees_0", "sees_1")
    assert "out of fold: could not fit failing" in found.failures["failing"]
    with pytest.raises(ModelError, match="at least two members"):
        fitted(planted, columns=(0,), more=("failing",))


def test_confidence_grows_with_the_size_of_the_prediction(planted):
    curve = fitted(planted).stack.confidence
    small, large = curve.at(np.array([0.0002, 0.008]))
    assert small < 0.62
    assert large > 0.7


def test_returns_of_the_later_parts_do_not_change_the_fit(planted):
    """Validation and test rows are used for figures only."""
    dataset = planted.dataset
    split = time_split(dataset.time, dataset.span_end, 0.7, 0.15)
    late = np.concatenate([split.validation, split.test])
    altered = dataset.y.copy()
    altered[late] = 5.0
    one = fitted(planted)
    other = fitted(type(planted)(dataset=replace(dataset, y=altered, forward_return=altered)))
    assert one.files == other.files
