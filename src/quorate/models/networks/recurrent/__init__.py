"""Recurrent networks as members."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.models.networks.recurrent.gru import GRU as GRU
    from quorate.models.networks.recurrent.lstm import LSTM as LSTM
    from quorate.models.networks.recurrent.network import RecurrentConfig as RecurrentConfig
    from quorate.models.networks.recurrent.network import RecurrentNetwork as RecurrentNetwork
else:
    __getattr__, __all__ = deferred(
        __name__, {"gru": "GRU", "lstm": "LSTM", "network": "RecurrentConfig RecurrentNetwork"}
    )
