"""Neural networks as members: N-HiTS, PatchTST and LSTM, with a common base class and training loop."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.models.networks.lstm import LSTM as LSTM
    from quorate.models.networks.network_model import Network as Network
    from quorate.models.networks.nhits import NHiTS as NHiTS
    from quorate.models.networks.patchtst.member import PatchTST as PatchTST
else:
    __getattr__, __all__ = deferred(
        __name__, {"lstm": "LSTM", "network_model": "Network", "nhits": "NHiTS", "patchtst.member": "PatchTST"}
    )
