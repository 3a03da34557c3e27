"""TabNet: sparsemax against its definition, masks, ghost batches, the penalty on spread attention, and its graph."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import nn

from quorate.core.errors import SettingsError
from quorate.core.settings import ModelSettings, TabNetSettings
from quorate.models import build
from quorate.models.networks.tabular.sparsemax import sparsemax
from quorate.models.networks.tabular.tabnet import GhostNorm, TabNetConfig, TabNetNetwork
from quorate.models.onnx_graphs import require_bounded, require_cheap
from quorate.models.runtime import OnnxSession, require_same

SMALL = TabNetSettings(epochs=2, share=1, batch=64, learning_rate=2e-2, width=4, steps=2, ghost=32)
SHAPE = TabNetConfig(inputs=6, outputs=3, width=4, steps=3, shared=2, own=1, relaxation=1.0, ghost=16)


def rows(n=300, seed=3):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 6)).astype(np.float32)
    forward = 0.01 * X[:, 0] + 0.003 * random.normal(size=n)
    return X, np.where(forward > 0.005, 2, np.where(forward < -0.005, 0, 1)).astype(np.int8), forward


def model(task="class", **settings):
    return build("tabnet", task, ModelSettings(tabnet=replace(SMALL, **settings)), seed=1, threads=1)


def network(**shape):
    torch.manual_seed(4)
    return TabNetNetwork(replace(SHAPE, **shape))


@pytest.mark.parametrize("scale", [0.1, 1, 10, 1e4])
def test_sparsemax_is_the_projection_on_distributions(scale):
    z = scale * np.random.default_rng(1).normal(size=(20, 7))
    found = sparsemax(torch.from_numpy(z.astype(np.float32))).numpy()
    for row, shares in zip(z.astype(np.float32).astype(np.float64), found, strict=True):
        # The projection is max(z - t, 0) with the t at which it sums to 1.
        t = brentq(lambda t, row=row: np.maximum(row - t, 0).sum() - 1, row.min() - 1, row.max())
        np.testing.assert_allclose(shares, np.maximum(row - t, 0), atol=2e-5 * max(1, scale / 100))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    equal = sparsemax(torch.full((1, 5), 3.0))
    np.testing.assert_allclose(equal.numpy(), 0.2, atol=1e-6)


def test_ghost_batches_are_normalised_apart_and_a_single_row_by_what_is_known():
    norm, x = GhostNorm(3, 8), torch.randn(20, 3) * 5 + 2
    found = norm(x)
    for part, own in zip(found.chunk(3), x.chunk(3), strict=True):
        torch.testing.assert_close(part, nn.BatchNorm1d(3)(own))
    before = norm.norm.running_mean.clone()
    assert torch.isfinite(norm(x[:1])).all()
    torch.testing.assert_close(norm.norm.running_mean, before)
    norm.eval()
    torch.testing.assert_close(norm(x)[:4], norm(x[:4]))


def test_with_a_relaxation_of_1_a_column_that_was_chosen_alone_is_not_chosen_again(monkeypatch):
    chosen = []

    def only_first_free(z):
        # All attention on the column of the highest number among those that are left.
        mask = torch.zeros_like(z)
        free = [place for place in range(z.shape[1]) if not any(m[0, place] for m in chosen)]
        mask[:, free[0]] = 1
        chosen.append(mask)
        return mask

    monkeypatch.setattr("quorate.models.networks.tabular.tabnet.sparsemax", only_first_free)
    given = []
    net = network().eval()
    for attention in net.attention:
        attention.register_forward_hook(lambda _module, _inputs, _output: torch.ones(4, 6))
    monkeypatch.setattr("quorate.models.networks.tabular.tabnet.sparsemax",
                        lambda z: given.append(z) or only_first_free(z))  # fmt: skip
    net(torch.randn(4, 1, 6))
    expected = [[1.0] * 6, [0.0] + [1.0] * 5, [0.0, 0.0] + [1.0] * 4]
    assert [z[0].tolist() for z in given] == expected


def test_steps_share_their_first_layers_and_begin_near_0():
    net = network()
    shared, own = 6 * 16 + 8 * 16, 4 * (8 * 16)
    norms = 2 * (6 + 4 * 3 * 16 + 3 * 6)
    assert sum(p.numel() for p in net.parameters()) == shared + own + norms + 3 * (4 * 6) + 4 * 3 + 3
    assert net.eval()(torch.randn(40, 1, 6)).abs().max() < 1


def test_the_penalty_makes_attention_sparse():
    X, y, _ = rows()
    spread = []
    for sparsity in (0.0, 1.0):
        fitted = model(sparsity=sparsity, epochs=3).fit(X, y)
        inner = fitted._fitted.standardised
        inner.train()(torch.from_numpy(X[:, None]))
        spread.append(float(inner.network.entropy.detach()))
    assert spread[1] < 0.7 * spread[0], spread


@pytest.mark.parametrize("n", [65, 129])  # the last batch has one row
def test_a_last_batch_of_one_row_is_trained_on(n):
    X, y, _ = rows(n)
    assert np.isfinite(model().fit(X, y).output(X)).all()


def test_its_graph_is_cheap_and_equal_on_rows_with_equal_columns():
    X, _, forward = rows()
    fitted = model("return").fit(X, forward)
    graph = fitted.to_onnx()
    require_bounded(graph, "tabnet")
    assert require_cheap(graph, "tabnet", 1_024, 1_024).rows == 256
    flat = np.concatenate([X, np.zeros_like(X), np.full_like(X, 3e38), 1e-30 * X])
    require_same(fitted.output(flat), OnnxSession(graph, 6, "tabnet").run(flat), "tabnet", tolerance=1e-6)


def test_rounding_is_not_magnified_by_the_normalisation_of_nearly_equal_values():
    X, y, _ = rows()
    others, _, _ = rows(1_000, seed=9)
    fitted = model(steps=3).fit(X, y)
    for module in fitted._fitted.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_var *= 0.1
    graph = OnnxSession(fitted.to_onnx(), 6, "tabnet")
    # In single precision, which the network is trained in, some rows differ by 5e-4.
    require_same(fitted.output(others), graph.run(others), "tabnet", tolerance=1e-6)


@pytest.mark.parametrize("wrong", [{"window": 0}, {"width": 0}, {"steps": 0}, {"shared": 0}, {"own": -1},
                                   {"relaxation": 0.9}, {"sparsity": -1.0}, {"ghost": 1}])  # fmt: skip
def test_settings_have_ranges(wrong):
    with pytest.raises(SettingsError, match=f"models.tabnet.{next(iter(wrong))}"):
        TabNetSettings(**wrong)
