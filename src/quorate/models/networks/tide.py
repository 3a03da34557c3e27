"""TiDE: a dense encoder and decoder of residual blocks beside a linear map.

Das, Kong, Leach, Mathur, Sen and Yu, Long-term Forecasting with TiDE, 2023 (arXiv 2304.08424), section 4: a residual
block narrows the columns of each bar (feature projection), dense blocks encode the flattened window and decode it, and
a linear map of the window is added. In a forecast, another block makes each bar from its own part of what was decoded
(temporal decoder).

Shapes: B rows, L bars of a window, F features, H bars forecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from quorate.models.networks.network_model import Network
from quorate.models.networks.patchtst.revin import RevIN
from quorate.models.networks.scaling import near_prior


@dataclass(frozen=True, slots=True)
class TiDEConfig:
    """Shape of the network.

    Attributes:
        window: L.
        features: F.
        outputs: C.
        projected: columns of each bar after the feature projection.
        width: of the dense blocks.
        encoders, decoders: number of dense blocks.
        dropout: at the end of each block.
    """

    window: int
    features: int
    outputs: int
    projected: int = 4
    width: int = 48
    encoders: int = 1
    decoders: int = 1
    dropout: float = 0.3


class TiDENetwork(nn.Module):
    """The network of a member: (B, L, F) float32 to (B, outputs). All columns are covariates of the past."""

    def __init__(self, config: TiDEConfig) -> None:
        super().__init__()
        c = config
        self.projection = ResidualBlock(c.features, c.width, c.projected, c.dropout)
        widths = [c.window * c.projected] + [c.width] * (c.encoders + c.decoders)
        self.dense = _dense(widths, c.width, c.dropout)
        self.head = near_prior(nn.Linear(c.width, c.outputs))
        self.linear = near_prior(nn.Linear(c.window * c.features, c.outputs))

    def forward(self, x: Tensor) -> Tensor:
        encoded = self.dense(self.projection(x).flatten(1))
        output: Tensor = self.head(encoded) + self.linear(x.flatten(1))
        return output


@dataclass(frozen=True, slots=True)
class TiDEForecastConfig:
    """Shape of a forecast of each feature by itself, without covariates.

    Attributes:
        window: L.
        features: F.
        horizon: H.
        width: of the dense blocks.
        encoders, decoders: number of dense blocks.
        decoded: values of each bar that the temporal decoder reads.
        temporal: width of the temporal decoder.
        dropout: at the end of each block.
    """

    window: int
    features: int
    horizon: int
    width: int = 256
    encoders: int = 2
    decoders: int = 2
    decoded: int = 8
    temporal: int = 128
    dropout: float = 0.3


class TiDEForecast(nn.Module):
    """The network of the paper: (B, L, F) float32 to (B, H, F), each feature normalised over its window."""

    def __init__(self, config: TiDEForecastConfig) -> None:
        super().__init__()
        c = config
        self.revin = RevIN(c.features, affine=True)
        widths = [c.window] + [c.width] * (c.encoders + c.decoders - 1) + [c.decoded * c.horizon]
        self.dense = _dense(widths, c.width, c.dropout)
        # As published, it ends in a layer normalisation, which of one value leaves its learned shift alone.
        self.temporal = ResidualBlock(c.decoded, c.temporal, 1, c.dropout)
        self.linear = nn.Linear(c.window, c.horizon)
        self.decoded = c.decoded

    def forward(self, x: Tensor) -> Tensor:
        normalised, statistics = self.revin(x)
        series = normalised.transpose(1, 2)  # (B, F, L)
        decoded = self.dense(series).unflatten(2, (-1, self.decoded))  # (B, F, H, decoded)
        forecast = self.temporal(decoded).squeeze(3) + self.linear(series)  # (B, F, H)
        restored: Tensor = self.revin.restore(forecast.transpose(1, 2), statistics)
        return restored


class ResidualBlock(nn.Module):
    """A hidden layer beside a linear map, then layer normalisation: (..., inputs) to (..., outputs)."""

    def __init__(self, inputs: int, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.skip = nn.Linear(inputs, outputs)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.relu(self.hidden(x))
        normalised: Tensor = self.norm(self.dropout(self.out(hidden)) + self.skip(x))
        return normalised


def _dense(widths: list[int], hidden: int, dropout: float) -> nn.Sequential:
    """Residual blocks from each width to the next."""
    return nn.Sequential(*(ResidualBlock(one, hidden, other, dropout) for one, other in pairwise(widths)))


class TiDE(Network):
    """TiDE as a member; by default two dense blocks over four projected columns of 24 bars."""

    name: ClassVar[str] = "tide"
    batch: ClassVar[int] = 64

    def _module(self, features: int) -> nn.Module:
        s = self.settings.tide
        return TiDENetwork(
            TiDEConfig(
                s.window,
                features,
                self.outputs,
                projected=s.projected,
                width=s.width,
                encoders=s.encoders,
                decoders=s.decoders,
                dropout=s.dropout,
            )
        )
