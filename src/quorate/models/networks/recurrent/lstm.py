"""LSTM: a recurrent network over the newest bars.

Hochreiter and Schmidhuber, Long Short-Term Memory, 1997, with the forget gate of Gers and others, 2000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from quorate.models.networks.network_model import Network


@dataclass(frozen=True, slots=True)
class LSTMConfig:
    """Shape of the network.

    Attributes:
        features, outputs: F and C.
        width: of the state of each layer.
        layers: number of stacked layers.
        dropout: between the layers, and before the head.
        head: width of the hidden layer between the state and the outputs.
    """

    features: int
    outputs: int
    width: int = 128
    layers: int = 2
    dropout: float = 0.2
    head: int = 64


class RecurrentNetwork(nn.Module):
    """Stacked LSTM layers and a head on the state at the newest bar."""

    def __init__(self, config: LSTMConfig) -> None:
        super().__init__()
        self.recurrence = nn.LSTM(
            config.features,
            config.width,
            config.layers,
            batch_first=True,
            # torch warns of dropout with a single layer.
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.head = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(config.width, config.head),
            nn.ReLU(),
            nn.Linear(config.head, config.outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, F) -> (B, C)."""
        _, (newest, _) = self.recurrence(x)  # (layers, B, width)
        output: Tensor = self.head(newest[-1])
        return output


class LSTM(Network):
    """LSTM as a member; by default two layers of 128 units over 24 bars."""

    name: ClassVar[str] = "lstm"
    batch: ClassVar[int] = 32

    def _module(self, features: int) -> nn.Module:
        s = self.settings.lstm
        return RecurrentNetwork(LSTMConfig(features, self.outputs, s.width, s.layers, s.dropout, s.head))
