"""MiniRocket against an implementation in numpy, kernel by kernel, and its exact thresholds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from quorate.core.errors import SettingsError
from quorate.core.settings import MiniRocketSettings, ModelSettings
from quorate.models import build
from quorate.models.networks.minirocket import MiniRocketConfig, MiniRocketTransform
from quorate.models.networks.minirocket.kernels import channels, dilations, kernel_weights, quantiles
from quorate.models.networks.minirocket.member import MiniRocketNetwork
from quorate.models.runtime import OnnxSession


def test_the_kernels_are_those_of_the_paper():
    weights = kernel_weights()
    assert weights.shape == (84, 9)
    assert len({tuple(row) for row in weights}) == 84
    assert (np.sort(weights, axis=1) == [-1] * 6 + [2] * 3).all()
    assert (weights.sum(axis=1) == 0).all()


@pytest.mark.parametrize(("window", "each"), [(48, 12), (9, 3), (120, 119), (24, 1), (48, 40)])
def test_dilations_reach_over_the_window_and_share_the_features(window, each):
    found, counts = dilations(window, each)
    assert found[0] == 1
    assert (np.diff(found) > 0).all()
    assert 8 * found[-1] < window
    assert counts.sum() == each
    assert (counts > 0).all()


def test_a_kernel_sums_one_to_nine_channels():
    chosen = channels(30, np.random.default_rng(0)).sum(axis=1)
    assert set(chosen) == set(range(1, 10))
    assert (channels(1, np.random.default_rng(0)) == 1).all()


def summed(steps, kernel, channel, dilation):
    """(L,) sums of one kernel at each bar of an (L, F) window, with zeros beyond its ends."""
    series = steps[:, channel > 0].sum(axis=1)
    padded = np.pad(series, 4 * dilation)
    return sum(weight * padded[tap * dilation : tap * dilation + len(series)] for tap, weight in enumerate(kernel))


def oracle(transform, window):
    """Features of one (L, F) window: every second kernel reads beyond its ends, the others only inside."""
    steps, found = np.round(np.clip(window, -100, 100) * 1024), []
    for place, dilation in enumerate(transform.dilations):
        weights, biases = (getattr(transform, f"{each}_{place}").double().numpy() for each in ("weights", "biases"))
        for group in (0, 1):
            for kernel in range((place + group) % 2, 84, 2):
                chosen = np.abs(weights[kernel]).sum(axis=1)
                sums = summed(steps, kernel_weights()[kernel], chosen, dilation)
                inside = sums if group == 0 else sums[4 * dilation : len(sums) - 4 * dilation]
                found += [(inside > bias).mean() for bias in biases[kernel, :, 0]]
    return found


@pytest.fixture(name="fitted")
def _fitted():
    torch.manual_seed(0)
    transform, windows = MiniRocketTransform(MiniRocketConfig(20, 4, each=5)), torch.randn(50, 20, 4)
    transform.fit(windows, np.random.default_rng(1))
    return transform, windows


def test_features_equal_the_equations_of_the_paper(fitted):
    transform, windows = fitted
    found = transform(windows[:3]).numpy()
    assert found.shape == (3, 420)
    np.testing.assert_allclose(found, [oracle(transform, window.double().numpy()) for window in windows[:3]], atol=1e-6)


def test_biases_are_quantiles_over_training_windows(fitted):
    transform, windows = fitted
    drawn, levels = np.random.default_rng(1), quantiles(420)
    for place, (dilation, count) in enumerate(zip(transform.dilations, transform.counts, strict=True)):
        own, levels = levels[: 84 * count].reshape(84, count), levels[84 * count :]
        for kernel, row in enumerate(drawn.integers(50, size=84)):
            steps = np.round(windows[row].double().numpy() * 1024)
            chosen = getattr(transform, f"weights_{place}")[kernel].abs().sum(dim=1).numpy()
            sums = summed(steps, kernel_weights()[kernel], chosen, dilation)
            found = getattr(transform, f"biases_{place}")[kernel, :, 0].numpy()
            np.testing.assert_array_equal(found, np.floor(np.quantile(sums, own[kernel])) + 0.5)


def test_no_machine_puts_a_sum_on_the_other_side_of_its_bias():
    """The largest sums are whole numbers below 2 ** 24 in any order; biases lie between whole numbers."""
    torch.manual_seed(0)
    transform = MiniRocketTransform(MiniRocketConfig(9, 30))
    x = torch.full((1, 9, 30), 1e9)
    x[:, 3:] *= -1
    steps = (x.transpose(1, 2).clamp(-100, 100) * 1024).round()
    assert (nn.functional.conv1d(steps.double(), transform.weights_0.abs().double(), padding=4).abs() < 2.0**24).all()


def test_the_graph_gives_the_same_features_on_many_windows():
    settings = MiniRocketSettings(window=12, features_each=3, epochs=1, share=0.5, newest_width=0)
    member = build("minirocket", "class", ModelSettings(minirocket=settings), seed=1, threads=1)
    X = np.random.default_rng(0).normal(size=(1_000, 12, 5)).astype(np.float32)
    member.fit(X, (np.arange(1_000) % 3).astype(np.int8))
    found = OnnxSession(member.to_onnx(), 5, "minirocket").run(X)
    np.testing.assert_allclose(found, member.output(X), atol=1e-6)  # a bar on another side is worth 1e-4 and more


def test_features_are_standardised_and_constant_ones_are_left_out():
    torch.manual_seed(0)
    network, windows = MiniRocketNetwork(MiniRocketConfig(20, 4, each=5), 3), torch.randn(600, 20, 4)
    windows[..., 3] = 0
    network.fit_transform(windows, np.random.default_rng(0))
    made = (network.transform(windows) - network.mean) * network.inverse
    spread = made.std(dim=0, correction=0) * 420**0.5
    constant = network.inverse == 0
    assert 0 < constant.sum() < 200
    np.testing.assert_allclose(spread[~constant], 1, atol=1e-3)
    np.testing.assert_allclose(made.mean(dim=0), 0, atol=1e-4)


def test_a_warm_start_keeps_the_transform():
    """The weights of the head mean something only with the features that they were trained on."""
    settings = MiniRocketSettings(window=9, features_each=1, epochs=1, warm_epochs=1)
    X, y = np.random.default_rng(0).normal(size=(200, 9, 3)).astype(np.float32), (np.arange(200) % 3).astype(np.int8)

    def fit(X, **options):
        model = build("minirocket", "class", ModelSettings(minirocket=settings), seed=1, threads=1)
        return model.fit(X, y, **options)._fitted.standardised.network, model

    earlier, started_at = fit(X)
    warm, _ = fit(np.exp(X), start=started_at)
    anew, _ = fit(np.exp(X))
    for name, tensor in earlier.named_buffers():
        assert torch.equal(dict(warm.named_buffers())[name], tensor)
    assert not torch.equal(warm.head.weight, earlier.head.weight)
    assert any(not torch.equal(dict(anew.named_buffers())[name], tensor) for name, tensor in earlier.named_buffers())


@pytest.mark.parametrize("wrong", [{"window": 8}, {"features_each": 0}])
def test_invalid_settings_are_refused(wrong):
    with pytest.raises(SettingsError, match=rf"models\.minirocket\.{next(iter(wrong))}"):
        replace(MiniRocketSettings(), **wrong)
