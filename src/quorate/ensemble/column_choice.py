"""Interface of the choice of columns during training. The caller passes the function: `evaluation` is a layer above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from quorate.core.errors import FeatureError
from quorate.core.progress import Progress
from quorate.core.settings import Settings
from quorate.core.types import Float32Array, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class CandidateRows:
    """Training rows to choose columns on: members may be fitted on each of them.

    Attributes:
        columns: (F,) names to choose from, in the order of the set.
        X: (n, F) float32, finite.
        y: (n,) labels, values of Action.
        time: (n,) int64 open times in ms, in any order.
        span_end: (n,) int64 open time in ms of the bar whose close each label reads last.
        symbol: (n,) number of each row's market.
        embargo_ms: between the end of a label and the first row that is scored.
        required: columns that members look up by name, which are kept.
    """

    columns: tuple[str, ...]
    X: Float32Array
    y: npt.NDArray[Any]
    time: IntArray
    span_end: IntArray
    symbol: npt.NDArray[np.integer[Any]]
    embargo_ms: int
    required: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """Chosen columns.

    Attributes:
        columns: at least one, in the order of the candidates.
        figures: how they were chosen, JSON-safe.
    """

    columns: tuple[str, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)


class ChooseColumns(Protocol):
    """Chooses columns on training rows."""

    def __call__(self, rows: CandidateRows, progress: Progress) -> ColumnChoice:
        """The columns that earn their place."""


def without_refits(settings: Settings) -> Settings:
    """The settings of a training on chosen columns: no member is fitted again out of fold.

    The labels of the training rows chose the columns, so scores of these rows are not out of fold, whatever rows the
    member was fitted on. Heads, probabilities and policies are fitted on the slices after them alone.
    """
    return replace(settings, policy=replace(settings.policy, refit="none"))


def no_choice(rows: CandidateRows, progress: Progress) -> ColumnChoice:  # noqa: ARG001
    """Refuse to choose.

    Raises:
        FeatureError: always.
    """
    raise FeatureError(
        "choose the columns",
        found='the feature set "auto" without a function that chooses',
        expected="a training by `quorate.train`, or a feature set by name",
    )
