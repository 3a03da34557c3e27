"""Losses of a training run, and its position."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class LossHistory:
    """Losses and extent of a finished training run.

    A round is the steps between two validations: by default an epoch.

    Attributes:
        losses: mean training loss of each round.
        validation_losses: loss on the stopping rows at the end of each round; empty without such rows.
        best: round whose weights were kept, from 0.
        steps: taken.
        epochs: passes over the epoch's share of the rows, fractions included.
        seconds: spent, including the time before an interruption.
        stopped: "patience" after early stopping, else "end".
        precision: of the matrix products.
    """

    losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    best: int
    steps: int
    epochs: float
    seconds: float
    stopped: Literal["patience", "end"]
    precision: Literal["float32", "bfloat16"]


@dataclass(slots=True)
class TrainingPosition:
    """State of a training run, apart from its tensors; a checkpoint holds both."""

    step: int = 0
    cost: float = 0.0  # summed loss of this round's rows so far
    rows: float = 0.0
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best: int = -1
    seconds: float = 0.0
