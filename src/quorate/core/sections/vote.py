"""Settings of the vote, and of the members' deadline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class VoteSettings(Section):
    """Consensus vote. Scores and volatility are fractions."""

    weights: Mapping[str, float] = field(  # of each member
        default_factory=lambda: MappingProxyType({"xgboost": 0.25, "lightgbm": 0.25, "nhits": 0.30, "patchtst": 0.20})
    )
    default_weight: float = 0.25  # weight of members that the table does not name
    quorum: float = 0.75  # share of the configured models that must agree
    floor: float = 0.69  # minimum confidence of an action
    lowered_floor: float = 0.65  # minimum confidence of an action that passes by a lowered quorum only
    volatility_limit: float = 0.05  # above it, the volatility gate requires volatility_base
    volatility_base: float = 0.70  # minimum base confidence at high volatility

    def __post_init__(self) -> None:
        for model, weight in self.weights.items():
            require("vote.weights", model, weight, 1e-6, 1e6)
        require("vote", "default_weight", self.default_weight, 1e-6, 1e6)
        for name in ("quorum", "floor", "lowered_floor", "volatility_base"):
            require("vote", name, getattr(self, name), 0, 1)
        require("vote", "volatility_limit", self.volatility_limit, 0, 10)

    def weight(self, model: str) -> float:
        """Return the configured weight of a model."""
        return self.weights.get(model, self.default_weight)


@dataclass(frozen=True, slots=True)
class PredictSettings(Section):
    """Time limits of each member; one that exceeds them abstains."""

    deadline_ms: float = 250.0  # in live predictions
    frame_s: float = 30.0  # over a frame of candles, as in backtests; frame_row_ms more for each bar
    frame_row_ms: float = 20.0  # over a frame, for each bar

    def __post_init__(self) -> None:
        require("predict", "deadline_ms", self.deadline_ms, 0.1, 600_000)
        require("predict", "frame_s", self.frame_s, 0.1, 86_400)
        require("predict", "frame_row_ms", self.frame_row_ms, 0, 60_000)
