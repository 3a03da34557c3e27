"""Result of a walk-forward: out-of-sample scores of every model, and the decisions made by them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from quorate.core.settings import VoteSettings
from quorate.core.types import Action, DecisionFrame, FloatArray, IntArray, Policy
from quorate.ensemble.calibration.conformal import Conformal
from quorate.ensemble.column_choice import ColumnChoice
from quorate.ensemble.selection import EVERYBODY, Membership
from quorate.ensemble.training.fit_policy import ENSEMBLE, FittedPolicy
from quorate.ensemble.voting.any_policy import AnyPolicy, policy_name, policy_named
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.metrics.classification import log_loss, voted
from quorate.evaluation.walk_forward.fold_rows import FoldRows
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars
from quorate.models.pretraining import Pretraining

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
        membership: who votes when; the others are scored all the same.
        pretrained: member -> its pretrained weights, for members that have any.
        choices: by fold, columns that members were fitted on; empty if these are the whole feature set.
    """

    rows: LabelledBars
    members: tuple[str, ...]
    folds: tuple[FoldRows, ...]
    scores: Mapping[str, FloatArray]
    prior: FloatArray
    fits: tuple[Mapping[str, Fit], ...]
    probabilities: Mapping[str, FloatArray]
    policies: tuple[FittedPolicy, ...]
    membership: Membership = EVERYBODY
    pretrained: Mapping[str, Pretraining] = field(default_factory=dict)
    choices: tuple[ColumnChoice, ...] = ()
    # Fold -> limits of the prediction sets of its tested rows, which every policy shares.
    _limits: dict[int, FloatArray] = field(default_factory=dict, init=False, repr=False)

    @property
    def start(self) -> int:
        """Open time of the first tested bar, ms."""
        return self.folds[0].start

    @property
    def voting(self) -> int:
        """How many members vote on a bar."""
        return self.membership.count(self.members)

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
        parts: dict[str, list[DecisionFrame]] = {symbol: [] for symbol in self.tested}
        for place, fitted in enumerate(self.policies):
            for frame in self._decide(place, fitted, policy, by):
                parts[frame.symbol].append(frame)
        return {symbol: DecisionFrame.concat(frames) for symbol, frames in parts.items()}

    def _spans(self, fold: FoldRows) -> dict[str, slice]:
        """Symbol -> its rows in a fold; symbols without any are left out."""
        spans = {}
        for symbol, span in self.tested.items():
            first, last = (np.searchsorted(self.rows.time[span], (fold.start, fold.end)) + span.start).tolist()
            if first < last:
                spans[symbol] = slice(first, last)
        return spans

    def _limit(self, place: int, conformal: Conformal, spans: Mapping[str, slice]) -> FloatArray:
        """Limits of the prediction sets of a fold's rows, adapted symbol by symbol."""
        if place not in self._limits:
            rows, limits = self.rows, []
            for span in spans.values():
                known_from = np.where(rows.known[span], rows.span_end[span], np.iinfo(np.int64).max)
                table = self.probabilities[ENSEMBLE][span]
                limits.append(conformal.track(table, rows.y[span], rows.time[span], known_from).limit)
            self._limits[place] = np.concatenate(limits)
        return self._limits[place]

    def _decide(
        self, place: int, fitted: FittedPolicy, policy: VoteSettings, by: Policy | None
    ) -> Iterator[DecisionFrame]:
        """Decisions in one fold, made for all symbols at once."""
        spans = self._spans(self.folds[place])
        if not spans:
            return
        part = np.concatenate([np.arange(span.start, span.stop) for span in spans.values()])
        time, volatility = self.rows.time[part], self.rows.volatility[part]
        scores = {name: self.scores[name][part] for name in self.members}
        ballot, unselected = self.membership.split(scores, time + self.rows.bar_ms)
        policy = replace(policy, correlation=fitted.correlation)
        calibrated = fitted.calibration.policy
        wanted = fitted.policy if by is None else by
        probabilities = None if calibrated is None else self.probabilities[ENSEMBLE][part]
        limit = None
        if calibrated is not None and calibrated.conformal is not None:
            limit = self._limit(place, calibrated.conformal, spans)
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
            members=self.voting,
            limit=limit,
            probabilities=probabilities,
            calibrated=own,
        )
        if by == "calibrated" and calibrated is None:
            hold = np.full(len(time), Action.HOLD, np.int8)
            decided = decided._replace(action=hold, rule=np.full(len(time), UNCALIBRATED), side=hold)
        end = 0
        for symbol, span in spans.items():
            rows = slice(end, end := end + span.stop - span.start)
            yield DecisionFrame(
                symbol,
                self.rows.timeframe,
                time[rows],
                decided.action[rows],
                decided.confidence[rows],
                decided.base[rows],
                decided.consensus[rows],
                decided.rule[rows],
                volatility[rows],
                {name: table[rows] for name, table in ballot.items()},
                synthetic=symbol in self.rows.synthetic,
                policy=by or policy_name(decides),
                probabilities=None if probabilities is None else probabilities[rows],
                calibrated={name: table[rows] for name, table in own.items()},
                limit=None if limit is None else limit[rows],
                side=None if decided.side is None else decided.side[rows],
                unselected={name: table[rows] for name, table in unselected.items()},
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
