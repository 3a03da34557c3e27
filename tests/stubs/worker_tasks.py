"""Tasks that a worker process can import."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quorate.core.errors import DataError


@dataclass(frozen=True, eq=False)
class Summed:
    rows: np.ndarray

    def __call__(self, key, given, report):
        return self.rows[key:].sum()


@dataclass(frozen=True, eq=False)
class Address:
    rows: np.ndarray

    def __call__(self, key, given, report):
        time.sleep(0.3)
        # Pages of a mapped file that nobody has written to are shared.
        return os.getpid(), self.rows.flags.writeable, self.rows.flags.aligned


def counted(key, given, report):
    return given + 1


def reported(key, given, report):
    for done in range(1, 201):
        report(f"stage {key}", done, 200)


def refused(key, given, report):
    if key == 1:
        raise DataError("read it", found="nothing", remedy="Look elsewhere.")
    time.sleep(60.0)


class TwoPartError(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def unpicklable(key, given, report):
    raise TwoPartError("the reason", "another")


def killed(key, given, report):
    os.kill(os.getpid(), signal.SIGKILL)


def killed_once(key, given, report):
    if given is not None and not given.exists():
        given.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * key


def poisoned(key, given, report):
    if key == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * key


def refuses_one(key, given, report):
    if key == 1:
        raise DataError("read it", found="nothing", remedy="Look elsewhere.")
    return 2 * key


def slow(key, given, report):
    for done in range(3_000):
        report("began", done, -1)
        time.sleep(0.1)


@dataclass(frozen=True)
class KilledOnce:
    """Its process is killed the first so many times that a key is done."""

    folder: Path
    times: int = 1
    rows: np.ndarray | None = None

    def __call__(self, key, given, report):
        marks = [self.folder / f"{key}-{number}" for number in range(self.times)]
        for mark in marks:
            if key == 1 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid(), None if self.rows is None else self.rows.sum()
