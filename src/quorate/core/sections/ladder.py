"""Settings of the ladder: limits of the account by step, and conditions of each step."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class LadderSettings(Section):
    """Limits and conditions by step; an account starts at the first."""

    capital_usd: tuple[float, ...] = (100.0, 200.0, 300.0, 400.0)  # maximum margin of all positions together, by step
    positions: tuple[int, ...] = (2, 3, 3, 4)  # maximum of open positions
    leverage: tuple[float, ...] = (20.0, 25.0, 25.0, 30.0)  # maximum, within the exchange's tiers
    win_rate: tuple[float, ...] = (0.75, 0.72, 0.70)  # that the Wilson lower bound must exceed for step 2, 3, ...
    days: float = 7.0  # fewest days at a step before the next one
    trades: int = 50  # fewest trades at a step before the next one
    certainty: float = 0.95  # confidence level of the Wilson interval

    def __post_init__(self) -> None:
        steps = len(self.capital_usd)
        lengths = (steps, len(self.positions), len(self.leverage), len(self.win_rate) + 1)
        if not steps or set(lengths) != {steps}:
            raise SettingsError(
                "use the settings of [ladder]",
                found=f"{steps} capital_usd, {lengths[1]} positions, {lengths[2]} leverage, {lengths[3] - 1} win_rate",
                expected="as many of each as there are steps, and one win_rate fewer",
            )
        for capital, positions, leverage in zip(self.capital_usd, self.positions, self.leverage, strict=True):
            require("ladder", "capital_usd", capital, 1e-6, 1e15)
            require("ladder", "positions", positions, 1, 10_000)
            require("ladder", "leverage", leverage, 1, 125)
        for rate in self.win_rate:
            require("ladder", "win_rate", rate, 0, 1)
        require("ladder", "days", self.days, 0, 1e6)
        require("ladder", "trades", self.trades, 1, 1_000_000)
        require("ladder", "certainty", self.certainty, 0.5, 0.9999)
