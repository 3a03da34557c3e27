"""The whole network: shapes, channels that do not meet, state that does not stay, precision, and learning by heart."""

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


def test_the_members_size():
    """0.65 million; the matrices of the encoder by hand, once for all 14 channels."""
    member = network(PatchTSTConfig(14, 120, 3))
    layer = (128 * 384 + 384) + (128 * 128 + 128) + (128 * 512 + 512) + (512 * 128 + 128) + 4 * 128
    assert parameters(member.backbone.encoder) == 3 * layer + 2 * 128
    assert parameters(member.head) == 3 * (14 * 10 * 128 + 2 * 14) + 3
    assert parameters(member) == 651_863


def test_weights_are_shared_by_all_channels():
    seven, fourteen = (network(replace(FORECAST, features=features)) for features in (7, 14))
    assert parameters(seven) == parameters(fourteen)


def test_the_papers_sizes():
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
def test_every_choice_gives_its_shape_and_learns_with_all_its_weights(norm, pre_norm, change, head):
    config = replace(FORECAST, head=head, encoder=replace(TINY, norm=norm, pre_norm=pre_norm), **change)
    made = network(config)
    x = torch.randn(4, 24, 3)
    out = made(x)
    assert out.shape == ((4, 5, 3) if head == "forecast" else (4, 5))
    (out * torch.randn_like(out)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in made.parameters())


@pytest.mark.parametrize("head", ["forecast", "scores"])
@pytest.mark.parametrize("batch", [1, 2, 24])
def test_a_window_is_answered_alike_alone_and_in_any_batch(head, batch):
    """24 windows of 24 bars too: batch and time as long as each other."""
    made, x = network(replace(FORECAST, head=head)).eval(), torch.randn(batch, 24, 3)
    whole = made(x)
    for row in range(batch):
        torch.testing.assert_close(made(x[row : row + 1])[0], whole[row], rtol=1e-5, atol=1e-5)


def test_what_one_channel_did_changes_no_other_channels_forecast():
    made, x = network(FORECAST).eval(), torch.randn(4, 24, 3)
    other = x.clone()
    other[:, :, 1] = 100 * torch.randn(4, 24)
    before, after = made(x), made(other)
    torch.testing.assert_close(after[..., [0, 2]], before[..., [0, 2]], rtol=1e-5, atol=1e-5)
    assert (after[..., 1] - before[..., 1]).abs().min() > 1e-3
    # All of them by the same weights: channels that trade places, forecasts that do.
    torch.testing.assert_close(made(x[..., [2, 0, 1]]), before[..., [2, 0, 1]], rtol=1e-5, atol=1e-5)


def test_a_forecast_moves_with_its_window():
    """RevIN: another level and unit of the window is another level and unit of the forecast."""
    made, x = network(FORECAST).eval(), torch.randn(4, 24, 3)
    torch.testing.assert_close(made(7 + 20 * x), 7 + 20 * made(x), rtol=1e-3, atol=1e-2)


def test_scores_see_the_mean_and_the_scale_that_revin_took_away():
    made, x = network(SCORES).eval(), torch.randn(4, 24, 3)
    for other in (x + 1, 3 * x):
        assert (made(other) - made(x)).abs().min() > 1e-5
    with torch.no_grad():
        made.head.project.weight[:, -6:] = 0
    torch.testing.assert_close(made(3 * x + 1), made(x), rtol=1e-4, atol=1e-5)


def test_scores_start_near_nothing_so_that_a_member_starts_near_the_prior():
    with torch.no_grad():
        said = network(PatchTSTConfig(14, 120, 3))(torch.randn(64, 120, 14))
    assert 0 < said.std() < 0.02
    assert said.abs().max() < 1


def test_the_newest_bar_is_never_left_over():
    """25 bars in patches of 6: the oldest one goes."""
    made, x = network(replace(FORECAST, window=25)).eval(), torch.randn(1, 25, 3)
    x.requires_grad_()
    normalised = x - x.mean(dim=1, keepdim=True).detach()
    made.backbone(normalised.transpose(1, 2)).square().sum().backward()
    assert (x.grad[0, 1:] != 0).all()
    assert not x.grad[0, 0].any()


def test_calls_do_not_influence_one_another():
    made, windows = network(FORECAST).eval(), [10.0**power * torch.randn(3, 24, 3) for power in range(-2, 4)] * 8
    alone = [made(x) for x in windows]
    attributes = set(vars(made.revin))
    with ThreadPoolExecutor(4) as pool, torch.no_grad():
        for found, expected in zip(pool.map(made, windows), alone, strict=True):
            torch.testing.assert_close(found, expected)
    assert set(vars(made.revin)) == attributes
    assert not any("mean" in name or "scale" in name for name in made.state_dict())


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_parts_of_a_batch_say_what_the_whole_does(monkeypatch, norm):
    made = network(replace(SCORES, encoder=replace(TINY, norm=norm))).eval()
    x = torch.randn(50, 24, 3)
    whole = made(x)
    monkeypatch.setattr("quorate.models.networks.patchtst.network._TOKENS", 3 * 4 * 7)
    torch.testing.assert_close(made(x), whole, rtol=1e-5, atol=1e-5)


def test_parts_of_a_training_batch_add_up_to_the_whole(monkeypatch):
    config = replace(SCORES, encoder=replace(TINY, dropout=0.0))
    x, target = torch.randn(50, 24, 3), torch.randint(0, 3, (50,))
    gradients = []
    for tokens in (10**9, 3 * 4 * 7):
        monkeypatch.setattr("quorate.models.networks.patchtst.network._TOKENS", tokens)
        made = network(config)
        nn.functional.cross_entropy(made(x), target).backward()
        gradients.append([parameter.grad for parameter in made.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_batch_norm_sees_the_whole_batch(monkeypatch):
    monkeypatch.setattr("quorate.models.networks.patchtst.network._TOKENS", 1)
    made = network(replace(SCORES, encoder=replace(TINY, norm="batch")))
    made(torch.randn(20, 24, 3))
    assert made.backbone.encoder.layers[0].norms[0].num_batches_tracked == 1


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_bfloat16_says_nearly_the_same(norm):
    made, x = network(replace(SCORES, encoder=replace(TINY, norm=norm))), torch.randn(64, 24, 3)
    exact = made(x)
    with torch.autocast("cpu", torch.bfloat16):
        near = made(x)
        tokens = made.backbone(x.transpose(1, 2))
    assert tokens.dtype == torch.bfloat16  # nothing on the way lifts it to float32 again
    torch.testing.assert_close(near.float(), exact, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("pre_norm", [True, False])
def test_it_learns_a_few_windows_by_heart(pre_norm):
    made = network(replace(SCORES, encoder=replace(TINY, pre_norm=pre_norm)))
    x, target = torch.randn(24, 24, 3), torch.arange(24) % 3
    optimizer = torch.optim.Adam(made.parameters(), lr=3e-3)
    for _ in range(120):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(made(x), target)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    assert made.eval()(x).argmax(dim=1).tolist() == target.tolist()


def test_frozen_only_the_head_learns():
    made = network(replace(SCORES, affine=True, encoder=replace(TINY, norm="batch")))
    made.freeze()
    before = {key: tensor.clone() for key, tensor in made.state_dict().items()}
    optimizer = torch.optim.SGD(made.parameters(), lr=1.0)
    made.train()
    made(torch.randn(8, 24, 3)).square().sum().backward()
    optimizer.step()
    changed = {key for key, tensor in made.state_dict().items() if not torch.equal(tensor, before[key])}
    assert changed == {"head.project.weight", "head.project.bias"}  # nor do the batch statistics
    made.freeze(False)
    assert all(parameter.requires_grad for parameter in made.parameters())
    assert made.backbone.training


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
def test_sizes_that_do_not_fit_are_refused(change, found):
    with pytest.raises(ModelError, match=found):
        replace(FORECAST, **change)
