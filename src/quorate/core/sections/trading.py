"""What trading costs, how much is risked, and when a position ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class CostSettings(Section):
    """Fractions of the order's value, a side."""

    taker_fee: float = 0.0005
    maker_fee: float = 0.0002
    slippage: float = 0.0002
    liquidation_fee: float = 0.015  # charged by the exchange for closing a liquidated position

    def __post_init__(self) -> None:
        for name in ("taker_fee", "maker_fee"):
            require("costs", name, getattr(self, name), -0.01, 0.1)
        require("costs", "slippage", self.slippage, 0, 0.1)
        require("costs", "liquidation_fee", self.liquidation_fee, 0, 0.1)


Sizing = Literal["risk", "fixed", "atr", "half_kelly"]


@dataclass(frozen=True, slots=True)
class AccountSettings(Section):
    equity_usd: float = 1_000.0
    positions: int = 4  # open at once
    risk: float = 0.01  # share of equity lost when the stop is hit
    capital_usd: float = 0.0  # most margin of all positions together; 0: all equity
    leverage: float = 5.0  # most, of a position's value over its margin
    sizing: Sizing = "risk"
    stake_usd: float = 100.0  # margin of each position, for fixed sizing
    kelly_cap: float = 0.02  # most of equity that half Kelly may put at risk
    minimum_usd: float = 5.0  # least value of an order, where the exchange's own is not known

    def __post_init__(self) -> None:
        if self.sizing not in get_args(Sizing):
            raise SettingsError(
                "use the setting account.sizing", found=repr(self.sizing), expected=", ".join(get_args(Sizing))
            )
        require("account", "equity_usd", self.equity_usd, 1e-6, 1e15)
        require("account", "positions", self.positions, 1, 10_000)
        require("account", "capital_usd", self.capital_usd, 0, 1e15)
        require("account", "risk", self.risk, 1e-6, 1)
        require("account", "leverage", self.leverage, 1, 125)
        require("account", "stake_usd", self.stake_usd, 1e-6, 1e15)
        require("account", "kelly_cap", self.kelly_cap, 1e-6, 1)
        require("account", "minimum_usd", self.minimum_usd, 0, 1e9)


@dataclass(frozen=True, slots=True)
class ExitSettings(Section):
    stop_atr: float = 2.0  # distance of the stop, in ATR(14)
    target_ratio: float = 2.5  # distance of the target, in stops
    time_bars: int = 0  # 0: the target's horizon
    trail_atr: float = 0.0  # distance of a stop that follows the best price, in ATR(14); 0: the stop stays
    reopen: bool = True  # at the open at which a position's time is up, on the same side; Freqtrade waits for a bar
    maker_target: bool = False  # the target rests in the book: maker fee, and the price must trade through it

    def __post_init__(self) -> None:
        require("exits", "stop_atr", self.stop_atr, 1e-3, 1e3)
        require("exits", "target_ratio", self.target_ratio, 1e-3, 1e3)
        require("exits", "time_bars", self.time_bars, 0, 1_000_000)
        require("exits", "trail_atr", self.trail_atr, 0, 1e3)
