"""Temporal Fusion Transformer: gated layers, selection of columns, attention, and the network as a member."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.models.networks.tft.member import TFT as TFT
    from quorate.models.networks.tft.network import TFTConfig as TFTConfig
    from quorate.models.networks.tft.network import TFTNetwork as TFTNetwork
else:
    __getattr__, __all__ = deferred(__name__, {"member": "TFT", "network": "TFTConfig TFTNetwork"})
