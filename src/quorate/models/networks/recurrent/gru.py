"""GRU: a recurrent network with gated units, which have no cell beside their state.

Cho and others, Learning Phrase Representations using RNN Encoder-Decoder, 2014 (arXiv 1406.1078), with the reset gate
after the product of the state, as in cuDNN.
"""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from quorate.models.networks.network_model import Network
from quorate.models.networks.recurrent.network import RecurrentConfig, RecurrentNetwork


class GRU(Network):
    """GRU as a member; by default one layer of 32 units over 24 bars."""

    name: ClassVar[str] = "gru"
    batch: ClassVar[int] = 32

    def _module(self, features: int) -> nn.Module:
        s = self.settings.gru
        config = RecurrentConfig(features, self.outputs, s.width, s.layers, s.dropout, s.head)
        return RecurrentNetwork(config, nn.GRU)
