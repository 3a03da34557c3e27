"""How far the held weights follow their targets: a band without trades, and a step of the way."""

from __future__ import annotations

import numpy as np

from quorate.core.types import FloatArray


def adjusted(target: FloatArray, held: FloatArray, band: float, step: float = 1.0) -> FloatArray:
    """(S,) weights to hold.

    A weight is left as it is while its distance to the target is at most `band` times the larger of both, which saves
    the costs of small changes. A target of 0 is always followed, and in full.

    Args:
        target: (S,) wanted.
        held: (S,) as they are now.
        band: share of the larger weight; 0 to follow every target.
        step: share of the distance that a change goes.

    >>> adjusted(np.array([0.10, 0.10, 0.0]), np.array([0.05, 0.02, 0.01]), band=0.6)
    array([0.05, 0.1 , 0.  ])
    """
    distance = target - held
    far = np.abs(distance) > band * np.maximum(np.abs(target), np.abs(held))
    moved = held + step * distance if step < 1 else target
    return np.where(target == 0, 0.0, np.where(far, moved, held))
