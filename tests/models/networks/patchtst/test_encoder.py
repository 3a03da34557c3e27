"""The encoder against torch's layers, and its variants."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from quorate.models.networks.patchtst.encoder import Encoder, EncoderConfig, EncoderLayer

CONFIG = EncoderConfig(width=16, heads=4, layers=3, feedforward=32)


def torch_layer(layer, pre_norm):
    """torch's layer with the weights of one of ours."""
    own = nn.TransformerEncoderLayer(16, 4, 32, 0.0, "gelu", batch_first=True, norm_first=pre_norm)
    names = {
        "self_attn.in_proj_": "attention.qkv.",
        "self_attn.out_proj.": "attention.out.",
        "linear1.": "perceptron.0.",
        "linear2.": "perceptron.3.",
        "norm1.": "norms.0.",
        "norm2.": "norms.1.",
    }
    ours = layer.state_dict()
    own.load_state_dict({their + kind: ours[our + kind] for their, our in names.items() for kind in ("weight", "bias")})
    return own


@pytest.mark.parametrize("pre_norm", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_layers_with_layer_norm_equal_torchs(pre_norm, training):
    torch.manual_seed(0)
    encoder = Encoder(replace(CONFIG, pre_norm=pre_norm)).train(training)
    for parameter in encoder.parameters():
        nn.init.normal_(parameter, std=0.2)
    x = torch.randn(6, 10, 16)
    expected = x
    for layer in encoder.layers:
        expected = torch_layer(layer, pre_norm).train(training)(expected)
    expected = encoder.norm(expected)
    torch.testing.assert_close(encoder(x), expected, rtol=1e-4, atol=1e-5)
    assert isinstance(encoder.norm, nn.LayerNorm if pre_norm else nn.Identity)


def test_batch_norm_normalises_each_component_over_all_tokens():
    torch.manual_seed(1)
    encoder = Encoder(replace(CONFIG, layers=0, norm="batch"))
    x = 5 + 2 * torch.randn(7, 4, 16)
    tokens = x.reshape(28, 16)
    expected = (tokens - tokens.mean(0)) / (tokens.var(0, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(encoder(x), expected.reshape(7, 4, 16))
    norm = encoder.eval().norm
    running = (x - norm.running_mean) / (norm.running_var + 1e-5).sqrt()
    torch.testing.assert_close(encoder(x), running)
    torch.testing.assert_close(norm.running_mean, 0.1 * tokens.mean(0))


def test_residual_attention_calculated_by_hand():
    """Two layers: the scores of the first are added to those of the second."""
    torch.manual_seed(2)
    encoder = Encoder(replace(CONFIG, layers=2, residual_attention=True)).eval()
    first, second = encoder.layers
    x = torch.randn(3, 5, 16)

    def scores(attention, tokens):
        q, k, _ = (part.reshape(3, 5, 4, 4).transpose(1, 2) for part in attention.qkv(tokens).chunk(3, dim=-1))
        return q @ k.transpose(-1, -2) / 2

    def mixed(attention, tokens, weights):
        v = attention.qkv(tokens)[..., 32:].reshape(3, 5, 4, 4).transpose(1, 2)
        return attention.out((weights @ v).transpose(1, 2).reshape(3, 5, 16))

    below = scores(first.attention, first.norms[0](x))
    x1 = x + mixed(first.attention, first.norms[0](x), below.softmax(-1))
    x1 = x1 + first.perceptron(first.norms[1](x1))
    both = scores(second.attention, second.norms[0](x1)) + below
    x2 = x1 + mixed(second.attention, second.norms[0](x1), both.softmax(-1))
    x2 = x2 + second.perceptron(second.norms[1](x2))
    torch.testing.assert_close(encoder(x), encoder.norm(x2), rtol=1e-5, atol=1e-5)


def test_without_residual_attention_no_scores_are_passed_on():
    rows = torch.randn(6, 16)
    assert EncoderLayer(CONFIG)(rows, 3, None)[1] is None
    assert EncoderLayer(replace(CONFIG, residual_attention=True))(rows, 3, None)[1].shape == (8, 3, 3)


class Constant(nn.Module):
    """A sublayer that returns a constant for every token."""

    def __init__(self, value, *more):
        super().__init__()
        self.value, self.more = value, more

    def forward(self, rows, *_):
        output = torch.full_like(rows, self.value)
        return (output, *self.more) if self.more else output


@pytest.mark.parametrize(("attention", "perceptron", "kept"), [(1.0, 0.0, 0.7**2), (0.0, 1.0, 0.7)])
def test_attention_output_has_two_dropouts_as_in_the_authors_code(attention, perceptron, kept):
    """After its projection and before the residual connection; the perceptron output has one."""
    torch.manual_seed(4)
    layer = EncoderLayer(replace(CONFIG, dropout=0.3)).train()
    layer.attention, layer.perceptron = Constant(attention, None), Constant(perceptron)
    added = layer(torch.zeros(20_000, 16), 10, None)[0]
    assert float((added != 0).float().mean()) == pytest.approx(kept, abs=0.01)
    assert float(added.mean()) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("residual", [False, True])
def test_recomputed_activations_give_the_same_gradients(residual):
    config = replace(CONFIG, residual_attention=residual, dropout=0.3, attention_dropout=0.2)
    x, gradients = torch.randn(4, 5, 16), []
    for recompute in (False, True):
        torch.manual_seed(3)
        encoder = Encoder(config)
        encoder.recompute = recompute
        encoder(x).square().sum().backward()
        gradients.append([parameter.grad for parameter in encoder.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_batch_norm_does_not_support_recomputation():
    """It would update the running statistics twice per batch."""
    assert not hasattr(Encoder(replace(CONFIG, norm="batch")), "recompute")
