import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from quorate.core.errors import ModelError, SettingsError
from quorate.core.settings import DocumentedNHiTSSettings, ModelSettings, NHiTSSettings
from quorate.models.networks.interpolation import interpolation_matrix
from quorate.models.networks.nhits import NHiTS, NHiTSConfig, NHiTSNetwork
from quorate.models.runtime import OnnxSession, require_same

SMALL = NHiTSConfig(window=12, features=3, pools=(4, 2, 1), hidden=(16, 12, 8), ratios=(6, 3, 1))
FORECAST = replace(SMALL, horizon=6)


@pytest.fixture(autouse=True)
def one_thread():
    """These networks are too small for several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def module(config, seed=0):
    torch.manual_seed(seed)
    return NHiTSNetwork(config).eval()


def windows(config, rows=5, seed=1):
    return torch.from_numpy(
        np.random.default_rng(seed).normal(size=(rows, config.window, config.features)).astype(np.float32)
    )


def set_linear(layer, weight, bias=0.0):
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight, dtype=torch.float32))
        layer.bias.fill_(bias)


def test_a_tiny_network_calculated_by_hand():
    """One feature, four bars, two blocks with one hidden layer of identity weights, a forecast of two bars."""
    config = NHiTSConfig(
        window=4, features=1, horizon=2, pools=(2, 1), hidden=(2, 4), ratios=(2, 1), backcast_ratios=(2, 1), layers=1
    )
    network = module(config)
    first, second = network.blocks
    set_linear(first.layers[0], np.eye(2))
    set_linear(first.backcast.coefficients, np.eye(2))
    set_linear(first.forecast.coefficients, [[0.0, 1.0]])
    set_linear(second.layers[0], np.eye(4))
    set_linear(second.forecast.coefficients, [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    x = torch.tensor([1.0, 3.0, 8.0, 4.0]).reshape(1, 4, 1)

    # Pooled by two: 3, 8. Knots 3, 8 at the centre of each half: a backcast of 3, 3 + 5/4, 3 + 15/4, 8.
    # The residual, -2, -1.25, 1.25, -4, becomes 0, 0, 1.25, 0 in the second block's hidden layer (ReLU).
    backcasts, forecasts = network.decompose(x)
    assert backcasts[0].flatten().tolist() == [3.0, 4.25, 6.75, 8.0]
    naive, coarse, fine = (part.flatten().tolist() for part in forecasts)
    assert naive == [4.0, 4.0]
    assert coarse == [8.0, 8.0]
    assert fine == [0.0, 1.25]
    assert network(x).flatten().tolist() == [12.0, 13.25]


@pytest.mark.parametrize("config", [SMALL, FORECAST, replace(FORECAST, interpolation="cubic", blocks=2)])
def test_backcasts_and_the_last_residual_sum_to_the_window(config):
    network, x = module(config), windows(config)
    read = []
    for block in network.blocks:
        block.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].transpose(1, 2)))
    backcasts, forecasts = network.decompose(x)
    left = x
    assert len(read) == len(network.blocks) == len(backcasts) + 1
    for block_read, backcast in zip(read, [*backcasts, None], strict=True):
        torch.testing.assert_close(block_read, left)
        assert block_read.shape == x.shape  # at full length with any pooling
        left = left - (0 if backcast is None else backcast)
    torch.testing.assert_close(sum(backcasts) + read[-1], x)
    torch.testing.assert_close(sum(forecasts), network(x))


@pytest.mark.parametrize(("pool", "window"), [(4, 12), (5, 12), (12, 12)])
def test_blocks_read_the_max_pooled_residual(pool, window):
    config = NHiTSConfig(window=window, features=2, pools=(1, pool), hidden=(4, 4), ratios=(4, 4))
    network, x = module(config), windows(config)
    read = []
    for block in network.blocks:
        block.layers.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    (backcast,), _ = network.decompose(x)
    torch.testing.assert_close(read[0], x.transpose(1, 2).flatten(1))
    left = (x - backcast).detach().numpy()
    # The parts end at the newest bar; the oldest part may be shorter.
    edges = list(range(window, 0, -pool))[::-1]
    parts = [left[:, max(0, edge - pool) : edge].max(axis=1) for edge in edges]
    np.testing.assert_array_equal(read[1].detach().numpy(), np.stack(parts, axis=2).reshape(len(x), -1))


@pytest.mark.parametrize("kind", ["nearest", "linear", "cubic"])
def test_coefficients_are_interpolated_as_in_the_authors_code(kind):
    config = NHiTSConfig(window=24, features=2, horizon=12, pools=(1, 1), hidden=(8, 8), ratios=(5, 4),
                         interpolation=kind)  # fmt: skip
    network = module(config)
    for block in network.blocks:
        for part in (block.backcast, block.forecast):
            if part is None:
                continue
            assert part.knots == -(-part.length // {0: 5, 1: 4}[list(network.blocks).index(block)])
            hidden = torch.randn(3, 8)
            knots = part.coefficients(hidden).reshape(3, 2, part.knots)
            if kind == "cubic":
                expected = functional.interpolate(knots[:, :, None], size=(1, part.length), mode="bicubic")[:, :, 0]
            else:
                expected = functional.interpolate(knots, size=part.length, mode=kind)
            torch.testing.assert_close(part(hidden), expected)


def test_a_ratio_of_one_needs_no_interpolation():
    part = module(replace(FORECAST, backcast_ratios=(1, 1, 1))).blocks[0].backcast
    hidden = torch.randn(2, 16)
    torch.testing.assert_close(part(hidden).flatten(1), part.coefficients(hidden))


def test_the_naive_forecast_is_the_last_value_of_each_feature():
    x = windows(FORECAST)
    with torch.no_grad():
        for naive, expected in ((True, x[:, -1:].expand(-1, 6, -1)), (False, torch.zeros(5, 6, 3))):
            network = module(replace(FORECAST, naive=naive))
            for block in network.blocks:
                for parameter in block.forecast.parameters():
                    parameter.zero_()
            torch.testing.assert_close(network(x), expected)


@given(
    rows=st.integers(1, 3),
    window=st.integers(2, 40),
    features=st.integers(1, 4),
    horizon=st.none() | st.integers(1, 30),
    pools=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    ratio=st.integers(1, 12),
    kind=st.sampled_from(("nearest", "linear", "cubic")),
)
def test_output_shapes_of_any_configuration(rows, window, features, horizon, pools, ratio, kind):
    pools = tuple(min(pool, window) for pool in pools)
    config = NHiTSConfig(window, features, 3, horizon, pools, (5,) * len(pools), (ratio,) * len(pools),
                         interpolation=kind)  # fmt: skip
    found = module(config)(windows(config, rows))
    assert found.shape == ((rows, 3) if horizon is None else (rows, horizon, features))
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, outputs=1), FORECAST], ids=["class", "return", "forecast"])
def test_the_gradient_reaches_every_parameter(config):
    network = module(replace(config, blocks=2))
    network(windows(config, rows=64)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert (parameter.grad != 0).any(), name


def test_every_block_reads_every_feature():
    x = windows(SMALL, rows=1).requires_grad_()
    for block in module(SMALL).blocks:
        block.backcast = None
        (_, forecast) = block(x.transpose(1, 2))
        x.grad = None
        forecast.square().sum().backward()
        assert (x.grad.abs().amax(dim=1) > 0).all()


@pytest.mark.parametrize(
    ("config", "loss"),
    [(SMALL, nn.CrossEntropyLoss()), (replace(SMALL, outputs=1), nn.MSELoss()), (FORECAST, nn.MSELoss())],
    ids=["class", "return", "forecast"],
)
def test_a_few_windows_can_be_overfitted(config, loss):
    network, x = module(config).train(), windows(config, rows=6)
    target = torch.arange(6) % 3 if config is SMALL else torch.randn(network(x).shape)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        cost = loss(network(x), target)
        cost.backward()
        optimizer.step()
        losses.append(float(cost.detach()))
    assert losses[-1] < 0.03 * losses[0]


def test_the_number_of_parameters_calculated_by_hand():
    """One stack per line: the perceptron, then backcast and forecast."""
    by_hand = (
        (9 * 16 + 16) + (16 * 16 + 16) + (16 * 3 * 2 + 3 * 2) + (16 * 3 + 3)
        + (18 * 12 + 12) + (12 * 12 + 12) + (12 * 3 * 4 + 3 * 4) + (12 * 3 + 3)
        + (36 * 8 + 8) + (8 * 8 + 8) + (8 * 3 + 3)
    )  # fmt: skip
    assert sum(parameter.numel() for parameter in module(SMALL).parameters()) == by_hand


def test_interpolation_matrices_are_not_in_the_state_dict():
    network = module(SMALL)
    assert not [name for name in network.state_dict() if "matrix" in name]
    matrix = network.blocks[0].backcast.matrix
    np.testing.assert_array_equal(matrix, interpolation_matrix(2, 12, "linear").astype(np.float32))


def test_the_member_has_about_1_6_million_parameters_at_120_bars_of_14_features():
    found = {}
    for task, outputs in (("class", 3), ("return", 1)):
        member = NHiTS(task, ModelSettings(networks="documented"), seed=1)
        network = member._module(14)
        assert network(torch.zeros(1, member.window, 14)).shape == (1, outputs)
        found[task] = sum(parameter.numel() for parameter in network.parameters())
    assert found == {"class": 1_628_205, "return": 1_625_895}


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"pools": (4, 2)}, "2 pools, 3 of hidden, 3 ratios"),
        ({"pools": (), "hidden": (), "ratios": ()}, "0 pools"),
        ({"pools": (49, 2, 1)}, "models.nhits.pools: found 49; expected a value from 1 to 48"),
        ({"hidden": (8, 8, 0)}, "models.nhits.hidden: found 0"),
        ({"ratios": (8, 8, 0)}, "models.nhits.ratios: found 0"),
        ({"layers": 0}, "models.nhits.layers: found 0"),
        ({"dropout": 1.0}, "models.nhits.dropout: found 1.0"),
    ],
)
def test_invalid_settings_are_refused(wrong, found):
    with pytest.raises(SettingsError, match=re.escape(found)):
        NHiTSSettings(**wrong)


@pytest.mark.parametrize(
    ("wrong", "found"),
    [({"ratios": (1, 1)}, "3 pools, 3 widths, 2 ratios"), ({"pools": (13, 2, 1)}, "a pooling of 13")],
)
def test_an_invalid_shape_is_refused(wrong, found):
    with pytest.raises(ModelError, match=found):
        replace(SMALL, **wrong)


@pytest.mark.parametrize("window", [16, 18])
def test_the_graph_equals_the_model_also_with_padded_pooling(window):
    own = DocumentedNHiTSSettings(
        window=window, pools=(5, 3, 1), hidden=(8, 8, 8), ratios=(4, 3, 1), interpolation="cubic", epochs=1
    )
    settings = ModelSettings(nhits=own)
    X = np.random.default_rng(5).normal(size=(70, window, 4)).astype(np.float32)
    member = NHiTS("class", settings, seed=1, threads=1)
    assert member.parameters is None
    member.fit(X, (np.arange(70) % 3).astype(np.int8))
    assert member.parameters == sum(parameter.numel() for parameter in member._module(4).parameters())
    require_same(member.output(X), OnnxSession(member.to_onnx(), 4, "nhits").run(X), "nhits")
