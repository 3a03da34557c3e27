"""Neural networks as members, with a common base class and training loop."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.models.networks.dlinear import DLinear as DLinear
    from quorate.models.networks.network_model import Network as Network
    from quorate.models.networks.nhits import NHiTS as NHiTS
    from quorate.models.networks.patchtst.member import PatchTST as PatchTST
    from quorate.models.networks.recurrent.lstm import LSTM as LSTM
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "dlinear": "DLinear",
            "recurrent.lstm": "LSTM",
            "network_model": "Network",
            "nhits": "NHiTS",
            "patchtst.member": "PatchTST",
        },
    )
