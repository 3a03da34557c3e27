"""DLinear against an implementation in numpy, and its moving average against a plain one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from quorate.core.errors import SettingsError
from quorate.core.settings import DLinearSettings
from quorate.models.networks.dlinear import DLinearConfig, DLinearNetwork, moving_average


def averaged(series, kernel):
    """Each bar's mean over the bars around it, the outer ones repeated."""
    padded = np.concatenate([[series[0]] * (kernel // 2), series, [series[-1]] * kernel])
    return np.array([padded[bar : bar + kernel].mean() for bar in range(len(series))])


@pytest.mark.parametrize(("window", "kernel"), [(12, 5), (12, 4), (3, 25), (7, 1)])
def test_the_trend_is_a_moving_average(window, kernel):
    series = np.random.default_rng(0).normal(size=window)
    np.testing.assert_allclose(series @ moving_average(window, kernel), averaged(series, kernel), atol=1e-12)


def oracle(module, x):
    """(B, length, F), column by column."""
    weights = {name: tensor.detach().double().numpy() for name, tensor in module.named_parameters()}
    made = []
    for column in range(x.shape[2]):
        own = {name: value[column] if module.config.individual and name[:4] != "head" else value
               for name, value in weights.items()}  # fmt: skip
        rows = x[:, :, column].astype(np.float64)
        trend = np.stack([averaged(row, module.config.kernel) for row in rows])
        made.append(
            trend @ own["trend.weight"] + own["trend.bias"]
            + (rows - trend) @ own["seasonal.weight"] + own["seasonal.bias"]
        )  # fmt: skip
    return np.stack(made, axis=2), weights


@pytest.mark.parametrize("individual", [False, True])
@pytest.mark.parametrize("horizon", [None, 4])
def test_outputs_equal_the_equations_of_the_paper(horizon, individual):
    torch.manual_seed(0)
    module = DLinearNetwork(DLinearConfig(9, 5, horizon=horizon, width=6, kernel=5, individual=individual))
    x = np.random.default_rng(0).normal(size=(7, 9, 5)).astype(np.float32)
    with torch.no_grad():
        found = module(torch.from_numpy(x)).numpy()
    expected, weights = oracle(module, x)
    if horizon is None:
        columns_first = expected.transpose(0, 2, 1).reshape(7, -1)
        expected = columns_first @ weights["head.weight"].T + weights["head.bias"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"kernel": 0}, {"width": 0}, {"window": 1}])
def test_invalid_settings_are_refused(wrong):
    with pytest.raises(SettingsError, match=rf"models\.dlinear\.{next(iter(wrong))}"):
        replace(DLinearSettings(), **wrong)
