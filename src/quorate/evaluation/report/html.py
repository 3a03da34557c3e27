"""HTML report of a scorecard: one self-contained page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quorate.core.files import write_text_atomic
from quorate.core.redaction import redact_known
from quorate.evaluation.report.agreement_table import agreement_table
from quorate.evaluation.report.breakdown_tables import (
    decision_table,
    gate_table,
    importance_table,
    month_table,
    policy_criteria_table,
    policy_table,
    probability_table,
    selection_bias_table,
    signal_table,
    symbol_table,
)
from quorate.evaluation.report.contribution_table import contribution_table
from quorate.evaluation.report.evidence_table import evidence_table
from quorate.evaluation.report.feature_selection_table import fold_choice_table
from quorate.evaluation.report.floor_table import floor_table
from quorate.evaluation.report.formatting import Cell, Table, cell
from quorate.evaluation.report.panel_tables import panel_tables
from quorate.evaluation.report.plotly_json import Plot
from quorate.evaluation.report.plots import plots
from quorate.evaluation.report.selection_table import selection_table
from quorate.evaluation.report.skill_tables import group_table, skill_table
from quorate.evaluation.report.tables import (
    BASELINES,
    baseline_name,
    baseline_table,
    cost_table,
    criteria_table,
    fold_table,
    money_table,
    score_table,
    trade_table,
)
from quorate.evaluation.report.template import Html, Page
from quorate.evaluation.scorecard import Scorecard

_NAMED = 8  # symbols in a sentence of the footer
_SELECTION_BIAS = ("deflation", "overfitting")  # figures with an explanation under `about`


def write_report(
    path: Path,
    card: Scorecard,
    *,
    title: str = "Quorate",
    about: Sequence[str] = (),
    warnings: Sequence[str] = (),
    notes: Sequence[str] = (),
    currency: str = "USD",
) -> None:
    """Write the report as one HTML file, atomically.

    Args:
        path: of the file; its folder is created.
        card: the scorecard.
        title: heading, and title of the tab.
        about: sentences below the heading: what was evaluated.
        warnings: sentences shown as banners at the top.
        notes: sentences added to the footer.
        currency: of the account.

    Raises:
        MissingExtraError: plotly is not installed.
        DataError: the file cannot be written.
    """
    text = render_report(card, title=title, about=about, warnings=warnings, notes=notes, currency=currency)
    write_text_atomic(path, redact_known(text))


def render_report(
    card: Scorecard,
    *,
    title: str = "Quorate",
    about: Sequence[str] = (),
    warnings: Sequence[str] = (),
    notes: Sequence[str] = (),
    currency: str = "USD",
) -> str:
    """The report as HTML text: it needs no network, has a light and a dark scheme, and fits screens from 390 pixels.

    Args:
        card: the scorecard.
        title: heading, and title of the tab.
        about: sentences below the heading: what was evaluated.
        warnings: sentences shown as banners at the top, such as a run inside the training span.
        notes: sentences added to the footer.
        currency: of the account.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    figures, drawn, page = card.figures, plots(card, currency), Page(synthetic=card.synthetic, currency=currency)
    body = [
        _headline(page, figures),
        page.section("Success criteria", page.table(criteria_table(figures), words=True)),
        _account(page, figures, drawn, currency),
        _selection_bias(page, figures),
        _scores(page, figures, drawn),
        _decisions(page, figures, drawn),
        _features(page, figures, drawn),
        page.section("Symbols", page.table(symbol_table(figures))),
        page.section("Provenance", page.table(_provenance_table(figures), words=True)),
    ]
    return page.document(
        title,
        [*about, _subtitle(figures), _markets(card)],
        Html("".join(body)),
        warnings=warnings,
        footer=[*_footer(figures), *notes],
        plots=drawn,
    )


def _headline(page: Page, figures: dict[str, Any]) -> Html:
    ensemble, trades, baselines = figures["ensemble"], figures["trades"], figures["baselines"]
    hold = baselines.get("buy_and_hold", {})
    held_return = cell(hold, "total_return", "percent").text
    held_drawdown = cell(hold, "max_drawdown", "share").text
    right = cell(baselines["always_hold"], "accuracy", "share").text
    untraded = Cell("n/a", reason="no backtest")
    return page.tiles(
        page.tile("Skill over prior", cell(ensemble, "skill_vs_prior", "percent"), "class prior: 0"),
        page.tile("Accuracy", cell(ensemble, "accuracy", "share"), f"always HOLD: {right}"),
        page.tile(
            "Win rate",
            cell(trades, "win_rate", "share") if trades["n"] else untraded,
            f"over {trades['n']:,} trades",
        ),
        page.tile(
            "Return",
            cell(trades, "total_return", "percent") if "total_return" in trades else untraded,
            f"buy and hold: {held_return}",
        ),
        page.tile(
            "Max drawdown",
            Cell(cell(trades, "max_drawdown", "share").text) if "max_drawdown" in trades else untraded,
            f"buy and hold: {held_drawdown}",
        ),
    )


def _account(page: Page, figures: dict[str, Any], drawn: dict[str, Plot], currency: str) -> Html:
    return page.section(
        "Account",
        page.plot(drawn, "equity", "Equity", "after fees, slippage and funding, with baselines", tall=True),
        page.plot(drawn, "drawdown", "Drawdown", "distance below the running peak of equity"),
        page.table(money_table(figures)),
        page.table(month_table(figures)),
        page.row(page.table(cost_table(figures)), page.table(trade_table(figures))),
        *(page.table(table) for table in panel_tables(figures)),
        page.row(
            page.plot(drawn, "trades", "Trades by net result", "wins green, losses red"),
            page.plot(drawn, "costs", "Costs", f"from gross to net result, {currency}"),
        ),
    )


def _selection_bias(page: Page, figures: dict[str, Any]) -> Html:
    return page.section(
        "Selection bias",
        page.row(
            page.table(selection_bias_table(figures)),
            page.prose("Interpretation", [figures[name]["about"] for name in _SELECTION_BIAS if name in figures]),
        ),
        page.table(policy_table(figures)),
        page.table(policy_criteria_table(figures)),
        page.table(signal_table(figures)),
        page.table(floor_table(figures.get("floors"))),
        page.table(evidence_table(figures)),
    )


def _scores(page: Page, figures: dict[str, Any], drawn: dict[str, Plot]) -> Html:
    return page.section(
        "Scores",
        page.table(score_table(figures)),
        page.table(skill_table(figures, BASELINES)),
        page.table(group_table(figures)),
        page.table(agreement_table(figures.get("agreement"))),
        page.plot(
            drawn, "membership", "Members that voted", "chosen at midnight by the labels of earlier days", tall=True
        ),
        page.table(selection_table(figures.get("selection"))),
        page.prose("Beside log_har", _beside_log_har(figures)),
        page.table(baseline_table(figures)),
        page.table(probability_table(figures)),
        page.table(fold_table(figures)),
        page.plot(drawn, "skill", "Skill over the class prior, by month", "error bars: the ensemble's interval"),
        page.row(
            page.plot(drawn, "reliability", "Reliability", "raw scores; on the dotted line, score equals accuracy"),
            page.plot(drawn, "confusion", "Confusion", "true class against the class of the largest mean score"),
        ),
    )


def _beside_log_har(figures: dict[str, Any]) -> list[str]:
    """One sentence about models that know nothing but volatility; none where log-HAR was not evaluated."""
    found = figures.get("only_volatility")
    return [found["about"]] if found and found["about"] else []


def _decisions(page: Page, figures: dict[str, Any], drawn: dict[str, Plot]) -> Html:
    return page.section(
        "Decisions",
        page.row(
            page.plot(drawn, "consensus", "Consensus", "share of the bars with a vote"),
            page.table(decision_table(figures)),
        ),
        page.plot(
            drawn,
            "coverage",
            "Win rate by coverage",
            "most confident signals on the left; dotted: 50 %. Held for the target's horizon, after costs",
        ),
        page.table(gate_table(figures)),
    )


def _features(page: Page, figures: dict[str, Any], drawn: dict[str, Plot]) -> Html:
    return page.section(
        "Features",
        page.plot(drawn, "importance", "Permutation importance", _importance(figures), tall=True),
        page.table(importance_table(figures)),
        page.table(fold_choice_table(figures)),
        page.prose("Choice of the columns", _choice(figures)),
        page.table(contribution_table(figures)),
    )


def _importance(figures: dict[str, Any]) -> str:
    return str(figures.get("importance", {}).get("about", ""))


def _choice(figures: dict[str, Any]) -> list[str]:
    """How columns were chosen; nothing where they were not."""
    found = figures.get("feature_selection")
    return [found["about"]] if found else []


def _provenance_table(figures: dict[str, Any]) -> Table:
    """Data, code and command; empty if the scorecard has none."""
    known = figures.get("provenance", {})
    rows = tuple((Cell(name.replace("_", " ")), Cell(str(value))) for name, value in known.items())
    return Table("Data, code and command", ("", "value"), rows)


def _subtitle(figures: dict[str, Any]) -> str:
    if not figures["rows"]:
        return "No labelled bars."
    markets = "1 symbol" if figures["symbols"] == 1 else f"{figures['symbols']:,} symbols"
    return (
        f"{markets}, {figures['timeframe']} bars, {figures['from'][:10]} to {figures['to'][:10]}: "
        f"{figures['rows']:,} labelled bars on {figures['days']:,} days"
    )


def _markets(card: Scorecard) -> str:
    return f"Markets: {_listed(card.sample.symbols)}."


def _footer(figures: dict[str, Any]) -> list[str]:
    intervals, trades = figures["intervals"], figures["trades"]
    lines = [
        f"Small figures are {intervals['confidence']:.0%} confidence intervals: {intervals['resamples']:,} resamples "
        f"of {intervals['block_hours']}-hour blocks over all symbols together ({intervals['blocks']:,} blocks); "
        "Wilson's for win rates.",
        f"The ensemble's scores: {figures['ensemble']['scores']}.",
        "Skill is 1 - log-loss / log-loss of the training rows' class shares, on the same rows. Its parts: volatility, "
        "from telling whether the price will move, and direction, from the side of the rows that moved.",
        "Intervals of return, Sharpe, Sortino, Calmar and drawdown resample daily returns; the drawdown itself is "
        "measured on every bar.",
        "The outcome of a signal, kept or removed, is the return from its bar's close to the label's last close, less "
        "fee and slippage of a round trip: no stop, no funding, no position limit.",
    ]
    lines += [
        f"{baseline_name(name).capitalize()}: {baseline['about']}."
        for name, baseline in figures["baselines"].items()
        if "about" in baseline
    ]
    if unknown := trades.get("funding_unknown"):
        lines.append(f"Funding is incomplete for {_listed(unknown)}.")
    if missing := trades.get("mark_missing"):
        lines.append(f"The mark price is missing for {_listed(missing)}; the last price was used instead.")
    if unpaid := figures["baselines"].get("buy_and_hold", {}).get("funding_unknown"):
        lines.append(f"Buy and hold pays no funding for {_listed(unpaid)}, whose settlements are unknown.")
    return lines


def _listed(symbols: Sequence[str]) -> str:
    """The first few names, and the number of others."""
    few = ", ".join(symbols[:_NAMED])
    return few if len(symbols) <= _NAMED else f"{few} and {len(symbols) - _NAMED} more"
