"""Numbers on their way into JSON: a value that cannot be given is null, and beside it stands why."""

from __future__ import annotations

import math
from typing import Any


class Figures:
    """Named numbers, in the order they were added.

    >>> trades = Figures()
    >>> trades.add("n", 2)
    >>> trades.add("profit_factor", float("inf"), why="no losing trade")
    >>> trades.to_json()
    {'n': 2, 'profit_factor': None, 'missing': {'profit_factor': 'no losing trade'}}
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._missing: dict[str, str] = {}

    def add(self, name: str, value: float | None, why: str = "") -> None:
        """One number; NaN, infinite or None becomes null for the reason `why`."""
        if value is None or not math.isfinite(value):
            self._values[name] = None
            self._missing[name] = why or "not a finite number"
        else:
            self._values[name] = value if isinstance(value, int) else float(value)

    def add_interval(self, name: str, interval: tuple[float, float] | None, why: str = "") -> None:
        """Both ends of an interval, as a list; null when it, or one end, cannot be given."""
        if interval is None or not all(map(math.isfinite, interval)):
            self._values[name] = None
            self._missing[name] = why or "not a finite interval"
        else:
            self._values[name] = [float(interval[0]), float(interval[1])]

    def to_json(self) -> dict[str, Any]:
        """Everything that was added; `missing` (name -> reason) only when something is null."""
        return {**self._values, **({"missing": dict(self._missing)} if self._missing else {})}
