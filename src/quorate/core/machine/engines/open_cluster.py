"""The cluster that the settings name."""

from __future__ import annotations

from quorate.core.errors import WorkerError
from quorate.core.machine.engines.cluster import ClusterTasks
from quorate.core.machine.engines.dask_cluster import DaskCluster
from quorate.core.machine.engines.payload import Payload
from quorate.core.machine.engines.ray_cluster import RayCluster
from quorate.core.machine.worker import Work
from quorate.core.sections.engine import EngineSettings


def open_cluster(work: Work, engine: EngineSettings, workers: int) -> ClusterTasks:
    """Connect to a cluster, or start one on this machine, and send it the work.

    Args:
        work: does the tasks.
        engine: settings; `name` is not "local".
        workers: processes of a cluster that is started here, where the settings name no number.

    Raises:
        MissingExtraError: the library of the cluster is not installed.
        WorkerError: no cluster at the address, or work that cannot be sent.
    """
    payload = Payload.of(work)
    if payload is None:
        raise WorkerError(
            f"send the jobs to {engine.name}",
            found="a function or class that is defined inside another, which cannot be pickled",
            expected="functions and classes of modules that every worker can import",
            remedy='Move them into a module, or run on this machine: setting engine.name = "local".',
        )
    kind = DaskCluster if engine.name == "dask" else RayCluster
    return ClusterTasks(kind(payload, engine, engine.workers or workers), engine.retries)
