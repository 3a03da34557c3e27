"""Figures as they stand in a sentence: fewer digits than in a table, the interval in brackets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST_PERCENT = 1_000  # a larger return is shown without decimals


def bps(figures: Mapping[str, Any], name: str) -> str:
    """A figure in basis points with its interval.

    >>> bps({"net_bps": -29.04, "net_bps_ci": [-73.3, 21.9]}, "net_bps"), bps({"net_bps": 4.2}, "net_bps")
    ('-29 bps (-73 to +22)', '+4 bps')
    """
    ends = figures.get(f"{name}_ci")
    within = "" if ends is None else f" ({_whole(ends[0])} to {_whole(ends[1])})"
    return f"{_whole(figures[name])} bps{within}"


def percent(figures: Mapping[str, Any], name: str) -> str:
    """A fraction in percent with its interval.

    >>> percent({"total_return": 0.0421, "total_return_ci": [-0.012, 0.0904]}, "total_return")
    '+4.2 % (-1.2 to +9.0)'
    """
    ends = figures.get(f"{name}_ci")
    within = "" if ends is None else f" ({_percent(ends[0])} to {_percent(ends[1])})"
    return f"{_percent(figures[name])} %{within}"


def _whole(value: float) -> str:
    return f"{round(value) + 0:+,d}"


def _percent(value: float) -> str:
    shown = 100 * value
    if abs(shown) >= 1e9:
        return f"{shown:+.0e}"
    digits = 0 if abs(shown) >= _MOST_PERCENT else 1
    return f"{round(shown, digits) + 0.0:+,.{digits}f}"
