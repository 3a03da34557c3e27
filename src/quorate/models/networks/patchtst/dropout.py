"""Dropout with masks that are fast to draw on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_LEVELS = 256


class Dropout(nn.Module):
    """Set a share of the elements to 0 in training and scale the others to keep the mean.

    torch draws a float for every element, which takes longer than the layers around it. Here each element uses one byte
    of a random 64-bit integer, so the share is rounded to 256ths, at most 255 of them, and the scale follows the
    rounded share. The integers are torch's random numbers: the same seed gives the same masks.

    Args:
        share: to drop, 0 <= share < 1.

    >>> Dropout(0.3).train()(torch.ones(100_000)).unique().tolist()
    [0.0, 1.430167555809021]
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.level = min(round(share * _LEVELS), _LEVELS - 1)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.level:
            return x
        if x.device.type != "cpu":
            return functional.dropout(x, self.level / _LEVELS)
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        kept = words.view(torch.uint8)[: x.numel()].reshape(x.shape) >= self.level
        return x * kept.to(x.dtype).mul_(_LEVELS / (_LEVELS - self.level))

    def extra_repr(self) -> str:
        return f"share={self.level / _LEVELS:g}"
