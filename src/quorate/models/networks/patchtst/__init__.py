"""PatchTST: patching, attention, encoder, masked pre-training, and the network as a member."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.models.networks.patchtst.encoder import EncoderConfig as EncoderConfig
    from quorate.models.networks.patchtst.member import PatchTST as PatchTST
    from quorate.models.networks.patchtst.network import PatchTSTConfig as PatchTSTConfig
    from quorate.models.networks.patchtst.network import PatchTSTNetwork as PatchTSTNetwork
else:
    __getattr__, __all__ = deferred(
        __name__,
        {"encoder": "EncoderConfig", "member": "PatchTST", "network": "PatchTSTConfig PatchTSTNetwork"},
    )
