"""The recurrent network against an implementation in numpy."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from quorate.core.settings import LSTMSettings, ModelSettings
from quorate.models import build
from quorate.models.networks.recurrent.network import RecurrentConfig, RecurrentNetwork


def oracle(module, x, layers):
    """The equations of Hochreiter and Schmidhuber with a forget gate, bar by bar."""
    weights = {name: tensor.double().numpy() for name, tensor in module.state_dict().items()}

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    sequence = x.astype(np.float64)
    for layer in range(layers):
        W, U, b, c = (
            weights[f"recurrence.{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        hidden = state = np.zeros((len(x), U.shape[1]))
        states = []
        for bar in range(x.shape[1]):
            i, f, g, o = np.split(sequence[:, bar] @ W.T + b + hidden @ U.T + c, 4, axis=1)
            state = sigmoid(f) * state + sigmoid(i) * np.tanh(g)
            hidden = sigmoid(o) * np.tanh(state)
            states.append(hidden)
        sequence = np.stack(states, axis=1)
    inner = np.maximum(sequence[:, -1] @ weights["head.1.weight"].T + weights["head.1.bias"], 0)
    return inner @ weights["head.3.weight"].T + weights["head.3.bias"]


@pytest.mark.parametrize(("layers", "outputs"), [(1, 1), (2, 3)])
def test_outputs_equal_the_equations_of_the_paper(layers, outputs):
    torch.manual_seed(0)
    module = RecurrentNetwork(RecurrentConfig(5, outputs, width=7, layers=layers, head=4), nn.LSTM).eval()
    x = np.random.default_rng(0).normal(size=(6, 9, 5)).astype(np.float32)
    with torch.no_grad():
        found = module(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, oracle(module, x, layers), atol=1e-6)


def test_the_default_size_is_that_of_the_specification():
    """2 layers x 128 over 14 features, head 128-64-1: 4 x 128 x (14 + 128 + 2) + 4 x 128 x (128 + 128 + 2), and
    128 x 64 + 64 + 64 + 1 in the head."""
    settings = ModelSettings(networks="documented").lstm
    module = RecurrentNetwork(
        RecurrentConfig(14, 1, settings.width, settings.layers, settings.dropout, settings.head), nn.LSTM
    )  # fmt: skip
    assert sum(parameter.numel() for parameter in module.parameters()) == 73_728 + 132_096 + 8_321
    assert (settings.window, settings.batch, settings.epochs, settings.patience) == (24, 32, 100, 10)


def test_the_newest_bar_changes_the_output():
    model = build("lstm", "class", ModelSettings(), seed=1, threads=1)
    assert model.window == 24
    torch.manual_seed(0)
    module = RecurrentNetwork(RecurrentConfig(3, 3, width=8), nn.LSTM).eval()
    x = torch.randn(1, 24, 3)
    changed = x.clone()
    changed[0, -1] += 1
    with torch.no_grad():
        assert not torch.allclose(module(x), module(changed), atol=1e-4)


def test_the_graph_has_no_unused_lstm_outputs():
    model = build(
        "lstm", "class", replace(ModelSettings(), lstm=LSTMSettings(window=6, width=8, layers=2, epochs=1)), seed=1
    )
    X = np.random.default_rng(0).normal(size=(30, 6, 5)).astype(np.float32)
    graph = onnx.load_from_string(model.fit(X, (np.arange(30) % 3).astype(np.int8)).to_onnx()).graph
    read = {name for node in graph.node for name in node.input}
    lower, upper = ([name for name in node.output if name] for node in graph.node if node.op_type == "LSTM")
    assert read.issuperset(lower + upper)
    assert len(upper) == 1  # the newest state, not that of every bar
