"""What is judged: the weights of a book, and the market that they are held in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.portfolio.positions import WeightReturns
from quorate.book.portfolio.returns import book_returns, market_returns
from quorate.book.portfolio.weights import SleeveWeights
from quorate.core.settings import BookSettings, CostSettings
from quorate.core.types import BoolArray, FloatArray
from quorate.evaluation.book.options import JudgementOptions
from quorate.evaluation.book.performance import JudgedDays, performance


@dataclass(frozen=True, slots=True, eq=False)
class BookCase:
    """A book over the days of its judgement.

    Attributes:
        weights: of its sleeves.
        panel: of all markets.
        outcomes: of the same panel.
        settings: of the book.
        costs: of each change.
        span: days of the judgement.
        options: of the judgement.
        whole: returns of the book.
        days: (R,) from the first one with a position on: the days of every comparison.
        by_market: (R, S) net returns of the book by market.
        held: (R, S) its weights.
    """

    weights: SleeveWeights
    panel: DailyPanel
    outcomes: PositionOutcomes
    settings: BookSettings
    costs: CostSettings
    span: JudgedDays
    options: JudgementOptions
    whole: WeightReturns
    days: BoolArray
    by_market: FloatArray
    held: FloatArray

    @classmethod
    def of(
        cls,
        weights: SleeveWeights,
        panel: DailyPanel,
        outcomes: PositionOutcomes,
        settings: BookSettings,
        costs: CostSettings,
        start: int,
        end: int,
        options: JudgementOptions,
    ) -> BookCase:
        """A case of the days from `start` to `end` in ms, the end exclusive."""
        time = panel.time[:-1]
        span = JudgedDays(time, np.asarray((time >= start) & (time < end)))
        whole = book_returns(weights, panel, outcomes, settings, costs)
        markets = market_returns(weights, panel, outcomes, settings, costs)
        days = span.since_held(whole)
        return cls(weights, panel, outcomes, settings, costs, span, options, whole, days, markets.net, markets.weights)

    @property
    def net(self) -> FloatArray:
        """(days,) net returns of the judged days."""
        return self.whole.net[self.days]

    @property
    def sleeves(self) -> tuple[str, ...]:
        """Names, in order."""
        return (*self.weights.daily, *self.weights.by_bar)

    def returns(
        self, weights: SleeveWeights, *, costs: CostSettings | None = None, delay_days: int = 0, delay_bars: int = 0
    ) -> WeightReturns:
        """Other weights in the same market."""
        return book_returns(
            weights,
            self.panel,
            self.outcomes,
            self.settings,
            costs or self.costs,
            delay_days=delay_days,
            delay_bars=delay_bars,
        )

    def hold(self, target: FloatArray) -> WeightReturns:
        """(D, S) weights that are rebalanced every day, without a band."""
        weights = SleeveWeights({"held": target}, {}, {})
        followed = replace(self.settings, band=0.0, step=1.0)
        return book_returns(weights, self.panel, self.outcomes, followed, self.costs)

    def figures(self, returns: WeightReturns, *, same_days: bool = False) -> dict[str, Any]:
        """Performance from the first day with a position on, or of the book's own days."""
        days = self.days if same_days else self.span.since_held(returns)
        return performance(returns, days, self.span.time, self.options)

    def listed_at_start(self) -> BoolArray:
        """(S,) markets that had a price on the first judged day."""
        first = int(np.argmax(self.days))
        return np.asarray(np.isfinite(self.panel.close[first]))

    def only_markets(self, kept: BoolArray) -> SleeveWeights:
        """The weights without the markets that are not kept."""
        return SleeveWeights(
            {name: each * kept for name, each in self.weights.daily.items()},
            {name: each * kept for name, each in self.weights.by_bar.items()},
            self.weights.scale,
        )
