"""Mean scores of the members: averages with the vote's weights over those that voted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from quorate.core.sections.vote import VoteSettings
from quorate.core.types import Abstention, FloatArray, Vote, finite_rows


def mean_scores(tables: Mapping[str, FloatArray], settings: VoteSettings) -> FloatArray:
    """(n, 3) weighted mean of the (n, 3) raw scores of one or more models; NaN where all abstained.

    >>> one, two = np.array([[0.2, 0.2, 0.6]]), np.array([[0.4, 0.4, 0.2]])
    >>> mean_scores({"xgboost": one, "lightgbm": two}, VoteSettings()).round(6).tolist()
    [[0.3, 0.3, 0.4]]
    """
    first = next(iter(tables.values()))
    total, weights = np.zeros(first.shape, np.float64), np.zeros(len(first))
    for model, scores in tables.items():
        rows = finite_rows(scores)
        weight = settings.weight(model)
        if rows.all():
            total += weight * scores
            weights += weight
        else:
            total[rows] += weight * scores[rows]
            weights[rows] += weight
    return np.asarray(total / np.where(weights > 0, weights, np.nan)[:, None])


def mean_vote(votes: Iterable[Vote | Abstention], settings: VoteSettings) -> tuple[float, float, float] | None:
    """The same for one bar's votes, bit for bit; None if no vote has its three scores."""
    sell = hold = buy = weights = 0.0
    for vote in votes:
        if isinstance(vote, Vote) and vote.scores is not None:
            weight = settings.weight(vote.model) if vote.weight is None else vote.weight
            sell += weight * vote.scores[0]
            hold += weight * vote.scores[1]
            buy += weight * vote.scores[2]
            weights += weight
    return (sell / weights, hold / weights, buy / weights) if weights > 0 else None
