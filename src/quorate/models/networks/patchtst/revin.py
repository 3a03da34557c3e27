"""Reversible instance normalisation: each channel of a window is standardised, and its forecast scaled back.

Kim et al., Reversible Instance Normalization for Accurate Time-Series Forecasting against Distribution Shift, 2022.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

_EPSILON = 1e-5  # added to the variance: a constant channel becomes 0, not NaN


class Statistics(NamedTuple):
    """Statistics of the windows of one forward pass; passed as values, never kept on the module.

    Attributes:
        mean: (B, 1, F).
        scale: (B, 1, F) square root of the biased variance plus a small constant.
    """

    mean: Tensor
    scale: Tensor


class RevIN(nn.Module):
    """Normalise windows over time and restore forecasts.

    Args:
        features: F channels.
        affine: a learned weight and bias of each channel after the normalisation, inverted by `restore`.
    """

    def __init__(self, features: int, *, affine: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(features)) if affine else None

    def forward(self, x: Tensor) -> tuple[Tensor, Statistics]:
        """Normalise (B, L, F) windows; returns them with their statistics.

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
        """Scale (B, H, F) forecasts of normalised windows back to the level and scale of the windows."""
        if self.weight is not None and self.bias is not None:
            # As in the authors' code: avoids a division by 0.
            y = (y - self.bias) / (self.weight + _EPSILON**2)
        return y * statistics.scale + statistics.mean
