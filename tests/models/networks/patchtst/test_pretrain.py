"""Masked pre-training: what is hidden, what the loss reads, and what it is good for."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from quorate.core.errors import ModelError
from quorate.core.settings import NetworkSettings
from quorate.models.networks.patchtst.encoder import EncoderConfig
from quorate.models.networks.patchtst.network import PatchTSTConfig, PatchTSTNetwork
from quorate.models.networks.patchtst.pretrain import MaskedPatches, Unlabelled, hide, probing, reconstruction_loss
from quorate.models.networks.training.examples import WindowExamples
from quorate.models.networks.training.fit import fit
from quorate.models.networks.training.losses import cross_entropy

CONFIG = PatchTSTConfig(2, 40, 3, patch=4, stride=4, encoder=EncoderConfig(16, 4, 1, 32))


def masked(config=CONFIG, share=0.4, seed=0):
    torch.manual_seed(seed)
    return MaskedPatches(PatchTSTNetwork(config), share)


@pytest.mark.parametrize(
    ("share", "hidden"), [(0.4, 4), (0.04, 1), (0.99, 9), (0.44, 4), (0.46, 5)]
)  # of 10 patches; one is always hidden, and one always shown
def test_the_share_that_is_hidden(share, hidden):
    made = masked(share=share)
    assert made.hidden == hidden
    assert made(torch.randn(3, 40, 2)).shape == (3, 2, hidden)


def test_each_patch_is_as_likely_to_be_hidden_and_each_row_hides_its_own():
    torch.manual_seed(1)
    hidden = hide(20_000, 10, 4)
    assert (hidden.sum(dim=1) == 4).all()
    torch.testing.assert_close(hidden.float().mean(dim=0), torch.full((10,), 0.4), atol=0.015, rtol=0)
    pairs = torch.corrcoef(hidden.float().T) - torch.eye(10)
    torch.testing.assert_close(pairs, -(1 - torch.eye(10)) / 9, atol=0.03, rtol=0)  # without replacement


def test_the_errors_are_those_of_the_hidden_patches_and_of_no_others(monkeypatch):
    """By hand: hide chosen patches, zero them, reconstruct, compare."""
    made, x = masked().eval(), torch.randn(3, 40, 2)
    hidden = torch.zeros(6, 10, dtype=torch.bool)
    hidden[:, [1, 2, 5, 9]] = True
    monkeypatch.setattr("quorate.models.networks.patchtst.pretrain.hide", lambda *_: hidden)
    found = made(x)
    mean, scale = x.mean(dim=1, keepdim=True), (x.var(dim=1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    patches = ((x - mean) / scale).transpose(1, 2).reshape(3, 2, 10, 4)
    shown = patches.clone()
    shown[:, :, [1, 2, 5, 9]] = 0
    tokens = made.backbone.encode(made.backbone.embedding.embed(shown.reshape(6, 10, 4)))
    told = made.reconstruct(tokens).reshape(3, 2, 10, 4)
    expected = (told - patches).square().mean(dim=-1)[:, :, [1, 2, 5, 9]]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    loss = reconstruction_loss(found, x, None)
    torch.testing.assert_close(loss, expected.mean(), rtol=1e-4, atol=1e-5)


def test_what_is_hidden_does_not_show_through(monkeypatch):
    """Bars of a hidden patch change only what is to be told, as long as mean and scale stay: their order does not."""
    hidden = torch.zeros(2, 10, dtype=torch.bool)
    hidden[:, 3] = True
    monkeypatch.setattr("quorate.models.networks.patchtst.pretrain.hide", lambda *_: hidden)
    made = masked(share=0.1).eval()
    x = torch.randn(1, 40, 2)
    other = x.clone()
    other[:, 12:16] = x[:, 12:16].flip(1)
    seen = []
    made.reconstruct.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    errors = made(x), made(other)
    torch.testing.assert_close(seen[0], seen[1], rtol=1e-4, atol=1e-5)
    assert (errors[0] - errors[1]).abs().max() > 1e-3


def test_weights_of_rows():
    errors = torch.tensor([[[1.0, 3.0]], [[5.0, 7.0]]])
    assert reconstruction_loss(errors, errors, None).item() == 4
    assert reconstruction_loss(errors, errors, torch.tensor([1.0, 0.5])).item() == (2 + 3) / 2


@pytest.mark.parametrize("change", [{"stride": 2}, {"end_padding": True}, {"patch": 40, "stride": 40}])
def test_patches_that_would_show_through_are_refused(change):
    with pytest.raises(ModelError, match="pre-train patchtst"):
        masked(replace(CONFIG, **change))


def test_a_share_of_everything_is_refused():
    with pytest.raises(ModelError, match="a share of 1 to hide"):
        masked(share=1.0)


def waves(rows, seed):
    """Sines of any phase and one period: a hidden patch follows from the others."""
    random = np.random.default_rng(seed)
    time, phase = np.arange(40), random.uniform(0, 2 * np.pi, (rows, 1, 2))
    X = np.sin(2 * np.pi * time[None, :, None] / 20 + phase).astype(np.float32)
    fourth = (phase[:, 0, 0] // (np.pi / 2)).astype(np.int64)
    return WindowExamples(X, torch.from_numpy(np.minimum(fourth, 2)), None)


def test_it_learns_to_tell_what_was_hidden_and_the_head_alone_learns_from_it():
    """Without one label the network learns sines; probed, its frozen tokens beat those of a network never trained."""
    examples, later = waves(512, 1), waves(256, 2)
    settings = NetworkSettings(epochs=20, batch=64, learning_rate=1e-2, bf16=False, window=40)
    made = masked()
    network = PatchTSTNetwork(CONFIG)
    network.backbone, network.revin = made.backbone, made.revin
    head = [tensor.clone() for tensor in network.head.parameters()]
    history = fit(
        made, Unlabelled(examples), Unlabelled(later), reconstruction_loss, settings, name="masked", seed=1, threads=1
    )
    assert history.later[history.best] < 0.05  # of the variance, which is 1
    assert all(torch.equal(one, other) for one, other in zip(head, network.head.parameters(), strict=True))

    def probed(network):
        backbone = {key: tensor.clone() for key, tensor in network.backbone.state_dict().items()}
        with probing(network):
            once = replace(settings, epochs=2)
            found = fit(network, examples, later, cross_entropy, once, name="probed", seed=1, threads=1)
        assert all(torch.equal(backbone[key], tensor) for key, tensor in network.backbone.state_dict().items())
        assert all(parameter.requires_grad for parameter in network.parameters())
        return found.later[found.best]

    torch.manual_seed(5)
    assert probed(network) < probed(PatchTSTNetwork(CONFIG))
