"""TreeSHAP: what each column contributes to the margins of boosted trees on one row.

The value of a set of columns is the expectation of the trees when only these are known: at a split on another column, a
row takes both ways, in proportion to the training rows that did. Shapley values of that game are those of
`pred_contribs` of XGBoost and of `pred_contrib` of LightGBM.

A leaf is reached with the product of one factor for each column of its path: o, 1 or 0, if the column is known and is
or is not in the interval of the path; z, the share of training rows, if it is not. By Owen's formula a Shapley value is
an integral over the probability q that a column is known:

    phi_i = leaf value * (o_i - z_i) * integral from 0 to 1 of product over j /= i of (q o_j + (1 - q) z_j) dq

The product is a polynomial of q, which Gauss-Legendre quadrature with half as many nodes as columns integrates exactly.
All leaves of all trees are computed together.

Sources: Lundberg et al., Consistent Individualized Feature Attribution for Tree Ensembles, 2018 (arXiv 1802.03888);
Owen, Multilinear Extensions of Games, 1972.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.core.types import Float32Array, FloatArray, IntArray
from quorate.models.native_trees.tree import Tree, TreeEnsemble


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """The paths to all P leaves of an ensemble, each with up to D different columns.

    A path with fewer has further ones that change nothing: of column 0, always passed.

    Attributes:
        column: (P, D) int64.
        low, high: (P, D) float64 interval of each column in which a row stays on the path, low included.
        share: (P, D) of the training rows that stay on the path at the splits on that column, above 0.
        value: (P,) of the leaf.
        output: (P,) int64, to which the leaf adds.
        columns: F, width of a row.
        base: (C,) expectation of each output over the training rows.
    """

    column: IntArray
    low: FloatArray
    high: FloatArray
    share: FloatArray
    value: FloatArray
    output: IntArray
    columns: int
    base: FloatArray

    def contributions(self, row: Float32Array) -> FloatArray:
        """(F, C) contribution of every column to every output; `base` + their sum is the margin of the row.

        Args:
            row: (F,) finite features.
        """
        found = row.astype(np.float64)[self.column]
        passed = ((found >= self.low) & (found < self.high)).astype(np.float64)
        integral = np.zeros(self.share.shape)
        # n nodes are exact up to the degree 2 n - 1, and the product of the other columns has the degree D - 1.
        nodes, weights = np.polynomial.legendre.leggauss((self.share.shape[1] + 1) // 2)
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            factors = node * passed + (1 - node) * self.share
            integral += weight * (factors.prod(axis=1, keepdims=True) / factors)
        added = self.value[:, None] * (passed - self.share) * integral
        outputs = len(self.base)
        places = self.column * outputs + self.output[:, None]
        totals = np.bincount(places.ravel(), added.ravel(), minlength=self.columns * outputs).astype(np.float64)
        return totals.reshape(self.columns, outputs)


def leaf_paths(ensemble: TreeEnsemble) -> Paths:
    """The paths to the leaves of all trees."""
    leaves = [leaf for tree in ensemble.trees for leaf in _leaves(tree)]
    deepest = max((len(leaf.columns) for leaf in leaves), default=1) or 1
    shape = (len(leaves), deepest)
    column = np.zeros(shape, np.int64)
    low, high, share = np.full(shape, -np.inf), np.full(shape, np.inf), np.ones(shape)
    base = ensemble.base.astype(np.float64)
    for number, leaf in enumerate(leaves):
        for place, (own, (least, below, part)) in enumerate(leaf.columns.items()):
            column[number, place], low[number, place], high[number, place] = own, least, below
            share[number, place] = part
        base[leaf.output] += leaf.value * np.prod(share[number])
    value, output = np.array([leaf.value for leaf in leaves]), np.array([leaf.output for leaf in leaves], np.int64)
    return Paths(column, low, high, share, value, output, ensemble.columns, base)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A leaf: column -> interval and share of the training rows; its value and the output that it adds to."""

    columns: dict[int, tuple[float, float, float]]
    value: float
    output: int


def _leaves(tree: Tree) -> list[_Leaf]:
    left, right, column = tree.left.tolist(), tree.right.tolist(), tree.column.tolist()
    threshold, cover, value = tree.threshold.tolist(), tree.cover.tolist(), tree.value.tolist()
    found: list[_Leaf] = []
    waiting: list[tuple[int, dict[int, tuple[float, float, float]]]] = [(0, {})]
    while waiting:
        node, path = waiting.pop()
        if left[node] < 0:
            found.append(_Leaf(path, value[node], tree.output))
            continue
        own, limit = column[node], threshold[node]
        least, below, part = path.get(own, (-np.inf, np.inf, 1.0))
        for child, interval in (
            (left[node], (least, min(below, limit))),
            (right[node], (max(least, limit), below)),
        ):
            waiting.append((child, {**path, own: (*interval, part * cover[child] / cover[node])}))
    return found


def gain_shares(ensemble: TreeEnsemble) -> FloatArray:
    """(F,) share of each column in the gain of all splits; 0 everywhere for trees without a split."""
    totals = np.zeros(ensemble.columns)
    for tree in ensemble.trees:
        split = tree.left >= 0
        np.add.at(totals, tree.column[split], tree.gain[split])
    return totals / totals.sum() if totals.sum() > 0 else totals
