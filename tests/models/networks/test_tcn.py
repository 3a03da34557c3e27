"""TCN against dilated convolutions of every bar, and its folded weights."""

import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional

from quorate.core.errors import SettingsError
from quorate.core.settings import ModelSettings, TCNSettings
from quorate.models import build
from quorate.models.networks.tcn import NormalisedConvolution, TCNConfig, TCNNetwork


def oracle(module, x):
    """Dilated causal convolutions over all bars, and the newest of them, as the paper's code computes them."""
    series = x.transpose(1, 2)
    for number, block in enumerate(module.blocks):
        inner = series
        for convolution in block.convolutions:
            direction = convolution.direction
            norm = direction.flatten(1).norm(dim=1)[:, None, None]
            kernel = convolution.length * direction / norm
            dilation = 2**number
            padded = functional.pad(inner, (dilation * (kernel.shape[2] - 1), 0))
            inner = functional.conv1d(padded, kernel, convolution.bias, dilation=dilation).relu()
        kept = series if block.match is None else functional.conv1d(series, block.match.weight, block.match.bias)
        series = (inner + kept).relu()
    return series[:, :, -1] @ module.head.weight.T + module.head.bias


@pytest.mark.parametrize(("window", "kernel", "blocks"), [(48, 3, 4), (13, 2, 3), (7, 5, 4), (9, 1, 2)])
def test_outputs_equal_dilated_convolutions_of_every_bar(window, kernel, blocks):
    torch.manual_seed(0)
    module = TCNNetwork(TCNConfig(5, 3, width=6, kernel=kernel, blocks=blocks)).double().eval()
    x = torch.randn(4, window, 5, dtype=torch.float64)
    with torch.no_grad():
        np.testing.assert_allclose(module(x).numpy(), oracle(module, x).numpy(), atol=1e-12)


def test_it_sees_as_many_bars_as_the_paper_says():
    """With kernels of 3 and two blocks: 1 + 2 * 2 * 3 = 13 bars."""
    torch.manual_seed(0)
    module = TCNNetwork(TCNConfig(2, 3, blocks=2)).double().eval()
    x = torch.randn(1, 20, 2, dtype=torch.float64, requires_grad=True)
    module(x).square().sum().backward()
    reached = x.grad.abs().sum(dim=(0, 2)) > 0
    assert reached.tolist() == [False] * 7 + [True] * 13


def test_weights_begin_as_those_of_a_plain_convolution_and_fold_into_one():
    torch.manual_seed(0)
    normalised = NormalisedConvolution(3, 4, 5)
    np.testing.assert_allclose(normalised._weight().detach(), normalised.direction.detach(), rtol=1e-6)
    with torch.no_grad():
        normalised.length.mul_(3)
    x = torch.randn(2, 3, 9)
    with torch.no_grad():
        np.testing.assert_allclose(normalised.folded()(x), normalised(x), atol=1e-6)


def test_the_graph_has_folded_weights():
    model = build("tcn", "class", ModelSettings(tcn=TCNSettings(window=8, blocks=2, width=4, epochs=1)), seed=1)
    X = np.random.default_rng(0).normal(size=(30, 8, 5)).astype(np.float32)
    graph = onnx.load_from_string(model.fit(X, (np.arange(30) % 3).astype(np.int8)).to_onnx()).graph
    assert {node.op_type for node in graph.node}.isdisjoint({"Sqrt", "ReduceSum", "Pow", "ReduceL2"})
    assert sum(node.op_type == "Conv" for node in graph.node) == 5  # two a block, and one where the channels differ


@pytest.mark.parametrize("wrong", [{"width": 0}, {"kernel": 0}, {"blocks": 17}, {"dropout": -0.1}])
def test_invalid_settings_are_refused(wrong):
    with pytest.raises(SettingsError, match=rf"models\.tcn\.{next(iter(wrong))}"):
        TCNSettings(**wrong)
