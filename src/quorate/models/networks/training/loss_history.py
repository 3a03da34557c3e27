"""How a run went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class LossHistory:
    """How a run went.

    A round is what lies between two validations: an epoch, unless the run was told otherwise.

    Attributes:
        losses: mean training loss of each round.
        later: validation loss of each round; empty without rows to validate on.
        best: round whose weights were kept, from 0.
        steps: taken.
        epochs: passes over the epoch's share of rows, begun ones in part.
        seconds: spent, those before an interruption included.
        stopped: "patience" where the validation loss had stopped falling, else "end".
        precision: of the matrix products.
    """

    losses: tuple[float, ...]
    later: tuple[float, ...]
    best: int
    steps: int
    epochs: float
    seconds: float
    stopped: Literal["patience", "end"]
    precision: Literal["float32", "bfloat16"]


@dataclass(slots=True)
class TrainingPosition:
    """Where a run stands: all of it that is no tensor."""

    step: int = 0
    cost: float = 0.0  # of this round's rows so far
    rows: float = 0.0
    losses: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
    best: int = -1
    seconds: float = 0.0
