"""Quantisation of members to 8 bits, only where neither their classes nor the ensemble's decisions change."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np

from quorate.core.types import Action, ActionArray, FloatArray, IntArray
from quorate.ensemble.bundle.manifest import Member
from quorate.ensemble.calibration.map_selection import ProbabilityMap
from quorate.ensemble.stack.stack import STACK, Stack
from quorate.ensemble.voting.any_policy import AnyPolicy
from quorate.ensemble.voting.member_votes import top_class
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.models.quantise import NotQuantisable, quantise
from quorate.models.runtime import OnnxSession
from quorate.targets import Dataset
from quorate.targets.splits import TimeSplit

_log = logging.getLogger(__name__)

# Least share of bars on which a member's class, and the ensemble's decision, must stay the same.
AGREEMENT = 0.995

# Largest relative increase of a member's loss in 8 bits.
MAX_LOSS_INCREASE = 0.005

# Largest number of rows on which members in full precision and in 8 bits are compared.
COMPARED_ROWS = 20_000

# Approximate number of training rows on whose windows weights are rounded.
_ROUNDING_ROWS = 1_000

# Scores are clipped to at least this, so that a single confident error does not dominate the loss.
_LEAST_SCORE = 1e-6


@dataclass(frozen=True, slots=True)
class Criteria:
    """Functions by which members in full precision and in 8 bits are compared, on labelled rows.

    Attributes:
        classes: a member's (n, C) outputs to (n,) int8, its classes.
        loss: of a member's (n, C) outputs.
        decisions: policy -> function of model -> (n, C) outputs to (n,) int8, the ensemble's actions.
    """

    classes: Callable[[FloatArray], ActionArray]
    loss: Callable[[FloatArray], float]
    decisions: Mapping[str, Callable[[Mapping[str, FloatArray]], ActionArray]]


def vote_criteria(
    policies: Mapping[str, AnyPolicy],
    members: int,
    y: ActionArray,
    maps: Mapping[str, ProbabilityMap] = MappingProxyType({}),
) -> Criteria:
    """Criteria for members that vote: classes and log-loss of scores, and decisions by each policy.

    The volatility gate is kept open, because it would hide differences.

    Args:
        policies: of the bundle.
        members: number of configured members, including those that were not trained.
        y: (n,) true classes.
        maps: member -> its probability map, for members that have one; the consensus policy votes by them.
    """
    calm = np.zeros(len(y))

    def decide(policy: AnyPolicy, scores: Mapping[str, FloatArray]) -> ActionArray:
        calibrated = {model: maps[model](table) for model, table in scores.items() if model in maps}
        return decide_frame(scores, calm, policy=policy, members=members, calibrated=calibrated).action

    decisions = {name: partial(decide, policy) for name, policy in policies.items()}
    return Criteria(lambda scores: top_class(scores)[0], lambda scores: _log_loss(scores, y), decisions)


def stack_criteria(stack: Stack, y: FloatArray) -> Criteria:
    """Criteria for members of a stack: actions and mean squared error of returns, and decisions of the stack.

    Args:
        stack: of the members.
        y: (n,) actual returns.
    """

    def decide(returns: Mapping[str, FloatArray]) -> ActionArray:
        return stack.decide({model: output[:, 0] for model, output in returns.items()}).action

    return Criteria(
        lambda output: stack.actions(output[:, 0]),
        lambda output: float(((output[:, 0] - y) ** 2).mean()) if len(y) else 0.0,
        {STACK: decide},
    )


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of one policy's decisions with members in full precision and in 8 bits.

    Attributes:
        acted: number of rows on which either is not HOLD.
        same: share of these rows with the same decision; None if there are none.
    """

    acted: int
    same: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of members in full precision and in 8 bits, on rows that no member was fitted on.

    Attributes:
        rows: number of rows compared.
        classes: model -> share of rows on which its class is the same.
        loss: model -> loss in full precision and in 8 bits.
        decisions: policy -> agreement of the ensemble's decisions with the kept members in 8 bits; if none is kept,
            with all candidates; if there is no candidate, with all members that have a graph in 8 bits.
        kept: members to be run in 8 bits.
    """

    rows: int
    classes: Mapping[str, float]
    loss: Mapping[str, tuple[float, float]]
    decisions: Mapping[str, Agreement]
    kept: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON object for the manifest's metrics."""
        return {
            "rows": self.rows,
            "classes": dict(self.classes),
            "loss": {model: list(losses) for model, losses in self.loss.items()},
            "decisions": {policy: asdict(found) for policy, found in self.decisions.items()},
            "kept": list(self.kept),
        }


def compare(full: Mapping[str, FloatArray], quantised: Mapping[str, FloatArray], criteria: Criteria) -> Comparison:
    """Choose the members to run in 8 bits.

    A member is a candidate if its class is the same on at least 99.5 % of the rows and its loss grows by at most 0.5 %.
    The largest set of candidates is chosen for which, by every policy that acts, the ensemble decides the same on at
    least 99.5 % of the rows on which it acts with or without quantisation.

    Args:
        full: model -> (n, C) outputs in full precision, for all members.
        quantised: the same in 8 bits, for the members that have such a graph.
        criteria: of the same n rows.
    """
    rows = len(next(iter(full.values()))) if full else 0
    classes = {
        model: float((criteria.classes(full[model]) == criteria.classes(outputs)).mean()) if rows else 0.0
        for model, outputs in quantised.items()
    }
    losses = {model: (criteria.loss(full[model]), criteria.loss(outputs)) for model, outputs in quantised.items()}
    candidates = tuple(
        model
        for model, (before, after) in losses.items()
        if classes[model] >= AGREEMENT and after <= before * (1 + MAX_LOSS_INCREASE)
    )

    def decisions(chosen: tuple[str, ...]) -> dict[str, Agreement]:
        mixed = {model: quantised[model] if model in chosen else outputs for model, outputs in full.items()}
        return {policy: _agreement(decide(full), decide(mixed)) for policy, decide in criteria.decisions.items()}

    for size in range(len(candidates), 0, -1):
        for chosen in combinations(candidates, size):
            found = decisions(chosen)
            if _agree(found):
                return Comparison(rows, classes, losses, found, chosen)
    return Comparison(rows, classes, losses, decisions(candidates or tuple(quantised)), ())


def quantise_members(
    dataset: Dataset,
    split: TimeSplit,
    members: Sequence[Member],
    files: dict[str, bytes],
    make_criteria: Callable[[Any], Criteria],
) -> Comparison:
    """Replace networks' graphs by graphs in 8 bits where they have one that does not change decisions.

    Args:
        dataset: features and labels.
        split: its parts; members are compared on validation rows, and weights are rounded on training rows.
        members: of the bundle; those without a graph are ignored.
        files: of the bundle, changed in place.
        make_criteria: makes the criteria from the (n,) labels of the rows compared.

    Returns:
        The comparison, whose kept members were replaced.
    """
    rows = split.validation[:: max(1, len(split.validation) // COMPARED_ROWS)]
    training_rows = rounding_rows(split)
    graphs = {member.model: member.graph for member in members if member.graph is not None}
    sessions = {model: OnnxSession(files[graph], dataset.inputs.X.shape[1], model) for model, graph in graphs.items()}
    # All members on the same rows: those that every member can read.
    _, rows = dataset.read(rows, max(session.window for session in sessions.values()))
    full, quantised, graphs_8bit = {}, {}, {}
    for model, session in sessions.items():
        X, _ = dataset.read(rows, session.window)
        full[model] = session.run(X)
        if session.window > 1:
            windows, _ = dataset.read(training_rows, session.window)
            try:
                graphs_8bit[model] = quantise(files[graphs[model]], model, windows)
            except NotQuantisable as error:
                _log.warning("%s stays in single precision: %s", model, error.found)
                continue
            quantised[model] = OnnxSession(graphs_8bit[model], session.features, model).run(X)
    comparison = compare(full, quantised, make_criteria(dataset.y[rows]))
    for model in comparison.kept:
        files[graphs[model]] = graphs_8bit[model]
    return comparison


def rounding_rows(split: TimeSplit) -> IntArray:
    """Row numbers of the training rows on whose windows weights are rounded."""
    return split.train[:: max(1, len(split.train) // _ROUNDING_ROWS)]


def _agree(decisions: Mapping[str, Agreement]) -> bool:
    """Whether all policies that act agree; False if none acts, since nothing was compared."""
    shares = [found.same for found in decisions.values() if found.same is not None]
    return bool(shares) and min(shares) >= AGREEMENT


def _log_loss(scores: FloatArray, y: ActionArray) -> float:
    clipped = np.maximum(scores[np.arange(len(y)), y], _LEAST_SCORE)
    return float(-np.log(clipped).mean()) if len(y) else 0.0


def _agreement(before: ActionArray, after: ActionArray) -> Agreement:
    acted = (before != Action.HOLD) | (after != Action.HOLD)
    return Agreement(int(acted.sum()), float((before == after)[acted].mean()) if acted.any() else None)
