"""Which bars a bundle may be asked about: of its timeframe, closed, and not those that it was trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quorate.core.clock import format_ms
from quorate.core.errors import BundleError, CandleError, TooLittleHistoryError, TrainingSpanError
from quorate.core.types import Action, BoolArray, Candles, DecisionFrame
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.voting.vote import CONFLICT

#: The `rule` of a bar on which an ensemble may not speak.
TRAINING_SPAN = "training_span"


def newest_closed(
    manifest: Manifest, candles: Candles, now: int, bars: int, *, allow_training_span: bool = False
) -> Candles:
    """The newest closed bars, at most so many, once nothing speaks against predicting the last of them.

    Raises:
        BundleError: candles of another timeframe.
        CandleError: a bar that opens after `now`.
        TooLittleHistoryError: no closed bar at all.
        TrainingSpanError: the bar lies inside the training span.
    """
    require_timeframe(manifest, candles)
    if len(candles) and candles.time[-1] > now:
        raise CandleError(
            f"predict {candles.symbol}",
            found=f"a bar that opens at {format_ms(int(candles.time[-1]))}",
            expected=f"none after now, {format_ms(now)}",
        )
    recent = candles.closed(now).tail(bars)
    if not len(recent):
        raise TooLittleHistoryError(f"predict {candles.symbol}", found="no closed bar", expected="at least one")
    if not allow_training_span and manifest.training_start <= recent.time[-1] < manifest.training_end:
        raise refusal(manifest, f"predict {candles.symbol} at {format_ms(int(recent.time[-1]))}")
    return recent


def in_training_span(manifest: Manifest, candles: Candles) -> BoolArray:
    """(n,) True from the first training bar to the last close that a label has read, that last bar excluded."""
    return (candles.time >= manifest.training_start) & (candles.time < manifest.training_end)


def require_timeframe(manifest: Manifest, candles: Candles) -> None:
    """Refuse candles of another timeframe.

    Raises:
        BundleError: they are.
    """
    if candles.timeframe != manifest.timeframe:
        raise BundleError(
            f"predict {candles.symbol}",
            found=f"{candles.timeframe} candles",
            expected=f"{manifest.timeframe}, which the bundle was trained on",
        )


def refusal(manifest: Manifest, attempted: str) -> TrainingSpanError:
    """What is said of bars inside the training span."""
    span = f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}"
    return TrainingSpanError(
        attempted,
        found=f"bars inside the training span, {span}",
        expected="bars that the bundle was not trained on",
        remedy="Choose later bars, or allow it with `allow_training_span=True`; results are then marked.",
    )


def silenced(frame: DecisionFrame, silent: BoolArray) -> DecisionFrame:
    """The same with HOLD on (n,) bars on which the ensemble may not speak, and had no scores."""
    return replace(
        frame,
        action=np.where(silent, Action.HOLD, frame.action).astype(np.int8),
        consensus=np.where(silent, CONFLICT, frame.consensus),
        rule=np.where(silent, TRAINING_SPAN, frame.rule),
    )
