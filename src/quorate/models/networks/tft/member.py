"""The Temporal Fusion Transformer as a member."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from quorate.models.networks.network_model import Network
from quorate.models.networks.tft.network import TFTConfig, TFTNetwork


class TFT(Network):
    """TFT as a member; by default of width 16, with two heads, over 24 bars."""

    name: ClassVar[str] = "tft"
    batch: ClassVar[int] = 128

    def _module(self, features: int) -> nn.Module:
        s = self.settings.tft
        return TFTNetwork(TFTConfig(s.window, features, self.outputs, s.width, s.heads, s.dropout))
