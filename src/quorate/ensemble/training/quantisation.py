"""Whether members may be served in fewer bits: only where neither they nor the ensemble decide otherwise for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from quorate.core.settings import VoteSettings
from quorate.core.types import Action, ActionArray, FloatArray, IntArray
from quorate.ensemble.bundle.manifest import Member
from quorate.ensemble.stack.stack import STACK, Stack
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.vote_frame import choose, decide_frame
from quorate.models.quantise import quantise
from quorate.models.runtime import OnnxSession
from quorate.targets import Dataset
from quorate.targets.splits import TimeSplit

# The least share of bars on which a member's own class, and the ensemble's decision, must stay what they were.
AGREEMENT = 0.995

# What a member's loss may grow by in fewer bits, as a share of it.
MOST_LOST = 0.005

# Rows on which members in full precision and in 8 bits are compared, at most.
COMPARED_ROWS = 20_000

# Training rows by whose windows weights are rounded, about.
_LESSON_ROWS = 1_000

# Far from 0, so that one row that a member was sure of and wrong about does not decide.
_LEAST_SCORE = 1e-6


@dataclass(frozen=True, slots=True)
class Standard:
    """What members in fewer bits are held to, on rows whose future is known.

    Attributes:
        own: a member's (n, C) answers to (n,) int8, its own class.
        loss: of a member's (n, C) answers.
        decided: policy -> model -> (n, C) answers to (n,) int8, what the ensemble does.
    """

    own: Callable[[FloatArray], ActionArray]
    loss: Callable[[FloatArray], float]
    decided: Mapping[str, Callable[[Mapping[str, FloatArray]], ActionArray]]


def of_votes(policies: Mapping[str, VoteSettings | CalibratedPolicy], members: int, y: ActionArray) -> Standard:
    """Scores, their log-loss, and the votes by each policy. The volatility gate stands open here, so that it hides no
    difference.

    Args:
        policies: by which the bundle can decide.
        members: configured, those that were not trained included.
        y: (n,) what happened.
    """
    calm = np.zeros(len(y))

    def decide(policy: VoteSettings | CalibratedPolicy, scores: Mapping[str, FloatArray]) -> ActionArray:
        return decide_frame(scores, calm, policy=policy, members=members).action

    decided = {name: partial(decide, policy) for name, policy in policies.items()}
    return Standard(lambda scores: choose(scores)[0], lambda scores: _log_loss(scores, y), decided)


def of_stack(stack: Stack, y: FloatArray) -> Standard:
    """Returns, their mean squared error, and what the stack makes of them; a class is what a return is beyond the cost.

    Args:
        stack: that combines them.
        y: (n,) what happened.
    """

    def decide(returns: Mapping[str, FloatArray]) -> ActionArray:
        return stack.decide({model: given[:, 0] for model, given in returns.items()}).action

    return Standard(
        lambda given: stack.lean(given[:, 0]),
        lambda given: float(((given[:, 0] - y) ** 2).mean()) if len(y) else 0.0,
        {STACK: decide},
    )


@dataclass(frozen=True, slots=True)
class Agreement:
    """One policy's decisions by members in full precision and in fewer bits.

    Attributes:
        acted: rows on which either ensemble would act.
        same: share of those on which both decide the same; None where neither ever acts.
    """

    acted: int
    same: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What fewer bits change, on rows that no member was fitted on.

    Attributes:
        rows: compared.
        classes: model -> share of rows on which its own class is the same.
        loss: model -> in full precision, and in fewer bits.
        decisions: policy -> what became of the ensemble's decisions, the kept members in fewer bits; where none is
            kept, all candidates; where there is no candidate, all that have a graph in fewer bits.
        kept: the members to be served in fewer bits.
    """

    rows: int
    classes: Mapping[str, float]
    loss: Mapping[str, tuple[float, float]]
    decisions: Mapping[str, Agreement]
    kept: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "classes": dict(self.classes),
            "loss": {model: list(losses) for model, losses in self.loss.items()},
            "decisions": {policy: asdict(found) for policy, found in self.decisions.items()},
            "kept": list(self.kept),
        }


def compare(full: Mapping[str, FloatArray], fewer: Mapping[str, FloatArray], standard: Standard) -> Comparison:
    """Choose the members whose answers survive fewer bits.

    A member is a candidate if its own class is the same on 99.5 % of the rows and its loss is less than 0.5 % worse. Of
    the candidates, as many are served in fewer bits as leave the ensemble deciding the same on 99.5 % of the rows on
    which it acts in either form, by each of the policies that acts at all.

    Args:
        full: model -> (n, C) answers in full precision, for every member that has a say.
        fewer: the same for the members that have a graph in fewer bits.
        standard: of the same n rows.
    """
    rows = len(next(iter(full.values()))) if full else 0
    classes = {
        model: float((standard.own(full[model]) == standard.own(answers)).mean()) if rows else 0.0
        for model, answers in fewer.items()
    }
    losses = {model: (standard.loss(full[model]), standard.loss(answers)) for model, answers in fewer.items()}
    candidates = tuple(
        model
        for model, (before, after) in losses.items()
        if classes[model] >= AGREEMENT and after <= before * (1 + MOST_LOST)
    )

    def decisions(chosen: tuple[str, ...]) -> dict[str, Agreement]:
        mixed = {model: fewer[model] if model in chosen else answers for model, answers in full.items()}
        return {policy: _agreement(decide(full), decide(mixed)) for policy, decide in standard.decided.items()}

    for size in range(len(candidates), 0, -1):
        for chosen in combinations(candidates, size):
            found = decisions(chosen)
            if _same(found):
                return Comparison(rows, classes, losses, found, chosen)
    return Comparison(rows, classes, losses, decisions(candidates or tuple(fewer)), ())


def lighten(
    dataset: Dataset,
    split: TimeSplit,
    members: Sequence[Member],
    files: dict[str, bytes],
    standard: Callable[[Any], Standard],
) -> Comparison:
    """Put networks' graphs in 8 bits in place of their own where nothing is decided otherwise; how that went.

    Args:
        dataset: features and labels.
        split: its parts; the validation rows are looked at, and weights are rounded by some of the training's.
        members: those with a graph have a say.
        files: of the bundle, changed in place.
        standard: made of the labels of the rows that are compared.
    """
    rows, lessons = split.validation[:: max(1, len(split.validation) // COMPARED_ROWS)], lesson_rows(split)
    graphs = {member.model: member.graph for member in members if member.graph is not None}
    sessions = {model: OnnxSession(files[graph], dataset.inputs.X.shape[1], model) for model, graph in graphs.items()}
    # All on the same rows, those that every member can read.
    _, rows = dataset.read(rows, max(session.window for session in sessions.values()))
    full, fewer, small = {}, {}, {}
    for model, session in sessions.items():
        X, _ = dataset.read(rows, session.window)
        full[model] = session.run(X)
        if session.window > 1:
            windows, _ = dataset.read(lessons, session.window)
            small[model] = quantise(files[graphs[model]], model, windows)
            fewer[model] = OnnxSession(small[model], session.features, model).run(X)
    found = compare(full, fewer, standard(dataset.y[rows]))
    for model in found.kept:
        files[graphs[model]] = small[model]
    return found


def lesson_rows(split: TimeSplit) -> IntArray:
    """The training rows by whose windows weights are rounded."""
    return split.train[:: max(1, len(split.train) // _LESSON_ROWS)]


def _same(decisions: Mapping[str, Agreement]) -> bool:
    """Whether every policy that acts decides the same; where none does, nothing shows that it would."""
    shares = [found.same for found in decisions.values() if found.same is not None]
    return bool(shares) and min(shares) >= AGREEMENT


def _log_loss(scores: FloatArray, y: ActionArray) -> float:
    said = np.maximum(scores[np.arange(len(y)), y], _LEAST_SCORE)
    return float(-np.log(said).mean()) if len(y) else 0.0


def _agreement(before: ActionArray, after: ActionArray) -> Agreement:
    acted = (before != Action.HOLD) | (after != Action.HOLD)
    return Agreement(int(acted.sum()), float((before == after)[acted].mean()) if acted.any() else None)
