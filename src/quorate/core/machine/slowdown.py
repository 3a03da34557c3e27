"""What slows a run: other processes, swapped memory, the quota of a container; said once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from quorate.core.machine.cores import allowed_cores, groups, whole_cores
from quorate.core.machine.load import Load

_ROOT = Path("/")

_EVERY_S = 20.0

# Others slow a run where they use this share of the cores, and hardly any is left idle.
_OTHERS, _FULL = 0.25, 0.9
# A process that uses fewer cores is not named, nor are more than so many of them.
_LEAST, _NAMED = 0.1, 3
# Swapping that is felt, bytes per second; share of the periods in which a container had used up its quota.
_SWAP, _THROTTLED = 2**20, 0.2


class SlowdownWatch:
    """Watches the machine beside a long run.

    Call it often: it looks every 20 s at what happened since the last look, which takes milliseconds.

    Args:
        root: folder with proc/ and sys/, for tests.
        clock: returns seconds.
    """

    def __init__(self, root: Path = _ROOT, clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._clock = clock
        self._load = Load.now(root, clock)
        self._counters = self._read()
        self._said = False

    def __call__(self) -> str | None:
        """A sentence that names what slows the run, the first time that something does; else None."""
        if self._said or self._clock() - self._load.at < _EVERY_S:
            return None
        load, counters = Load.now(self._root, self._clock), self._read()
        reasons = [*self._others(load), *self._swap(load, counters), *self._quota(counters)]
        self._load, self._counters = load, counters
        if not reasons:
            return None
        self._said = True
        return f"this run is slowed down: {'; '.join(reasons)}"

    def _others(self, load: Load) -> Iterator[str]:
        others, used = load.since(self._load)
        cores = whole_cores(self._root)
        busy = (load.busy - self._load.busy) / max(load.at - self._load.at, 1e-9)
        # The cores of the affinity: a container's quota is no share of what others leave.
        if used < _OTHERS * cores or max(busy, used) < _FULL * cores:
            return
        named = [other for other in others if other.cores >= _LEAST]
        count = f"{len(named)} other process{'es use' if len(named) != 1 else ' uses'}" if named else "others use"
        shown = ", ".join(f"{other.name} (pid {other.pid}) {other.cores:.1f}" for other in named[:_NAMED])
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        yield f"{count} {used:.1f} of {cores} cores" + (f": {shown}{more}" if shown else "")

    def _swap(self, load: Load, counters: dict[str, int]) -> Iterator[str]:
        pages = sum(counters.get(key, 0) - self._counters.get(key, 0) for key in ("pswpin", "pswpout"))
        size = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
        speed = pages * size / max(load.at - self._load.at, 1e-9)
        if speed >= _SWAP:
            yield f"memory is swapped at {speed / 2**20:.0f} MiB/s, because programs use more than there is"

    def _quota(self, counters: dict[str, int]) -> Iterator[str]:
        periods, held = (counters.get(key, 0) - self._counters.get(key, 0) for key in ("nr_periods", "nr_throttled"))
        if periods > 0 and held >= _THROTTLED * periods:
            yield f"its container limits it to {allowed_cores(self._root):.3g} cores"

    def _read(self) -> dict[str, int]:
        """Counters of swapped pages, and of the periods of the container's quota."""
        counters: dict[str, int] = {}
        for path in (self._root / "proc/vmstat", *(group / "cpu.stat" for group in groups(self._root))):
            try:
                lines = path.read_text().splitlines()
            except OSError:
                continue
            for line in lines:
                name, _, value = line.partition(" ")
                if value.strip().isdecimal():
                    counters.setdefault(name, int(value))
        return counters
