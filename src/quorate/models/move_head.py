"""The head of every member: class scores as P(move) x P(up | move), with the direction shrunk.

Nearly all that scores know is whether the price will move; what they say of its direction is mostly noise, which costs
more log-loss than the volatility gains. The head divides a member's scores into both parts and multiplies the log-odds
of the direction by a factor from 0 to 1:

    P(move) = s + b,  P(up | move) = b^f / (s^f + b^f),  scores (P(move)(1 - P(up | move)), h, P(move) P(up | move))

A factor of 1 leaves the scores as they are. With 0 SELL and BUY are equal to the last bit: such a member has no side.
"""

from __future__ import annotations

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.types import Action, FloatArray
from quorate.models.export import content, import_onnx, parse_graph

# Scores of SELL and BUY are raised to the factor from at least this.
_LEAST = 1e-9


def shrink_direction(scores: FloatArray, factor: float) -> FloatArray:
    """The scores with their direction shrunk; other outputs too, unchanged, by a factor of 1.

    Args:
        scores: (n, 3) in class order, rows summing to 1; NaN rows stay so.
        factor: of the log-odds of BUY against SELL, 0 to 1.

    >>> shrink_direction(np.array([[0.1, 0.5, 0.4]]), 0.5).round(4).tolist()
    [[0.1667, 0.5, 0.3333]]
    """
    if factor == 1.0:
        return scores
    sell, hold, buy = scores.T
    down, up = np.maximum(sell, _LEAST) ** factor, np.maximum(buy, _LEAST) ** factor
    each = (sell + buy) / (down + up)
    return np.stack([each * down, hold, each * up], axis=1)


def direction(scores: FloatArray) -> FloatArray:
    """(n,) log-odds of BUY against SELL, of (n, 3) scores; NaN rows stay so."""
    return np.log(np.maximum(scores[:, Action.BUY], _LEAST) / np.maximum(scores[:, Action.SELL], _LEAST))


def with_move_head(graph: bytes, factor: float, name: str) -> bytes:
    """Add the head to a member's graph.

    Args:
        graph: serialised ONNX graph; its last output has (B, 3) scores.
        factor: of the direction, 0 to 1.
        name: of the member, for error messages.

    Returns:
        A graph of one output (B, 3); the given one where the factor is 1.

    Raises:
        ModelError: bytes that are not such a graph, or a factor out of range.
        MissingExtraError: onnx is not installed.
    """
    attempted = f"shrink the direction of {name}"
    if not 0 <= factor <= 1:
        raise ModelError(attempted, found=f"a factor of {factor}", expected="0 to 1")
    if factor == 1.0:
        return graph
    onnx, model = import_onnx(attempted), parse_graph(graph, attempted)
    helper, body = onnx.helper, model.graph
    scores = body.output[-1]
    kind = scores.type.tensor_type.elem_type
    if kind not in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE):
        raise ModelError(attempted, found=f"scores of type {kind}", expected="float or double")
    dtype = np.float32 if kind == onnx.TensorProto.FLOAT else np.float64
    constants = {
        "move_least": np.array(_LEAST, dtype),
        "move_factor": np.array([factor, 1.0, factor], dtype),
        "move_classes": np.array([1.0, 0.0, 1.0], dtype),
        "move_hold": np.array([0.0, 1.0, 0.0], dtype),
        "move_sum": np.array([[1.0], [0.0], [1.0]], dtype),
    }
    body.initializer.extend(onnx.numpy_helper.from_array(value, key) for key, value in constants.items())
    steps = [
        ("Max", [scores.name, "move_least"], "move_raised"),
        ("Pow", ["move_raised", "move_factor"], "move_powers"),
        ("MatMul", [scores.name, "move_sum"], "move_probability"),
        ("MatMul", ["move_powers", "move_sum"], "move_total"),
        ("Div", ["move_probability", "move_total"], "move_each"),
        ("Mul", ["move_powers", "move_each"], "move_shares"),
        ("Mul", ["move_shares", "move_classes"], "move_sides"),
        ("Mul", [scores.name, "move_hold"], "move_none"),
        ("Add", ["move_sides", "move_none"], "move_scores"),
    ]
    body.node.extend(helper.make_node(operator, read, [made], made) for operator, read, made in steps)
    del body.output[:]
    body.output.append(helper.make_tensor_value_info("move_scores", kind, [None, len(Action)]))
    return content(model)
