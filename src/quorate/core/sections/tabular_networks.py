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
