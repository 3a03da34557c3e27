"""A recurrent network over the newest bars: stacked layers and a head on the state at the newest bar."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class RecurrentConfig:
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
    """Stacked recurrent layers and a head on the state of the last one at the newest bar.

    Args:
        config: shape of the network.
        kind: of the layers, such as nn.LSTM.
    """

    def __init__(self, config: RecurrentConfig, kind: type[nn.LSTM | nn.GRU]) -> None:
        super().__init__()
        self.recurrence = kind(
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
        _, state = self.recurrence(x)
        newest = state[0] if isinstance(state, tuple) else state  # (layers, B, width); an LSTM has its cells beside it
        output: Tensor = self.head(newest[-1])
        return output
