"""What stands around a member's network, in training as in its graph: the scales of its inputs and outputs.

So a graph needs no scaler beside it, and what is served was trained.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from quorate.core.errors import ModelError
from quorate.core.types import FloatArray

# Added to the logit of a class that never occurred: its score is next to nothing however the others stand.
_NEVER = -50.0

_LARGEST = 1e15  # its square is still far from overflowing


class Standardised(nn.Module):
    """A network whose inputs are held within their usual range and standardised, and whose outputs start at the prior.

    Args:
        network: (B, L, F) -> (B, C).
        features, outputs: F and C.

    Attributes:
        low, high, mean, inverse: (F,) of the inputs: quantiles, mean, and 1 over the standard deviation.
        offset: (C,) added to the outputs.
    """

    low: Tensor
    high: Tensor
    mean: Tensor
    inverse: Tensor
    offset: Tensor

    def __init__(self, network: nn.Module, features: int, outputs: int) -> None:
        super().__init__()
        self.network = network
        for name in ("low", "high", "mean"):
            self.register_buffer(name, torch.zeros(features))
        self.register_buffer("inverse", torch.ones(features))
        self.register_buffer("offset", torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C) logits, or standardised returns, for (B, L, F) features."""
        L, F = int(x.shape[1]), int(x.shape[2])
        # A window as one long row: in a graph, to broadcast over rows of F is several times slower.
        low, high, mean, inverse = (each.repeat(L) for each in (self.low, self.high, self.mean, self.inverse))
        held = torch.minimum(torch.maximum(x.reshape(-1, L * F), low), high)
        output: Tensor = self.network(((held - mean) * inverse).reshape(-1, L, F))
        return output + self.offset

    def measure(self, bars: FloatArray, weight: FloatArray | None, tail: float) -> None:
        """Set what the inputs are held within and standardised by, from (B, F) training bars of (B,) weights.

        The quantiles are values that occur, the inner of the two neighbours: between them, one wild row would be felt.
        """
        inner = (np.quantile(bars, tail, axis=0, method="higher"), np.quantile(bars, 1 - tail, axis=0, method="lower"))
        low, high = np.minimum(*inner), np.maximum(*inner)
        held = np.clip(bars, low, high)
        mean = np.average(held, axis=0, weights=weight)
        scale = np.sqrt(np.average((held - mean) ** 2, axis=0, weights=weight))
        # A feature that never moves says nothing; any scale will do but 0.
        scale = np.where(scale > 1e-6 * np.maximum(1e-6, np.abs(mean)), scale, 1.0)
        for buffer, value in ((self.low, low), (self.high, high), (self.mean, mean), (self.inverse, 1 / scale)):
            buffer.copy_(torch.from_numpy(value))

    def start_at(self, prior: FloatArray) -> None:
        """Let the network learn departures from (C,) class shares; a class without any is hardly ever said."""
        with np.errstate(divide="ignore"):
            self.offset.copy_(torch.from_numpy(np.maximum(np.log(prior), _NEVER)))


class Answers(nn.Module):
    """What a member says: scores of the classes, or returns as fractions.

    Args:
        standardised: gives logits or standardised returns.
        task: which of them.

    Attributes:
        mean, scale: () of the training returns; 0 and 1 for classes.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, standardised: Standardised, task: Literal["class", "return"]) -> None:
        super().__init__()
        self.standardised = standardised
        self.task = task
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3) scores that sum to 1, or (B, 1) returns, for (B, L, F) features."""
        output: Tensor = self.standardised(x)
        return torch.softmax(output, dim=1) if self.task == "class" else output * self.scale + self.mean

    def measure(self, returns: FloatArray, weight: FloatArray | None) -> None:
        """Set the unit that returns are learned in, from (B,) training returns of (B,) weights.

        Raises:
            ModelError: returns that single precision cannot hold.
        """
        if np.abs(returns).max() > _LARGEST:
            found = f"a return of {np.abs(returns).max():g}"
            raise ModelError("learn returns", found=found, expected=f"fractions of at most {_LARGEST:g}")
        mean = np.average(returns, weights=weight)
        scale = np.sqrt(np.average((returns - mean) ** 2, weights=weight))
        self.mean.fill_(float(mean))
        # Returns that never move are all mean; any scale will do but 0.
        self.scale.fill_(float(scale) if scale > 1e-30 else 1.0)

    def standard(self, returns: FloatArray) -> Tensor:
        """(B, 1) float32 for (B,) returns as fractions: in standard deviations from their training mean."""
        return torch.from_numpy(((returns - self.mean.item()) / self.scale.item()).astype(np.float32))[:, None]
