"""What stops entries, and how far an account may be scaled up."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class GuardSettings(Section):
    """Limits that no entry passes. Shares, volatility and confidence are fractions."""

    losses: int = 3  # closed trades in a row that each lose more than loss_usd
    loss_usd: float = 8.0
    drawdown_usd: float = 25.0  # most that equity may fall below its peak of the UTC day
    models: int = 3  # fewest members that vote
    models_bars: int = 5  # bars in a row with enough of them before entries go on
    bundle_days: float = 0.0  # a bundle trained longer ago than this has expired; 0: it never does
    confidence: float = 0.60  # least mean base of the newest signals
    signals: int = 50  # BUY and SELL, over which that mean is taken
    signals_needed: int = 30  # fewer than this say nothing yet
    volatility: float = 0.08  # a market above it for volatility_bars closed bars is left alone
    volatility_clear: float = 0.06  # until it is below this for as many
    volatility_bars: int = 3

    def __post_init__(self) -> None:
        require("guards", "losses", self.losses, 1, 1_000_000)
        require("guards", "loss_usd", self.loss_usd, 0, 1e15)
        require("guards", "drawdown_usd", self.drawdown_usd, 0, 1e15)
        require("guards", "models", self.models, 0, 1_000)
        require("guards", "models_bars", self.models_bars, 1, 1_000_000)
        require("guards", "bundle_days", self.bundle_days, 0, 1e6)
        require("guards", "confidence", self.confidence, 0, 1)
        require("guards", "signals", self.signals, 1, 1_000_000)
        require("guards", "signals_needed", self.signals_needed, 1, self.signals)
        require("guards", "volatility", self.volatility, 1e-6, 1e3)
        require("guards", "volatility_clear", self.volatility_clear, 0, self.volatility)
        require("guards", "volatility_bars", self.volatility_bars, 1, 1_000_000)
