"""Reversible instance normalisation: each channel of a window on its own scale, and the forecast put back on it.

Kim et al., Reversible Instance Normalization for Accurate Time-Series Forecasting against Distribution Shift, 2022.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

_EPSILON = 1e-5  # added to the variance: a channel that does not move is 0, not NaN


class Statistics(NamedTuple):
    """What one pass took out of its windows. It travels with the pass, never on the module.

    Attributes:
        mean: (B, 1, F).
        scale: (B, 1, F) square root of the biased variance plus a small constant.
    """

    mean: Tensor
    scale: Tensor


class RevIN(nn.Module):
    """Normalises windows over time and restores forecasts.

    Args:
        features: F channels.
        affine: a learned weight and bias for each channel after the normalisation, undone before restoring.
    """

    def __init__(self, features: int, *, affine: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(features)) if affine else None

    def forward(self, x: Tensor) -> tuple[Tensor, Statistics]:
        """(B, L, F) windows as normalised windows and what was taken from them.

        >>> normalised, (mean, scale) = RevIN(1)(torch.tensor([[[1.0], [3.0]]]))
        >>> normalised.flatten().round(decimals=3).tolist(), mean.item(), round(scale.item(), 3)
        ([-1.0, 1.0], 2.0, 1.0)
        """
        mean = x.mean(dim=1, keepdim=True)
        centred = x - mean
        scale = (centred.square().mean(dim=1, keepdim=True) + _EPSILON).sqrt()
        out = centred / scale
        if self.weight is not None and self.bias is not None:
            out = out * self.weight + self.bias
        return out, Statistics(mean, scale)

    def restore(self, y: Tensor, statistics: Statistics) -> Tensor:
        """(B, H, F) forecasts of normalised windows on the windows' own level and scale."""
        if self.weight is not None and self.bias is not None:
            # As published: a weight that training drives to 0 must not divide by it.
            y = (y - self.bias) / (self.weight + _EPSILON**2)
        return y * statistics.scale + statistics.mean
