"""RevIN against figures worked by hand, and what it must never do: remember."""

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


def test_weight_and_bias_come_after_the_normalisation_and_go_before_the_restoration():
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
def test_restoring_undoes_normalising(seed, batch, length, affine, level):
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


def test_a_channel_that_does_not_move_is_zero():
    normalised, (mean, scale) = RevIN(1)(torch.full((1, 5, 1), 4.0))
    assert not normalised.any()
    assert mean.item() == 4.0
    assert scale.item() == pytest.approx(1e-5**0.5)


def test_one_window_is_normalised_alike_alone_and_among_120():
    """120 windows of 120 bars: where batch and time are as long as each other, a mistaken axis would not show."""
    torch.manual_seed(1)
    x = torch.randn(120, 120, 2) * torch.arange(1, 121)[:, None, None]
    whole, statistics = RevIN(2)(x)
    for row in (0, 7, 119):
        alone, its = RevIN(2)(x[row : row + 1])
        assert torch.equal(alone[0], whole[row])
        assert torch.equal(its.scale[0], statistics.scale[row])


def test_nothing_of_a_pass_stays_on_the_module():
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


def test_threads_do_not_disturb_one_another():
    revin = RevIN(2)
    windows = [10.0**power * torch.randn(8, 50, 2) for power in range(-2, 4)] * 20

    def there_and_back(x):
        return revin.restore(*revin(x))

    with ThreadPoolExecutor(4) as pool:
        for x, back in zip(windows, pool.map(there_and_back, windows), strict=True):
            torch.testing.assert_close(back, x, rtol=1e-4, atol=1e-4)
