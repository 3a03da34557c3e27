"""TabM: its layers against one perceptron a member, the loss and the mean of the members, rows and windows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import ModelSettings, TabMSettings
from quorate.models import StoppingRows, build
from quorate.models.networks.tabular.tabm import BatchEnsembleLinear, TabMConfig, TabMNetwork
from quorate.models.networks.training.losses import cross_entropy
from quorate.models.runtime import OnnxSession, require_same

SMALL = TabMSettings(epochs=2, share=1, batch=64, learning_rate=1e-2, members=3, width=8, dropout=0.1)


def rows(n=300, seed=3, shape=(4,)):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, *shape)).astype(np.float32)
    forward = 0.01 * X.reshape(n, -1)[:, 0] + 0.003 * random.normal(size=n)
    return X, np.where(forward > 0.005, 2, np.where(forward < -0.005, 0, 1)).astype(np.int8), forward


def model(task="class", names=(), **settings):
    return build("tabm", task, ModelSettings(tabm=replace(SMALL, **settings)), seed=1, threads=1, features=names)


def test_a_layer_is_one_linear_layer_a_member_with_scaled_weights():
    torch.manual_seed(2)
    layer = BatchEnsembleLinear(3, 4, 5, random_scales=True)
    torch.nn.init.normal_(layer.output_scales)
    x = torch.randn(6, 3, 4)
    for i in range(3):
        own = layer.output_scales[i][:, None] * layer.shared.weight * layer.input_scales[i]
        torch.testing.assert_close(layer(x)[:, i], x[:, i] @ own.T + layer.bias[i])
    assert set(layer.input_scales.unique().tolist()) == {-1.0, 1.0}


def test_members_differ_share_most_weights_and_begin_near_0():
    torch.manual_seed(2)
    network = TabMNetwork(TabMConfig(inputs=30, outputs=3, members=8, width=32, layers=2, dropout=0.0))
    found = network(torch.randn(50, 1, 30))
    assert found.shape == (50, 8, 3)
    assert found.abs().max() < 1
    assert (found[:, 0] - found[:, 1]).abs().max() > 1e-3
    of_own = 8 * (30 + 32 + 32 + 32 + 32 + 32 + 32 * 3 + 3)
    assert sum(p.numel() for p in network.parameters()) == 30 * 32 + 32 * 32 + of_own


def test_the_loss_is_the_mean_of_the_members_losses_and_the_score_that_of_their_scores():
    X, y, _ = rows()
    fitted = model().fit(X, y)
    logits = fitted._fitted.standardised(torch.from_numpy(X[:, None]))
    target, weight = torch.from_numpy(y.astype(np.int64)), torch.linspace(0, 2, len(X))
    each = [cross_entropy(logits[:, i], target, weight) for i in range(3)]
    torch.testing.assert_close(fitted._loss()(logits, target, weight), torch.stack(each).mean())
    scores = torch.softmax(logits, dim=-1).mean(dim=1)
    np.testing.assert_allclose(fitted.predict_proba(X), scores.detach().numpy(), atol=1e-6)


def test_returns_are_the_mean_of_the_members():
    X, _, forward = rows()
    fitted = model("return", epochs=8).fit(X, forward)
    scoring = fitted._fitted
    each = scoring.standardised(torch.from_numpy(X[:, None])) * scoring.scale + scoring.mean
    np.testing.assert_allclose(fitted.predict(X), each.mean(dim=1)[:, 0].detach().numpy(), atol=1e-7)
    assert np.corrcoef(fitted.predict(X), forward)[0, 1] > 0.8


@pytest.mark.parametrize("newest_width", [0, 4])
def test_windows_of_several_bars_and_a_perceptron_beside_it(newest_width):
    X, y, _ = rows(shape=(3, 4))
    fitted = model(window=3, newest_width=newest_width).fit(X, y)
    require_same(fitted.output(X), OnnxSession(fitted.to_onnx(), 4, "tabm").run(X), "tabm")
    with pytest.raises(ModelError, match="windows of 2 bars"):
        fitted.output(X[:, 1:])


def test_only_the_named_columns_are_read():
    names = ("price_change", "high_low_range", "rsi_14", "macd")
    X, y, _ = rows()
    fitted = model(names=names, columns=("price_change", "macd")).fit(X, y)
    other = X.copy()
    other[:, 1:3] = 9
    np.testing.assert_array_equal(fitted.output(other), fitted.output(X))
    assert model(names=names).fit(X, y)._fitted.standardised.reads == (0, 1, 2, 3)


def test_training_stops_early_on_rows():
    X, y, _ = rows()
    own = {"keep": "best", "patience": 1, "epochs": 40, "learning_rate": 0.1}
    fitted = model(**own).fit(X[:200], y[:200], stopping=StoppingRows(X[200:], y[200:]))
    assert fitted.history.stopped == "patience"
    assert fitted.stops_early


@pytest.mark.parametrize("wrong", [{"window": 0}, {"members": 0}, {"width": 0}, {"layers": 0}, {"dropout": 1.0}])
def test_settings_have_ranges(wrong):
    with pytest.raises(SettingsError, match=f"models.tabm.{next(iter(wrong))}"):
        TabMSettings(**wrong)
