"""Scores of the members out of fold over the whole training span.

The rows before the choosing slice are cut into equal stretches of time. For each stretch but the first, a member is
fitted again on the stretches before it and scores it:

    |  fit ........ | stop | held out |
    |  fit ....................... | stop | held out |

Labels end an embargo before the next part begins. The rows for early stopping are the last of the fold's own training
rows, in the same share as for the member itself.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapter 7: purge and embargo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from quorate.core.errors import QuorateError
from quorate.core.progress import Progress
from quorate.core.settings import PolicySettings, Settings, SplitSettings
from quorate.core.types import CLASS_NAMES, Float32Array, FloatArray, IntArray
from quorate.features import Sequences
from quorate.models import Model, StoppingRows


class LabelledRows(Protocol):
    """Rows that members are fitted on: a data set, or the bars of a walk-forward."""

    @property
    def y(self) -> npt.NDArray[Any]:
        """(n,) true classes."""

    @property
    def time(self) -> IntArray:
        """(n,) int64 open times in ms."""

    @property
    def span_end(self) -> IntArray:
        """(n,) int64 open time in ms of the bar whose close each label reads last."""


# Called with a model and row numbers: its inputs, and the rows that it can read.
Reader = Callable[[Model, IntArray], tuple[Float32Array | Sequences, IntArray]]


@dataclass(frozen=True, slots=True, eq=False)
class RefitFold:
    """Row numbers of one fold, ascending.

    Attributes:
        before: (a,) int64, all rows whose label ends an embargo before the held-out rows.
        fit: (b,) those before the rows for early stopping, on which members with early stopping are fitted.
        stop: (c,) for early stopping.
        held_out: (d,) that are scored.
    """

    before: IntArray
    fit: IntArray
    stop: IntArray
    held_out: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class RefittedScores:
    """Scores of rows by members that were fitted on earlier rows only.

    Attributes:
        rows: (n,) int64 row numbers, in order of time.
        stretch: (n,) int64 number of each row's stretch, from 0.
        scores: member -> (n, 3); NaN in the first stretch, and where the member abstains.
        left_out: member -> why it was not fitted again.
    """

    rows: IntArray
    stretch: IntArray
    scores: Mapping[str, FloatArray] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def none(cls) -> Self:
        """Scores of no row."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))


def score_out_of_fold(
    makers: Mapping[str, Callable[[], Model]],
    data: LabelledRows,
    read: Reader,
    rows: IntArray,
    settings: Settings,
    embargo_ms: int,
    progress: Progress,
) -> RefittedScores:
    """Fit members again on expanding folds, and score each fold's rows.

    Args:
        makers: member -> factory of unfitted models.
        data: all rows.
        read: inputs of a member at some of them.
        rows: (n,) row numbers, in any order.
        settings: number of stretches, which members to fit again, and the share of the rows for early stopping.
        embargo_ms: at least 0.
        progress: called with the member's name, folds done and folds in all.
    """
    policy = settings.policy
    rows = rows[np.argsort(data.time[rows], kind="stable")]
    stretch = stretch_numbers(data.time[rows], policy.folds)
    folds = refit_folds(data.time, data.span_end, rows, stretch, settings.split, embargo_ms)
    place = np.empty(len(data.time), np.int64)
    place[rows] = np.arange(len(rows))
    scores, left_out = {}, {}
    for name, make in makers.items():
        if not fits_again(policy, lambda make=make: make().slow_fit):  # type: ignore[misc]
            left_out[name] = f'policy.refit "{policy.refit}"'
            continue
        table = np.full((len(rows), len(CLASS_NAMES)), np.nan)
        try:
            for number, fold in enumerate(folds, 1):
                scored, found = _predict(make(), data, read, fold)
                table[place[scored]] = found
                progress(f"{name} out of fold", number, len(folds))
        except QuorateError as error:
            left_out[name] = str(error)
            continue
        if np.isfinite(table).any():
            scores[name] = table
        else:
            left_out[name] = f"no row to score in {policy.folds} stretches (policy.folds)"
    return RefittedScores(rows, stretch, scores, left_out)


def fits_again(policy: PolicySettings, is_slow: Callable[[], bool]) -> bool:
    """Whether a member is fitted again out of fold.

    Args:
        policy: says which members are.
        is_slow: whether a fit of the member is slow; called only where that matters.
    """
    return policy.refit == "all" or (policy.refit == "fast" and not is_slow())


def stretch_numbers(time: IntArray, folds: int) -> IntArray:
    """(n,) int64 number, from 0, of the stretch of equal length that each time lies in.

    >>> stretch_numbers(np.array([0, 9, 10, 25, 39]), 4).tolist()
    [0, 0, 1, 2, 3]
    """
    if not len(time):
        return np.empty(0, np.int64)
    begin = int(time.min())
    length = -(-(int(time.max()) + 1 - begin) // folds)
    return np.asarray((time - begin) // length, np.int64)


def refit_folds(
    time: IntArray,
    span_end: IntArray,
    rows: IntArray,
    stretch: IntArray,
    split: SplitSettings,
    embargo_ms: int,
) -> tuple[RefitFold, ...]:
    """A fold for each stretch but the first; folds without a row to fit on or to score are left out.

    Args:
        time: (n,) int64 bar times in ms, of all rows.
        span_end: (n,) int64 open time of the bar whose close each label reads last.
        rows: (k,) row numbers, in order of time.
        stretch: (k,) number of each row's stretch.
        split: whose `stop` share of the validation part is the share of the rows for early stopping.
        embargo_ms: at least 0.
    """
    own, ends = time[rows], span_end[rows]
    share = split.stop * split.validation / (split.train + split.validation)
    folds = []
    for number in range(1, int(stretch.max(initial=0)) + 1):
        held_out = stretch == number
        if not held_out.any():
            continue
        before = ends + embargo_ms < own[held_out].min()
        if not before.any():
            continue
        times = np.unique(own[before])
        cut = int(len(times) * (1 - share))
        seam = times[cut] if cut < len(times) else np.iinfo(np.int64).max
        folds.append(
            RefitFold(
                *(
                    np.sort(rows[chosen])
                    for chosen in (before, before & (ends + embargo_ms < seam), before & (own >= seam), held_out)
                )
            )
        )
    return tuple(folds)


def _predict(model: Model, data: LabelledRows, read: Reader, fold: RefitFold) -> tuple[IntArray, FloatArray]:
    """Held-out rows that a member could read, and its (c, 3) scores there, after fitting it."""
    later = None
    if model.stops_early and len(fold.fit) and len(fold.stop):
        X, rows = read(model, fold.fit)
        stop_X, stop_rows = read(model, fold.stop)
        later = StoppingRows(stop_X, data.y[stop_rows]) if len(stop_rows) else None
    else:
        X, rows = read(model, fold.before)
    model.fit(X, data.y[rows], stopping=later)
    X, rows = read(model, fold.held_out)
    return rows, model.predict_proba(X) if len(rows) else np.empty((0, len(CLASS_NAMES)))
