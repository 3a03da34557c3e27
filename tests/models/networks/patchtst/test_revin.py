"""RevIN against values calculated by hand, its inverse, and its statelessness."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from quorate.models.networks.patchtst.revin import RevIN


def test_the_variance_is_biased():
    """1, 2, 6: mean 3, squared distances 4 + 1 + 9 over 3, not over 2."""
    normalised, (mean, scale) = RevIN(1)(torch.tensor([[[1.0], [2.0], [6.0]]]))
    assert mean.item() == 3.0
    assert scale.item() == pytest.approx((14 / 3 + 1e-5) ** 0.5, rel=1e-6)
    assert normalised.flatten().tolist() == pytest.approx([-2 / scale.item(), -1 / scale.item(), 3 / scale.item()])


def test_weight_and_bias_follow_the_normalisation_and_are_inverted_first():
    revin = RevIN(2, affine=True)
    with torch.no_grad():
        revin.weight.copy_(torch.tensor([2.0, 1.0]))
        revin.bias.copy_(torch.tensor([0.5, 0.0]))
    x = torch.tensor([[[0.0, 5.0], [2.0, 7.0]]])  # both channels: a distance of 1 from their mean
    normalised, statistics = revin(x)
    torch.testing.assert_close(normalised, torch.tensor([[[-1.5, -1.0], [2.5, 1.0]]]), rtol=1e-4, atol=1e-4)
    # A forecast of 4.5 in the first channel is (4.5 - 0.5) / 2 = 2 scales of 1 above the mean of 1.
    torch.testing.assert_close(
        revin.restore(torch.full((1, 3, 2), 4.5), statistics),
        torch.tensor([[[3.0, 10.5]]]).expand(1, 3, 2),
        rtol=1e-4,
        atol=1e-4,
    )


@given(
    seed=st.integers(0, 10_000),
    batch=st.sampled_from([1, 2, 120]),
    length=st.sampled_from([1, 2, 120]),
    affine=st.booleans(),
    level=st.sampled_from([0.0, -50.0, 1000.0]),
)
def test_restore_inverts_the_normalisation(seed, batch, length, affine, level):
    torch.manual_seed(seed)
    revin = RevIN(3, affine=affine)
    if affine:
        with torch.no_grad():
            revin.weight.uniform_(0.5, 2)
            revin.bias.normal_()
    x = level + torch.randn(batch, length, 3)
    normalised, statistics = revin(x)
    assert statistics.mean.shape == statistics.scale.shape == (batch, 1, 3)
    torch.testing.assert_close(revin.restore(normalised, statistics), x, rtol=1e-5, atol=1e-4)


def test_a_constant_channel_becomes_zero():
    normalised, (mean, scale) = RevIN(1)(torch.full((1, 5, 1), 4.0))
    assert not normalised.any()
    assert mean.item() == 4.0
    assert scale.item() == pytest.approx(1e-5**0.5)


def test_windows_are_normalised_independently_of_the_batch():
    """120 windows of 120 bars: with equal lengths of batch and time, a confusion of the axes raises no error."""
    torch.manual_seed(1)
    x = torch.randn(120, 120, 2) * torch.arange(1, 121)[:, None, None]
    whole, statistics = RevIN(2)(x)
    for row in (0, 7, 119):
        alone, its = RevIN(2)(x[row : row + 1])
        assert torch.equal(alone[0], whole[row])
        assert torch.equal(its.scale[0], statistics.scale[row])


def test_a_forward_pass_keeps_no_state_on_the_module():
    revin = RevIN(2, affine=True)
    before = {key: tensor.clone() for key, tensor in revin.state_dict().items()}
    attributes = set(vars(revin))
    first, second = torch.randn(4, 9, 2), 100 * torch.randn(3, 9, 2)
    normalised, statistics = revin(first)
    revin(second)
    torch.testing.assert_close(revin.restore(normalised, statistics), first, rtol=1e-5, atol=1e-5)
    assert set(vars(revin)) == attributes
    assert all(torch.equal(tensor, before[key]) for key, tensor in revin.state_dict().items())
    assert not list(revin.buffers())


def test_calls_from_several_threads_are_independent():
    revin = RevIN(2)
    windows = [10.0**power * torch.randn(8, 50, 2) for power in range(-2, 4)] * 20

    def round_trip(x):
        return revin.restore(*revin(x))

    with ThreadPoolExecutor(4) as pool:
        for x, restored in zip(windows, pool.map(round_trip, windows), strict=True):
            torch.testing.assert_close(restored, x, rtol=1e-4, atol=1e-4)
