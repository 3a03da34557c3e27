"""LSTM: a recurrent network with long short-term memory.

Hochreiter and Schmidhuber, Long Short-Term Memory, 1997, with the forget gate of Gers and others, 2000.
"""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from quorate.models.networks.network_model import Network
from quorate.models.networks.recurrent.network import RecurrentConfig, RecurrentNetwork


class LSTM(Network):
    """LSTM as a member; by default one layer of 32 units over 24 bars."""

    name: ClassVar[str] = "lstm"
    batch: ClassVar[int] = 32

    def _module(self, features: int) -> nn.Module:
        s = self.settings.lstm
        config = RecurrentConfig(features, self.outputs, s.width, s.layers, s.dropout, s.head)
        return RecurrentNetwork(config, nn.LSTM)
