"""Metrics of a member while it is trained, passed in by the caller: the evaluation stands above the ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from quorate.core.types import ActionArray, FloatArray, IntArray


class Measure(Protocol):
    """Metrics of a member's outputs on rows that it was not fitted on."""

    def __call__(
        self,
        y: ActionArray | FloatArray,
        output: FloatArray,
        prior: FloatArray,
        time: IntArray,
        forward_return: FloatArray,
    ) -> Mapping[str, Any]:
        """Metrics of (n, 3) scores beside the class shares `prior` (3,), or of (n,) returns beside their mean (1,)."""


def no_metrics(
    y: ActionArray | FloatArray,  # noqa: ARG001
    output: FloatArray,  # noqa: ARG001
    prior: FloatArray,  # noqa: ARG001
    time: IntArray,  # noqa: ARG001
    forward_return: FloatArray,  # noqa: ARG001
) -> Mapping[str, Any]:
    """Measure nothing."""
    return {}
