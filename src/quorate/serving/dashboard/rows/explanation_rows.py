"""What the page "Market" shows of an explanation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.clock import format_ms
from quorate.core.text.plural import counted
from quorate.lifecycle.explain.attribution import Attribution
from quorate.lifecycle.explain.explanation import Explanation

_ENSEMBLE = "ensemble"

# Columns of a member of boosted trees that are named.
_NAMED = 4


@dataclass(frozen=True, slots=True)
class ContributionRow:
    """A group of features, or the mean or the score.

    Attributes:
        name: of the group.
        columns: of the group, for its title.
        share: the first contribution of the row, as a share of the largest of all, -1 to 1; None for a mean or a score.
        cells: name of the ensemble or a member -> text of the value.
    """

    name: str
    columns: tuple[str, ...]
    share: float | None
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ExplanationTable:
    """An explanation as a table.

    Attributes:
        caption: what is explained, and what it is compared with.
        names: of the columns of values: the ensemble, if it has a score, and its members.
        rows: from the mean over the contributions to the score.
        unit: of the contributions of single columns.
        trees: member of boosted trees -> name, value and contribution of its largest columns.
    """

    caption: str
    names: tuple[str, ...]
    rows: tuple[ContributionRow, ...]
    unit: str
    trees: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]


def explanation_rows(found: Explanation) -> ExplanationTable:
    """The table of the output that is explained first."""
    place, returns = found.explained, len(found.outputs) == 1
    scores: dict[str, Attribution] = {} if found.ensemble is None else {_ENSEMBLE: found.ensemble}
    scores |= found.members
    moved = np.stack([own.contributions[:, place] for own in scores.values()], axis=1)
    largest = float(np.abs(moved).max()) or 1.0
    rows = [_row("mean", [float(own.base[place]) for own in scores.values()], scores, returns=returns)]
    for group, values in zip(found.groups, moved.tolist(), strict=True):
        cells = tuple(zip(scores, (_text(value, "+", returns=returns) for value in values), strict=True))
        rows.append(ContributionRow(group.name, group.columns, values[0] / largest, cells))
    rows.append(_row("score", [float(own.score[place]) for own in scores.values()], scores, returns=returns))
    bars = found.background
    what = "Predicted return" if returns else f"Score of {found.outputs[place]}"
    return ExplanationTable(
        caption=f"{what} against its mean over {counted(len(bars), 'bar')} from {format_ms(bars[0])} to "
        f"{format_ms(bars[-1])}",
        names=tuple(scores),
        rows=tuple(rows),
        unit="as a return" if returns else f"log-odds of {found.outputs[place]}",
        trees=tuple(
            (
                model,
                tuple(
                    (found.columns[column], f"{found.features[column]:.4g}", f"{own.contributions[column, place]:+.3f}")
                    for column in own.largest(place, _NAMED)
                ),
            )
            for model, own in found.trees.items()
        ),
    )


def _row(name: str, values: list[float], scores: dict[str, Attribution], *, returns: bool) -> ContributionRow:
    cells = zip(scores, (_text(value, "", returns=returns) for value in values), strict=True)
    return ContributionRow(name, (), None, tuple(cells))


def _text(value: float, sign: str, *, returns: bool) -> str:
    """A score or a share of one; of a stack a return in percent. A value that is rounded to 0 has no minus sign."""
    if returns:
        return f"{round(100 * value, 4) + 0.0:{sign}.4f} %"
    return f"{round(value, 3) + 0.0:{sign}.3f}"
