"""Guards and ladder of an account, and their inputs from the decisions of a backtest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from quorate.core.clock import DAY_MS
from quorate.core.settings import GuardSettings, LadderSettings
from quorate.core.types import Action, DecisionFrame
from quorate.trading.decided_bar import DecidedBar


@dataclass(frozen=True, slots=True)
class Oversight:
    """Limits of guards and ladder.

    Attributes:
        ladder: None for none, as for a book.
        trained_until: end of the bundle's training span in ms, from which its age is counted.
    """

    guards: GuardSettings = field(default_factory=GuardSettings)
    ladder: LadderSettings | None = field(default_factory=LadderSettings)
    trained_until: int = 0

    def expired(self, time: int) -> bool:
        """Whether the bundle is older at `time` than the settings allow."""
        return bool(self.guards.bundle_days) and time - self.trained_until > self.guards.bundle_days * DAY_MS


class GuardInputs:
    """Decisions and valid members of decision frames, by bar.

    Args:
        frames: symbol -> decisions.
        oversight: the limits.
    """

    def __init__(self, frames: Mapping[str, DecisionFrame], oversight: Oversight) -> None:
        self._oversight = oversight
        self._decisions: dict[int, list[DecidedBar]] = defaultdict(list)
        self._voters: dict[int, set[str]] = defaultdict(set)
        actions = list(Action)
        for symbol in sorted(frames):
            frame = frames[symbol]
            times = frame.time.tolist()
            columns = frame.action.tolist(), frame.base.tolist(), frame.volatility.tolist()
            for time, action, base, volatility in zip(times, *columns, strict=True):
                self._decisions[time].append(DecidedBar(symbol, actions[action], base, volatility))
            for model, output in {**frame.scores, **frame.forecasts}.items():
                voted = np.isfinite(output).reshape(len(frame), -1).all(axis=1)
                for time in frame.time[voted].tolist():
                    self._voters[time].add(model)

    def at(self, time: int) -> tuple[list[DecidedBar], int]:
        """The decisions on the bars at `time`, by symbol, and the number of valid members there."""
        valid = 0 if self._oversight.expired(time) else len(self._voters.get(time, ()))
        return self._decisions.get(time, []), valid
