"""Jobs on a cluster of Ray (https://docs.ray.io), by its tasks; an actor collects their reports."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from quorate.core.errors import MissingExtraError
from quorate.core.machine.engines.address import require_reachable, unreachable
from quorate.core.machine.engines.cluster import EndedJob
from quorate.core.machine.engines.job import Sender, do_job
from quorate.core.machine.engines.payload import Payload
from quorate.core.sections.engine import EngineSettings

# Between two looks at reports, s.
_PAUSE_S = 0.3
# For a report to arrive, s; one that does not is no reason to end a job.
_REPORT_S = 5.0
# Memory for objects of a cluster that is started here, bytes: the payload, and as much again for results.
_STORE_BYTES = 200_000_000

_log = logging.getLogger(__name__)


class RayCluster:
    """Workers of Ray that share the payload.

    Args:
        payload: is put into the memory of the cluster, once for each machine.
        engine: settings.
        workers: processes of a cluster that is started here.

    Raises:
        MissingExtraError: Ray is not installed.
        WorkerError: no cluster at the address, or one without a processor.
    """

    name = "ray"

    def __init__(self, payload: Payload, engine: EngineSettings, workers: int) -> None:
        if not engine.address and "ray" not in sys.modules:
            # Read when Ray is imported: with it, all processes of a cluster listen on 127.0.0.1 alone.
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "run jobs on ray", found=str(error), expected="ray", remedy="Run: pip install 'quorate[ray]'"
            ) from error
        if engine.address:
            require_reachable(engine)
        self._ray, self._engine, self._folder = ray, engine, ""
        # A program that is connected already keeps its connection.
        self._connected = not ray.is_initialized()
        if self._connected:
            self._connect(payload, workers)
        self._last_worker = time.monotonic()
        self._running: dict[Any, int] = {}
        try:
            self._size = self._processors()
            # A killed worker is known at once; `ClusterTasks` counts. Ray itself would repeat forever what runs out of
            # memory.
            self._job = ray.remote(num_cpus=1, max_retries=0)(run_on_ray)
            self._reports = ray.remote(num_cpus=0, max_restarts=-1)(JobReports).remote()
            self._sender = ray.put(Sender.here(same_machine=not engine.address))
            self._shared = ray.put(payload)
        except BaseException:
            self._disconnect()
            raise

    def limit(self) -> int:
        """One job for each processor."""
        return max(1, self._size if not self._engine.workers else min(self._size, self._engine.workers))

    def submit(self, number: int, job: bytes) -> None:
        """Begin a job."""
        self._running[self._job.remote(self._shared, job, self._sender, self._reports)] = number

    def wait(self, report: Callable[[bytes], None]) -> list[EndedJob]:
        """Wait for a moment; see `Cluster`."""
        try:
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_PAUSE_S)
        except (ConnectionError, self._ray.exceptions.RaySystemError) as error:
            raise unreachable(self._engine, f"that the connection was lost ({error})") from error
        # A job's reports have reached the actor before it ends.
        with suppress(self._ray.exceptions.RayActorError, self._ray.exceptions.GetTimeoutError):
            for content in self._ray.get(self._reports.take.remote(), timeout=_REPORT_S):
                report(content)
        if not ready:
            self._look()
        return [self._taken(each) for each in ready]

    def close(self) -> None:
        """End what is running, and the cluster if it was started here."""
        for each in self._running:
            self._ray.cancel(each, force=True)
        self._running.clear()
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._reports)
        self._disconnect()

    def _connect(self, payload: Payload, workers: int) -> None:
        """Connect to the cluster at the address, or start one."""
        ray, engine = self._ray, self._engine
        # Ray writes messages about killed workers to standard output, which holds the document of --json, and has no
        # option for it; they are in this program's own log.
        ray._private.worker._worker_logs_enabled = False
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        try:
            if engine.address:
                ray.init(address=engine.address, **quiet)
                return
            # The names of Ray's sockets must be short: not below a folder that a user chose.
            self._folder = tempfile.mkdtemp(prefix="quorate-ray-")
            ray.init(
                address="local",
                num_cpus=workers,
                include_dashboard=False,
                object_store_memory=_STORE_BYTES + 2 * payload.size,
                _temp_dir=self._folder,
                **quiet,
            )
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            raise unreachable(engine, f"that Ray cannot connect ({error})") from error

    def _disconnect(self) -> None:
        if self._connected:
            self._ray.shutdown()
        if self._folder:
            # Processes that are ending may still write their logs into it; what then stays is a few of them.
            shutil.rmtree(self._folder, ignore_errors=True)

    def _taken(self, reference: Any) -> EndedJob:
        """How a job ended."""
        errors, number = self._ray.exceptions, self._running.pop(reference)
        try:
            return EndedJob(number, self._ray.get(reference))
        except (
            errors.WorkerCrashedError,
            errors.OutOfMemoryError,
            errors.NodeDiedError,
            errors.LocalRayletDiedError,
            errors.ObjectLostError,
        ) as error:
            return EndedJob(number, deaths=1, reason=_first_line(error))
        except errors.RayError as error:  # such as a module that a worker does not have
            return EndedJob(number, reason=_first_line(error))

    def _look(self) -> None:
        """See whether the cluster still has a worker."""
        found = self._processors()
        if found:
            self._size, self._last_worker = found, time.monotonic()
        elif time.monotonic() - self._last_worker > self._engine.timeout_s:
            raise unreachable(self._engine, f"no processor for {self._engine.timeout_s:g} s")

    def _processors(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 0))


class JobReports:
    """Actor that holds reports until the program that waits for the jobs takes them."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def put(self, content: bytes) -> None:
        """Take a report of a job."""
        self._held.append(content)

    def take(self) -> list[bytes]:
        """The reports since the last call, in order."""
        taken, self._held = self._held, []
        return taken


def run_on_ray(payload: Payload, job: bytes, sender: Sender, reports: Any) -> bytes:
    """A job in a worker of Ray."""
    import ray

    def send(content: bytes) -> None:
        try:
            ray.get(reports.put.remote(content), timeout=_REPORT_S)
        except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError) as error:
            _log.warning("a report of progress was lost: %s", error)

    return do_job(payload, job, sender, send)


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
