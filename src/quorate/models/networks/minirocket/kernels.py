"""What is fixed of MiniRocket before it sees a window: kernels, dilations, quantiles, and the channels of each kernel.

Dempster, Schmidt and Webb, MiniRocket, 2020 (arXiv 2012.08791), section 3, and the authors' extension to several
channels (github.com/angus924/minirocket).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from quorate.core.types import FloatArray, IntArray

#: Bars that a kernel reads, before dilation.
LENGTH = 9
#: Kernels: every choice of three weights of 2 among nine, the others -1.
KERNELS = 84

_MOST_DILATIONS = 32
_MOST_CHANNELS = 9  # of a kernel


def kernel_weights() -> FloatArray:
    """(84, 9) weights, each row with three of 2 and six of -1: they sum to 0.

    >>> kernel_weights()[0]
    array([ 2.,  2.,  2., -1., -1., -1., -1., -1., -1.])
    """
    weights = np.full((KERNELS, LENGTH), -1.0)
    for row, places in zip(weights, combinations(range(LENGTH), 3), strict=True):
        row[list(places)] = 2.0
    return weights


def dilations(window: int, each: int) -> tuple[IntArray, IntArray]:
    """Dilations, and how many features a kernel has with each of them.

    Args:
        window: L, at least 9 bars.
        each: features of a kernel, over all dilations.

    Returns:
        (D,) ascending, so that a kernel reaches over at most the window; (D,) counts that sum to `each`.

    >>> [values.tolist() for values in dilations(48, 12)]
    [[1, 2, 3, 4, 5], [5, 2, 2, 1, 2]]
    """
    most = min(each, _MOST_DILATIONS)
    exponents = np.linspace(0, np.log2((window - 1) / (LENGTH - 1)), most)
    found, times = np.unique((2**exponents).astype(np.int64), return_counts=True)
    counts = (times * (each / most)).astype(np.int64)
    for place in range(each - int(counts.sum())):  # what rounding left, from the smallest dilation on
        counts[place % len(counts)] += 1
    return found, counts


def quantiles(count: int) -> FloatArray:
    """(count,) values in [0, 1) that fill it evenly: multiples of the golden ratio.

    >>> quantiles(4).round(2).tolist()
    [0.62, 0.24, 0.85, 0.47]
    """
    levels: FloatArray = np.arange(1, count + 1) * ((np.sqrt(5) + 1) / 2) % 1
    return levels


def channels(features: int, random: np.random.Generator) -> FloatArray:
    """(84, F) of 0 and 1: the channels that each kernel sums, few more often than many.

    Args:
        features: F.
        random: source of the draws.
    """
    chosen = np.zeros((KERNELS, features))
    exponents = random.uniform(0, np.log2(min(features, _MOST_CHANNELS) + 1), KERNELS)
    for row, count in zip(chosen, (2**exponents).astype(np.int64), strict=True):
        row[random.choice(features, count, replace=False)] = 1.0
    return chosen
