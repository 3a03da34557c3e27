"""Neural networks as members, with a common base class and training loop."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.models.networks.dlinear import DLinear as DLinear
    from quorate.models.networks.inception import Inception as Inception
    from quorate.models.networks.minirocket.member import MiniRocket as MiniRocket
    from quorate.models.networks.network_model import Network as Network
    from quorate.models.networks.nhits import NHiTS as NHiTS
    from quorate.models.networks.patchtst.member import PatchTST as PatchTST
    from quorate.models.networks.recurrent.gru import GRU as GRU
    from quorate.models.networks.recurrent.lstm import LSTM as LSTM
    from quorate.models.networks.tcn import TCN as TCN
    from quorate.models.networks.tft.member import TFT as TFT
    from quorate.models.networks.tide import TiDE as TiDE
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "dlinear": "DLinear",
            "inception": "Inception",
            "minirocket.member": "MiniRocket",
            "network_model": "Network",
            "nhits": "NHiTS",
            "patchtst.member": "PatchTST",
            "recurrent.gru": "GRU",
            "recurrent.lstm": "LSTM",
            "tcn": "TCN",
            "tft.member": "TFT",
            "tide": "TiDE",
        },
    )
