"""Trades by exit, side and market, with their histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.evaluation.metrics.trades import net_returns, trade_groups
from quorate.evaluation.report.charts.account_charts import trade_histogram
from quorate.evaluation.report.page.template import Html, Page
from quorate.evaluation.report.trade_group_tables import trade_group_tables

if TYPE_CHECKING:
    from quorate.evaluation.report.reported_run import ReportedRun


def breakdown(page: Page, run: ReportedRun) -> Html:
    """The three tables and the histogram; empty without trades."""
    if not run.result.trades:
        return Html("")
    groups = trade_groups(run.result, run.setup.settings.evaluation)
    exits, sides, markets = trade_group_tables(groups)
    return Html(
        page.row(
            Html(f"<div>{page.table(exits)}{page.table(sides)}</div>"),
            page.chart(trade_histogram(net_returns(run.result)), "Trades by net result", "gains green, losses red"),
        )
        + page.table(markets, sortable=True)
    )
