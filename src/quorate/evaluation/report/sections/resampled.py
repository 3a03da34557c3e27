"""Monte Carlo: trades reshuffled and market days resampled, each with what it tells and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from quorate.evaluation.report.charts.account_charts import distribution
from quorate.evaluation.report.formatting import text_of
from quorate.evaluation.report.page.template import Html, Page

if TYPE_CHECKING:
    from quorate.evaluation.monte_carlo import MonteCarlo, ResampledAccounts
    from quorate.evaluation.report.reported_run import ReportedRun

_ORDER = (
    "Tells how much of the drawdown comes from the order of the trades. It does not tell whether they would win again: "
    "all orders end at the same equity, and trades that lost together on one day are pulled apart."
)
_REDRAWN = (
    "Tells how much of the return rests on a few trades. It takes trades for independent, which those of one day are "
    "not, so the true range is wider."
)
_MARKET = (
    "The decisions are traded again on days of the market drawn with replacement, all markets of a day together: "
    "stops, targets, funding and limits of the account act on the new path. It keeps what happens within a day and "
    "loses what spans days. The models are not run again, so it does not tell how they would judge another market."
)


def resampled(page: Page, run: ReportedRun, found: MonteCarlo | None) -> Html:
    """Distributions of final return and of drawdown; empty where nothing was resampled."""
    if found is None:
        return Html("")
    level = run.figures["intervals"]["confidence"]
    parts = [
        _part(page, "Trades in other orders", found.order, level, _ORDER),
        _part(page, "Trades drawn with replacement", found.redrawn, level, _REDRAWN),
    ]
    if found.market is not None:
        parts.insert(0, _part(page, "Days of the market resampled", found.market, level, _MARKET))
    return Html("".join(parts))


def _part(page: Page, title: str, accounts: ResampledAccounts, level: float, about: str) -> Html:
    draws = len(accounts.max_drawdown)
    names = {"final return": accounts.total_return, "maximum drawdown": accounts.max_drawdown}
    own = {"final return": accounts.own_return, "maximum drawdown": accounts.own_drawdown}
    charts = [
        page.chart(
            distribution(values.tolist(), own[name], f"{title}, {name}", f"{draws:,} draws"),
            name.capitalize(),
            _range(values, level),
        )
        for name, values in names.items()
        if len(values)
    ]
    losing = accounts.total_return
    more = [f"{np.mean(losing < 0):.0%} of the draws end below the start."] if len(losing) else []
    return page.row(page.prose(title, [about, *more]), *charts, even=True)


def _range(values: np.ndarray[tuple[int], np.dtype[np.float64]], level: float) -> str:
    tail = (1 - level) / 2
    low, middle, high = np.quantile(values, [tail, 0.5, 1 - tail])
    return f"median {text_of(middle, 'share')}, {level:.0%} of the draws {100 * low:.2f} to {text_of(high, 'share')}"
