"""Expected time to the end of a run, from the parts that it has and what those that ran have taken.

Parts are of kinds, such as a member of an ensemble; the time of a part is its size, such as rows, times a rate of its
kind. Rates are those of the kind's parts in this run, also of one that is under way; before the first of them, a rate
measured elsewhere, times how much slower than elsewhere the other kinds were in this run, by their median.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from statistics import median

from quorate.core.machine import SlowdownWatch
from quorate.core.progress.callback import Progress, ShowsRemaining

# Below this share of a part, what it took so far says nothing about its end.
_LEAST_SHARE = 0.02
# What is left of a part that takes longer than expected without a share done, as a share of it.
_LEAST_LEFT = 0.05


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a run.

    Attributes:
        kind: parts of one kind take the same time per unit of size.
        size: above 0, in a unit of the kind's own.
        rate: expected time of a unit, s, until a part of the kind has run.
        alone: whether no other part runs beside it.
    """

    kind: str
    size: float
    rate: float
    alone: bool = False


class RunEstimate:
    """A progress callback that tells another one the time that is left.

    The other one is told if it has the method `remaining`, and what slows the run if it has `slowed`.

    Args:
        progress: that all reports are passed on to.
        clock: returns seconds.
        watch: finds what slows the run; None for this machine's.

    Attributes:
        workers: parts that run side by side.
    """

    def __init__(
        self,
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
        watch: Callable[[], str | None] | None = None,
    ) -> None:
        self.workers = 1
        self._progress = progress
        self._shown = progress if isinstance(progress, ShowsRemaining) else None
        self._clock = clock
        # Looked at only for somebody who is told.
        self._watch = (watch or SlowdownWatch()) if self._shown is not None else None
        self._parts: dict[Hashable, Part] = {}
        self._began: dict[Hashable, float] = {}
        self._shares: dict[Hashable, float] = {}
        # Kind -> seconds and size of its parts that have ended.
        self._taken: dict[str, tuple[float, float]] = {}
        self._ended: set[Hashable] = set()

    @classmethod
    def of(cls, progress: Progress) -> RunEstimate:
        """The callback itself if it estimates already, else one around it."""
        return progress if isinstance(progress, cls) else cls(progress)

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._shown is not None:
            if self._parts:
                self._shown.remaining(self.remaining())
            reason = self._watch() if self._watch is not None else None
            if reason is not None:
                self._shown.slowed(reason)
        self._progress(stage, done, total)

    def plan(self, parts: Mapping[Hashable, Part]) -> None:
        """Add parts that the run will have."""
        self._parts |= parts

    def begin(self, key: Hashable) -> None:
        """A part begins."""
        self._began[key] = self._clock()

    def advance(self, key: Hashable, share: float) -> None:
        """A share of a part is done, from 0 to 1."""
        self._shares[key] = share

    def end(self, key: Hashable) -> None:
        """A part has ended."""
        part, seconds = self._parts[key], self._clock() - self._began[key]
        taken, size = self._taken.get(part.kind, (0.0, 0.0))
        self._taken[part.kind] = taken + seconds, size + part.size
        self._ended.add(key)

    def skip(self, key: Hashable) -> None:
        """A part will not run, or ended before its time said anything."""
        self._ended.add(key)

    def remaining(self) -> float:
        """Expected time to the end of the run, s."""
        rates = {kind: seconds / size for kind, (seconds, size) in self._taken.items()}
        left: dict[Hashable, float] = {}
        # The one of which most is done tells most about the others of its kind.
        under_way = [key for key in self._began if key not in self._ended]
        for key in sorted(under_way, key=self._share, reverse=True):
            part = self._parts[key]
            elapsed, whole = self._clock() - self._began[key], self._under_way(key, rates)
            if self._share(key) < _LEAST_SHARE:
                left[key] = max(whole - elapsed, _LEAST_LEFT * whole)
            else:
                left[key] = whole - elapsed
                rates.setdefault(part.kind, whole / part.size)
        for key, part in self._parts.items():
            if key not in self._began and key not in self._ended:
                left[key] = self._expected(part, rates)
        alone = sum(seconds for key, seconds in left.items() if self._parts[key].alone)
        beside = [seconds for key, seconds in left.items() if not self._parts[key].alone]
        return alone + max(sum(beside) / self.workers, max(beside, default=0.0))

    def _under_way(self, key: Hashable, rates: Mapping[str, float]) -> float:
        """Seconds of the whole of a part under way: the more of it is done, the more it counts what it took itself.

        Its beginning alone would mislead: it has what a part does once, such as the making of bins.
        """
        share, expected = self._share(key), self._expected(self._parts[key], rates)
        if share < _LEAST_SHARE:
            return expected
        elapsed = self._clock() - self._began[key]
        return elapsed + (1 - share) * (elapsed + (1 - share) * expected)

    def _share(self, key: Hashable) -> float:
        return min(self._shares.get(key, 0.0), 1.0)

    def _expected(self, part: Part, rates: Mapping[str, float]) -> float:
        """Seconds of a part by the rates of kinds in this run."""
        if part.kind in rates:
            return rates[part.kind] * part.size
        # The median: one kind whose rate elsewhere was another does not move it.
        elsewhere = {each.kind: each.rate for each in self._parts.values()}
        slower = median([rate / elsewhere[kind] for kind, rate in rates.items()] or [1.0])
        return part.rate * slower * part.size
