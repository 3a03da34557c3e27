"""Settings of the vote, and of the members' deadline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require

#: What a quorum is a share of.
QuorumOf = Literal["members", "independent"]


@dataclass(frozen=True, slots=True)
class VoteSettings(Section):
    """Consensus vote. Scores and volatility are fractions."""

    weights: Mapping[str, float] = field(  # member -> its weight in the vote
        default_factory=lambda: MappingProxyType({"xgboost": 0.25, "lightgbm": 0.25, "nhits": 0.30, "patchtst": 0.20})
    )
    default_weight: float = 0.25  # weight of members that the table does not name
    quorum: float = 0.75  # share of the configured models that must agree
    quorum_of: QuorumOf = "members"  # what is counted: members, or the independent votes that they are worth
    correlation: Mapping[str, float] = field(  # pair of members -> correlation of their errors; measured in training
        default_factory=lambda: MappingProxyType({})
    )
    floor: float = 0.69  # minimum confidence of an action
    lowered_floor: float = 0.65  # minimum confidence of an action that passes by a lowered quorum only
    volatility_limit: float = 0.05  # above it, the volatility gate requires volatility_base
    volatility_base: float = 0.70  # minimum base confidence at high volatility

    def __post_init__(self) -> None:
        for model, weight in self.weights.items():
            require("vote.weights", model, weight, 1e-6, 1e6)
        if self.quorum_of not in get_args(QuorumOf):
            expected = " or ".join(get_args(QuorumOf))
            raise SettingsError("use the setting vote.quorum_of", found=repr(self.quorum_of), expected=expected)
        for pair, correlation in self.correlation.items():
            require("vote.correlation", pair, correlation, -1, 1)
        require("vote", "default_weight", self.default_weight, 1e-6, 1e6)
        for name in ("quorum", "floor", "lowered_floor", "volatility_base"):
            require("vote", name, getattr(self, name), 0, 1)
        require("vote", "volatility_limit", self.volatility_limit, 0, 10)

    @property
    def chosen(self) -> VoteSettings:
        """The settings without what training measures."""
        return replace(self, correlation={})

    def to_json(self) -> dict[str, Any]:
        """JSON-safe document."""
        # asdict deep-copies values, which fails for a read-only mapping.
        values = {own.name: getattr(self, own.name) for own in fields(self)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}

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
