"""Bars to a decision: features, every member's scores, the vote. No data frame and no training library."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from quorate.core.clock import format_ms, now_ms
from quorate.core.errors import BundleError, CandleError, ModelError, TooLittleHistoryError, TrainingSpanError
from quorate.core.settings import PredictSettings
from quorate.core.types import Action, BoolArray, Candles, DecisionFrame, Mode, Signal
from quorate.ensemble import bundle as storage
from quorate.ensemble.fallback import fall_back, fallback_signal
from quorate.ensemble.manifest import Manifest
from quorate.ensemble.members import Members
from quorate.ensemble.recipes import RECIPES
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
    """

    def __init__(
        self,
        manifest: Manifest,
        sessions: Mapping[str, Session],
        failures: Mapping[str, str],
        settings: PredictSettings | None = None,
    ) -> None:
        self.manifest = manifest
        names = [member.model for member in manifest.members]
        self.members = Members(names, sessions, failures, (settings or PredictSettings()).deadline_ms)

    @property
    def mode(self) -> Mode:
        """How many members are loaded: full, partial (at least 2) or none, when only the fallback rules speak."""
        return self.members.mode

    def status(self) -> dict[str, bool]:
        """Every member of the manifest, and whether it is loaded."""
        return {model: model in self.members.sessions for model in self.members.order}

    def predict(self, candles: Candles, *, now: int | None = None, allow_training_span: bool = False) -> Signal:
        """The decision at the newest closed bar: the members' vote, or the fallback rules' word in the mode "none".

        Args:
            candles: of one market, in the bundle's timeframe; a bar still running at `now` is left out. A member
                abstains when there is too little history for its features.
            now: the present in ms; None for the clock.
            allow_training_span: predict even if the bundle was trained on that bar.

        Raises:
            BundleError: candles of another timeframe, or members that predict returns.
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
        ballots = self.members.votes([self._inputs(bars) for bars in newest])
        return [
            decide(
                ballot,
                volatility,
                policy=self.manifest.policy,
                members=len(self.members),
                mode=self.mode,
                symbol=candles.symbol,
                time=int(bars.time[-1]),
            )
            for ballot, volatility, candles, bars in zip(ballots, volatilities, markets, newest, strict=True)
        ]

    def predict_frame(self, candles: Candles, *, allow_training_span: bool = False) -> DecisionFrame:
        """The decision at every bar, each from the bars up to it.

        Bars inside the training span get no scores: HOLD, by the rule "training_span". They still warm the features of
        the bars after them. A member that is not loaded, or fails, has NaN scores throughout.

        Raises:
            BundleError: candles of another timeframe, or members that predict returns.
            TrainingSpanError: every bar lies inside the training span.
        """
        self._require_votes(candles)
        self._require_timeframe(candles)
        seen = np.zeros(len(candles), np.bool_) if allow_training_span else self.in_training_span(candles)
        if len(candles) and seen.all():
            raise self._refusal(f"predict {candles.symbol}")
        bars = Bars(candles)
        inputs = Inputs(build(bars, self.manifest.features), candles.time, candles.timeframe)
        volatility = volatility_20(bars)
        available = self.mode != "none"
        scores = self.members.scores(inputs, ~seen & available)
        if available:
            decisions = decide_frame(scores, volatility, policy=self.manifest.policy, members=len(self.members))
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
        )

    def in_training_span(self, candles: Candles) -> BoolArray:
        """(n,) True from the first training bar to the last close that a label has read, that last bar excluded.

        No training label knows what follows it, so its own prediction is as unseen as any later one.
        """
        return (candles.time >= self.manifest.training_start) & (candles.time < self.manifest.training_end)

    def _newest(self, candles: Candles, now: int, *, allow_training_span: bool) -> Bars:
        """The closed bars that a live prediction reads, once nothing speaks against predicting the newest of them."""
        self._require_votes(candles)
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

    def _require_votes(self, candles: Candles) -> None:
        if RECIPES[self.manifest.recipe].task != "class":
            raise BundleError(
                f"predict {candles.symbol}",
                found=f"a bundle of the recipe {self.manifest.recipe}, whose members predict returns",
                expected="members that score classes",
                remedy="Train one with --recipe vote.",
            )

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

    Args:
        path: the bundle's folder, or a folder of bundles, whose champion it then is.
        settings: the deadline of live predictions.

    Raises:
        BundleError: no bundle there, or one that is altered, incomplete or made for something else.
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
            _log.error("%s abstains: %s", member.model, error)
            failures[member.model] = str(error)
    return Bundle(manifest, sessions, failures, settings)
