"""Rises of a log-loss by ADWIN, which keeps a window of values and cuts it where two parts of it differ in mean.

The only file that imports river, which takes a second and brings pandas, scipy and scikit-learn: nothing that decides
or serves imports it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from quorate.core.errors import MissingExtraError
from quorate.core.types import FloatArray

# ADWIN's bound is for values from 0 to 1; a loss of a day beyond this is as good as this, nats.
_MOST = 2.0


class Rise(NamedTuple):
    """A rise of the mean.

    Attributes:
        at: number of the value at which it was detected.
        since: number of the first value of the part that is higher.
        before, after: mean of the values up to `since` in the window, and of those from it on.
    """

    at: int
    since: int
    before: float
    after: float


def rises(losses: FloatArray, delta: float) -> tuple[Rise, ...]:
    """Rises of (n,) finite losses, oldest first. Falls shorten the window too and are not reported.

    Args:
        losses: in order of time, nats; above 2 they count as 2.
        delta: chance of a false cut that ADWIN bounds, for independent values.

    Raises:
        MissingExtraError: river is not installed.

    Source: Bifet and Gavaldà (2007), Learning from time-changing data with adaptive windowing.
    """
    try:
        from river.drift import ADWIN
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "watch the log-loss", found="river is not installed", remedy="Run: pip install 'quorate[lifecycle]'"
        ) from error
    values = np.clip(losses, 0.0, _MOST) / _MOST
    detector: Any = ADWIN(delta=delta, clock=1)  # type: ignore[no-untyped-call]
    found, first = [], 0
    for number, value in enumerate(values.tolist()):
        detector.update(value)
        if not detector.drift_detected:
            continue
        since = first + _split(values[first : number + 1])
        before, after = float(losses[first:since].mean()), float(losses[since : number + 1].mean())
        if after > before:
            found.append(Rise(number, since, before, after))
        # ADWIN drops its oldest values little by little, and would report the same change again.
        detector, first = ADWIN(delta=delta, clock=1), since  # type: ignore[no-untyped-call]
        for later in values[since : number + 1].tolist():
            detector.update(later)
    return tuple(found)


def _split(values: FloatArray) -> int:
    """Length of the first of two parts that differ most in mean, in units of the error of the difference."""
    n = len(values)
    length = np.arange(1, n)
    total = np.cumsum(values)
    difference = total[:-1] / length - (total[-1] - total[:-1]) / (n - length)
    return int(np.argmax(np.abs(difference) * np.sqrt(length * (n - length)))) + 1
