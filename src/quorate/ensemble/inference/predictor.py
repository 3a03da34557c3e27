"""Bars to a decision: features, every member's scores, the vote. No data frame and no training library."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import get_args

import numpy as np

from quorate.core.clock import now_ms
from quorate.core.errors import BundleError, close_match
from quorate.core.sections.vote import PredictSettings, VoteSettings
from quorate.core.types import (
    BoolArray,
    Candles,
    DecisionFrame,
    Float32Array,
    FloatArray,
    IntArray,
    Mode,
    Policy,
    Signal,
)
from quorate.ensemble.bundle.calibration_file import UNCALIBRATED, Calibration
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.inference.bar_checks import (
    TRAINING_SPAN,
    in_training_span,
    newest_closed,
    refusal,
    require_timeframe,
    silenced,
)
from quorate.ensemble.inference.members import Members
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.stack.stack import Stack
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.fallback import fallback_frame, fallback_signal
from quorate.ensemble.voting.policies import quorum_count
from quorate.ensemble.voting.vote import decide
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.features import Bars, FeatureSet, Inputs, build, feature_set, live, volatility_20
from quorate.models.runtime import OnnxSession

# What a live futures frame of Freqtrade holds; every feature is warm within it.
LIVE_BARS = 498

_NOT_ASKED = "not asked: the only member that could be loaded"

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
        features: that its members read; None for the catalogue's set of the manifest's name.

    Attributes:
        decides: the policy that it decides by: the manifest's own, unless `by` chose another.
    """

    def __init__(
        self,
        manifest: Manifest,
        sessions: Mapping[str, OnnxSession],
        failures: Mapping[str, str],
        settings: PredictSettings | None = None,
        calibration: Calibration = UNCALIBRATED,
        stack: Stack | None = None,
        features: FeatureSet | None = None,
    ) -> None:
        self.manifest = manifest
        self.features = feature_set(manifest.features) if features is None else features
        self.stack = stack
        self.calibration = calibration
        self.decides: Policy = manifest.decides
        names = [member.model for member in manifest.members]
        deadline_ms = (settings or PredictSettings()).deadline_ms
        self.members = Members(names, sessions, failures, deadline_ms, 3 if stack is None else 1)

    @property
    def id(self) -> str:
        """The content-addressed id of the bundle."""
        return self.manifest.id

    @property
    def newest(self) -> Bundle:
        """The bundle itself; see `Predictor`."""
        return self

    @property
    def first_bar(self) -> None:
        """None: a bundle decides on all bars outside its training span."""
        return None

    def parts(self, frame: DecisionFrame) -> list[tuple[Bundle, DecisionFrame]]:
        """The whole frame, decided by this bundle."""
        return [(self, frame)]

    def prior_at(self, time: IntArray) -> FloatArray:  # noqa: ARG002 - the same at every bar
        """(3,) class shares of the rows that trained the bundle."""
        return np.array(self.manifest.class_prior)

    @property
    def mode(self) -> Mode:
        """How many members are loaded: full, partial (at least 2) or none, when only the fallback rules decide."""
        return self.members.mode

    def status(self) -> dict[str, bool]:
        """Every member of the manifest, and whether it is loaded."""
        return {model: model in self.members.sessions for model in self.members.order}

    def announce(self) -> None:
        """Log what is loaded and why the rest is not, the mode, and what decides: the lines of a start."""
        for model in self.members.order:
            if model in self.members.sessions:
                _log.info("%s: loaded", model)
            else:
                _log.error("%s: not loaded, abstains: %s", model, self.members.failures[model])
        n = len(self.members)
        if self.stack is not None:
            decides = f"stack by {self.stack.method} of all {len(self.stack.members)} that it was fitted with"
        else:
            decides = f"quorum {quorum_count(self.manifest.policy.quorum, n)}, policy {self.decides}"
        _log.log(
            logging.INFO if self.mode == "full" else logging.WARNING,
            "bundle %s: mode %s, %d of %d members, %s",
            *(self.manifest.id, self.mode, len(self.members.sessions), n, decides),
        )

    @property
    def policies(self) -> dict[Policy, VoteSettings | CalibratedPolicy]:
        """Every policy that it can decide by: classic, and calibrated where its scores have become probabilities."""
        known: dict[Policy, VoteSettings | CalibratedPolicy] = {"classic": self.manifest.policy}
        if self.calibration.policy is not None:
            known["calibrated"] = self.calibration.policy
        return known

    def by(self, policy: str) -> Bundle:
        """The same bundle, its members shared, deciding by another policy.

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

        Networks in 8 bits round by what else is in their batch: theirs agree to about two thousandths of a score.

        Every member is asked about all markets in one batch, which takes less time than asking market by market.

        Raises:
            BundleError, CandleError, TooLittleHistoryError, TrainingSpanError: as `predict`, for the first market that
                cannot be predicted; no member has been asked then.
        """
        now = now_ms() if now is None else now
        newest = [
            Bars(newest_closed(self.manifest, candles, now, LIVE_BARS, allow_training_span=allow_training_span))
            for candles in markets
        ]
        if self.mode == "none":
            asked = self.members.abstain(_NOT_ASKED)
            return [fallback_signal(bars, float(volatility_20(bars, newest=1)[-1]), asked) for bars in newest]
        read = [live(bars, self.features, self.members.window) for bars in newest]
        volatilities = [volatility for _, volatility in read]
        inputs = [
            Inputs(X, bars.time[-len(X) :], self.manifest.timeframe) for (X, _), bars in zip(read, newest, strict=True)
        ]
        if self.stack is not None:
            said = self.members.forecasts(inputs, self.stack.lean)
            return [
                self.stack.signal(ballot, volatility, self.mode, bars.symbol, int(bars.time[-1]))
                for ballot, volatility, bars in zip(said, volatilities, newest, strict=True)
            ]
        policy, weights = self.policies[self.decides], self.manifest.policy
        told = [self.calibration.ballot(ballot, weights) for ballot in self.members.votes(inputs)]
        return [
            decide(
                ballot,
                volatility,
                policy=policy,
                members=len(self.members),
                mode=self.mode,
                symbol=bars.symbol,
                time=int(bars.time[-1]),
                probabilities=probabilities,
            )
            for (ballot, probabilities), volatility, bars in zip(told, volatilities, newest, strict=True)
        ]

    def predict_frame(
        self, candles: Candles, *, allow_training_span: bool = False, sets: bool = False
    ) -> DecisionFrame:
        """The decision at every bar, each from the bars up to it.

        Bars inside the training span get no scores: HOLD, by the rule "training_span". They still warm the features of
        the bars after them. A member that is not loaded, or fails, has NaN scores throughout.

        Prediction sets adapt from bar to bar, each to the labels that its bar's close has made known. A live `predict`
        knows no such past: its sets are where the choosing slice left them, as those of a frame's first bars.

        Args:
            candles: of one market, in the bundle's timeframe.
            allow_training_span: predict those bars as well.
            sets: work out prediction sets where the policy in force does not look at them, too.

        Raises:
            BundleError: candles of another timeframe.
            TrainingSpanError: every bar lies inside the training span.
        """
        require_timeframe(self.manifest, candles)
        seen = np.zeros(len(candles), np.bool_) if allow_training_span else self.in_training_span(candles)
        if len(candles) and seen.all():
            raise refusal(self.manifest, f"predict {candles.symbol}")
        bars = Bars(candles)
        volatility = volatility_20(bars)
        if self.mode == "none":
            models = () if self.stack is not None else self.members.order
            return silenced(
                fallback_frame(bars, volatility, models, candles.synthetic or self.manifest.synthetic), seen
            )
        return self.decide_bars(candles, build(bars, self.features), volatility, seen, sets=sets)

    def decide_bars(
        self,
        candles: Candles,
        X: Float32Array,
        volatility: FloatArray,
        silent: BoolArray,
        *,
        sets: bool = False,
    ) -> DecisionFrame:
        """`predict_frame` where the features are known already; in the modes full and partial.

        Args:
            candles: n bars of one market.
            X: (n, F) its features, worked out over at least these bars.
            volatility: (n,) likewise.
            silent: (n,) bars that get no scores and HOLD by the rule "training_span".
            sets: as there.
        """
        inputs = Inputs(X, candles.time, candles.timeframe)
        if self.stack is not None:
            said = self.members.returns(inputs, ~silent)
            frame = self.stack.frame(candles, said, volatility, synthetic=self.manifest.synthetic)
            return replace(frame, rule=np.where(silent, TRAINING_SPAN, frame.rule))
        scores = self.members.scores(inputs, ~silent)
        probabilities, limit = self.calibration.together(scores, self.manifest.policy), None
        if probabilities is not None and (sets or self.decides == "calibrated"):
            labels = RECIPES[self.manifest.recipe].make_target(self.manifest.target).label(candles)
            limit = self.calibration.limit(probabilities, labels, candles.time)
        decisions = decide_frame(
            scores,
            volatility,
            policy=self.policies[self.decides],
            members=len(self.members),
            limit=limit,
            probabilities=probabilities,
        )
        frame = DecisionFrame(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            time=candles.time,
            action=decisions.action,
            confidence=decisions.confidence,
            base=decisions.base,
            consensus=decisions.consensus,
            rule=decisions.rule,
            volatility=volatility,
            scores=scores,
            synthetic=candles.synthetic or self.manifest.synthetic,
            policy=self.decides,
            probabilities=probabilities,
            calibrated=self.calibration.frame(scores),
            limit=limit,
            side=decisions.side,
        )
        return silenced(frame, silent)

    def in_training_span(self, candles: Candles) -> BoolArray:
        """(n,) True from the first training bar to the last close that a label has read, that last bar excluded.

        No training label knows what follows it, so its own prediction is as unseen as any later one.
        """
        return in_training_span(self.manifest, candles)
