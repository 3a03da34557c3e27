"""Interfaces for metrics during training. The caller passes the functions: `evaluation` is a layer above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from quorate.core.types import ActionArray, Float32Array, FloatArray, IntArray


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


class MeasureAgreement(Protocol):
    """How often the members err together, on rows that no member was fitted on."""

    def __call__(self, y: ActionArray, scores: Mapping[str, FloatArray], time: IntArray) -> Mapping[str, Any]:
        """Figures of the members' (n, 3) scores on rows of (n,) classes and open times."""


def no_agreement(
    y: ActionArray,  # noqa: ARG001
    scores: Mapping[str, FloatArray],  # noqa: ARG001
    time: IntArray,  # noqa: ARG001
) -> Mapping[str, Any]:
    """Compute no figures."""
    return {}


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutOutcomes:
    """The ensemble's probabilities on rows that the members which scored them were not fitted on.

    None is later than the manifest's `used_until`. The probability maps were fitted on those out of fold.

    Attributes:
        probabilities: (n, 3), raw mean scores where the ensemble could not be calibrated; NaN where no member voted.
        y: (n,) true classes.
        time: (n,) int64 open times in ms, in any order.
        prior: (3,) class shares of the training rows.
        members: model -> (n, 3) its probabilities, raw scores where it has no map; NaN where it did not vote.
    """

    probabilities: FloatArray
    y: ActionArray
    time: IntArray
    prior: FloatArray
    members: Mapping[str, FloatArray] = field(default_factory=dict)


class DescribeTraining(Protocol):
    """Files of a bundle that describe its training, for those who watch it later."""

    def __call__(
        self,
        names: Sequence[str],
        X: Float32Array,
        time: IntArray,
        held_out: HeldOutOutcomes | None,
    ) -> Mapping[str, bytes]:
        """File name -> content.

        Args:
            names: of the features.
            X: (n, F) features of the training part.
            time: (n,) int64 open times in ms of its rows, in any order.
            held_out: None for a stack.
        """


def no_description(
    names: Sequence[str],  # noqa: ARG001
    X: Float32Array,  # noqa: ARG001
    time: IntArray,  # noqa: ARG001
    held_out: HeldOutOutcomes | None,  # noqa: ARG001
) -> Mapping[str, bytes]:
    """Describe nothing."""
    return {}
