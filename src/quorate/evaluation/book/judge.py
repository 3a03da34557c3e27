"""Judge a book on days that came after its choices: net of everything, beside holding, and against chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.portfolio.weights import SleeveWeights
from quorate.core.clock import format_ms, iso_ms
from quorate.core.errors import EvaluationError
from quorate.core.progress import Progress, silent
from quorate.core.settings import BookSettings, CostSettings
from quorate.evaluation.book.calendar import by_month, by_year
from quorate.evaluation.book.case import BookCase
from quorate.evaluation.book.holdings import HOLDINGS, beside, holdings
from quorate.evaluation.book.market_beta import beta_figures
from quorate.evaluation.book.options import JudgementOptions
from quorate.evaluation.book.placebo import PLACEBOS, placebos
from quorate.evaluation.book.robustness import VARIANTS, robustness
from quorate.evaluation.book.selection import deflation, power
from quorate.evaluation.book.series import BookSeries
from quorate.evaluation.book.sleeve_figures import alone, correlations, sleeve_figures
from quorate.evaluation.book.survivorship import survivorship
from quorate.evaluation.book.verdict import book_verdict

_ABOUT = (
    "Daily returns of target weights, net of taker fee, slippage and funding; lots, minima, margin and liquidations "
    "are left to the backtest of the account."
)


@dataclass(frozen=True, slots=True, eq=False)
class BookJudgement:
    """Figures of a book, and the series behind them.

    Attributes:
        figures: JSON-safe, by section.
        series: by day, for charts.
        synthetic: the candles are of the synthetic market.
    """

    figures: Mapping[str, Any]
    series: BookSeries
    synthetic: bool = False

    @property
    def verdict(self) -> Mapping[str, Any]:
        """`outcome`, `sentence` and `details`."""
        found: Mapping[str, Any] = self.figures["verdict"]
        return found

    def to_json(self) -> dict[str, Any]:
        """All figures; the series are left out."""
        return {"synthetic": self.synthetic, **self.figures}


def judge_book(
    weights: SleeveWeights,
    panel: DailyPanel,
    outcomes: PositionOutcomes,
    settings: BookSettings,
    costs: CostSettings,
    *,
    start: int,
    end: int,
    trials: int = 1,
    trial_sharpes: Sequence[float] = (),
    options: JudgementOptions | None = None,
    synthetic: bool = False,
    progress: Progress = silent,
) -> BookJudgement:
    """Judge the sleeves held together from `start` on.

    The days begin with the first one that has a position. A book that holds nothing has no figures, and says so.

    Args:
        weights: of its sleeves; those of learned ones by members that were fitted before each day that they forecast.
        panel: of all markets.
        outcomes: of the same panel.
        settings: of the book.
        costs: taker fee and slippage of each change.
        start: of the judged days in ms.
        end: of them, exclusive.
        trials: configurations that were tried before this one was chosen, and it.
        trial_sharpes: their daily Sharpe ratios, where known.
        options: of intervals, placebos and assumed losses.
        synthetic: the candles are of the synthetic market.
        progress: called with the steps done and in all.

    Raises:
        EvaluationError: no day in the span, or fewer trials than Sharpe ratios.
    """
    chosen = options or JudgementOptions()
    if not ((panel.time[:-1] >= start) & (panel.time[:-1] < end)).any():
        raise EvaluationError(
            "judge a book",
            found=f"days from {format_ms(int(panel.time[0]))} to {format_ms(int(panel.time[-1]))}",
            expected=f"a day from {format_ms(start)} to {format_ms(end)} with a day after it",
        )
    case = BookCase.of(weights, panel, outcomes, settings, costs, start, end, chosen)
    held, own = holdings(case), alone(case)
    net, time = case.net, case.span.time[case.days]
    nearby = {name: returns.net[case.days] for name, returns in held.items()}
    figures: dict[str, Any] = {
        "from": iso_ms(start)[:10],
        "to": iso_ms(end)[:10],
        "cost_a_side": costs.taker_fee + costs.slippage,
        "markets": len(panel.symbols),
        "whole": case.figures(case.whole),
        "beside": beside(case, held),
        "sleeves": sleeve_figures(case, own),
        "correlations": correlations(case, own),
        "robustness": robustness(case),
        "beta": {name: beta_figures(net, held[name].gross[case.days], chosen) for name in ("btc", "equal_weight")},
        "survivorship": survivorship(case),
        "deflation": deflation(net, trials, trial_sharpes),
        "power": power(net),
        "placebo": placebos(case, progress),
        "contributions": _contributions(case),
        "by_year": by_year(time, net, nearby),
        "by_month": by_month(time, net, nearby),
        "intervals": {"confidence": chosen.confidence, "resamples": chosen.resamples, "block_days": chosen.block_days},
        "about": {"figures": _ABOUT, **HOLDINGS, **VARIANTS, **PLACEBOS},
    }
    return BookJudgement({**figures, "verdict": book_verdict(figures)}, BookSeries.of(case, held, own), synthetic)


def _contributions(case: BookCase) -> list[dict[str, Any]]:
    """Net result of every market that was held, as a sum of daily returns, largest first."""
    net, held = case.by_market[case.days].sum(axis=0), np.abs(case.held[case.days])
    days = (held > 0).sum(axis=0)
    order = [int(market) for market in np.argsort(-net, kind="stable") if days[market]]
    return [
        {
            "symbol": case.panel.symbols[market],
            "net": float(net[market]),
            "days": int(days[market]),
            "mean_size": float(held[:, market].sum() / days[market]),
        }
        for market in order
    ]
