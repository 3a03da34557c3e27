"""One bar: what each member says of it, and the decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from quorate.core.types.actions import Action, Mode, Policy


@dataclass(frozen=True, slots=True)
class Vote:
    """One model's say on one bar.

    Attributes:
        model: registry name.
        action: the class with the largest score.
        score: that class's raw score, 0 to 1: not a probability.
        probabilities: SELL, HOLD, BUY, only once calibrated out of fold; else None.
        weight: the model's weight in this vote; None takes it from the settings.
        scores: SELL, HOLD, BUY raw scores, where known.
    """

    model: str
    action: Action
    score: float
    probabilities: tuple[float, float, float] | None = None
    weight: float | None = None
    scores: tuple[float, float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "action": self.action.name,
            "score": self.score,
            "scores": None if self.scores is None else list(self.scores),
            "probabilities": None if self.probabilities is None else list(self.probabilities),
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """One member's say in a stack on one bar: a return instead of a class. It has no score.

    Attributes:
        model: registry name.
        predicted_return: over the target's horizon, a fraction.
        action: BUY or SELL where that exceeds a round trip's cost in size, else HOLD.
    """

    model: str
    predicted_return: float
    action: Action

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "action": self.action.name,
            "score": None,
            "scores": None,
            "probabilities": None,
            "predicted_return": self.predicted_return,
        }


@dataclass(frozen=True, slots=True)
class Abstention:
    """A configured model that did not vote, and why. Never a HOLD."""

    model: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"model": self.model, "reason": self.reason}


# The one-line form's short names; a model that is not here shows its own name.
_SHORT_NAMES = {"xgboost": "xgb", "lightgbm": "lgbm"}


@dataclass(frozen=True, slots=True)
class Signal:
    """The decision on one bar, with everything that led to it.

    Attributes:
        action: what to do.
        confidence: base times the consensus multiplier, capped; 0 after a conflict.
        consensus: unanimous, strong, split, weak or conflict_resolved_to_hold, perhaps with _volatility_hold.
        rule: what decided: vote, conflict, no_votes, no_quorum, volatility_gate, below_floor or fallback_rules; by the
            calibrated policy calibrated, no_votes, no_quorum, below_return, below_probability or ambiguous; of a stack
            predicted_return, within_cost or member_missing.
        base: weighted mean score of the agreeing models, before the boost.
        volatility: volatility_20 as a fraction; None when unknown.
        mode: full, partial or none (of the bundle's members, how many were loaded).
        symbol, time: the market and the bar's open time in ms, where known.
        policy: classic, calibrated or stack: whose rules decided. The confidence of the latter two is a probability.
        probabilities: SELL, HOLD, BUY, the ensemble's own, once calibrated out of fold; else None.
        expected_return: of the side that was asked about, after a round trip's costs, a fraction; calibrated only.
        prediction_set: the classes that cannot be ruled out, where the bundle has prediction sets; calibrated only.
        forecasts: what the members of a stack predict, who cast no votes.
        predicted_return: the stack's own, a fraction; None in a vote, and where one of its members is missing.
    """

    action: Action
    confidence: float
    consensus: str
    rule: str
    base: float
    volatility: float | None
    votes: tuple[Vote, ...]
    abstentions: tuple[Abstention, ...] = ()
    mode: Mode = "full"
    symbol: str = ""
    time: int | None = None
    policy: Policy | Literal["stack"] = "classic"
    probabilities: tuple[float, float, float] | None = None
    expected_return: float | None = None
    prediction_set: tuple[Action, ...] | None = None
    forecasts: tuple[Forecast, ...] = ()
    predicted_return: float | None = None

    def line(self) -> str:
        """One line for logs and tags: consensus | each model's vote | volatility."""
        votes = [f"{_SHORT_NAMES.get(v.model, v.model)}:{v.action.name} {v.score:.0%}" for v in self.votes]
        votes += [f"{_SHORT_NAMES.get(f.model, f.model)}:{f.predicted_return:+.2%}" for f in self.forecasts]
        votes += [f"{_SHORT_NAMES.get(a.model, a.model)}:ABSTAIN" for a in self.abstentions]
        if self.predicted_return is not None:
            votes.append(f"together:{self.predicted_return:+.2%}")
        volatility = "unknown" if self.volatility is None else f"{self.volatility:.2%}"
        return f"{self.consensus} | {', '.join(votes) or 'no votes'} | vol:{volatility}"

    def to_json(self) -> dict[str, Any]:
        """The form of `quorate signal --json`."""
        from quorate.core.clock import iso_ms

        return {
            "symbol": self.symbol,
            "time": None if self.time is None else iso_ms(self.time),
            "action": self.action.name,
            "confidence": self.confidence,
            "consensus": self.consensus,
            "rule": self.rule,
            "policy": self.policy,
            "mode": self.mode,
            "volatility": self.volatility,
            "probabilities": None if self.probabilities is None else list(self.probabilities),
            "expected_return": self.expected_return,
            "prediction_set": None if self.prediction_set is None else [held.name for held in self.prediction_set],
            **({"predicted_return": self.predicted_return} if self.policy == "stack" else {}),
            "votes": [vote.to_json() for vote in self.votes] + [said.to_json() for said in self.forecasts],
            "abstentions": [abstention.to_json() for abstention in self.abstentions],
            "line": self.line(),
        }
