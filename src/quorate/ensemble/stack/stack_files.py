"""Files of a stack in its bundle: stack.json, and stack.onnx if the combiner is a forest. No pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from quorate.core.errors import BundleError, ModelError
from quorate.core.sections.stack import Method
from quorate.core.types import FloatArray
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.ensemble.stack.combiner import Combiner, Forest, Linear
from quorate.ensemble.stack.sign_probability import SignProbability
from quorate.ensemble.stack.stack import Stack
from quorate.models.onnx_graphs import TREES, require_bounded
from quorate.models.runtime import OnnxSession

FILE_NAME, GRAPH_NAME = "stack.json", "stack.onnx"

_FORMAT = "quorate-stack-1"


def write(stack: Stack) -> dict[str, bytes]:
    """Content of the files of a stack, by name."""
    combiner = stack.combiner
    tree: dict[str, Any] = {
        "format": _FORMAT,
        "method": stack.method,
        "members": list(stack.members),
        "weights": combiner.weights.tolist() if isinstance(combiner, Linear) else None,
        "unit": combiner.unit if isinstance(combiner, Forest) else None,
        "round_trip": stack.round_trip,
        "confidence": {
            "size": stack.confidence.size.tolist(),
            "probability": stack.confidence.probability.tolist(),
        },
    }
    files = {FILE_NAME: (json.dumps(tree, indent=1, allow_nan=False) + "\n").encode()}
    if isinstance(combiner, Forest):
        files[GRAPH_NAME] = combiner.graph
    return files


def read(files: Mapping[str, bytes], members: tuple[str, ...], attempted: str) -> Stack:
    """Read a stack from the files that `write` made.

    Args:
        files: of the bundle, by name.
        members: of the bundle; those of the stack must be among them.
        attempted: what was attempted, for the error.

    Raises:
        BundleError: the files are missing, incomplete, of other members, or have values out of range.
    """
    if FILE_NAME not in files:
        raise BundleError(attempted, found=f"no {FILE_NAME}", expected="the combiner of a stack")
    try:
        tree = parse_json(files[FILE_NAME])
        _require(tree["format"] == _FORMAT, f"format {tree['format']!r}")
        used = tuple(tree["members"])
        _require(bool(used) and len(set(used)) == len(used) and set(used) <= set(members), f"members {used}")
        _require(tree["method"] in get_args(Method), f"method {tree['method']!r}")
        size, probability = (_numbers(tree["confidence"][name]) for name in ("size", "probability"))
        _require(len(size) == len(probability) > 0, f"{len(size)} sizes, {len(probability)} probabilities")
        _require(bool((np.diff(size) > 0).all() and (np.diff(probability) >= 0).all()), "a confidence that decreases")
        _require(
            bool((size >= 0).all() and (probability >= 0).all() and (probability <= 1).all()),
            "a confidence outside 0 to 1",
        )
        (cost,) = _numbers([tree["round_trip"]])
        _require(cost >= 0, f"a round trip of {cost}")
        return Stack(tree["method"], used, _combiner(tree, files, len(used)), SignProbability(size, probability), cost)
    except (*MISSHAPEN, ModelError) as error:
        raise BundleError(
            attempted,
            found=f"an invalid {FILE_NAME} ({error})",
            expected=f"a file of {_FORMAT}, as published",
            remedy="Restore it from a copy, or train again.",
        ) from error


def _combiner(tree: Mapping[str, Any], files: Mapping[str, bytes], members: int) -> Combiner:
    if tree["weights"] is not None:
        weights = _numbers(tree["weights"])
        _require(len(weights) == members, f"{len(weights)} weights for {members} members")
        return Linear(weights)
    (unit,) = _numbers([tree["unit"]])
    _require(unit > 0, f"a unit of {unit}")
    graph = files[GRAPH_NAME]
    require_bounded(graph, "stack", TREES)
    session = OnnxSession(graph, members, "stack")
    _require(session.columns == 1, f"a forest of {session.columns} outputs")
    return Forest(session, float(unit), graph)


def _numbers(values: Any) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(f"{str(values)[:40]} instead of finite numbers")
    return array


def _require(condition: bool, found: str) -> None:
    if not condition:
        raise ValueError(found)
