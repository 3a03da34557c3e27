"""How good an ensemble's decisions were on bars whose outcome is known by now.

Unlike an evaluation, nothing is predicted again: these are the votes that were cast when the bars closed. A bar counts
once the candles over the target's horizon are there, and never before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from quorate.core.clock import iso_ms, timeframe_ms
from quorate.core.settings import Settings
from quorate.core.types import CLASS_NAMES, NO_DECISION, BoolArray, Candles, DecisionFrame, FloatArray, IntArray
from quorate.ensemble.voting.closed_policy import CLOSED
from quorate.ensemble.voting.consensus_policy import CONSENSUS, ConsensusPolicy
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.agreement import agreement_figures
from quorate.evaluation.metrics.classification_report import reliability_json
from quorate.evaluation.metrics.decisions import decision_figures
from quorate.evaluation.metrics.signal_outcomes import Signals
from quorate.evaluation.metrics.skill_periods import skill_by_period, skill_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.targets import ForwardClass

ENSEMBLE = "ensemble"
SCORES_NOTE = "mean raw scores of the members that voted, weighted; neither calibrated nor the vote's confidence"
PROBABILITIES_NOTE = "probabilities of the ensemble, calibrated out of fold"


class OutcomeCounts(NamedTuple):
    """Number of decided bars by what is known of their outcome.

    Attributes:
        known: with a label.
        waiting: whose horizon has not closed yet.
        without_candles: without candles of the bar, or of all bars of its horizon.
    """

    known: int
    waiting: int
    without_candles: int


@dataclass(frozen=True, eq=False)
class LiveDecisions:
    """Decisions of one bundle, and the candles that show their outcomes.

    Attributes:
        frames: symbol -> decisions with the members' scores.
        candles: symbol -> candles; those of some bars, or of a whole market, may be missing.
        members: names of the bundle's members, loaded or not.
        prior_at: times in ms -> class shares of the training rows, (3,) or (n, 3).
        settings: target and vote of the bundle; costs, intervals and criteria of the user.
    """

    frames: Mapping[str, DecisionFrame]
    candles: Mapping[str, Candles]
    members: Sequence[str]
    prior_at: Callable[[IntArray], FloatArray]
    settings: Settings

    @cached_property
    def target(self) -> ForwardClass:
        """What was predicted."""
        return ForwardClass(self.settings.target.horizon, self.settings.target.band)

    @cached_property
    def decided(self) -> dict[str, DecisionFrame]:
        """Symbol -> the bars on which some model voted."""
        return {symbol: _selected(frame, ~np.isin(frame.rule, NO_DECISION)) for symbol, frame in self.frames.items()}

    @cached_property
    def with_candles(self) -> dict[str, DecisionFrame]:
        """Symbol -> the decided bars that the candles have; markets without any are left out."""
        found = {}
        for symbol, frame in self.decided.items():
            if symbol in self.candles and len(part := _selected(frame, np.isin(frame.time, self.candles[symbol].time))):
                found[symbol] = part
        return found

    @cached_property
    def sample(self) -> LabelledPredictions | None:
        """The bars with a known outcome; None where no market has candles."""
        held = self.with_candles
        return LabelledPredictions.of(held, self.candles, self.target) if held else None

    @property
    def outcomes(self) -> OutcomeCounts:
        """How many decided bars have a known outcome."""
        known = 0 if self.sample is None else len(self.sample)
        waiting = sum(
            int((frame.time > _last_labelled(self.candles[symbol], self.target.horizon)).sum())
            for symbol, frame in self.with_candles.items()
        )
        total = sum(len(frame) for frame in self.decided.values())
        return OutcomeCounts(known, waiting, total - known - waiting)


def live_figures(live: LiveDecisions) -> dict[str, Any]:
    """All figures, JSON-safe; a missing number is null, with the reason under `missing`.

    Raises:
        EvaluationError: scores or a prior that are not class shares.
    """
    evaluation, sample = live.settings.evaluation, live.sample
    decisions = decision_figures(live.frames.values(), evaluation)
    document: dict[str, Any] = {
        "outcomes": live.outcomes._asdict(),
        "horizon_bars": live.target.horizon,
        "decisions": decisions,
        "mix": mix_rows(decisions, live.settings),
    }
    if sample is None or not sample.members:
        return {**document, **_EMPTY, "coverage": []}
    blocks = TimeBlocks(sample.time, evaluation)
    mean, prior = sample.ensemble(live.settings.vote), live.prior_at(sample.time)
    models = {ENSEMBLE: mean, **sample.members}
    return {
        **document,
        "from": iso_ms(int(sample.time.min())) if len(sample) else None,
        "to": iso_ms(int(sample.time.max())) if len(sample) else None,
        "intervals": {
            "confidence": evaluation.confidence,
            "resamples": evaluation.resamples,
            "block_hours": evaluation.block_hours,
            "blocks": blocks.count,
        },
        "prior": dict(zip(CLASS_NAMES, np.atleast_2d(prior).mean(axis=0).tolist(), strict=True)),
        "ensemble": {"scores": SCORES_NOTE, **_skill(sample, mean, prior, blocks)},
        "members": {name: _skill(sample, scores, prior, blocks) for name, scores in sample.members.items()},
        "by_day": skill_by_period(sample, models, prior, evaluation, "day"),
        "by_week": skill_by_period(sample, models, prior, evaluation, "week"),
        "reliability": _reliability(live, sample, mean),
        "agreement": agreement_figures(sample.y, sample.members, blocks),
        "coverage": _coverage(live),
        "per_symbol": _per_symbol(sample, mean, prior, blocks),
    }


# The sections of an account without a known outcome.
_EMPTY: Mapping[str, Any] = {
    "from": None,
    "to": None,
    "intervals": None,
    "prior": None,
    "ensemble": None,
    "members": {},
    "by_day": [],
    "by_week": [],
    "reliability": None,
    "agreement": None,
    "per_symbol": [],
}


def mix_rows(decisions: Mapping[str, Any], settings: Settings) -> list[dict[str, Any]]:
    """Share of each consensus among decided bars beside the expected range, JSON-safe.

    Args:
        decisions: of `decision_figures`.
        settings: `criteria` has the ranges; a consensus without one has `expected` and `ok` null.
    """
    found, within = decisions["mix"], decisions["mix_ci"]
    names = dict.fromkeys(["unanimous", "strong", "split", *found])
    rows = []
    for name in names:
        expected = getattr(settings.criteria, name, None)
        share = found.get(name, 0.0) if decisions["decided"] else None
        rows.append(
            {
                "consensus": name,
                "share": share,
                "share_ci": within.get(name),
                "expected": None if expected is None else list(expected),
                "ok": None if expected is None or share is None else expected[0] <= share <= expected[1],
            }
        )
    return rows


def _skill(sample: LabelledPredictions, scores: FloatArray, prior: FloatArray, blocks: TimeBlocks) -> dict[str, Any]:
    """Rows, log-loss beside the prior's, accuracy, and skill with its interval."""
    rows = classification.voted(scores)
    shares = classification.prior_scores(prior, len(sample))
    loss, reference = classification.row_log_loss(sample.y, scores), classification.row_log_loss(sample.y, shares)
    figures = Figures()
    figures.add("n", int(rows.sum()))
    figures.add("abstained", int((~rows).sum()))
    figures.add("log_loss", classification.log_loss(sample.y, scores), "no vote")
    figures.add("prior_log_loss", float(reference[rows].mean()) if rows.any() else None, "no vote")
    figures.add("accuracy", classification.accuracy(sample.y, scores), "no vote")
    own = figures.to_json()
    few = f"{blocks.count} blocks of time are too few"
    skill = skill_figures(sample.y, loss, shares, reference, blocks, few)
    missing = {**own.pop("missing", {}), **skill.pop("missing", {})}
    return {**own, **skill, **({"missing": missing} if missing else {})}


def _reliability(live: LiveDecisions, sample: LabelledPredictions, mean: FloatArray) -> dict[str, Any]:
    """Bins of the winning class's probability against its frequency; of mean scores where nothing is calibrated."""
    evaluation = live.settings.evaluation
    probabilities = _probabilities(live)
    scores, note = (mean, SCORES_NOTE) if probabilities is None else (probabilities, PROBABILITIES_NOTE)
    figures = Figures()
    figures.add("ece", classification.ece(sample.y, scores, evaluation.bins), "no vote")
    bins = reliability_json(sample, scores, evaluation.bins, evaluation.confidence)
    return {"of": note, "calibrated": probabilities is not None, "bins": bins, **figures.to_json()}


def _probabilities(live: LiveDecisions) -> FloatArray | None:
    """(n, 3) calibrated probabilities on the sample's rows; None where some market has none."""
    frames = {
        symbol: DecisionFrame(
            **{name: getattr(frame, name) for name in _COLUMNS}, scores={ENSEMBLE: frame.probabilities}
        )
        for symbol, frame in live.with_candles.items()
        if frame.probabilities is not None
    }
    if len(frames) < len(live.with_candles):
        return None
    return LabelledPredictions.of(frames, live.candles, live.target).members[ENSEMBLE]


_COLUMNS = ("symbol", "timeframe", "time", "action", "confidence", "base", "consensus", "rule", "volatility")


def _coverage(live: LiveDecisions) -> list[dict[str, Any]]:
    """Win rate of the most confident signals of the vote by share of the bars; empty where another policy decided."""
    frames = {symbol: frame for symbol, frame in live.with_candles.items() if frame.scores}
    decided = {frame.policy for frame in frames.values()}
    if len(decided) != 1 or not decided <= {"classic", CONSENSUS, CLOSED}:
        return []
    settings = live.settings
    policy = ConsensusPolicy(settings.vote) if decided == {CONSENSUS} else settings.vote
    members = len(live.members)
    signals = Signals.of_vote(frames, live.candles, live.target, policy, members, settings.costs, settings.evaluation)
    return signals.coverage()


def _per_symbol(
    sample: LabelledPredictions, mean: FloatArray, prior: FloatArray, blocks: TimeBlocks
) -> list[dict[str, Any]]:
    """Skill of the ensemble in each market."""
    table = []
    for place, symbol in enumerate(sample.symbols):
        scores = np.where((sample.symbol == place)[:, None], mean, np.nan)
        figures = _skill(sample, scores, prior, blocks)
        figures["abstained"] = int((sample.symbol == place).sum()) - figures["n"]
        table.append({"symbol": symbol, **figures})
    return table


def _last_labelled(candles: Candles, horizon: int) -> int:
    """Open time in ms of the newest bar whose horizon has closed."""
    return int(candles.time[-1]) - horizon * timeframe_ms(candles.timeframe)


def _selected(frame: DecisionFrame, rows: BoolArray) -> DecisionFrame:
    """Some bars of a frame; the frame itself where it is all of them, since a copy of its scores is large."""
    return frame if rows.all() else frame.select(rows)
