"""The training spans of a series: all of one length, each a period later than the one before."""

from __future__ import annotations

from typing import NamedTuple

from quorate.core.clock import format_ms
from quorate.core.errors import BundleError


class TrainingWindow(NamedTuple):
    """One training span, ms, the end exclusive."""

    start: int
    end: int


def windows(start: int, end: int, length_ms: int, period_ms: int) -> tuple[TrainingWindow, ...]:
    """Every whole span that fits, oldest first.

    They are counted from the start, so that a later end adds spans and changes none.

    Args:
        start: first bar that may train, ms.
        end: exclusive.
        length_ms: of each span.
        period_ms: from one to the next.

    Raises:
        BundleError: not even one fits, or a length or period that is not positive.

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
