"""Times as integers since 1970, in the units that programs use."""

from __future__ import annotations

import numpy as np

from quorate.core.types.arrays import IntArray

#: Time of a row without one.
NO_TIME = int(np.iinfo(np.int64).min)

# The unit of an integer time follows from its magnitude: seconds, milliseconds, microseconds and nanoseconds since 1970
# differ by factors of 1,000, and these bounds are right for all dates from 1973 to 5138.
_SECONDS_BELOW, _MILLISECONDS_BELOW, _MICROSECONDS_BELOW = 10**11, 10**14, 10**17


def milliseconds(values: IntArray) -> IntArray:
    """Convert integer times in s, ms, us or ns to milliseconds; the unit of each value follows from its magnitude.

    Value by value, because archives joined across an exchange's change of unit hold both units in one column.

    Returns:
        (n,) int64, ms UTC; `NO_TIME` for values of 0 or less.

    >>> milliseconds(np.array([1735689600, 1735689600_000, 1735689600_000_000, 1735689600_000_000_000])).tolist()
    [1735689600000, 1735689600000, 1735689600000, 1735689600000]
    """
    values = np.asarray(values, dtype=np.int64)
    if values.size == 0:
        return values
    low, high = int(values.min()), int(values.max())
    if low >= _SECONDS_BELOW and high < _MILLISECONDS_BELOW:
        return values
    result = np.where(values < _SECONDS_BELOW, values * 1000, values)
    result = np.where(values >= _MILLISECONDS_BELOW, values // 1000, result)
    result = np.where(values >= _MICROSECONDS_BELOW, values // 1_000_000, result)
    return np.where(values <= 0, NO_TIME, result)
