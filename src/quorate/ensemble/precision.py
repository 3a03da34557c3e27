"""Whether members may be served in fewer bits: only where neither they nor the ensemble decide otherwise for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from quorate.core.settings import VoteSettings
from quorate.core.types import Action, FloatArray
from quorate.ensemble.manifest import Member
from quorate.ensemble.vote_frame import choose, decide_frame
from quorate.models.quantise import quantise
from quorate.models.runtime import Session
from quorate.targets import Dataset
from quorate.targets.splits import TimeSplit

# The least share of bars on which a member's own class, and the ensemble's decision, must stay what they were.
AGREEMENT = 0.995

# Rows on which members in full precision and in 8 bits are compared, at most.
COMPARED_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """What fewer bits change, on rows that no member was fitted on.

    Attributes:
        rows: compared.
        classes: model -> share of rows on which its own class is the same.
        acted: rows on which either ensemble, in full precision or in fewer bits, would act.
        decisions: share of those on which both decide the same; None where neither ever acts.
        kept: the members to be served in fewer bits.
    """

    rows: int
    classes: Mapping[str, float]
    acted: int
    decisions: float | None
    kept: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"classes": dict(self.classes), "kept": list(self.kept)}


def compare(
    full: Mapping[str, FloatArray], fewer: Mapping[str, FloatArray], policy: VoteSettings, members: int
) -> Comparison:
    """Choose the members whose answers survive fewer bits.

    A member stays a candidate if its own class is the same on 99.5 % of the rows. The candidates are then served in
    fewer bits together if the ensemble decides the same on 99.5 % of the rows on which it acts in either form; if not,
    none is. The volatility gate stands open here, so that it hides no difference.

    Args:
        full: model -> (n, 3) scores in full precision, for every member that votes.
        fewer: the same for the members that have a graph in fewer bits.
        policy: of the vote.
        members: configured, those that were not trained included.
    """
    rows = len(next(iter(full.values())))
    classes = {
        model: float((choose(full[model])[0] == choose(scores)[0]).mean()) if rows else 0.0
        for model, scores in fewer.items()
    }
    candidates = tuple(model for model, share in classes.items() if share >= AGREEMENT)
    mixed = {model: fewer[model] if model in candidates else scores for model, scores in full.items()}
    calm = np.zeros(rows)
    before, after = (decide_frame(scores, calm, policy=policy, members=members).action for scores in (full, mixed))
    acted = (before != Action.HOLD) | (after != Action.HOLD)
    decisions = float((before == after)[acted].mean()) if acted.any() else None
    # Where the ensemble never acts, nothing shows that it would go on deciding the same.
    kept = candidates if decisions is not None and decisions >= AGREEMENT else ()
    return Comparison(rows, classes, int(acted.sum()), decisions, kept)


def lighten(
    dataset: Dataset, split: TimeSplit, members: Sequence[Member], files: dict[str, bytes], policy: VoteSettings
) -> dict[str, Any]:
    """Put networks' graphs in 8 bits in place of their own where nothing is decided otherwise; how that went."""
    rows = split.validation[:: max(1, len(split.validation) // COMPARED_ROWS)]
    graphs = {member.model: member.graph for member in members if member.graph is not None}
    sessions = {model: Session(files[graph], dataset.inputs.X.shape[1], model) for model, graph in graphs.items()}
    # All on the same rows, those that every member can read.
    _, rows = dataset.read(rows, max(session.window for session in sessions.values()))
    full, fewer, small = {}, {}, {}
    for model, session in sessions.items():
        X, _ = dataset.read(rows, session.window)
        full[model] = session.run(X)
        if session.window > 1:
            small[model] = quantise(files[graphs[model]], model)
            fewer[model] = Session(small[model], session.features, model).run(X)
    found = compare(full, fewer, policy, len(members))
    for model in found.kept:
        files[graphs[model]] = small[model]
    return found.to_json()
