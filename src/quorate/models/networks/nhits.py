"""N-HiTS: neural hierarchical interpolation for time series.

Challu, Olivares, Oreshkin, Garza, Mergenthaler-Canseco and Dubrawski, N-HiTS, 2022 (arXiv 2201.12886). Each block looks
at what the blocks before it have left unexplained, through a max pooling of its own (3.2), and says in few coefficients
what it explains of the window and what it forecasts; both are interpolated to their full length (3.3). What it explains
is taken off the window before the next block looks; what it forecasts is added up (3.1).

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
    """The network's shape. `pools`, `hidden` and `ratios` have one entry a stack, the first stack's first.

    Attributes:
        window: L.
        features: F; each block reads all of them together, and explains each of them.
        outputs: values the blocks' forecasts add up to, such as the logits of 3 classes; read where `horizon` is None.
        horizon: H, for a network that goes on with each feature.
        pools: kernel and stride of a stack's max pooling, bars; the newest bars fill their part, the oldest may not.
        hidden: width of a stack's perceptrons.
        ratios: bars for each coefficient of a stack's forecast: the inverse of the expressiveness ratio.
        backcast_ratios: the same of what it explains of the window; None for `ratios`. The authors' code gives every
            bar its own coefficient there, which is a ratio of 1.
        layers: hidden ones of each perceptron.
        blocks: of each stack.
        interpolation: between the coefficients.
        dropout: after each hidden layer.
        naive: forecasts start from each feature's last value, as the authors' do, so that the blocks forecast changes.

    Raises:
        ModelError: no stack, not one entry for each, or a pooling that is wider than the window.
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
        stacks = {len(each) for each in (self.pools, self.hidden, self.ratios, self.backcast_ratios or self.ratios)}
        if len(stacks) != 1 or not self.pools:
            sizes = f"{len(self.pools)} pools, {len(self.hidden)} widths, {len(self.ratios)} ratios"
            raise ModelError("build nhits", found=sizes, expected="one of each for every stack")
        if max(self.pools) > self.window:
            found = f"a pooling of {max(self.pools)} bars"
            raise ModelError("build nhits", found=found, expected=f"1 to the window's {self.window}")


class NHiTSNetwork(nn.Module):
    """The network: (B, L, F) float32 to (B, outputs), or to (B, H, F) with a horizon.

    Without a horizon there is nothing to interpolate: a block's forecast is its share of the outputs, the logits say,
    and they start from 0. The last block has no backcast, since nothing would read it.
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
        """What each block explains of the window and what it forecasts.

        Returns:
            Backcasts (B, L, F), one for each block but the last; and forecasts whose sum is the output, before them
            the naive one if there is one.
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
    """One block: pool, perceptron, coefficients, interpolation.

    (B, F, L) of what is left to a backcast (B, F, L), or None of the last block, and a forecast (B, H, F) or
    (B, outputs).
    """

    def __init__(self, config: NHiTSConfig, stack: int, *, last: bool) -> None:
        super().__init__()
        self.features, self.horizon = config.features, config.horizon
        self.pool = config.pools[stack]
        self.missing = -config.window % self.pool  # bars that the oldest part of the window lacks
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
    """A stretch of each feature from few coefficients: (B, width) to (B, F, length).

    The coefficients are one for every `ratio` bars, and one more for what is left over: ceil(length / ratio).
    """

    matrix: Tensor

    def __init__(self, width: int, features: int, length: int, ratio: int, kind: Interpolation) -> None:
        super().__init__()
        self.features, self.length = features, length
        self.knots = -(-length // ratio)
        self.coefficients = nn.Linear(width, features * self.knots)
        matrix = torch.from_numpy(interpolation_matrix(self.knots, length, kind)).float()
        self.register_buffer("matrix", matrix, persistent=False)  # (K, length): known from the shape

    def forward(self, hidden: Tensor) -> Tensor:
        knots: Tensor = self.coefficients(hidden).reshape(-1, self.features, self.knots)  # (B, F * K) -> (B, F, K)
        return knots if self.knots == self.length else knots @ self.matrix


class NHiTS(Network):
    """Three stacks of one block over 120 bars, from coarse to fine, unless the settings say otherwise."""

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
