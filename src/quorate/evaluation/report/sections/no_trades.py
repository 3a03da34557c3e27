"""What a run without trades shows in place of cards: what stopped each bar, and what other floors would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.evaluation.report.evidence_table import evidence_table
from quorate.evaluation.report.floor_table import floor_table
from quorate.evaluation.report.formatting import Cell, Table, text_of
from quorate.evaluation.report.page.template import Html, Page

if TYPE_CHECKING:
    from quorate.evaluation.report.reported_run import ReportedRun

# Rule of a bar -> what it means for somebody who waits for a trade.
_RULES = {
    "vote": "the vote itself was HOLD",
    "below_floor": "the confidence was below the floor",
    "no_quorum": "too few members agreed",
    "conflict": "members contradicted each other",
    "volatility_gate": "too volatile for the confidence",
    "closed": "the policy is closed",
    "within_cost": "the predicted return was within the costs of a trade",
    "no_votes": "no member voted",
    "training_span": "the bar is in the training span",
    "before_series": "the bar comes before the first bundle",
}


def no_trades(page: Page, run: ReportedRun) -> Html:
    """The rules that decided, refused orders, the floors, and the evidence for the policy."""
    decisions, figures = run.figures["decisions"], dict(run.figures)
    bars = decisions["bars"]
    rules = sorted(decisions.get("rules", {}).items(), key=lambda item: -item[1])
    rows = tuple(
        (Cell(_RULES.get(rule, rule.replace("_", " "))), Cell(f"{count:,}"), Cell(text_of(count / bars, "share")))
        for rule, count in rules
        if bars
    )
    refused = run.figures["trades"].get("refused", {})
    orders = tuple((Cell(reason.replace("_", " ")), Cell(f"{count:,}")) for reason, count in refused.items())
    return Html(
        page.table(Table("What decided each bar", ("rule", "bars", "share"), rows), words=True)
        + page.table(Table("Orders that were refused", ("reason", "orders"), orders), words=True)
        + page.table(floor_table(figures.get("floors")))
        + page.table(evidence_table(figures))
        + (
            '<p class="muted">Other floors and policies are hindsight on these bars. Choose one only by its result on '
            "other bars than those it was chosen on.</p>"
            if figures.get("floors")
            else ""
        )
    )
