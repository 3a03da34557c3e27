"""Circular block bootstrap of a series: days in blocks that follow each other, drawn with replacement.

Source: Politis and Romano (1992), A circular block-resampling procedure for stationary data. The series is a ring, so
that every day is equally likely.
"""

from __future__ import annotations

import numpy as np

from quorate.core.types import IntArray


def circular_blocks(days: int, length: int, resamples: int, seed: int) -> IntArray:
    """(resamples, days) numbers of the days of each resample, in order.

    Args:
        days: of the series, at least 1.
        length: of a block, in days.
        resamples: number of series drawn.
        seed: of the draws.

    >>> circular_blocks(5, 2, 2, seed=1)
    array([[2, 3, 2, 3, 3],
           [4, 0, 0, 1, 0]])
    """
    first = np.random.default_rng(seed).integers(0, days, (resamples, -(-days // length)))
    blocks = (first[:, :, None] + np.arange(length)) % days  # (resamples, blocks, length)
    return np.asarray(blocks.reshape(resamples, -1)[:, :days])
