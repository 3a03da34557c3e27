"""MiniRocket: fixed convolutions, shares of positive values, and a linear head."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.models.networks.minirocket.member import MiniRocket as MiniRocket
    from quorate.models.networks.minirocket.transform import MiniRocketConfig as MiniRocketConfig
    from quorate.models.networks.minirocket.transform import MiniRocketTransform as MiniRocketTransform
else:
    __getattr__, __all__ = deferred(
        __name__, {"member": "MiniRocket", "transform": "MiniRocketConfig MiniRocketTransform"}
    )
