"""A pretrained network between the features of a member and its scores: one torch module, so one graph.

The network reads the window's prices, made of their changes and therefore relative to one another. Its quantiles,
as logarithmic returns from the newest close, become three inputs for each step ahead: the median, the logarithm of the
spread of the outer quantiles, and their skewness. A linear head maps them to scores or a return.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from quorate.core.errors import ModelError
from quorate.core.types import FloatArray
from quorate.models.input_checks import Matrix
from quorate.models.linear.logistic import Coefficients

# Limits of a bar's return, and of a quantile over the newest close: a price cannot fall to 0.
_MOST_CHANGE, _MOST_RATIO = 0.5, 1e3
_LEAST_SPREAD = 1e-6
_LOWEST = -30.0  # log of a price relative to the highest of its window


class ForecastNetwork(Protocol):
    """A pretrained network, as a torch module that can be exported: its control flow does not depend on values.

    Attributes:
        context: L, prices that it reads.
        horizon: H, steps that it forecasts.
        quantiles: (Q,) levels from low to high, with 0.5 among them.
        batch: rows of a pass, such that its activations fit in the cache.
    """

    context: int
    horizon: int
    quantiles: tuple[float, ...]
    batch: int

    def __call__(self, prices: Tensor) -> Tensor:
        """(B, H, Q) quantiles of the next H prices, for (B, L) float64 positive prices, the newest last."""


class ForecastInputs(nn.Module):
    """What the head reads of a forecast.

    Args:
        network: a `ForecastNetwork` that is an `nn.Module`.
        place: number of the column of the windows that has each bar's return, as a fraction.
        steps: bars ahead.

    Raises:
        ModelError: steps beyond the network's horizon, or quantiles that cannot be used.
    """

    def __init__(self, network: ForecastNetwork, place: int, steps: Sequence[int]) -> None:
        super().__init__()
        levels = tuple(network.quantiles)
        if 0.5 not in levels or len(levels) < 3 or list(levels) != sorted(levels):
            expected = "at least three rising levels, 0.5 among them"
            raise ModelError("use a pretrained network", found=f"the quantiles {levels}", expected=expected)
        if max(steps) > network.horizon:
            expected = f"at most {network.horizon}, its horizon"
            raise ModelError("read a forecast", found=f"{max(steps)} steps ahead", expected=expected)
        self.network = network
        self.place, self.steps = place, [step - 1 for step in steps]
        self.median = levels.index(0.5)

    def forward(self, X: Tensor) -> Tensor:
        """(B, 3S) float64 inputs of the head, for (B, L, F) float32 windows."""
        change = X[:, :, self.place].double().clamp(-_MOST_CHANGE, _MOST_CHANGE)
        level = torch.log(1.0 + change).cumsum(dim=1)
        price = torch.exp((level - level.amax(dim=1, keepdim=True)).clamp(min=_LOWEST))
        ratio = self.network(price)[:, self.steps] / price[:, -1][:, None, None]
        log_return = torch.log(ratio.clamp(1 / _MOST_RATIO, _MOST_RATIO))
        low, middle, high = log_return[:, :, 0], log_return[:, :, self.median], log_return[:, :, -1]
        spread = (high - low).clamp(min=_LEAST_SPREAD)
        skew = ((high + low - 2.0 * middle) / spread).clamp(-1.0, 1.0)
        return torch.cat([middle, torch.log(spread), skew], dim=1)


class ForecastScores(nn.Module):
    """The whole member: features to scores that sum to 1, or to returns as fractions.

    Args:
        inputs: of the head.
        head: its coefficients.
        task: "class" or "return".
    """

    low: Tensor
    high: Tensor
    mean: Tensor
    scale: Tensor
    weights: Tensor
    intercept: Tensor

    def __init__(self, inputs: ForecastInputs, head: Coefficients, task: Literal["class", "return"]) -> None:
        super().__init__()
        self.inputs, self.task = inputs, task
        for name in ("low", "high", "mean", "scale", "weights", "intercept"):
            self.register_buffer(name, torch.from_numpy(np.array(getattr(head, name), np.float64)))

    def forward(self, X: Tensor) -> Tensor:
        """(B, 3) or (B, 1) float32, for (B, L, F) float32 windows."""
        held = torch.minimum(torch.maximum(self.inputs(X), self.low), self.high)
        values = (held - self.mean) / self.scale @ self.weights + self.intercept
        return (torch.softmax(values, dim=1) if self.task == "class" else values).float()


def in_pieces(module: nn.Module, X: Matrix, rows: int) -> FloatArray:
    """(B, C) float64 outputs of a module for windows, a few rows at a time.

    Args:
        module: (b, L, F) -> (b, C).
        X: (B, L, F) float32, B at least 1.
        rows: b.
    """
    found = []
    with torch.inference_mode():
        for first in range(0, len(X), rows):
            # Indexed by an array, X gives a copy: torch warns of read-only memory.
            piece = X[np.arange(first, min(first + rows, len(X)))]
            found.append(module(torch.from_numpy(piece)).double().numpy())
    return np.concatenate(found)
