"""Training windows of a series: of equal length, at a fixed interval."""

from __future__ import annotations

from typing import NamedTuple

from quorate.core.clock import format_ms
from quorate.core.errors import BundleError


class TrainingWindow(NamedTuple):
    """One training span in ms, the end exclusive."""

    start: int
    end: int


def windows(start: int, end: int, length_ms: int, period_ms: int) -> tuple[TrainingWindow, ...]:
    """All complete windows within a span, oldest first.

    Windows are placed from the start on, so that a later end adds windows and changes none.

    Args:
        start: first bar that may be used for training, ms.
        end: end of the span, ms, exclusive.
        length_ms: length of each window.
        period_ms: interval between the starts of windows.

    Raises:
        BundleError: no window fits, or a length or interval is not positive.

    >>> day = 86_400_000
    >>> [(window.start // day, window.end // day) for window in windows(0, 100 * day, 40 * day, 30 * day)]
    [(0, 40), (30, 70), (60, 100)]
    """
    attempted = f"train a series from {format_ms(start)} to {format_ms(end)}"
    if length_ms <= 0 or period_ms <= 0:
        raise BundleError(attempted, found=f"a window of {length_ms} ms every {period_ms} ms", expected="both above 0")
    if end - start < length_ms:
        raise BundleError(
            attempted,
            found=f"{(end - start) / 86_400_000:g} days",
            expected=f"at least the {length_ms / 86_400_000:g} of one training window",
            remedy="Choose a longer span with `start` and `end`, or a shorter `window`.",
        )
    return tuple(TrainingWindow(first, first + length_ms) for first in range(start, end - length_ms + 1, period_ms))
