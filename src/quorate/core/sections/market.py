"""Settings of candle checks, and of the choice of markets."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class QualitySettings(Section):
    """Single-candle spikes; they are reported, and no stored candle is rejected for one."""

    spike: float = 0.10  # fraction by which a high exceeds both neighbours' highs, or a low falls below both lows
    spike_moves: float = 20.0  # the same in multiples of the file's median close-to-close move

    def __post_init__(self) -> None:
        require("quality", "spike", self.spike, 1e-6, 1e6)
        require("quality", "spike_moves", self.spike_moves, 0, 1e6)


@dataclass(frozen=True, slots=True)
class UniverseSettings(Section):
    """Choice of the perpetuals with the most quote volume."""

    days: int = 30  # over which quote volume is summed
    stablecoins: tuple[str, ...] = (  # base currencies that are left out
        *("AEUR", "BFUSD", "BUSD", "DAI", "EUR", "EURI", "EURS", "EURT", "FDUSD", "FRAX", "GUSD", "LUSD", "PYUSD"),
        *("RLUSD", "SUSD", "TUSD", "USD1", "USDC", "USDD", "USDE", "USDP", "USDS", "USDT", "UST", "USTC", "XUSD"),
    )

    def __post_init__(self) -> None:
        require("universe", "days", self.days, 1, 3650)
