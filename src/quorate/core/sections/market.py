"""What counts as a fault of candles, and which markets are worth a model."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class QualitySettings(Section):
    """What is reported as a single-candle spike. Reports only: no candle is refused for it."""

    spike: float = 0.10  # a high above both neighbours' highs, or a low below both lows, by this fraction
    spike_moves: float = 20.0  # and by this many of the file's median close-to-close moves

    def __post_init__(self) -> None:
        require("quality", "spike", self.spike, 1e-6, 1e6)
        require("quality", "spike_moves", self.spike_moves, 0, 1e6)


@dataclass(frozen=True, slots=True)
class UniverseSettings(Section):
    """Which perpetuals `--top N` ranks, and over how long."""

    days: int = 30  # of quote volume
    stablecoins: tuple[str, ...] = (
        *("AEUR", "BFUSD", "BUSD", "DAI", "EUR", "EURI", "EURS", "EURT", "FDUSD", "FRAX", "GUSD", "LUSD", "PYUSD"),
        *("RLUSD", "SUSD", "TUSD", "USD1", "USDC", "USDD", "USDE", "USDP", "USDS", "USDT", "UST", "USTC", "XUSD"),
    )

    def __post_init__(self) -> None:
        require("universe", "days", self.days, 1, 3650)
