"""A cluster of Dask on this machine, in a program of its own that ends with the one that started it.

It is no part of the starting program: what that program's main module does when it is imported would be done again in
every worker.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
import time

from quorate.core.errors import WorkerError

_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from quorate.core.machine.engines.local_dask import serve; serve(int(sys.argv[2]))"
)

# To close its workers, s, before it is killed.
_PATIENCE_S = 10.0


class LocalDask:
    """A scheduler and workers of one thread each on 127.0.0.1.

    Args:
        workers: processes.
        timeout_s: for the start.

    Attributes:
        address: of the scheduler.

    Raises:
        WorkerError: it did not start.
    """

    def __init__(self, workers: int, timeout_s: float) -> None:
        command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), str(workers)]
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with a program of this file
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C is for the program that started it, which closes its standard input
        )
        self.address = self._read(timeout_s)

    def _read(self, timeout_s: float) -> str:
        stdout = self._process.stdout
        deadline = time.monotonic() + timeout_s
        while stdout is not None and time.monotonic() < deadline:
            if select.select([stdout], [], [], 0.2)[0]:
                line = stdout.readline().decode().strip()
                if not line:
                    break
                return line
        self.close()
        raise WorkerError(
            "start a dask cluster on this machine",
            found=f"no scheduler after {timeout_s:g} s, or an early end (exit code {self._process.returncode})",
            expected="its address",
            remedy="Try a longer setting engine.timeout_s, or start a cluster with `dask scheduler`.",
        )

    def close(self) -> None:
        """End it with its workers."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(workers: int) -> None:
    """Run a cluster, write its address to standard output, and end it at the end of standard input."""
    from distributed import LocalCluster

    with (
        tempfile.TemporaryDirectory(prefix="quorate-dask-", ignore_cleanup_errors=True) as folder,
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address=None,
            local_directory=folder,
            memory_limit=0,  # Dask would pause and kill workers by its own guess of what a job may use
            scheduler_kwargs={"allowed_failures": 0},  # a killed worker is known at once; `ClusterTasks` counts
        ) as cluster,
    ):
        print(cluster.scheduler_address, flush=True)  # noqa: T201 - read by the program that started this one
        sys.stdin.buffer.read()
