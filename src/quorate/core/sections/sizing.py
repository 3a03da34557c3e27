"""Settings of the sizing overlay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require

SizingLearner = Literal["ridge", "linucb", "ppo"]


@dataclass(frozen=True, slots=True)
class SizingSettings(Section):
    """Sizing overlay: each entry has a share of its ordinary stake (0, 1/4, 1/2, 3/4 or 1), by its context."""

    apply: bool = False  # paper accounts and backtests size by the overlay that is kept beside the bundle
    learner: SizingLearner = "ridge"  # of the reward of every share; a bandit that sees that of its own; or PPO
    folds: int = 4  # stretches that are traded with what was fitted before each; one more comes first
    fewest: int = 100  # closed trades to fit on; with fewer, every entry has its whole stake
    aversion: float = 0.05  # weight of half the squared result in the reward, in multiples of the risk at the stop
    penalty: float = 20.0  # of squared coefficients, as so many trades
    exploration: float = 0.1  # width of LinUCB's upper bound, in standard deviations
    steps: int = 10_000  # entries that PPO sizes while it learns
    width: int = 32  # of PPO's two hidden layers
    seed: int = 0  # of all random numbers
    gate_markets: int = 2  # synthetic markets of each case of the gate
    gate_bars: int = 3_000  # of each of them
    gate_folds: int = 3  # stretches, as `folds`

    def __post_init__(self) -> None:
        if self.learner not in get_args(SizingLearner):
            raise SettingsError(
                "use the setting sizing.learner",
                found=repr(self.learner),
                expected=", ".join(get_args(SizingLearner)),
            )
        require("sizing", "folds", self.folds, 1, 1_000)
        require("sizing", "fewest", self.fewest, 10, 1e9)
        require("sizing", "aversion", self.aversion, 0, 100)
        require("sizing", "penalty", self.penalty, 1e-6, 1e9)
        require("sizing", "exploration", self.exploration, 0, 100)
        require("sizing", "steps", self.steps, 100, 1e9)
        require("sizing", "width", self.width, 2, 256)
        require("sizing", "seed", self.seed, 0, 2**32 - 1)
        require("sizing", "gate_markets", self.gate_markets, 1, 100)
        require("sizing", "gate_bars", self.gate_bars, 200, 1_000_000)
        require("sizing", "gate_folds", self.gate_folds, 1, 100)
