"""Decisions of one market, stretch after stretch, as one frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from quorate.core.types import Action, ActionArray, DecisionFrame, FloatArray

_COLUMNS = ("time", "action", "confidence", "base", "consensus", "rule", "volatility")


def joined(frames: Sequence[DecisionFrame]) -> DecisionFrame:
    """At least one frame of one market, in order of time, as one.

    What only some of them know, such as probabilities, is NaN in the others. A policy that decided all of them stays;
    else it is classic, and each bar's rule says whose it was.
    """
    if len(frames) == 1:
        return frames[0]
    columns: dict[str, Any] = {name: np.concatenate([getattr(frame, name) for frame in frames]) for name in _COLUMNS}
    return replace(
        frames[0],
        **columns,
        scores=_by_model([frame.scores for frame in frames], frames, 3),
        calibrated=_by_model([frame.calibrated for frame in frames], frames, 3),
        forecasts=_by_model([frame.forecasts for frame in frames], frames),
        predicted=_all([frame.predicted for frame in frames], frames),
        probabilities=_all([frame.probabilities for frame in frames], frames, 3),
        limit=_all([frame.limit for frame in frames], frames),
        side=_sides(frames),
        policy=frames[0].policy if len({frame.policy for frame in frames}) == 1 else "classic",
        synthetic=any(frame.synthetic for frame in frames),
    )


def _by_model(
    tables: Sequence[Mapping[str, FloatArray]], frames: Sequence[DecisionFrame], *width: int
) -> dict[str, FloatArray]:
    """Model -> its table over all frames; NaN in those that do not know it."""
    models = dict.fromkeys(model for table in tables for model in table)
    return {
        model: np.concatenate(
            [_known(table.get(model), len(frame), *width) for table, frame in zip(tables, frames, strict=True)]
        )
        for model in models
    }


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
