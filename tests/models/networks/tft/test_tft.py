"""The Temporal Fusion Transformer against an implementation in numpy."""

import numpy as np
import pytest
import torch

from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import TFTSettings
from quorate.models.networks.tft import TFTConfig, TFTNetwork

B, L, R, D, HEADS = 6, 5, 3, 4, 2


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def standardised(x):
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)


class Oracle:
    """The equations of section 4, of rows in double precision."""

    def __init__(self, module):
        self.weights = {name: tensor.detach().double().numpy() for name, tensor in module.named_parameters()}

    def linear(self, name, x):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def gated_skip(self, name, x, skip):
        value, gate = np.split(self.linear(f"{name}.gate", x), 2, axis=-1)
        made = standardised(skip + value * sigmoid(gate))
        return made * self.weights[f"{name}.norm.weight"] + self.weights[f"{name}.norm.bias"]

    def grn(self, name, x):
        first = self.linear(f"{name}.first", x)
        hidden = self.linear(f"{name}.second", np.where(first > 0, first, np.expm1(first)))
        skip = self.linear(f"{name}.skip", x) if f"{name}.skip.weight" in self.weights else x
        return self.gated_skip(f"{name}.gated", hidden, skip)

    def column_grn(self, column, x):
        def linear(name, rows):
            name = f"selection.each.{name}"
            return rows @ self.weights[f"{name}.weight"][column] + self.weights[f"{name}.bias"][column]

        first = linear("first", x)
        value, gate = np.split(
            linear("gate", linear("second", np.where(first > 0, first, np.expm1(first)))), 2, axis=-1
        )
        scale, shift = (self.weights[f"selection.each.{name}"][column] for name in ("scale", "shift"))
        return standardised(x + value * sigmoid(gate)) * scale + shift

    def selected(self, x):
        """(B, L, D) sums and (B, L, R) weights."""
        embedded = [
            x[:, :, column, None] * self.weights["selection.weight"][column] + self.weights["selection.bias"][column]
            for column in range(R)
        ]
        weights = softmax(self.grn("selection.weigh", np.concatenate(embedded, axis=-1)))
        each = [weights[:, :, column, None] * self.column_grn(column, embedded[column]) for column in range(R)]
        return sum(each), weights

    def recurrent(self, x):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        W, U, b, c = (self.weights[f"recurrence.{name}_l0"] for name in names)
        hidden = state = np.zeros((len(x), D))
        states = []
        for bar in range(L):
            i, f, g, o = np.split(x[:, bar] @ W.T + b + hidden @ U.T + c, 4, axis=1)
            state = sigmoid(f) * state + sigmoid(i) * np.tanh(g)
            hidden = sigmoid(o) * np.tanh(state)
            states.append(hidden)
        return np.stack(states, axis=1)

    def attended(self, x):
        query, key = self.linear("attention.query", x[:, -1]), self.linear("attention.key", x)
        each, shares = D // HEADS, []
        for head in range(HEADS):
            own = slice(head * each, (head + 1) * each)
            shares.append(softmax(np.einsum("bd,bld->bl", query[:, own], key[:, :, own]) / np.sqrt(each)))
        value = np.einsum("bl,bld->bd", np.mean(shares, axis=0), self.linear("attention.value", x))
        return self.linear("attention.out", value)

    def outputs(self, x):
        selected, _ = self.selected(x)
        encoded = self.gated_skip("encoded", self.recurrent(selected), selected)
        enriched = self.grn("enriched", encoded)
        attended = self.gated_skip("attended", self.attended(enriched), enriched[:, -1])
        return self.linear("head", self.gated_skip("decoded", self.grn("feedforward", attended), encoded[:, -1]))


@pytest.fixture(name="network")
def _network():
    torch.manual_seed(0)
    module = TFTNetwork(TFTConfig(L, R, 3, width=D, heads=HEADS)).eval()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "norm" in name or name.endswith(("scale", "shift")):
                parameter.add_(0.2 * torch.randn_like(parameter))
    return module


def test_outputs_equal_the_equations_of_the_paper(network):
    x = np.random.default_rng(0).normal(size=(B, L, R)).astype(np.float32)
    with torch.no_grad():
        found = network(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, Oracle(network).outputs(x.astype(np.float64)), atol=1e-5)


def test_columns_have_weights_that_sum_to_one_at_each_bar(network):
    x = np.random.default_rng(0).normal(size=(B, L, R)).astype(np.float32)
    with torch.no_grad():
        _, weights = network.selection(torch.from_numpy(x).reshape(-1, R))
    np.testing.assert_allclose(
        weights.numpy(), Oracle(network).selected(x.astype(np.float64))[1].reshape(-1, R), atol=1e-5
    )
    np.testing.assert_allclose(weights.sum(dim=1), 1, atol=1e-6)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ModelError, match="3 heads; expected a divisor of 16"):
        TFTConfig(L, R, 3, heads=3)
    with pytest.raises(SettingsError, match=r"models\.tft\.heads: found 3; expected a divisor of 16"):
        TFTSettings(heads=3)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"heads": 0}, {"dropout": 1.0}])
def test_invalid_settings_are_refused(wrong):
    with pytest.raises(SettingsError, match=rf"models\.tft\.{next(iter(wrong))}"):
        TFTSettings(**wrong)
