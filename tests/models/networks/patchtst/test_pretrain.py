"""Masked pre-training: the mask, the loss, and the effect on linear probing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from quorate.core.errors import ModelError
from quorate.core.settings import NetworkSettings
from quorate.models.networks.patchtst.encoder import EncoderConfig
from quorate.models.networks.patchtst.network import PatchTSTConfig, PatchTSTNetwork
from quorate.models.networks.patchtst.pretrain import (
    MaskedPatches,
    Unlabelled,
    probing,
    random_mask,
    reconstruction_loss,
)
from quorate.models.networks.training import TrainingOptions, WindowExamples, cross_entropy, fit_network

CONFIG = PatchTSTConfig(2, 40, 3, patch=4, stride=4, encoder=EncoderConfig(16, 4, 1, 32))


def masked(config=CONFIG, share=0.4, seed=0):
    torch.manual_seed(seed)
    return MaskedPatches(PatchTSTNetwork(config), share)


@pytest.mark.parametrize(
    ("share", "count"), [(0.4, 4), (0.04, 1), (0.99, 9), (0.44, 4), (0.46, 5)]
)  # of 10 patches; at least one is masked and one visible
def test_the_share_of_masked_patches(share, count):
    module = masked(share=share)
    assert module.masked == count
    assert module(torch.randn(3, 40, 2)).shape == (3, 2, count)


def test_masks_are_uniform_and_independent_between_rows():
    torch.manual_seed(1)
    mask = random_mask(20_000, 10, 4)
    assert (mask.sum(dim=1) == 4).all()
    torch.testing.assert_close(mask.float().mean(dim=0), torch.full((10,), 0.4), atol=0.015, rtol=0)
    pairs = torch.corrcoef(mask.float().T) - torch.eye(10)
    torch.testing.assert_close(pairs, -(1 - torch.eye(10)) / 9, atol=0.03, rtol=0)  # without replacement


def test_errors_are_those_of_the_masked_patches(monkeypatch):
    """Against a direct computation: set the masked patches to 0, reconstruct, compare."""
    module, x = masked().eval(), torch.randn(3, 40, 2)
    mask = torch.zeros(6, 10, dtype=torch.bool)
    mask[:, [1, 2, 5, 9]] = True
    monkeypatch.setattr("quorate.models.networks.patchtst.pretrain.random_mask", lambda *_: mask)
    found = module(x)
    mean, scale = x.mean(dim=1, keepdim=True), (x.var(dim=1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    patches = ((x - mean) / scale).transpose(1, 2).reshape(3, 2, 10, 4)
    visible = patches.clone()
    visible[:, :, [1, 2, 5, 9]] = 0
    tokens = module.backbone.encode(module.backbone.embedding.embed(visible.reshape(6, 10, 4)))
    reconstructed = module.reconstruct(tokens).reshape(3, 2, 10, 4)
    expected = (reconstructed - patches).square().mean(dim=-1)[:, :, [1, 2, 5, 9]]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    loss = reconstruction_loss(found, x, None)
    torch.testing.assert_close(loss, expected.mean(), rtol=1e-4, atol=1e-5)


def test_masked_bars_do_not_change_the_reconstruction(monkeypatch):
    """Bars of a masked patch in reverse order, with the same mean and scale, change the target only."""
    mask = torch.zeros(2, 10, dtype=torch.bool)
    mask[:, 3] = True
    monkeypatch.setattr("quorate.models.networks.patchtst.pretrain.random_mask", lambda *_: mask)
    module = masked(share=0.1).eval()
    x = torch.randn(1, 40, 2)
    other = x.clone()
    other[:, 12:16] = x[:, 12:16].flip(1)
    tokens = []
    module.reconstruct.register_forward_pre_hook(lambda _, inputs: tokens.append(inputs[0].detach().clone()))
    errors = module(x), module(other)
    torch.testing.assert_close(tokens[0], tokens[1], rtol=1e-4, atol=1e-5)
    assert (errors[0] - errors[1]).abs().max() > 1e-3


def test_the_loss_is_weighted_by_window():
    errors = torch.tensor([[[1.0, 3.0]], [[5.0, 7.0]]])
    assert reconstruction_loss(errors, errors, None).item() == 4
    assert reconstruction_loss(errors, errors, torch.tensor([1.0, 0.5])).item() == (2 + 3) / 2


@pytest.mark.parametrize("change", [{"stride": 2}, {"end_padding": True}, {"patch": 40, "stride": 40}])
def test_overlapping_patches_and_padding_are_refused(change):
    with pytest.raises(ModelError, match="pre-train patchtst"):
        masked(replace(CONFIG, **change))


def test_a_masked_share_of_1_is_refused():
    with pytest.raises(ModelError, match="a masked share of 1"):
        masked(share=1.0)


def waves(rows, seed):
    """Sines of random phase and one period: a masked patch follows from the others."""
    random = np.random.default_rng(seed)
    time, phase = np.arange(40), random.uniform(0, 2 * np.pi, (rows, 1, 2))
    X = np.sin(2 * np.pi * time[None, :, None] / 20 + phase).astype(np.float32)
    fourth = (phase[:, 0, 0] // (np.pi / 2)).astype(np.int64)
    return WindowExamples(X, torch.from_numpy(np.minimum(fourth, 2)), None)


def test_pre_training_reconstructs_patches_and_improves_linear_probing():
    """The network learns sines without labels; with frozen tokens, its head has a lower loss than an untrained one."""
    examples, stopping = waves(512, 1), waves(256, 2)
    settings = NetworkSettings(epochs=20, batch=64, learning_rate=1e-2, bf16=False, window=40)
    module = masked()
    network = PatchTSTNetwork(CONFIG)
    network.backbone, network.revin = module.backbone, module.revin
    head = [tensor.clone() for tensor in network.head.parameters()]
    options = TrainingOptions(settings, name="masked", seed=1, threads=1)
    history = fit_network(module, Unlabelled(examples), Unlabelled(stopping), reconstruction_loss, options)
    assert history.validation_losses[history.best] < 0.05  # of the variance, which is 1
    assert all(torch.equal(one, other) for one, other in zip(head, network.head.parameters(), strict=True))

    def probed(network):
        backbone = {key: tensor.clone() for key, tensor in network.backbone.state_dict().items()}
        with probing(network):
            options = TrainingOptions(replace(settings, epochs=2), name="probed", seed=1, threads=1)
            found = fit_network(network, examples, stopping, cross_entropy, options)
        assert all(torch.equal(backbone[key], tensor) for key, tensor in network.backbone.state_dict().items())
        assert all(parameter.requires_grad for parameter in network.parameters())
        return found.validation_losses[found.best]

    torch.manual_seed(5)
    assert probed(network) < probed(PatchTSTNetwork(CONFIG))
