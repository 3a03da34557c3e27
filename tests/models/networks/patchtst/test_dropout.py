"""Dropout: share, mean, gradient and random numbers."""

import pytest
import torch

from quorate.models.networks.patchtst.dropout import Dropout


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_share_is_dropped_and_the_mean_is_kept(share, dtype):
    torch.manual_seed(1)
    out = Dropout(share)(torch.ones(400_000, dtype=dtype))
    assert out.dtype == dtype
    assert (out == 0).float().mean().item() == pytest.approx(share, abs=0.005)
    assert out.float().mean().item() == pytest.approx(1, abs=0.01)
    assert len(out.unique()) == 2


def test_a_share_close_to_1_drops_at_most_255_of_256():
    out = Dropout(0.9999)(torch.ones(80_000))
    assert torch.isfinite(out).all()
    assert 0 < (out != 0).float().mean() < 0.01


def test_neighbours_are_dropped_independently():
    """Eight elements use one random 64-bit integer, a byte each."""
    torch.manual_seed(2)
    dropped = (Dropout(0.5)(torch.ones(80_000)) == 0).float().reshape(-1, 8)
    correlation = torch.corrcoef(dropped.T) - torch.eye(8)
    assert correlation.abs().max() < 0.05


def test_the_gradient_has_the_mask_of_the_values():
    torch.manual_seed(3)
    x = torch.randn(5, 7, 3, requires_grad=True)
    out = Dropout(0.3)(x)
    out.sum().backward()
    assert torch.equal(x.grad == 0, out == 0)
    torch.testing.assert_close(out, x * x.grad)


def test_the_seed_determines_the_masks():
    x = torch.ones(1001)  # not a multiple of eight
    torch.manual_seed(4)
    first, second = Dropout(0.5)(x), Dropout(0.5)(x)
    torch.manual_seed(4)
    assert torch.equal(Dropout(0.5)(x), first)
    assert not torch.equal(first, second)


def test_nothing_is_dropped_in_evaluation_mode_or_with_a_share_of_0():
    x = torch.randn(100)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
