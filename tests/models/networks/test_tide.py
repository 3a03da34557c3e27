"""TiDE against an implementation in numpy."""

import numpy as np
import pytest
import torch

from quorate.core.errors import SettingsError
from quorate.core.settings import TiDESettings
from quorate.models.networks.tide import TiDEConfig, TiDEForecast, TiDEForecastConfig, TiDENetwork


def weights_of(module):
    return {name: tensor.detach().double().numpy() for name, tensor in module.named_parameters()}


def linear(weights, name, x):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def block(weights, name, x):
    hidden = np.maximum(linear(weights, f"{name}.hidden", x), 0)
    made = linear(weights, f"{name}.out", hidden) + linear(weights, f"{name}.skip", x)
    if f"{name}.norm.weight" not in weights:
        return made
    centred = made - made.mean(axis=-1, keepdims=True)
    normalised = centred / np.sqrt(made.var(axis=-1, keepdims=True) + 1e-5)
    return normalised * weights[f"{name}.norm.weight"] + weights[f"{name}.norm.bias"]


@pytest.mark.parametrize(("encoders", "decoders"), [(1, 1), (2, 1)])
def test_outputs_equal_the_equations_of_the_paper(encoders, decoders):
    torch.manual_seed(0)
    config = TiDEConfig(9, 5, 3, projected=2, width=6, encoders=encoders, decoders=decoders)
    module, x = TiDENetwork(config).eval(), np.random.default_rng(0).normal(size=(7, 9, 5)).astype(np.float32)
    with torch.no_grad():
        found = module(torch.from_numpy(x)).numpy()
    weights = weights_of(module)
    encoded = block(weights, "projection", x.astype(np.float64)).reshape(7, -1)
    for number in range(encoders + decoders):
        encoded = block(weights, f"dense.{number}", encoded)
    expected = linear(weights, "head", encoded) + linear(weights, "linear", x.reshape(7, -1).astype(np.float64))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_forecast_equals_the_equations_of_the_paper():
    """Of each feature by itself: normalised over its window, decoded bar by bar, scaled back."""
    torch.manual_seed(0)
    module = TiDEForecast(TiDEForecastConfig(9, 2, 4, width=6, encoders=1, decoders=1, decoded=3, temporal=5)).eval()
    with torch.no_grad():
        for parameter in module.revin.parameters():
            parameter.add_(torch.tensor([0.2, -0.1]))
        x = np.random.default_rng(0).normal(3, 2, size=(7, 9, 2)).astype(np.float32)
        found = module(torch.from_numpy(x)).numpy()
    weights = weights_of(module)
    for feature in range(2):
        series = x[:, :, feature].astype(np.float64)
        mean, scale = series.mean(axis=1, keepdims=True), np.sqrt(series.var(axis=1, keepdims=True) + 1e-5)
        weight, bias = weights["revin.weight"][feature], weights["revin.bias"][feature]
        rows = (series - mean) / scale * weight + bias
        decoded = block(weights, "dense.1", block(weights, "dense.0", rows)).reshape(7, 4, 3)
        forecast = block(weights, "temporal", decoded)[..., 0] + linear(weights, "linear", rows)
        expected = (forecast - bias) / weight * scale + mean
        np.testing.assert_allclose(found[:, :, feature], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("wrong", [{"projected": 0}, {"width": 0}, {"encoders": 0}, {"decoders": 65}, {"dropout": 1}])
def test_invalid_settings_are_refused(wrong):
    with pytest.raises(SettingsError, match=rf"models\.tide\.{next(iter(wrong))}"):
        TiDESettings(**wrong)
