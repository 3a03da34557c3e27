"""DLinear: a linear map of the trend of each column, and one of what is left of it.

Zeng, Chen, Zhang and Xu, Are Transformers Effective for Time Series Forecasting?, 2022 (arXiv 2205.13504), section 4:
a moving average is the trend, the rest is the seasonal part; a linear layer maps each from the window to the forecast,
and both are summed. The layers are shared between the columns, or each column has its own.

Shapes: B rows, L bars of a window, F features, H bars forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from quorate.core.types import FloatArray
from quorate.models.networks.network_model import Network
from quorate.models.networks.scaling import near_prior


@dataclass(frozen=True, slots=True)
class DLinearConfig:
    """Shape of the network.

    Attributes:
        window: L.
        features: F.
        outputs: C, values that a linear head makes of all columns; unused with a `horizon`.
        horizon: H, bars of a forecast of each feature; None for `outputs`.
        width: values that each column is mapped to before the head; unused with a `horizon`.
        kernel: bars of the moving average.
        individual: layers of its own for each column.
    """

    window: int
    features: int
    outputs: int = 3
    horizon: int | None = None
    width: int = 8
    kernel: int = 25
    individual: bool = False


class DLinearNetwork(nn.Module):
    """The network: (B, L, F) float32 to (B, outputs), or to (B, H, F) with a horizon."""

    average: Tensor

    def __init__(self, config: DLinearConfig) -> None:
        super().__init__()
        self.config = config
        length = config.width if config.horizon is None else config.horizon
        columns = config.features if config.individual else None
        average = torch.from_numpy(moving_average(config.window, config.kernel)).float()
        self.register_buffer("average", average, persistent=False)  # (L, L), derived from the shape
        self.trend = ColumnLinear(config.window, length, columns)
        self.seasonal = ColumnLinear(config.window, length, columns)
        self.head = near_prior(nn.Linear(config.features * length, config.outputs)) if config.horizon is None else None

    def forward(self, x: Tensor) -> Tensor:
        series = x.transpose(1, 2)  # (B, F, L)
        trend = series @ self.average
        mapped: Tensor = self.trend(trend) + self.seasonal(series - trend)  # (B, F, H or width)
        if self.head is None:
            return mapped.transpose(1, 2)
        output: Tensor = self.head(mapped.flatten(1))
        return output


class ColumnLinear(nn.Module):
    """A linear map along the bars of each column: (B, F, L) to (B, F, length).

    Args:
        window: L.
        length: values that each column is mapped to.
        columns: F, to give each column a map of its own; None for a shared one.
    """

    def __init__(self, window: int, length: int, columns: int | None) -> None:
        super().__init__()
        each, bound = () if columns is None else (columns,), window**-0.5  # as of nn.Linear
        self.weight = nn.Parameter(torch.empty(*each, window, length).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(*each, length).uniform_(-bound, bound))

    def forward(self, series: Tensor) -> Tensor:
        if self.weight.ndim == 2:
            return series @ self.weight + self.bias
        return (series.unsqueeze(2) @ self.weight).squeeze(2) + self.bias  # (B, F, 1, L) by (F, L, length)


def moving_average(window: int, kernel: int) -> FloatArray:
    """A centred moving average as a matrix: (B, L) rows times it are their averages.

    Beyond its ends a window continues with its oldest and newest bar, as in the authors' code.

    Args:
        window: L.
        kernel: bars averaged; an even number takes one bar more of the past than of the future within the window.

    Returns:
        (L, L) float64; each column sums to 1.

    >>> moving_average(3, 3).round(2)
    array([[0.67, 0.33, 0.  ],
           [0.33, 0.33, 0.33],
           [0.  , 0.33, 0.67]])
    """
    matrix, place = np.zeros((window, window)), np.arange(window)
    for offset in range(-(kernel // 2), kernel - kernel // 2):
        np.add.at(matrix, (np.clip(place + offset, 0, window - 1), place), 1 / kernel)
    return matrix


class DLinear(Network):
    """DLinear as a member; a linear head makes classes or a return of all mapped columns."""

    name: ClassVar[str] = "dlinear"
    batch: ClassVar[int] = 256

    def _module(self, features: int) -> nn.Module:
        s = self.settings.dlinear
        return DLinearNetwork(
            DLinearConfig(s.window, features, self.outputs, width=s.width, kernel=s.kernel, individual=s.individual)
        )
