"""What the processes of the machine use: processor time by process, from Linux's /proc.

https://docs.kernel.org/filesystems/proc.html. Elsewhere there is no such folder, and nothing counts as used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from quorate.core.machine.cores import affinity, allowed_cores

_ROOT = Path("/")
_INTERVAL_S = 0.25

# Fields of /proc/PID/stat after the name, from 0: parent, user and system time in ticks, start in ticks after boot.
_PARENT, _USER, _SYSTEM, _START = 1, 11, 12, 19
# Fields of a line of /proc/stat that are idle: idle and waiting for a disk. Time of guests is in user time already.
_IDLE, _GUEST = (3, 4), 8


class Process(NamedTuple):
    """One process: parent, name, and processor time since its start in s."""

    parent: int
    name: str
    seconds: float


class Other(NamedTuple):
    """A process beside this one and its children, and the cores that it used."""

    pid: int
    name: str
    cores: float


@dataclass(frozen=True, slots=True)
class Load:
    """Processor time of all processes up to a moment.

    Attributes:
        at: the moment, s.
        busy: processor time since boot that was not idle, over the cores that this process may use, s.
        processes: (number, start in ticks) -> the process; those that may be seen.
    """

    at: float
    busy: float = 0.0
    processes: Mapping[tuple[int, int], Process] = field(default_factory=dict)

    @classmethod
    def now(cls, root: Path = _ROOT, clock: Callable[[], float] = time.monotonic) -> Self:
        """Read the load.

        Args:
            root: folder with proc/, for tests.
            clock: returns seconds.
        """
        processes = {}
        for path in (root / "proc").glob("[0-9]*/stat"):
            try:
                text = path.read_text(errors="replace")
            except OSError:  # it has ended
                continue
            # The name is in brackets, and may hold brackets and spaces.
            before, _, rest = text.rpartition(")")
            words = rest.split()
            if len(words) <= _START:
                continue
            seconds = (int(words[_USER]) + int(words[_SYSTEM])) / _ticks()
            key = (int(path.parent.name), int(words[_START]))
            processes[key] = Process(int(words[_PARENT]), before.partition("(")[2], seconds)
        return cls(clock(), _busy(root), processes)

    def since(self, before: Load) -> tuple[list[Other], float]:
        """What others used since an earlier moment: the processes, the busiest first, and the cores of all of them.

        The second number also counts processes that cannot be seen from inside a container.
        """
        elapsed = max(self.at - before.at, 1e-9)
        mine = self._family(os.getpid())
        used = {
            key: (process.seconds - (before.processes[key].seconds if key in before.processes else 0.0)) / elapsed
            for key, process in self.processes.items()
        }
        others = [Other(key[0], self.processes[key].name, cores) for key, cores in used.items() if key[0] not in mine]
        own = sum(cores for key, cores in used.items() if key[0] in mine)
        seen = sum(other.cores for other in others)
        everyone = (self.busy - before.busy) / elapsed
        return sorted(others, key=lambda other: -other.cores), max(seen, everyone - own, 0.0)

    def _family(self, pid: int) -> set[int]:
        """A process and those that it started, and they started."""
        children: dict[int, list[int]] = {}
        for (number, _), process in self.processes.items():
            children.setdefault(process.parent, []).append(number)
        found, open_ = {pid}, [pid]
        while open_:
            for child in children.get(open_.pop(), ()):
                if child not in found:
                    found.add(child)
                    open_.append(child)
        return found


def free_cores(
    root: Path = _ROOT,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> float:
    """Cores that this process may use and that others leave free, measured over a quarter of a second.

    Args:
        root: folder with proc/ and sys/, for tests.
        sleep: waits for seconds.
        clock: returns seconds.
    """
    before = Load.now(root, clock)
    sleep(_INTERVAL_S)
    _, used = Load.now(root, clock).since(before)
    return max(0.0, min(allowed_cores(root), affinity() - used))


def free_workers(size: int, root: Path = _ROOT, sleep: Callable[[float], None] = time.sleep) -> int:
    """Number of processes that free cores and free memory are enough for, at least 1.

    Args:
        size: memory of each of them, bytes.
        root: folder with proc/ and sys/, for tests.
        sleep: waits for seconds.
    """
    # Half a core that others use in a quarter of a second is often free in the next one.
    cores = int(free_cores(root, sleep) + 0.5)
    memory = _free_memory(root)
    return max(1, cores if memory is None else min(cores, memory // max(size, 1)))


def _free_memory(root: Path) -> int | None:
    """Bytes of memory that can be used without swapping; None where that is not known."""
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None


def _busy(root: Path) -> float:
    """Processor time that was not idle, of the cores of this process's affinity, s."""
    own = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    try:
        lines = (root / "proc/stat").read_text().splitlines()
    except OSError:
        return 0.0
    ticks = 0
    for line in lines:
        name, *words = line.split()
        number = name.removeprefix("cpu")
        if name.startswith("cpu") and number.isdecimal() and (own is None or int(number) in own):
            ticks += sum(int(word) for place, word in enumerate(words[:_GUEST]) if place not in _IDLE)
    return ticks / _ticks()


def _ticks() -> int:
    """Ticks of processor time in a second."""
    return os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
