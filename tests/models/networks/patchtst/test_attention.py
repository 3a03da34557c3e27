"""Attention against torch's modules with the same weights."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from quorate.models.networks.patchtst.attention import Attention, softmax


@pytest.mark.parametrize(("patches", "width", "heads"), [(10, 32, 4), (1, 8, 8), (42, 16, 4)])
def test_outputs_and_gradients_equal_torchs_multi_head_attention(patches, width, heads):
    torch.manual_seed(0)
    ours = Attention(width, heads)
    theirs = nn.MultiheadAttention(width, heads, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight)
        theirs.in_proj_bias.copy_(ours.qkv.bias)
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.copy_(ours.out.bias)
    x = torch.randn(7, patches, width, requires_grad=True)
    same = x.detach().clone().requires_grad_()
    found = ours(x.reshape(-1, width), patches)[0].reshape(x.shape)
    expected, _ = theirs(same, same, same, need_weights=False)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    gradient = torch.randn_like(found)
    found.backward(gradient)
    expected.backward(gradient)
    torch.testing.assert_close(x.grad, same.grad, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.qkv.weight.grad, theirs.in_proj_weight.grad, rtol=1e-4, atol=1e-4)


def test_scores_of_the_previous_layer_are_added_before_the_softmax():
    torch.manual_seed(1)
    attention = Attention(8, 2)
    x, before = torch.randn(3, 5, 8), torch.randn(3, 2, 5, 5)
    found, scores = attention(x.reshape(15, 8), 5, before.reshape(6, 5, 5))
    scores = scores.reshape(3, 2, 5, 5)
    q, k, v = (part.reshape(3, 5, 2, 4).transpose(1, 2) for part in attention.qkv(x).chunk(3, dim=-1))
    torch.testing.assert_close(scores, q @ k.transpose(-1, -2) / 2 + before)
    mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=before)
    torch.testing.assert_close(found, attention.out(mixed.transpose(1, 2).reshape(15, 8)))


def test_attention_dropout_in_training_only():
    torch.manual_seed(2)
    attention, rows = Attention(8, 2, dropout=0.5), torch.randn(24, 8)
    assert not torch.equal(attention(rows, 6)[0], attention(rows, 6)[0])
    attention.eval()
    plain = Attention(8, 2)
    plain.load_state_dict(attention.state_dict())
    assert torch.equal(attention(rows, 6)[0], plain(rows, 6)[0])


@pytest.mark.parametrize("rows", [1, 10, 42])
def test_the_softmax_and_its_gradient_equal_torchs(rows):
    torch.manual_seed(4)
    scores = (5 * torch.randn(2, 3, rows, dtype=torch.float64)).requires_grad_()
    torch.testing.assert_close(softmax(scores), scores.softmax(-1))
    assert torch.autograd.gradcheck(softmax, scores)


def test_the_softmax_in_bfloat16_and_of_extreme_scores():
    torch.manual_seed(5)
    scores = torch.randn(1000, 10)
    off = softmax(scores.bfloat16()).float() - scores.softmax(-1)
    assert off.abs().max() < 0.01
    extreme = torch.tensor([[3e38, -3e38, 0.0], [-1e30, -1e30, -1e30]])
    torch.testing.assert_close(softmax(extreme), torch.tensor([[1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]]))


def test_the_softmax_leaves_its_argument_unchanged():
    scores = torch.randn(3, 4, 4)
    before = scores.clone()
    softmax(scores)
    assert torch.equal(scores, before)
