from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr

from quorate.evaluation.feature_selection.column_groups import column_groups, rank_correlations


def columns(seed: int, count: int = 14) -> np.ndarray:
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(300, 4))
    return (causes @ rng.normal(size=(4, count)) + rng.normal(size=(300, count))).astype(np.float32)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("correlation", [0.35, 0.6])
def test_groups_are_those_of_average_linkage(seed: int, correlation: float) -> None:
    """scipy joins the same columns, by distances 1 - |Spearman's correlation|."""
    X = columns(seed)
    distance = 1 - np.abs(spearmanr(X).statistic)
    np.fill_diagonal(distance, 0)
    label = fcluster(linkage(squareform(distance, checks=False), "average"), 1 - correlation, "distance")
    expected = {tuple(np.flatnonzero(label == each).tolist()) for each in np.unique(label)}
    found = column_groups(X, correlation)
    assert set(found) == expected
    assert [group[0] for group in found] == sorted(group[0] for group in found)


def test_a_constant_column_is_alone_and_one_column_is_a_group() -> None:
    X = columns(1, 3)
    X[:, 1] = 5.0
    assert (1,) in column_groups(X, 0.01)
    assert rank_correlations(X)[1].tolist() == [0, 0, 0]
    assert column_groups(X[:, :1], 0.7) == ((0,),)
