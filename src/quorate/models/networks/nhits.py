"""N-HiTS: neural hierarchical interpolation for time series.

Challu, Olivares, Oreshkin, Garza, Mergenthaler-Canseco and Dubrawski, N-HiTS, 2022 (arXiv 2201.12886). Each block reads
the residual of the blocks before it through its own max pooling (3.2) and predicts the coefficients of a backcast and a
forecast, which are interpolated to their full length (3.3). The backcast is subtracted from the window before the next
block; the forecasts are summed (3.1).

Shapes: B rows, L bars of a window, F features, H bars forecast, K knots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from quorate.core.errors import ModelError
from quorate.models.networks.interpolation import Interpolation, interpolation_matrix
from quorate.models.networks.network_model import Network


@dataclass(frozen=True, slots=True)
class NHiTSConfig:
    """Shape of the network. `pools`, `hidden` and `ratios` have one entry per stack, in order.

    Attributes:
        window: L.
        features: F; each block reads all of them together, and has a backcast of each.
        outputs: values that the block forecasts sum to, such as the logits of 3 classes; unused with a `horizon`.
        horizon: H, bars of a forecast of each feature; None for `outputs`.
        pools: kernel and stride of a stack's max pooling, bars; the oldest part may be shorter.
        hidden: width of a stack's perceptrons.
        ratios: bars per coefficient of a stack's forecast: the inverse of the expressiveness ratio.
        backcast_ratios: bars per coefficient of a stack's backcast; None for `ratios`. The authors' code uses 1.
        layers: hidden layers of each perceptron.
        blocks: of each stack.
        interpolation: between the coefficients.
        dropout: after each hidden layer.
        naive: add the last value of each feature to the forecast, as in the authors' code, so that the blocks forecast
            changes.

    Raises:
        ModelError: no stack, other than one entry per stack, or a pooling that is wider than the window.
    """

    window: int
    features: int
    outputs: int = 3
    horizon: int | None = None
    pools: tuple[int, ...] = (4, 2, 1)
    hidden: tuple[int, ...] = (512, 512, 512)
    ratios: tuple[int, ...] = (24, 12, 1)
    backcast_ratios: tuple[int, ...] | None = None
    layers: int = 2
    blocks: int = 1
    interpolation: Interpolation = "linear"
    dropout: float = 0.0
    naive: bool = True

    def __post_init__(self) -> None:
        stacks = {len(sizes) for sizes in (self.pools, self.hidden, self.ratios, self.backcast_ratios or self.ratios)}
        if len(stacks) != 1 or not self.pools:
            sizes = f"{len(self.pools)} pools, {len(self.hidden)} widths, {len(self.ratios)} ratios"
            raise ModelError("build nhits", found=sizes, expected="one of each per stack")
        if max(self.pools) > self.window:
            found = f"a pooling of {max(self.pools)} bars"
            raise ModelError("build nhits", found=found, expected=f"1 to the window's {self.window}")


class NHiTSNetwork(nn.Module):
    """The network: (B, L, F) float32 to (B, outputs), or to (B, H, F) with a horizon.

    Without a horizon the forecasts are not interpolated: the outputs, such as logits, are the sum of the block
    forecasts. The last block has no backcast, which would be unused.
    """

    def __init__(self, config: NHiTSConfig) -> None:
        super().__init__()
        self.config = config
        stacks = [stack for stack in range(len(config.pools)) for _ in range(config.blocks)]
        self.blocks = nn.ModuleList(
            NHiTSBlock(config, stack, last=number == len(stacks)) for number, stack in enumerate(stacks, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        _, forecasts = self.decompose(x)
        return sum(forecasts[1:], start=forecasts[0])

    def decompose(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Backcasts and forecasts of all blocks.

        Returns:
            Backcasts (B, L, F) of all blocks but the last; and forecasts whose sum is the output, beginning with the
            naive one if there is one.
        """
        residual = x.transpose(1, 2)  # (B, F, L)
        backcasts, forecasts = [], []
        if self.config.horizon is not None and self.config.naive:
            forecasts.append(x[:, -1:].expand(-1, self.config.horizon, -1))  # (B, H, F)
        for block in self.blocks:
            backcast, forecast = block(residual)
            forecasts.append(forecast)
            if backcast is not None:
                residual = residual - backcast
                backcasts.append(backcast.transpose(1, 2))
        return backcasts, forecasts


class NHiTSBlock(nn.Module):
    """One block: max pooling, perceptron, coefficients, interpolation.

    Maps a residual (B, F, L) to a backcast (B, F, L), None in the last block, and a forecast (B, H, F) or (B, outputs).
    """

    def __init__(self, config: NHiTSConfig, stack: int, *, last: bool) -> None:
        super().__init__()
        self.features, self.horizon = config.features, config.horizon
        self.pool = config.pools[stack]
        self.missing = -config.window % self.pool  # bars to pad at the oldest end
        width, layers = config.features * ((config.window + self.missing) // self.pool), []
        for _ in range(config.layers):
            layers += [nn.Linear(width, config.hidden[stack]), nn.ReLU()]
            if config.dropout:
                layers.append(nn.Dropout(config.dropout))
            width = config.hidden[stack]
        self.layers = nn.Sequential(*layers)
        self.backcast: Interpolated | None = None
        self.forecast: nn.Module
        if not last:
            ratio = (config.backcast_ratios or config.ratios)[stack]
            self.backcast = Interpolated(width, config.features, config.window, ratio, config.interpolation)
        if config.horizon is None:
            self.forecast = nn.Linear(width, config.outputs)
        else:
            ratio = config.ratios[stack]
            self.forecast = Interpolated(width, config.features, config.horizon, ratio, config.interpolation)

    def forward(self, residual: Tensor) -> tuple[Tensor | None, Tensor]:
        pooled = residual
        if self.missing:
            pooled = functional.pad(pooled, (self.missing, 0), value=float("-inf"))
        if self.pool > 1:
            pooled = functional.max_pool1d(pooled, self.pool)  # (B, F, ceil(L / pool))
        hidden = self.layers(pooled.flatten(1))  # (B, F * ceil(L / pool)) -> (B, hidden)
        backcast = None if self.backcast is None else self.backcast(hidden)
        forecast = self.forecast(hidden)
        return backcast, forecast if self.horizon is None else forecast.transpose(1, 2)


class Interpolated(nn.Module):
    """A series of each feature, interpolated from coefficients: (B, width) to (B, F, length).

    There are ceil(length / ratio) coefficients.
    """

    matrix: Tensor

    def __init__(self, width: int, features: int, length: int, ratio: int, kind: Interpolation) -> None:
        super().__init__()
        self.features, self.length = features, length
        self.knots = -(-length // ratio)
        self.coefficients = nn.Linear(width, features * self.knots)
        matrix = torch.from_numpy(interpolation_matrix(self.knots, length, kind)).float()
        self.register_buffer("matrix", matrix, persistent=False)  # (K, length), derived from the shape

    def forward(self, hidden: Tensor) -> Tensor:
        knots: Tensor = self.coefficients(hidden).reshape(-1, self.features, self.knots)  # (B, F * K) -> (B, F, K)
        return knots if self.knots == self.length else knots @ self.matrix


class NHiTS(Network):
    """N-HiTS as a member; by default three stacks of one block over 120 bars, from coarse to fine."""

    name: ClassVar[str] = "nhits"
    batch: ClassVar[int] = 64

    def _module(self, features: int) -> nn.Module:
        s = self.settings.nhits
        return NHiTSNetwork(
            NHiTSConfig(
                s.window,
                features,
                self.outputs,
                pools=s.pools,
                hidden=s.hidden,
                ratios=s.ratios,
                layers=s.layers,
                blocks=s.blocks,
                interpolation=s.interpolation,
                dropout=s.dropout,
            )
        )
