"""What a network is trained to make small: means over the batch of what each row costs.

Each is linear in the rows, so that several processes that average theirs have the loss of the whole batch. Weights are
taken as they are, not divided by the batch's own sum: a batch of light rows is a light batch.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

# (output, target, weight or None) -> mean over the batch
Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def cross_entropy(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Log-loss of (B, C) logits against (B,) int64 classes, in nats."""
    return _mean(functional.cross_entropy(output, target, reduction="none"), weight)


def focal(gamma: float) -> Loss:
    """Log-loss in which a row counts less the better it is known: times (1 - p) ** gamma.

    Lin and others, Focal Loss for Dense Object Detection, 2017 (arXiv 1708.02002), equation 4. Scores learned so are
    nearer to even than the probabilities are: calibrate them.
    """

    def loss(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        costs = functional.cross_entropy(output, target, reduction="none")  # (B,), -log p
        return _mean((1 - (-costs).exp()).clamp(min=1e-6) ** gamma * costs, weight)

    return loss


def squared_error(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean squared error of (B, ...) outputs."""
    return _mean(((output - target) ** 2).flatten(1).mean(1), weight)


def absolute_error(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean absolute error of (B, ...) outputs."""
    return _mean((output - target).abs().flatten(1).mean(1), weight)


def _mean(costs: Tensor, weight: Tensor | None) -> Tensor:
    return (costs if weight is None else costs * weight).mean()
