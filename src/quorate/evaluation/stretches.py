"""Decisions of one market, stretch after stretch, as one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from quorate.core.types import Action, ActionArray, DecisionFrame, FloatArray

_COLUMNS = ("time", "action", "confidence", "base", "consensus", "rule", "volatility")


def joined(frames: Sequence[DecisionFrame]) -> DecisionFrame:
    """At least one frame of one market, in order of time, as one.

    What only some of them know, such as probabilities, is NaN in the others. The policy is calibrated if all were
    decided by it; else each bar's rule says whose it was.
    """
    if len(frames) == 1:
        return frames[0]
    models = tuple(dict.fromkeys(model for frame in frames for model in frame.calibrated))
    columns: dict[str, Any] = {name: np.concatenate([getattr(frame, name) for frame in frames]) for name in _COLUMNS}
    return replace(
        frames[0],
        **columns,
        scores={name: np.concatenate([frame.scores[name] for frame in frames]) for name in frames[0].scores},
        calibrated={
            model: np.concatenate([_known(frame.calibrated.get(model), len(frame), 3) for frame in frames])
            for model in models
        },
        probabilities=_all([frame.probabilities for frame in frames], frames, 3),
        limit=_all([frame.limit for frame in frames], frames),
        side=_sides(frames),
        policy="calibrated" if all(frame.policy == "calibrated" for frame in frames) else "classic",
    )


def _all(tables: Sequence[FloatArray | None], frames: Sequence[DecisionFrame], *width: int) -> FloatArray | None:
    if all(table is None for table in tables):
        return None
    return np.concatenate([_known(table, len(frame), *width) for table, frame in zip(tables, frames, strict=True)])


def _sides(frames: Sequence[DecisionFrame]) -> ActionArray | None:
    """HOLD where the vote decided, which asks about no side."""
    if all(frame.side is None for frame in frames):
        return None
    sides = (np.full(len(frame), Action.HOLD, np.int8) if frame.side is None else frame.side for frame in frames)
    return np.concatenate(list(sides))


def _known(table: FloatArray | None, *shape: int) -> FloatArray:
    return np.full(shape, np.nan) if table is None else table
