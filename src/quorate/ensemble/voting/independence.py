"""How many independent votes members are worth, by how often they are right on the same bars.

Members that err together are not independent votes. With the eigenvalues l of the correlations r of their errors, k
members are worth

    (sum of l)^2 / (sum of l^2) = k^2 / (sum of all r^2)

independent ones: k where nothing is correlated, 1 where all err alike, 2 where two pairs do (C. Bretherton and others,
Journal of Climate 12, 1999, 1990-2009). The correlation is that of two members being right, 1 or 0 (L. Kuncheva and C.
Whitaker, Machine Learning 51, 2003, 181-207), so agreement about bars on which both are right for the same reason
counts as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, combinations_with_replacement

import numpy as np

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import ActionArray, FloatArray, finite_rows
from quorate.ensemble.voting.member_votes import top_class
from quorate.ensemble.voting.policies import TOLERANCE


def pair_key(one: str, other: str) -> str:
    """Name of a pair of members in `VoteSettings.correlation`.

    >>> pair_key("xgboost", "lightgbm")
    'lightgbm+xgboost'
    """
    return "+".join(sorted((one, other)))


def independent_votes(members: Sequence[str], correlation: Mapping[str, float]) -> float:
    """Independent votes that these members are worth; pairs without a correlation are independent.

    >>> independent_votes(["a", "b", "c"], {"a+b": 1.0})
    1.8
    >>> independent_votes([], {})
    0.0
    """
    if not members:
        return 0.0
    pairs = sum(correlation.get(pair_key(one, other), 0.0) ** 2 for one, other in combinations(sorted(members), 2))
    return len(members) ** 2 / (len(members) + 2 * pairs)


def has_independent_quorum(agreeing: Sequence[str], known: Sequence[str], members: int, rules: VoteSettings) -> bool:
    """Whether those that agree are worth the quorum's share of the independent votes that all members are worth.

    Args:
        agreeing: names of those that agree.
        known: names of all whose names are known; others of `members` count as independent.
        members: number of members in the manifest.
        rules: the share, and the correlations.
    """
    all_names = [*known, *(f"\0{place}" for place in range(members - len(known)))]
    needed = rules.quorum * independent_votes(all_names, rules.correlation)
    return independent_votes(agreeing, rules.correlation) >= needed - TOLERANCE


def error_correlations(y: ActionArray, scores: Mapping[str, FloatArray]) -> dict[str, float]:
    """Pair of members -> correlation of being right on the rows on which all voted; pairs without one are left out.

    Args:
        y: (n,) classes.
        scores: member -> (n, 3); rows that are not finite are abstentions.
    """
    names = list(scores)
    if not names:
        return {}
    rows = np.logical_and.reduce([finite_rows(table) for table in scores.values()])
    right = [(top_class(table[rows])[0] == y[rows]).astype(np.float64) for table in scores.values()]
    found = correlations(right)
    return {
        pair_key(names[a], names[b]): value
        for a, b in combinations(range(len(names)), 2)
        if (value := found[a][b]) is not None
    }


def correlations(columns: Sequence[FloatArray]) -> list[list[float | None]]:
    """Pearson's correlation of each of k columns with each, (k, k); None where one of both is constant."""
    size = len(columns)
    found: list[list[float | None]] = [[None] * size for _ in range(size)]
    varies = [len(column) > 0 and bool(column.min() < column.max()) for column in columns]
    apart = [column - column.mean() if len(column) else column for column in columns]
    for a, b in combinations_with_replacement(range(size), 2):
        if varies[a] and varies[b]:
            scale = np.sqrt(np.square(apart[a]).mean() * np.square(apart[b]).mean())
            found[a][b] = found[b][a] = 1.0 if a == b else float((apart[a] * apart[b]).mean() / scale)
    return found
