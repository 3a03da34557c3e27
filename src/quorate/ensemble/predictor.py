"""Bars to a decision: features, every member's scores, the vote. No data frame and no training library."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cached_property
from pathlib import Path

import numpy as np

from quorate.core.clock import format_ms, now_ms
from quorate.core.errors import BundleError, CandleError, ModelError, TooLittleHistoryError, TrainingSpanError
from quorate.core.settings import PredictSettings
from quorate.core.types import (
    Abstention,
    Action,
    BoolArray,
    Candles,
    DecisionFrame,
    Float32Array,
    FloatArray,
    Mode,
    Signal,
    Vote,
)
from quorate.ensemble import bundle as storage
from quorate.ensemble.manifest import Manifest
from quorate.ensemble.vote import decide, loaded_mode
from quorate.ensemble.vote_frame import choose, decide_frame
from quorate.features import Bars, build, feature_set, volatility_20
from quorate.models.runtime import Session

# What a live futures frame of Freqtrade holds; every feature is warm within it.
LIVE_BARS = 498

# A model that may not speak on a bar says so in the frame's `rule`.
TRAINING_SPAN = "training_span"

_log = logging.getLogger(__name__)


class Bundle:
    """A trained ensemble, loaded and ready.

    Args:
        manifest: what it is.
        sessions: model -> session, for the members that could be loaded.
        failures: model -> why it could not.
        settings: the deadline of live predictions.
    """

    def __init__(
        self,
        manifest: Manifest,
        sessions: Mapping[str, Session],
        failures: Mapping[str, str],
        settings: PredictSettings | None = None,
    ) -> None:
        self.manifest = manifest
        self.failures = dict(failures)
        self._sessions = dict(sessions)
        self._deadline_s = (settings or PredictSettings()).deadline_ms / 1000

    @property
    def mode(self) -> Mode:
        """How many members are loaded: full, partial (at least 2) or none."""
        return loaded_mode(len(self._sessions), len(self.manifest.members))

    def status(self) -> dict[str, bool]:
        """Every member of the manifest, and whether it is loaded."""
        return {member.model: member.model in self._sessions for member in self.manifest.members}

    def predict(self, candles: Candles, *, now: int | None = None, allow_training_span: bool = False) -> Signal:
        """The decision at the newest closed bar.

        Args:
            candles: of one market, in the bundle's timeframe; a bar still running at `now` is left out. A member
                abstains when there is too little history for its features.
            now: the present in ms; None for the clock.
            allow_training_span: predict even if the bundle was trained on that bar.

        Raises:
            BundleError: candles of another timeframe.
            CandleError: a bar that opens after `now`.
            TooLittleHistoryError: no closed bar at all.
            TrainingSpanError: the bar lies inside the training span.
        """
        self._require_timeframe(candles)
        now = now_ms() if now is None else now
        if len(candles) and candles.time[-1] > now:
            raise CandleError(
                f"predict {candles.symbol}",
                found=f"a bar that opens at {format_ms(int(candles.time[-1]))}",
                expected=f"none after now, {format_ms(now)}",
            )
        recent = candles.closed(now).tail(LIVE_BARS)
        if not len(recent):
            raise TooLittleHistoryError(f"predict {candles.symbol}", found="no closed bar", expected="at least one")
        time = int(recent.time[-1])
        if not allow_training_span and self.in_training_span(recent)[-1]:
            raise self._refusal(f"predict {candles.symbol} at {format_ms(time)}")
        bars = Bars(recent)
        row = build(bars, self.manifest.features)[-1:]
        ballot: list[Vote | Abstention] = [Abstention(model, reason) for model, reason in self.failures.items()]
        if np.isnan(row).any():
            needed = feature_set(self.manifest.features).warmup + 1
            reason = f"too little history: {len(recent)} of {needed} bars"
            ballot += [Abstention(model, reason) for model in self._sessions]
        else:
            ballot += self._vote(row)
        order = [member.model for member in self.manifest.members]
        return decide(
            sorted(ballot, key=lambda vote: order.index(vote.model)),
            float(volatility_20(bars)[-1]),
            policy=self.manifest.policy,
            members=len(order),
            mode=self.mode,
            symbol=candles.symbol,
            time=time,
        )

    def predict_frame(self, candles: Candles, *, allow_training_span: bool = False) -> DecisionFrame:
        """The decision at every bar, each from the bars up to it.

        Bars inside the training span get no scores: HOLD, by the rule "training_span". They still warm the features of
        the bars after them.

        Raises:
            BundleError: candles of another timeframe.
            TrainingSpanError: every bar lies inside the training span.
        """
        self._require_timeframe(candles)
        seen = np.zeros(len(candles), np.bool_) if allow_training_span else self.in_training_span(candles)
        if len(candles) and seen.all():
            raise self._refusal(f"predict {candles.symbol}")
        bars = Bars(candles)
        X = build(bars, self.manifest.features)
        volatility = volatility_20(bars)
        usable = np.isfinite(X).all(axis=1) & ~seen
        scores = {model: _scores_where(session, X, usable) for model, session in self._sessions.items()}
        decisions = decide_frame(scores, volatility, policy=self.manifest.policy, members=len(self.manifest.members))
        return DecisionFrame(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            time=candles.time,
            action=decisions.action,
            confidence=decisions.confidence,
            base=decisions.base,
            consensus=decisions.consensus,
            rule=np.where(seen, TRAINING_SPAN, decisions.rule),
            volatility=volatility,
            scores=scores,
            synthetic=candles.synthetic or self.manifest.synthetic,
        )

    def in_training_span(self, candles: Candles) -> BoolArray:
        """(n,) True where a bar trained the bundle or its close was read by a training label."""
        return (candles.time >= self.manifest.training_start) & (candles.time < self.manifest.training_end)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=max(1, len(self._sessions)), thread_name_prefix="quorate-member")

    def _vote(self, row: Float32Array) -> list[Vote | Abstention]:
        """Every loaded member's vote on one row, or its abstention: late, failed, or not finite."""
        running = {model: self._pool.submit(session.run, row) for model, session in self._sessions.items()}
        wait(running.values(), timeout=self._deadline_s)
        ballot: list[Vote | Abstention] = []
        for model, future in running.items():
            if not future.done():
                future.cancel()
                ballot.append(Abstention(model, f"exceeded {self._deadline_s * 1000:.0f} ms"))
            elif (error := future.exception()) is not None:
                # Whatever a member does, it is an abstention and never a failed signal.
                _log.error("%s abstains: %s", model, error, exc_info=error)
                ballot.append(Abstention(model, f"failed: {error}"))
            else:
                ballot.append(_as_vote(model, future.result()))
        return ballot

    def _require_timeframe(self, candles: Candles) -> None:
        if candles.timeframe != self.manifest.timeframe:
            raise BundleError(
                f"predict {candles.symbol}",
                found=f"{candles.timeframe} candles",
                expected=f"{self.manifest.timeframe}, which the bundle was trained on",
            )

    def _refusal(self, attempted: str) -> TrainingSpanError:
        span = f"{format_ms(self.manifest.training_start)} to {format_ms(self.manifest.training_end)}"
        return TrainingSpanError(
            attempted,
            found=f"bars inside the training span, {span}",
            expected="bars that the bundle was not trained on",
            remedy="Choose later bars, or allow it explicitly (--allow-training-span); results are then marked.",
        )


def load_bundle(path: str | Path, settings: PredictSettings | None = None) -> Bundle:
    """Read, verify and start a bundle.

    Raises:
        BundleError: no bundle there, or one that is altered, incomplete or made for something else.
    """
    manifest, files = storage.read(Path(path))
    sessions: dict[str, Session] = {}
    failures: dict[str, str] = {}
    for member in manifest.members:
        if member.graph is None:
            failures[member.model] = member.failure or "not trained"
            continue
        try:
            sessions[member.model] = Session(files[member.graph], len(manifest.feature_names), member.model)
        except ModelError as error:
            _log.error("%s abstains: %s", member.model, error)
            failures[member.model] = str(error)
    return Bundle(manifest, sessions, failures, settings)


def _as_vote(model: str, scores: FloatArray) -> Vote | Abstention:
    action, score = choose(scores)
    if not np.isfinite(score[0]):
        return Abstention(model, f"scores are {scores[0].tolist()}")
    sell, hold, buy = scores[0].tolist()
    return Vote(model, Action(int(action[0])), float(score[0]), scores=(sell, hold, buy))


def _scores_where(session: Session, X: Float32Array, usable: BoolArray) -> FloatArray:
    """(n, 3) scores, NaN on rows that may not be used."""
    scores = np.full((len(X), 3), np.nan)
    if usable.any():
        scores[usable] = session.run(np.ascontiguousarray(X[usable]))
    return scores
