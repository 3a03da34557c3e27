"""Detection of columns and models with an implausible AUC: better than is possible without a leak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.types import Action, Float32Array, FloatArray
from quorate.evaluation.metrics.classification import ClassArray, rank_auc
from quorate.evaluation.statistics.block_bootstrap import Interval, TimeBlocks
from quorate.evaluation.statistics.rank_correlation import average_ranks


@dataclass(frozen=True, slots=True)
class ImplausibleColumn:
    """A column or model that separates BUY from SELL implausibly well.

    Attributes:
        name: of the column or model.
        auc: area under the ROC curve of BUY against SELL rows; under 0.5 the direction is inverted.
        interval: of `auc`; None with too few blocks of time.
    """

    name: str
    auc: float
    interval: Interval | None

    def to_json(self) -> dict[str, Any]:
        """JSON-safe document."""
        return {"name": self.name, "auc": self.auc, "auc_ci": None if self.interval is None else list(self.interval)}


def implausible_columns(
    columns: Mapping[str, FloatArray | Float32Array], y: ClassArray, blocks: TimeBlocks, limit: float
) -> tuple[ImplausibleColumn, ...]:
    """Columns whose AUC and its whole interval are above `limit`, or below 1 - `limit`; the most extreme first.

    A slowly changing column can match the few rises and falls of a short span by chance, so the interval has to exceed
    the limit too. With too few blocks of time for an interval, the AUC alone decides.

    Args:
        columns: name -> (n,) values; rows that are not finite are ignored.
        y: (n,) classes; HOLD rows are ignored.
        blocks: of the rows' times.
        limit: highest AUC that is plausible without a leak, 0.5 to 1.
    """
    found = []
    for name, values in columns.items():
        rows = np.asarray(np.isfinite(values) & (y != Action.HOLD), np.bool_)
        rises = np.asarray(y[rows] == Action.BUY, np.bool_)
        ranks = average_ranks(np.asarray(values[rows], np.float64))
        auc = rank_auc(rises, ranks)
        if not abs(auc - 0.5) > limit - 0.5:
            continue
        part = blocks.select(rows)
        interval = part.interval(part.aucs(rises, ranks))
        if interval is None or interval[0] > limit or interval[1] < 1 - limit:
            found.append(ImplausibleColumn(name, auc, interval))
    return tuple(sorted(found, key=lambda column: -abs(column.auc - 0.5)))
