"""Scaling of inputs and outputs as torch modules around a network.

The scales are part of the module, so the exported graph includes them and needs no separate scaler.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from quorate.core.errors import ModelError
from quorate.core.types import FloatArray

# Logit offset of a class without training rows: its score is close to 0.
_ABSENT = -50.0

_LARGEST = 1e15  # the square of a larger return could overflow float32


class Scale(nn.Module):
    """Winsorised and standardised columns.

    Args:
        columns: R.

    Attributes:
        low, high, mean, inverse: (R,) outer quantiles, mean and inverse standard deviation of the columns.
    """

    low: Tensor
    high: Tensor
    mean: Tensor
    inverse: Tensor

    def __init__(self, columns: int) -> None:
        super().__init__()
        for name in ("low", "high", "mean"):
            self.register_buffer(name, torch.zeros(columns))
        self.register_buffer("inverse", torch.ones(columns))

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, R) or (B, R) columns, standardised."""
        if x.ndim == 2:
            return self._scaled(x, 1)
        L, R = int(x.shape[1]), int(x.shape[2])
        # Each window as one long row: ONNX Runtime broadcasts over rows of R several times slower.
        return self._scaled(x.reshape(-1, L * R), L).reshape(-1, L, R)

    def _scaled(self, x: Tensor, times: int) -> Tensor:
        scales = (self.low, self.high, self.mean, self.inverse)
        low, high, mean, inverse = scales if times == 1 else tuple(tensor.repeat(times) for tensor in scales)
        return (torch.minimum(torch.maximum(x, low), high) - mean) * inverse

    def measure(self, bars: FloatArray, weight: FloatArray | None, tail: float) -> None:
        """Set the scales from training bars.

        Quantiles are not interpolated, so that a single outlier does not move them.

        Args:
            bars: (B, R) float64.
            weight: (B,); None for 1 each.
            tail: share of the values beyond the quantile on each side.
        """
        inner = (np.quantile(bars, tail, axis=0, method="higher"), np.quantile(bars, 1 - tail, axis=0, method="lower"))
        low, high = np.minimum(*inner), np.maximum(*inner)
        held = np.clip(bars, low, high)
        mean = np.average(held, axis=0, weights=weight)
        scale = np.sqrt(np.average((held - mean) ** 2, axis=0, weights=weight))
        # A constant feature has a scale of 1, to avoid a division by 0.
        scale = np.where(scale > 1e-6 * np.maximum(1e-6, np.abs(mean)), scale, 1.0)
        for buffer, value in ((self.low, low), (self.high, high), (self.mean, mean), (self.inverse, 1 / scale)):
            buffer.copy_(torch.from_numpy(value))


def near_prior(last: nn.Linear) -> nn.Linear:
    """The last layer of a network with small weights, so that the member starts near the class shares."""
    nn.init.normal_(last.weight, std=0.1 * last.in_features**-0.5)
    nn.init.zeros_(last.bias)
    return last


class NewestBar(nn.Module):
    """A perceptron over every column of the newest bar, whose outputs are added to those of a network of windows.

    The columns that sum up the past, such as volatility over a week, are worth most at the newest bar, and a window of
    them would multiply the cost of a network.

    Args:
        columns: F.
        width: of its two hidden layers.
        outputs: C.
    """

    def __init__(self, columns: int, width: int, outputs: int) -> None:
        super().__init__()
        self.scale = Scale(columns)
        last = nn.Linear(width, outputs)
        self.layers = nn.Sequential(nn.Linear(columns, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), last)
        near_prior(last)

    def forward(self, bar: Tensor) -> Tensor:
        """(B, C) outputs for (B, F) bars."""
        output: Tensor = self.layers(self.scale(bar))
        return output


class StandardisedNetwork(nn.Module):
    """A network with standardised inputs and a constant offset of its outputs, the log class prior.

    Args:
        network: (B, L, R) -> (B, C), or (B, k, C) of k members.
        reads: R places, ascending, of the columns whose window it reads.
        outputs: C.
        newest: reads the newest bar beside the network; None for none.

    Attributes:
        scale: of the columns of the window.
        offset: (C,) added to the outputs.
    """

    offset: Tensor

    def __init__(self, network: nn.Module, reads: Sequence[int], outputs: int, newest: NewestBar | None = None) -> None:
        super().__init__()
        self.network = network
        self.reads = tuple(reads)
        self.scale = Scale(len(self.reads))
        self.newest = newest
        self.register_buffer("offset", torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C) or (B, k, C) logits, or standardised returns, for (B, L, F) features."""
        output: Tensor = self.network(self.scaled(x))
        if self.newest is not None:
            newest = self.newest(x[:, -1])
            output = output + (newest if output.ndim == 2 else newest[:, None])
        return output + self.offset

    def scaled(self, x: Tensor) -> Tensor:
        """(B, L, R) standardised columns of the window, of (B, L, F) features."""
        standardised: Tensor = self.scale(self._read(x))
        return standardised

    def _read(self, x: Tensor) -> Tensor:
        """(B, L, R) columns that are read, of (B, L, F); without a copy where they are the leading ones."""
        count = len(self.reads)
        if self.reads != tuple(range(count)):
            return x[:, :, list(self.reads)]
        return x if x.shape[2] == count else x[:, :, :count]

    def measure(self, bars: FloatArray, weight: FloatArray | None, tail: float) -> None:
        """Set the input scales from (B, F) training bars, as `Scale.measure` does."""
        self.scale.measure(bars[:, self.reads], weight, tail)
        if self.newest is not None:
            self.newest.scale.measure(bars, weight, tail)

    def start_at(self, prior: FloatArray) -> None:
        """Set the output offset to the log of the (C,) class shares; a class with a share of 0 scores close to 0."""
        with np.errstate(divide="ignore"):
            self.offset.copy_(torch.from_numpy(np.maximum(np.log(prior), _ABSENT)))


class ScoringNetwork(nn.Module):
    """The whole member as a module: features to class scores, or to returns as fractions.

    Args:
        standardised: gives logits ("class") or standardised returns ("return").
        task: "class" or "return".

    Attributes:
        mean, scale: () mean and standard deviation of the training returns; 0 and 1 for classes.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, standardised: StandardisedNetwork, task: Literal["class", "return"]) -> None:
        super().__init__()
        self.standardised = standardised
        self.task = task
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3) scores that sum to 1, or (B, 1) returns, for (B, L, F) features; the mean over k members."""
        output: Tensor = self.standardised(x)
        # Counted from the back, the axis gives every graph other bytes, and its bundle another id.
        found = torch.softmax(output, dim=output.ndim - 1) if self.task == "class" else output * self.scale + self.mean
        return found if found.ndim == 2 else found.mean(dim=1)

    def measure(self, returns: FloatArray, weight: FloatArray | None) -> None:
        """Set mean and scale from (B,) training returns with (B,) weights.

        Raises:
            ModelError: returns too large for single precision.
        """
        if np.abs(returns).max() > _LARGEST:
            found = f"a return of {np.abs(returns).max():g}"
            raise ModelError("standardise returns", found=found, expected=f"fractions of at most {_LARGEST:g}")
        mean = np.average(returns, weights=weight)
        scale = np.sqrt(np.average((returns - mean) ** 2, weights=weight))
        self.mean.fill_(float(mean))
        # Constant returns have a scale of 1, to avoid a division by 0.
        self.scale.fill_(float(scale) if scale > 1e-30 else 1.0)

    def standardise(self, returns: FloatArray) -> Tensor:
        """(B, 1) float32 for (B,) returns as fractions: standard deviations from the training mean."""
        return torch.from_numpy(((returns - self.mean.item()) / self.scale.item()).astype(np.float32))[:, None]
