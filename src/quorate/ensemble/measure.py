"""Interfaces for metrics during training. The caller passes the functions: `evaluation` is a layer above."""

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
        """Metrics of (n, 3) scores with the class shares `prior` (3,), or of (n,) returns with their mean (1,)."""


def no_metrics(
    y: ActionArray | FloatArray,  # noqa: ARG001
    output: FloatArray,  # noqa: ARG001
    prior: FloatArray,  # noqa: ARG001
    time: IntArray,  # noqa: ARG001
    forward_return: FloatArray,  # noqa: ARG001
) -> Mapping[str, Any]:
    """Compute no metrics."""
    return {}


class MeasureFloors(Protocol):
    """What each floor on the confidence would have done, on rows that no member was fitted on."""

    def __call__(
        self,
        scores: Mapping[str, FloatArray],
        calibrated: Mapping[str, FloatArray],
        volatility: FloatArray,
        time: IntArray,
        forward_return: FloatArray,
        members: int,
    ) -> Mapping[str, Any]:
        """Figures of the signals of `members` members, from their (n, 3) scores and calibrated probabilities."""


def no_floors(
    scores: Mapping[str, FloatArray],  # noqa: ARG001
    calibrated: Mapping[str, FloatArray],  # noqa: ARG001
    volatility: FloatArray,  # noqa: ARG001
    time: IntArray,  # noqa: ARG001
    forward_return: FloatArray,  # noqa: ARG001
    members: int,  # noqa: ARG001
) -> Mapping[str, Any]:
    """Compute no figures."""
    return {}
