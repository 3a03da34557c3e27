"""Settings of the guards."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require

#: Limits that are none.
NO_LOSSES, NO_DRAWDOWN_USD = 1_000_000, 1e15


@dataclass(frozen=True, slots=True)
class GuardSettings(Section):
    """Limits that block entries. Shares, volatility and confidence are fractions."""

    losses: int = 3  # consecutive closed trades that each lose more than loss_usd
    loss_usd: float = 8.0  # loss of a trade that counts
    drawdown_usd: float = 25.0  # maximum fall of equity below its peak of the UTC day
    models: int = 3  # fewest members that vote
    models_bars: int = 5  # consecutive bars with enough members before entries resume
    bundle_days: float = 0.0  # age in days at which a bundle expires; 0: never
    confidence: float = 0.60  # minimum mean base of the newest signals
    signals: int = 50  # newest BUY and SELL signals in that mean
    signals_needed: int = 30  # fewest signals for the mean to count
    volatility: float = 0.08  # above it for volatility_bars closed bars, a market is blocked
    volatility_clear: float = 0.06  # below it for volatility_bars closed bars, the market is open again
    volatility_bars: int = 3  # consecutive closed bars
    # Of positions by target. Books have these limits in [book_guards].
    reduce_drawdown: float = 0.0  # fall of equity below its peak from which nothing is added; 0: no limit
    halt_drawdown: float = 0.0  # fall of equity below its peak at which everything is closed; 0: no limit
    gross: float = 0.0  # values of all positions as a multiple of equity above which nothing is added; 0: no limit

    def __post_init__(self) -> None:
        require("guards", "losses", self.losses, 1, NO_LOSSES)
        require("guards", "loss_usd", self.loss_usd, 0, 1e15)
        require("guards", "drawdown_usd", self.drawdown_usd, 0, NO_DRAWDOWN_USD)
        require("guards", "models", self.models, 0, 1_000)
        require("guards", "models_bars", self.models_bars, 1, 1_000_000)
        require("guards", "bundle_days", self.bundle_days, 0, 1e6)
        require("guards", "confidence", self.confidence, 0, 1)
        require("guards", "signals", self.signals, 1, 1_000_000)
        require("guards", "signals_needed", self.signals_needed, 1, self.signals)
        require("guards", "volatility", self.volatility, 1e-6, 1e3)
        require("guards", "volatility_clear", self.volatility_clear, 0, self.volatility)
        require("guards", "volatility_bars", self.volatility_bars, 1, 1_000_000)
        require("guards", "reduce_drawdown", self.reduce_drawdown, 0, 1)
        require("guards", "halt_drawdown", self.halt_drawdown, 0, 1)
        require("guards", "gross", self.gross, 0, 1_000)


@dataclass(frozen=True, slots=True)
class BookGuardSettings(Section):
    """Limits of the paper account of a book. Drawdowns are fractions of the highest equity so far."""

    reduce_drawdown: float = 0.20  # from which positions may only shrink, until the equity is above it again; 0: never
    halt_drawdown: float = 0.30  # at which all positions are closed, until a person re-arms the guard; 0: never
    gross: float = 3.5  # values of all positions as a multiple of equity above which they may only shrink; 0: no limit
    fresh: float = 0.9  # share of the live markets that must have the closed bar; with fewer, weights wait for the next

    def __post_init__(self) -> None:
        require("book_guards", "fresh", self.fresh, 0, 1)
        require("book_guards", "reduce_drawdown", self.reduce_drawdown, 0, 1)
        require("book_guards", "halt_drawdown", self.halt_drawdown, 0, 1)
        require("book_guards", "gross", self.gross, 0, 1_000)

    @property
    def limits(self) -> GuardSettings:
        """The limits of all guards: those of single trades, days and members of an ensemble are off."""
        return GuardSettings(
            losses=NO_LOSSES,
            drawdown_usd=NO_DRAWDOWN_USD,
            models=0,
            confidence=0.0,
            reduce_drawdown=self.reduce_drawdown,
            halt_drawdown=self.halt_drawdown,
            gross=self.gross,
        )
