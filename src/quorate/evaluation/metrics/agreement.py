"""Agreement of members: how often they vote alike, and how many independent votes they are worth.

`ensemble/voting/independence.py` has the formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from quorate.core.types import Action, FloatArray
from quorate.ensemble.voting.independence import correlations
from quorate.ensemble.voting.member_votes import top_class
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.classification import ClassArray, row_correct, voted
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

FORMULA = "k^2 / sum of r^2, with r the correlation of each member with each being right (Bretherton 1999)"


def agreement_figures(y: ClassArray, members: Mapping[str, FloatArray], blocks: TimeBlocks) -> dict[str, Any]:
    """Agreement on the rows on which all members voted, JSON-safe.

    `same_vote` is the share of rows on which two members have the same largest score, `correlation` that of being
    right, `lean_correlation` that of the score of BUY less that of SELL; all in the order of `members`, null where
    undefined.

    Args:
        y: (n,) classes.
        members: name -> (n, 3) scores; NaN rows are abstentions.
        blocks: of the n rows.
    """
    names = list(members)
    rows = np.logical_and.reduce([voted(scores) for scores in members.values()]) if names else np.zeros(len(y), bool)
    n, part = int(rows.sum()), blocks.select(rows)
    votes = [top_class(members[name][rows])[0] for name in names]
    right = [row_correct(y[rows], members[name][rows]) for name in names]
    lean = [members[name][rows, Action.BUY] - members[name][rows, Action.SELL] for name in names]
    same = [[float(np.mean(a == b)) if n else None for b in votes] for a in votes]
    alike, leaning = correlations(right), correlations(lean)
    why = _why_not(names, n, right)
    figures = Figures()
    figures.add("rows", n)
    pairs = [alike[a][b] for a, b in combinations(range(len(names)), 2)]
    figures.add("mean_correlation", None if why else float(np.mean(np.array(pairs, np.float64))), why)
    worth = None if why else len(names) ** 2 / np.square(np.array(alike, np.float64)).sum()
    figures.add("effective_votes", None if worth is None else float(worth), why)
    resampled = None if why else part.interval(_resampled(right, part))
    figures.add_interval("effective_votes_ci", resampled, why or f"{part.count} blocks of time are too few")
    tables = {"same_vote": same, "correlation": alike, "lean_correlation": leaning}
    return {"members": names, **tables, **figures.to_json(), "formula": FORMULA}


def _why_not(names: list[str], n: int, right: list[FloatArray]) -> str:
    """Why the members' errors have no correlation; "" if they have one."""
    if len(names) < 2:
        return "fewer than two members"
    if not n:
        return "no row on which all members voted"
    constant = [name for name, one in zip(names, right, strict=True) if one.min() == one.max()]
    return f"{constant[0]} is right on every row, or on none" if constant else ""


def _resampled(right: list[FloatArray], blocks: TimeBlocks) -> FloatArray:
    """(resamples,) effective votes of resampled rows; NaN where a member is right on all of them, or on none."""
    rows = blocks.sums(np.ones(len(right[0])))
    means = [blocks.sums(one) / np.maximum(rows, 1) for one in right]
    spreads = [np.sqrt(np.maximum(mean * (1 - mean), 0.0)) for mean in means]
    total = np.zeros(len(rows))
    for a, b in combinations(range(len(right)), 2):
        product = blocks.sums(right[a] * right[b]) / np.maximum(rows, 1)
        scale = spreads[a] * spreads[b]
        covariance = product - means[a] * means[b]
        total += np.divide(covariance, scale, out=np.full_like(scale, np.nan), where=scale > 0) ** 2
    return np.asarray(len(right) ** 2 / (len(right) + 2 * total))
