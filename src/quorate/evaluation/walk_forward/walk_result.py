"""Result of a walk-forward: out-of-sample scores of every model, and the decisions made by them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quorate.core.settings import VoteSettings
from quorate.core.types import Action, DecisionFrame, FloatArray, IntArray, Policy
from quorate.ensemble.training.fit_policy import ENSEMBLE, FittedPolicy
from quorate.ensemble.voting.any_policy import AnyPolicy, policy_name, policy_named
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.metrics.classification import log_loss, voted
from quorate.evaluation.walk_forward.fold_rows import FoldRows
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars

# Rule of bars that the calibrated policy should decide in a fold without probabilities.
UNCALIBRATED = "uncalibrated"


@dataclass(frozen=True, slots=True)
class Fit:
    """Outcome of fitting one model in one fold; `failure` is None if it was fitted.

    Attributes:
        seconds: wall time.
        failure: message of the error.
        directional: whether the model can tell sides, see `Model.directional`.
    """

    seconds: float
    failure: str | None = None
    directional: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class WalkResult:
    """Scores of a walk-forward.

    Attributes:
        rows: features and labels of every bar.
        members: names, in the order of the vote.
        folds: in order of time.
        scores: model (members and baselines) -> (n, 3) float64 for every row; NaN before the first test span and for
            abstentions.
        prior: (n, 3) class shares of the training rows of the fold that tests the row; NaN before the first test span.
        fits: by fold, model -> outcome of its fit.
        probabilities: member, and "ensemble" -> (n, 3) calibrated for every row; NaN where the fold has no calibration.
        policies: by fold, calibration and policy fitted on the later part of its training rows.
    """

    rows: LabelledBars
    members: tuple[str, ...]
    folds: tuple[FoldRows, ...]
    scores: Mapping[str, FloatArray]
    prior: FloatArray
    fits: tuple[Mapping[str, Fit], ...]
    probabilities: Mapping[str, FloatArray]
    policies: tuple[FittedPolicy, ...]

    @property
    def start(self) -> int:
        """Open time of the first tested bar, ms."""
        return self.folds[0].start

    @property
    def tested(self) -> dict[str, slice]:
        """Symbol -> its tested rows; symbols without any are left out."""
        spans = {}
        for symbol, span in self.rows.spans.items():
            first = span.start + int(np.searchsorted(self.rows.time[span], self.start))
            if first < span.stop:
                spans[symbol] = slice(first, span.stop)
        return spans

    def frames(self, policy: VoteSettings, by: Policy | None = None) -> dict[str, DecisionFrame]:
        """Decisions of the ensemble on every tested bar, by symbol.

        In each fold, prediction sets start with the limit that its policy was fitted with, and adapt for each symbol.

        Args:
            policy: of the classic vote.
            by: name of a policy; None for the one that each fold selected on its later training rows. With calibrated,
                a fold without calibration holds on every bar (rule `uncalibrated`).
        """
        frames = {}
        for symbol, span in self.tested.items():
            parts = [
                self._decide(symbol, span, fold, fitted, policy, by)
                for fold, fitted in zip(self.folds, self.policies, strict=True)
            ]
            frames[symbol] = DecisionFrame.concat([part for part in parts if len(part)])
        return frames

    def _decide(
        self, symbol: str, span: slice, fold: FoldRows, fitted: FittedPolicy, policy: VoteSettings, by: Policy | None
    ) -> DecisionFrame:
        """Decisions of one symbol in one fold."""
        first, last = np.searchsorted(self.rows.time[span], (fold.start, fold.end)) + span.start
        part = slice(int(first), int(last))
        ballot = {name: self.scores[name][part] for name in self.members}
        time, volatility = self.rows.time[part], self.rows.volatility[part]
        calibrated = fitted.calibration.policy
        wanted = fitted.policy if by is None else by
        probabilities = None if calibrated is None else self.probabilities[ENSEMBLE][part]
        limit = None
        if calibrated is not None and probabilities is not None and calibrated.conformal is not None:
            known_from = np.where(self.rows.known[part], self.rows.span_end[part], np.iinfo(np.int64).max)
            limit = calibrated.conformal.track(probabilities, self.rows.y[part], time, known_from).limit
        decides: AnyPolicy = policy
        if wanted != "calibrated":
            decides = policy_named(wanted, policy)
        elif calibrated is not None:
            decides = calibrated
        own = {name: self.probabilities[name][part] for name in fitted.calibration.members}
        decided = decide_frame(
            ballot,
            volatility,
            policy=decides,
            members=len(self.members),
            limit=limit,
            probabilities=probabilities,
            calibrated=own,
        )
        if by == "calibrated" and calibrated is None:
            hold = np.full(len(time), Action.HOLD, np.int8)
            decided = decided._replace(action=hold, rule=np.full(len(time), UNCALIBRATED), side=hold)
        return DecisionFrame(
            symbol,
            self.rows.timeframe,
            time,
            *decided[:5],
            volatility,
            ballot,
            synthetic=symbol in self.rows.synthetic,
            policy=by or policy_name(decides),
            probabilities=probabilities,
            calibrated=own,
            limit=limit,
            side=decided.side,
        )

    def best_member(self) -> tuple[FloatArray, tuple[str, ...]]:
        """Scores of the best member so far, and its name in each fold.

        The best member of a fold has the lowest log-loss over the test rows of earlier folds whose label ended before
        the fold's test span. In the first fold it is the first member. A member that could not be fitted in a fold is
        not eligible there.

        Returns:
            (n, 3) scores for every row, and a name for each fold ("" if no member could be fitted).
        """
        chosen = []
        scores = np.full_like(self.prior, np.nan)
        past = {name: np.empty(0, np.int64) for name in self.members}
        for fold, fits in zip(self.folds, self.fits, strict=True):
            able = [name for name in self.members if fits[name].failure is None]
            losses = {}
            for name in able:
                known = past[name][self.rows.span_end[past[name]] < fold.start]
                losses[name] = log_loss(self.rows.y[known], self.scores[name][known])
            # Members without a known log-loss come last; ties are resolved by the order of the members.
            best = min(able, key=lambda name: math.inf if math.isnan(losses[name]) else losses[name], default="")
            chosen.append(best)
            if best:
                scores[fold.test] = self.scores[best][fold.test]
            for name in able:
                past[name] = np.concatenate([past[name], self.evaluated(fold, name)])
        return scores, tuple(chosen)

    def evaluated(self, fold: FoldRows, name: str) -> IntArray:
        """Test rows of a fold with a known label and a vote of this model."""
        rows = fold.test
        return rows[self.rows.known[rows] & voted(self.scores[name][rows])]
