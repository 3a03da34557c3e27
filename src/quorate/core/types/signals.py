"""Results on one bar: the members' votes and the decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from quorate.core.arguments import NUMBER, TEXT, WHOLE, Kind, require_types
from quorate.core.types.actions import Action, DecidedBy, Mode

_NUMBER = (float, int, np.floating, np.integer)
_WHOLE = (int, np.integer)
_TABLE = (tuple, type(None))
_ACTION = Kind((Action,), "a quorate.Action")
_THREE = Kind((tuple,), "a tuple of the values of SELL, HOLD and BUY")
_TUPLE = Kind((tuple,), "a tuple")


@dataclass(frozen=True, slots=True)
class Vote:
    """Vote of one model on one bar.

    Attributes:
        model: registered name.
        action: the class with the largest score; HOLD where SELL and BUY tie. Counted by the consensus policy, the side
            given a move.
        score: raw score of that class, 0 to 1; not a probability. Counted by the consensus policy, the side's share of
            the probability of a move.
        probabilities: of SELL, HOLD and BUY, calibrated out of fold; None without calibration.
        weight: weight in this vote; None for the settings' weight.
        scores: raw scores of SELL, HOLD and BUY; None where unknown.
    """

    model: str
    action: Action
    score: float
    probabilities: tuple[float, float, float] | None = None
    weight: float | None = None
    scores: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        # One condition on the live path; which field is wrong is looked for only then.
        if not (
            isinstance(self.model, str)
            and isinstance(self.action, Action)
            and isinstance(self.score, _NUMBER)
            and isinstance(self.probabilities, _TABLE)
            and (self.weight is None or isinstance(self.weight, _NUMBER))
            and isinstance(self.scores, _TABLE)
        ):
            require_types(
                "make a vote",
                model=(self.model, TEXT),
                action=(self.action, _ACTION),
                score=(self.score, NUMBER),
                probabilities=(self.probabilities, _THREE.optional),
                weight=(self.weight, NUMBER.optional),
                scores=(self.scores, _THREE.optional),
            )

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
    """Predicted return of one member of a stack on one bar; it has no score.

    Attributes:
        model: registered name.
        predicted_return: over the target's horizon, a fraction.
        action: BUY or SELL where the return exceeds the cost of a round trip, else HOLD.
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


#: How the reason of a benched member's abstention begins.
BENCHED: Final = "benched: "

#: How the reason of a member that was not chosen to vote begins; it does not count among the members.
NOT_SELECTED: Final = "not selected: "


@dataclass(frozen=True, slots=True)
class Abstention:
    """A model of the ensemble that did not vote, with the reason. Never counted as HOLD."""

    model: str
    reason: str

    def __post_init__(self) -> None:
        if not (isinstance(self.model, str) and isinstance(self.reason, str)):
            require_types("make an abstention", model=(self.model, TEXT), reason=(self.reason, TEXT))

    @property
    def benched(self) -> bool:
        """Whether the model is benched: its vote would not have counted."""
        return self.reason.startswith(BENCHED)

    @property
    def unselected(self) -> bool:
        """Whether the model is not among the members that vote: the quorum is of the others."""
        return self.reason.startswith(NOT_SELECTED)

    def to_json(self) -> dict[str, Any]:
        return {"model": self.model, "reason": self.reason}


#: Short names in the one-line form; other models have their own name.
SHORT_NAMES = {"xgboost": "xgb", "lightgbm": "lgbm"}


@dataclass(frozen=True, slots=True)
class Signal:
    """Decision on one bar, with the votes and figures it is based on.

    Attributes:
        action: the decision.
        confidence: base times the consensus multiplier, capped; 0 after a conflict. In the consensus policy the base.
        consensus: unanimous, strong, split, weak or conflict_resolved_to_hold; _volatility_hold may be appended.
        rule: the rule that decided. In the classic and the consensus policy vote, conflict, no_votes, no_quorum,
            volatility_gate, below_floor or fallback_rules; in the calibrated policy calibrated, no_votes, no_quorum,
            below_return, below_probability or ambiguous; in the closed policy closed, no_votes or fallback_rules; of a
            stack predicted_return, within_cost or member_missing.
        base: weighted mean score of the agreeing models, before the boost.
        volatility: volatility_20 as a fraction; None when unknown.
        mode: full, partial or none: how many of the bundle's members are loaded and not benched.
        symbol: the market; empty where unknown.
        time: open time of the bar in ms UTC; None where unknown.
        policy: classic, calibrated, consensus, closed or stack. The confidence of calibrated and stack is the
            probability of the action, that of consensus the probability of its side given a move.
        probabilities: of SELL, HOLD and BUY, of the ensemble, calibrated out of fold; None without calibration.
        expected_return: of the considered side after the cost of a round trip, a fraction; calibrated only.
        prediction_set: the classes of the conformal prediction set, where the bundle has one; calibrated only.
        forecasts: predictions of the members of a stack, in place of votes.
        predicted_return: of the stack, a fraction; None in a vote, and where a member of the stack is missing.
        closed_because: why the closed policy is in force, one sentence; empty in the others.
        benched: what benched members would have voted. It does not count: they are among the abstentions.
        unselected: what members that were not chosen to vote would have voted; likewise.
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
    policy: DecidedBy = "classic"
    probabilities: tuple[float, float, float] | None = None
    expected_return: float | None = None
    prediction_set: tuple[Action, ...] | None = None
    forecasts: tuple[Forecast, ...] = ()
    predicted_return: float | None = None
    closed_because: str = ""
    benched: tuple[Vote, ...] = ()
    unselected: tuple[Vote, ...] = ()

    def __post_init__(self) -> None:
        if not (
            isinstance(self.action, Action)
            and isinstance(self.confidence, _NUMBER)
            and isinstance(self.consensus, str)
            and isinstance(self.rule, str)
            and isinstance(self.base, _NUMBER)
            and (self.volatility is None or isinstance(self.volatility, _NUMBER))
            and isinstance(self.votes, tuple)
            and isinstance(self.abstentions, tuple)
            and isinstance(self.mode, str)
            and isinstance(self.symbol, str)
            and (self.time is None or isinstance(self.time, _WHOLE))
            and isinstance(self.policy, str)
            and isinstance(self.probabilities, _TABLE)
            and (self.expected_return is None or isinstance(self.expected_return, _NUMBER))
            and isinstance(self.prediction_set, _TABLE)
            and isinstance(self.forecasts, tuple)
            and (self.predicted_return is None or isinstance(self.predicted_return, _NUMBER))
            and isinstance(self.closed_because, str)
            and isinstance(self.benched, tuple)
            and isinstance(self.unselected, tuple)
        ):
            self._refuse()

    def _refuse(self) -> None:
        """Raise for the first field of a wrong type."""
        number, optional = NUMBER, NUMBER.optional
        require_types(
            "make a signal",
            action=(self.action, _ACTION),
            confidence=(self.confidence, number),
            consensus=(self.consensus, TEXT),
            rule=(self.rule, TEXT),
            base=(self.base, number),
            volatility=(self.volatility, optional),
            votes=(self.votes, _TUPLE),
            abstentions=(self.abstentions, _TUPLE),
            mode=(self.mode, TEXT),
            symbol=(self.symbol, TEXT),
            time=(self.time, WHOLE.optional),
            policy=(self.policy, TEXT),
            probabilities=(self.probabilities, _THREE.optional),
            expected_return=(self.expected_return, optional),
            prediction_set=(self.prediction_set, _TUPLE.optional),
            forecasts=(self.forecasts, _TUPLE),
            predicted_return=(self.predicted_return, optional),
            closed_because=(self.closed_because, TEXT),
            benched=(self.benched, _TUPLE),
            unselected=(self.unselected, _TUPLE),
        )

    def __repr__(self) -> str:
        where = f"{self.symbol}: " if self.symbol else ""
        return f"Signal({where}{self.action.name} {self.confidence:.0%} by {self.rule}, {self.line()})"

    def line(self) -> str:
        """Format as one line for logs and tags: consensus | each model's vote | volatility.

        The line of the calibrated policy begins with the rule that decided, and the probability of BUY or SELL: the
        consensus had no part in it. Members that were not chosen to vote are left out.
        """
        votes = [f"{SHORT_NAMES.get(v.model, v.model)}:{v.action.name} {v.score:.0%}" for v in self.votes]
        votes += [f"{SHORT_NAMES.get(f.model, f.model)}:{f.predicted_return:+.2%}" for f in self.forecasts]
        votes += [f"{SHORT_NAMES.get(a.model, a.model)}:ABSTAIN" for a in self.abstentions if not a.unselected]
        if self.predicted_return is not None:
            votes.append(f"together:{self.predicted_return:+.2%}")
        volatility = "unknown" if self.volatility is None else f"{self.volatility:.2%}"
        decided = self.consensus
        if self.policy == "calibrated":
            decided = self.rule if self.action == Action.HOLD else f"{self.rule} {self.confidence:.0%}"
        return f"{decided} | {', '.join(votes) or 'no votes'} | vol:{volatility}"

    def to_json(self) -> dict[str, Any]:
        """Convert to the JSON document of a signal."""
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
            **({"closed_because": self.closed_because} if self.policy == "closed" else {}),
            **({"benched": [vote.to_json() for vote in self.benched]} if self.benched else {}),
            **({"unselected": [vote.to_json() for vote in self.unselected]} if self.unselected else {}),
            "votes": [vote.to_json() for vote in self.votes] + [forecast.to_json() for forecast in self.forecasts],
            "abstentions": [abstention.to_json() for abstention in self.abstentions],
            "line": self.line(),
        }
