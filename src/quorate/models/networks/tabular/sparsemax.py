"""Sparsemax: the nearest distribution to a row of numbers, in which most shares can be 0.

Martins and Astudillo, From Softmax to Sparsemax, 2016, algorithm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor


def sparsemax(z: Tensor) -> Tensor:
    """(B, F) distributions for (B, F) numbers, in at least single precision.

    >>> sparsemax(torch.tensor([[0.6, 0.5, -1.0], [3.0, 0.0, 0.0]]))
    tensor([[0.5500, 0.4500, 0.0000],
            [1.0000, 0.0000, 0.0000]])
    """
    # The highest is subtracted, which changes nothing, so that large numbers keep their digits.
    if z.dtype == torch.bfloat16:
        z = z.float()
    z = z - z.amax(dim=1, keepdim=True)
    ordered = torch.sort(z, dim=1, descending=True).values
    counts = torch.arange(1, z.shape[1] + 1, dtype=z.dtype, device=z.device)
    positive = (1 + counts * ordered > ordered.cumsum(dim=1)).to(z.dtype)
    threshold = ((ordered * positive).sum(dim=1, keepdim=True) - 1) / positive.sum(dim=1, keepdim=True)
    return torch.relu(z - threshold)
