"""Networks of single rows as members."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.models.networks.tabular.tabm import TabM as TabM
    from quorate.models.networks.tabular.tabnet import TabNet as TabNet
    from quorate.models.networks.tabular.tabular_network import TabularNetwork as TabularNetwork
else:
    __getattr__, __all__ = deferred(__name__, {"tabm": "TabM", "tabnet": "TabNet", "tabular_network": "TabularNetwork"})
