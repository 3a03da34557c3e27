"""A line of equity in one row of characters."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """The values as blocks of eight heights, the last of each of at most `width` parts of them.

    Empty for fewer than two values, and where standard output cannot show the blocks.

    >>> sparkline([1.0, 2.0, 8.0], 10)
    '▁▂█'
    """
    if len(values) < 2 or not _can_show():
        return ""
    step = max(1.0, len(values) / width)
    ends = [int((place + 1) * step) - 1 for place in range(min(width, len(values)))]
    shown = [values[min(end, len(values) - 1)] for end in ends]
    low, high = min(shown), max(shown)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BLOCKS[round((value - low) * scale)] for value in shown)


def _can_show() -> bool:
    try:
        _BLOCKS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
