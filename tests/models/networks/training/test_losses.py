from math import log

import pytest
import torch

from quorate.models.networks.training.losses import cross_entropy, focal, squared_error

# Two rows of probabilities (0.5, 0.25, 0.25) and (0.1, 0.1, 0.8), both of the first class.
LOGITS = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
FIRST = torch.tensor([0, 0])


@pytest.mark.parametrize(
    ("loss", "weight", "expected"),
    [
        (cross_entropy, None, (log(2) + log(10)) / 2),
        (cross_entropy, [1.0, 0.0], log(2) / 2),  # not divided by the sum of the weights
        (cross_entropy, [2.0, 1.0], (2 * log(2) + log(10)) / 2),
        (focal(2.0), None, (0.25 * log(2) + 0.81 * log(10)) / 2),
        (focal(0.0), None, (log(2) + log(10)) / 2),
        (focal(1.0), [0.0, 1.0], 0.9 * log(10) / 2),
    ],
)
def test_losses_of_classes(loss, weight, expected):
    found = loss(LOGITS, FIRST, None if weight is None else torch.tensor(weight))
    assert float(found) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "weight", "expected"),
    [(squared_error, None, 2.5), (squared_error, [0.0, 1.0], 2.0)],
)
def test_losses_of_values(loss, weight, expected):
    output, target = torch.tensor([[1.0], [5.0]]), torch.tensor([[0.0], [3.0]])
    assert float(loss(output, target, None if weight is None else torch.tensor(weight))) == expected


def test_the_loss_of_a_forecast_is_the_mean_of_its_values():
    output, target = torch.zeros(2, 3, 2), torch.arange(12.0).reshape(2, 3, 2)
    assert float(squared_error(output, target, None)) == pytest.approx(sum(i * i for i in range(12)) / 12)


def test_the_focal_loss_has_a_finite_gradient_for_a_score_of_1():
    logits = torch.tensor([[60.0, 0.0, 0.0]], requires_grad=True)
    focal(0.5)(logits, torch.tensor([0]), None).backward()
    assert torch.isfinite(logits.grad).all()
