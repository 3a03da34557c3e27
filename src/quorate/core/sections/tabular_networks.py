"""Settings of the networks of single rows."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.networks import CompactSettings
from quorate.core.sections.section import require


@dataclass(frozen=True, slots=True)
class TabularSettings(CompactSettings):
    """Training of networks of the newest bar."""

    window: int = 1
    columns: tuple[str, ...] = ()
    newest_width: int = 0


@dataclass(frozen=True, slots=True)
class TabMSettings(TabularSettings):
    learning_rate: float = 3e-3
    members: int = 16  # perceptrons that share their weights
    width: int = 64  # of the hidden layers
    layers: int = 2  # hidden layers
    dropout: float = 0.1  # after each hidden layer

    def __post_init__(self) -> None:
        self.require("models.tabm", shortest=1)
        require("models.tabm", "members", self.members, 1, 1_024)
        require("models.tabm", "width", self.width, 1, 65_536)
        require("models.tabm", "layers", self.layers, 1, 64)
        require("models.tabm", "dropout", self.dropout, 0, 0.99)


@dataclass(frozen=True, slots=True)
class TabNetSettings(TabularSettings):
    learning_rate: float = 1e-2
    width: int = 8  # of what a step decides, and of what it passes on
    steps: int = 3  # of attention
    shared: int = 2  # gated layers that all steps have in common
    own: int = 1  # gated layers of each step
    relaxation: float = 1.5  # of the use of a column at several steps; 1: at one of them only
    sparsity: float = 1e-4  # penalty on the entropy of the masks
    ghost: int = 128  # rows that are normalised together

    def __post_init__(self) -> None:
        self.require("models.tabnet", shortest=1)
        require("models.tabnet", "width", self.width, 1, 65_536)
        require("models.tabnet", "steps", self.steps, 1, 64)
        require("models.tabnet", "shared", self.shared, 1, 64)
        require("models.tabnet", "own", self.own, 0, 64)
        require("models.tabnet", "relaxation", self.relaxation, 1, 10)
        require("models.tabnet", "sparsity", self.sparsity, 0, 10)
        require("models.tabnet", "ghost", self.ghost, 2, 1_000_000)
