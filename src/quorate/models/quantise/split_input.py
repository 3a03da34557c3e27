"""Split of the input window of a graph into two parts before 8-bit quantisation: its 8-bit value and the remainder.

Features are heavy-tailed, and 8 bits have 255 steps for their whole range; the remainder has 255 more for one step of
the first part. Before quantisation the graph is equivalent to the original: the parts sum to the window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def is_product(node: Any, weights: Mapping[str, Any]) -> bool:
    """Whether a node multiplies rows by a constant matrix of the graph."""
    return node.op_type in ("MatMul", "Gemm") and node.input[1] in weights


def split_input(graph: Any, kept: set[str]) -> None:
    """Replace each product of the raw input by the sum of two products, one per part, with the same weights.

    Args:
        graph: changed in place.
        kept: names of the products that are not quantised and stay unchanged.
    """
    weights = {weight.name: weight for weight in graph.initializer}
    raw = {value.name for value in graph.input}
    nodes = []
    for node in graph.node:
        product = is_product(node, weights)
        if product and node.input[0] in raw and node.name not in kept:
            nodes += _two_products(graph, weights[node.input[1]], node)
            continue
        if not product and node.op_type != "Shape" and raw.intersection(node.input):  # a shape is not the window
            raw.update(node.output)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    read = {name for node in nodes for name in node.input}
    kept_weights = [weight for weight in graph.initializer if weight.name in read]
    del graph.initializer[:]
    graph.initializer.extend(kept_weights)


def _parts(rows: str, owner: str) -> tuple[list[Any], str, str]:
    """The nodes that split rows, and the names of the two parts."""
    from onnx import helper

    held, left = f"{owner}/held", f"{owner}/left"
    quantised = [f"{held}/{part}" for part in ("integers", "step", "zero")]
    nodes = [
        helper.make_node("DynamicQuantizeLinear", [rows], quantised),
        helper.make_node("DequantizeLinear", quantised, [held]),
        helper.make_node("Sub", [rows, held], [left]),
    ]
    return nodes, held, left


def _two_products(graph: Any, weight: Any, node: Any) -> list[Any]:
    from onnx import helper

    (rows, _, *bias), (sums,) = node.input, node.output
    nodes, held, left = _parts(rows, node.name)
    matrix = _as_matmul_weight(graph, weight, node)
    coarse, fine = f"{node.name}/coarse", f"{node.name}/fine"
    both = f"{node.name}/both" if bias else sums
    return [
        *nodes,
        helper.make_node("MatMul", [held, matrix], [coarse], coarse),
        helper.make_node("MatMul", [left, matrix], [fine], fine),
        helper.make_node("Add", [coarse, fine], [both]),
        *([helper.make_node("Add", [both, *bias], [sums])] if bias else []),
    ]


def _as_matmul_weight(graph: Any, weight: Any, node: Any) -> str:
    """Name of a product's weight as (inputs, outputs); a transposed copy for a Gemm with transB."""
    if not any(attribute.name == "transB" and attribute.i for attribute in node.attribute):
        return str(weight.name)
    from onnx import numpy_helper

    name, matrix = f"{node.name}/weight", np.ascontiguousarray(numpy_helper.to_array(weight).T)
    graph.initializer.append(numpy_helper.from_array(matrix, name))
    return name
