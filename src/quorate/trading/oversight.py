"""What watches over an account: guards and ladder, and what they hear of a backtest's decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.settings import GuardSettings, LadderSettings
from quorate.core.types import Action, DecisionFrame
from quorate.trading.engine import BarInputs


@dataclass(frozen=True, slots=True)
class Oversight:
    """The limits in force.

    Attributes:
        trained_until: end in ms of the bundle's training span: its age is counted from there.
    """

    guards: GuardSettings = field(default_factory=GuardSettings)
    ladder: LadderSettings = field(default_factory=LadderSettings)
    trained_until: int = 0

    def expired(self, time: int) -> bool:
        """The bundle is older at `time` than the settings let one be."""
        return bool(self.guards.bundle_days) and time - self.trained_until > self.guards.bundle_days * DAY_MS


class GuardInputs:
    """What the guards hear of decision frames, bar by bar.

    Args:
        frames: symbol -> decisions.
        oversight: the limits.
    """

    def __init__(self, frames: Mapping[str, DecisionFrame], oversight: Oversight) -> None:
        self._oversight = oversight
        self._heard: dict[int, list[BarInputs]] = defaultdict(list)
        self._voices: dict[int, set[str]] = defaultdict(set)
        actions = list(Action)
        for symbol in sorted(frames):
            frame = frames[symbol]
            times = frame.time.tolist()
            columns = frame.action.tolist(), frame.base.tolist(), frame.volatility.tolist()
            for time, action, base, volatility in zip(times, *columns, strict=True):
                self._heard[time].append(BarInputs(symbol, actions[action], base, volatility))
            for model, said in {**frame.scores, **frame.forecasts}.items():
                spoke = np.isfinite(said).reshape(len(frame), -1).all(axis=1)
                for time in frame.time[spoke].tolist():
                    self._voices[time].add(model)

    def at(self, time: int) -> tuple[list[BarInputs], int]:
        """The decisions on the bars at `time`, by symbol, and how many members are valid there."""
        valid = 0 if self._oversight.expired(time) else len(self._voices.get(time, ()))
        return self._heard.get(time, []), valid
