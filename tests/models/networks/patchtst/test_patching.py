"""Patches against expected ones, and embeddings against matrix products."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quorate.models.networks.patchtst.patching import PatchEmbedding, align, cut, patch_count, sinusoidal


@pytest.mark.parametrize(
    ("window", "patch", "stride", "padded", "patches"),
    [
        (6, 2, 2, False, [[0, 1], [2, 3], [4, 5]]),
        (6, 4, 2, False, [[0, 1, 2, 3], [2, 3, 4, 5]]),
        (6, 4, 2, True, [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 5, 5]]),
        (6, 2, 2, True, [[0, 1], [2, 3], [4, 5], [5, 5]]),
        (7, 3, 3, False, [[1, 2, 3], [4, 5, 6]]),  # the oldest bar is cut
        (7, 3, 3, True, [[1, 2, 3], [4, 5, 6], [6, 6, 6]]),
        (5, 5, 1, False, [[0, 1, 2, 3, 4]]),
        (5, 5, 1, True, [[0, 1, 2, 3, 4], [1, 2, 3, 4, 4]]),
    ],
)
def test_patches_of_small_windows(window, patch, stride, padded, patches):
    x = torch.arange(float(window)).expand(2, 3, window)
    aligned = align(x, patch, stride, end_padding=padded)
    found = cut(aligned.reshape(6, -1), patch, stride)
    assert found.shape == (6, patch_count(window, patch, stride, end_padding=padded), patch)
    assert found[5].tolist() == patches


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 20), st.booleans())
def test_patches_end_with_the_newest_bar(window, patch, stride, padded):
    patch, stride = min(patch, window), min(stride, patch, window)
    x = torch.arange(float(window))[None, None]
    patches = cut(align(x, patch, stride, end_padding=padded)[0], patch, stride)
    assert patches.shape == (1, patch_count(window, patch, stride, end_padding=padded), patch)
    assert patches[0, -1, -1] == window - 1
    assert patches[0, 0, 0] < stride  # fewer bars than a stride are cut


@pytest.mark.parametrize("kind", ["linear", "convolution"])
@pytest.mark.parametrize(("patch", "stride"), [(4, 4), (4, 2), (3, 1)])
def test_the_embedding_of_a_patch_is_its_product_with_the_weights(kind, patch, stride):
    torch.manual_seed(3)
    x = torch.randn(5, patch + 3 * stride)
    embedding = PatchEmbedding(patch, stride, 4, 6, kind, "learnable")
    found = embedding(x)
    weight = embedding.project.weight.reshape(6, patch)
    for sequence in range(5):
        for n in range(4):
            bars = x[sequence, n * stride : n * stride + patch]
            expected = weight @ bars + embedding.project.bias + embedding.positions[n]
            torch.testing.assert_close(found[sequence, n], expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(embedding.embed(cut(x, patch, stride)), found, rtol=1e-5, atol=1e-5)


def test_sinusoids_calculated_by_hand():
    table = sinusoidal(3, 4)
    for n in range(3):
        expected = [math.sin(n), math.cos(n), math.sin(n / 100), math.cos(n / 100)]
        assert table[n].tolist() == pytest.approx(expected, abs=1e-6)
    assert sinusoidal(2, 3).shape == (2, 3)


def test_only_learnable_positions_are_parameters():
    learnable = PatchEmbedding(4, 4, 50, 64, "linear", "learnable")
    assert "positions" in dict(learnable.named_parameters())
    assert learnable.positions.abs().max() <= 0.02
    assert learnable.positions.std().item() == pytest.approx(0.04 / 12**0.5, rel=0.05)  # uniform
    fixed = PatchEmbedding(4, 4, 50, 64, "linear", "sinusoidal")
    assert "positions" not in dict(fixed.named_parameters())
    assert torch.equal(fixed.positions, sinusoidal(50, 64))
