"""Boosted trees as arrays, whichever library fitted them."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """One tree of n nodes; the first is the root, and a row goes left where its column is below the threshold.

    Attributes:
        left, right: (n,) children; -1 for a leaf.
        column: (n,) that is compared; any number in a leaf.
        threshold: (n,) float64, exclusive; any number in a leaf.
        value: (n,) float64 of a leaf; any number elsewhere.
        cover: (n,) float64 weight of the training rows that reached a node, above 0.
        gain: (n,) float64 by which a split lowered the training loss; 0 in a leaf.
        output: number of the output that the tree adds to.
    """

    left: IntArray
    right: IntArray
    column: IntArray
    threshold: FloatArray
    value: FloatArray
    cover: FloatArray
    gain: FloatArray
    output: int


@dataclass(frozen=True, slots=True, eq=False)
class TreeEnsemble:
    """Trees whose sums are margins: a softmax of them is the score of a vote's member before its head.

    Attributes:
        trees: in any order.
        columns: F, width of a row.
        base: (C,) to which the trees add, one for each output.
    """

    trees: tuple[Tree, ...]
    columns: int
    base: FloatArray
