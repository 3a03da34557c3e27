"""Evaluations and backtests as tables for a terminal: every figure beside its baseline, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from quorate.cli import output
from quorate.cli.render.returns import show_returns
from quorate.workflows.results.headline import marks_of

if TYPE_CHECKING:
    from quorate.evaluation.report.formatting import Table

# Models that fit beside each other on a page of text; further ones go into a table below.
_ACROSS = 5


def show(document: Mapping[str, Any]) -> None:
    """An evaluation: its main tables. All of its figures are on the page and in --json."""
    _marks(document)
    if "rmse" in document["ensemble"]:
        _show_stack(document)
    else:
        _show_votes(document)


def show_account(document: Mapping[str, Any]) -> None:
    """The account of `quorate backtest`."""
    from quorate.evaluation.report.tables import cost_table, criteria_table, money_table, trade_table

    _marks(document)
    stats = document["stats"]
    figures = {"trades": stats, "baselines": {}, "criteria": document["criteria"]}
    for table in (criteria_table(figures), money_table(figures), trade_table(figures), cost_table(figures)):
        output.print_table(table, synthetic=document["synthetic"])
    if "deflation" in document:
        output.print_line(document["deflation"]["about"])
    _funding_unknown(stats)
    _contracts_unknown(document)


def _show_votes(document: Mapping[str, Any]) -> None:
    shares, folds = document["intervals"], document.get("folds")
    how = f"out of sample in {len(folds)} folds" if folds else f"{len(document['unseen_symbols'])} never trained on"
    output.print_line(
        f"{document['rows']:,} labelled bars of {document['symbols']} symbols ({how}), "
        f"{document['from']} to {document['to']}\n"
        f"{shares['confidence']:.0%} intervals by resampling {shares['blocks']} blocks of {shares['block_hours']} hours"
    )
    _print_tables(document)
    _differences(document)
    for name in ("deflation", "overfitting"):
        if name in document:
            output.print_line(document[name]["about"])
    _abstentions(folds or ())
    if "cost" in document:
        spent = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in document["cost"].items())
        output.print_line(f"wall time: {spent}")


def _show_stack(document: Mapping[str, Any]) -> None:
    from quorate.ensemble.stack.stack_metrics import STACKED, improvements
    from quorate.evaluation.report.tables import cost_table, criteria_table, money_table, trade_table

    output.print_line(f"{document['rows']:,} bars whose future is known, {document['from']} to {document['to']}")
    rows = {**document["members"], STACKED: document["ensemble"]}
    rows |= {name: figures for name, figures in document["baselines"].items() if "rmse" in figures}
    show_returns("Returns in percent", rows, improvements(rows), synthetic=document["synthetic"])
    for table in (criteria_table, money_table, trade_table, cost_table):
        output.print_table(table(document), synthetic=document["synthetic"])
    if "deflation" in document:
        output.print_line(document["deflation"]["about"])


def _print_tables(document: Mapping[str, Any]) -> None:
    from quorate.evaluation.report.tables import tables

    for table in tables(document):
        for part in _parts(table):
            output.print_table(part, synthetic=document["synthetic"])
    _funding_unknown(document["trades"])
    _contracts_unknown(document)


def _parts(table: Table) -> list[Table]:
    """The table, or where it has a column for each of many models, several below each other."""
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
            f"log-loss of the ensemble less that of {baseline_name(name)}: {shown.text}{within}{tested}; "
            "below 0 is better"
        )


def _abstentions(folds: Sequence[Mapping[str, Any]]) -> None:
    for fold in folds:
        for name, member in {**fold["members"], **fold["beside"]}.items():
            if not member["ok"]:
                output.print_line(f"{name} abstains in fold {fold['fold']}: {member['failure']}")


def _marks(document: Mapping[str, Any]) -> None:
    for mark in marks_of(document):
        output.print_line(mark)


def _funding_unknown(trades: Mapping[str, Any]) -> None:
    unknown = trades.get("funding_unknown") or ()
    if unknown:
        some = ", ".join(unknown[:8]) + (" ..." if len(unknown) > 8 else "")
        output.print_line(f"funding is unknown, and left out, for some trades of {len(unknown)} symbols: {some}")


def _contracts_unknown(document: Mapping[str, Any]) -> None:
    unknown = document["contracts_unknown"]
    # A market that was made up has no exchange.
    if unknown and not document["synthetic"]:
        output.print_line(
            f"the exchange's rules of {len(unknown)} symbols are unknown: conservative margin tiers, any lot and tick"
        )
