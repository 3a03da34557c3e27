"""Checks of the bars that a bundle may predict: of its timeframe, closed, outside its training span."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quorate.core.arguments import require_type
from quorate.core.clock import format_ms
from quorate.core.errors import BundleError, CandleError, TooLittleHistoryError, TrainingSpanError
from quorate.core.types import Action, BoolArray, Candles, DecisionFrame, IntArray
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.voting.vote import CONFLICT

#: The `rule` of a bar inside the training span, which the bundle does not predict.
TRAINING_SPAN = "training_span"


def newest_closed(
    manifest: Manifest, candles: Candles, now: int, bars: int, *, allow_training_span: bool = False
) -> Candles:
    """The newest closed bars, at most `bars` of them, after checking that the last one may be predicted.

    Raises:
        BundleError: the candles are of another timeframe.
        CandleError: a bar opens after `now`.
        TooLittleHistoryError: there is no closed bar.
        TrainingSpanError: the last closed bar lies inside the training span.
    """
    require_timeframe(manifest, candles)
    require_past(candles, now, "predict")
    recent = candles.closed(now).tail(bars)
    if not len(recent):
        raise TooLittleHistoryError(f"predict {candles.symbol}", found="no closed bar", expected="at least one")
    if not allow_training_span and manifest.training_start <= recent.time[-1] < manifest.training_end:
        raise training_span_error(manifest, f"predict {candles.symbol} at {format_ms(int(recent.time[-1]))}")
    return recent


def require_past(candles: Candles, now: int, verb: str) -> None:
    """Require that no bar opens after `now`, in ms.

    Raises:
        CandleError: one does; "could not <verb> <symbol>: ...".
    """
    if len(candles) and candles.time[-1] > now:
        raise CandleError(
            f"{verb} {candles.symbol}",
            found=f"a bar that opens at {format_ms(int(candles.time[-1]))}",
            expected=f"none after now, {format_ms(now)}",
        )


def in_training_span(manifest: Manifest, time: IntArray) -> BoolArray:
    """(n,) True at open times from the first training bar to the last one whose close a label reads, that excluded."""
    return (time >= manifest.training_start) & (time < manifest.training_end)


def require_timeframe(manifest: Manifest, candles: Candles) -> None:
    """Require candles of the bundle's timeframe.

    Raises:
        BundleError: they are of another.
    """
    require_type(
        "predict the market", "candles", candles, Candles, "Candles",
        'Convert a pandas frame: quorate.Candles.from_pandas(frame, "BTC/USDT:USDT", "1h").',
    )  # fmt: skip
    if candles.timeframe != manifest.timeframe:
        raise BundleError(
            f"predict {candles.symbol}",
            found=f"{candles.timeframe} candles",
            expected=f"{manifest.timeframe}, which the bundle was trained on",
        )


def training_span_error(manifest: Manifest, attempted: str) -> TrainingSpanError:
    """The error for bars inside the training span."""
    span = f"{format_ms(manifest.training_start)} to {format_ms(manifest.training_end)}"
    return TrainingSpanError(
        attempted,
        found=f"bars inside the training span, {span}",
        expected="bars that the bundle was not trained on",
        remedy="Choose later bars, or allow it with `allow_training_span=True`; results are then marked.",
    )


def mask_training_span(frame: DecisionFrame, masked: BoolArray) -> DecisionFrame:
    """The frame with HOLD by the rule "training_span" on the (n,) masked bars, which have no scores."""
    return replace(
        frame,
        action=np.where(masked, Action.HOLD, frame.action).astype(np.int8),
        consensus=np.where(masked, CONFLICT, frame.consensus),
        rule=np.where(masked, TRAINING_SPAN, frame.rule),
    )
