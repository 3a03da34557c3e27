"""The network of gated units against an implementation in numpy."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from quorate.core.errors import SettingsError
from quorate.core.settings import GRUSettings, ModelSettings
from quorate.models import build
from quorate.models.networks.recurrent.network import RecurrentConfig, RecurrentNetwork


def oracle(module, x, layers):
    """The equations of Cho and others, bar by bar, with the reset gate after the product of the state."""
    weights = {name: tensor.double().numpy() for name, tensor in module.state_dict().items()}

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    sequence = x.astype(np.float64)
    for layer in range(layers):
        W, U, b, c = (
            weights[f"recurrence.{name}_l{layer}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        hidden, states = np.zeros((len(x), U.shape[1])), []
        for bar in range(x.shape[1]):
            reset, update, new = np.split(sequence[:, bar] @ W.T + b, 3, axis=1)
            own_reset, own_update, own_new = np.split(hidden @ U.T + c, 3, axis=1)
            kept = sigmoid(update + own_update)
            hidden = (1 - kept) * np.tanh(new + sigmoid(reset + own_reset) * own_new) + kept * hidden
            states.append(hidden)
        sequence = np.stack(states, axis=1)
    inner = np.maximum(sequence[:, -1] @ weights["head.1.weight"].T + weights["head.1.bias"], 0)
    return inner @ weights["head.3.weight"].T + weights["head.3.bias"]


@pytest.mark.parametrize(("layers", "outputs"), [(1, 1), (2, 3)])
def test_outputs_equal_the_equations_of_the_paper(layers, outputs):
    torch.manual_seed(0)
    module = RecurrentNetwork(RecurrentConfig(5, outputs, width=7, layers=layers, head=4), nn.GRU).eval()
    x = np.random.default_rng(0).normal(size=(6, 9, 5)).astype(np.float32)
    with torch.no_grad():
        found = module(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, oracle(module, x, layers), atol=1e-6)


def test_the_graph_has_no_unused_states():
    settings = ModelSettings(gru=GRUSettings(window=6, width=8, layers=2, epochs=1))
    model = build("gru", "class", settings, seed=1)
    X = np.random.default_rng(0).normal(size=(30, 6, 5)).astype(np.float32)
    graph = onnx.load_from_string(model.fit(X, (np.arange(30) % 3).astype(np.int8)).to_onnx()).graph
    read = {name for node in graph.node for name in node.input}
    lower, upper = ([name for name in node.output if name] for node in graph.node if node.op_type == "GRU")
    assert read.issuperset(lower + upper)
    assert len(upper) == 1  # the newest state, not that of every bar


@pytest.mark.parametrize("wrong", [{"width": 0}, {"layers": 0}, {"head": 0}, {"dropout": 1.0}, {"window": 1}])
def test_invalid_settings_are_refused(wrong):
    with pytest.raises(SettingsError, match=rf"models\.gru\.{next(iter(wrong))}"):
        GRUSettings(**wrong)
