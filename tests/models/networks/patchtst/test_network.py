"""The whole network: shapes, channel independence, statelessness, precision and convergence."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import nn

from quorate.core.errors import ModelError
from quorate.models.networks.patchtst.encoder import EncoderConfig
from quorate.models.networks.patchtst.network import PAPER, SMALL, PatchTSTConfig, PatchTSTNetwork

TINY = EncoderConfig(width=16, heads=4, layers=2, feedforward=32)
FORECAST = PatchTSTConfig(3, 24, 5, "forecast", 6, 6, encoder=TINY)
SCORES = replace(FORECAST, outputs=3, head="scores")


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def network(config, seed=0):
    torch.manual_seed(seed)
    return PatchTSTNetwork(config)


def test_the_number_of_parameters_calculated_by_hand():
    """0.65 million; the encoder is shared by all 14 channels."""
    member = network(PatchTSTConfig(14, 120, 3))
    layer = (128 * 384 + 384) + (128 * 128 + 128) + (128 * 512 + 512) + (512 * 128 + 128) + 4 * 128
    assert parameters(member.backbone.encoder) == 3 * layer + 2 * 128
    assert parameters(member.head) == 3 * (14 * 10 * 128 + 2 * 14) + 3
    assert parameters(member) == 651_863


def test_weights_are_shared_by_all_channels():
    seven, fourteen = (network(replace(FORECAST, features=features)) for features in (7, 14))
    assert parameters(seven) == parameters(fourteen)


def test_the_published_sizes():
    small = PatchTSTConfig(7, 336, 96, "forecast", 16, 8, end_padding=True, encoder=SMALL)
    assert small.patches == 42
    assert parameters(network(small)) == 81_728
    paper = replace(small, encoder=PAPER)
    assert (PAPER.width, PAPER.heads, PAPER.layers, PAPER.feedforward, PAPER.dropout) == (128, 16, 3, 256, 0.2)
    assert network(paper)(torch.randn(2, 336, 7)).shape == (2, 96, 7)


@pytest.mark.parametrize("norm", ["layer", "batch"])
@pytest.mark.parametrize("pre_norm", [True, False])
@pytest.mark.parametrize("change", [
    {},
    {"stride": 3},
    {"end_padding": True},
    {"stride": 3, "embedding": "convolution"},
    {"positions": "sinusoidal", "affine": True},
    {"patch": 5, "stride": 4},
])  # fmt: skip
@pytest.mark.parametrize("head", ["forecast", "scores"])
def test_every_variant_has_its_output_shape_and_gradients_of_all_weights(norm, pre_norm, change, head):
    config = replace(FORECAST, head=head, encoder=replace(TINY, norm=norm, pre_norm=pre_norm), **change)
    net = network(config)
    x = torch.randn(4, 24, 3)
    out = net(x)
    assert out.shape == ((4, 5, 3) if head == "forecast" else (4, 5))
    (out * torch.randn_like(out)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in net.parameters())


@pytest.mark.parametrize("head", ["forecast", "scores"])
@pytest.mark.parametrize("batch", [1, 2, 24])
def test_outputs_do_not_depend_on_the_batch(head, batch):
    """Also with 24 windows of 24 bars, where batch and time have equal lengths."""
    net, x = network(replace(FORECAST, head=head)).eval(), torch.randn(batch, 24, 3)
    whole = net(x)
    for row in range(batch):
        torch.testing.assert_close(net(x[row : row + 1])[0], whole[row], rtol=1e-5, atol=1e-5)


def test_channels_are_independent_and_share_the_weights():
    net, x = network(FORECAST).eval(), torch.randn(4, 24, 3)
    other = x.clone()
    other[:, :, 1] = 100 * torch.randn(4, 24)
    before, after = net(x), net(other)
    torch.testing.assert_close(after[..., [0, 2]], before[..., [0, 2]], rtol=1e-5, atol=1e-5)
    assert (after[..., 1] - before[..., 1]).abs().min() > 1e-3
    # Shared weights: a permutation of the channels permutes the forecasts.
    torch.testing.assert_close(net(x[..., [2, 0, 1]]), before[..., [2, 0, 1]], rtol=1e-5, atol=1e-5)


def test_forecasts_scale_with_the_window():
    """RevIN: the forecast of an affine transform of the window is the same transform of the forecast."""
    net, x = network(FORECAST).eval(), torch.randn(4, 24, 3)
    torch.testing.assert_close(net(7 + 20 * x), 7 + 20 * net(x), rtol=1e-3, atol=1e-2)


def test_scores_depend_on_the_mean_and_scale_of_the_window():
    net, x = network(SCORES).eval(), torch.randn(4, 24, 3)
    for other in (x + 1, 3 * x):
        assert (net(other) - net(x)).abs().min() > 1e-5
    with torch.no_grad():
        net.head.project.weight[:, -6:] = 0
    torch.testing.assert_close(net(3 * x + 1), net(x), rtol=1e-4, atol=1e-5)


def test_initial_scores_are_close_to_zero():
    with torch.no_grad():
        scores = network(PatchTSTConfig(14, 120, 3))(torch.randn(64, 120, 14))
    assert 0 < scores.std() < 0.02
    assert scores.abs().max() < 1


def test_bars_that_fill_no_patch_are_cut_at_the_oldest_end():
    """25 bars in patches of 6: the oldest one is cut."""
    net, x = network(replace(FORECAST, window=25)).eval(), torch.randn(1, 25, 3)
    x.requires_grad_()
    normalised = x - x.mean(dim=1, keepdim=True).detach()
    net.backbone(normalised.transpose(1, 2)).square().sum().backward()
    assert (x.grad[0, 1:] != 0).all()
    assert not x.grad[0, 0].any()


def test_calls_from_several_threads_are_independent():
    net, windows = network(FORECAST).eval(), [10.0**power * torch.randn(3, 24, 3) for power in range(-2, 4)] * 8
    alone = [net(x) for x in windows]
    attributes = set(vars(net.revin))
    with ThreadPoolExecutor(4) as pool, torch.no_grad():
        for found, expected in zip(pool.map(net, windows), alone, strict=True):
            torch.testing.assert_close(found, expected)
    assert set(vars(net.revin)) == attributes
    assert not any("mean" in name or "scale" in name for name in net.state_dict())


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_a_batch_in_parts_has_the_same_outputs(monkeypatch, norm):
    net = network(replace(SCORES, encoder=replace(TINY, norm=norm))).eval()
    x = torch.randn(50, 24, 3)
    whole = net(x)
    monkeypatch.setattr("quorate.models.networks.patchtst.network._TOKENS", 3 * 4 * 7)
    torch.testing.assert_close(net(x), whole, rtol=1e-5, atol=1e-5)


def test_a_training_batch_in_parts_has_the_same_gradients(monkeypatch):
    config = replace(SCORES, encoder=replace(TINY, dropout=0.0))
    x, target = torch.randn(50, 24, 3), torch.randint(0, 3, (50,))
    gradients = []
    for tokens in (10**9, 3 * 4 * 7):
        monkeypatch.setattr("quorate.models.networks.patchtst.network._TOKENS", tokens)
        net = network(config)
        nn.functional.cross_entropy(net(x), target).backward()
        gradients.append([parameter.grad for parameter in net.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_training_batch_with_batch_norm_is_not_split(monkeypatch):
    monkeypatch.setattr("quorate.models.networks.patchtst.network._TOKENS", 1)
    net = network(replace(SCORES, encoder=replace(TINY, norm="batch")))
    net(torch.randn(20, 24, 3))
    assert net.backbone.encoder.layers[0].norms[0].num_batches_tracked == 1


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_bfloat16_outputs_are_close_to_float32(norm):
    net, x = network(replace(SCORES, encoder=replace(TINY, norm=norm))), torch.randn(64, 24, 3)
    exact = net(x)
    with torch.autocast("cpu", torch.bfloat16):
        near = net(x)
        tokens = net.backbone(x.transpose(1, 2))
    assert tokens.dtype == torch.bfloat16  # no float32 on the way
    torch.testing.assert_close(near.float(), exact, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("pre_norm", [True, False])
def test_a_few_windows_can_be_overfitted(pre_norm):
    net = network(replace(SCORES, encoder=replace(TINY, pre_norm=pre_norm)))
    x, target = torch.randn(24, 24, 3), torch.arange(24) % 3
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(120):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), target)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    assert net.eval()(x).argmax(dim=1).tolist() == target.tolist()


def test_a_frozen_network_trains_the_head_only():
    net = network(replace(SCORES, affine=True, encoder=replace(TINY, norm="batch")))
    net.freeze()
    before = {key: tensor.clone() for key, tensor in net.state_dict().items()}
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    net.train()
    net(torch.randn(8, 24, 3)).square().sum().backward()
    optimizer.step()
    changed = {key for key, tensor in net.state_dict().items() if not torch.equal(tensor, before[key])}
    assert changed == {"head.project.weight", "head.project.bias"}  # and no batch statistics
    net.freeze(False)
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert net.backbone.training


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"patch": 25}, "patches of 25 bars"),
        ({"patch": 0}, "patches of 0 bars"),
        ({"stride": 7}, "a stride of 7 bars"),
        ({"stride": 0}, "a stride of 0 bars"),
        ({"encoder": replace(TINY, heads=3)}, "3 heads"),
    ],
)
def test_invalid_sizes_are_refused(change, found):
    with pytest.raises(ModelError, match=found):
        replace(FORECAST, **change)
