"""What a report shows: the document of a run, and the trades, decisions, candles and curves behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from quorate.evaluation.baselines.naive import buy_and_hold
from quorate.evaluation.metrics.trades import account_curve

if TYPE_CHECKING:
    from quorate.core.types import Candles, DecisionFrame
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.evaluation.baselines.random_entries import EquityBand
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.evaluation.scorecard import Scorecard
    from quorate.trading.backtest.backtest_result import BacktestResult

_STACK = "stack: "  # begin of the names of criteria of a stack


@dataclass(frozen=True, slots=True, eq=False)
class ReportedRun:
    """A run of an ensemble, of either recipe, as its report needs it.

    Attributes:
        figures: JSON-safe; the document of `quorate evaluate --json`.
        frames: symbol -> decisions on every bar.
        result: trades and equity of these decisions.
        setup: of that backtest.
        hold: equity of buy and hold on the same bars; None without bars.
        curves: baseline -> equity of its account on the same bars.
        random_band: equity of accounts with random entries; None without them.
    """

    figures: Mapping[str, Any]
    frames: Mapping[str, DecisionFrame]
    result: BacktestResult
    setup: BacktestSetup
    hold: EquityCurve | None = None
    curves: Mapping[str, EquityCurve] = field(default_factory=dict)
    random_band: EquityBand | None = None

    @classmethod
    def of(
        cls,
        figures: Mapping[str, Any],
        frames: Mapping[str, DecisionFrame],
        result: BacktestResult,
        setup: BacktestSetup,
        card: Scorecard | None = None,
    ) -> Self:
        """The run of an evaluation; without a scorecard, as of a stack, there are no rivals but buy and hold."""
        if card is not None:
            # Figures that were measured for the page alone are in the scorecard only.
            figures = {**figures, **card.figures}
            return cls(figures, frames, result, setup, card.hold, card.curves, card.random_band)
        run = cls(figures, frames, result, setup)
        hold = buy_and_hold(run.candles, result.start_equity_usd, setup.settings.costs, setup.funding)
        return replace(run, hold=hold)

    @property
    def account(self) -> EquityCurve:
        """Equity of the account."""
        return account_curve(self.result)

    @property
    def candles(self) -> dict[str, Candles]:
        """Symbol -> candles of the bars of the account, in the order of the frames."""
        time = self.result.time
        if not len(time):
            return {}
        found = {
            symbol: self.setup.candles[symbol].between(int(time[0]), int(time[-1]) + 1)
            for symbol in self.frames
            if symbol in self.setup.candles
        }
        return {symbol: candles for symbol, candles in found.items() if len(candles)}

    @property
    def recipe(self) -> str:
        """`stack` where returns were predicted, else `vote`."""
        return "stack" if "rmse" in self.figures.get("ensemble", {}) else "vote"

    @property
    def criteria(self) -> list[dict[str, Any]]:
        """The success criteria of the recipe that ran, by their names without it."""
        stack = self.recipe == "stack"
        return [
            {**row, "name": row["name"].removeprefix(_STACK)}
            for row in self.figures["criteria"]
            if row["name"].startswith(_STACK) == stack
        ]

    @property
    def currency(self) -> str:
        """Currency of the account."""
        return self.result.currency
