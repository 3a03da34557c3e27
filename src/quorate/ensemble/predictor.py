"""Bars to a decision: features, every member's scores, the vote. No data frame and no training library."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np

from quorate.core.clock import format_ms, now_ms
from quorate.core.errors import (
    BundleError,
    CandleError,
    ModelError,
    TooLittleHistoryError,
    TrainingSpanError,
    close_match,
)
from quorate.core.settings import PredictSettings, VoteSettings
from quorate.core.types import Action, BoolArray, Candles, DecisionFrame, FloatArray, Mode, Policy, Signal
from quorate.ensemble import bundle as storage
from quorate.ensemble.calibrated import CalibratedPolicy
from quorate.ensemble.calibration import FILE_NAME as CALIBRATION
from quorate.ensemble.calibration import UNCALIBRATED, Calibration
from quorate.ensemble.fallback import fall_back, fallback_signal
from quorate.ensemble.manifest import Manifest
from quorate.ensemble.mean import mean_scores
from quorate.ensemble.members import Members
from quorate.ensemble.policy import quorum_count
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.stack import Stack
from quorate.ensemble.stack import document as stacks
from quorate.ensemble.store import champion_path
from quorate.ensemble.vote import CONFLICT, decide
from quorate.ensemble.vote_frame import decide_frame
from quorate.features import Bars, Inputs, build, volatility_20
from quorate.models.runtime import Session

# What a live futures frame of Freqtrade holds; every feature is warm within it.
LIVE_BARS = 498

_NOT_ASKED = "not asked: the only member that could be loaded"

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
        calibration: scores to probabilities, and the calibrated policy.
        stack: what combines members that predict returns; None for members that vote.

    Attributes:
        decides: the policy that it decides by: the manifest's own, unless `by` chose another.
    """

    def __init__(
        self,
        manifest: Manifest,
        sessions: Mapping[str, Session],
        failures: Mapping[str, str],
        settings: PredictSettings | None = None,
        calibration: Calibration = UNCALIBRATED,
        stack: Stack | None = None,
    ) -> None:
        self.manifest = manifest
        self.stack = stack
        self.calibration = calibration
        self.decides: Policy = manifest.decides
        names = [member.model for member in manifest.members]
        deadline_ms = (settings or PredictSettings()).deadline_ms
        self.members = Members(names, sessions, failures, deadline_ms, 3 if stack is None else 1)

    @property
    def mode(self) -> Mode:
        """How many members are loaded: full, partial (at least 2) or none, when only the fallback rules speak."""
        return self.members.mode

    def status(self) -> dict[str, bool]:
        """Every member of the manifest, and whether it is loaded."""
        return {model: model in self.members.sessions for model in self.members.order}

    def announce(self) -> None:
        """Log what is loaded and why the rest is not, the mode, the quorum and the policy: the lines of a start."""
        for model in self.members.order:
            if model in self.members.sessions:
                _log.info("%s: loaded", model)
            else:
                _log.error("%s: not loaded, abstains: %s", model, self.members.failures[model])
        n = len(self.members)
        quorum = quorum_count(self.manifest.policy.quorum, n)
        _log.log(
            logging.INFO if self.mode == "full" else logging.WARNING,
            "bundle %s: mode %s, %d of %d members, quorum %d, policy %s",
            *(self.manifest.id, self.mode, len(self.members.sessions), n, quorum, self.decides),
        )

    @property
    def policies(self) -> dict[Policy, VoteSettings | CalibratedPolicy]:
        """Every policy that it can decide by: classic, and calibrated where its scores have become probabilities."""
        known: dict[Policy, VoteSettings | CalibratedPolicy] = {"classic": self.manifest.policy}
        if self.calibration.policy is not None:
            known["calibrated"] = self.calibration.policy
        return known

    def by(self, policy: str) -> Bundle:
        """The same bundle, its members shared, that decides by another policy.

        Raises:
            BundleError: no such policy, or one that the bundle lacks; why is in the message.
        """
        if policy not in self.policies:
            lacking = self.calibration.lacking.get("ensemble", "")
            raise BundleError(
                f"decide by the policy '{policy}'",
                found=f"a bundle whose scores have no probabilities ({lacking})" if lacking else "no such policy",
                expected=" or ".join(self.policies),
                remedy=close_match(policy, get_args(Policy)) if policy not in get_args(Policy) else "",
            )
        other = copy(self)
        other.decides = policy
        return other

    def predict(self, candles: Candles, *, now: int | None = None, allow_training_span: bool = False) -> Signal:
        """The decision at the newest closed bar: the members' vote or the stack's predicted return, or the fallback
        rules' word in the mode "none".

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
        return self.predict_many((candles,), now=now, allow_training_span=allow_training_span)[0]

    def predict_many(
        self, markets: Sequence[Candles], *, now: int | None = None, allow_training_span: bool = False
    ) -> list[Signal]:
        """`predict` for several markets at once, each signal the one that `predict` would give.

        Every member is asked about all markets in one batch, which takes less time than asking market by market.

        Raises:
            BundleError, CandleError, TooLittleHistoryError, TrainingSpanError: as `predict`, for the first market that
                cannot be predicted; no member has been asked then.
        """
        now = now_ms() if now is None else now
        newest = [self._newest(candles, now, allow_training_span=allow_training_span) for candles in markets]
        volatilities = [float(volatility_20(bars, newest=1)[-1]) for bars in newest]
        if self.mode == "none":
            asked = self.members.abstain(_NOT_ASKED)
            return [
                fallback_signal(
                    bars, volatility if np.isfinite(volatility) else None, asked, candles.symbol, int(bars.time[-1])
                )
                for bars, volatility, candles in zip(newest, volatilities, markets, strict=True)
            ]
        inputs = [self._inputs(bars) for bars in newest]
        if self.stack is not None:
            said = self.members.forecasts(inputs, self.stack.lean)
            return [
                self.stack.signal(ballot, volatility, self.mode, candles.symbol, int(bars.time[-1]))
                for ballot, volatility, candles, bars in zip(said, volatilities, markets, newest, strict=True)
            ]
        policy, weights = self.policies[self.decides], self.manifest.policy
        ballots = self.members.votes(inputs)
        told = [self.calibration.ballot(ballot, weights) for ballot in ballots]
        return [
            decide(
                ballot,
                volatility,
                policy=policy,
                members=len(self.members),
                mode=self.mode,
                symbol=candles.symbol,
                time=int(bars.time[-1]),
                probabilities=probabilities,
            )
            for (ballot, probabilities), volatility, candles, bars in zip(
                told, volatilities, markets, newest, strict=True
            )
        ]

    def predict_frame(self, candles: Candles, *, allow_training_span: bool = False) -> DecisionFrame:
        """The decision at every bar, each from the bars up to it.

        Bars inside the training span get no scores: HOLD, by the rule "training_span". They still warm the features of
        the bars after them. A member that is not loaded, or fails, has NaN scores throughout.

        Prediction sets adapt from bar to bar, each to the labels that its bar's close has made known. A live `predict`
        knows no such past: its sets are where the choosing slice left them, as those of a frame's first bars.

        Raises:
            BundleError: candles of another timeframe.
            TrainingSpanError: every bar lies inside the training span.
        """
        self._require_timeframe(candles)
        seen = np.zeros(len(candles), np.bool_) if allow_training_span else self.in_training_span(candles)
        if len(candles) and seen.all():
            raise self._refusal(f"predict {candles.symbol}")
        bars = Bars(candles)
        inputs = Inputs(build(bars, self.manifest.features), candles.time, candles.timeframe)
        volatility = volatility_20(bars)
        available = self.mode != "none"
        if self.stack is not None and available:
            said = self.members.returns(inputs, ~seen)
            frame = self.stack.frame(candles, said, volatility, synthetic=self.manifest.synthetic)
            return replace(frame, rule=np.where(seen, TRAINING_SPAN, frame.rule))
        scores = self.members.scores(inputs, ~seen & available)
        probabilities, limit = self._probabilities(scores, candles) if available else (None, None)
        if available:
            decisions = decide_frame(
                scores,
                volatility,
                policy=self.policies[self.decides],
                members=len(self.members),
                limit=limit,
                probabilities=probabilities,
            )
        else:
            decisions = fall_back(bars)
        return DecisionFrame(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            time=candles.time,
            action=np.where(seen, Action.HOLD, decisions.action).astype(np.int8),
            confidence=decisions.confidence,
            base=decisions.base,
            consensus=np.where(seen, CONFLICT, decisions.consensus),
            rule=np.where(seen, TRAINING_SPAN, decisions.rule),
            volatility=volatility,
            scores=scores,
            synthetic=candles.synthetic or self.manifest.synthetic,
            policy=self.decides if available else "classic",
            probabilities=probabilities,
            calibrated=self.calibration.frame(scores) if available else {},
            limit=limit,
            side=decisions.side,
        )

    def _probabilities(
        self, scores: Mapping[str, FloatArray], candles: Candles
    ) -> tuple[FloatArray | None, FloatArray | None]:
        """(n, 3) the ensemble's probabilities, and (n,) the limit of its prediction sets; None without them."""
        policy = self.calibration.policy
        if policy is None:
            return None, None
        probabilities = policy.ensemble(mean_scores(scores, self.manifest.policy))
        if policy.conformal is None:
            return probabilities, None
        labels = RECIPES[self.manifest.recipe].make_target(self.manifest.target).label(candles)
        known_from = np.where(labels.known, labels.span_end, np.iinfo(np.int64).max)
        return probabilities, policy.conformal.track(probabilities, labels.y, candles.time, known_from).limit

    def in_training_span(self, candles: Candles) -> BoolArray:
        """(n,) True from the first training bar to the last close that a label has read, that last bar excluded.

        No training label knows what follows it, so its own prediction is as unseen as any later one.
        """
        return (candles.time >= self.manifest.training_start) & (candles.time < self.manifest.training_end)

    def _newest(self, candles: Candles, now: int, *, allow_training_span: bool) -> Bars:
        """The closed bars that a live prediction reads, once nothing speaks against predicting the newest of them."""
        self._require_timeframe(candles)
        if len(candles) and candles.time[-1] > now:
            raise CandleError(
                f"predict {candles.symbol}",
                found=f"a bar that opens at {format_ms(int(candles.time[-1]))}",
                expected=f"none after now, {format_ms(now)}",
            )
        recent = candles.closed(now).tail(LIVE_BARS)
        if not len(recent):
            raise TooLittleHistoryError(f"predict {candles.symbol}", found="no closed bar", expected="at least one")
        if not allow_training_span and self.in_training_span(recent)[-1]:
            raise self._refusal(f"predict {candles.symbol} at {format_ms(int(recent.time[-1]))}")
        return Bars(recent)

    def _inputs(self, bars: Bars) -> Inputs:
        """The newest rows of features, as many as a member may read."""
        X = build(bars, self.manifest.features, newest=self.members.window)
        return Inputs(X, bars.time[-len(X) :], self.manifest.timeframe)

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


def load_bundle(path: str | Path, settings: PredictSettings | None = None, policy: str | None = None) -> Bundle:
    """Read, verify and start a bundle.

    Args:
        path: the bundle's folder, or a folder of bundles, whose champion it then is.
        settings: the deadline of live predictions.
        policy: to decide by instead of the bundle's own: classic or calibrated.

    Raises:
        BundleError: no such policy; no bundle there, or one that is altered, incomplete or made for something else.
    """
    manifest, files = storage.read(champion_path(Path(path)))
    sessions: dict[str, Session] = {}
    failures: dict[str, str] = {}
    for member in manifest.members:
        if member.graph is None:
            failures[member.model] = member.failure or "not trained"
            continue
        try:
            sessions[member.model] = Session(files[member.graph], len(manifest.feature_names), member.model)
        except ModelError as error:
            failures[member.model] = str(error)
    attempted = f"load the bundle {path}"
    calibration = (
        Calibration.parse(files[CALIBRATION], manifest.policy, attempted) if CALIBRATION in files else UNCALIBRATED
    )
    stack = None
    if RECIPES[manifest.recipe].task == "return":
        trained = tuple(member.model for member in manifest.members if member.graph is not None)
        stack = stacks.read(files, trained, attempted)
    loaded = Bundle(manifest, sessions, failures, settings, calibration, stack)
    if policy is not None:
        loaded = loaded.by(policy)
    loaded.announce()
    return loaded
