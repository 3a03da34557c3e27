"""What is too good to be true: a column, or a model, that tells rises from falls better than anything honest does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.types import Action, Float32Array, FloatArray
from quorate.evaluation.metrics.classification import ClassArray, area
from quorate.evaluation.statistics.block_bootstrap import Interval, TimeBlocks


@dataclass(frozen=True, slots=True)
class ImplausibleColumn:
    """A column or model that separates BUY from SELL implausibly well.

    Attributes:
        name: of the column or model.
        auc: area under the ROC curve of BUY against SELL rows; under 0.5 it points the other way.
        interval: of it.
    """

    name: str
    auc: float
    interval: Interval | None

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "auc": self.auc, "auc_ci": None if self.interval is None else list(self.interval)}


def suspects(
    columns: Mapping[str, FloatArray | Float32Array], y: ClassArray, blocks: TimeBlocks, limit: float
) -> tuple[ImplausibleColumn, ...]:
    """Those whose area lies beyond `limit` (or below 1 - `limit`) with its whole interval, the clearest first.

    A column that hardly changes from day to day can line up with the few rises and falls of a short span by chance, so
    the interval must be clear of the limit too. Without enough blocks for an interval the area alone decides.

    Args:
        columns: name -> (n,) values; rows that are not finite are left out.
        y: (n,) classes; HOLD rows are left out.
        blocks: over the rows' times.
        limit: an area that nothing honest reaches, 0.5 to 1.
    """
    found = []
    for name, values in columns.items():
        rows = np.asarray(np.isfinite(values) & (y != Action.HOLD), np.bool_)
        rises = np.asarray(y[rows] == Action.BUY, np.bool_)
        auc = area(rises, np.asarray(values[rows], np.float64))
        if not abs(auc - 0.5) > limit - 0.5:
            continue
        part = blocks.select(rows)
        interval = part.interval(part.areas(rises, np.asarray(values[rows], np.float64)))
        if interval is None or interval[0] > limit or interval[1] < 1 - limit:
            found.append(ImplausibleColumn(name, auc, interval))
    return tuple(sorted(found, key=lambda suspect: -abs(suspect.auc - 0.5)))
