"""Agreement of members: how often they vote alike, and how many independent votes they are worth.

Members that err together are not independent votes. With k members whose errors have the mean correlation r, the mean
of their votes varies as much as that of

    k / (1 + (k - 1) r)

independent ones: Kish's design effect of clusters (L. Kish, Survey Sampling, 1965, section 5.4) for a cluster of k
votes on one bar. The correlation is that of two members being right, 1 or 0 (L. Kuncheva and C. Whitaker, Machine
Learning 51, 2003, 181-207), so agreement about bars on which both are right for the same reason counts as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from quorate.core.types import FloatArray
from quorate.ensemble.voting.member_votes import top_class
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.classification import ClassArray, row_correct, voted
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

FORMULA = "k / (1 + (k - 1) r), with r the mean correlation of two members being right (Kish 1965)"


def agreement_figures(y: ClassArray, members: Mapping[str, FloatArray], blocks: TimeBlocks) -> dict[str, Any]:
    """Agreement on the rows on which all members voted, JSON-safe.

    `same_vote` is the share of rows on which two members have the same largest score, `correlation` that of being
    right; both in the order of `members`, null where undefined. More effective votes than members mean errors that
    offset each other.

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
    same = [[float(np.mean(a == b)) if n else None for b in votes] for a in votes]
    alike = [[_correlation(a, b) for b in right] for a in right]
    why = _why_not(names, n, right)
    figures = Figures()
    figures.add("rows", n)
    pairs = [alike[a][b] for a, b in combinations(range(len(names)), 2)]
    mean = None if why else float(np.mean([one for one in pairs if one is not None]))
    figures.add("mean_correlation", mean, why)
    figures.add("effective_votes", None if mean is None else _effective(len(names), mean), why or "errors offset fully")
    resampled = None if why else part.interval(_resampled(right, part))
    figures.add_interval("effective_votes_ci", resampled, why or f"{part.count} blocks of time are too few")
    return {"members": names, "same_vote": same, "correlation": alike, **figures.to_json(), "formula": FORMULA}


def _why_not(names: list[str], n: int, right: list[FloatArray]) -> str:
    """Why the members' errors have no correlation; "" if they have one."""
    if len(names) < 2:
        return "fewer than two members"
    if not n:
        return "no row on which all members voted"
    constant = [name for name, one in zip(names, right, strict=True) if one.min() == one.max()]
    return f"{constant[0]} is right on every row, or on none" if constant else ""


def _effective(members: int, correlation: float) -> float:
    """Independent votes of the same precision; infinite where errors offset fully.

    >>> _effective(4, 0.0), _effective(4, 1.0), _effective(4, 1 / 3)
    (4.0, 1.0, 2.0)
    """
    below = 1 + (members - 1) * correlation
    return members / below if below > 0 else np.inf


def _correlation(a: FloatArray, b: FloatArray) -> float | None:
    """Pearson's correlation of two columns; None where one is constant."""
    if not len(a) or a.min() == a.max() or b.min() == b.max():
        return None
    return float(np.corrcoef(a, b)[0, 1])


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
        total += np.divide(covariance, scale, out=np.full_like(scale, np.nan), where=scale > 0)
    mean = total / (len(right) * (len(right) - 1) / 2)
    below = 1 + (len(right) - 1) * mean
    return np.divide(len(right), below, out=np.full_like(below, np.nan), where=below > 0)
