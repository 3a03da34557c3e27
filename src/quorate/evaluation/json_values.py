"""Numbers for JSON documents: a missing value is null, with the reason under `missing`."""

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
        """Add one number; NaN, infinity and None become null with the reason `why`."""
        if value is None or not math.isfinite(value):
            self._values[name] = None
            self._missing[name] = why or "not a finite number"
        else:
            self._values[name] = value if isinstance(value, int) else float(value)

    def add_interval(self, name: str, interval: tuple[float, float] | None, why: str = "") -> None:
        """Add both ends of an interval as a list; null if it is None or one end is not finite."""
        if interval is None or not all(map(math.isfinite, interval)):
            self._values[name] = None
            self._missing[name] = why or "not a finite interval"
        else:
            self._values[name] = [float(interval[0]), float(interval[1])]

    def to_json(self) -> dict[str, Any]:
        """All numbers by name; `missing` (name -> reason) is present only if one of them is null."""
        return {**self._values, **({"missing": dict(self._missing)} if self._missing else {})}
