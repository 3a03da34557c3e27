"""A book's training, its target weights and its backtest, on one screen each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quorate.cli import output
from quorate.cli.render.account import show_equity, show_rivals
from quorate.core.clock import format_ms
from quorate.core.text.plural import counted
from quorate.evaluation.report.formatting import SYNTHETIC, text_of
from quorate.trading.account.currency import in_currency
from quorate.workflows.results.book import figure_text

if TYPE_CHECKING:
    from quorate.workflows.results.book import BookBacktest, TargetBook, TrainedBook

# Positions and reasons that a screen names.
_NAMED = 14


def show_training(result: TrainedBook, following: str) -> None:
    """What was trained, and the next command."""
    manifest = result.manifest
    if manifest.synthetic:
        output.print_line(SYNTHETIC)
    span = f"{format_ms(manifest.training_start)[:10]} to {format_ms(manifest.training_end)[:10]}"
    output.print_line(
        f"{counted(len(manifest.symbols), 'market')}, {counted(result.days, 'day')}, {span}; "
        f"{len(result.universe)} in the universe of the last day"
    )
    output.print_line(f"sleeves: {', '.join(manifest.settings.sleeves)}")
    for each in manifest.members:
        name = f"{each.sleeve}.{each.model}"
        done = f"abstains: {each.failure}" if each.failure else f"{each.rows:,} rows, {result.seconds[name]:.1f} s"
        output.print_line(f"  {name}: {done}")
    output.print_line(f"book {result.path}")
    output.print_line(f"next: {following}")


def show_target(result: TargetBook, *, explain: bool = False) -> None:
    """The target weights and the orders towards them.

    Args:
        result: the target book.
        explain: all positions, with each sleeve's part.
    """
    if result.synthetic:
        output.print_line(SYNTHETIC)
    output.print_line(
        f"{format_ms(result.moment)}  gross {_share(result.gross)}, net {_share(result.net, signed=True)}, "
        f"orders {_share(result.turnover)} of equity"
    )
    shown = result.positions if explain else result.positions[:_NAMED]
    sleeves = tuple(dict.fromkeys(name for each in result.positions for name in each.sleeves)) if explain else ()
    rows = [
        (
            each.symbol,
            _share(each.weight, signed=True),
            _share(each.order, signed=True) if each.order else "-",
            *(_share(each.sleeves.get(name, 0.0), signed=True) for name in sleeves),
            *(() if explain else (_why(each.sleeves),)),
        )
        for each in shown
    ]
    if rows:
        output.print_compact(("market", "target", "order", *(sleeves if explain else ("mostly by",))), rows)
    else:
        output.print_line("nothing is held")
    left = len(result.positions) - len(shown)
    if left:
        output.print_line(f"and {counted(left, 'smaller position')}; all with --explain")
    output.print_sentence(
        f"Orders are for the next open, from what a book holds that has followed its targets since "
        f"{format_ms(result.followed_from)[:10]}. A weight is left while it is near its target (setting book.band)."
    )
    for name, why in result.abstentions.items():
        output.note(f"{name} abstains: {why}")


def show_backtest(result: BookBacktest, *, full: bool = False) -> None:
    """The account of a book beside holding, and the verdict.

    Args:
        result: the backtest.
        full: also costs and refused orders.
    """
    document = result.document
    if document["synthetic"]:
        output.print_line(SYNTHETIC)
    if document["training_span_overlaps"]:
        output.print_line("INSIDE THE TRAINING SPAN: the members were fitted on these days")
    stats = document["stats"]
    first, last = document["equity"][0]["time"][:10], document["equity"][-1]["time"][:10]
    output.print_line(f"Book {document['book']}, {counted(len(document['symbols']), 'market')}, {first} to {last}")
    show_equity(result.result)
    show_rivals(stats, {"buy_and_hold": document["baselines"].get("universe", {})})
    output.print_line(
        f"  gross {_share(stats['mean_gross'])} on average, {_share(stats['most_gross'])} at most; "
        f"net {_share(stats['mean_net'], signed=True)}; turnover {_share(stats['turnover_a_day'])} of equity a day"
    )
    if full:
        _show_costs(document)
    output.print_sentence(result.verdict)


def show_account(account: Mapping[str, Any]) -> None:
    """The same weights in the simulated account, in a line.

    Args:
        account: that of the document of an evaluation.
    """
    stats = account["stats"]
    output.print_sentence(
        f"In the simulated account, with lots, minima and margin: net Sharpe {figure_text(stats, 'sharpe', 'number')}, "
        f"drawdown {figure_text(stats, 'max_drawdown', 'odds')}, turnover {_share(stats['turnover_a_day'])} of equity "
        "a day."
    )


def _show_costs(document: Mapping[str, Any]) -> None:
    costs, currency = document["costs"], document["currency"]
    for name, label in (("fee_usd", "fees"), ("slippage_usd", "slippage"), ("funding_usd", "funding received")):
        output.print_line(f"  {label} {in_currency(text_of(costs[name], 'usd'), currency)}")
    for reason, count in document["refused"].items():
        output.print_line(f"  {counted(count, 'order')} not filled: {reason}")


def _share(weight: float, *, signed: bool = False) -> str:
    """A fraction of equity in percent.

    >>> _share(0.123), _share(-0.05, signed=True)
    ('12.3 %', '-5.0 %')
    """
    text = f"{100 * weight:+.1f} %" if signed else f"{100 * weight:.1f} %"
    return text.replace("-0.0 %", "0.0 %").replace("+0.0 %", "0.0 %")


def _why(sleeves: Mapping[str, float]) -> str:
    """The sleeve of the largest part; "-" where none holds it."""
    return max(sleeves, key=lambda name: abs(sleeves[name])) if sleeves else "-"
