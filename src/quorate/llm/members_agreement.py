"""Internal agreement of the members on an entry, from a signal and from a frame; both give the same numbers."""

from __future__ import annotations

import numpy as np

from quorate.core.types import Action, DecisionFrame, FloatArray, Signal
from quorate.trading.sizing.context import DECISION, frame_contexts, signal_context

_AGREEMENT = DECISION.index("agreement")


def members_agreement(signal: Signal) -> float:
    """Share of the members that voted and lean to the side of a BUY or SELL; NaN where no member has scores.

    A member leans to a side where its score of it is above that of the other side. A member of a stack leans to the
    side of its predicted return.
    """
    if signal.forecasts:
        side = _side(np.array([signal.action]))
        returns = np.array([[forecast.predicted_return for forecast in signal.forecasts]])
        return float(_of_returns(side, returns)[0])
    return float(signal_context(signal)[_AGREEMENT])


def members_agreement_frame(frame: DecisionFrame) -> FloatArray:
    """(n,) `members_agreement` of every bar; its HOLD rows mean nothing."""
    if frame.forecasts:
        return _of_returns(_side(frame.action), np.column_stack(list(frame.forecasts.values())))
    return np.asarray(frame_contexts(frame)[:, _AGREEMENT])


def _side(action: np.ndarray) -> FloatArray:
    return np.where(action == Action.BUY, 1.0, -1.0)


def _of_returns(side: FloatArray, returns: FloatArray) -> FloatArray:
    """(n,) share of the known returns (n, members) that have the sign of the side."""
    known = np.isfinite(returns).sum(axis=1).astype(np.float64)
    agreeing = (side[:, None] * np.nan_to_num(returns) > 0).sum(axis=1)
    return np.asarray(np.divide(agreeing, known, out=np.full(len(side), np.nan), where=known > 0))
