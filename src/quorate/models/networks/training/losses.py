"""Loss functions of the networks: weighted means over a batch.

Each is linear in the rows, so that the average over several processes is the loss of the whole batch. Weights are not
normalised within the batch: a batch of rows with low weights has a low loss.
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
    """Focal loss: the log-loss of a row times (1 - p) ** gamma, with p the score of its class.

    Lin and others, Focal Loss for Dense Object Detection, 2017 (arXiv 1708.02002), equation 4. The scores of a network
    trained so are closer to uniform than the probabilities; they need calibration.
    """

    def loss(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        costs = functional.cross_entropy(output, target, reduction="none")  # (B,), -log p
        return _mean((1 - (-costs).exp()).clamp(min=1e-6) ** gamma * costs, weight)

    return loss


def squared_error(output: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Mean squared error of (B, ...) outputs."""
    return _mean(((output - target) ** 2).flatten(1).mean(1), weight)


def _mean(costs: Tensor, weight: Tensor | None) -> Tensor:
    return (costs if weight is None else costs * weight).mean()
