"""Jobs on a cluster of Dask (https://distributed.dask.org), by the futures of `distributed`."""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from quorate.core.errors import MissingExtraError, WorkerError
from quorate.core.machine.engines.address import require_reachable, unreachable
from quorate.core.machine.engines.cluster import EndedJob
from quorate.core.machine.engines.job import Sender, do_job
from quorate.core.machine.engines.local_dask import LocalDask
from quorate.core.machine.engines.payload import Payload
from quorate.core.sections.engine import EngineSettings

if TYPE_CHECKING:
    from distributed import Future

# Between two looks at what else may have happened, s.
_PAUSE_S = 1.0


class DaskCluster:
    """Workers of Dask that hold the payload.

    Args:
        payload: is sent to every worker, once.
        engine: settings.
        workers: processes of a cluster that is started here.

    Raises:
        MissingExtraError: Dask is not installed.
        WorkerError: no cluster at the address, or one without a worker.
    """

    name = "dask"

    def __init__(self, payload: Payload, engine: EngineSettings, workers: int) -> None:
        try:
            from distributed import Client
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "run jobs on dask", found=str(error), expected="distributed", remedy="Run: pip install 'quorate[dask]'"
            ) from error
        if engine.address:
            require_reachable(engine)
        self._engine, self._payload = engine, payload
        self._sender = Sender.here(same_machine=not engine.address)
        self._own = None if engine.address else LocalDask(workers, engine.timeout_s)
        address = engine.address if self._own is None else self._own.address
        try:
            _require_scheduler(address, engine.timeout_s)
            self._client = Client(address, timeout=engine.timeout_s, set_as_default=False)
        except (OSError, TimeoutError, ValueError, ImportError) as error:
            if self._own is not None:
                self._own.close()
            raise unreachable(engine, f"no scheduler of Dask at {address} ({error})") from error
        # Filled by the thread of the client: reports and numbers of jobs, in the order in which they came.
        self._news: queue.SimpleQueue[bytes | int] = queue.SimpleQueue()
        self._topic = f"quorate-{payload.name}"
        self._running: dict[int, Future] = {}
        self._last_worker = time.monotonic()
        try:
            self._client.wait_for_workers(1 if self._own is None else workers, timeout=engine.timeout_s)
            self._client.subscribe_topic(self._topic, lambda event: self._news.put(event[1]))
            self._shared = self._scatter()
        except TimeoutError as error:
            self.close()
            raise unreachable(engine, f"no worker at {address} within {engine.timeout_s:g} s") from error
        except BaseException:
            self.close()
            raise
        self._size = len(self._client.nthreads())

    def limit(self) -> int:
        """One job for each worker, whatever threads it has, see `do_job`."""
        return max(1, self._size if not self._engine.workers else min(self._size, self._engine.workers))

    def submit(self, number: int, job: bytes) -> None:
        """Begin a job."""
        future = self._client.submit(
            run_on_dask, self._shared, job, self._sender, self._topic, key=f"{self._topic}-{number}", pure=False
        )
        self._running[number] = future
        future.add_done_callback(lambda _, number=number: self._news.put(number))

    def wait(self, report: Callable[[bytes], None]) -> list[EndedJob]:
        """Wait for a moment; see `Cluster`."""
        ended = []
        try:
            news = self._news.get(timeout=_PAUSE_S)
            while True:
                if isinstance(news, bytes):
                    report(news)
                elif news in self._running:
                    ended.append(self._taken(news))
                news = self._news.get_nowait()
        except queue.Empty:
            if not ended:
                self._look()
        return ended

    def close(self) -> None:
        """Cancel what is running, and end the cluster if it was started here."""
        if self._client.status == "running":
            self._client.cancel(list(self._running.values()), force=True)
        self._running.clear()
        self._client.close(timeout=self._engine.timeout_s)
        if self._own is not None:
            self._own.close()

    def _scatter(self) -> Future:
        # To all workers: those that come later fetch it from them.
        future: Any = self._client.scatter(self._payload, broadcast=True, hash=False)
        return future

    def _taken(self, number: int) -> EndedJob:
        """How a job ended."""
        from distributed import CancelledError
        from distributed.scheduler import KilledWorker

        future = self._running.pop(number)
        try:
            # What a job raises is its result: an error here is one of the cluster.
            return EndedJob(number, self._client.gather(future))
        except KilledWorker as error:
            killed = error.allowed_failures + 1
            return EndedJob(number, deaths=killed, reason=f"the last one at {error.last_worker.address}")
        except CancelledError as error:
            self._require_client()
            # The workers that held the payload are gone: it is sent again.
            self._shared = self._scatter()
            return EndedJob(number, deaths=1, reason=str(error) or "its data were lost")
        except Exception as error:  # noqa: BLE001 - such as a module that a worker does not have
            return EndedJob(number, reason=f"{type(error).__name__}: {error}")

    def _look(self) -> None:
        """See whether the cluster is still there."""
        self._require_client()
        found = len(self._client.nthreads())
        if found:
            self._size, self._last_worker = found, time.monotonic()
        elif time.monotonic() - self._last_worker > self._engine.timeout_s:
            raise unreachable(self._engine, f"no worker for {self._engine.timeout_s:g} s")

    def _require_client(self) -> None:
        if self._client.status != "running":
            raise WorkerError(
                "wait for jobs on dask",
                found=f"no connection to the scheduler (it is {self._client.status})",
                expected="a scheduler that runs until all jobs are done",
                remedy="Start it and this command again. Finished jobs are kept in the folder of engine.folder.",
            )


def _require_scheduler(address: str, timeout_s: float) -> None:
    """Check that a scheduler answers; a client would wait without limit for the greeting of a server that is none.

    Raises:
        OSError, TimeoutError, ValueError: no answer, or another one.
    """
    from distributed import Security
    from distributed.comm import connect

    async def greet() -> None:
        options = Security().get_connection_args("client")
        comm = await asyncio.wait_for(connect(address, timeout=timeout_s, **options), timeout_s)
        await comm.close()

    # In a thread of its own: a notebook runs this in the loop of its own.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, greet()).result()


def run_on_dask(payload: Payload, job: bytes, sender: Sender, topic: str) -> bytes:
    """A job in a worker of Dask."""
    from distributed import get_worker

    worker = get_worker()
    return do_job(payload, job, sender, lambda content: worker.log_event(topic, content))
