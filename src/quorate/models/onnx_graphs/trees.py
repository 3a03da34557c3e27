"""Depth of the trees of an ensemble: ONNX Runtime builds them by recursion and crashes on very deep ones."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from quorate.core.types import BoolArray, IntArray
from quorate.models.onnx_graphs.parts import Node
from quorate.models.onnx_graphs.wire import read_fields, read_message, read_text

#: Nodes from the root to a leaf. ONNX Runtime crashes at about ten thousand; trees have 6 to 100.
DEEPEST = 500

# A node that several others lead to is visited again; that ends after so many visits for each node.
_VISITS = 20


def too_deep(node: Node) -> bool:
    """Whether a tree has more than `DEEPEST` levels, or its nodes form a cycle.

    Args:
        node: a TreeEnsemble, TreeEnsembleClassifier or TreeEnsembleRegressor.

    Raises:
        ValueError: the attributes do not describe trees.
    """
    attributes = node.serialised
    if node.operator == "TreeEnsemble":
        roots = _integers(attributes, "tree_roots")
        yes, no = (_integers(attributes, f"nodes_{side}nodeids") for side in ("true", "false"))
        leaves = [_integers(attributes, f"nodes_{side}leafs") != 0 for side in ("true", "false")]
        if not len(yes) == len(no) == len(leaves[0]) == len(leaves[1]):
            raise ValueError("nodes of trees with missing attributes")
        if len(yes) <= DEEPEST:
            return False
        # Leaves are numbered apart from the nodes.
        return _levels_exceed(roots, np.where(leaves[0], -1, yes), np.where(leaves[1], -1, no))
    trees, nodes = _integers(attributes, "nodes_treeids"), _integers(attributes, "nodes_nodeids")
    if len(trees) != len(nodes):
        raise ValueError("nodes of trees with missing attributes")
    if not len(trees) or np.unique(trees, return_counts=True)[1].max() <= DEEPEST:
        return False
    yes, no = (_integers(attributes, f"nodes_{side}nodeids") for side in ("true", "false"))
    leaf = _leaves(attributes)
    if not len(yes) == len(no) == len(leaf) == len(nodes):
        raise ValueError("nodes of trees with missing attributes")
    if min(trees.min(), nodes.min(), yes.min(), no.min()) < 0 or max(trees.max(), nodes.max()) >= 2**31:
        raise ValueError("numbers of nodes that are out of range")
    order = np.lexsort((nodes, trees))
    keys = (trees * 2**31 + nodes)[order]

    def places(children: IntArray) -> IntArray:
        wanted = trees * 2**31 + children
        found = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
        # A child that does not exist is refused by ONNX Runtime.
        return np.where(leaf | (keys[found] != wanted), -1, order[found])

    return _levels_exceed(np.unique(trees, return_index=True)[1], places(yes), places(no))


def _levels_exceed(roots: IntArray, yes: IntArray, no: IntArray) -> bool:
    """Whether a path from a root has more nodes than allowed; children of -1 are leaves."""
    level, visits = roots, 0
    for _ in range(DEEPEST):
        level = np.unique(np.concatenate([yes[level], no[level]]))
        level = level[(level >= 0) & (level < len(yes))]
        visits += len(level)
        if not len(level):
            return False
        if visits > _VISITS * len(yes):
            break
    return True


def _leaves(attributes: Mapping[str, memoryview]) -> BoolArray:
    """Which nodes are leaves."""
    fields = read_fields(attributes.get("nodes_modes", memoryview(b"")))
    return np.array([bytes(read_message(value)) == b"LEAF" for number, value in fields if number == 9], np.bool_)


def _integers(attributes: Mapping[str, memoryview], name: str) -> IntArray:
    """The whole numbers of an attribute."""
    if name not in attributes:
        return np.zeros(0, np.int64)
    message = attributes[name]
    run = _unpacked(message)
    if run is not None:
        return run
    found: list[IntArray] = []
    for number, value in read_fields(message):
        if number == 8:
            packed = np.array([value], np.uint64).astype(np.int64) if isinstance(value, int) else None
            found.append(decode(read_message(value)) if packed is None else packed)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _unpacked(message: memoryview) -> IntArray | None:
    """Numbers written one by one after the name of the attribute, as every exporter does; None for other orders."""
    start = 0
    fields = read_fields(message)
    number, value = next(fields, (0, 0))
    if number != 1:
        return None
    start = 2 + len(read_text(value).encode())
    content = bytes(message[start:])
    run = re.match(rb"(?:\x40[\x80-\xff]{0,9}+[\x00-\x7f])++", content)
    if run is None or content[run.end() :] not in (b"\xa0\x01\x07", b""):
        return None
    return decode(memoryview(content[: run.end()]))[1::2]


def decode(content: memoryview) -> IntArray:
    """Integers of variable length, one after the other.

    >>> decode(memoryview(bytes([1, 172, 2]))).tolist()
    [1, 300]
    """
    found = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(found < 0x80)
    if not len(ends) or ends[-1] != len(found) - 1:
        raise ValueError("an integer without an end")
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 10:
        raise ValueError("an integer without an end")
    values = np.zeros(len(ends), np.uint64)
    for place in range(int(lengths.max())):
        longer = lengths > place
        part = (found[starts[longer] + place] & 0x7F).astype(np.uint64)
        values[longer] |= part << np.uint64(7 * place)
    return values.astype(np.int64)
