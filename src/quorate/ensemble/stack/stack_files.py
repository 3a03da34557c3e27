"""A stack in its bundle: stack.json, and stack.onnx where a forest combines. No pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from quorate.core.errors import BundleError, ModelError
from quorate.core.sections.stack import Method
from quorate.core.types import FloatArray
from quorate.ensemble.stack.combiner import Combiner, Forest, Linear
from quorate.ensemble.stack.sign_probability import SignProbability
from quorate.ensemble.stack.stack import Stack
from quorate.models.runtime import OnnxSession

FILE, GRAPH = "stack.json", "stack.onnx"

_FORMAT = "quorate-stack-1"


def write(stack: Stack) -> dict[str, bytes]:
    """File name -> content."""
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
    files = {FILE: (json.dumps(tree, indent=1, allow_nan=False) + "\n").encode()}
    if isinstance(combiner, Forest):
        files[GRAPH] = combiner.graph
    return files


def read(files: Mapping[str, bytes], members: tuple[str, ...], attempted: str) -> Stack:
    """What `write` wrote.

    Args:
        files: of the bundle, by name.
        members: of the bundle; those of the stack must be among them.
        attempted: for the message.

    Raises:
        BundleError: no stack, or one that is altered, incomplete, of other members, or whose numbers make no sense.
    """
    if FILE not in files:
        raise BundleError(attempted, found=f"no {FILE}", expected="the combiner of a stack")
    try:
        tree = json.loads(files[FILE])
        _require(tree["format"] == _FORMAT, f"format {tree['format']!r}")
        own = tuple(tree["members"])
        _require(bool(own) and len(set(own)) == len(own) and set(own) <= set(members), f"members {own}")
        _require(tree["method"] in get_args(Method), f"method {tree['method']!r}")
        size, probability = (_numbers(tree["confidence"][name]) for name in ("size", "probability"))
        _require(len(size) == len(probability) > 0, f"{len(size)} sizes, {len(probability)} probabilities")
        _require(bool((np.diff(size) > 0).all() and (np.diff(probability) >= 0).all()), "a confidence that falls")
        _require(bool((size >= 0).all() and (probability >= 0).all() and (probability <= 1).all()), "no probability")
        (cost,) = _numbers([tree["round_trip"]])
        _require(cost >= 0, f"a round trip of {cost}")
        return Stack(tree["method"], own, _combiner(tree, files, len(own)), SignProbability(size, probability), cost)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ModelError) as error:
        raise BundleError(
            attempted,
            found=f"a {FILE} that cannot be used ({error})",
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
    return Forest(OnnxSession(files[GRAPH], members, "stack"), float(unit), files[GRAPH])


def _numbers(values: Any) -> FloatArray:
    array = np.array(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ValueError(f"{str(values)[:40]} where finite numbers belong")
    return array


def _require(kept: bool, found: str) -> None:
    if not kept:
        raise ValueError(found)
