"""Engines that run tasks on clusters, and the results of finished tasks on disk."""

from quorate.core.machine.engines.cluster import ClusterTasks as ClusterTasks
from quorate.core.machine.engines.kept_results import KeptResults as KeptResults
from quorate.core.machine.engines.open_cluster import open_cluster as open_cluster
from quorate.core.machine.engines.payload import Payload as Payload

__all__ = ["ClusterTasks", "KeptResults", "Payload", "open_cluster"]
