"""Choice of the columns that earn their place, by a walk-forward inside training rows.

Columns that move together are judged as a group. The importance of a group is the rise of the loss on held-out rows

- when it is dropped and the model is fitted again without it, and
- when its columns are shuffled by spans of time and the model stays.

A group earns its place if the loss rises without it in most folds and the whole interval is above zero. The others are
removed together, the least useful first, as far as the remaining columns are no worse than all columns on the same
rows: either the loss does not rise, or the upper end of the paired interval is within the tolerance. Where a step
fails, half as many are tried.

The held-out rows choose, so figures on them are optimistic. Only later rows, which the choice has not seen, say whether
it helped.

Source: Strobl et al. (2008) for importance of correlated columns; Guyon and Elisseeff (2003) for backward elimination.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quorate.core.clock import HOUR_MS
from quorate.core.errors import FeatureError
from quorate.core.progress import Progress
from quorate.core.settings import Settings
from quorate.ensemble.column_choice import CandidateRows, ColumnChoice
from quorate.evaluation.feature_selection.column_groups import column_groups
from quorate.evaluation.feature_selection.held_out_loss import Columns, HeldOutLoss, Maker
from quorate.evaluation.feature_selection.importance import LossRise, ranks_by_fold
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

_STAGE = "choosing columns"

EARNED, READ, NEEDED, REMOVED = "earned", "read", "needed", "removed"


def choose_columns(rows: CandidateRows, progress: Progress, *, make: Maker, settings: Settings) -> ColumnChoice:
    """Choose columns on training rows.

    Args:
        rows: training rows; of more than `auto_features.rows`, bars are left out evenly.
        progress: called with fits done and the number of fits if every group is removed at once.
        make: makes the model that judges.
        settings: of the choice, of the split for early stopping, and of the intervals.

    Returns:
        The columns, and figures: the losses of all and of the kept columns, and for each group what it is worth and
        what became of it: it "earned" its place, is "needed" for the others not to be worse, is "read" by a member by
        name, or was "removed".

    Raises:
        EvaluationError: too few rows for one fold.
        FeatureError: the model reads more than single bars.
        ModelError: the model cannot be fitted.
    """
    own = settings.auto_features
    if (window := make(rows.columns).window) > 1:
        raise FeatureError(
            "choose the columns",
            found=f"auto_features.model {own.model}, which reads {window} bars",
            expected="a model of single bars, such as lightgbm",
        )
    step, thinned = _thinned(rows, own.rows)
    groups = column_groups(thinned.X, own.correlation)
    loss = HeldOutLoss(thinned, make, own.folds, settings.split)
    blocks = TimeBlocks(thinned.time[loss.held_out], settings.evaluation)
    every = tuple(range(len(rows.columns)))
    fits = len(groups) + 2

    shuffled = [
        LossRise.of(rise, loss.fold, blocks)
        for rise in loss.shuffled(every, groups, own.span_hours * HOUR_MS, own.repeats, settings.train.seed)
    ]
    progress(_STAGE, 1, fits)
    whole = loss.of(every)

    def rise_without(removed: Iterable[int]) -> LossRise:
        return LossRise.of(loss.of(_without(every, removed)) - whole, loss.fold, blocks)

    dropped = []
    for number, group in enumerate(groups, 2):
        # A single group has nothing to be dropped from: then the loss rises to that of the prior.
        alone = len(groups) == 1
        dropped.append(LossRise.of(loss.prior - whole, loss.fold, blocks) if alone else rise_without(group))
        progress(_STAGE, number, fits)

    required = frozenset(place for place, name in enumerate(rows.columns) if name in rows.required)
    # Columns that a member looks up by name stay, whatever becomes of the rest of their group.
    parts = [_without(group, required) for group in groups]
    doubtful = [number for number in range(len(groups)) if parts[number] and not dropped[number].earns(own.positive)]
    doubtful.sort(key=lambda number: (dropped[number].mean, shuffled[number].mean))
    tolerance = own.tolerance * float(loss.prior.mean())

    def removed_columns(numbers: Sequence[int]) -> list[int]:
        return [place for number in numbers for place in parts[number]]

    def able(numbers: Sequence[int]) -> bool:
        left = len(every) - len(removed_columns(numbers))
        return left >= max(1, own.fewest) and rise_without(removed_columns(numbers)).no_worse(tolerance)

    removed = _removed(doubtful, able)
    progress(_STAGE, fits, fits)
    kept = _without(every, removed_columns(removed))
    judged = _Judged(groups, dropped, shuffled, [_why(each, doubtful, removed, parts) for each in range(len(groups))])
    figures = {
        "candidates": own.candidates,
        "model": own.model,
        "rows": len(thinned),
        "every_bars": step,
        "folds": len(loss.folds),
        "prior": float(loss.prior.mean()),
        "all": {"columns": len(every), "loss": float(whole.mean())},
        "kept": {
            "columns": len(kept),
            "loss": float(loss.of(kept).mean()),
            **rise_without(removed_columns(removed)).to_json(),
        },
        "tolerance": tolerance,
        "groups": judged.to_json(rows.columns, kept),
    }
    return ColumnChoice(tuple(rows.columns[place] for place in kept), figures)


@dataclass(frozen=True, slots=True)
class _Judged:
    """Groups, what they are worth, and what became of each."""

    groups: Sequence[Columns]
    dropped: Sequence[LossRise]
    shuffled: Sequence[LossRise]
    why: Sequence[str]

    def to_json(self, names: Sequence[str], kept: Columns) -> list[dict[str, Any]]:
        """The groups, those that are missed most first."""
        ranks = [ranks_by_fold(self.dropped), ranks_by_fold(self.shuffled)]
        order = sorted(range(len(self.groups)), key=lambda number: (-self.dropped[number].mean, number))
        return [
            {
                "columns": [names[place] for place in self.groups[number]],
                "kept": [names[place] for place in self.groups[number] if place in kept],
                "why": self.why[number],
                "dropped": self.dropped[number].to_json(ranks[0][number]),
                "shuffled": self.shuffled[number].to_json(ranks[1][number]),
            }
            for number in order
        ]


def _why(number: int, doubtful: Sequence[int], removed: Sequence[int], parts: Sequence[Columns]) -> str:
    if number in removed:
        return REMOVED
    if not parts[number]:
        return READ
    return NEEDED if number in doubtful else EARNED


def _removed(doubtful: Sequence[int], able: Callable[[Sequence[int]], bool]) -> list[int]:
    """As many of the groups as can be removed together, in their order; half as many where a step fails."""
    removed: list[int] = []
    size = len(doubtful)
    while size:
        wanted = doubtful[len(removed) : len(removed) + size]
        if wanted and able([*removed, *wanted]):
            removed += wanted
            size = min(size, len(doubtful) - len(removed))
        else:
            size //= 2
    return removed


def _without(columns: Columns, removed: Iterable[int]) -> Columns:
    gone = frozenset(removed)
    return tuple(column for column in columns if column not in gone)


def _thinned(rows: CandidateRows, most: int) -> tuple[int, CandidateRows]:
    """Every k-th bar of all markets, k as small as gives at most about so many rows; and k."""
    step = max(1, -(-len(rows) // most))
    if step == 1:
        return step, rows
    kept = np.isin(rows.time, np.unique(rows.time)[::step])
    return step, replace(
        rows,
        X=rows.X[kept],
        y=rows.y[kept],
        time=rows.time[kept],
        span_end=rows.span_end[kept],
        symbol=rows.symbol[kept],
    )
