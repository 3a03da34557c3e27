"""Evaluations and backtests as tables for a terminal: every figure beside its baseline, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.cli import output
from quorate.cli.render.account import show_equity, show_groups, show_rivals, show_verdict
from quorate.cli.render.quiet_bars import quiet_bars
from quorate.cli.render.stack import show_returns
from quorate.core.text.plural import counted
from quorate.workflows.results.evaluation import subject
from quorate.workflows.results.headline import closed_text, marks_of, span_text

if TYPE_CHECKING:
    from quorate.evaluation.report.formatting import Table
    from quorate.workflows.results import Backtest, Evaluation

# Models that fit beside each other in a table; further ones go into a table below.
_ACROSS = 5


def show_result(result: Evaluation, report: Path | None, *, as_json: bool, full: bool = False) -> None:
    """Print an evaluation, and write its report.

    Args:
        result: of a bundle, a stack or a walk-forward.
        report: file of the report; None for a new one in the folder of the settings, or with `as_json` for none.
        as_json: print the document instead of a summary.
        full: print all tables before the summary.
    """
    document = result.to_json()
    if as_json:
        output.print_json(document)
    else:
        show(result, full=full)
    path = report if report is not None or as_json else _new_report(document)
    if path is not None:
        with output.progress() as progress:
            result.report(path, progress=progress)
        output.note(f"report written to {path}")
    if result.scorecard is not None:
        tried = counted(len(result.scorecard.configurations), "configuration")
        output.note(f"{tried} recorded in {document['provenance']['ledger']}")


def _new_report(document: Mapping[str, Any]) -> Path:
    """A new file in the folder of reports."""
    from quorate.core.clock import iso_ms, now_ms
    from quorate.core.configuration import load_settings

    stamp = iso_ms(now_ms())[:19].replace("T", "-").replace(":", "")
    kind = "walk-forward" if "folds" in document else "bundle"
    return Path(load_settings().evaluation.reports) / f"{stamp}-{kind}.html"


def show(result: Evaluation, *, full: bool = False) -> None:
    """An evaluation on one screen, which ends with the verdict.

    Args:
        result: of a bundle, a stack or a walk-forward.
        full: with the tables first; all figures are in the report and in --json.
    """
    document = result.to_json()
    _marks(document)
    if full:
        _show_stack(document) if "rmse" in document["ensemble"] else _show_votes(document)
    output.print_sentence(f"{subject(document)}, {span_text(document)}")
    if document["verdict"]["outcome"] != "none":
        show_equity(result.result)
    show_rivals(document["trades"], document["baselines"])
    output.print_sentence(_skill(document))
    _criteria(document, full=full)
    show_verdict(document["verdict"])


def show_account(result: Backtest, *, full: bool = False) -> None:
    """A backtest on one screen, which ends with the verdict.

    Args:
        result: of a bundle or a series.
        full: with the tables first, and every market.
    """
    from quorate.evaluation.report.tables import cost_table, criteria_table, money_table, trade_table

    document = result.to_json()
    _marks(document)
    if full:
        figures = {**document, "trades": document["stats"]}
        for table in (criteria_table(figures), money_table(figures), trade_table(figures), cost_table(figures)):
            _print(table, document)
        _panel(document)
        if "deflation" in document:
            output.print_line(document["deflation"]["about"])
        _funding_unknown(document["stats"])
        _contracts_unknown(document)
        quiet_bars(document["quiet_bars"])
    output.print_sentence(result.headline.title)
    if document["verdict"]["outcome"] != "none":
        show_equity(result.result)
    show_rivals(document["stats"], document["baselines"])
    show_groups(document["groups"], document["currency"], full=full)
    _criteria(document, full=full)
    show_verdict(document["verdict"])


def _skill(document: Mapping[str, Any]) -> str:
    """What the scores are worth, beside the class prior or predicting zero."""
    found = document["ensemble"]
    if "rmse" in found:
        return f"R2 of the returns against predicting zero: {_figure(found, 'r2_vs_zero')}"
    parts = found.get("skill", {})
    split = ", ".join(f"{name} {_figure(parts, name)}" for name in ("volatility", "direction") if name in parts)
    return f"Log-loss below the class prior's by {_figure(found, 'skill_vs_prior')}" + (f": {split}" if split else "")


def _figure(figures: Mapping[str, Any], name: str) -> str:
    from quorate.evaluation.report.formatting import cell

    shown = cell(figures, name, "percent")
    return f"{shown.text} ({shown.interval})" if shown.interval else shown.text


def _criteria(document: Mapping[str, Any], *, full: bool) -> None:
    rows = [row for row in document["criteria"] if row["ok"] is not None]
    met = sum(row["ok"] for row in rows)
    more = "" if full else "; the tables: --full"
    output.print_sentence(f"{met} of {counted(len(rows), 'success criterion', 'success criteria')} met{more}")


def _print(table: Table, document: Mapping[str, Any]) -> None:
    output.print_table(table.in_currency(document.get("currency", "USD")), synthetic=document["synthetic"])


def _show_votes(document: Mapping[str, Any]) -> None:
    shares, folds = document["intervals"], document.get("folds")
    how = f"out of sample in {len(folds)} folds" if folds else f"{len(document['unseen_symbols'])} not trained on"
    output.print_line(
        f"{document['rows']:,} labelled bars of {document['symbols']} symbols ({how}), "
        f"{document['from']} to {document['to']}\n"
        f"{shares['confidence']:.0%} intervals by resampling {shares['blocks']} blocks of {shares['block_hours']} hours"
    )
    _print_tables(document)
    _rows_compared(document)
    _differences(document)
    if document["only_volatility"] and document["only_volatility"]["about"]:
        output.print_line(document["only_volatility"]["about"])
    for name in ("deflation", "overfitting"):
        if name in document:
            output.print_line(document[name]["about"])
    _abstentions(folds or ())
    if "cost" in document:
        spent = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in document["cost"].items())
        output.print_line(f"wall time: {spent}")


def _show_stack(document: Mapping[str, Any]) -> None:
    from quorate.ensemble.stack.stack_metrics import STACKED, improvements
    from quorate.evaluation.report.panel_tables import panel_tables
    from quorate.evaluation.report.tables import cost_table, criteria_table, money_table, trade_table

    output.print_line(f"{document['rows']:,} labelled bars, {document['from']} to {document['to']}")
    rows = {**document["members"], STACKED: document["ensemble"]}
    rows |= {name: figures for name, figures in document["baselines"].items() if "rmse" in figures}
    show_returns("Returns in percent", rows, improvements(rows), synthetic=document["synthetic"])
    for table in (criteria_table, money_table, trade_table, cost_table):
        _print(table(document), document)
    for panel_table in panel_tables(document):
        _print(panel_table, document)
    _panel(document)
    if "deflation" in document:
        output.print_line(document["deflation"]["about"])


def _print_tables(document: Mapping[str, Any]) -> None:
    from quorate.evaluation.report.tables import tables

    for table in tables(document):
        for part in _parts(table):
            _print(part, document)
    _panel(document)
    _funding_unknown(document["trades"])
    _contracts_unknown(document)
    quiet_bars(document["quiet_bars"])


def _rows_compared(document: Mapping[str, Any]) -> None:
    """On which rows raw scores and calibrated probabilities are compared, since another table has all rows."""
    found = (document.get("probabilities") or {}).get("ensemble")
    if found:
        output.print_line(
            f"raw and calibrated figures are of the {found['rows']:,} rows with both; the scores above are of all "
            f"{document['ensemble']['n']:,} rows with a vote"
        )


def _parts(table: Table) -> list[Table]:
    """The table; if it has a column for each of many models, several tables."""
    if table.columns[0] != "metric" or len(table.columns) <= 1 + _ACROSS:
        return [table]
    return [
        replace(
            table,
            columns=(table.columns[0], *table.columns[first : first + _ACROSS]),
            rows=tuple((row[0], *row[first : first + _ACROSS]) for row in table.rows),
        )
        for first in range(1, len(table.columns), _ACROSS)
    ]


def _differences(document: Mapping[str, Any]) -> None:
    from quorate.evaluation.report.formatting import cell
    from quorate.evaluation.report.tables import baseline_name

    for name, apart in document["differences"].items():
        shown = cell(apart, "log_loss", "change")
        within = f" ({shown.interval})" if shown.interval else ""
        p_value = apart["p_value"]
        shown_p = "" if p_value is None else "p < 0.001" if p_value < 0.001 else f"p {p_value:.3f}"
        tested = f"; Diebold-Mariano {shown_p}" if shown_p else ""
        output.print_line(
            f"log-loss of the ensemble minus that of {baseline_name(name)}: {shown.text}{within}{tested}; "
            "negative is better"
        )


def _abstentions(folds: Sequence[Mapping[str, Any]]) -> None:
    for fold in folds:
        for name, member in {**fold["members"], **fold["beside"]}.items():
            if not member["ok"]:
                output.print_line(f"{name} abstains in fold {fold['fold']}: {member['failure']}")


def _marks(document: Mapping[str, Any]) -> None:
    because = document.get("closed_because")
    for mark in marks_of(document):
        if not because or mark != closed_text(because):  # the verdict says so
            output.print_sentence(mark)


def _panel(document: Mapping[str, Any]) -> None:
    from quorate.evaluation.report.panel_tables import panel_line

    if line := panel_line(document):
        output.print_line(line)


def _funding_unknown(trades: Mapping[str, Any]) -> None:
    unknown = trades.get("funding_unknown") or ()
    if unknown:
        some = ", ".join(unknown[:8]) + (" ..." if len(unknown) > 8 else "")
        output.print_line(
            f"funding is not included in some trades of {counted(len(unknown), 'market')}, whose rates are missing: "
            f"{some}"
        )


def _contracts_unknown(document: Mapping[str, Any]) -> None:
    unknown = document["contracts_unknown"]
    # A synthetic market has no exchange.
    if unknown and not document["synthetic"]:
        output.print_line(
            f"exchange rules are missing for {counted(len(unknown), 'market')}: conservative margin tiers, any lot and "
            "tick size"
        )
