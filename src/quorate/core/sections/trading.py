"""Settings of costs, of the account and of exits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class CostSettings(Section):
    """Costs as fractions of the order's value, per side."""

    taker_fee: float = 0.0005  # of an order that takes liquidity, such as a market order
    maker_fee: float = 0.0002  # of a limit order that rests in the book
    slippage: float = 0.0002  # how much worse than its reference price such an order is filled
    liquidation_fee: float = 0.015  # fee of the exchange for closing a liquidated position

    def __post_init__(self) -> None:
        for name in ("taker_fee", "maker_fee"):
            require("costs", name, getattr(self, name), -0.01, 0.1)
        require("costs", "slippage", self.slippage, 0, 0.1)
        require("costs", "liquidation_fee", self.liquidation_fee, 0, 0.1)


Sizing = Literal["risk", "fixed", "atr", "half_kelly"]
MarginMode = Literal["isolated", "cross"]


@dataclass(frozen=True, slots=True)
class AccountSettings(Section):
    """Account and position sizes."""

    equity_usd: float = 1_000.0  # at the start; all amounts are in the currency of the account
    currency: str = ""  # of the account, such as EUR; empty: that of its markets, all quoted in one
    positions: int = 4  # maximum of open positions
    risk: float = 0.01  # share of equity lost when the stop is hit
    capital_usd: float = 0.0  # maximum margin of all positions together; 0: all equity
    leverage: float = 5.0  # maximum of a position's value over its margin
    margin: MarginMode = "isolated"  # of positions by target; books always use cross margin
    sizing: Sizing = "risk"  # rule for position sizes
    stake_usd: float = 100.0  # margin of each position, for fixed sizing
    kelly_cap: float = 0.02  # maximum share of equity at risk by half Kelly
    minimum_usd: float = 5.0  # minimum value of an order, where the exchange's is not known

    def __post_init__(self) -> None:
        for name, known in (("sizing", get_args(Sizing)), ("margin", get_args(MarginMode))):
            if getattr(self, name) not in known:
                raise SettingsError(
                    f"use the setting account.{name}", found=repr(getattr(self, name)), expected=", ".join(known)
                )
        if self.currency and not (self.currency.isascii() and self.currency.isalnum() and self.currency.isupper()):
            raise SettingsError(
                "use the setting account.currency",
                found=repr(self.currency),
                expected="a currency in capital letters, such as USDT or EUR, or nothing",
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
    """Exits of positions."""

    stop_atr: float = 2.0  # distance of the stop, in ATR(14)
    target_ratio: float = 2.5  # distance of the target, in multiples of the stop's
    time_bars: int = 0  # bars after which a position is closed; 0: the target's horizon
    trail_atr: float = 0.0  # distance of a trailing stop from the best price, in ATR(14); 0 disables it
    reopen: bool = True  # allow a new position on the same side at the open of a time exit; Freqtrade waits one bar
    maker_target: bool = False  # the target is a limit order: maker fee, and the price must trade through it

    def __post_init__(self) -> None:
        require("exits", "stop_atr", self.stop_atr, 1e-3, 1e3)
        require("exits", "target_ratio", self.target_ratio, 1e-3, 1e3)
        require("exits", "time_bars", self.time_bars, 0, 1_000_000)
        require("exits", "trail_atr", self.trail_atr, 0, 1e3)
