"""Ranks of the markets of a day."""

from __future__ import annotations

import numpy as np

from quorate.core.types import BoolArray, FloatArray, IntArray


def ranks(x: FloatArray, among: BoolArray) -> tuple[FloatArray, IntArray]:
    """Ranks from 1 of the known values of each row among the chosen ones, equal ones sharing their mean rank.

    Args:
        x: (D, S).
        among: (D, S) which values count.

    Returns:
        (D, S) ranks, NaN for what does not count, and (D,) how many do.
    """
    counted = among & np.isfinite(x)
    order = np.argsort(np.where(counted, x, np.inf), axis=1, kind="stable")
    values = np.take_along_axis(np.where(counted, x, np.inf), order, axis=1)
    place = np.broadcast_to(np.arange(x.shape[1]), x.shape)
    begins = np.ones(x.shape, np.bool_)
    begins[:, 1:] = values[:, 1:] != values[:, :-1]
    ends = np.ones(x.shape, np.bool_)
    ends[:, :-1] = begins[:, 1:]
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, place, x.shape[1])[:, ::-1], axis=1)[:, ::-1]
    out = np.empty(x.shape)
    np.put_along_axis(out, order, (first + last) / 2 + 1, axis=1)
    return np.where(counted, out, np.nan), counted.sum(axis=1)


def centred_ranks(x: FloatArray, among: BoolArray) -> FloatArray:
    """(D, S) ranks around 0 over the number of ranked markets: between -0.5 and 0.5, NaN for what does not count.

    >>> centred_ranks(np.array([[3.0, 1.0, np.nan, 2.0]]), np.ones((1, 4), bool))
    array([[ 0.33333333, -0.33333333,         nan,  0.        ]])
    """
    rank, count = ranks(x, among)
    return np.asarray((rank - (count[:, None] + 1) / 2) / np.maximum(count, 1)[:, None])
