"""Division of the channels of a window into patches, and their embedding.

Nie et al., A Time Series is Worth 64 Words, 2023 (arXiv 2211.14730), section 3.1.
"""

from __future__ import annotations

import math
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

Embedding = Literal["linear", "convolution"]
Positions = Literal["learnable", "sinusoidal"]


def patch_count(window: int, patch: int, stride: int, *, end_padding: bool) -> int:
    """N, the number of patches of a window.

    >>> patch_count(336, 16, 8, end_padding=True), patch_count(120, 12, 12, end_padding=False)
    (42, 10)
    """
    return (window - patch) // stride + (2 if end_padding else 1)


def align(x: Tensor, patch: int, stride: int, *, end_padding: bool) -> Tensor:
    """Pad or cut (B, F, L) to the (B, F, L') bars that the patches cover.

    With end padding the newest bar is repeated `stride` times, as published. Bars that do not fill a patch are cut at
    the oldest end, so that the newest bar is always read.
    """
    window = int(x.shape[-1])
    count = patch_count(window, patch, stride, end_padding=end_padding)
    if end_padding:
        x = torch.cat([x, x[..., -1:].expand(*x.shape[:-1], stride)], dim=-1)
    covered = (count - 1) * stride + patch
    return x[..., int(x.shape[-1]) - covered :]


def cut(x: Tensor, patch: int, stride: int) -> Tensor:
    """(S, L') aligned sequences as (S, N, P) patches, oldest first.

    >>> cut(torch.arange(5.0)[None], 3, 2).tolist()
    [[[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]]
    """
    if patch == stride:  # without overlap, a view
        return x.reshape(-1, int(x.shape[1]) // patch, patch)
    return x.unfold(-1, patch, stride)


def sinusoidal(count: int, width: int) -> Tensor:
    """(N, D) sines in the even columns and cosines in the odd ones, wavelengths from 2 pi to 10,000 x 2 pi.

    Vaswani et al., Attention Is All You Need, 2017, section 3.5.

    >>> sinusoidal(1, 4).tolist()
    [[0.0, 1.0, 0.0, 1.0]]
    """
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angle = torch.arange(count)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], dim=-1).reshape(count, -1)[:, :width]


class PatchEmbedding(nn.Module):
    """(S, L') aligned sequences of one channel to (S, N, D) tokens with position embedding; all share the weights.

    Args:
        patch: P bars of a patch.
        stride: bars between the starts of two patches; patches overlap if it is less than P.
        count: N patches.
        width: D.
        embedding: "linear" multiplies each patch by a matrix; "convolution" applies a kernel of P bars to the channel.
            Both represent the same functions.
        positions: "learnable", initialised uniformly in ±0.02; "sinusoidal", fixed.
    """

    positions: Tensor

    def __init__(
        self, patch: int, stride: int, count: int, width: int, embedding: Embedding, positions: Positions
    ) -> None:
        super().__init__()
        self.patch = patch
        self.stride = stride
        self.project: nn.Linear | nn.Conv1d = (
            nn.Linear(patch, width) if embedding == "linear" else nn.Conv1d(1, width, patch, stride)
        )
        if positions == "learnable":
            self.positions = nn.Parameter(torch.empty(count, width).uniform_(-0.02, 0.02))
        else:
            self.register_buffer("positions", sinusoidal(count, width), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.project, nn.Conv1d):
            tokens: Tensor = self.project(x[:, None]).transpose(1, 2)  # (S, 1, L') -> (S, D, N) -> (S, N, D)
            return tokens + self.positions.to(tokens.dtype)
        return self.embed(cut(x, self.patch, self.stride))

    def embed(self, patches: Tensor) -> Tensor:
        """(S, N, P) patches to (S, N, D) tokens."""
        tokens = functional.linear(patches, self.project.weight.reshape(-1, self.patch))  # a kernel is (D, 1, P)
        offset = cast("Tensor", self.project.bias) + self.positions
        # In the precision of the tokens: float32 positions would make everything after them float32.
        return tokens + offset.to(tokens.dtype)
