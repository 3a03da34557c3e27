"""What a walk forward has found: every model's scores on bars that it knew nothing of, and what is decided by them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quorate.core.settings import VoteSettings
from quorate.core.types import Action, DecisionFrame, FloatArray, IntArray, Policy
from quorate.ensemble.training.fit_policy import ENSEMBLE, FittedPolicy
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.metrics.classification import log_loss, voted
from quorate.evaluation.walk_forward.fold_rows import FoldRows
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars

# The rule where the calibrated policy is asked for and a step has no probabilities.
UNCALIBRATED = "uncalibrated"


@dataclass(frozen=True, slots=True)
class Fit:
    """How one member did in one step; without `failure` it voted."""

    seconds: float
    failure: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class WalkResult:
    """The scores of a whole walk.

    Attributes:
        rows: what was learned from and scored.
        members: names, in the order of the vote.
        steps: in order of time.
        scores: model -> (n, 3) float64 for every row; NaN before the first test span and where it abstained. It holds
            the members and the models beside them.
        prior: (n, 3) class shares of the training rows of the step that tests the row; NaN before the first.
        fits: by step, model -> how it did.
        probabilities: member, and "ensemble" -> (n, 3) for every row; NaN where its step could not calibrate it.
        judgements: by step, the maps and policies that the later part of its training rows made.
    """

    rows: LabelledBars
    members: tuple[str, ...]
    steps: tuple[FoldRows, ...]
    scores: Mapping[str, FloatArray]
    prior: FloatArray
    fits: tuple[Mapping[str, Fit], ...]
    probabilities: Mapping[str, FloatArray]
    judgements: tuple[FittedPolicy, ...]

    @property
    def start(self) -> int:
        """First bar that is tested, ms."""
        return self.steps[0].start

    @property
    def tested(self) -> dict[str, slice]:
        """Symbol -> its tested rows, for those that have any."""
        spans = {}
        for symbol, span in self.rows.spans.items():
            first = span.start + int(np.searchsorted(self.rows.time[span], self.start))
            if first < span.stop:
                spans[symbol] = slice(first, span.stop)
        return spans

    def frames(self, policy: VoteSettings, by: Policy | None = None) -> dict[str, DecisionFrame]:
        """What the ensemble decides on every tested bar.

        Prediction sets start anew in each step, where its judgement left them, and adapt symbol by symbol.

        Args:
            policy: of the vote.
            by: classic or calibrated; None for whichever each step's own later training rows chose. Asked for
                calibrated, a step that could not calibrate its scores holds on every bar (`uncalibrated`).
        """
        frames = {}
        for symbol, own in self.tested.items():
            parts = [
                self._decided(symbol, own, step, judged, policy, by)
                for step, judged in zip(self.steps, self.judgements, strict=True)
            ]
            frames[symbol] = DecisionFrame.concat([part for part in parts if len(part)])
        return frames

    def _decided(
        self, symbol: str, own: slice, step: FoldRows, judged: FittedPolicy, policy: VoteSettings, by: Policy | None
    ) -> DecisionFrame:
        """One symbol's decisions in one step."""
        first, last = np.searchsorted(self.rows.time[own], (step.start, step.end)) + own.start
        part = slice(int(first), int(last))
        ballot = {name: self.scores[name][part] for name in self.members}
        time, volatility = self.rows.time[part], self.rows.volatility[part]
        calibrated = judged.calibration.policy
        wanted = judged.policy if by is None else by
        probabilities = None if calibrated is None else self.probabilities[ENSEMBLE][part]
        limit = None
        if calibrated is not None and probabilities is not None and calibrated.conformal is not None:
            known_from = np.where(self.rows.known[part], self.rows.span_end[part], np.iinfo(np.int64).max)
            limit = calibrated.conformal.track(probabilities, self.rows.y[part], time, known_from).limit
        decides = calibrated if wanted == "calibrated" and calibrated is not None else policy
        said = decide_frame(
            ballot, volatility, policy=decides, members=len(self.members), limit=limit, probabilities=probabilities
        )
        if by == "calibrated" and calibrated is None:
            hold = np.full(len(time), Action.HOLD, np.int8)
            said = said._replace(action=hold, rule=np.full(len(time), UNCALIBRATED), side=hold)
        return DecisionFrame(
            symbol,
            self.rows.timeframe,
            time,
            *said[:5],
            volatility,
            ballot,
            synthetic=symbol in self.rows.synthetic,
            policy=by or ("classic" if decides is policy else "calibrated"),
            probabilities=probabilities,
            calibrated={name: self.probabilities[name][part] for name in judged.calibration.members},
            limit=limit,
            side=said.side,
        )

    def best_member(self) -> tuple[FloatArray, tuple[str, ...]]:
        """The scores of whichever member did best so far, and its name in each step.

        It is the one with the least log-loss over the test rows of the steps before whose label has ended by then;
        never over those of the step itself. In the first step nothing is known, so the first member speaks. A member
        that could not be fitted in a step cannot be chosen for it.

        Returns:
            (n, 3) scores for every row, and a name for each step ("" where no member could be fitted).
        """
        chosen = []
        scores = np.full_like(self.prior, np.nan)
        past = {name: np.empty(0, np.int64) for name in self.members}
        for step, fits in zip(self.steps, self.fits, strict=True):
            able = [name for name in self.members if fits[name].failure is None]
            losses = {}
            for name in able:
                known = past[name][self.rows.span_end[past[name]] < step.start]
                losses[name] = log_loss(self.rows.y[known], self.scores[name][known])
            # A member that never spoke before is known for nothing: the others come first, then the order.
            best = min(able, key=lambda name: math.inf if math.isnan(losses[name]) else losses[name], default="")
            chosen.append(best)
            if best:
                scores[step.test] = self.scores[best][step.test]
            for name in able:
                past[name] = np.concatenate([past[name], self.judged(step, name)])
        return scores, tuple(chosen)

    def judged(self, step: FoldRows, name: str) -> IntArray:
        """Test rows of a step that have a label and this model's vote."""
        rows = step.test
        return rows[self.rows.known[rows] & voted(self.scores[name][rows])]
