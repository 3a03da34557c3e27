"""InceptionTime against an implementation in numpy."""

import numpy as np
import pytest
import torch

from quorate.core.errors import SettingsError
from quorate.core.settings import InceptionSettings
from quorate.models.networks.inception import InceptionConfig, InceptionNetwork


def convolved(series, kernels):
    """(B, inputs, L) by (filters, inputs, K), the window continued by zeros."""
    size = kernels.shape[2]
    padded = np.pad(series, ((0, 0), (0, 0), (size // 2, size // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=2)  # (B, inputs, L, K)
    return np.einsum("bilk,oik->bol", windows, kernels)


def normalised(series, weights, name):
    mean, variance, scale, shift = (
        weights[f"{name}.{each}"][:, None] for each in ("running_mean", "running_var", "weight", "bias")
    )
    return (series - mean) / np.sqrt(variance + 1e-5) * scale + shift


def oracle(module, x):
    weights = {name: tensor.double().numpy() for name, tensor in module.state_dict().items()}
    series = kept = x.astype(np.float64).transpose(0, 2, 1)
    for number in range(len(module.stages)):
        own = f"stages.{number}"
        narrow = series
        if f"{own}.bottleneck.weight" in weights:
            narrow = convolved(series, weights[f"{own}.bottleneck.weight"])
        made = [convolved(narrow, weights[f"{own}.convolutions.{place}.weight"]) for place in range(2)]
        edged = np.pad(series, ((0, 0), (0, 0), (1, 1)), constant_values=-np.inf)
        pooled = np.lib.stride_tricks.sliding_window_view(edged, 3, axis=2).max(axis=3)
        made.append(convolved(pooled, weights[f"{own}.pooled.weight"]))
        series = np.maximum(normalised(np.concatenate(made, axis=1), weights, f"{own}.norm"), 0)
        if number % 3 == 2:
            added = f"shortcuts.{number // 3}"
            shortcut = normalised(convolved(kept, weights[f"{added}.0.weight"]), weights, f"{added}.1")
            series = kept = np.maximum(series + shortcut, 0)
    return series.mean(axis=2) @ weights["head.weight"].T + weights["head.bias"]


@pytest.mark.parametrize(("features", "modules"), [(4, 1), (4, 3), (1, 5), (4, 6)])
def test_outputs_equal_the_equations_of_the_paper(features, modules):
    torch.manual_seed(0)
    module = InceptionNetwork(InceptionConfig(features, 3, filters=2, kernels=(3, 7), modules=modules))
    with torch.no_grad():
        module(torch.randn(50, 12, features) + 1)  # statistics of the batch normalisation other than those of the start
    x = np.random.default_rng(0).normal(size=(5, 12, features)).astype(np.float32)
    with torch.no_grad():
        found = module.eval()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, oracle(module, x), atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "name"), [({"filters": 0}, "filters"), ({"modules": 0}, "modules"), ({"kernels": (4,)}, "kernels"),
                        ({"kernels": ()}, "kernels"), ({"kernels": (0, 3)}, "kernels")],
)  # fmt: skip
def test_invalid_settings_are_refused(wrong, name):
    with pytest.raises(SettingsError, match=rf"models\.inception\.{name}"):
        InceptionSettings(**wrong)
