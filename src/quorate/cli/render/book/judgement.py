"""The judgement of a book on one screen, which ends with the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quorate.cli import output
from quorate.cli.render.account import show_verdict
from quorate.core.text.plural import counted
from quorate.evaluation.book.verdict import sharpe_text
from quorate.evaluation.report.formatting import Kind, text_of

if TYPE_CHECKING:
    from quorate.evaluation.book import BookJudgement

_HOLDINGS = {"btc": "BTC", "equal_weight": "equal weight", "inverse_volatility": "inverse vol."}

# Variants of the one screen.
_VARIANTS = {
    "one_bar_late": "4 h late",
    "one_day_late": "a day late",
    "costs_doubled": "costs doubled",
    "without_best_month": "best month out",
    "without_best_markets": "best markets out",
}


def show_book_judgement(judgement: BookJudgement, *, full: bool = False) -> None:
    """A judgement beside holding, by sleeve and under worse conditions, and the verdict.

    Args:
        judgement: of a book.
        full: with all tables first; all figures are in --json.
    """
    figures = judgement.figures
    if full:
        from quorate.evaluation.report.book.tables import book_tables

        for table in book_tables(figures):
            output.print_table(table, synthetic=judgement.synthetic)
    output.print_sentence(_title(figures, synthetic=judgement.synthetic))
    if figures["whole"]["days"]:
        _beside(figures)
        _sleeves(figures)
        output.print_sentence(_worse(figures))
    verdict = judgement.verdict
    # The first detail repeats the table.
    show_verdict({**verdict, "details": verdict["details"][1:]})


def _title(figures: Mapping[str, Any], *, synthetic: bool) -> str:
    whole = figures["whole"]
    first, last = (
        whole[name] if whole["days"] else figures[other] for name, other in (("first", "from"), ("last", "to"))
    )
    mark = "SYNTHETIC MARKET: " if synthetic else ""
    return (
        f"{mark}Book of {counted(len(figures['sleeves']), 'sleeve')} in {counted(figures['markets'], 'market')}, "
        f"{first} to {last}, {10_000 * figures['cost_a_side']:g} bp a side"
    )


def _beside(figures: Mapping[str, Any]) -> None:
    rows = {"book": figures["whole"], **{_HOLDINGS[name]: own for name, own in figures["beside"].items()}}
    output.print_compact(
        ("", "Sharpe", "a year", "volatility", "drawdown", "turnover"),
        [
            (
                name,
                sharpe_text(own),
                _text(own, "yearly_return", "percent"),
                _text(own, "volatility", "odds"),
                _text(own, "max_drawdown", "odds"),
                _text(own, "turnover_a_day", "number"),
            )
            for name, own in rows.items()
        ],
    )


def _sleeves(figures: Mapping[str, Any]) -> None:
    output.print_compact(
        ("sleeve", "Sharpe alone", "book without it", "adds"),
        [
            (
                name,
                sharpe_text(own["alone"]),
                sharpe_text(own["left_out"]),
                "n/a" if own.get("sharpe_added") is None else f"{own['sharpe_added']:+.2f}",
            )
            for name, own in figures["sleeves"].items()
        ],
    )


def _worse(figures: Mapping[str, Any]) -> str:
    found = figures["robustness"]
    parts = [f"{shown} {_text(found[name], 'sharpe', 'number')}" for name, shown in _VARIANTS.items() if name in found]
    lost = figures["survivorship"]
    parts.append(f"{100 * lost['lost_share']:g} % of longs a year lost {_text(lost, 'sharpe', 'number')}")
    return f"Sharpe under worse conditions: {', '.join(parts)}"


def _text(figures: Mapping[str, Any], name: str, kind: Kind) -> str:
    value = figures.get(name)
    return "n/a" if value is None else text_of(value, kind)
