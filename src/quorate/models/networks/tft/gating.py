"""Gated layers of the Temporal Fusion Transformer, for one input or for many with weights of their own.

Lim, Arik, Loeff and Pfister, Temporal Fusion Transformers, 2019 (arXiv 1912.09363), section 4.1.

Shapes: N rows (bars of all windows), R columns, D width of the model.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class GatedSkip(nn.Module):
    """A gated linear unit added to what goes past it, normalised: LayerNorm(skip + GLU(x)), equation 5.

    Args:
        inputs: width of x.
        outputs: width of the skip and of the result.
        dropout: of x.
    """

    def __init__(self, inputs: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.gate = nn.Linear(inputs, 2 * outputs)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        gated = functional.glu(self.gate(self.dropout(x)), dim=-1)
        normalised: Tensor = self.norm(skip + gated)
        return normalised


class GatedResidual(nn.Module):
    """The gated residual network (GRN), equations 2 to 4: (..., inputs) to (..., outputs).

    Args:
        inputs: width of the input.
        width: of its hidden layers.
        outputs: width of the result; other than `inputs`, the skip is a linear map.
        dropout: before the gate.
    """

    def __init__(self, inputs: int, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(inputs, width), nn.Linear(width, width)
        self.skip = nn.Linear(inputs, outputs) if inputs != outputs else nn.Identity()
        self.gated = GatedSkip(width, outputs, dropout)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.second(functional.elu(self.first(x)))
        made: Tensor = self.gated(hidden, self.skip(x))
        return made


class ColumnsLinear(nn.Module):
    """A linear map of each column by itself: (R, N, inputs) to (R, N, outputs)."""

    def __init__(self, columns: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = inputs**-0.5  # as of nn.Linear
        self.weight = nn.Parameter(torch.empty(columns, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(columns, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class ColumnsGatedResidual(nn.Module):
    """A gated residual network of each column by itself: (R, N, D) to (R, N, D)."""

    def __init__(self, columns: int, width: int, dropout: float) -> None:
        super().__init__()
        self.first, self.second = (ColumnsLinear(columns, width, width) for _ in range(2))
        self.dropout = nn.Dropout(dropout)
        self.gate = ColumnsLinear(columns, width, 2 * width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)  # columns have scales of their own
        self.scale = nn.Parameter(torch.ones(columns, 1, width))
        self.shift = nn.Parameter(torch.zeros(columns, 1, width))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.second(functional.elu(self.first(x)))
        gated = functional.glu(self.gate(self.dropout(hidden)), dim=-1)
        normalised: Tensor = self.norm(x + gated)
        return normalised * self.scale + self.shift
