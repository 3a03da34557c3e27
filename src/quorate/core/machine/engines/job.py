"""One job in a process of a cluster."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from quorate.core.errors import WorkerError
from quorate.core.machine.engines.payload import Payload
from quorate.core.machine.worker import ERROR, INSIDE, RESULT, Work, portable, throttled
from quorate.core.version import code_digest, versions

# A worker of Dask may have several threads. Libraries draw random numbers and count threads for a whole process: with
# two fits at once neither would have the result of a fit alone.
_ONE_AT_A_TIME = threading.Lock()

# At most so often does a job report, s, over a network; its last report of a stage always comes through.
_EVERY_S = 0.5

# The work of the newest run, which all its jobs in this process share.
_loaded: dict[str, Work] = {}


def fingerprint() -> dict[str, str]:
    """What the bytes of a result depend on beside the job: the source of Quorate and the versions of libraries."""
    return {"quorate source": code_digest()[:16], **versions()}


@dataclass(frozen=True, slots=True)
class Sender:
    """The program that sends jobs and waits for their results.

    Attributes:
        versions: its `fingerprint`.
        path: where it finds modules; empty for workers that have their own, on other machines.
    """

    versions: dict[str, str]
    path: tuple[str, ...] = ()

    @classmethod
    def here(cls, *, same_machine: bool) -> Self:
        """This program."""
        return cls(fingerprint(), tuple(map(os.path.abspath, sys.path)) if same_machine else ())


def do_job(payload: Payload, job: bytes, sender: Sender, send: Callable[[bytes], None]) -> bytes:
    """Do a job; an error of the job is its result.

    Args:
        payload: what does the jobs.
        job: its pickled key and what it is given.
        sender: of the job.
        send: takes pickled reports.

    Returns:
        A pickled pair: "result" and the result, or "error" and the error.
    """
    with _ONE_AT_A_TIME:
        os.environ[INSIDE] = "1"  # a job has no workers of its own
        try:
            sys.path.extend(folder for folder in sender.path if folder not in sys.path)
            _require_same(sender.versions)
            key, given = pickle.loads(job)  # noqa: S301 - of this program
            report = throttled(lambda content: send(pickle.dumps(content)), _EVERY_S)
            return pickle.dumps((RESULT, _work(payload)(key, given, report)), protocol=5)
        except Exception as error:  # noqa: BLE001 - it is raised in the process that waits for the result
            return pickle.dumps((ERROR, portable(error)))


def _work(payload: Payload) -> Work:
    if payload.name not in _loaded:
        _loaded.clear()
        _loaded[payload.name] = payload.load()
    return _loaded[payload.name]


def _require_same(expected: dict[str, str]) -> None:
    own = fingerprint()
    other = [
        f"{name} {own.get(name, 'missing')} instead of {expected.get(name, 'missing')}"
        for name in sorted(own.keys() | expected.keys())
        if own.get(name) != expected.get(name)
    ]
    if other:
        raise WorkerError(
            "run a job on this worker",
            found=", ".join(other),
            expected="the same source and versions as in the program that sends the job",
            remedy="Install the same release with the same constraints.txt on every machine of the cluster.",
        )
