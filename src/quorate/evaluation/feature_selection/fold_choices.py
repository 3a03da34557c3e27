"""Figures of the columns chosen in each fold of a walk-forward, and how much the choices agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from quorate.core.types import BoolArray
from quorate.ensemble.column_choice import ColumnChoice
from quorate.evaluation.json_values import Figures


def fold_choices(choices: Sequence[ColumnChoice], columns: Sequence[str]) -> dict[str, Any]:
    """Columns chosen fold by fold, JSON-safe.

    Args:
        choices: of each fold.
        columns: (F,) candidates.

    Returns:
        `columns`: for each candidate the number of folds that keep it and the mean rise of the loss without its group
        and with it shuffled, those kept most often first. `folds`: the figures of each choice. `stability`.
    """
    kept = np.array([[name in choice.columns for name in columns] for choice in choices])
    groups = [_group_of(choice) for choice in choices]
    table = []
    for place, name in enumerate(columns):
        own = [found[name] for found in groups]
        table.append(
            {
                "column": name,
                "kept_in": int(kept[:, place].sum()),
                **{
                    kind: {
                        "rise": float(np.mean([group[kind]["rise"] for group in own])),
                        "folds_above": sum(group[kind]["folds_above"] for group in own),
                    }
                    for kind in ("dropped", "shuffled")
                },
            }
        )
    figures = Figures()
    figures.add("stability", stability(kept), "fewer than two folds, or folds that all keep every column")
    return {
        "about": "Columns chosen in each fold on its training rows: rise of the held-out loss when the column's group "
        "is dropped and the model fitted again, and when it is shuffled by spans of time. Stability is 1 where all "
        "folds choose the same columns, and 0 on average where they choose at random (Nogueira et al., 2018).",
        "folds": [{"fold": number, **choice.figures} for number, choice in enumerate(choices, 1)],
        "columns": sorted(table, key=lambda row: (-row["kept_in"], -row["dropped"]["rise"])),
        "inner_folds": sum(int(choice.figures["folds"]) for choice in choices),
        **figures.to_json(),
    }


def stability(kept: BoolArray) -> float | None:
    """Agreement of several choices of columns, corrected for chance.

    Args:
        kept: (M, F), whether each of M choices keeps each of F columns.

    Returns:
        1 for equal choices; 0 on average for random ones of the same sizes; None with fewer than two choices, or if all
        of them keep everything or nothing.

    Source: Nogueira, Sechidis and Brown (2018), On the stability of feature selection algorithms, JMLR 18.

    >>> stability(np.array([[True, False, True, False]] * 3))
    1.0
    """
    choices, columns = kept.shape
    share = kept.mean() if kept.size else 0.0
    if choices < 2 or share in (0.0, 1.0):
        return None
    each = kept.mean(axis=0)
    variance = float((each * (1 - each)).sum()) * choices / (choices - 1) / columns
    return float(1 - variance / (share * (1 - share)))


def _group_of(choice: ColumnChoice) -> dict[str, dict[str, Any]]:
    """Column -> the figures of its group."""
    return {name: group for group in choice.figures["groups"] for name in group["columns"]}
