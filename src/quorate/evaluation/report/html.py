"""The HTML report of a run: one self-contained page, the answer first and the statistics last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.files import write_text_atomic
from quorate.core.progress import Progress, silent
from quorate.core.redaction import redact_known
from quorate.evaluation.monte_carlo import monte_carlo
from quorate.evaluation.report.charts.linked_figure import linked_figure
from quorate.evaluation.report.formatting import Cell, Table
from quorate.evaluation.report.page.template import Html, Page
from quorate.evaluation.report.sections.breakdown import breakdown
from quorate.evaluation.report.sections.cards import cards
from quorate.evaluation.report.sections.figure import figure
from quorate.evaluation.report.sections.header import header, listed, title_of
from quorate.evaluation.report.sections.months import months
from quorate.evaluation.report.sections.no_trades import no_trades
from quorate.evaluation.report.sections.promises import promises
from quorate.evaluation.report.sections.resampled import resampled
from quorate.evaluation.report.sections.sceptic import sceptic
from quorate.evaluation.report.sections.trade_list import trade_list, trade_rows
from quorate.evaluation.report.tables import baseline_name
from quorate.evaluation.verdict import verdict_of

if TYPE_CHECKING:
    from quorate.evaluation.report.reported_run import ReportedRun

_RESAMPLED = "What else could have happened with the same trades, and on other days. None of it is a forecast."


def write_report(path: Path, run: ReportedRun, *, warnings: Sequence[str] = (), progress: Progress = silent) -> None:
    """Write the report as one HTML file, atomically.

    Args:
        path: of the file; its folder is created.
        run: what is reported.
        warnings: sentences shown as banners at the top, such as a run inside the training span.
        progress: callback, of resampling.

    Raises:
        DataError: the file cannot be written.
    """
    write_text_atomic(path, redact_known(render_report(run, warnings=warnings, progress=progress)))


def render_report(run: ReportedRun, *, warnings: Sequence[str] = (), progress: Progress = silent) -> str:
    """The report as HTML text: it needs no network, has a light and a dark scheme, and fits screens from 360 pixels.

    Args:
        run: what is reported.
        warnings: sentences shown as banners at the top.
        progress: callback, of resampling.
    """
    figures, settings = run.figures, run.setup.settings.evaluation
    page = Page(synthetic=bool(figures["synthetic"]), currency=run.currency)
    drawn, trades, title = linked_figure(run), trade_rows(run), title_of(figures)
    resamples = monte_carlo(run.frames, run.result, run.setup, settings, progress)
    if figures["trades"]["n"]:
        body = [
            page.section("Overview", cards(page, run), anchor="overview"),
            page.section("Equity, drawdown and price", figure(run, drawn), anchor="chart", name="Chart"),
            page.section("Months", months(run), anchor="months", hint="Return of the account in percent."),
            page.section("Exits, sides and markets", breakdown(page, run), anchor="breakdown", name="Breakdown"),
            page.section("Trades", trade_list(run, trades), anchor="trades"),
            page.section("Monte Carlo", resampled(page, run, resamples), anchor="monte-carlo", hint=_RESAMPLED),
        ]
    else:
        body = [
            page.section("Why there was no trade", no_trades(page, run), anchor="overview", name="Why"),
            page.section("Holding, and the price", figure(run, drawn), anchor="chart", name="Chart"),
        ]
    body += [
        page.section("Promises", promises(run), anchor="promises"),
        page.folded(
            "For the sceptic", "sceptic", sceptic(page, run), hint="Scores, baselines, selection bias, decisions"
        ),
        page.section("Provenance", page.table(_provenance(figures), words=True), anchor="provenance"),
    ]
    return page.document(
        f"{title} - Quorate",
        header(run, title, verdict_of(figures)),
        Html("".join(body)),
        warnings=warnings,
        footer=_footer(figures),
        data=None if drawn is None else {"figure": drawn, "trades": trades, "currency": run.currency},
    )


def _provenance(figures: Any) -> Table:
    """Data, code and command; empty if the document has none."""
    known = figures.get("provenance", {})
    rows = tuple((Cell(name.replace("_", " ")), Cell(str(value))) for name, value in known.items())
    return Table("Data, code and command", ("", "value"), rows)


def _footer(figures: Any) -> list[str]:
    """How the figures were measured, and what is missing in them."""
    intervals, trades, baselines = figures["intervals"], figures["trades"], figures["baselines"]
    lines = [
        f"Small figures are {intervals['confidence']:.0%} confidence intervals: {intervals['resamples']:,} resamples "
        f"of {intervals['block_hours']}-hour blocks over all markets together ({intervals['blocks']:,} blocks); "
        "Wilson's for win rates. Those of return, Sharpe ratio and drawdown resample daily returns; the drawdown "
        "itself is measured on every bar."
    ]
    if "scores" in figures["ensemble"]:
        lines += [
            f"The ensemble's scores: {figures['ensemble']['scores']}.",
            "Skill is 1 - log-loss / log-loss of the training rows' class shares, on the same rows. Its parts: "
            "volatility, from telling whether the price will move, and direction, from the side of rows that moved.",
            "The outcome of a signal, kept or removed, is the return from its bar's close to the label's last close, "
            "less fee and slippage of a round trip: no stop, no funding, no position limit.",
        ]
    lines += [
        f"{baseline_name(name).capitalize()}: {baseline['about']}."
        for name, baseline in baselines.items()
        if "about" in baseline
    ]
    if unknown := trades.get("funding_unknown"):
        lines.append(f"Funding is incomplete for {listed(unknown)}.")
    if missing := trades.get("mark_missing"):
        lines.append(f"The mark price is missing for {listed(missing)}; the last price was used instead.")
    if unpaid := baselines.get("buy_and_hold", {}).get("funding_unknown"):
        lines.append(f"Buy and hold pays no funding for {listed(unpaid)}, whose settlements are unknown.")
    return lines
