"""A loaded bundle: from bars to features, members' scores and a decision. Needs no data frame or training library."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from quorate.core.arguments import FLAG, FUNCTION, MAPPING, WHOLE, Kind, require_types
from quorate.core.clock import now_ms, timeframe_ms
from quorate.core.errors import ArgumentError
from quorate.core.sections.vote import PredictSettings, VoteSettings
from quorate.core.text.plural import counted
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
    mask_training_span,
    newest_closed,
    require_timeframe,
    training_span_error,
)
from quorate.ensemble.inference.bench import Bench, BenchOf, mode_of, no_bench
from quorate.ensemble.inference.bundle_policies import bundle_policies, require_policy
from quorate.ensemble.inference.members import Members
from quorate.ensemble.inference.vote_decisions import vote_decisions
from quorate.ensemble.inference.vote_signals import vote_signals
from quorate.ensemble.stack.stack import Stack
from quorate.ensemble.voting.closed_policy import ClosedPolicy
from quorate.ensemble.voting.fallback import fallback_frame, fallback_signal
from quorate.ensemble.voting.policies import quorum_count
from quorate.features import Bars, FeatureSet, Inputs, build, feature_set, live, volatility_20
from quorate.features.rescaled import hide_rescaled
from quorate.models.runtime import OnnxSession

# Length of a live futures frame in Freqtrade; no feature needs a longer warm-up.
LIVE_BARS = 498

_NOT_RUN = "not asked: the only member that could be loaded"

_PREDICT = "predict the market"
_TIMES = Kind((np.ndarray,), "an array of open times")

_log = logging.getLogger(__name__)


class Bundle:
    """A trained ensemble, loaded for prediction.

    Args:
        manifest: of the bundle.
        sessions: model -> session, for members that could be loaded.
        failures: model -> why it could not be loaded.
        settings: time limits of the members.
        calibration: probability maps, and the calibrated policy.
        stack: combiner of members that predict returns; None for members that vote.
        features: feature set of the members; None for the set of the catalogue that the manifest names.
        folder: that it was loaded from; None for one that was not.

    Attributes:
        policies: those that the bundle has.
        decides: the policy in force: the manifest's, unless `with_policy` set another.
        trained_vote: settings of the vote that the bundle was trained with; the manifest's, unless `with_vote` set
            others.
        bench_of: who is benched when; see `with_bench`.
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
        folder: Path | None = None,
    ) -> None:
        require_types(
            "make a bundle",
            manifest=(manifest, Kind((Manifest,), "a manifest")),
            sessions=(sessions, MAPPING),
            failures=(failures, MAPPING),
            settings=(settings, Kind((PredictSettings,), "a PredictSettings").optional),
            calibration=(calibration, Kind((Calibration,), "a calibration")),
            stack=(stack, Kind((Stack,), "a stack").optional),
            features=(features, Kind((FeatureSet,), "a feature set").optional),
            folder=(folder, Kind((Path,), "a path").optional),
        )
        self.manifest = manifest
        self.folder = folder
        self.features = feature_set(manifest.features) if features is None else features
        self.stack = stack
        self.calibration = calibration
        self.policies = bundle_policies(manifest, calibration, stacked=stack is not None)
        self.decides: Policy = manifest.decides
        self.trained_vote = manifest.policy
        self.bench_of: BenchOf = no_bench
        names = [member.model for member in manifest.members]
        self.members = Members(names, sessions, failures, settings or PredictSettings(), 3 if stack is None else 1)

    def __repr__(self) -> str:
        manifest = self.manifest
        loaded = f"{len(self.members.sessions)} of {counted(len(self.members), 'member')}"
        markets = counted(len(manifest.symbols), "market")
        return f"Bundle({self.id}: {manifest.recipe}, {manifest.timeframe}, {markets}, {loaded}, {self.decides})"

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

    def bundle_at(self, time: int) -> Bundle:
        """The bundle itself, which decides on every bar."""
        require_types("find the bundle of a bar", time=(time, WHOLE))
        return self

    def parts(self, frame: DecisionFrame) -> list[tuple[Bundle, DecisionFrame]]:
        """The whole frame, decided by this bundle."""
        require_types("name the bundles of a frame", frame=(frame, Kind((DecisionFrame,), "a quorate.DecisionFrame")))
        return [(self, frame)]

    def prior_at(self, time: IntArray) -> FloatArray:
        """(3,) class shares in the training rows."""
        require_types("give the class shares", time=(time, _TIMES))
        return np.array(self.manifest.class_prior)

    @property
    def mode(self) -> Mode:
        """How many members are loaded: full, partial (at least 2) or none, in which the fallback rules decide."""
        return self.members.mode

    def mode_at(self, time: int) -> Mode:
        """The mode at a time in ms, without benched members, and of those that are chosen to vote."""
        require_types("give the mode", time=(time, WHOLE))
        return mode_of(self.members, self.bench, time)

    @property
    def quorum(self) -> int:
        """How many members have to agree; of a stack all, since it was fitted with all of them."""
        total = self.bench.membership.count(self.members.order)
        return total if self.stack is not None else quorum_count(self.manifest.policy.quorum, total)

    def status(self) -> dict[str, bool]:
        """Member -> whether it is loaded."""
        return {model: model in self.members.sessions for model in self.members.order}

    def log_status(self) -> None:
        """Log each member's state, the mode, and the quorum and policy or the method of the stack."""
        for model in self.members.order:
            if model in self.members.sessions:
                _log.info("%s: loaded", model)
            else:
                _log.error("%s: not loaded, abstains: %s", model, self.members.failures[model])
        if self.stack is not None:
            decides = f"stack by {self.stack.method} of all {len(self.stack.members)} that it was fitted with"
        else:
            because = "" if self.closed is None else f", because {self.closed.because}"
            decides = f"quorum {self.quorum}, policy {self.decides}{because}"
        _log.log(
            logging.INFO if self.mode == "full" else logging.WARNING,
            "bundle %s: mode %s, %d of %d members, %s",
            *(self.manifest.id, self.mode, len(self.members.sessions), len(self.members), decides),
        )

    @property
    def closed(self) -> ClosedPolicy | None:
        """The closed policy with its reason, if it is in force."""
        policy = self.policies[self.decides]
        return policy if isinstance(policy, ClosedPolicy) else None

    def with_policy(self, policy: str) -> Bundle:
        """The same bundle with another policy; the members are shared.

        Raises:
            BundleError: no such policy, or the bundle does not have it; the message says why.
        """
        other = copy(self)
        other.decides = require_policy(self.policies, policy, self.calibration)
        return other

    def with_vote(self, vote: VoteSettings) -> Bundle:
        """The same bundle with other weights, quorum, floors or volatility gate; the members are shared.

        Args:
            vote: takes the place of the settings in the manifest; `trained_vote` keeps those.
        """
        require_types("set the vote", vote=(vote, Kind((VoteSettings,), "the settings of a vote")))
        other = copy(self)
        other.manifest = replace(self.manifest, policy=vote)
        fitted = self.calibration.policy
        if fitted is not None:
            other.calibration = replace(self.calibration, policy=replace(fitted, vote=vote))
        other.policies = bundle_policies(other.manifest, other.calibration, stacked=self.stack is not None)
        return other

    @property
    def bench(self) -> Bench:
        """Who is benched when, and who votes; nobody and all unless `with_bench` was called."""
        return self.bench_of(self.id)

    def with_bench(self, bench_of: BenchOf) -> Bundle:
        """The same bundle, whose benched members abstain, and of whose members those that are chosen vote; the members
        are shared. A stack has no bench.

        Args:
            bench_of: called with its id at every prediction.
        """
        require_types("set the bench", bench_of=(bench_of, FUNCTION))
        other = copy(self)
        if self.stack is None:
            other.bench_of = bench_of
        return other

    def predict(self, candles: Candles, *, now: int | None = None, allow_training_span: bool = False) -> Signal:
        """The decision at the newest closed bar: by the members' vote, by the stack's predicted return, or in the mode
        "none" by the fallback rules.

        Args:
            candles: of one market, in the bundle's timeframe; a bar not closed at `now` is ignored. A member abstains
                if there is too little history for its features.
            now: current time in ms; None for the clock.
            allow_training_span: predict the bar even if the bundle was trained on it.

        Raises:
            BundleError: the candles are of another timeframe.
            CandleError: a bar opens after `now`.
            TooLittleHistoryError: there is no closed bar.
            TrainingSpanError: the bar lies inside the training span.
        """
        return self.predict_many((candles,), now=now, allow_training_span=allow_training_span)[0]

    def predict_many(
        self, markets: Sequence[Candles], *, now: int | None = None, allow_training_span: bool = False
    ) -> list[Signal]:
        """The decision at the newest closed bar of each market; each member runs once on the batch of all markets.

        Signals equal those of `predict`, except with networks in 8 bits: their rounding depends on the batch, and their
        scores differ by up to about 0.002.

        Raises:
            BundleError, CandleError, TooLittleHistoryError, TrainingSpanError: as `predict`, for the first market that
                cannot be predicted. No member has run then.
        """
        if now is None:
            now = now_ms()
        elif not isinstance(now, (int, np.integer)) or isinstance(now, bool):
            require_types(_PREDICT, now=(now, Kind((), "a time in ms UTC, or None")))
        if not isinstance(allow_training_span, bool):
            require_types(_PREDICT, allow_training_span=(allow_training_span, FLAG))
        if not isinstance(markets, (tuple, list)):
            require_types(_PREDICT, markets=(markets, Kind((), "a list or a tuple of Candles")))
        newest = [
            Bars(newest_closed(self.manifest, candles, now, LIVE_BARS, allow_training_span=allow_training_span))
            for candles in markets
        ]
        if self.mode == "none":
            abstentions = self.members.abstain(_NOT_RUN)
            return [
                fallback_signal(bars, float(volatility_20(bars, newest=1)[-1]), abstentions, self.closed)
                for bars in newest
            ]
        computed = live(newest, self.features, self.members.window)
        for (X, _), bars in zip(computed, newest, strict=True):
            hide_rescaled(X, bars, bars.timeframe, self.features.warmup)
        volatilities = [volatility for _, volatility in computed]
        inputs = [
            Inputs(X, bars.time[-len(X) :], self.manifest.timeframe)
            for (X, _), bars in zip(computed, newest, strict=True)
        ]
        if self.stack is not None:
            forecasts = self.members.forecasts(inputs, self.stack.actions)
            return [
                self.stack.signal(outputs, volatility, self.mode, bars.symbol, int(bars.time[-1]))
                for outputs, volatility, bars in zip(forecasts, volatilities, newest, strict=True)
            ]
        return vote_signals(
            inputs,
            volatilities,
            newest,
            members=self.members,
            manifest=self.manifest,
            calibration=self.calibration,
            policy=self.policies[self.decides],
            bench=self.bench,
            mode=self.mode,
        )

    def predict_frame(
        self, candles: Candles, *, allow_training_span: bool = False, sets: bool = False
    ) -> DecisionFrame:
        """The decision at every bar, each from the bars up to it.

        Bars inside the training span have no scores and are HOLD by the rule "training_span". Features of later bars
        still use them. A member that is not loaded, or fails, has NaN scores on all bars.

        Prediction sets adapt from bar to bar to the labels known at each bar's close. They start at the initial limit,
        which `predict` uses at every bar.

        Args:
            candles: of one market, in the bundle's timeframe.
            allow_training_span: predict bars inside the training span as well.
            sets: compute prediction sets even if the policy in force does not use them.

        Raises:
            BundleError: the candles are of another timeframe.
            TrainingSpanError: all bars lie inside the training span.
        """
        require_types(_PREDICT, allow_training_span=(allow_training_span, FLAG), sets=(sets, FLAG))
        require_timeframe(self.manifest, candles)
        masked = np.zeros(len(candles), np.bool_) if allow_training_span else self.in_training_span(candles.time)
        if len(candles) and masked.all():
            raise training_span_error(self.manifest, f"predict {candles.symbol}")
        bars = Bars(candles)
        volatility = volatility_20(bars)
        if self.mode == "none":
            models = () if self.stack is not None else self.members.order
            return mask_training_span(
                fallback_frame(bars, volatility, models, candles.synthetic or self.manifest.synthetic, self.closed),
                masked,
            )
        X = build(bars, self.features)
        hide_rescaled(X, bars, bars.timeframe, self.features.warmup)
        return self.decide_bars(candles, X, volatility, masked, sets=sets)

    def decide_bars(
        self,
        candles: Candles,
        X: Float32Array,
        volatility: FloatArray,
        masked: BoolArray,
        *,
        sets: bool = False,
    ) -> DecisionFrame:
        """`predict_frame` from computed features; for the modes full and partial.

        Args:
            candles: n bars of one market.
            X: (n, F) features, computed on these bars or on more.
            volatility: (n,) volatility_20 as a fraction, likewise.
            masked: (n,) bars without scores, HOLD by the rule "training_span".
            sets: as in `predict_frame`.
        """
        require_types(
            _PREDICT,
            candles=(candles, Kind((Candles,), "quorate.Candles")),
            X=(X, Kind((np.ndarray,), "an array (n, F) of the features")),
            volatility=(volatility, Kind((np.ndarray,), "an array (n,)")),
            masked=(masked, Kind((np.ndarray,), "an array (n,) of flags")),
            sets=(sets, FLAG),
        )
        if masked.dtype != np.bool_ or masked.shape != (len(candles),):
            raise ArgumentError(
                _PREDICT,
                found=f"`masked` of shape {masked.shape} and type {masked.dtype}",
                expected=f"{len(candles)} flags",
            )
        inputs = Inputs(X, candles.time, candles.timeframe)
        if self.stack is not None:
            returns = self.members.returns(inputs, ~masked)
            frame = self.stack.frame(candles, returns, volatility, synthetic=self.manifest.synthetic)
            return replace(frame, rule=np.where(masked, TRAINING_SPAN, frame.rule))
        scores = self.members.scores(inputs, ~masked)
        bench, closes = self.bench, candles.time + timeframe_ms(candles.timeframe)
        scores, unselected = bench.membership.split(scores, closes)
        frame = vote_decisions(
            candles,
            bench.mask(scores, closes),
            volatility,
            members=bench.membership.count(self.members.order),
            manifest=self.manifest,
            calibration=self.calibration,
            policies=self.policies,
            decides=self.decides,
            sets=sets,
        )
        return mask_training_span(replace(frame, unselected=unselected) if unselected else frame, masked)

    def in_training_span(self, time: IntArray) -> BoolArray:
        """(n,) True at open times from the first training bar to the last one whose close a label reads, that excluded.

        No training label depends on later bars, so the prediction at that bar is out of sample.
        """
        require_types("find the training span", time=(time, _TIMES))
        return in_training_span(self.manifest, time)
