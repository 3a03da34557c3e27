"""One self-contained HTML page that says what was measured and how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quorate.core.files import write_text_atomic
from quorate.evaluation.report.breakdown_tables import (
    decision_table,
    gate_table,
    importance_table,
    luck_table,
    month_table,
    policy_table,
    probability_table,
    signal_table,
    symbol_table,
)
from quorate.evaluation.report.formatting import Cell, Table, cell
from quorate.evaluation.report.plots import plots
from quorate.evaluation.report.tables import (
    baseline_name,
    cost_table,
    criteria_table,
    fold_table,
    money_table,
    rival_table,
    score_table,
    trade_table,
)
from quorate.evaluation.report.template import Html, Page
from quorate.evaluation.scorecard import Scorecard

_NAMED = 8  # symbols in a sentence of the footer
_LUCK = ("deflation", "overfitting")  # figures that explain themselves in a sentence


def write_report(
    path: Path, card: Scorecard, *, title: str = "Quorate", warnings: Sequence[str] = (), notes: Sequence[str] = ()
) -> None:
    """Write the page of `render`, at once or not at all.

    Raises:
        MissingExtraError: plotly is not installed.
        DataError: the file cannot be written.
    """
    write_text_atomic(path, render(card, title=title, warnings=warnings, notes=notes))


def render(card: Scorecard, *, title: str = "Quorate", warnings: Sequence[str] = (), notes: Sequence[str] = ()) -> str:
    """The page as one text: needs no network, works in light and dark, from 390 pixels up.

    Args:
        card: what was measured.
        title: the heading.
        warnings: sentences for banners on top, such as bars inside the training span.
        notes: sentences for the footer.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    figures, drawn, page = card.figures, plots(card), Page(synthetic=card.synthetic)
    body = [
        _headline(page, figures),
        page.section("What was promised", page.table(criteria_table(figures), words=True)),
        page.section(
            "The account",
            page.plot(drawn, "equity", "Equity", "after fees, slippage and funding, beside its rivals", tall=True),
            page.plot(drawn, "drawdown", "Drawdown", "distance below the highest equity so far"),
            page.table(money_table(figures)),
            page.table(month_table(figures)),
            page.row(page.table(cost_table(figures)), page.table(trade_table(figures))),
            page.row(
                page.plot(drawn, "trades", "Trades by net result", "wins green, losses red"),
                page.plot(drawn, "costs", "Where the money went", "from bare prices to the net result, USD"),
            ),
        ),
        page.section(
            "Is it luck?",
            page.row(
                page.table(luck_table(figures)),
                page.prose("How to read it", [figures[name]["about"] for name in _LUCK if name in figures]),
            ),
            page.table(policy_table(figures)),
            page.table(signal_table(figures)),
        ),
        page.section(
            "The scores",
            page.table(score_table(figures)),
            page.table(rival_table(figures)),
            page.table(probability_table(figures)),
            page.table(fold_table(figures)),
            page.plot(drawn, "skill", "Skill over the class prior, by month", "whiskers: the ensemble's interval"),
            page.row(
                page.plot(drawn, "reliability", "Reliability", "raw scores; on the dotted line they are probabilities"),
                page.plot(drawn, "confusion", "Confusion", "the largest mean score against what happened"),
            ),
        ),
        page.section(
            "The decisions",
            page.row(
                page.plot(drawn, "consensus", "Consensus", "share of the bars on which a model voted"),
                page.table(decision_table(figures)),
            ),
            page.plot(
                drawn,
                "coverage",
                "Coverage against win rate",
                "the most confident signals to the left; dotted: a coin. Held to the target's horizon, after costs",
            ),
            page.table(gate_table(figures)),
        ),
        page.section(
            "The columns",
            page.plot(drawn, "importance", "What the models rest on", _importance(figures), tall=True),
            page.table(importance_table(figures)),
        ),
        page.section("The symbols", page.table(symbol_table(figures))),
        page.section("Where this comes from", page.table(_provenance_table(figures), words=True)),
    ]
    return page.document(
        title,
        _subtitle(figures),
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


def _importance(figures: dict[str, Any]) -> str:
    return str(figures.get("importance", {}).get("about", ""))


def _provenance_table(figures: dict[str, Any]) -> Table:
    """Data, code and command; empty where a card was made by hand."""
    known = figures.get("provenance", {})
    rows = tuple((Cell(name.replace("_", " ")), Cell(str(value))) for name, value in known.items())
    return Table("Provenance", ("what", ""), rows)


def _subtitle(figures: dict[str, Any]) -> str:
    if not figures["rows"]:
        return "No labelled bar."
    markets = "1 symbol" if figures["symbols"] == 1 else f"{figures['symbols']:,} symbols"
    return (
        f"{markets}, {figures['timeframe']} bars, {figures['from'][:10]} to {figures['to'][:10]}: "
        f"{figures['rows']:,} labelled bars on {figures['days']:,} days"
    )


def _footer(figures: dict[str, Any]) -> list[str]:
    intervals, trades = figures["intervals"], figures["trades"]
    lines = [
        f"Small figures are {intervals['confidence']:.0%} intervals: {intervals['resamples']:,} resamples of "
        f"{intervals['block_hours']}-hour blocks over all symbols together ({intervals['blocks']:,} blocks); "
        "Wilson's for the win rate.",
        f"The ensemble's scores are {figures['ensemble']['scores']}.",
        "Skill is 1 - log-loss over the log-loss of the training rows' class shares, on the same rows.",
        "Intervals of return, Sharpe, Sortino, Calmar and drawdown are of the same days, drawn with replacement, by "
        "their closes; the drawdown itself is of every bar.",
        "Signals, kept or removed, are worth what their bar's close to the label's last close brings less the fee and "
        "slippage of a round trip: no stop, no funding, no limit of positions.",
    ]
    lines += [
        f"{baseline_name(name).capitalize()}: {baseline['about']}."
        for name, baseline in figures["baselines"].items()
        if "about" in baseline
    ]
    if unknown := trades.get("funding_unknown"):
        lines.append(f"Funding is not fully known for {_listed(unknown)}.")
    if missing := trades.get("mark_missing"):
        lines.append(f"The mark price is missing for {_listed(missing)}; the last price was used.")
    if unpaid := figures["baselines"].get("buy_and_hold", {}).get("funding_unknown"):
        lines.append(f"Buy and hold pays no funding on {_listed(unpaid)}, whose settlements are unknown.")
    return lines


def _listed(symbols: Sequence[str]) -> str:
    """The first few names, and how many more."""
    few = ", ".join(symbols[:_NAMED])
    return few if len(symbols) <= _NAMED else f"{few} and {len(symbols) - _NAMED} more"
